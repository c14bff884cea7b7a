"""Filters: each against an expectation written by hand, on cases and on tasks; and no address that can break them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st

from minsheng.cases import actions, clocks, filters, mapping, presenting, queries
from minsheng.cases.choices import CaseState, RequestKind
from minsheng.cases.desk_queries import audit_tallies, audit_waiting, for_rows, marked
from minsheng.cases.filters import Days, preset_days, read
from minsheng.cases.lights import LEVELS, case_reached, level, task_reached
from minsheng.cases.models import Ask, Case, Task
from minsheng.cases.tests.test_asking import ask_extension, ask_pause, ask_return, decide
from minsheng.cases.tests.world import World, moment, press_anew
from minsheng.cases.views.audits import _ask_row as ask_row
from minsheng.cases.views.unit_rows import task_row
from minsheng.ui.rows import Row
from minsheng.worktime import queries as worktime

pytestmark = pytest.mark.django_db


def found(query: str, at: datetime) -> set[int]:
    return set(Case.objects.filter(read(QueryDict(query), at=at).on_cases()).values_list("pk", flat=True))


@pytest.fixture
def three(world: World) -> dict[str, Case]:
    """A complaint of noise in 建新镇 with its unit, a question about a road in 鼓楼区 waiting, and an answered one by web."""
    noise = world.handling()
    road = world.accepted(kind=RequestKind.CONSULTATION, topic=world.topics["道路塌陷"], place=world.places["鼓楼区"])
    web = world.submitted(kind=RequestKind.HELP)
    Case.objects.filter(pk=web.pk).update(channel="web", urgency="critical", urgency_rank=0, received_at=moment("2026-11-01 00:00"))
    return {"noise": noise, "road": road, "web": web}


EXPECTED = [
    ("", {"noise", "road", "web"}),
    ("state=in_handling", {"noise"}),
    ("state=to_dispatch&state=to_accept", {"road", "web"}),
    ("kind=consultation", {"road"}),
    ("kind=complaint&kind=help", {"noise", "web"}),
    ("channel=web", {"web"}),
    ("urgency=critical", {"web"}),
    ("received_from=2026-11-02", {"noise", "road"}),
    ("received_to=2026-11-01", {"web"}),
    ("received_from=2026-11-01&received_to=2026-11-01", {"web"}),
    ("received_to=2026-10-31", set()),
    ("received=today", {"noise", "road"}),
    ("received=month", {"noise", "road", "web"}),
    ("received=last_month", set()),
    ("kind=complaint&state=closed", set()),
]


@pytest.mark.parametrize(("query", "expected"), EXPECTED, ids=[query or "none" for query, _ in EXPECTED])
def test_each_filter_finds_what_it_says(world: World, three: dict[str, Case], query: str, expected: set[str]) -> None:
    assert found(query, world.now) == {three[name].pk for name in expected}


def test_a_part_of_a_tree_means_everything_below_it(world: World, three: dict[str, Case]) -> None:
    town, county = world.places["建新镇"], world.places["建新镇"].parent
    assert county is not None
    assert found(f"place={town.pk}", world.now) == {three["noise"].pk, three["web"].pk}
    assert found(f"place={county.pk}", world.now) == {three["noise"].pk, three["web"].pk}
    assert found(f"place={world.places['鼓楼区'].pk}", world.now) == {three["road"].pk}
    topic = world.topics["道路塌陷"]
    assert found(f"topic={topic.pk}", world.now) == {three["road"].pk}
    assert found(f"topic={topic.parent_id}", world.now) == {case.pk for case in three.values()}
    lead = world.units["仓山城管"]
    for unit in (lead.pk, lead.parent_id):
        assert found(f"unit={unit}", world.now) == {three["noise"].pk}
    assert found(f"unit={world.units['鼓楼城管'].pk}", world.now) == set()


def test_a_unit_that_gave_the_case_back_is_not_its_unit(world: World, three: dict[str, Case]) -> None:
    Task.objects.filter(case=three["noise"]).update(state="returned")
    assert found(f"unit={world.units['仓山城管'].pk}", world.now) == set()



def test_lights_of_cases_are_those_that_rows_show(world: World) -> None:
    """Every state with every clock of case, tasks and asks, round each edge: filter, tally, rail, map and row agree, and pages turn
    to the same by themselves."""
    world.replied()
    world.submitted()
    world.dispatched("生态环境", urgency="urgent")
    world.handling(urgency="critical")
    ask_return(world, world.lead(world.handling("生态环境")))
    paused = world.lead(world.handling())
    decide(world, ask_pause(world, paused), grant=True)
    world.accepted()
    bare, closed = world.accepted(), world.audited()
    Case.objects.filter(pk=closed.pk).update(state="closed", ending="handled", closed_at=world.now, stage_due_at=None)
    Case.objects.filter(pk=bare.pk).update(citizen_due_at=None, stage_due_at=None)
    press_anew(closed), press_anew(bare)
    Case.objects.update(longitude="119.29", latitude="26.05")
    calendar, user, cases = worktime.calendar(), world["dispatcher"], list(Case.objects.all())
    edges = {*_edges(cases, "stage_", "citizen_"), *_edges(Task.objects.all(), *CLOCKS), *_edges(Ask.objects.all(), "")}
    before = {case.pk: presenting.case_row(case, user=user, url="", at=world.now, calendar=calendar) for case in cases}
    seen = set()
    for at in sorted(edge for edge in edges if edge >= world.now):
        lit = {light: found(f"light={light}", at) for light in LIGHTS}
        levels = dict(Case.objects.annotate(n=level(case_reached(at))).values_list("pk", "n"))
        drawn = {number: light for _, _, light, number in mapping.points(user, read(QueryDict(), at=at))}
        for case in cases:
            shown = presenting.case_row(case, user=user, url="", at=at, calendar=calendar).light
            assert [light for light, keys in lit.items() if case.pk in keys] == [shown], (case.state, at)
            assert LEVELS[levels[case.pk]].value == LEVELS[drawn[case.number]].value == shown == _turned(before[case.pk], at)
            seen.add((case.state, shown))
        for state in (CaseState.IN_HANDLING, CaseState.TO_AUDIT):
            rows = [levels[case.pk] for case in cases if case.state == state]
            assert queries.waiting(user, at, state) == (len(rows), LEVELS[max(rows, default=0)].value)
    assert {light for state, light in seen if state == CaseState.IN_HANDLING} == set(LIGHTS)
    assert {light for state, light in seen if state == CaseState.CLOSED} == {"none"}


LIGHTS = ("red", "orange", "yellow", "none")
CLOCKS = ("", "read_", "first_measures_")


def _edges(rows: Iterable[Case | Task | Ask], *clocks: str) -> list[datetime]:
    """Every moment at which a light of these may turn, and the one before it."""
    found = {getattr(row, f"{clock}{edge}_at") for row in rows for clock in clocks for edge in ("yellow", "orange", "due")}
    return sorted(at for edge in found if edge for at in (edge - timedelta(seconds=1), edge))


def _turned(row: Row, at: datetime) -> str:
    """The light that a page drawn before would show at this moment, turning by itself (ui/live.js)."""
    shown = str(row.light)
    for moment_and_light in row.turns.split():
        when, light = moment_and_light.split(":")
        shown = light if int(when) <= at.timestamp() else shown
    return shown


def test_lights_of_tasks_are_those_that_rows_show(world: World) -> None:
    """All clocks of a task in all its states: filter, tally and row agree at each edge, and pages turn to the same by themselves."""
    world.dispatched()
    world.dispatched(urgency="urgent")
    world.handling()
    world.handling(urgency="critical")
    measured = world.handling(urgency="urgent")
    actions.take_first_measures(actor=world["城管联络"], at=world.later(minutes=5), task=world.lead(measured), text="已派人")
    returning = world.handling(urgency="urgent")
    ask_return(world, world.lead(returning))
    paused, answered = world.handling(urgency="urgent"), world.replied(urgency="urgent")
    Task.objects.filter(case=paused).update(state="paused")
    crossed = world.lead(world.handling(urgency="urgent"))  # of its clocks one ends first, the other turns yellow first
    ends = crossed.due_at - timedelta(hours=2)
    Task.objects.filter(pk=crossed.pk).update(
        first_measures_due_at=ends, first_measures_orange_at=ends - timedelta(hours=1), first_measures_yellow_at=ends - timedelta(hours=1)
    )
    tasks = list(for_rows(marked(Task.objects.all())))
    assert {task.state for task in tasks} == {"to_read", "handling", "return_requested", "paused", "replied"}
    calendar, user, seen = worktime.calendar(), world["城管联络"], set()
    before = {task.pk: task_row(task, user=user, url="", at=world.now, calendar=calendar) for task in tasks}
    for at in _edges(tasks, *CLOCKS):
        if at < world.now:
            continue
        lit = {light: set(Task.objects.filter(read(QueryDict(f"light={light}"), at=at).on_tasks()).values_list("pk", flat=True)) for light in LIGHTS}
        levels = dict(Task.objects.annotate(n=level(task_reached(at))).values_list("pk", "n"))
        for task in tasks:
            shown = task_row(task, user=user, url="", at=at, calendar=calendar).light
            assert [light for light, keys in lit.items() if task.pk in keys] == [shown], (task.state, at)
            assert LEVELS[levels[task.pk]].value == shown == _turned(before[task.pk], at), (task.state, at)
            seen.add((task.state, shown))
    assert {light for state, light in seen if state in ("paused", "replied")} == {"none"}
    assert {light for state, light in seen if state == "return_requested"} == set(LIGHTS), "it is asked back, and its clock runs"
    assert {light for state, light in seen if state == "to_read"} == set(LIGHTS)
    assert answered.pk in {task.case_id for task in tasks}


def test_lights_of_asks_are_those_of_the_centres_answer(world: World) -> None:
    """On the desk 审核 a row, its filter, its tally and the rail show how late the answer is, whatever the unit's own limit."""
    ask_return(world, world.lead(world.handling()))
    ask_pause(world, world.lead(world.handling()))
    ask_extension(world, world.lead(world.handling(kind=RequestKind.SUGGESTION)), date(2026, 12, 3))
    refused = ask_pause(world, world.lead(world.handling()))
    decide(world, refused, grant=False)
    auditor, calendar, seen = world["auditor"], worktime.calendar(), set()
    asks = list(Ask.objects.select_related("task__unit", "task__case__topic", "task__case__place__parent"))
    waiting = [ask for ask in asks if ask != refused]
    assert all(clocks.of(ask.derivation).due_at == ask.due_at for ask in asks)  # type: ignore[union-attr]
    drawn = {ask.pk: ask_row(ask, auditor, "", world.now, calendar) for ask in waiting}
    for at in _edges(waiting, ""):
        lit = {light: set(Ask.objects.filter(read(QueryDict(f"light={light}"), at=at).on_asks()).values_list("pk", flat=True)) for light in LIGHTS}
        tallies, rows = audit_tallies(auditor, at), {}
        for ask in waiting:
            rows[ask.pk] = shown = ask_row(ask, auditor, "", at, calendar).light
            assert [light for light, keys in lit.items() if ask.pk in keys] == [shown] == [_turned(drawn[ask.pk], at)]
            assert tallies[ask.kind].light.value == shown
            seen.add(shown)
        worst = max(rows.values(), key=[light.value for light in LEVELS].index)
        assert audit_waiting(auditor, at) == (3, worst)
        assert refused.pk in lit["none"]
    assert seen == set(LIGHTS)


def test_asks_are_filtered_by_the_day_their_answer_is_due(world: World) -> None:
    ask = ask_return(world, world.lead(world.handling()))  # asked on Tuesday: answered by Wednesday 24:00
    for query, expected in (("due_from=2026-11-25&due_to=2026-11-25", True), ("due_from=2026-11-26", False), ("due_to=2026-11-24", False)):
        assert Ask.objects.filter(read(QueryDict(query), at=world.now).on_asks(), pk=ask.pk).exists() is expected
    unit = f"unit={world.units['仓山城管'].pk}"
    assert Ask.objects.filter(read(QueryDict(unit), at=world.now).on_asks()).get() == ask


def test_due_days_end_at_midnight(world: World) -> None:
    """A deadline at 24:00 of the 27th is stored as 00:00 of the 28th, and belongs to the 27th."""
    case = world.handling()
    Task.objects.filter(case=case).update(due_at=moment("2026-11-28 00:00"))
    press_anew(case)  # of what runs for it, this ends first
    for query, expected in (("due_from=2026-11-27&due_to=2026-11-27", True), ("due_from=2026-11-28", False), ("due_to=2026-11-26", False)):
        assert (case.pk in found(query, world.now)) is expected
        tasks = Task.objects.filter(read(QueryDict(query), at=world.now).on_tasks())
        assert tasks.filter(case=case).exists() is expected
    assert case.pk not in found("due=overdue", moment("2026-11-27 23:59"))
    assert case.pk in found("due=overdue", moment("2026-11-28 00:00"))


NOW = moment("2026-11-24 09:00")  # a Tuesday
PRESETS = {
    "today": (date(2026, 11, 24), date(2026, 11, 24)),
    "yesterday": (date(2026, 11, 23), date(2026, 11, 23)),
    "tomorrow": (date(2026, 11, 25), date(2026, 11, 25)),
    "week": (date(2026, 11, 23), date(2026, 11, 29)),
    "next_week": (date(2026, 11, 30), date(2026, 12, 6)),
    "7d": (date(2026, 11, 18), date(2026, 11, 24)),
    "30d": (date(2026, 10, 26), date(2026, 11, 24)),
    "month": (date(2026, 11, 1), date(2026, 11, 24)),
    "last_month": (date(2026, 10, 1), date(2026, 10, 31)),
    "overdue": (None, date(2026, 11, 24)),
}


@pytest.mark.parametrize("preset", [*PRESETS])
def test_presets_are_days_in_shanghai(preset: str) -> None:
    assert preset_days(preset, NOW) == Days(*PRESETS[preset], preset)
    assert preset_days(preset, datetime(2026, 11, 23, 16, 0, tzinfo=UTC)) == Days(*PRESETS[preset], preset)


def test_every_preset_offered_is_known() -> None:
    assert {preset for each in filters.PRESETS.values() for preset in each} == set(PRESETS)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("state=nonsense", "状态"),
        ("state=draft", "状态"),
        ("kind=complaint&kind=x", "类型"),
        ("topic=999999999", "主题"),
        ("place=abc", "地点"),
        ("unit=%00", "单位"),
        ("unit=" + "9" * 30, "单位"),
        ("received=someday", "收件日期"),
        ("received_from=2026-02-30", "收件日期"),
        ("received_from=2026-11-03&received_to=2026-11-01", "收件日期"),
        ("due_to=99999-01-01", "到期日期"),
        ("due_from=0001-01-01", "到期日期"),
    ],
)
def test_what_means_nothing_is_said_and_left_out(query: str, named: str) -> None:
    filters_read = read(QueryDict(query), at=NOW)
    assert len(filters_read.problems) == 1 and named in filters_read.problems[0]
    list(Case.objects.filter(filters_read.on_cases()))
    assert ("kind", "complaint") in filters_read.params() or not filters_read.params()


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from([n for name in filters.ALL for n in filters.names_of(name)]), st.text(max_size=12), max_size=6))
def test_no_address_breaks_a_list(params: dict[str, str]) -> None:
    data = QueryDict(mutable=True)
    data.update(params)
    asked = read(data, at=NOW)
    list(Case.objects.filter(asked.on_cases())[:1])
    list(Task.objects.filter(asked.on_tasks())[:1])
    list(Ask.objects.filter(asked.on_asks())[:1])


def test_an_address_read_again_means_the_same(world: World) -> None:
    query = (
        f"state=to_accept&state=closed&kind=help&light=red&topic={world.topics['道路塌陷'].pk}&place={world.places['建新镇'].pk}"
        "&received=7d&due_from=2026-11-01"
    )
    first = read(QueryDict(query), at=NOW)
    data = QueryDict(mutable=True)
    for name, value in first.params():
        data.appendlist(name, value)
    assert read(data, at=NOW) == first
    assert first.problems == () and len(first.chips()) == 8


def test_taking_a_chip_away_leaves_the_others() -> None:
    asked = read(QueryDict("kind=help&kind=complaint&received=7d"), at=NOW)
    rests = {f"{chip.label} {chip.text}": chip.rest for chip in asked.chips([("tab", "new")])}
    assert rests == {
        "类型 求助": "tab=new&kind=complaint&received=7d",
        "类型 投诉": "tab=new&kind=help&received=7d",
        "收件 近 7 天": "tab=new&kind=help&kind=complaint",
    }


def test_states_offered_are_all_but_the_draft() -> None:
    assert {value for value, _ in filters.CHOICES["state"][1]} == set(CaseState) - {CaseState.DRAFT}
