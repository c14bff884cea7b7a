"""What units do with a task: reading, reaching out, handing down, reporting, writing, signing; and the limits of each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from minsheng.accounts.models import User
from minsheng.cases import actions, clocks, desk_queries, work
from minsheng.cases.choices import CaseState, ReplyState, TaskRole, TaskState, Urgency
from minsheng.cases.models import Case, Reply, Task
from minsheng.cases.tests.world import World, build, fresh, moment
from minsheng.errors import Refused
from minsheng.organisations.choices import PlaceLevel, UnitKind
from minsheng.organisations.models import Place, Unit

REPLY = {
    "text": "经现场核查，已停止施工。",
    "finding": "true",
    "outcome": "supported",
    "solved": "yes",
    "basis": "《噪声污染防治法》",
}


def refused(code: str, act: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as caught:
        act()
    assert caught.value.code == code, caught.value
    return caught.value


def reload(task: Task) -> Task:
    return Task.objects.select_related("case", "unit").get(pk=task.pk)


def sub(world: World, case: Case, unit: str, *, by: str = "城管联络", of: Task | None = None) -> Task:
    return actions.sub_dispatch(
        actor=world[by], at=world.later(minutes=5), task=of or world.lead(case), unit=world.units[unit]
    )


def report(world: World, task: Task, by: str, text: str = "已处理。") -> Reply:
    return actions.report_result(actor=world[by], at=world.later(minutes=20), task=task, text=text)


# --- reading -----------------------------------------------------------------------------------------------------


def test_reading_in_time_is_timely_and_starts_the_time_for_return(world: World) -> None:
    case = world.handling()
    task = world.lead(case)
    assert (task.state, task.read_by, task.read_automatically) == (TaskState.HANDLING, world["城管联络"], False)
    assert task.return_due_at == moment("2026-11-26 00:00")
    entry = case.timeline.get(code="read")
    assert entry.payload["facts"] == {"timely": True}


def test_reading_at_the_limit_itself_is_late(world: World) -> None:
    task = world.lead(world.dispatched())
    actions.read_task(actor=world["城管联络"], at=task.read_due_at, task=task)
    assert task.case.timeline.get(code="read").payload["facts"] == {"timely": False}


def test_only_the_unit_itself_reads(world: World) -> None:
    task = world.lead(world.dispatched())
    refused("not_found", lambda: actions.read_task(actor=world["水务联络"], at=world.now, task=task))
    # The unit above sees the case, and still does not read in the other's name.
    refused("not_your_unit", lambda: actions.read_task(actor=world["区政府联络"], at=world.now, task=task))
    refused("not_found", lambda: actions.read_task(actor=world["system_admin"], at=world.now, task=task))


def test_reading_twice_is_refused(world: World) -> None:
    task = world.lead(world.handling())
    refused("wrong_task_state", lambda: actions.read_task(actor=world["城管联络"], at=world.now, task=task))


# --- reaching the citizen ----------------------------------------------------------------------------------------


def reach(world: World, task: Task, at: Any, *, reached: bool = True) -> Any:
    return actions.reach_out(
        actor=world["城管联络"],
        at=world.now,
        task=task,
        reached_at=at,
        method="phone",
        reached=reached,
        summary="约定今晚到场",
    )


def test_the_first_contact_is_the_earliest_that_reached(world: World) -> None:
    task = world.lead(world.handling())
    world.later(hours=3)
    reach(world, task, moment("2026-11-24 10:00"), reached=False)
    assert reload(task).first_contact_at is None
    reach(world, task, moment("2026-11-24 12:00"))
    reach(world, task, moment("2026-11-24 11:00"))  # written down later
    reach(world, task, moment("2026-11-24 12:30"))
    assert reload(task).first_contact_at == moment("2026-11-24 11:00")
    assert task.outreaches.count() == 4


def test_nobody_was_reached_in_the_future_or_before_the_request(world: World) -> None:
    task = world.lead(world.handling())
    refused("invalid", lambda: reach(world, task, world.now.replace(hour=23)))
    refused("invalid", lambda: reach(world, task, moment("2025-11-24 09:40")))
    refused(
        "reason_required",
        lambda: actions.reach_out(
            actor=world["城管联络"],
            at=world.now,
            task=task,
            reached_at=world.now,
            method="phone",
            reached=True,
            summary=" ",
        ),
    )


def test_an_urgent_case_owes_first_measures_once(world: World) -> None:
    task = world.lead(world.handling(urgency=Urgency.URGENT))
    assert task.first_measures_due_at == moment("2026-11-25 09:15")
    derivation = clocks.of(task.first_measures_derivation)
    assert derivation is not None and derivation.policy == "first_measures.urgent"
    assert derivation.sentence() == "11月25日（周三）09:15 前 · 先行处置 24 小时，自 11月24日 09:15 批转起算"
    assert (task.first_measures_yellow_at, task.first_measures_orange_at) == (moment("2026-11-25 03:15"), moment("2026-11-25 08:15"))
    actions.take_first_measures(actor=world["城管联络"], at=world.later(hours=1), task=task, text="已派人到场")
    assert reload(task).first_measures_at == world.now
    refused(
        "no_first_measures",
        lambda: actions.take_first_measures(actor=world["城管联络"], at=world.now, task=task, text="再次"),
    )


def test_an_ordinary_case_owes_none(world: World) -> None:
    task = world.lead(world.handling())
    refused(
        "no_first_measures",
        lambda: actions.take_first_measures(actor=world["城管联络"], at=world.now, task=task, text="派人"),
    )


# --- down the tree -----------------------------------------------------------------------------------------------


def test_three_levels_each_with_its_own_clock_within_the_one_above(world: World) -> None:
    case = world.dispatched(lead="仓山区政府")
    county = world.lead(case)
    actions.read_task(actor=world["区政府联络"], at=world.later(minutes=5), task=county)
    world.later(days=1)  # Wednesday: three days from here would end on Monday
    bureau = sub(world, case, "仓山城管", by="区政府联络")
    assert (bureau.role, bureau.parent_id, bureau.due_at) == (TaskRole.SUB, county.pk, county.due_at)
    assert bureau.read_due_at == moment("2026-11-27 00:00")
    actions.read_task(actor=world["城管联络"], at=world.later(minutes=5), task=bureau)
    team = sub(world, case, "建新中队", of=bureau)
    assert (team.parent_id, team.due_at) == (bureau.pk, county.due_at)
    assert team.derivation["adjustments"][0]["type"] == "cap"


def test_what_is_late_above_is_not_late_at_once_below(world: World) -> None:
    case = world.handling()
    world.now = moment("2026-11-30 10:00")  # Monday; the lead's limit ended on Friday
    task = sub(world, case, "建新中队")
    assert task.due_at == moment("2026-12-02 00:00")
    assert task.read_due_at <= task.due_at


def test_only_units_below_and_only_once(world: World) -> None:
    case = world.handling()
    refused("not_below", lambda: sub(world, case, "水务"))
    refused("not_below", lambda: sub(world, case, "仓山区政府"))
    refused("not_below", lambda: sub(world, case, "仓山城管"))
    sub(world, case, "建新中队")
    refused("unit_twice", lambda: sub(world, case, "建新中队"))


def test_a_bureau_turns_to_the_street_where_it_happened_and_to_no_other(world: World) -> None:
    """属地: streets stand under the county's government; another street, and another county's, have no part in it."""
    county = world.units["仓山区政府"]
    other = Place.objects.create(code="350104001", name="仓前街道", level=PlaceLevel.STREET, parent=world.places["仓山区"])
    there = Unit.objects.create(code=other.code, name="仓前街道办事处", kind=UnitKind.STREET, parent=county, place=other)
    case = world.handling()
    below = sub(world, case, "建新镇")
    assert (below.role, below.parent_id) == (TaskRole.SUB, world.lead(case).pk)
    assert Case.objects.visible_to(world["建新联络"]).filter(pk=case.pk).exists()
    assert [t.unit for t in desk_queries.tasks_below(world["城管联络"])] == [world.units["建新镇"]], "the bureau follows it"
    world.units["仓前"] = there
    refused("not_below", lambda: sub(world, case, "仓前"))
    nowhere = world.handling(place=world.places["仓山区"])
    sub(world, nowhere, "仓前")  # which street is not known: the bureau knows
    squad = sub(world, nowhere, "建新中队")
    actions.read_task(actor=world["中队联络"], at=world.now, task=squad)
    refused("not_below", lambda: sub(world, nowhere, "建新镇", by="中队联络", of=squad))


def test_an_assisting_unit_does_its_own_share(world: World) -> None:
    case = world.handling("生态环境")
    task = world.task_of(case, "生态环境")
    actions.read_task(actor=world["环境联络"], at=world.later(minutes=5), task=task)
    refused("only_lead", lambda: sub(world, case, "建新中队", by="环境联络", of=task))


def test_a_lower_unit_returns_to_the_one_above_and_what_it_handed_on_ends(world: World) -> None:
    case = world.dispatched(lead="仓山区政府")
    actions.read_task(actor=world["区政府联络"], at=world.later(minutes=5), task=world.lead(case))
    bureau = sub(world, case, "仓山城管", by="区政府联络")
    actions.read_task(actor=world["城管联络"], at=world.later(minutes=5), task=bureau)
    team = sub(world, case, "建新中队", of=bureau)
    actions.return_to_parent(actor=world["城管联络"], at=world.later(minutes=5), task=bureau, reason="属住建职责")
    assert reload(bureau).state == TaskState.RETURNED
    assert reload(team).state == TaskState.RECALLED
    assert not Case.objects.visible_to(world["中队联络"]).filter(pk=case.pk).exists()
    again = sub(world, case, "仓山城管", by="区政府联络")  # may be given to it once more
    assert again.pk != bureau.pk


def test_what_the_hotline_dispatched_is_not_returned_to_a_parent(world: World) -> None:
    task = world.lead(world.handling())
    refused("not_sub", lambda: actions.return_to_parent(actor=world["城管联络"], at=world.now, task=task, reason="x"))


# --- reports -----------------------------------------------------------------------------------------------------


def test_the_reply_waits_for_every_report_or_an_excuse(world: World) -> None:
    case = world.drafted("生态环境", "水务")
    lead, ecology, water = world.lead(case), world.task_of(case, "生态环境"), world.task_of(case, "水务")
    sign = lambda: actions.sign_reply(actor=world["城管领导"], at=world.later(minutes=5), task=lead)  # noqa: E731
    told = refused("reports_missing", sign)
    assert told.details["units"] == "福州市生态环境局、福州水务"
    actions.read_task(actor=world["环境联络"], at=world.later(minutes=5), task=ecology)
    report(world, ecology, "环境联络")
    assert refused("reports_missing", sign).details["units"] == "福州水务"
    actions.excuse_report(
        actor=world["城管联络"], at=world.later(minutes=5), task=water, reason="与水务无关，已电话核实"
    )
    refused(
        "already_excused", lambda: actions.excuse_report(actor=world["城管联络"], at=world.now, task=water, reason="x")
    )
    sign()
    assert fresh(case).state == CaseState.TO_AUDIT
    assert case.timeline.get(code="excuse_report").note == "与水务无关，已电话核实"


def test_an_excused_unit_is_let_go_when_the_reply_passes(world: World) -> None:
    case = world.drafted("水务")
    water = world.task_of(case, "水务")
    actions.excuse_report(actor=world["城管联络"], at=world.later(minutes=5), task=water, reason="无关")
    actions.sign_reply(actor=world["城管领导"], at=world.later(minutes=5), task=world.lead(case))
    actions.pass_reply(actor=world["auditor"], at=world.later(hours=1), case=case)
    assert reload(water).state == TaskState.TERMINATED


def test_each_level_waits_for_its_own_reports_only(world: World) -> None:
    case = world.dispatched(lead="仓山区政府")
    county = world.lead(case)
    actions.read_task(actor=world["区政府联络"], at=world.later(minutes=5), task=county)
    bureau = sub(world, case, "仓山城管", by="区政府联络")
    actions.read_task(actor=world["城管联络"], at=world.later(minutes=5), task=bureau)
    team = sub(world, case, "建新中队", of=bureau)
    refused("reports_missing", lambda: report(world, bureau, "城管联络"))
    # The county cannot excuse for the bureau, but the bureau itself: then nothing further down holds the reply.
    refused(
        "not_your_unit", lambda: actions.excuse_report(actor=world["区政府联络"], at=world.now, task=team, reason="x")
    )
    actions.excuse_report(actor=world["区政府联络"], at=world.later(minutes=5), task=bureau, reason="已直接到场")
    actions.draft_reply(actor=world["区政府联络"], at=world.later(minutes=5), task=county, **REPLY)
    actions.sign_reply(actor=world["区政府领导"], at=world.later(minutes=5), task=county)
    assert fresh(case).state == CaseState.TO_AUDIT


def test_a_report_sent_back_gets_time_and_comes_again(world: World) -> None:
    case = world.handling("生态环境")
    ecology = world.task_of(case, "生态环境")
    actions.read_task(actor=world["环境联络"], at=world.later(minutes=5), task=ecology)
    world.now = moment("2026-11-27 16:00")  # Friday, the last day
    report(world, ecology, "环境联络")
    actions.send_report_back(actor=world["城管联络"], at=world.later(minutes=5), task=ecology, reason="没有检测数据")
    again = reload(ecology)
    assert (again.state, again.sent_back_times, again.due_at) == (TaskState.SENT_BACK, 1, moment("2026-12-01 00:00"))
    report(world, ecology, "环境联络", "检测 52 分贝")
    assert reload(ecology).state == TaskState.REPLIED
    assert ecology.replies.count() == 2


def test_only_the_lead_sends_a_report_back_and_only_others_report(world: World) -> None:
    case = world.handling("生态环境", "水务")
    ecology = world.task_of(case, "生态环境")
    actions.read_task(actor=world["环境联络"], at=world.later(minutes=5), task=ecology)
    report(world, ecology, "环境联络")
    refused(
        "not_your_unit",
        lambda: actions.send_report_back(actor=world["水务联络"], at=world.now, task=ecology, reason="x"),
    )
    refused("lead_replies", lambda: report(world, world.lead(case), "城管联络"))


# --- the reply ---------------------------------------------------------------------------------------------------


def test_a_leader_signs_what_the_liaison_wrote(world: World) -> None:
    case = world.drafted()
    task = world.lead(case)
    refused("forbidden", lambda: actions.sign_reply(actor=world["城管联络"], at=world.now, task=task))
    refused(
        "waits_for_signature", lambda: actions.draft_reply(actor=world["城管联络"], at=world.now, task=task, **REPLY)
    )
    reply = actions.sign_reply(actor=world["城管领导"], at=world.later(minutes=5), task=task)
    assert (reply.state, reply.signed_by) == (ReplyState.SUBMITTED, world["城管领导"])
    case = fresh(case)
    assert (case.state, case.replied_at) == (CaseState.TO_AUDIT, world.now)
    assert case.stage_due_at == moment("2026-11-26 00:00")
    assert case.timeline.get(code="sign_reply").payload["facts"]["timely"] is True


def test_what_the_leader_declines_is_written_anew(world: World) -> None:
    task = world.lead(world.drafted())
    actions.decline_to_sign(actor=world["城管领导"], at=world.later(minutes=5), task=task, reason="没有写复查时间")
    assert task.replies.get().state == ReplyState.NOT_SIGNED
    refused("nothing_to_sign", lambda: actions.sign_reply(actor=world["城管领导"], at=world.now, task=task))
    actions.draft_reply(actor=world["城管联络"], at=world.later(minutes=5), task=task, **REPLY)
    assert [r.state for r in task.replies.order_by("id")] == [ReplyState.SENT_BACK, ReplyState.TO_SIGN]


def test_a_late_reply_says_so(world: World) -> None:
    case = world.drafted()
    world.now = moment("2026-11-28 00:00")
    actions.sign_reply(actor=world["城管领导"], at=world.now, task=world.lead(case))
    assert case.timeline.get(code="sign_reply").payload["facts"]["timely"] is False


def test_an_assisting_unit_writes_no_reply(world: World) -> None:
    case = world.handling("水务")
    task = world.task_of(case, "水务")
    actions.read_task(actor=world["水务联络"], at=world.later(minutes=5), task=task)
    refused("only_lead", lambda: actions.draft_reply(actor=world["水务联络"], at=world.now, task=task, **REPLY))


# --- two hands ---------------------------------------------------------------------------------------------------


def test_one_form_pressed_twice_is_done_once(world: World) -> None:
    task, key = world.lead(world.dispatched()), uuid4()
    actions.read_task(actor=world["城管联络"], at=world.now, task=task, submission=key)
    with pytest.raises(work.Repeated):
        actions.read_task(actor=world["城管联络"], at=world.now, task=task, submission=key)
    assert task.case.timeline.filter(code="read").count() == 1


def test_a_screen_drawn_before_somebody_else_acted_is_stale(world: World) -> None:
    case = world.handling()
    seen = fresh(case).version
    reach(world, world.lead(case), world.now)
    told = refused(
        "stale",
        lambda: actions.draft_reply(
            actor=world["城管联络"], at=world.now, task=world.lead(case), version=seen, **REPLY
        ),
    )
    assert [change["sentence"] for change in told.details["changes"]] == ["联系诉求人：已联系上"]
    assert not Reply.objects.exists()


def at_once(*acts: Callable[[], Any]) -> list[str]:
    """Run these in as many connections at the same moment; how each ended."""
    start, ends = threading.Barrier(len(acts)), [""] * len(acts)

    def run(place: int) -> None:
        start.wait()
        try:
            acts[place]()
            ends[place] = "done"
        except Refused as refusal:
            ends[place] = refusal.code
        except work.Repeated:
            ends[place] = "repeated"
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(ends)


@pytest.mark.django_db(transaction=True)
def test_two_people_press_at_once_and_one_succeeds() -> None:
    world = build()
    case = world.drafted()
    task, version, key = world.lead(case), fresh(case).version, uuid4()
    leader = world["城管领导"]
    at = world.later(minutes=5)

    def decline(actor: User) -> Any:
        return actions.decline_to_sign(actor=actor, at=at, task=reload(task), reason="改", version=version)

    def sign(**stamp: Any) -> Any:
        return actions.sign_reply(actor=leader, at=at, task=reload(task), version=version, **stamp)

    assert at_once(sign, lambda: decline(leader)) == ["done", "stale"]
    case = fresh(case)
    assert case.timeline.filter(code__in=["sign_reply", "decline_to_sign"]).count() == 1
    # The same form, the button pressed twice on a poor connection.
    reading = world.lead(world.dispatched())
    number = fresh(reading.case).version

    def press() -> Any:
        return actions.read_task(
            actor=world["城管联络"], at=at, task=reload(reading), version=number, submission=key
        )

    assert at_once(press, press, press) == ["done", "repeated", "repeated"]
