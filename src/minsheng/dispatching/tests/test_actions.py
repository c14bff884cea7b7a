"""Dispatch and what comes before, instead or after it: who may get a case, on which clocks, and what it counts as."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from minsheng.audit.queries import verify
from minsheng.cases import actions, clocks
from minsheng.cases.choices import CaseState, Ending, RequestKind, TaskRole, TaskState
from minsheng.cases.details import ApplicantDetails, CaseDetails
from minsheng.cases.models import Case
from minsheng.cases.presenting import shown_title, shown_words
from minsheng.cases.queries import case_for, view_case
from minsheng.cases.tests.world import World, fresh, moment
from minsheng.cases.work import Repeated
from minsheng.dispatching.actions import (
    add_assisting,
    conclude_study,
    dispatch_case,
    merge_case,
    recall_case,
    reopen_case,
    send_to_study,
    split_case,
)
from minsheng.errors import Refused
from minsheng.followup.actions import record_follow_up, start_second_handling


def dispatch(world: World, case: Case, lead: str, *assisting: str, **more: Any) -> Case:
    units = [world.units[name] for name in assisting]
    who = more.pop("actor", world["dispatcher"])
    return dispatch_case(actor=who, at=world.later(minutes=5), case=case, lead=world.units[lead], assisting=units, **more)


def refused(code: str) -> pytest.RaisesExc[Refused]:
    return pytest.RaisesExc(Refused, match=f"^{code}:")


# --- whom a case may go to ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["仓山城管", "仓山区政府", "建新中队"])
def test_the_accused_unit_its_parents_and_its_children_are_refused_in_dispatch(world: World, unit: str) -> None:
    case = world.accepted(accused_unit=world.units["仓山城管"])
    with refused("accused_unit"):
        dispatch(world, case, unit)
    with refused("accused_unit"):
        dispatch(world, case, "生态环境", unit)
    assert fresh(case).state == CaseState.TO_DISPATCH
    assert not case.tasks.exists()


@pytest.mark.parametrize("unit", ["仓山城管", "仓山区政府", "建新中队"])
def test_they_are_refused_as_further_assisting_units_and_by_ruling_too(world: World, unit: str) -> None:
    case = world.accepted(accused_unit=world.units["仓山城管"])
    send_to_study(actor=world["dispatcher"], at=world.later(minutes=1), case=case, reason="职责不清")
    with refused("accused_unit"):
        conclude_study(
            actor=world["dispatcher"], at=world.later(minutes=1), case=case, conclusion="由其承办", ruled_unit=world.units[unit]
        )
    conclude_study(actor=world["dispatcher"], at=world.later(minutes=1), case=case, conclusion="由生态环境局承办")
    dispatch(world, case, "生态环境")
    with refused("accused_unit"):
        add_assisting(actor=world["dispatcher"], at=world.later(minutes=1), case=case, units=[world.units[unit]])


def test_they_are_refused_in_sub_dispatch(world: World) -> None:
    case = world.dispatched()
    actions.read_task(actor=world["城管联络"], at=world.later(minutes=5), task=world.lead(case))
    Case.objects.filter(pk=case.pk).update(accused_unit=world.units["建新中队"])
    with refused("not_found"):  # a unit above the accused does not even see the case any more
        actions.sub_dispatch(
            actor=world["城管联络"], at=world.later(minutes=5), task=world.lead(case), unit=world.units["建新中队"]
        )


def test_a_case_against_the_city_itself_still_finds_a_unit(world: World) -> None:
    case = dispatch(world, world.accepted(accused_unit=world.units["福州市"]), "生态环境")
    assert fresh(case).state == CaseState.IN_HANDLING


def test_a_unit_that_takes_no_cases_or_no_longer_exists_is_refused(world: World) -> None:
    case = world.accepted()
    with refused("unit_not_dispatchable"):
        dispatch(world, case, "福州市")
    gone = world.units["仓山住建"]
    gone.valid_to = world.now.date()
    gone.save()
    with refused("unit_not_dispatchable"):
        dispatch(world, case, "仓山住建")


def test_no_unit_is_named_twice(world: World) -> None:
    case = world.accepted()
    with refused("unit_twice"):
        dispatch(world, case, "仓山城管", "仓山城管")
    with refused("unit_twice"):
        dispatch(world, case, "仓山城管", "生态环境", "生态环境")
    dispatch(world, case, "仓山城管")
    for units in (["生态环境", "生态环境"], ["仓山城管"]):
        with refused("unit_twice"):
            add_assisting(
                actor=world["dispatcher"], at=world.later(minutes=1), case=case, units=[world.units[name] for name in units]
            )
    assert case.tasks.count() == 1


def test_a_case_without_a_topic_waits_for_one(world: World) -> None:
    case = world.accepted()
    Case.objects.filter(pk=case.pk).update(topic=None)  # a correction may take it away again
    with refused("topic_required"):
        dispatch(world, case, "仓山城管")


def test_only_a_dispatcher_dispatches(world: World) -> None:
    case = world.accepted()
    for who in ("agent", "team_leader", "auditor", "follow_up", "hotline_leader", "supervisor"):
        with refused("forbidden"):
            dispatch(world, case, "仓山城管", actor=world[who])
    with refused("not_found"):
        dispatch(world, case, "仓山城管", actor=world["城管联络"])


# --- clocks ------------------------------------------------------------------------------------------------------


def test_before_spring_festival(world: World) -> None:
    """Scenario 2."""
    world.now = moment("2026-02-13 15:00")
    case = world.accepted(kind=RequestKind.HELP)
    dispatch_case(
        actor=world["dispatcher"], at=moment("2026-02-13 16:50"), case=case, lead=world.units["仓山城管"]
    )
    task = world.lead(case)
    assert task.due_at == moment("2026-02-26 00:00")
    derivation = clocks.of(task.derivation)
    assert derivation is not None and "2月25日（周三）24:00 前" in derivation.sentence()


def test_an_urgent_case_asks_the_lead_for_first_measures_within_a_day(world: World) -> None:
    """Scenario 1."""
    world.now = moment("2026-11-24 23:40")
    case = world.accepted(urgency="urgent")
    dispatch_case(
        actor=world["dispatcher"],
        at=moment("2026-11-24 23:52"),
        case=case,
        lead=world.units["仓山城管"],
        assisting=[world.units["生态环境"]],
        instruction="请先到现场制止。",
    )
    lead, helper = world.lead(case), world.task_of(case, "生态环境")
    assert lead.first_measures_due_at == moment("2026-11-25 23:52")
    assert helper.first_measures_due_at is None
    assert lead.due_at == helper.due_at == moment("2026-11-28 00:00")
    assert lead.instruction == "请先到现场制止。"
    assert fresh(case).stage_due_at is None


def test_further_assisting_units_have_clocks_of_their_own(world: World) -> None:
    case = world.handling()
    add_assisting(actor=world["dispatcher"], at=moment("2026-11-26 10:00"), case=case, units=[world.units["生态环境"]])
    assert world.task_of(case, "生态环境").due_at == moment("2026-12-02 00:00")
    assert world.task_of(case, "生态环境").role == TaskRole.ASSIST


# --- secrecy -----------------------------------------------------------------------------------------------------


def test_a_confidential_case_needs_words_for_units_and_the_unit_sees_only_those(world: World) -> None:
    """Scenario 8."""
    case = world.accepted(
        kind=RequestKind.REPORT, text="我是林小满，住建新镇 618 号 302 室，电话 13800138000，队长收了施工方的钱。"
    )
    assert fresh(case).confidential
    for words in ("", "  \n"):
        with refused("unit_text_required"):
            dispatch(world, case, "生态环境", unit_text=words)
    dispatch(world, case, "生态环境", unit_text="有人反映某工地夜间施工无人管。")
    user = world["环境联络"]
    seen = case_for(user, fresh(case).number or "")
    disclosure = view_case(user, seen, at=world.now).disclosure
    assert not disclosure.person and not disclosure.words and not disclosure.files
    assert shown_words(seen, disclosure) == "有人反映某工地夜间施工无人管。"
    assert "林小满" not in shown_title(user, seen) and "队长" not in shown_title(user, seen)


def test_words_for_units_belong_to_confidential_cases_only(world: World) -> None:
    case = dispatch(world, world.accepted(), "仓山城管", unit_text="别的话")
    assert fresh(case).unit_text == ""


# --- study, ruling, recall ---------------------------------------------------------------------------------------


def test_what_a_ruling_gave_cannot_be_returned(world: World) -> None:
    """Scenarios 6 and 7."""
    case = world.accepted()
    send_to_study(actor=world["dispatcher"], at=world.later(minutes=5), case=case, reason="三家都说不归自己")
    conclude_study(
        actor=world["hotline_leader"],
        at=world.later(hours=2),
        case=case,
        conclusion="现场协调：井盖在人行道上，由城管承办。",
        ruled_unit=world.units["仓山城管"],
    )
    assert fresh(case).state == CaseState.TO_DISPATCH
    dispatch(world, case, "仓山城管", "生态环境")
    task = world.lead(case)
    assert task.by_ruling and not world.task_of(case, "生态环境").by_ruling
    actions.read_task(actor=world["城管联络"], at=world.later(minutes=5), task=task)
    with refused("assigned_by_ruling"):
        actions.request_return(
            actor=world["城管联络"],
            at=world.later(minutes=5),
            task=world.lead(case),
            reason_code="duty",
            reason="不归我们",
            basis="三定",
            proposed_unit=world.units["生态环境"],
        )


def test_a_ruling_binds_only_the_unit_that_it_names(world: World) -> None:
    case = world.accepted()
    send_to_study(actor=world["dispatcher"], at=world.later(minutes=5), case=case, reason="不清")
    conclude_study(
        actor=world["dispatcher"], at=world.later(hours=1), case=case, conclusion="归城管", ruled_unit=world.units["仓山城管"]
    )
    dispatch(world, case, "生态环境")
    assert not world.lead(case).by_ruling


def test_study_needs_a_reason_and_a_conclusion(world: World) -> None:
    case = world.accepted()
    with refused("reason_required"):
        send_to_study(actor=world["dispatcher"], at=world.now, case=case, reason=" ")
    send_to_study(actor=world["dispatcher"], at=world.now, case=case, reason="不清")
    with refused("reason_required"):
        conclude_study(actor=world["dispatcher"], at=world.now, case=case, conclusion="")


def test_a_recalled_case_counts_against_the_first_dispatch_and_the_citizens_clock_goes_on(world: World) -> None:
    case = world.handling("生态环境")
    due = fresh(case).citizen_due_at
    recall_case(actor=world["dispatcher2"], at=world.later(hours=1), case=case, reason="看错了地点")
    case = fresh(case)
    assert (case.state, case.first_dispatch_wrong, case.citizen_due_at) == (CaseState.TO_DISPATCH, True, due)
    assert set(case.tasks.values_list("state", flat=True)) == {TaskState.RECALLED}
    assert not Case.objects.visible_to(world["城管联络"]).filter(pk=case.pk).exists()
    dispatch(world, case, "仓山城管")
    assert fresh(case).citizen_due_at == due
    assert world.lead(case).due_at == moment("2026-11-28 00:00")  # the second unit's clock starts with its own dispatch


def test_a_recall_waits_for_what_a_unit_asked_for(world: World) -> None:
    case = world.handling()
    actions.request_return(
        actor=world["城管联络"],
        at=world.later(minutes=5),
        task=world.lead(case),
        reason_code="duty",
        reason="不归我们",
        basis="三定方案",
        proposed_unit=world.units["生态环境"],
    )
    with refused("ask_pending"):
        recall_case(actor=world["dispatcher"], at=world.later(minutes=5), case=case, reason="看错了")


def test_a_recall_in_a_later_round_does_not_blame_the_first_dispatch(world: World) -> None:
    case = world.audited()
    record_follow_up(
        actor=world["follow_up"], at=world.later(hours=1), case=case, reached=True, solved="yes", satisfaction="satisfied"
    )
    reopen_case(actor=world["dispatcher"], at=world.later(days=1), case=case, reason="又响了")
    dispatch(world, case, "鼓楼城管")
    recall_case(actor=world["dispatcher"], at=world.later(hours=1), case=case, reason="选错了区")
    assert not fresh(case).first_dispatch_wrong


def test_a_second_handling_recalled_and_given_again_keeps_its_own_limit_and_cannot_be_returned(world: World) -> None:
    case = world.audited()
    record_follow_up(
        actor=world["follow_up"], at=world.later(hours=1), case=case, reached=True, solved="no", satisfaction="unsatisfied"
    )
    start_second_handling(
        actor=world["follow_up"], at=world.later(hours=1), case=case, unit=world.units["仓山区政府"], reason="没有解决"
    )
    recall_case(actor=world["dispatcher"], at=moment("2026-11-25 10:00"), case=case, reason="改由市局")
    dispatch_case(
        actor=world["dispatcher"], at=moment("2026-11-25 11:00"), case=case, lead=world.units["生态环境"]
    )
    task = world.lead(case)
    assert task.by_ruling and task.due_at == moment("2026-12-03 00:00")  # five working days


# --- split -------------------------------------------------------------------------------------------------------


def part(world: World, text: str = "另外，门口的路也塌了。", **more: Any) -> CaseDetails:
    values: dict[str, Any] = {"kind": RequestKind.HELP, "topic": world.topics["道路塌陷"], "place": world.places["建新镇"]} | more
    return CaseDetails(text=text, **values)


def test_parts_have_numbers_of_their_own_and_the_clock_of_the_whole(world: World) -> None:
    case = world.accepted(accused_unit=world.units["仓山住建"], confidential=True)
    accepted_at = fresh(case).accepted_at
    parts = split_case(
        actor=world["dispatcher"], at=world.later(hours=6), case=case, parts=[part(world), part(world, "还有一件。")]
    )
    assert len({case.number, *(p.number for p in parts)}) == 3
    for each in map(fresh, parts):
        derivation = clocks.of(each.citizen_derivation)
        assert derivation is not None and derivation.start == accepted_at
        assert each.state == CaseState.TO_DISPATCH and each.split_from_id == case.pk
        assert each.accused_unit == world.units["仓山住建"] and each.confidential
        assert each.applicant_id == case.applicant_id
    assert case.messages.filter(template="split").count() == 2
    assert fresh(case).state == CaseState.TO_DISPATCH
    assert not verify().findings


def test_a_part_never_reaches_whom_the_whole_is_against(world: World) -> None:
    case = world.accepted(accused_unit=world.units["仓山城管"])
    (made,) = split_case(actor=world["dispatcher"], at=world.later(hours=1), case=case, parts=[part(world)])
    with refused("accused_unit"):
        dispatch(world, made, "仓山城管")


@pytest.mark.parametrize("count", [0, 6])
def test_splitting_makes_one_to_five_parts(world: World, count: int) -> None:
    case = world.accepted()
    with refused("invalid"):
        split_case(actor=world["dispatcher"], at=world.now, case=case, parts=[part(world)] * count)


def test_an_empty_part_undoes_the_whole_split(world: World) -> None:
    case = world.accepted()
    with refused("invalid"):
        split_case(actor=world["dispatcher"], at=world.now, case=case, parts=[part(world), part(world, "  ")])
    assert not case.splits.exists()


# --- merge -------------------------------------------------------------------------------------------------------


def merge(world: World, case: Case, into: Case) -> Case:
    return merge_case(actor=world["dispatcher"], at=world.now, case=case, into=into)


def test_a_duplicate_ends_and_its_citizen_gets_the_result_of_the_other(world: World) -> None:
    survivor, duplicate = world.drafted(), world.accepted()
    merge(world, duplicate, survivor)
    duplicate = fresh(duplicate)
    assert (duplicate.state, duplicate.ending, duplicate.merged_into) == (CaseState.CLOSED, Ending.MERGED, survivor)
    actions.sign_reply(actor=world["城管领导"], at=world.later(hours=1), task=world.lead(survivor))
    actions.pass_reply(actor=world["auditor"], at=world.later(hours=1), case=survivor)
    assert [m.template for m in duplicate.messages.all()][-2:] == ["merged", "replied"]


def test_where_a_duplicate_cannot_go(world: World) -> None:
    survivors = {
        "draft": actions.save_draft(
            actor=world["dispatcher"],
            at=world.now,
            channel="phone",
            details=CaseDetails(kind="complaint", text="吵"),
            applicant=ApplicantDetails(),
        ),
        "follow_up": world.audited(),
        "confidential": world.accepted(confidential=True),
        "withdrawn": actions.mark_invalid(actor=world["agent"], at=world.now, case=world.accepted(), reason="无内容"),
    }
    duplicate = world.accepted()
    for name, survivor in survivors.items():
        with pytest.raises(Refused) as refusal:
            merge(world, duplicate, survivor)
        assert refusal.value.code in ("cannot_merge", "not_found"), name
    with refused("cannot_merge"):
        merge(world, duplicate, duplicate)
    with refused("cannot_merge"):
        merge(world, survivors["confidential"], duplicate)
    assert fresh(duplicate).state == CaseState.TO_DISPATCH


def test_no_case_is_merged_into_an_archived_or_overdue_one(world: World) -> None:
    closed = actions.answer_case(actor=world["agent"], at=world.now, case=world.accepted(), text="可以。")
    actions.archive_case(at=world.now, case=closed)
    overdue = world.accepted()
    world.later(days=20)
    duplicate = world.accepted()
    for survivor in (closed, overdue):
        with refused("cannot_merge"):
            merge(world, duplicate, survivor)


def test_what_others_were_merged_into_is_not_merged_away(world: World) -> None:
    """Else nobody would tell the citizens of the first."""
    first, second, third = world.accepted(), world.accepted(), world.accepted()
    merge(world, first, second)
    with refused("cannot_merge"):
        merge(world, second, third)
    merge(world, third, second)


# --- reopen ------------------------------------------------------------------------------------------------------


def closed_long_ago(world: World) -> Case:
    case = world.audited()
    record_follow_up(
        actor=world["follow_up"], at=world.later(hours=1), case=case, reached=True, solved="yes", satisfaction="very"
    )
    world.later(days=20)
    return fresh(case)


def test_a_reopened_case_is_a_new_round_and_not_late_at_once(world: World) -> None:
    case = closed_long_ago(world)
    reopen_case(actor=world["team_leader"], at=world.now, case=case, reason="又响了")
    case = fresh(case)
    assert (case.state, case.round, case.ending, case.final_satisfaction) == (CaseState.TO_DISPATCH, 2, "", "")
    assert case.first_satisfaction == "very"
    assert case.citizen_due_at is not None and case.citizen_due_at > world.now + timedelta(days=2)
    assert case.stage_due_at is not None and case.stage_due_at > world.now
    dispatch(world, case, "仓山城管")
    assert world.lead(case).due_at > world.now


def test_correcting_or_splitting_a_reopened_case_does_not_make_it_late(world: World) -> None:
    case = closed_long_ago(world)
    reopen_case(actor=world["team_leader"], at=world.now, case=case, reason="又响了")
    due = fresh(case).citizen_due_at
    case = actions.correct_case(
        actor=world["dispatcher"],
        at=world.later(minutes=1),
        case=case,
        details=CaseDetails(
            kind="complaint", text="工地半夜打桩。", topic=world.topics["夜间施工噪声"], place=world.places["建新镇"]
        ),
    )
    assert fresh(case).citizen_due_at == due
    (made,) = split_case(actor=world["dispatcher"], at=world.later(minutes=1), case=case, parts=[part(world)])
    due_of_part = fresh(made).citizen_due_at
    assert due_of_part is not None and due_of_part > world.now


def test_a_merged_case_or_one_closed_too_long_ago_is_not_reopened(world: World) -> None:
    survivor, duplicate = world.accepted(), world.accepted()
    merge(world, duplicate, survivor)
    with refused("not_reopenable"):
        reopen_case(actor=world["dispatcher"], at=world.now, case=duplicate, reason="再办")
    case = closed_long_ago(world)
    with refused("closed_too_long"):
        reopen_case(actor=world["dispatcher"], at=world.later(days=11), case=case, reason="再办")


# --- twice and late ----------------------------------------------------------------------------------------------


def test_the_same_form_sent_five_times_dispatches_once(world: World) -> None:
    case, key = world.accepted(), uuid4()
    version = fresh(case).version
    dispatch(world, case, "仓山城管", version=version, submission=key)
    for _ in range(4):
        with pytest.raises(Repeated):
            dispatch(world, case, "仓山城管", version=version, submission=key)
    assert case.tasks.count() == 1
    assert case.timeline.filter(code="dispatch").count() == 1


def test_who_comes_second_is_told_by_whom_and_when(world: World) -> None:
    case = world.accepted()
    version = fresh(case).version
    dispatch(world, case, "仓山城管", version=version, submission=uuid4())
    with pytest.raises(Refused) as refusal:
        dispatch(world, case, "鼓楼城管", actor=world["dispatcher2"], version=version, submission=uuid4())
    assert refusal.value.code == "stale"
    (change,) = refusal.value.details["changes"]
    assert change["actor"] == "dispatcher" and "仓山区城市管理局" in change["sentence"] and change["at"] == world.now - timedelta(minutes=5)
