"""Days in the life, told by their actions: deadlines on real calendars, returns, rulings, secrecy, second handling.

Each test is one story that a release must survive; the dates are those of the State Council's notices for 2025 and 2026.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from minsheng.accounts.models import User
from minsheng.audit.queries import verify
from minsheng.cases import actions, clocks, queries, scope
from minsheng.cases.choices import AskState, CaseState, Ending, ReplyState, RequestKind, TaskState
from minsheng.cases.models import Case, Task
from minsheng.cases.tests.world import World, build, fresh, moment
from minsheng.dispatching import actions as dispatching
from minsheng.errors import Refused
from minsheng.followup import actions as followup
from minsheng.worktime import actions as calendars
from minsheng.worktime import queries as worktime
from minsheng.worktime.actions import NamedDay

REPLY = {"finding": "true", "outcome": "supported", "solved": "yes", "basis": "《噪声污染防治法》第四十三条"}


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}:")


def by(world: World, name: str, at: str | datetime) -> dict[str, Any]:
    """Who and when; the world's clock follows."""
    world.now = moment(at) if isinstance(at, str) else at
    return {"actor": world[name], "at": world.now}


def dispatched(world: World, at: str, *assisting: str, lead: str = "仓山城管", **changes: Any) -> Case:
    """Taken and accepted a few minutes before, dispatched at the very moment."""
    case = world.accepted(**changes)
    return dispatching.dispatch_case(
        **by(world, "dispatcher", at), case=case, lead=world.units[lead], assisting=[world.units[name] for name in assisting]
    )


def sentence(task: Task) -> str:
    derivation = clocks.of(task.derivation)
    assert derivation is not None
    return derivation.sentence()


def codes(case: Case) -> list[str]:
    return list(case.timeline.order_by("seq").values_list("code", flat=True))


# --- 1. night noise ----------------------------------------------------------------------------------------------


def test_night_noise(world: World) -> None:
    """A building site drills at 23:40; the county's enforcement unit leads, ecology assists, a squad goes out."""
    world.topics["夜间施工噪声"].urgent = True
    world.topics["夜间施工噪声"].save()
    world.now = moment("2026-11-24 23:40")
    case = world.submitted()
    assert case.urgency == "urgent", "urgent by its topic, not by anybody's choice"
    actions.accept_case(**by(world, "agent", "2026-11-24 23:46"), case=case)
    dispatching.dispatch_case(
        **by(world, "dispatcher", "2026-11-24 23:52"),
        case=case,
        lead=world.units["仓山城管"],
        assisting=[world.units["生态环境"]],
    )
    lead = world.lead(case)
    assert lead.first_measures_due_at == moment("2026-11-25 23:52")
    assert lead.due_at == moment("2026-11-28 00:00"), "Friday the 27th, 24:00"

    actions.read_task(**by(world, "城管联络", "2026-11-25 00:20"), task=lead)
    actions.take_first_measures(**by(world, "城管联络", "2026-11-25 01:05"), task=lead, text="已到场制止，责令停工。")
    below = actions.sub_dispatch(**by(world, "城管联络", "2026-11-25 08:40"), task=lead, unit=world.units["建新中队"])
    assert below.due_at == lead.due_at, "the lower unit never outlasts the upper"
    actions.read_task(**by(world, "中队联络", "2026-11-25 09:10"), task=below)
    actions.report_result(**by(world, "中队联络", "2026-11-26 10:00"), task=below, text="已约谈施工方，夜间巡查两次未再施工。")

    draft(world, case, "2026-11-26 14:00", "该工地已停止夜间施工。")
    with refused("reports_missing") as refusal:
        actions.sign_reply(**by(world, "城管领导", "2026-11-26 15:00"), task=lead)
    assert "福州市生态环境局" in refusal.value.sentence
    assert fresh(case).state == CaseState.IN_HANDLING, "the reply waits"
    actions.excuse_report(
        **by(world, "城管联络", "2026-11-26 15:10"), task=world.task_of(case, "生态环境"), reason="夜间已停工，无需监测。"
    )
    actions.sign_reply(**by(world, "城管领导", "2026-11-26 15:20"), task=lead)

    actions.send_back(**by(world, "auditor", "2026-11-26 16:30"), case=case, reasons=["no_process"])
    assert world.lead(case).state == TaskState.SENT_BACK
    assert world.lead(case).due_at == moment("2026-11-28 00:00"), "a working day is left: no more is given"
    draft(world, case, "2026-11-27 09:30", "11月25日凌晨1时执法人员到场核查，属实，当场责令停工，次日约谈施工方并夜间巡查两次。")
    actions.sign_reply(**by(world, "城管领导", "2026-11-27 10:00"), task=lead)
    actions.pass_reply(**by(world, "auditor", "2026-11-27 11:00"), case=case)
    followup.record_follow_up(
        **by(world, "follow_up", "2026-11-27 15:00"), case=case, reached=True, contacted=True, solved="yes", satisfaction="satisfied"
    )

    case = fresh(case)
    assert (case.state, case.ending, case.final_satisfaction) == (CaseState.CLOSED, Ending.HANDLED, "satisfied")
    assert codes(case) == [
        "submit", "accept", "dispatch", "read", "take_first_measures", "sub_dispatch", "read", "report", "draft_reply",
        "excuse_report", "sign_reply", "send_back", "draft_reply", "sign_reply", "pass_reply", "follow_up",
    ]  # fmt: skip
    replies = world.lead(case).replies.order_by("written_at")
    assert [(reply.state, reply.audit_reasons) for reply in replies] == [
        (ReplyState.SENT_BACK, ["no_process"]),
        (ReplyState.ACCEPTED, []),
    ]
    assert {task.state for task in case.tasks.exclude(unit=world.units["生态环境"])} == {TaskState.ACCEPTED}
    assert world.task_of(case, "生态环境").state == TaskState.TERMINATED, "excused: nobody waits for it"
    assert not verify().findings


def draft(world: World, case: Case, at: str, text: str) -> None:
    actions.draft_reply(**by(world, "城管联络", at), task=world.lead(case), text=text, **REPLY)


# --- 2 to 5: the calendar ----------------------------------------------------------------------------------------


def test_before_spring_festival(world: World) -> None:
    """Friday 13 February, 16:50, three working days: the 14th works, the 15th to 23rd rest, the 24th and 25th work."""
    world.now = moment("2026-02-13 16:40")
    task = world.lead(dispatched(world, "2026-02-13 16:50", kind=RequestKind.HELP))
    assert task.due_at == moment("2026-02-26 00:00")
    assert "2月25日（周三）24:00 前" in sentence(task)
    assert "春节" in sentence(task)
    assert not task.provisional


def test_before_national_day(world: World) -> None:
    """Wednesday 30 September, 15:00, to be read within one working day: Thursday 8 October, 24:00; then the system reads."""
    world.now = moment("2026-09-30 14:50")
    case = dispatched(world, "2026-09-30 15:00")
    task = world.lead(case)
    assert task.read_due_at == moment("2026-10-09 00:00")
    with refused("not_due_yet"):
        actions.read_automatically(at=moment("2026-10-08 23:59"), task=task)
    actions.read_automatically(at=moment("2026-10-09 00:00"), task=task)
    task.refresh_from_db()
    assert (task.state, task.read_automatically, task.read_by) == (TaskState.HANDLING, True, None)
    entry = case.timeline.latest("seq")
    assert (entry.code, entry.actor_label) == ("read_automatically", "系统")
    assert "不计及时" in entry.payload["summary"]
    with refused("wrong_task_state"):
        actions.read_task(**by(world, "城管联络", "2026-10-09 08:30"), task=task)


def test_make_up_sunday(world: World) -> None:
    """Friday 24 January 2025, three working days: Sunday 26 and Monday 27 work, 28 January to 4 February rest, the 5th works."""
    world.now = moment("2025-01-24 10:00")
    task = world.lead(dispatched(world, "2025-01-24 10:30", kind=RequestKind.HELP))
    assert task.due_at == moment("2025-02-06 00:00")
    assert "2月5日（周三）24:00 前" in sentence(task)


def test_a_year_without_a_calendar(world: World) -> None:
    """A limit that ends in 2027 is provisional until the notice comes; then it is counted again and says so."""
    world.now = moment("2026-12-30 10:00")
    case = dispatched(world, "2026-12-30 10:30", kind=RequestKind.HELP)
    task = world.lead(case)
    assert (task.due_at, task.provisional) == (moment("2027-01-05 00:00"), True), "by weekends: 31 December, 1 and 4 January"
    assert "暂定" in sentence(task)
    assert fresh(case).provisional
    assert worktime.years_missing(world.now) == [2027], "what the administrator is alarmed by"

    holiday = [NamedDay(date(2027, 1, day), False, "元旦") for day in (1, 2, 3)]
    at = moment("2026-12-31 09:00")
    calendars.load_year(actor=None, at=at, year=2027, days=holiday, notice="国办发明电〔2026〕9号")
    assert worktime.years_missing(at) == []
    assert actions.recount_case(at=at, case=case)
    task.refresh_from_db()
    assert (task.due_at, task.provisional) == (moment("2027-01-06 00:00"), False)
    assert not fresh(case).provisional
    entry = case.timeline.latest("seq")
    assert entry.code == "recount" and "日历更新，重新计算时限" in entry.payload["summary"]
    assert not actions.recount_case(at=at, case=case), "once is enough"
    assert not verify().findings


# --- 6 and 7: whose duty -----------------------------------------------------------------------------------------


def ask_return(world: World, who: str, at: str, case: Case, to: str) -> None:
    actions.request_return(
        **by(world, who, at),
        task=world.lead(case),
        reason_code="duty",
        reason="该路段未移交我局。",
        basis="三定方案第四条",
        proposed_unit=world.units[to],
    )


def test_not_mine_upheld(world: World) -> None:
    """The return is upheld: against the first dispatch; the second unit's clock starts, the citizen's goes on."""
    world.now = moment("2026-11-24 09:00")
    case = dispatched(world, "2026-11-24 10:00", "生态环境")
    citizen_due, first = fresh(case).citizen_due_at, world.lead(case)
    actions.read_task(**by(world, "城管联络", "2026-11-24 14:00"), task=first)
    ask_return(world, "城管联络", "2026-11-25 09:00", case, "水务")
    actions.decide_return(**by(world, "auditor", "2026-11-25 11:00"), task=first, grant=True, note="职责确属水务")

    case = fresh(case)
    assert (case.state, case.first_dispatch_wrong, case.citizen_due_at) == (CaseState.TO_DISPATCH, True, citizen_due)
    assert case.stage_due_at == moment("2026-11-27 00:00"), "the centre's own clock for dispatching again"
    first.refresh_from_db()
    assert first.state == TaskState.RETURNED
    assert world.task_of(case, "生态环境").state == TaskState.RECALLED, "no unit is left with a share of nothing"
    assert not Case.objects.visible_to(world["城管联络"]).exists(), "the unit has nothing more to do with it"

    dispatching.dispatch_case(**by(world, "dispatcher", "2026-11-26 09:00"), case=case, lead=world.units["水务"])
    assert world.lead(case).due_at == moment("2026-12-02 00:00")
    case = fresh(case)
    assert case.citizen_due_at == citizen_due
    assert case.dispatched_at == moment("2026-11-24 10:00"), "the first dispatch stays on record"


def test_not_mine_refused(world: World) -> None:
    """The return is refused: it stays, counts against the unit, and a second request is refused at once."""
    world.now = moment("2026-11-24 09:00")
    case = dispatched(world, "2026-11-24 10:00")
    task = world.lead(case)
    actions.read_task(**by(world, "城管联络", "2026-11-24 14:00"), task=task)
    ask_return(world, "城管联络", "2026-11-24 15:00", case, "水务")
    actions.decide_return(**by(world, "auditor", "2026-11-24 16:00"), task=task, grant=False, note="三定方案第六条明确归你局")
    task.refresh_from_db()
    assert (task.state, task.due_at) == (TaskState.HANDLING, moment("2026-11-28 00:00")), "its clock never stood still"
    assert task.asks.get().state == AskState.REFUSED, "what counts against the unit"
    assert not fresh(case).first_dispatch_wrong
    with refused("returned_before"):
        ask_return(world, "城管联络", "2026-11-24 16:30", case, "水务")


def test_not_mine_too_late(world: World) -> None:
    """After the limit that began with reading no return can be asked for."""
    world.now = moment("2026-11-24 09:00")
    case = dispatched(world, "2026-11-24 10:00")
    actions.read_task(**by(world, "城管联络", "2026-11-24 14:00"), task=world.lead(case))
    with refused("return_too_late"):
        ask_return(world, "城管联络", "2026-11-26 00:00", case, "水务")


def test_three_units_quarrel(world: World) -> None:
    """A manhole cover: study, site coordination with minutes, a ruling; whom the ruling names cannot return it."""
    world.now = moment("2026-11-24 09:00")
    case = world.accepted(text="井盖翻了，商场、道路和内河都说不归自己管。", topic=world.topics["道路塌陷"])
    dispatching.send_to_study(**by(world, "dispatcher", "2026-11-24 10:00"), case=case, reason="三家单位均称非本单位职责")
    assert fresh(case).state == CaseState.IN_STUDY
    dispatching.conclude_study(
        **by(world, "hotline_leader", "2026-11-25 16:00"),
        case=case,
        conclusion="现场协调会纪要：井盖位于雨水管网，由水务承办。",
        ruled_unit=world.units["水务"],
    )
    entry = case.timeline.latest("seq")
    assert entry.payload["summary"] == "研判结论：指定福州水务承办"
    assert "纪要" in entry.note
    dispatching.dispatch_case(**by(world, "dispatcher", "2026-11-25 16:30"), case=case, lead=world.units["水务"])
    actions.read_task(**by(world, "水务联络", "2026-11-25 17:00"), task=world.lead(case))
    with refused("assigned_by_ruling"):
        ask_return(world, "水务联络", "2026-11-25 17:30", case, "仓山城管")
    assert fresh(case).state == CaseState.IN_HANDLING


# --- 8. report of wrongdoing -------------------------------------------------------------------------------------


def test_report_of_wrongdoing(world: World) -> None:
    """Against an official of the enforcement unit, in confidence: it, its parent and its children neither get it nor know of it."""
    world.now = moment("2026-11-24 09:00")
    case = world.accepted(
        kind=RequestKind.REPORT,
        text="我是林小满，13800138000，住 302 室，队长收了施工方的钱。",
        accused_unit=world.units["仓山城管"],
    )
    assert case.confidential, "by default"
    for unit in ("仓山城管", "仓山区政府", "建新中队"):
        with refused("accused_unit"):
            dispatching.dispatch_case(
                **by(world, "dispatcher", "2026-11-24 10:00"), case=case, lead=world.units[unit], unit_text="有人反映执法人员收钱。"
            )
    with refused("unit_text_required"):
        dispatching.dispatch_case(**by(world, "dispatcher", "2026-11-24 10:05"), case=case, lead=world.units["仓山住建"])
    # A neighbour of the accused under the same government: the government above both must not learn of it through the neighbour.
    liaison = User.objects.create(
        username="zj", display_name="住建联络", roles=["unit_liaison"], unit=world.units["仓山住建"], password="!"
    )
    dispatching.dispatch_case(
        **by(world, "dispatcher", "2026-11-24 10:10"),
        case=case,
        lead=world.units["仓山住建"],
        unit_text="有人反映某执法人员收钱。",
    )
    seen = queries.case_for(liaison, str(case.number))
    shown = scope.disclosure_for(liaison, seen, list(case.tasks.all()))
    assert not (shown.person or shown.uncover or shown.words or shown.files)
    with refused("forbidden"):
        actions.uncover_applicant(actor=liaison, at=world.now, case=seen, reason="想联系")
    for name in ("城管联络", "城管领导", "区政府联络", "区政府领导", "中队联络", "水务联络", "agent2", "analyst", "system_admin"):
        assert not Case.objects.visible_to(world[name]).exists(), name
        assert not Task.objects.filter(scope.visible_tasks(world[name])).exists(), name


# --- 11. unsatisfied ---------------------------------------------------------------------------------------------


def test_unsatisfied_with_good_reason(world: World) -> None:
    """Second handling at a higher level, once, with its own limit; first and final rating are both kept."""
    world.now = moment("2026-11-24 09:00")
    case = world.audited()
    hear = {"reached": True, "solved": "no", "satisfaction": "unsatisfied"}
    followup.record_follow_up(**by(world, "follow_up", "2026-11-25 09:00"), case=case, **hear)
    assert fresh(case).state == CaseState.TO_FOLLOW_UP, "a bad verdict waits for judgement"
    followup.start_second_handling(
        **by(world, "follow_up", "2026-11-25 09:30"), case=case, unit=world.units["仓山区政府"], reason="当晚又施工，确未解决"
    )
    case = fresh(case)
    assert (case.round, case.second_handling, case.state) == (2, True, CaseState.IN_HANDLING)
    assert case.citizen_due_at == world.lead(case).due_at == moment("2026-12-03 00:00"), "five working days of its own"
    assert not Case.objects.visible_to(world["水务联络"]).exists()

    task = world.lead(case)
    actions.read_task(**by(world, "区政府联络", "2026-11-25 14:00"), task=task)
    actions.draft_reply(**by(world, "区政府联络", "2026-11-27 10:00"), task=task, text="区政府现场协调，已拆除设备。", **REPLY)
    actions.sign_reply(**by(world, "区政府领导", "2026-11-27 11:00"), task=task)
    actions.pass_reply(**by(world, "auditor", "2026-11-27 14:00"), case=case)
    followup.record_follow_up(
        **by(world, "follow_up2", "2026-11-30 09:00"), case=case, reached=True, solved="yes", satisfaction="satisfied"
    )
    case = fresh(case)
    assert (case.first_satisfaction, case.first_solved) == ("unsatisfied", "no")
    assert (case.final_satisfaction, case.final_solved) == ("satisfied", "yes")
    assert case.state == CaseState.CLOSED
    assert not verify().findings


def test_unsatisfied_twice(world: World) -> None:
    """Second handling comes once."""
    case = world.audited()
    followup.rate_case(at=world.later(hours=1), case=case, satisfaction="unsatisfied", solved="no")
    followup.start_second_handling(
        **by(world, "follow_up", world.later(hours=1)), case=case, unit=world.units["仓山区政府"], reason="确未解决"
    )
    task = world.lead(case)
    actions.read_task(**by(world, "区政府联络", world.later(hours=1)), task=task)
    actions.draft_reply(**by(world, "区政府联络", world.later(hours=1)), task=task, text="已再次核查。", **REPLY)
    actions.sign_reply(**by(world, "区政府领导", world.later(hours=1)), task=task)
    actions.pass_reply(**by(world, "auditor", world.later(hours=1)), case=case)
    followup.rate_case(at=world.later(hours=1), case=case, satisfaction="unsatisfied", solved="no")
    with refused("second_handling_used"):
        followup.start_second_handling(
            **by(world, "follow_up2", world.later(hours=1)), case=case, unit=world.units["福州市"], reason="仍未解决"
        )
    followup.close_after_rating(**by(world, "follow_up2", world.later(hours=1)), case=case, reason="已两次核查，依法不能支持")
    assert fresh(case).final_satisfaction == "unsatisfied"


def test_an_unreasonable_demand(world: World) -> None:
    """Set aside only after approval; the original rating is still there."""
    case = world.audited()
    followup.rate_case(at=world.later(hours=1), case=case, satisfaction="unsatisfied", solved="no")
    actions.request_set_aside(
        **by(world, "城管联络", world.later(hours=1)), task=world.lead(case), reason="要求赔偿一百万", basis="民法典第一千一百六十五条"
    )
    assert not fresh(case).set_aside
    actions.decide_set_aside(**by(world, "auditor", world.later(hours=1)), task=world.lead(case), grant=True, note="超出法律规定")
    case = fresh(case)
    assert (case.set_aside, case.first_satisfaction) == (True, "unsatisfied")
    with refused("already_set_aside"):
        followup.start_second_handling(
            **by(world, "follow_up", world.later(hours=1)), case=case, unit=world.units["仓山区政府"], reason="重办"
        )


# --- 18. the auditor of the audit --------------------------------------------------------------------------------

BY_HAND = {
    "who": ("UPDATE cases_timelineentry SET actor_label = '别人' WHERE id = %s", "altered"),
    "when": ("UPDATE cases_timelineentry SET at = at - interval '1 day' WHERE id = %s", "altered"),
    "what": ("UPDATE cases_timelineentry SET payload = jsonb_set(payload, '{summary}', '\"按时查阅\"') WHERE id = %s", "altered"),
    "why": ("UPDATE cases_timelineentry SET note = '改过的话' WHERE id = %s", "note_altered"),
    "gone": ("DELETE FROM cases_timelineentry WHERE id = %s", "missing"),
}


@pytest.mark.parametrize("what", BY_HAND)
def test_someone_alters_one_row_by_hand(by_hand: Callable[..., int], what: str) -> None:
    """A superuser who switches the triggers off leaves a trace that verify names."""
    world = build()
    case = world.handling()
    actions.urge_case(**by(world, "supervisor", world.later(hours=1)), case=case, reason="已三次来电")
    assert not verify().findings
    statement, kind = BY_HAND[what]
    entry = case.timeline.get(code="urge" if what == "why" else "accept")
    assert by_hand(statement, entry.pk) == 1
    findings = verify().findings
    assert [(found.kind, found.owner, found.seq) for found in findings] == [(kind, case.pk, entry.seq)]
    assert str(entry.seq) in findings[0].sentence
