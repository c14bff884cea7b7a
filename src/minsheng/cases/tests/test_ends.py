"""What an end leaves behind: no open ask, no task that stands still for ever, no unit that was not told; and who is left when
a unit's people are gone."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from minsheng.accounts.actions import deactivate
from minsheng.accounts.testing import sign_in
from minsheng.cases import actions, desk_queries, upkeep
from minsheng.cases.choices import AskState, CaseState, Ending, TaskState
from minsheng.cases.models import Ask, Case, Task
from minsheng.cases.tests.test_asking import ask_extension, ask_pause, ask_return, decide
from minsheng.cases.tests.test_handling import refused, reload, report, sub
from minsheng.cases.tests.world import World, fresh, moment
from minsheng.dispatching.actions import dispatch_case, merge_case, recall_case, reopen_case
from minsheng.followup.actions import close_after_rating, rate_case
from minsheng.organisations.models import Unit


def withdraw(world: World, case: Case) -> Case:
    return actions.withdraw_case(actor=world["agent"], at=world.later(minutes=5), case=case, reason="来电撤回")


def ask_termination(world: World, task: Task) -> Ask:
    return actions.request_termination(
        actor=world["城管联络"], at=world.now, task=task, reason_code="x", reason="拒不配合", basis="联系三次"
    )


def ask_set_aside(world: World, task: Task) -> Ask:
    return actions.request_set_aside(actor=world["城管联络"], at=world.now, task=task, reason="索赔", basis="无依据")


def last_words(case: Case) -> str:
    entry = case.timeline.order_by("-seq").first()
    assert entry is not None
    return str(entry.payload["summary"])


# --- an ask that nobody can answer any more ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "words"), [(ask_return, "退件"), (ask_pause, "挂起"), (ask_termination, "终止办理")], ids=["return", "pause", "end"]
)
def test_an_end_answers_what_is_still_asked_for_and_says_so(world: World, ask: Any, words: str) -> None:
    case = world.handling()
    asked = ask(world, world.lead(case))
    withdraw(world, case)
    asked.refresh_from_db()
    assert (asked.state, asked.decided_by) == (AskState.LAPSED, None)
    assert last_words(case) == f"诉求人撤回；仓山区城市管理局的{words}申请随之失效"
    assert not desk_queries.asks_to_decide(world["auditor"]).exists()
    assert desk_queries.stack_tallies(world["城管联络"], world.now)["asks"].count == 0
    refused("wrong_state", lambda: decide(world, asked, grant=True))
    # The unit still sees the case, and reads there what became of what it asked for.
    shown = sign_in(Client(), world["城管联络"]).get(f"/cases/{fresh(case).number}/").content.decode()
    assert "已失效" in shown and f"{words}申请随之失效" in shown


def test_every_units_ask_lapses_with_the_lead_s_return(world: World) -> None:
    case = world.handling("水务")
    water = world.task_of(case, "水务")
    actions.read_task(actor=world["水务联络"], at=world.later(minutes=5), task=water)
    other = ask_extension(world, water, date(2026, 12, 1), by="水务联络")
    decide(world, ask_return(world, world.lead(case)), grant=True)
    other.refresh_from_db()
    assert other.state == AskState.LAPSED
    assert last_words(case) == "同意仓山区城市管理局退件；福州水务的延期申请随之失效"


def test_what_was_answered_is_not_told_again(world: World) -> None:
    case = world.handling()
    decide(world, ask_pause(world, world.lead(case)), grant=False)
    withdraw(world, case)
    assert last_words(case) == "诉求人撤回"
    assert Ask.objects.get().state == AskState.REFUSED


def test_a_case_is_not_recalled_over_an_open_ask(world: World) -> None:
    case = world.handling()
    ask = ask_pause(world, world.lead(case))
    refused("ask_pending", lambda: recall_case(actor=world["dispatcher"], at=world.now, case=case, reason="看错"))
    decide(world, ask, grant=False)
    recall_case(actor=world["dispatcher"], at=world.now, case=case, reason="看错")


def test_a_set_aside_asked_for_before_the_close_is_still_answered_after_it(world: World) -> None:
    case = rate_case(at=world.later(hours=1), case=world.audited(), satisfaction="unsatisfied", solved="no")
    ask = ask_set_aside(world, world.lead(case))
    close_after_rating(actor=world["follow_up"], at=world.later(hours=1), case=case, reason="已充分解释")
    decide(world, ask, grant=True)
    assert (fresh(case).set_aside, fresh(case).state) == (True, CaseState.CLOSED)


def test_reopening_lapses_a_set_aside_so_that_the_new_round_is_free(world: World) -> None:
    case = rate_case(at=world.later(hours=1), case=world.audited(), satisfaction="unsatisfied", solved="no")
    ask = ask_set_aside(world, world.lead(case))
    close_after_rating(actor=world["follow_up"], at=world.later(hours=1), case=case, reason="已充分解释")
    reopen_case(actor=world["team_leader"], at=world.later(hours=1), case=case, reason="又坏了")
    ask.refresh_from_db()
    assert ask.state == AskState.LAPSED
    assert last_words(case) == "重新办理，第 2 轮；仓山区城市管理局的不合理诉求认定申请随之失效"
    dispatch_case(actor=world["dispatcher"], at=world.later(minutes=5), case=case, lead=world.units["仓山城管"])
    refused("no_such_ask", lambda: _decide_set_aside(world, ask))
    recall_case(actor=world["dispatcher"], at=world.later(minutes=5), case=case, reason="看错")  # nothing holds it


def _decide_set_aside(world: World, ask: Ask) -> Any:
    return actions.decide_set_aside(actor=world["auditor"], at=world.now, task=ask.task, grant=True, note="x")


def test_a_return_that_lapsed_unanswered_was_not_the_one_return(world: World) -> None:
    case = world.handling()
    ask_return(world, world.lead(case))
    withdraw(world, case)
    reopen_case(actor=world["team_leader"], at=world.later(minutes=5), case=case, reason="是被劝撤的")
    dispatch_case(actor=world["dispatcher"], at=world.later(minutes=5), case=case, lead=world.units["仓山城管"])
    again = world.lead(case)
    actions.read_task(actor=world["城管联络"], at=world.later(minutes=5), task=again)
    decide(world, ask_return(world, again), grant=False)
    refused("returned_before", lambda: ask_return(world, again))


# --- a task that stands still ------------------------------------------------------------------------------------


def paused(world: World, *assisting: str) -> Case:
    case = world.handling(*assisting)
    decide(world, ask_pause(world, world.lead(case)), grant=True)
    return fresh(case)


def test_a_paused_task_ends_with_its_case(world: World) -> None:
    case = withdraw(world, paused(world))
    task = world.lead(case)
    assert (task.state, task.finished_at) == (TaskState.TERMINATED, world.now)
    refused("wrong_state", lambda: actions.resume_task(actor=world["城管联络"], at=world.now, task=task))
    assert desk_queries.stack_tallies(world["城管联络"], world.now)["work"].count == 0


def test_a_paused_task_is_recalled(world: World) -> None:
    case = paused(world)
    recall_case(actor=world["dispatcher"], at=world.later(minutes=5), case=case, reason="改由住建承办")
    assert case.tasks.get().state == TaskState.RECALLED
    dispatch_case(actor=world["dispatcher"], at=world.later(minutes=5), case=case, lead=world.units["仓山城管"])
    assert (world.lead(case).state, world.lead(case).paused_at) == (TaskState.TO_READ, None)


def test_a_recalled_case_is_merged_and_nothing_of_it_stands_still(world: World) -> None:
    into, case = world.accepted(), paused(world)
    recall_case(actor=world["dispatcher"], at=world.later(minutes=5), case=case, reason="重复")
    merge_case(actor=world["dispatcher"], at=world.later(minutes=5), case=case, into=into)
    assert fresh(case).ending == Ending.MERGED
    assert not case.tasks.filter(state__in=["to_read", "handling", "paused", "sent_back", "return_requested"]).exists()


def test_what_is_being_handled_is_not_merged(world: World) -> None:
    into, case = world.accepted(), paused(world)
    refused("wrong_state", lambda: merge_case(actor=world["dispatcher"], at=world.now, case=case, into=into))


def test_a_paused_assisting_unit_does_not_hold_the_reply_for_ever(world: World) -> None:
    case = world.handling("水务")
    water = world.task_of(case, "水务")
    actions.read_task(actor=world["水务联络"], at=world.later(minutes=5), task=water)
    ask = actions.request_pause(
        actor=world["水务联络"], at=world.now, task=water, reason_code="x", reason="等鉴定", basis="委托书"
    )
    decide(world, ask, grant=True)
    world.draft(case)
    sign = lambda: actions.sign_reply(actor=world["城管领导"], at=world.later(minutes=5), task=world.lead(case))  # noqa: E731
    refused("reports_missing", sign)
    actions.excuse_report(actor=world["城管联络"], at=world.later(minutes=5), task=reload(water), reason="不影响答复")
    sign()
    actions.pass_reply(actor=world["auditor"], at=world.later(minutes=5), case=case)
    assert reload(water).state == TaskState.TERMINATED


def test_the_lights_of_what_stands_still_are_out(world: World) -> None:
    case = paused(world)
    late = world.lead(case).due_at + timedelta(days=3)
    count, light = desk_queries.unit_waiting(world["城管联络"], late)
    assert (count, light) == (0, "none")
    assert desk_queries.stack_tallies(world["城管联络"], late)["work"].light == "none"


# --- termination, and what it ends -------------------------------------------------------------------------------


def test_a_termination_ends_every_level_and_every_ask(world: World) -> None:
    case = world.handling("水务")
    team = sub(world, case, "建新中队")
    water = world.task_of(case, "水务")
    actions.read_task(actor=world["水务联络"], at=world.later(minutes=5), task=water)
    other = ask_extension(world, water, date(2026, 12, 1), by="水务联络")
    decide(world, ask_termination(world, world.lead(case)), grant=True)
    assert {reload(team).state, reload(water).state, world.lead(case).state} == {TaskState.TERMINATED}
    other.refresh_from_db()
    assert other.state == AskState.LAPSED
    assert upkeep.read_overdue(at=moment("2026-12-30 00:00")) == 0


# --- a unit whose people are gone --------------------------------------------------------------------------------


def leave(world: World, *names: str) -> None:
    for name in names:
        world.people[name] = deactivate(actor=world["system_admin"], at=world.now, user=world[name], why="调离")


def test_who_is_deactivated_neither_sees_nor_acts_and_colleagues_go_on(world: World) -> None:
    task = world.lead(world.handling())
    leave(world, "城管联络")
    refused("not_found", lambda: ask_return(world, task))
    assert not Case.objects.visible_to(world["城管联络"]).exists()
    assert ask_return(world, task, by="城管领导").state == AskState.PENDING


def test_a_task_of_nobody_is_read_by_the_system_seen_from_above_and_taken_back(world: World) -> None:
    """No work is lost when a unit's last person leaves: the parent sees it, the hotline recalls it and gives it to another."""
    case = world.dispatched()
    leave(world, "城管联络", "城管领导")
    assert upkeep.read_overdue(at=moment("2026-11-26 00:00")) == 1
    assert desk_queries.tasks_below(world["区政府联络"]).get().case == case
    world.now = moment("2026-11-26 09:00")
    recall_case(actor=world["dispatcher"], at=world.now, case=case, reason="该单位已无人办理")
    dispatch_case(actor=world["dispatcher"], at=world.now, case=case, lead=world.units["仓山区政府"])
    assert Case.objects.visible_to(world["区政府联络"]).filter(pk=case.pk).exists()


def test_the_lead_excuses_an_assisting_unit_that_is_nobody(world: World) -> None:
    case = world.drafted("水务")
    leave(world, "水务联络", "水务领导")
    actions.excuse_report(
        actor=world["城管联络"], at=world.later(minutes=5), task=world.task_of(case, "水务"), reason="无人应答"
    )
    actions.sign_reply(actor=world["城管领导"], at=world.later(minutes=5), task=world.lead(case))
    assert fresh(case).state == CaseState.TO_AUDIT


def test_a_unit_that_was_dissolved_finishes_what_it_has_and_gets_nothing_more(world: World) -> None:
    case = world.handling()
    yesterday = timezone.localdate(world.now) - timedelta(days=1)
    Unit.objects.filter(pk=world.units["建新中队"].pk).update(valid_to=yesterday)
    Unit.objects.filter(pk=world.units["仓山城管"].pk).update(valid_to=yesterday)
    for name in ("建新中队", "仓山城管"):
        world.units[name].refresh_from_db()
    refused("unit_not_dispatchable", lambda: sub(world, case, "建新中队"))
    world.draft(case)
    actions.sign_reply(actor=world["城管领导"], at=world.later(minutes=5), task=world.lead(case))
    assert fresh(case).state == CaseState.TO_AUDIT
    other = world.accepted()
    refused(
        "unit_not_dispatchable",
        lambda: dispatch_case(actor=world["dispatcher"], at=world.now, case=other, lead=world.units["仓山城管"]),
    )


# --- up the tree -------------------------------------------------------------------------------------------------


def test_three_levels_down_and_the_answers_up(world: World) -> None:
    case = world.dispatched(lead="仓山区政府")
    county = world.lead(case)
    actions.read_task(actor=world["区政府联络"], at=world.later(minutes=5), task=county)
    bureau = sub(world, case, "仓山城管", by="区政府联络")
    actions.read_task(actor=world["城管联络"], at=world.later(minutes=5), task=bureau)
    team = sub(world, case, "建新中队", of=bureau)
    actions.read_task(actor=world["中队联络"], at=world.later(minutes=5), task=team)
    refused("lead_replies", lambda: report(world, county, "区政府联络"))
    report(world, team, "中队联络", "已到现场")
    # Each level judges only what came to it: the bureau the team's report, the county the bureau's.
    refused(
        "not_your_unit",
        lambda: actions.send_report_back(actor=world["区政府联络"], at=world.now, task=team, reason="不清楚"),
    )
    actions.send_report_back(actor=world["城管联络"], at=world.later(minutes=5), task=team, reason="缺照片")
    refused("reports_missing", lambda: report(world, bureau, "城管联络"))
    report(world, team, "中队联络", "已到现场，附照片")
    report(world, bureau, "城管联络", "已停工")
    refused("wrong_task_state", lambda: actions.return_to_parent(actor=world["城管联络"], at=world.now, task=bureau, reason="x"))
    actions.draft_reply(
        actor=world["区政府联络"], at=world.later(minutes=5), task=county, text="已停工整改。", finding="true", outcome="supported",
        solved="yes",
    )
    actions.sign_reply(actor=world["区政府领导"], at=world.later(minutes=5), task=county)
    actions.pass_reply(actor=world["auditor"], at=world.later(minutes=5), case=case)
    assert {reload(task).state for task in (county, bureau, team)} == {TaskState.ACCEPTED}


def test_a_report_by_the_leader_is_signed_and_the_liaisons_is_not(world: World) -> None:
    case = world.handling("水务", "生态环境")
    for unit, who in (("水务", "水务领导"), ("生态环境", "环境联络")):
        task = world.task_of(case, unit)
        actions.read_task(actor=world[who], at=world.later(minutes=5), task=task)
        assert bool(report(world, task, who).signed_by) is (who == "水务领导")


def test_who_was_excused_may_still_report(world: World) -> None:
    case = world.drafted("水务")
    water = world.task_of(case, "水务")
    actions.read_task(actor=world["水务联络"], at=world.later(minutes=5), task=water)
    actions.excuse_report(actor=world["城管联络"], at=world.later(minutes=5), task=water, reason="来不及")
    report(world, water, "水务联络", "管网正常")
    assert reload(water).state == TaskState.REPLIED


def test_a_case_at_audit_waits_for_the_verdict_and_not_for_its_units(world: World) -> None:
    case = world.handling("水务")
    water = world.task_of(case, "水务")
    actions.read_task(actor=world["水务联络"], at=world.later(minutes=5), task=water)
    report(world, water, "水务联络")
    world.draft(case)
    actions.sign_reply(actor=world["城管领导"], at=world.later(minutes=5), task=world.lead(case))
    refused("wrong_state", lambda: actions.send_report_back(actor=world["城管联络"], at=world.now, task=water, reason="缺"))
    refused("wrong_state", lambda: actions.urge_case(actor=world["dispatcher"], at=world.now, case=case, reason="快"))
    refused("wrong_state", lambda: recall_case(actor=world["dispatcher"], at=world.now, case=case, reason="看错"))
