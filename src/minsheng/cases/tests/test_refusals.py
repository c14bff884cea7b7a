"""Every action of units and auditors is refused to whom it is not for, where it does not fit, and without a word of why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.cases import actions, desk_queries, workflow
from minsheng.cases.choices import AskState, CaseState, TaskState
from minsheng.cases.models import Ask, Case, Task
from minsheng.cases.tests.test_asking import ask_extension, ask_pause, ask_return, decide
from minsheng.cases.tests.test_handling import REPLY, refused, reload, report, sub
from minsheng.cases.tests.world import World, fresh
from minsheng.dispatching.actions import add_assisting, dispatch_case, reopen_case
from minsheng.errors import Refused
from minsheng.followup.actions import close_after_rating, rate_case, record_follow_up, start_second_handling

ASKS = ("return", "extension", "pause", "termination", "set_aside")


@dataclass(frozen=True)
class Act:
    """One action on a task: how it is called, and who may."""

    code: str
    who: str
    words: str = ""  # the argument that must say something
    more: tuple[tuple[str, Any], ...] = ()

    def do(self, world: World, task: Task, **changes: Any) -> Any:
        """As its person, unless told otherwise."""
        values = dict(self.more) | ({self.words: "因为如此"} if self.words else {}) | changes
        action = getattr(actions, {"read": "read_task", "resume": "resume_task", "report": "report_result"}.get(self.code, self.code))
        return action(**({"actor": world[self.who], "at": world.now, "task": task} | values))


_OF_LEAD = (
    Act("take_first_measures", "城管联络", "text"),
    Act("request_pause", "城管联络", "reason", (("reason_code", "x"), ("basis", "委托书"))),
    Act("request_termination", "城管联络", "reason", (("reason_code", "x"), ("basis", "联系三次"))),
    Act("request_extension", "城管联络", "reason", (("reason_code", "x"), ("until", date(2026, 12, 1)), ("citizen_told_at", None))),
    Act("draft_reply", "城管联络", "text", tuple((name, value) for name, value in REPLY.items() if name != "text")),
)
_DECISIONS = tuple(Act(f"decide_{kind}", "auditor", "note", (("grant", True),)) for kind in ASKS)


def _stands(act: Act, world: World) -> Task:
    """A task on which this very action would go through."""
    if act.code.startswith("decide_"):
        return _asked(world, act.code.removeprefix("decide_")).task
    if act.code == "decline_to_sign":
        return world.lead(world.drafted())
    return world.lead(world.handling(**({"urgency": "urgent"} if act.code == "take_first_measures" else {})))


def _asked(world: World, kind: str) -> Ask:
    if kind == "set_aside":
        case = rate_case(at=world.later(hours=1), case=world.audited(), satisfaction="unsatisfied", solved="no")
        return actions.request_set_aside(
            actor=world["城管联络"], at=world.now, task=world.lead(case), reason="索赔百万", basis="无依据"
        )
    task = world.lead(world.handling())
    if kind == "termination":
        return actions.request_termination(
            actor=world["城管联络"], at=world.now, task=task, reason_code="x", reason="拒不配合", basis="联系三次"
        )
    ask: Callable[..., Ask] = {"return": ask_return, "pause": ask_pause}.get(kind, ask_extension)
    return ask(world, task, date(2026, 12, 1)) if kind == "extension" else ask(world, task)


EVERY = (*_OF_LEAD, Act("decline_to_sign", "城管领导", "reason"), *_DECISIONS)
IDS = [act.code for act in EVERY]


@pytest.mark.parametrize("act", EVERY, ids=IDS)
def test_it_goes_through_where_it_fits(world: World, act: Act) -> None:
    """Else the refusals below would prove nothing."""
    act.do(world, _stands(act, world))


@pytest.mark.parametrize("act", EVERY, ids=IDS)
def test_without_words_it_is_refused_and_nothing_is_written(world: World, act: Act) -> None:
    task = _stands(act, world)
    before = fresh(task.case).version
    refused("reason_required", lambda: act.do(world, task, **{act.words: " \n"}))
    assert fresh(task.case).version == before


@pytest.mark.parametrize("act", EVERY, ids=IDS)
def test_others_units_do_not_know_of_it_and_the_centre_may_not(world: World, act: Act) -> None:
    task = _stands(act, world)
    refused("not_found", lambda: act.do(world, task, actor=world["水务领导"]))
    refused("not_found", lambda: act.do(world, task, actor=world["system_admin"]))
    refused("forbidden", lambda: act.do(world, task, actor=world["analyst"]))
    refused("forbidden", lambda: act.do(world, task, actor=world["dispatcher2"]))


@pytest.mark.parametrize("act", [*_OF_LEAD, Act("decline_to_sign", "城管领导", "reason")], ids=lambda act: act.code)
def test_the_unit_above_sees_it_and_does_not_act_in_its_name(world: World, act: Act) -> None:
    task = _stands(act, world)
    refused("not_your_unit", lambda: act.do(world, task, actor=world["区政府领导"]))


@pytest.mark.parametrize("act", EVERY, ids=IDS)
def test_not_on_a_case_that_has_ended(world: World, act: Act) -> None:
    task = _stands(act, world)
    if act.code == "decide_set_aside":  # the one that is answered after the close as well
        Case.objects.filter(pk=task.case_id).update(state=CaseState.ARCHIVED, ending="handled", closed_at=world.now)
    else:
        actions.withdraw_case(actor=world["agent"], at=world.later(minutes=5), case=task.case, reason="来电撤回")
    refused("wrong_state", lambda: act.do(world, reload(task)))


@pytest.mark.parametrize("act", _DECISIONS, ids=lambda act: act.code)
def test_nobody_decides_on_their_own_dispatch(world: World, act: Act) -> None:
    task = _stands(act, world)
    refused("same_person", lambda: act.do(world, task, actor=_also_auditor(world, "dispatcher")))


@pytest.mark.parametrize("kind", ["return", "extension", "pause"])
def test_nobody_decides_on_what_a_unit_that_they_added_asks_for(world: World, kind: str) -> None:
    """Adding an assisting unit is a dispatch as well, though another dispatched the case; the unit's handing down is none."""
    case = world.handling()
    adder = _also_auditor(world, "dispatcher2")
    add_assisting(actor=adder, at=world.now, case=case, units=[world.units["水务"]])
    task = world.task_of(case, "水务")
    actions.read_task(actor=world["水务联络"], at=world.now, task=task)
    if kind == "extension":
        asked = ask_extension(world, task, date(2026, 12, 1), by="水务联络")
    else:
        asked = (ask_return if kind == "return" else ask_pause)(world, task, by="水务联络")
    assert not desk_queries.audit_tallies(adder, world.now), "nor is it counted as waiting for them"
    refused("same_person", lambda: decide(world, asked, grant=True, by="dispatcher2"))
    decide(world, asked, grant=True)


def test_who_added_a_unit_may_decide_on_what_another_asks_for(world: World) -> None:
    case = world.handling()
    add_assisting(actor=_also_auditor(world, "dispatcher2"), at=world.now, case=case, units=[world.units["水务"]])
    decide(world, ask_pause(world, world.lead(case)), grant=True, by="dispatcher2")


def _also_auditor(world: World, who: str) -> User:
    both = world[who]
    both.roles = [Role.DISPATCHER, Role.AUDITOR]
    both.save()
    return both


@pytest.mark.parametrize("kind", ASKS)
def test_an_ask_is_answered_once_and_by_its_own_decision(world: World, kind: str) -> None:
    ask = _asked(world, kind)
    for other in set(ASKS) - {kind}:
        with pytest.raises(Refused) as caught:
            Act(f"decide_{other}", "auditor", "note", (("grant", True),)).do(world, reload(ask.task))
        assert caught.value.code in ("no_such_ask", "wrong_task_state", "wrong_state")
    decide(world, ask, grant=False)
    with pytest.raises(Refused) as caught:
        decide(world, ask, grant=True, by="auditor2")
    assert caught.value.code in ("no_such_ask", "wrong_task_state")


# --- what a refusal leaves ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ASKS)
def test_a_refused_ask_changes_nothing_but_its_answer(world: World, kind: str) -> None:
    ask = _asked(world, kind)
    before, it = fresh(ask.task.case), reload(ask.task)
    citizen_told = before.messages.count()
    decide(world, ask, grant=False)
    after, task = fresh(ask.task.case), reload(ask.task)
    ask.refresh_from_db()
    assert (ask.state, ask.decided_by, ask.decision_note) == (AskState.REFUSED, world["auditor"], "已核实")
    assert task.state == (TaskState.ACCEPTED if kind == "set_aside" else TaskState.HANDLING)
    assert (task.due_at, task.paused_at, task.finished_at) == (it.due_at, None, it.finished_at)
    assert (after.state, after.citizen_due_at, after.set_aside) == (before.state, before.citizen_due_at, False)
    assert not after.first_dispatch_wrong  # a refused return counts against the unit, by the ask that stands refused
    assert after.messages.count() == citizen_told
    entry = after.timeline.order_by("-seq")[0]
    assert entry.payload["facts"] == {"ask": ask.pk, "kind": kind, "granted": False} and "不" in entry.payload["summary"]


def test_a_return_upheld_in_a_later_round_is_not_the_first_dispatchs_fault(world: World) -> None:
    case = rate_case(at=world.later(hours=1), case=world.audited(), satisfaction="very", solved="yes")
    reopen_case(actor=world["team_leader"], at=world.later(hours=1), case=case, reason="又响了")
    dispatch_case(actor=world["dispatcher"], at=world.later(minutes=5), case=case, lead=world.units["仓山城管"])
    task = world.lead(case)
    actions.read_task(actor=world["城管联络"], at=world.later(minutes=5), task=task)
    decide(world, ask_return(world, task), grant=True)
    assert (fresh(case).state, fresh(case).first_dispatch_wrong) == (CaseState.TO_DISPATCH, False)


# --- single ways in ----------------------------------------------------------------------------------------------


def test_a_signature_waits_for_the_answer_to_an_ask(world: World) -> None:
    case = world.drafted()
    ask = ask_extension(world, world.lead(case), date(2026, 12, 1))
    sign = lambda: actions.sign_reply(actor=world["城管领导"], at=world.later(minutes=5), task=world.lead(case))  # noqa: E731
    refused("ask_pending", sign)
    decide(world, ask, grant=False)
    sign()


def test_a_report_waits_for_the_answer_to_an_ask(world: World) -> None:
    case = world.handling("水务")
    task = world.task_of(case, "水务")
    actions.read_task(actor=world["水务联络"], at=world.later(minutes=5), task=task)
    ask = ask_extension(world, task, date(2026, 12, 1), by="水务联络")
    refused("ask_pending", lambda: report(world, task, "水务联络"))
    decide(world, ask, grant=True)
    report(world, task, "水务联络")


def test_who_stands_still_may_note_a_contact_and_nothing_else(world: World) -> None:
    case = world.handling()
    decide(world, ask_pause(world, world.lead(case)), grant=True)
    task = world.lead(case)
    actions.reach_out(
        actor=world["城管联络"], at=world.now, task=task, reached_at=world.now, method="phone", reached=True, summary="已说明"
    )
    for act in _OF_LEAD:
        refused("wrong_task_state", lambda act=act: act.do(world, task))  # type: ignore[misc]
    refused("wrong_task_state", lambda: sub(world, case, "建新中队"))


def test_a_pause_is_ended_by_its_unit_or_the_auditor_alone(world: World) -> None:
    case = world.handling("水务")
    refused("wrong_task_state", lambda: actions.resume_task(actor=world["城管联络"], at=world.now, task=world.lead(case)))
    decide(world, ask_pause(world, world.lead(case)), grant=True)
    task = world.lead(case)
    refused("not_your_unit", lambda: actions.resume_task(actor=world["水务联络"], at=world.now, task=task))
    refused("forbidden", lambda: actions.resume_task(actor=world["dispatcher"], at=world.now, task=task))
    actions.resume_task(actor=world["城管领导"], at=world.later(hours=1), task=task)


def test_a_reply_is_judged_only_while_it_waits(world: World) -> None:
    case = world.drafted()
    refused("wrong_state", lambda: actions.pass_reply(actor=world["auditor"], at=world.now, case=case))
    refused("wrong_state", lambda: actions.send_back(actor=world["auditor"], at=world.now, case=case, reasons=["no_process"]))
    actions.sign_reply(actor=world["城管领导"], at=world.later(minutes=5), task=world.lead(case))
    refused("forbidden", lambda: actions.pass_reply(actor=world["hotline_leader"], at=world.now, case=case))
    refused("not_found", lambda: actions.pass_reply(actor=world["水务领导"], at=world.now, case=case))


def test_an_urge_names_its_reason_and_is_not_everybodys(world: World) -> None:
    case = world.handling()
    refused("reason_required", lambda: actions.urge_case(actor=world["dispatcher"], at=world.now, case=case, reason=" "))
    refused("forbidden", lambda: actions.urge_case(actor=world["analyst"], at=world.now, case=case, reason="快"))
    refused("forbidden", lambda: actions.urge_case(actor=world["城管联络"], at=world.now, case=case, reason="快"))
    actions.urge_case(actor=world["team_leader"], at=world.now, case=case, reason="群众来电催问")
    assert case.timeline.get(code="urge").note == "群众来电催问"


def test_an_overseer_sees_and_does_not_touch(world: World) -> None:
    """领导、督察 read every case; no row of a task is theirs save the answer to an unreasonable demand."""
    theirs = {row.code for row in workflow.TRANSITIONS if row.subject is workflow.Subject.TASK and Role.HOTLINE_LEADER in row.roles}
    assert theirs == {"decide_set_aside"}
    assert not any(Role.INSPECTOR in row.roles for row in workflow.TRANSITIONS if row.code != "urge")


# --- the verdict on the round ------------------------------------------------------------------------------------


def test_second_handling_is_judged_and_closed_like_the_first_but_not_begun_again(world: World) -> None:
    case = rate_case(at=world.later(hours=1), case=world.audited(), satisfaction="unsatisfied", solved="no")
    start_second_handling(
        actor=world["follow_up"], at=world.later(hours=1), case=case, unit=world.units["仓山区政府"], reason="仍有夜间施工"
    )
    task = world.lead(case)
    actions.read_task(actor=world["区政府联络"], at=world.later(minutes=5), task=task)
    refused("assigned_by_ruling", lambda: ask_return(world, task, by="区政府联络", proposed_unit=world.units["仓山住建"]))
    actions.draft_reply(actor=world["区政府联络"], at=world.later(minutes=5), task=task, **REPLY)
    actions.sign_reply(actor=world["区政府领导"], at=world.later(minutes=5), task=task)
    actions.pass_reply(actor=world["auditor"], at=world.later(minutes=5), case=case)
    record_follow_up(
        actor=world["follow_up2"], at=world.later(hours=1), case=case, reached=True, solved="no", satisfaction="unsatisfied"
    )
    refused(
        "second_handling_used",
        lambda: start_second_handling(
            actor=world["follow_up2"], at=world.now, case=case, unit=world.units["生态环境"], reason="再来一次"
        ),
    )
    close_after_rating(actor=world["follow_up2"], at=world.later(minutes=5), case=case, reason="已尽力")
    assert (fresh(case).first_satisfaction, fresh(case).final_satisfaction) == ("unsatisfied", "unsatisfied")
