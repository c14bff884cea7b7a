"""Time given with work that was sent back: at least so many working days, counted again like any other."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from minsheng.worktime.choices import Light
from minsheng.worktime.moments import day_of, end_of
from minsheng.worktime.rules import (
    Calendar,
    Derivation,
    Limit,
    derive,
    light,
    recompute,
    with_extension,
    with_pause,
    with_rework,
)
from minsheng.worktime.tests.test_rules import amounts, calendars, derivations

shares = st.floats(0, 1.5)


@given(derivations(), st.integers(1, 10), shares)
def test_never_earlier_and_at_least_the_days(made: tuple[Derivation, Calendar], days: int, share: float) -> None:
    derivation, calendar = made
    given_at = derivation.start + (derivation.due_at - derivation.start) * share
    after = with_rework(derivation, days, calendar, given_at=given_at)
    assert after.due_at >= derivation.due_at
    assert after.due_at >= end_of(calendar.add(day_of(given_at), days))
    assert after == derivation or after.reworks[-1].from_due == derivation.due_at
    assert Derivation.from_json(json.loads(json.dumps(after.to_json()))) == after
    assert ("退回重办" in after.sentence()) == bool(after.reworks)


@given(derivations(), st.integers(1, 10), calendars())
def test_a_recount_keeps_the_days_under_any_calendar(
    made: tuple[Derivation, Calendar], days: int, changed: Calendar
) -> None:
    derivation, calendar = made
    after = with_rework(derivation, days, calendar, given_at=derivation.due_at)
    at = derivation.start
    assert recompute(after, calendar, at=at).due_at == after.due_at
    again = recompute(after, changed, at=at)
    assert again.due_at >= end_of(changed.add(day_of(derivation.due_at), days))
    assert recompute(again, changed, at=at).due_at == again.due_at


@given(
    st.datetimes(datetime(2026, 1, 5), datetime(2026, 11, 1)).map(lambda moment: moment.replace(tzinfo=UTC)),
    amounts,
    calendars(),
    st.lists(st.tuples(st.sampled_from(["wait", "pause", "extend", "rework"]), st.floats(0.01, 1.2)), max_size=8),
)
def test_a_light_goes_back_only_where_the_limit_moved(
    start: datetime, amount: int, calendar: Calendar, steps: list[tuple[str, float]]
) -> None:
    """Whatever happens to a task: as long as nothing on record moved its limit, its light only grows more pressing."""
    made, now, order = derive(start, limit=Limit(amount), calendar=calendar), start, list(Light)
    seen = light(now, made.start, made.due_at)
    for what, share in steps:
        before, now = made, now + (made.due_at - made.start) * share / 3
        made, now = _step(what, made, now, calendar)
        shown = light(now, made.start, made.due_at)
        assert made.due_at >= before.due_at
        moved = made.due_at > before.due_at
        assert moved == (len(made.adjustments) > len(before.adjustments)) or what == "pause"
        if not moved:
            assert order.index(shown) >= order.index(seen)
        if seen is Light.RED and not moved:
            assert shown is Light.RED
        seen = shown


def _step(what: str, made: Derivation, now: datetime, calendar: Calendar) -> tuple[Derivation, datetime]:
    if what == "pause" and now < made.due_at and all(now >= pause.ended for pause in made.pauses):
        ended = now + timedelta(days=2)
        return with_pause(made, now, ended, calendar), ended
    if what == "extend" and now < made.due_at:
        return with_extension(made, made.last_day + timedelta(days=3), granted_at=now), now
    if what == "rework":
        return with_rework(made, 1, calendar, given_at=now), now
    return made, now


def test_a_day_in_a_year_without_a_notice_is_provisional() -> None:
    """New Year's Day 2027 counts until the notice says that it rests."""
    blank = Calendar({}, frozenset({2026}))
    noticed = Calendar({date(2027, 1, 1): False}, frozenset({2026, 2027}))
    start = datetime(2026, 12, 28, 1, tzinfo=UTC)
    given_at = datetime(2026, 12, 31, 7, tzinfo=UTC)
    made = with_rework(derive(start, limit=Limit(3), calendar=blank), 1, blank, given_at=given_at)
    assert (made.last_day, made.provisional) == (date(2027, 1, 1), (2027,))
    again = recompute(made, noticed, at=given_at)
    assert (again.last_day, again.provisional, again.recounts[-1].years) == (date(2027, 1, 4), (), (2027,))
