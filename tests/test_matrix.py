"""The whole matrix role × action × ownership: who may do what, written down by hand here and nowhere derived.

Each action stands on a case that is ready for it. Everybody of the small city tries it; exactly those named succeed, and all
others are refused for who they are (not_found, forbidden, not_your_unit), never for another reason. One state of each row is tried
here: cases/tests/test_workflow.py shows that who may does not depend on which, tests/test_real_messages.py that the acts work in all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.db import transaction

from minsheng.cases import actions, workflow
from minsheng.cases.actors import CITIZEN, SYSTEM
from minsheng.cases.choices import Channel, RequestKind
from minsheng.cases.details import CaseDetails
from minsheng.cases.models import Case, ReasonCode, RefusalGround
from minsheng.cases.tests.world import World, fresh
from minsheng.dispatching import actions as dispatching
from minsheng.errors import Refused
from minsheng.followup import actions as followup

GROUPS = {
    "@intake": "agent agent2 team_leader dispatcher dispatcher2",
    "@dispatch": "dispatcher dispatcher2",
    "@audit": "auditor auditor2",
    "@follow": "follow_up follow_up2",
    "@lead": "城管联络 城管领导",
    "@assist": "环境联络 环境领导",
    "@child": "中队联络 中队领导",
    "@street": "建新联络 建新领导",
}
FOR_WHO_THEY_ARE = {"not_found", "forbidden", "not_your_unit"}


@dataclass(frozen=True)
class Trial:
    """`ready` puts a case into place; `attempt` does the action as somebody."""

    allowed: str
    ready: Callable[[World], Case]
    attempt: Callable[[World, Case, Any], Any]


def details(world: World, **changes: Any) -> CaseDetails:
    values = {"kind": RequestKind.HELP, "text": "路面塌了一块。", "topic": world.topics["道路塌陷"]} | changes
    return CaseDetails(**values)


def stamp(world: World, who: Any) -> dict[str, Any]:
    return {"actor": who, "at": world.now}


def case_action(function: Callable[..., Any], **values: Any) -> Callable[[World, Case, Any], Any]:
    return lambda world, case, who: function(**stamp(world, who), case=case, **values)


def task_action(function: Callable[..., Any], unit: str = "仓山城管", **values: Any) -> Callable[[World, Case, Any], Any]:
    return lambda world, case, who: function(**stamp(world, who), task=world.task_of(case, unit), **values)


def asked(kind: str) -> Callable[[World], Case]:
    """A case whose lead has asked for something."""

    def ready(world: World) -> Case:
        case = world.handling() if kind != "set_aside" else unsatisfied(world)
        who, task = stamp(world, world["城管联络"]), world.lead(case)
        if kind == "return":
            actions.request_return(
                **who, task=task, reason_code="duty", reason="不是本局职责", basis="三定方案", proposed_unit=world.units["水务"]
            )
        elif kind == "extension":
            actions.request_extension(
                **who, task=task, until=date(2026, 12, 1), reason_code="", reason="须等检测", citizen_told_at=world.now
            )
        elif kind == "pause":
            actions.request_pause(**who, task=task, reason_code="", reason="等鉴定", basis="委托书")
        elif kind == "termination":
            actions.request_termination(**who, task=task, reason_code="", reason="诉求人拒不配合", basis="记录")
        else:
            actions.request_set_aside(**who, task=task, reason="要求超出法律规定", basis="条例")
        return fresh(case)

    return ready


def paused(world: World) -> Case:
    case = asked("pause")(world)
    actions.decide_pause(**stamp(world, world["auditor"]), task=world.lead(case), grant=True, note="同意")
    return fresh(case)


def unsatisfied(world: World) -> Case:
    case = world.audited()
    followup.rate_case(at=world.later(hours=1), case=case, satisfaction="unsatisfied", solved="no")
    return fresh(case)


def closed(world: World) -> Case:
    case = world.audited()
    followup.rate_case(at=world.later(hours=1), case=case, satisfaction="very", solved="yes")
    return fresh(case)


def rated_since(world: World) -> Case:
    """Closed without a rating, since when its citizen says that nothing is solved."""
    case = world.audited()
    for give_up in (False, False, True):
        followup.record_follow_up(actor=world["follow_up"], at=world.later(hours=3), case=case, reached=False, give_up=give_up)
    followup.rate_case(at=world.later(hours=1), case=case, satisfaction="unsatisfied", solved="no")
    return fresh(case)


def answer_rated_since(world: World) -> Case:
    case = actions.answer_case(**stamp(world, world["agent"]), case=world.accepted(), text="请拨打……")
    followup.rate_case(at=world.later(hours=1), case=case, satisfaction="unsatisfied", solved="no")
    return fresh(case)


def handed_down(world: World) -> Case:
    case = world.handling("生态环境")
    actions.sub_dispatch(**stamp(world, world["城管联络"]), task=world.lead(case), unit=world.units["建新中队"])
    return fresh(case)


def child_reads(world: World) -> Case:
    case = handed_down(world)
    actions.read_task(**stamp(world, world["中队联络"]), task=world.task_of(case, "建新中队"))
    return fresh(case)


def street_reads(world: World) -> Case:
    case = world.handling()
    below = actions.sub_dispatch(**stamp(world, world["城管联络"]), task=world.lead(case), unit=world.units["建新镇"])
    actions.read_task(**stamp(world, world["建新联络"]), task=below)
    return fresh(case)


def street_reports(world: World) -> Case:
    case = street_reads(world)
    actions.report_result(**stamp(world, world["建新联络"]), task=world.task_of(case, "建新镇"), text="已到场劝止")
    return fresh(case)


def assist_reported(world: World) -> Case:
    case = world.handling("生态环境")
    task = world.task_of(case, "生态环境")
    actions.read_task(**stamp(world, world["环境联络"]), task=task)
    actions.report_result(**stamp(world, world["环境联络"]), task=task, text="已监测，昼间达标。")
    return fresh(case)


def child_reports(world: World) -> Case:
    """The assisting unit is out of the way; the lead has handed its task down, and the lower unit has reported."""
    case = child_reads(world)
    actions.report_result(**stamp(world, world["中队联络"]), task=world.task_of(case, "建新中队"), text="已到场劝止")
    actions.excuse_report(**stamp(world, world["城管联络"]), task=world.task_of(case, "生态环境"), reason="不需要监测")
    return fresh(case)


def child_replied(world: World) -> Case:
    """The reply of a lead that has handed its task down waits for its audit."""
    case = child_reports(world)
    world.draft(case)
    actions.sign_reply(**stamp(world, world["城管领导"]), task=world.lead(case))
    return fresh(case)


def assist_reads(world: World) -> Case:
    case = world.handling("生态环境")
    actions.read_task(**stamp(world, world["环境联络"]), task=world.task_of(case, "生态环境"))
    return fresh(case)


def urgent(world: World) -> Case:
    return world.handling(urgency="urgent")


def in_study(world: World) -> Case:
    return dispatching.send_to_study(**stamp(world, world["dispatcher"]), case=world.accepted(), reason="职责不清")


def confidential(world: World) -> Case:
    return world.submitted(confidential=True)


def overdue_unread(world: World) -> Case:
    case = world.dispatched()
    world.later(days=7)
    return case


REPLY = {"text": "已处理并答复。", "finding": "true", "outcome": "supported", "solved": "yes", "basis": "条例"}
REASON = {"reason": "说明理由"}
NOTE = {"grant": True, "note": "同意"}

TRIALS: dict[str, Trial] = {
    "submit": Trial(
        "@intake CITIZEN",
        World.submitted,
        lambda w, c, who: actions.submit_case(
            **stamp(w, who), channel=Channel.PHONE, details=details(w), applicant=_nobody()
        ),
    ),
    "accept": Trial("@intake", World.submitted, case_action(actions.accept_case)),
    "correct": Trial("@intake", World.submitted, lambda w, c, who: actions.correct_case(**stamp(w, who), case=c, details=details(w))),
    "answer": Trial("@intake", World.submitted, case_action(actions.answer_case, text="请拨打……")),
    "reject": Trial("@intake", World.submitted, lambda w, c, who: actions.reject_case(**stamp(w, who), case=c, ground=_ground("out_of_city"))),
    "transfer": Trial("@intake", World.submitted, lambda w, c, who: actions.transfer_case(**stamp(w, who), case=c, target=_line())),
    "mark_invalid": Trial("@intake", World.submitted, case_action(actions.mark_invalid, **REASON)),
    "withdraw": Trial("@intake CITIZEN", World.submitted, case_action(actions.withdraw_case, **REASON)),
    "supplement": Trial("@intake CITIZEN", World.accepted, case_action(actions.supplement_case, channel=Channel.PHONE, text="今晚又吵了")),
    "make_confidential": Trial("@intake hotline_leader", World.submitted, case_action(actions.make_confidential, **REASON)),
    "lift_confidentiality": Trial("hotline_leader", confidential, case_action(actions.lift_confidentiality, **REASON)),
    "dispatch": Trial("@dispatch", World.accepted, lambda w, c, who: dispatching.dispatch_case(**stamp(w, who), case=c, lead=w.units["仓山城管"])),
    "send_to_study": Trial("@dispatch", World.accepted, case_action(dispatching.send_to_study, **REASON)),
    "conclude_study": Trial("@dispatch hotline_leader", in_study, case_action(dispatching.conclude_study, conclusion="由城管承办")),
    "split": Trial("@dispatch", World.accepted, lambda w, c, who: dispatching.split_case(**stamp(w, who), case=c, parts=[details(w)])),
    "merge": Trial("@dispatch", World.accepted, lambda w, c, who: dispatching.merge_case(**stamp(w, who), case=c, into=_other(w, c))),
    "recall": Trial("@dispatch", World.dispatched, case_action(dispatching.recall_case, **REASON)),
    "add_assisting": Trial("@dispatch", World.dispatched, lambda w, c, who: dispatching.add_assisting(**stamp(w, who), case=c, units=[w.units["水务"]])),
    "urge": Trial("@intake @audit @follow supervisor hotline_leader inspector", World.dispatched, case_action(actions.urge_case, **REASON)),
    "read": Trial("@lead", World.dispatched, task_action(actions.read_task)),
    "reach_out": Trial("@lead", World.handling, lambda w, c, who: actions.reach_out(**stamp(w, who), task=w.lead(c), reached_at=w.now, method="phone", reached=True, summary="已联系")),
    "take_first_measures": Trial("@lead", urgent, task_action(actions.take_first_measures, text="已到场制止")),
    "sub_dispatch": Trial("@lead", World.handling, lambda w, c, who: actions.sub_dispatch(**stamp(w, who), task=w.lead(c), unit=w.units["建新中队"])),
    "request_return": Trial("@lead", World.handling, lambda w, c, who: actions.request_return(**stamp(w, who), task=w.lead(c), reason_code="duty", reason="非本局职责", basis="三定", proposed_unit=w.units["水务"])),
    "return_to_parent": Trial("@child", child_reads, task_action(actions.return_to_parent, "建新中队", **REASON)),
    "request_extension": Trial("@lead", World.handling, task_action(actions.request_extension, until=date(2026, 12, 1), reason_code="", reason="检测", citizen_told_at=None)),
    "request_pause": Trial("@lead", World.handling, task_action(actions.request_pause, reason_code="", reason="鉴定", basis="委托书")),
    "resume": Trial("@lead @audit", paused, task_action(actions.resume_task)),
    "request_termination": Trial("@lead", World.handling, task_action(actions.request_termination, reason_code="", reason="拒不配合", basis="记录")),
    "request_set_aside": Trial("@lead", unsatisfied, task_action(actions.request_set_aside, reason="超出规定", basis="条例")),
    "report": Trial("@assist", assist_reads, task_action(actions.report_result, "生态环境", text="已监测")),
    "send_report_back": Trial("@lead", assist_reported, task_action(actions.send_report_back, "生态环境", **REASON)),
    "excuse_report": Trial("@lead", assist_reads, task_action(actions.excuse_report, "生态环境", **REASON)),
    "draft_reply": Trial("@lead", World.handling, task_action(actions.draft_reply, **REPLY)),
    "sign_reply": Trial("城管领导", World.drafted, task_action(actions.sign_reply)),
    "decline_to_sign": Trial("城管领导", World.drafted, task_action(actions.decline_to_sign, **REASON)),
    "pass_reply": Trial("@audit", World.replied, case_action(actions.pass_reply)),
    "send_back": Trial("@audit", World.replied, case_action(actions.send_back, reasons=["no_process"])),
    "decide_return": Trial("@audit", asked("return"), task_action(actions.decide_return, **NOTE)),
    "decide_extension": Trial("@audit", asked("extension"), task_action(actions.decide_extension, **NOTE)),
    "decide_pause": Trial("@audit", asked("pause"), task_action(actions.decide_pause, **NOTE)),
    "decide_termination": Trial("@audit", asked("termination"), task_action(actions.decide_termination, **NOTE)),
    "decide_set_aside": Trial("@audit hotline_leader", asked("set_aside"), task_action(actions.decide_set_aside, **NOTE)),
    "follow_up": Trial("@follow", World.audited, case_action(followup.record_follow_up, reached=True, satisfaction="very", solved="yes")),
    "second_handling": Trial("@follow", unsatisfied, lambda w, c, who: followup.start_second_handling(**stamp(w, who), case=c, unit=w.units["仓山区政府"], reason="确未解决")),
    "close_after_rating": Trial("@follow", unsatisfied, case_action(followup.close_after_rating, **REASON)),
    "keep_closed": Trial("@follow", rated_since, case_action(followup.keep_closed, **REASON)),
    "reopen": Trial("team_leader @dispatch", closed, case_action(dispatching.reopen_case, **REASON)),
}
# The same row on another footing: a bureau hands its task to the street where it happened, which does not stand below it; who
# handed down judges the report and never the reply; a case is judged that was rated badly only after it had been closed.
VARIANTS: dict[str, Trial] = {
    "second_handling of what was rated after closing": Trial("@follow", rated_since, lambda w, c, who: followup.start_second_handling(**stamp(w, who), case=c, unit=w.units["仓山区政府"], reason="确未解决")),
    "reopen an answer rated badly since": Trial("team_leader @dispatch @follow", answer_rated_since, case_action(dispatching.reopen_case, **REASON)),
    "sub_dispatch to the street": Trial("@lead", World.handling, lambda w, c, who: actions.sub_dispatch(**stamp(w, who), task=w.lead(c), unit=w.units["建新镇"])),
    "return_to_parent from the street": Trial("@street", street_reads, task_action(actions.return_to_parent, "建新镇", **REASON)),
    "report from the street": Trial("@street", street_reads, task_action(actions.report_result, "建新镇", text="已处理")),
    "send_report_back to the unit handed down to": Trial("@lead", child_reports, task_action(actions.send_report_back, "建新中队", **REASON)),
    "excuse_report of the unit handed down to": Trial("@lead", child_reads, task_action(actions.excuse_report, "建新中队", **REASON)),
    "pass_reply where the lead handed down": Trial("@audit", child_replied, case_action(actions.pass_reply)),
    "send_back where the lead handed down": Trial("@audit", child_replied, case_action(actions.send_back, reasons=["no_process"])),
    "send_report_back to the street": Trial("@lead", street_reports, task_action(actions.send_report_back, "建新镇", **REASON)),
}
# These have no actor to choose: the system's own, and the citizen's who showed number and code.
WITHOUT_ACTOR = {"read_automatically", "archive", "rate"}
# A draft is not shown to others at all: tested with its screens.
ELSEWHERE = {"discard"}


def _nobody() -> Any:
    from minsheng.cases.details import ApplicantDetails

    return ApplicantDetails()


def _ground(code: str) -> RefusalGround:
    return RefusalGround.objects.get(code=code)


def _line() -> ReasonCode:
    return ReasonCode.objects.get(list="transfer", code="110")


def _other(world: World, case: Case) -> Case:
    return Case.objects.filter(split_from=None).exclude(pk=case.pk).first() or world.accepted()


def names(groups: str) -> set[str]:
    return {name for word in groups.split() for name in GROUPS.get(word, word).split()}


def test_every_row_of_the_table_is_tried() -> None:
    assert set(workflow.BY_CODE) == set(TRIALS) | WITHOUT_ACTOR | ELSEWHERE


@pytest.mark.parametrize("code", sorted(TRIALS | VARIANTS))
def test_exactly_those_may(world: World, code: str) -> None:
    trial = (TRIALS | VARIANTS)[code]
    case = trial.ready(world)
    if code == "merge":
        world.accepted()
    everybody: dict[str, Any] = {**world.people, "CITIZEN": CITIZEN, "SYSTEM": SYSTEM}
    done, wrongly_refused = set(), {}
    for name, who in everybody.items():
        try:
            with transaction.atomic():
                trial.attempt(world, fresh(case), who)
                done.add(name)
                transaction.set_rollback(True)
        except Refused as refusal:
            if refusal.code not in FOR_WHO_THEY_ARE:
                wrongly_refused[name] = refusal.code
    assert done == names(trial.allowed)
    assert not wrongly_refused, "refused for another reason than who they are"


@pytest.mark.parametrize("code", ["pass_reply", "send_back", "decide_return", "follow_up", "second_handling", "close_after_rating", "keep_closed"])
def test_nobody_judges_their_own_dispatch(world: World, code: str) -> None:
    """One person holding all three roles dispatches; the same person is then refused, another is not (design §6)."""
    both = world["dispatcher"]
    both.roles = ["dispatcher", "auditor", "follow_up"]
    both.save()
    case = TRIALS[code].ready(world)
    with pytest.raises(Refused, match="same_person"):
        TRIALS[code].attempt(world, case, both)


def added_by(who: str) -> Callable[[World], Case]:
    """A case that one person dispatched, and to which another added the assisting unit; the lead has replied."""

    def ready(world: World) -> Case:
        case = world.handling()
        dispatching.add_assisting(**stamp(world, world[who]), case=case, units=[world.units["生态环境"]])
        task = world.task_of(case, "生态环境")
        actions.excuse_report(**stamp(world, world["城管联络"]), task=task, reason="不需要监测")
        world.draft(case)
        actions.sign_reply(**stamp(world, world["城管领导"]), task=world.lead(case))
        return fresh(case)

    return ready


@pytest.mark.parametrize("code", ["pass_reply", "send_back", "follow_up", "close_after_rating"])
def test_who_only_added_an_assisting_unit_judges_no_reply(world: World, code: str) -> None:
    """The lead answers for what the unit that they brought in did too; somebody else judges it, and may."""
    both, other = world["dispatcher2"], world["auditor"]
    for person in (both, other):
        person.roles = ["dispatcher", "auditor", "follow_up"]
        person.save()
    case = added_by("dispatcher2")(world)
    if code in ("follow_up", "close_after_rating"):
        actions.pass_reply(**stamp(world, world["auditor2"]), case=case)
    if code == "close_after_rating":
        followup.rate_case(at=world.later(hours=1), case=case, satisfaction="unsatisfied", solved="no")
    with pytest.raises(Refused, match="same_person"):
        TRIALS[code].attempt(world, fresh(case), both)
    TRIALS[code].attempt(world, fresh(case), other)


def test_who_only_added_an_assisting_unit_answers_the_lead_but_not_that_unit(world: World) -> None:
    both = world["dispatcher2"]
    both.roles = ["dispatcher", "auditor"]
    both.save()
    case = world.handling()
    dispatching.add_assisting(**stamp(world, both), case=case, units=[world.units["生态环境"]])
    actions.read_task(**stamp(world, world["环境联络"]), task=world.task_of(case, "生态环境"))
    for unit, liaison in (("仓山城管", "城管联络"), ("生态环境", "环境联络")):
        task = world.task_of(case, unit)
        actions.request_pause(**stamp(world, world[liaison]), task=task, reason_code="", reason="等鉴定", basis="委托书")
    actions.decide_pause(**stamp(world, both), task=world.lead(case), **NOTE)
    with pytest.raises(Refused, match="same_person"):
        actions.decide_pause(**stamp(world, both), task=world.task_of(case, "生态环境"), **NOTE)


def test_other_agents_know_nothing_of_a_confidential_case(world: World) -> None:
    case = confidential(world)
    for code in ("accept", "correct", "answer", "reject", "transfer", "mark_invalid", "withdraw", "supplement"):
        with pytest.raises(Refused, match="not_found"):
            TRIALS[code].attempt(world, case, world["agent2"])
