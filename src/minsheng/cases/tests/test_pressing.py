"""What presses on a case is kept by every write, and the centre's rows show it: also what one of its units has missed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from minsheng.accounts.testing import sign_in
from minsheng.cases import actions, desk_queries, presenting, pressing, queries
from minsheng.cases.choices import RequestKind
from minsheng.cases.models import Ask, Case
from minsheng.cases.tests.test_asking import ask_extension, ask_pause, ask_return, decide
from minsheng.cases.tests.world import World, fresh
from minsheng.dispatching import actions as dispatching
from minsheng.followup import actions as followup
from minsheng.ui.rows import Row
from minsheng.worktime import queries as worktime

pytestmark = pytest.mark.django_db
COLUMNS = ("pressing_due_at", "pressing_yellow_at", "pressing_orange_at", "task_clocks")


def row_of(world: World, case: Case, at: Any = None) -> Row:
    return presenting.case_row(fresh(case), user=world["auditor"], url="", at=at or world.now, calendar=worktime.calendar())


def told_anew(case: Case) -> dict[str, Any]:
    """The same columns, from nothing but the rows of the case as the database has them."""
    case = fresh(case)
    pressing.keep(case, case.tasks.select_related("unit").order_by("id"), Ask.objects.filter(task__case=case).select_related("task__unit"))
    return {name: getattr(case, name) for name in COLUMNS}


def kept(case: Case) -> dict[str, Any]:
    return {name: getattr(fresh(case), name) for name in COLUMNS}


def names(case: Case) -> list[str]:
    return [clock.name for clock in pressing.running(fresh(case))]


def test_every_write_keeps_what_presses(world: World) -> None:
    """One long life with every kind of step that starts, stops or moves a clock; after each the case says what its rows say."""
    w, lead, assist = world, world["城管联络"], world["环境联络"]

    def later(**delta: float) -> dict[str, Any]:
        return {"at": w.later(**delta or {"minutes": 20})}

    case = w.submitted(urgency="urgent")
    steps: list[tuple[Callable[[], Any], list[str]]] = [
        (lambda: actions.accept_case(actor=w["agent"], case=case, **later()), ["批转", "答复"]),
        (lambda: dispatching.send_to_study(actor=w["dispatcher"], case=case, reason="职责不清", **later()), ["批转", "答复"]),
        (lambda: dispatching.conclude_study(actor=w["dispatcher"], case=case, conclusion="由城管承办", **later()), ["批转", "答复"]),
        (lambda: dispatching.dispatch_case(actor=w["dispatcher"], case=case, lead=w.units["仓山城管"], **later()), ["答复", "查阅", "先行处置", "办理"]),
        (lambda: dispatching.add_assisting(actor=w["dispatcher"], case=case, units=[w.units["生态环境"]], **later()), ["答复", "查阅", "先行处置", "办理", "查阅", "办理"]),
        (lambda: actions.read_task(actor=lead, task=w.lead(case), **later()), ["答复", "先行处置", "办理", "查阅", "办理"]),
        (lambda: actions.take_first_measures(actor=lead, task=w.lead(case), text="已到场制止", **later()), ["答复", "办理", "查阅", "办理"]),
        (lambda: actions.read_task(actor=assist, task=w.task_of(case, "生态环境"), **later()), ["答复", "办理", "办理"]),
        (lambda: actions.report_result(actor=assist, task=w.task_of(case, "生态环境"), text="已监测", **later()), ["答复", "办理"]),
        (lambda: actions.sub_dispatch(actor=lead, task=w.lead(case), unit=w.units["建新中队"], **later()), ["答复", "办理", "查阅", "办理"]),
        (lambda: actions.excuse_report(actor=lead, task=w.task_of(case, "建新中队"), reason="已经到场", **later()), ["答复", "办理"]),
        (lambda: ask_pause(w, w.lead(case)), ["答复", "办理", "挂起审核"]),
        (lambda: decide(w, Ask.objects.latest("id"), grant=True), ["答复"]),
        (lambda: actions.resume_task(actor=lead, task=w.lead(case), **later(days=1)), ["答复", "办理"]),
        (lambda: ask_extension(w, w.lead(case), date(2026, 12, 1)), ["答复", "办理", "延期审核"]),
        (lambda: decide(w, Ask.objects.latest("id"), grant=False), ["答复", "办理"]),
        (lambda: w.draft(case), ["答复", "办理"]),
        (lambda: actions.sign_reply(actor=w["城管领导"], task=w.lead(case), **later()), ["审核", "答复"]),
        (lambda: actions.send_back(actor=w["auditor"], case=case, reasons=["no_process"], **later()), ["答复", "办理"]),
        (lambda: w.draft(case), ["答复", "办理"]),
        (lambda: actions.sign_reply(actor=w["城管领导"], task=w.lead(case), **later()), ["审核", "答复"]),
        (lambda: actions.pass_reply(actor=w["auditor"], case=case, **later()), ["回访"]),
        (lambda: followup.rate_case(case=case, satisfaction="unsatisfied", solved="no", **later()), ["回访"]),
        (lambda: actions.request_set_aside(actor=lead, task=w.lead(case), reason="超出规定", basis="条例", **later()), ["回访", "不合理诉求认定审核"]),
        (lambda: followup.close_after_rating(actor=w["follow_up"], case=case, reason="已尽力", **later()), ["不合理诉求认定审核"]),
    ]
    assert kept(case) == told_anew(case) and names(case) == ["受理"]
    for number, (step, running) in enumerate(steps):
        step()
        assert kept(case) == told_anew(case), number
        assert sorted(names(case)) == sorted(running), number


@pytest.mark.parametrize("ended", ["recalled", "returned", "withdrawn", "split"])
def test_what_ends_presses_no_more(world: World, ended: str) -> None:
    if ended == "recalled":
        case = dispatching.recall_case(actor=world["dispatcher"], at=world.later(minutes=5), case=world.dispatched("生态环境"), reason="看错了")
    elif ended == "returned":
        case = decide(world, ask_return(world, world.lead(world.handling())), grant=True).task.case
    elif ended == "withdrawn":
        case = actions.withdraw_case(actor=world["agent"], at=world.later(minutes=5), case=world.handling(), reason="不再需要")
    else:
        from minsheng.cases.details import CaseDetails

        part = CaseDetails(kind=RequestKind.HELP, text="路面塌了一块。", topic=world.topics["道路塌陷"])
        [case] = dispatching.split_case(actor=world["dispatcher"], at=world.later(minutes=5), case=world.accepted(), parts=[part])
    assert kept(case) == told_anew(case)
    assert names(case) == ([] if ended == "withdrawn" else ["批转", "答复"])


def test_a_missed_reading_colours_the_centres_row_and_says_whose(world: World) -> None:
    case = world.handling("生态环境")
    missed = world.task_of(case, "生态环境").read_due_at
    assert row_of(world, case, missed - timedelta(hours=2)).light != "red"
    row = row_of(world, case, missed)
    assert row.light == "red" and row.left.startswith("查阅") and row.why.startswith("福州市生态环境局查阅：")
    assert queries.waiting(world["auditor"], missed, "in_handling") == (1, "red")
    world.now = missed
    actions.read_task(actor=world["环境联络"], at=world.now, task=world.task_of(case, "生态环境"))
    assert row_of(world, case).light != "red"


def test_missed_first_measures_colour_the_centres_row(world: World) -> None:
    case = world.handling(urgency="critical")
    missed = world.lead(case).first_measures_due_at
    assert missed is not None
    row = row_of(world, case, missed)
    assert row.light == "red" and row.left.startswith("先行处置")


def test_an_ask_that_nobody_answers_colours_the_centres_row(world: World) -> None:
    ask = ask_return(world, world.lead(world.handling(kind=RequestKind.SUGGESTION)))
    row = row_of(world, ask.task.case, ask.due_at)
    assert row.light == "red" and row.left.startswith("退件审核")


def test_the_citizens_clock_presses_at_a_desk_with_a_clock_of_its_own(world: World) -> None:
    """A reply that comes late to the audit: the audit has its time, but the citizen waits already."""
    case = world.replied()
    late = fresh(case).citizen_due_at
    assert late is not None
    Case.objects.filter(pk=case.pk).update(stage_due_at=late + timedelta(days=1), stage_yellow_at=late + timedelta(hours=18), stage_orange_at=late + timedelta(hours=23))
    assert row_of(world, case, late).left.startswith("答复")
    assert desk_queries.audit_tallies(world["auditor"], late)["replies"].light == row_of(world, case, late).light == "red"


def line_of(world: World, case: Case, unit: str, at: Any) -> presenting.TaskLine:
    task = world.task_of(case, unit)
    return presenting.task_line(task, at=at, calendar=worktime.calendar(), user=world["auditor"])


def test_the_table_of_tasks_names_the_clock_that_presses_most(world: World) -> None:
    case = world.handling("生态环境", urgency="urgent")
    lead, assist = world.lead(case), world.task_of(case, "生态环境")
    shown = line_of(world, case, "生态环境", assist.read_due_at)
    assert shown.light == "red" and shown.left.startswith("查阅") and shown.due_at == assist.read_due_at
    assert len(shown.beside) == 1 and shown.beside[0][0].startswith("办理 11-27 周五 24:00 前") and "工作日" in shown.beside[0][1]
    assert "查阅" not in line_of(world, case, "仓山城管", lead.due_at).left
    measures = line_of(world, case, "仓山城管", lead.first_measures_due_at)
    assert measures.left.startswith("先行处置") and measures.light == "red"
    decide(world, ask_pause(world, lead), grant=True)
    assert (line_of(world, case, "仓山城管", lead.due_at).left, line_of(world, case, "仓山城管", lead.due_at).light) == ("时限暂停", "none")
    assert line_of(world, world.replied(), "仓山城管", world.now).left == "按时回复"


def test_an_ask_shows_its_own_clock_until_it_is_answered(client: Client, world: World) -> None:
    ask = ask_return(world, world.lead(world.handling()))
    address = f"/cases/{ask.task.case.number}/"
    [entry] = sign_in(client, world["auditor"]).get(address).context["body"]["asks"]
    assert entry["clock"].due == ask.due_at and "退件裁定" in entry["clock"].sentence
    decide(world, ask, grant=False)
    [entry] = client.get(address).context["body"]["asks"]
    assert entry["clock"].text == ""


def test_a_row_costs_no_query(world: World, django_assert_num_queries: Any) -> None:
    world.handling("生态环境", urgency="urgent")
    ask_return(world, world.lead(world.handling()))
    cases, calendar = list(queries.every_case(world["auditor"])), worktime.calendar()
    with django_assert_num_queries(0):
        rows = [presenting.case_row(case, user=world["auditor"], url="", at=world.now, calendar=calendar) for case in cases]
    assert len(rows) == 2
