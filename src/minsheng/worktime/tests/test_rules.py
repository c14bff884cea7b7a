"""Deadlines that peers got wrong, the scenarios, and what must hold for every deadline."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minsheng.worktime import reference
from minsheng.worktime.choices import Light, LimitUnit
from minsheng.worktime.moments import SHANGHAI, day_of, end_of, midnight
from minsheng.worktime.rules import (
    Calendar,
    Derivation,
    Limit,
    derive,
    light,
    light_moments,
    recompute,
    with_cap,
    with_extension,
    with_pause,
)


def _shipped() -> Calendar:
    notices, days = reference._listed()
    return Calendar(
        days={day.date: day.working for day in days},
        years=frozenset(notices),
        names={day.date: day.name for day in days},
    )


SHIPPED = _shipped()
NOTICE_2027 = Calendar(
    days={**SHIPPED.days, date(2027, 1, 1): False, date(2027, 1, 2): False, date(2027, 1, 3): False},
    years=SHIPPED.years | {2027},
    names={**SHIPPED.names, date(2027, 1, 1): "元旦", date(2027, 1, 2): "元旦", date(2027, 1, 3): "元旦"},
)


def at(text: str) -> datetime:
    """A moment on Shanghai's clock."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def days(amount: int) -> Limit:
    return Limit(amount)


def hours(amount: int) -> Limit:
    return Limit(amount, LimitUnit.HOURS)


def due(start: datetime, limit: Limit, calendar: Calendar = SHIPPED) -> datetime:
    return derive(start, limit=limit, calendar=calendar).due_at


# --- the table ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "limit", "last_day"),
    [
        pytest.param("2026-11-24T23:52", days(3), "2026-11-27", id="scenario 1: night noise"),
        pytest.param("2026-02-13T16:50", days(3), "2026-02-25", id="scenario 2: before Spring Festival"),
        pytest.param("2026-09-30T15:00", days(1), "2026-10-08", id="scenario 3: before National Day"),
        pytest.param("2025-01-24T09:00", days(3), "2025-02-05", id="scenario 4: make-up Sunday"),
        pytest.param("2026-12-30T09:00", days(3), "2027-01-04", id="scenario 5: a year without a calendar"),
        pytest.param("2026-11-21T07:30", days(1), "2026-11-23", id="Saturday 07:30, still Friday in UTC"),
        pytest.param("2026-11-25T00:00", days(1), "2026-11-26", id="the day's first moment"),
        pytest.param("2026-11-25T23:59:59", days(1), "2026-11-26", id="the day's last second"),
        pytest.param("2026-11-27T23:59:59", days(1), "2026-11-30", id="Friday's last second"),
        pytest.param("2026-11-28T00:00", days(1), "2026-11-30", id="Saturday's first moment"),
        pytest.param("2026-02-14T10:00", days(1), "2026-02-24", id="accepted on a make-up Saturday"),
        pytest.param("2026-10-09T10:00", days(1), "2026-10-10", id="due on a make-up Saturday"),
        pytest.param("2026-12-30T10:00", days(1), "2026-12-31", id="the year's last day"),
        pytest.param("2025-12-31T10:00", days(1), "2026-01-04", id="New Year with a make-up Sunday"),
        pytest.param("2025-09-30T10:00", days(2), "2025-10-10", id="National Day of eight days"),
    ],
)
def test_working_days_end_at_midnight_of_the_last(start: str, limit: Limit, last_day: str) -> None:
    derivation = derive(at(start), limit=limit, calendar=SHIPPED)
    assert derivation.last_day == date.fromisoformat(last_day)
    assert derivation.due_at == end_of(date.fromisoformat(last_day))


def test_scenario_1_first_measures_run_by_the_hour() -> None:
    assert due(at("2026-11-24T23:52"), hours(24)) == at("2026-11-25T23:52")


def test_hours_run_through_weekends_and_midnight() -> None:
    derivation = derive(at("2026-11-27T23:00"), limit=hours(1), calendar=SHIPPED)
    assert derivation.due_at == at("2026-11-28T00:00")
    assert derivation.last_day == date(2026, 11, 27)
    assert derivation.sentence() == "11月27日（周五）24:00 前 · 1 小时，自 11月27日 23:00 批转起算"


def test_the_day_is_shanghais_whatever_the_zone() -> None:
    utc = datetime(2026, 11, 25, 16, 30, tzinfo=UTC)  # 26 November 00:30 in Shanghai
    assert due(utc, days(1)) == end_of(date(2026, 11, 27))
    assert due(utc, days(1)) == due(at("2026-11-26T00:30"), days(1))


def test_a_naive_moment_has_no_day() -> None:
    with pytest.raises(ValueError, match="naive"):
        derive(datetime(2026, 11, 25, 9), limit=days(1), calendar=SHIPPED)


def test_a_limit_is_at_least_one() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Limit(0)


def test_a_calendar_without_working_days_is_an_error_not_an_endless_loop() -> None:
    idle = Calendar({date(2026, 1, 1) + timedelta(n): False for n in range(1500)}, frozenset({2026}))
    with pytest.raises(ValueError, match="no working day"):
        derive(at("2026-01-01T09:00"), limit=days(1), calendar=idle)


# --- the citizen's clock --------------------------------------------------------------------------


def test_the_citizens_clock_adds_dispatch_and_handling() -> None:
    derivation = derive(
        at("2026-11-25T09:00"), limit=days(3), lead_in=days(1), calendar=SHIPPED, name="求助", event="受理"
    )
    assert derivation.due_at == due(at("2026-11-25T09:00"), days(4))
    assert derivation.first_day == date(2026, 11, 26)
    assert "求助 3 个工作日，加批转 1 个工作日，自 11月25日 受理次日起算" in derivation.sentence()


@pytest.mark.parametrize(
    ("start", "last_day"),
    [("2026-11-25T20:00", "2026-11-30"), ("2026-11-25T22:00", "2026-11-30"), ("2026-11-25T22:00:01", "2026-12-01")],
)
def test_days_after_hours_count_from_the_day_after_the_hours_end(start: str, last_day: str) -> None:
    derivation = derive(at(start), limit=days(3), lead_in=hours(2), calendar=SHIPPED, event="受理")
    assert derivation.last_day == date.fromisoformat(last_day)


def test_hours_after_days() -> None:
    assert derive(at("2026-11-25T20:00"), limit=hours(2), lead_in=days(1), calendar=SHIPPED).due_at == at(
        "2026-11-27T02:00"
    )


# --- pauses and extensions ------------------------------------------------------------------------


def test_a_pause_adds_the_working_days_after_it_began_through_its_end() -> None:
    task = derive(at("2026-11-25T09:00"), limit=days(3), calendar=SHIPPED)  # → 30 November
    paused = with_pause(task, at("2026-11-27T10:00"), at("2026-12-01T09:00"), SHIPPED)  # 30 Nov, 1 Dec
    assert paused.last_day == date(2026, 12, 2)
    assert paused.pauses[0].days == 2
    assert "11月27日至12月1日挂起，顺延 2 个工作日" in paused.sentence()


def test_a_pause_within_a_day_or_over_a_weekend_adds_nothing() -> None:
    task = derive(at("2026-11-25T09:00"), limit=days(3), calendar=SHIPPED)
    assert with_pause(task, at("2026-11-26T09:00"), at("2026-11-26T18:00"), SHIPPED).due_at == task.due_at
    assert with_pause(task, at("2026-11-27T09:00"), at("2026-11-29T18:00"), SHIPPED).due_at == task.due_at


def test_a_pause_moves_hours_by_the_time_that_passed() -> None:
    task = derive(at("2026-11-25T09:00"), limit=hours(24), calendar=SHIPPED)
    assert with_pause(task, at("2026-11-25T10:00"), at("2026-11-25T13:30"), SHIPPED).due_at == at("2026-11-26T12:30")


@pytest.mark.parametrize(
    ("began", "ended"),
    [
        pytest.param("2026-11-25T08:00", "2026-11-26T08:00", id="before the start"),
        pytest.param("2026-11-27T08:00", "2026-11-26T08:00", id="ends before it begins"),
        pytest.param("2026-12-01T00:00", "2026-12-02T08:00", id="begins when the deadline has passed"),
    ],
)
def test_a_pause_out_of_order_is_an_error(began: str, ended: str) -> None:
    task = derive(at("2026-11-25T09:00"), limit=days(3), calendar=SHIPPED)
    with pytest.raises(ValueError, match="pause"):
        with_pause(task, at(began), at(ended), SHIPPED)


def test_an_extension_moves_to_its_date_and_only_later() -> None:
    task = derive(at("2026-11-25T09:00"), limit=days(3), calendar=SHIPPED)
    extended = with_extension(task, date(2026, 12, 15), granted_at=at("2026-11-27T10:00"))
    assert extended.due_at == end_of(date(2026, 12, 15))
    assert extended.extensions[0].from_due == task.due_at
    assert "经批准延期，原至 11月30日 24:00" in extended.sentence()
    with pytest.raises(ValueError, match="later"):
        with_extension(extended, date(2026, 12, 15), granted_at=at("2026-11-28T10:00"))


def test_a_cap_cuts_to_the_deadline_above_and_never_lengthens() -> None:
    task = derive(at("2026-11-25T09:00"), limit=days(3), calendar=SHIPPED)  # → 30 November
    capped = with_cap(task, end_of(date(2026, 11, 28)))
    assert (capped.due_at, capped.last_day) == (end_of(date(2026, 11, 28)), date(2026, 11, 28))
    assert capped.sentence() == (
        "11月28日（周六）24:00 前 · 3 个工作日，自 11月25日 批转次日起算，跳过周六，不晚于上级时限，原至 11月30日 24:00"
    )
    assert with_cap(task, task.due_at) is task
    assert recompute(capped, SHIPPED, at=at("2026-11-26T09:00")) == capped


# --- provisional ----------------------------------------------------------------------------------


def test_scenario_5_provisional_then_recomputed_and_says_so() -> None:
    task = derive(at("2026-12-30T09:00"), limit=days(3), calendar=SHIPPED, name="求助")
    assert task.provisional == (2027,)
    assert task.sentence() == (
        "2027年1月4日（周一）24:00 前（暂定） · 求助 3 个工作日，自 12月30日 批转次日起算，"
        "跳过周六、周日，2027 年放假安排未公布，按周末暂定"
    )
    known = recompute(task, NOTICE_2027, at=at("2026-12-31T08:00"))
    assert known.due_at == end_of(date(2027, 1, 5))
    assert not known.is_provisional
    assert known.sentence() == (
        "2027年1月5日（周二）24:00 前 · 求助 3 个工作日，自 12月30日 批转次日起算，跳过 2027年1月1日至3日元旦，"
        "2027 年放假安排公布后重算，原至 2027年1月4日 24:00"
    )
    assert recompute(known, NOTICE_2027, at=at("2026-12-31T09:00")) == known


def test_a_deadline_within_the_year_is_not_provisional() -> None:
    assert not derive(at("2026-12-28T09:00"), limit=days(3), calendar=SHIPPED).is_provisional


def test_a_notice_that_changes_nothing_is_noted_too() -> None:
    task = derive(at("2026-12-30T09:00"), limit=days(3), calendar=SHIPPED)
    plain = Calendar(SHIPPED.days, SHIPPED.years | {2027}, SHIPPED.names)
    known = recompute(task, plain, at=at("2026-12-31T08:00"))
    assert known.due_at == task.due_at
    assert "2027 年放假安排公布后核定不变" in known.sentence()


def test_a_deadline_that_has_passed_is_never_moved() -> None:
    task = derive(at("2026-12-30T09:00"), limit=days(3), calendar=SHIPPED)
    assert recompute(task, NOTICE_2027, at=task.due_at) is task
    assert recompute(task, NOTICE_2027, at=task.due_at + timedelta(days=9)) is task


def test_no_deadline_is_moved_into_the_past() -> None:
    task = derive(at("2026-11-27T09:00"), limit=days(1), calendar=SHIPPED)  # → Monday 30 November
    saturday_works = Calendar({**SHIPPED.days, date(2026, 11, 28): True}, SHIPPED.years)
    assert recompute(task, saturday_works, at=at("2026-11-27T10:00")).last_day == date(2026, 11, 28)
    assert recompute(task, saturday_works, at=at("2026-11-29T10:00")).due_at == task.due_at


def test_pauses_and_extensions_are_applied_again() -> None:
    task = derive(at("2026-12-30T09:00"), limit=days(3), calendar=SHIPPED)
    task = with_pause(task, at("2026-12-31T09:00"), at("2027-01-04T09:00"), SHIPPED)  # 1 and 4 January
    assert task.last_day == date(2027, 1, 6)
    known = recompute(task, NOTICE_2027, at=at("2027-01-04T10:00"))  # from the 5th, by the 4th alone
    assert known.last_day == date(2027, 1, 6)
    assert known.pauses[0].days == 1
    extended = with_extension(task, date(2027, 1, 20), granted_at=at("2027-01-04T11:00"))
    assert not extended.is_provisional
    assert recompute(extended, NOTICE_2027, at=at("2027-01-05T10:00")).last_day == date(2027, 1, 20)


# --- sentences ------------------------------------------------------------------------------------


def test_the_sentence_of_the_screens() -> None:
    task = derive(at("2026-11-25T14:05"), limit=days(3), calendar=SHIPPED, name="求助")
    assert task.sentence() == "11月30日（周一）24:00 前 · 求助 3 个工作日，自 11月25日 批转次日起算，跳过周六、周日"


def test_scenario_2_says_so_in_a_sentence() -> None:
    task = derive(at("2026-02-13T16:50"), limit=days(3), calendar=SHIPPED, name="求助")
    assert task.sentence() == (
        "2月25日（周三）24:00 前 · 求助 3 个工作日，自 2月13日 批转次日起算，"
        "跳过 2月15日至23日春节，2月14日（周六）调休上班计入"
    )


def test_several_weekends_are_counted_not_named() -> None:
    task = derive(at("2026-09-21T10:00"), limit=days(10), calendar=SHIPPED, name="投诉")
    assert task.sentence() == (
        "10月12日（周一）24:00 前 · 投诉 10 个工作日，自 9月21日 批转次日起算，"
        "跳过周日、9月25日至27日中秋节、10月1日至7日国庆节，10月10日（周六）调休上班计入"
    )
    assert "跳过周末 4 天，" in derive(at("2026-11-02T10:00"), limit=days(12), calendar=SHIPPED).sentence() + "，"


# --- lights ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-25T10:00", Light.NONE),
        ("2026-11-28T23:59:59", Light.NONE),
        ("2026-11-29T00:00", Light.YELLOW),
        ("2026-11-29T22:59:59", Light.YELLOW),
        ("2026-11-29T23:00", Light.ORANGE),
        ("2026-11-29T23:59:59", Light.ORANGE),
        ("2026-11-30T00:00", Light.RED),
    ],
)
def test_lights_over_four_days(now: str, expected: Light) -> None:
    assert light(at(now), at("2026-11-26T00:00"), at("2026-11-30T00:00")) == expected


def test_short_limits_are_orange_in_their_last_hour_and_never_before_their_start() -> None:
    start = at("2026-11-26T10:00")
    assert light_moments(start, start + timedelta(hours=2)) == (at("2026-11-26T11:00"), at("2026-11-26T11:00"))
    assert light_moments(start, start + timedelta(minutes=30)) == (start, start)


def test_lights_have_colour_and_shape() -> None:
    assert [(item.shape, item.label) for item in Light] == [
        ("○", "时限充裕"), ("●", "临近时限"), ("◆", "即将到期"), ("▲", "已逾期"),
    ]  # fmt: skip
    assert [item.colour for item in Light] == ["secondary", "yellow", "orange", "red"]
    assert light(at("2026-11-26T10:00"), at("2026-11-26T09:00"), None) == Light.NONE


# --- for every deadline ---------------------------------------------------------------------------

moments = st.datetimes(datetime(2024, 6, 1), datetime(2027, 6, 1)).map(lambda moment: moment.replace(tzinfo=UTC))
amounts = st.integers(1, 60)
limits = st.builds(Limit, amounts, st.sampled_from(LimitUnit))
spans = st.timedeltas(timedelta(0), timedelta(days=40))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """The shipped calendar with some days turned round and some years known."""
    turned = draw(st.dictionaries(st.dates(date(2024, 6, 1), date(2027, 12, 31)), st.booleans(), max_size=40))
    return Calendar({**SHIPPED.days, **turned}, draw(st.frozensets(st.integers(2024, 2028))), SHIPPED.names)


@st.composite
def derivations(draw: st.DrawFn) -> tuple[Derivation, Calendar]:
    """A deadline with any lead-in, pause and extension."""
    calendar = draw(calendars())
    made = derive(
        draw(moments), limit=draw(limits), lead_in=draw(st.none() | limits), calendar=calendar, name="求助", version=3
    )
    if draw(st.booleans()):
        began = made.start + (made.due_at - made.start) * draw(st.floats(0, 0.99))
        made = with_pause(made, began, began + draw(spans), calendar)
    if draw(st.booleans()):
        made = with_extension(made, day_of(made.due_at) + draw(spans), granted_at=made.start)
    if draw(st.booleans()):
        made = with_cap(made, made.start + (made.due_at - made.start) * draw(st.floats(0.01, 1.5)))
    return made, calendar


@given(moments, amounts, calendars())
def test_counts_exactly_the_limits_working_days_after_the_start(start: datetime, n: int, calendar: Calendar) -> None:
    derivation = derive(start, limit=days(n), calendar=calendar)
    assert calendar.is_working(derivation.last_day)
    assert derivation.due_at == midnight(derivation.last_day + timedelta(days=1))
    assert calendar.count(day_of(start), derivation.last_day) == n
    assert derivation.first_day == calendar.add(day_of(start), 1)
    skipped = {day for skip in derivation.skipped for day in skip.days}
    passed = (derivation.last_day - day_of(start)).days
    assert len(skipped) == sum(skip.length for skip in derivation.skipped) == passed - n
    assert not any(calendar.is_working(day) for day in skipped)


@given(moments, limits, calendars())
def test_is_never_due_before_its_start_and_grows_with_its_limit(start: datetime, limit: Limit, cal: Calendar) -> None:
    assert due(start, limit, cal) > start
    assert due(start, Limit(limit.amount + 1, limit.unit), cal) > due(start, limit, cal)


@given(moments, spans, limits, calendars())
def test_a_later_start_is_never_due_earlier(start: datetime, later: timedelta, limit: Limit, cal: Calendar) -> None:
    assert due(start + later, limit, cal) >= due(start, limit, cal)


@given(moments, amounts, calendars(), st.floats(0, 0.99), spans, spans)
def test_two_pauses_in_a_row_are_one(
    start: datetime, n: int, cal: Calendar, share: float, first: timedelta, second: timedelta
) -> None:
    task = derive(start, limit=days(n), calendar=cal)
    began = task.start + (task.due_at - task.start) * share
    middle, ended = began + first, began + first + second
    whole = with_pause(task, began, ended, cal)
    once = with_pause(task, began, middle, cal)
    if middle < once.due_at:
        assert with_pause(once, middle, ended, cal).due_at == whole.due_at
    assert cal.count(task.last_day, whole.last_day) == cal.count(day_of(began), day_of(ended))


@given(derivations())
def test_survives_json_and_says_something(made: tuple[Derivation, Calendar]) -> None:
    derivation, _ = made
    again = Derivation.from_json(json.loads(json.dumps(derivation.to_json())))
    assert again == derivation
    assert again.sentence() == derivation.sentence()
    assert ("暂定" in derivation.sentence()) == derivation.is_provisional


@given(derivations(), calendars(), st.floats(0, 1.5))
def test_recompute_is_stable_and_moves_only_what_is_open(
    made: tuple[Derivation, Calendar], changed: Calendar, share: float
) -> None:
    derivation, calendar = made
    moment = derivation.start + (derivation.due_at - derivation.start) * share
    assert recompute(derivation, calendar, at=moment) == derivation
    fresh = recompute(derivation, changed, at=moment)
    assert (fresh == derivation) if derivation.due_at <= moment else (fresh.due_at > moment)
    assert recompute(fresh, changed, at=moment).due_at == fresh.due_at


@given(moments, spans, st.lists(st.floats(-0.5, 1.5), min_size=2, max_size=6))
def test_lights_only_ever_get_more_pressing(start: datetime, span: timedelta, shares: list[float]) -> None:
    order = list(Light)
    seen = [order.index(light(start + span * share, start, start + span)) for share in sorted(shares)]
    assert seen == sorted(seen)
    yellow, orange = light_moments(start, start + span)
    assert start <= yellow <= orange <= start + span
