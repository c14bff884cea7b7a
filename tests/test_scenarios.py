"""Days in the life, told by their actions: deadlines on real calendars, returns, rulings, secrecy, second handling.

Each test is one story that a release must survive; the dates are those of the State Council's notices for 2025 and 2026.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from procrastinate.contrib.django.models import ProcrastinateJob

from minsheng.audit.queries import verify
from minsheng.cases import actions, clocks, tasks
from minsheng.cases.choices import AskState, CaseState, Channel, Ending, ReplyState, RequestKind, TaskState
from minsheng.cases.models import Case, Task
from minsheng.cases.tests.stories import by, case_screen, clock_at, refused
from minsheng.cases.tests.world import World, build, fresh, moment
from minsheng.dispatching import actions as dispatching
from minsheng.dispatching.proposals import propose
from minsheng.followup import actions as followup
from minsheng.ui import alarms
from minsheng.worktime import actions as calendars
from minsheng.worktime.actions import NamedDay

REPLY: dict[str, Any] = {"finding": "true", "outcome": "supported", "solved": "yes", "basis": "《噪声污染防治法》第四十三条"}


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


def actions_of(shown: str) -> str:
    """The part of a case page between its clocks and what is said of the citizen: what may be done now."""
    return shown.partition("怎么算的")[2].partition("诉求人")[0]


def codes(case: Case) -> list[str]:
    return list(case.timeline.order_by("seq").values_list("code", flat=True))


# --- 1. night noise ----------------------------------------------------------------------------------------------


def test_night_noise(world: World) -> None:
    """A building site drills at 23:40; the county's enforcement unit leads, ecology assists, the street of the place goes out."""
    world.topics["夜间施工噪声"].urgent = True
    world.topics["夜间施工噪声"].save()
    world.now = moment("2026-11-24 23:40")
    assert world.now.strftime("%A") == "Tuesday"
    case = world.submitted(place=world.places["仓山区"])
    assert (case.channel, case.kind) == (Channel.PHONE, RequestKind.COMPLAINT)
    assert case.topic is not None and case.topic.on_convenience_list
    assert case.urgency == "urgent", "urgent by its topic, not by anybody's choice"
    actions.accept_case(**by(world, "agent", "2026-11-24 23:52"), case=case)
    first = propose(fresh(case), at=world.now)[0]
    assert (first.unit, first.key) == (world.units["仓山城管"], "1"), "the county's enforcement unit is one key away"
    dispatching.dispatch_case(
        **by(world, "dispatcher", "2026-11-24 23:52"),
        case=case,
        lead=world.units["仓山城管"],
        assisting=[world.units["生态环境"]],
    )
    lead = world.lead(case)
    assert lead.first_measures_due_at == moment("2026-11-25 23:52")
    assert lead.due_at == moment("2026-11-28 00:00"), "Friday the 27th, 24:00"
    shown = case_screen(world, "城管联络", case)
    assert "先行处置时限 剩 1 天 11-25 周三 23:52 前" in shown
    assert "11月27日（周五）24:00 前 · 投诉 3 个工作日，自 11月24日 批转次日起算" in shown

    actions.read_task(**by(world, "城管联络", "2026-11-25 00:20"), task=lead)
    actions.take_first_measures(**by(world, "城管联络", "2026-11-25 01:05"), task=lead, text="已到场制止，责令停工。")
    below = actions.sub_dispatch(**by(world, "城管联络", "2026-11-25 08:40"), task=lead, unit=world.units["建新镇"])
    assert below.due_at == lead.due_at, "the lower unit never outlasts the upper"
    actions.read_task(**by(world, "建新联络", "2026-11-25 09:10"), task=below)
    actions.report_result(**by(world, "建新联络", "2026-11-26 10:00"), task=below, text="已约谈施工方，夜间巡查两次未再施工。")

    draft(world, case, "2026-11-26 14:00", "该工地已停止夜间施工。")
    with refused("reports_missing") as refusal:
        actions.sign_reply(**by(world, "城管领导", "2026-11-26 15:00"), task=lead)
    assert "福州市生态环境局" in refusal.value.sentence
    assert fresh(case).state == CaseState.IN_HANDLING, "the reply waits"
    assert world.now.strftime("%A") == "Thursday"
    actions.excuse_report(
        **by(world, "城管联络", "2026-11-26 15:10"), task=world.task_of(case, "生态环境"), reason="夜间已停工，无需监测。"
    )
    assert case.timeline.get(code="excuse_report").note == "夜间已停工，无需监测。", "the excuse is on record"
    actions.sign_reply(**by(world, "城管领导", "2026-11-26 15:20"), task=lead)

    actions.send_back(**by(world, "auditor", "2026-11-26 16:30"), case=case, reasons=["no_process"])
    assert world.lead(case).state == TaskState.SENT_BACK
    assert "无办理过程" in case_screen(world, "城管联络", case)
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
    case = dispatched(world, "2026-02-13 16:50", kind=RequestKind.HELP)
    assert world.now.strftime("%A") == "Friday"
    task = world.lead(case)
    assert task.due_at == moment("2026-02-26 00:00") and not task.provisional
    assert sentence(task) == (
        "2月25日（周三）24:00 前 · 求助 3 个工作日，自 2月13日 批转次日起算，跳过 2月15日至23日春节，2月14日（周六）调休上班计入"
    )
    for who in ("城管联络", "dispatcher", "supervisor"):
        assert sentence(task) in case_screen(world, who, case), who


def test_before_national_day(world: World) -> None:
    """Wednesday 30 September, 15:00, to be read within one working day: Thursday 8 October, 24:00; then the worker reads."""
    world.now = moment("2026-09-30 14:50")
    case = dispatched(world, "2026-09-30 15:00")
    assert world.now.strftime("%A") == "Wednesday"
    task = world.lead(case)
    assert task.read_due_at == moment("2026-10-09 00:00")
    shown = case_screen(world, "城管联络", case)
    assert "10月8日（周四）24:00 前 · 查阅 1 个工作日，自 9月30日 批转次日起算，跳过 10月1日至7日国庆节" in shown
    with refused("not_due_yet"):
        actions.read_automatically(at=moment("2026-10-08 23:59"), task=task)
    worker_ticks(world, "2026-10-08 23:59")
    task.refresh_from_db()
    assert task.state == TaskState.TO_READ
    worker_ticks(world, "2026-10-09 00:00")
    task.refresh_from_db()
    assert (task.state, task.read_at, task.read_automatically, task.read_by) == (TaskState.HANDLING, world.now, True, None)
    entry = case.timeline.latest("seq")
    assert (entry.code, entry.actor_label, entry.at) == ("read_automatically", "系统", world.now)
    for who in ("城管联络", "supervisor"):
        shown = case_screen(world, who, case)
        assert "10-09 周五 00:00（自动）" in shown and "仓山区城市管理局逾期未查阅，系统自动查阅，不计及时" in shown
    worker_ticks(world, "2026-10-09 00:01")
    assert codes(case).count("read_automatically") == 1
    with refused("wrong_task_state"):
        actions.read_task(**by(world, "城管联络", "2026-10-09 08:30"), task=task)


def worker_ticks(world: World, at: str) -> None:
    """The worker's task of every minute, at this one."""
    world.now = moment(at)
    with clock_at(at):
        tasks.read_overdue(timestamp=0)


def test_make_up_sunday(world: World) -> None:
    """Friday 24 January 2025, three working days: Sunday 26 and Monday 27 work, 28 January to 4 February rest, the 5th works."""
    world.now = moment("2025-01-24 10:00")
    case = dispatched(world, "2025-01-24 10:30", kind=RequestKind.HELP)
    assert world.now.strftime("%A") == "Friday"
    task = world.lead(case)
    assert task.due_at == moment("2025-02-06 00:00")
    assert sentence(task) == (
        "2月5日（周三）24:00 前 · 求助 3 个工作日，自 1月24日 批转次日起算，跳过周六、1月28日至2月4日春节，1月26日（周日）调休上班计入"
    )
    assert sentence(task) in case_screen(world, "城管联络", case)


def calendar_alarms(at: datetime) -> list[str]:
    """What the system administrator is alarmed by, of calendars."""
    return [alarm.title for alarm in alarms.sounding(at) if "放假" in alarm.title or "暂定" in alarm.title]


def test_a_year_without_a_calendar(world: World, django_capture_on_commit_callbacks: Any) -> None:
    """A limit that ends in 2027 is provisional until the notice comes; then it is counted again and says so."""
    world.now = moment("2026-12-30 10:00")
    case = dispatched(world, "2026-12-30 10:30", kind=RequestKind.HELP)
    task = world.lead(case)
    assert (task.due_at, task.provisional) == (moment("2027-01-05 00:00"), True), "by weekends: 31 December, 1 and 4 January"
    assert fresh(case).provisional
    for who in ("城管联络", "dispatcher"):
        shown = case_screen(world, who, case)
        assert "时限暂定" in shown and "群众的时限 暂定" in shown
        assert "2027年1月4日（周一）24:00 前（暂定）" in shown and "2027 年放假安排未公布，按周末暂定" in shown
    assert calendar_alarms(world.now) == ["缺 2027 年放假安排，2 个在办时限是暂定的"], "the citizen's and the unit's"

    holiday = [NamedDay(date(2027, 1, day), False, "元旦") for day in (1, 2, 3)]
    at = world.now = moment("2026-12-31 09:00")
    with django_capture_on_commit_callbacks(execute=True):
        calendars.load_year(actor=world["system_admin"], at=at, year=2027, days=holiday, notice="国办发明电〔2026〕9号")
    assert ProcrastinateJob.objects.filter(task_name="cases.recount_provisional").count() == 1, "in the worker's hands"
    assert calendar_alarms(at) == ["还有 2 个在办时限是暂定的"], "until the worker has counted them again"
    with clock_at(at):
        tasks.recount_provisional()
    task.refresh_from_db()
    assert (task.due_at, task.provisional) == (moment("2027-01-06 00:00"), False)
    assert not fresh(case).provisional
    assert calendar_alarms(at) == []
    entry = case.timeline.latest("seq")
    assert entry.code == "recount" and "日历更新，重新计算时限" in entry.payload["summary"]
    for who in ("城管联络", "dispatcher"):
        shown = case_screen(world, who, case)
        assert "系统 日历更新，重新计算时限：群众时限 2027年1月6日（周三）24:00 前" in shown
        assert "2027 年放假安排公布后重算，原至 2027年1月4日 24:00" in shown and "时限暂定" not in shown
    assert not actions.recount_case(at=at, case=case), "once is enough"
    assert not verify().findings


# --- 6 and 7: whose duty -----------------------------------------------------------------------------------------


def ask_return(world: World, who: str, at: str, case: Case, to: str, basis: str = "三定方案第四条") -> None:
    actions.request_return(
        **by(world, who, at),
        task=world.lead(case),
        reason_code="duty",
        reason="该路段未移交我局。",
        basis=basis,
        proposed_unit=world.units[to],
    )


def test_not_mine_upheld(world: World) -> None:
    """The return is upheld: against the first dispatch; the second unit's clock starts, the citizen's goes on."""
    world.now = moment("2026-11-24 09:00")
    case = dispatched(world, "2026-11-24 10:00", "生态环境")
    citizen_due, first = fresh(case).citizen_due_at, world.lead(case)
    actions.read_task(**by(world, "城管联络", "2026-11-24 14:00"), task=first)
    assert "申请退件" in case_screen(world, "城管联络", case)
    with refused("reason_required"):
        ask_return(world, "城管联络", "2026-11-25 09:00", case, "水务", basis=" ")
    ask_return(world, "城管联络", "2026-11-25 09:00", case, "水务")
    assert "申请退件，建议由福州水务承办" in case_screen(world, "auditor", case)
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
    assert "不同意仓山区城市管理局退件" in (shown := case_screen(world, "城管联络", case)), "against the unit, for it to read"
    assert "拟写回复" in shown and "申请退件 " not in actions_of(shown), "a second request is not even offered"
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
    assert "申请退件" not in case_screen(world, "水务联络", case)
    with refused("assigned_by_ruling"):
        ask_return(world, "水务联络", "2026-11-25 17:30", case, "仓山城管")
    assert fresh(case).state == CaseState.IN_HANDLING


# --- 11. unsatisfied ---------------------------------------------------------------------------------------------


def test_unsatisfied_with_good_reason(world: World) -> None:
    """Second handling at a higher level, once, with its own limit; first and final rating are both kept."""
    world.now = moment("2026-11-24 09:00")
    case = world.audited()
    hear: dict[str, Any] = {"reached": True, "solved": "no", "satisfaction": "unsatisfied"}
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
    shown = case_screen(world, "follow_up", case)
    assert "首次评价 不满意 未解决" in shown and "最终评价 满意 解决" in shown
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


def test_unsatisfied_after_closing(world: World) -> None:
    """Nobody was reached, the case closed unrated, then the citizen says that nothing is solved: the same way is open to them."""
    case = world.audited()
    for give_up in (False, False, True):
        followup.record_follow_up(
            **by(world, "follow_up", world.later(hours=3)), case=case, reached=False, give_up=give_up
        )
    assert fresh(case).state == CaseState.CLOSED and not fresh(case).first_satisfaction
    followup.rate_case(at=world.later(days=2), case=case, satisfaction="unsatisfied", solved="no", contacted=False)
    shown = case_screen(world, "follow_up", case)
    assert "首次评价 不满意 未解决" in shown and "二次办理" in actions_of(shown) and "维持办结" in actions_of(shown)
    followup.start_second_handling(
        **by(world, "follow_up", world.later(hours=1)), case=case, unit=world.units["仓山区政府"], reason="确未解决"
    )
    assert (fresh(case).state, fresh(case).round) == (CaseState.IN_HANDLING, 2)
    task = world.lead(case)
    assert task.unit == world.units["仓山区政府"] and task.due_at == fresh(case).citizen_due_at
    actions.read_task(**by(world, "区政府联络", world.later(hours=1)), task=task)
    actions.draft_reply(**by(world, "区政府联络", world.later(hours=1)), task=task, text="已责令停工并处罚。", **REPLY)
    actions.sign_reply(**by(world, "区政府领导", world.later(hours=1)), task=task)
    actions.pass_reply(**by(world, "auditor", world.later(hours=1)), case=case)
    followup.rate_case(at=world.later(hours=1), case=case, satisfaction="satisfied", solved="yes")
    case = fresh(case)
    assert (case.state, case.first_satisfaction, case.final_satisfaction) == (CaseState.CLOSED, "unsatisfied", "satisfied")
    assert not verify().findings


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
    assert "首次评价 不满意 未解决" in (shown := case_screen(world, "follow_up", case)) and "不合理诉求，原评价保留" in shown
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
    out = StringIO()
    with pytest.raises(SystemExit, match="1"):
        call_command("audit_verify", stdout=out)
    told = [line for line in out.getvalue().splitlines() if line.startswith("✗")]
    assert len(told) == 1 and f"cases.timelineentry {case.pk}" in told[0] and f"第 {entry.seq} 条" in told[0]
