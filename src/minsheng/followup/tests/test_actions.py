"""The citizen's verdict: who asks, what it does to the case, and what may follow a bad one."""

from __future__ import annotations

import pytest

from minsheng.audit.queries import verify
from minsheng.cases import actions
from minsheng.cases.choices import CaseState, Ending
from minsheng.cases.models import Case
from minsheng.cases.tests.world import World, fresh, moment
from minsheng.dispatching.actions import reopen_case
from minsheng.errors import Refused
from minsheng.followup.actions import (
    close_after_rating,
    higher_unit,
    rate_case,
    record_follow_up,
    start_second_handling,
)


def refused(code: str) -> pytest.RaisesExc[Refused]:
    return pytest.RaisesExc(Refused, match=f"^{code}:")


def hear(world: World, case: Case, satisfaction: str, solved: str, who: str = "follow_up") -> Case:
    return record_follow_up(
        actor=world[who],
        at=world.later(hours=1),
        case=case,
        reached=True,
        contacted=True,
        truthful=True,
        solved=solved,
        satisfaction=satisfaction,
        comment="还在响",
    )


def miss(world: World, case: Case, hours: float = 3, give_up: bool = False) -> Case:
    return record_follow_up(
        actor=world["follow_up"], at=world.later(hours=hours), case=case, reached=False, give_up=give_up
    )


def second(world: World, case: Case, unit: str = "仓山区政府") -> Case:
    return start_second_handling(
        actor=world["follow_up"], at=world.later(hours=1), case=case, unit=world.units[unit], reason="仍在夜间施工"
    )


def handled_again(world: World, case: Case) -> Case:
    """The higher unit reads, replies, and the reply passes."""
    task = world.lead(case)
    actions.read_task(actor=world["区政府联络"], at=world.later(minutes=5), task=task)
    actions.draft_reply(
        actor=world["区政府联络"],
        at=world.later(hours=1),
        task=world.lead(case),
        text="区政府牵头，已责令停工并处罚。",
        finding="true",
        outcome="supported",
        solved="yes",
        basis="《噪声污染防治法》第四十三条",
    )
    actions.sign_reply(actor=world["区政府领导"], at=world.later(hours=1), task=world.lead(case))
    actions.pass_reply(actor=world["auditor"], at=world.later(hours=1), case=case)
    return fresh(case)


# --- one call ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("solved", ["yes", "partly", ""])
@pytest.mark.parametrize("satisfaction", ["very", "satisfied", "basic"])
def test_a_good_verdict_closes_the_case(world: World, satisfaction: str, solved: str) -> None:
    case = fresh(hear(world, world.audited(), satisfaction, solved))
    assert (case.state, case.ending) == (CaseState.CLOSED, Ending.HANDLED)
    assert (case.first_satisfaction, case.final_satisfaction, case.final_solved) == (satisfaction, satisfaction, solved)
    assert case.messages.filter(template="closed").count() == 1


@pytest.mark.parametrize(("satisfaction", "solved"), [("unsatisfied", "yes"), ("basic", "no"), ("unsatisfied", "no")])
def test_a_bad_verdict_waits_for_judgement(world: World, satisfaction: str, solved: str) -> None:
    case = fresh(hear(world, world.audited(), satisfaction, solved))
    assert case.state == CaseState.TO_FOLLOW_UP
    assert (case.first_satisfaction, case.first_solved, case.final_satisfaction) == (satisfaction, solved, "")


@pytest.mark.parametrize(("satisfaction", "solved"), [("", "yes"), ("fine", "yes"), ("very", "maybe")])
def test_an_answer_outside_the_list_is_refused(world: World, satisfaction: str, solved: str) -> None:
    case = world.audited()
    with refused("invalid"):
        hear(world, case, satisfaction, solved)
    assert not case.follow_ups.exists()


@pytest.mark.parametrize("comment", ["长" * 1001, "坏\x00字"])
def test_words_that_cannot_be_kept_are_refused(world: World, comment: str) -> None:
    with refused("invalid"):
        rate_case(at=world.now, case=world.audited(), satisfaction="very", solved="yes", comment=comment)


def test_nobody_follows_up_what_they_dispatched(world: World) -> None:
    both = world["follow_up"]
    both.roles = ["dispatcher", "follow_up"]
    both.save()
    world.people["dispatcher"] = both
    case = world.audited()
    for attempt in (lambda: hear(world, case, "very", "yes"), lambda: miss(world, case)):
        with refused("same_person"):
            attempt()
    hear(world, case, "unsatisfied", "no", who="follow_up2")
    with refused("same_person"):
        second(world, case)
    with refused("same_person"):
        close_after_rating(actor=both, at=world.now, case=case, reason="已尽力")


def test_who_started_second_handling_does_not_judge_it(world: World) -> None:
    case = world.audited()
    hear(world, case, "unsatisfied", "no")
    second(world, case)
    handled_again(world, case)
    with refused("same_person"):
        hear(world, case, "very", "yes")
    hear(world, case, "very", "yes", who="follow_up2")
    assert fresh(case).state == CaseState.CLOSED


def test_only_follow_up_officers_follow_up(world: World) -> None:
    case = world.audited()
    for who in ("agent", "team_leader", "dispatcher", "auditor", "analyst"):
        with refused("forbidden"):
            hear(world, case, "very", "yes", who=who)


# --- not reached -------------------------------------------------------------------------------------------------


def test_a_case_may_close_unrated_only_after_enough_tries_and_without_a_default_satisfaction(world: World) -> None:
    case = world.audited()
    miss(world, case)
    for _ in range(2):
        with refused("tries_left"):
            miss(world, case, give_up=True)
        if case.follow_ups.count() == 1:
            miss(world, case)
            break
    miss(world, case, give_up=True)
    case = fresh(case)
    assert (case.state, case.ending) == (CaseState.CLOSED, Ending.HANDLED)
    assert (case.first_satisfaction, case.final_satisfaction, case.final_solved) == ("", "", "")
    assert "无评价" in case.timeline.latest("seq").payload["summary"]


def test_tries_count_only_hours_apart(world: World) -> None:
    case = world.audited()
    miss(world, case)
    with pytest.raises(Refused) as refusal:
        miss(world, case, hours=0.5)
    assert refusal.value.code == "try_too_soon"
    assert f"{world.later(hours=1.5):%H:%M}" in refusal.value.sentence
    miss(world, case, hours=0)
    assert case.follow_ups.count() == 2


def test_who_rings_back_is_heard_at_once(world: World) -> None:
    case = world.audited()
    miss(world, case)
    hear(world, case, "satisfied", "yes")
    assert fresh(case).state == CaseState.CLOSED


def test_who_has_rated_is_not_unreached(world: World) -> None:
    case = world.audited()
    rate_case(at=world.now, case=case, satisfaction="unsatisfied", solved="no")
    miss(world, case)
    miss(world, case)
    with refused("rated_waiting"):
        miss(world, case, give_up=True)


def test_the_tries_of_an_earlier_round_do_not_count(world: World) -> None:
    case = world.audited()
    for _ in range(2):
        miss(world, case)
    hear(world, case, "unsatisfied", "no")
    second(world, case)
    handled_again(world, case)
    with refused("tries_left"):
        record_follow_up(actor=world["follow_up2"], at=world.later(hours=3), case=case, reached=False, give_up=True)


# --- the citizen's own rating ------------------------------------------------------------------------------------


def test_the_citizen_rates_once(world: World) -> None:
    case = world.audited()
    rate_case(at=world.later(hours=1), case=case, satisfaction="unsatisfied", solved="no", comment="没人来过")
    with refused("already_rated"):
        rate_case(at=world.now, case=case, satisfaction="very", solved="yes")
    assert case.follow_ups.get().by is None


def test_a_case_closed_unrated_may_still_be_rated_for_a_while(world: World) -> None:
    """What a bad one leads to: test_after_closing.py."""
    case = world.audited()
    for _ in range(2):
        miss(world, case)
    miss(world, case, give_up=True)
    rate_case(at=world.later(days=1), case=case, satisfaction="very", solved="yes")
    case = fresh(case)
    assert (case.state, case.first_satisfaction, case.final_satisfaction) == (CaseState.CLOSED, "very", "very")
    with refused("already_rated"):
        rate_case(at=world.now, case=case, satisfaction="unsatisfied", solved="no")
    other = world.audited()
    for give_up in (False, False, True):
        miss(world, other, give_up=give_up)
    with refused("closed_too_long"):
        rate_case(at=world.later(days=31), case=other, satisfaction="very", solved="yes")


@pytest.mark.parametrize(("contacted", "truthful"), [(True, False), (False, True), (None, None)])
def test_the_citizen_may_say_whether_anybody_came_and_whether_it_is_true(
    world: World, contacted: bool | None, truthful: bool | None
) -> None:
    """domain.md §2.7: contacted, true, solved, satisfied. What was not said stays unsaid."""
    case = world.audited()
    said = {"contacted": contacted, "truthful": truthful}
    rate_case(at=world.later(hours=1), case=case, satisfaction="basic", solved="partly", **said)
    heard = case.follow_ups.get()
    assert (heard.contacted, heard.truthful) == (contacted, truthful)


def test_what_is_not_answered_yet_is_not_rated(world: World) -> None:
    with refused("wrong_state"):
        rate_case(at=world.now, case=world.replied(), satisfaction="very", solved="yes")
    rejected = actions.mark_invalid(actor=world["agent"], at=world.now, case=world.accepted(), reason="无内容")
    with refused("not_rateable"):
        rate_case(at=world.now, case=rejected, satisfaction="very", solved="yes")


# --- second handling ---------------------------------------------------------------------------------------------


def test_second_handling_comes_once_at_a_higher_level_with_its_own_limit(world: World) -> None:
    """Scenario 11."""
    case = world.audited()
    hear(world, case, "unsatisfied", "no")
    assert higher_unit(case, at=world.now) == world.units["仓山区政府"]
    at = world.later(hours=1)
    start_second_handling(actor=world["follow_up"], at=at, case=case, unit=world.units["仓山区政府"], reason="没解决")
    case = fresh(case)
    assert (case.state, case.round, case.second_handling) == (CaseState.IN_HANDLING, 2, True)
    task = world.lead(case)
    assert task.by_ruling and task.due_at == case.citizen_due_at == moment("2026-12-02 00:00")
    assert case.messages.filter(template="second").exists()
    case = handled_again(world, case)
    assert case.final_satisfaction == ""
    hear(world, case, "satisfied", "yes", who="follow_up2")
    case = fresh(case)
    assert (case.first_satisfaction, case.first_solved) == ("unsatisfied", "no")
    assert (case.final_satisfaction, case.final_solved) == ("satisfied", "yes")
    assert not verify().findings


def test_the_unit_of_the_first_round_has_no_say_in_the_second(world: World) -> None:
    case = world.audited()
    first = world.lead(case)
    hear(world, case, "unsatisfied", "no")
    second(world, case)
    with refused("earlier_round"):
        actions.request_set_aside(actor=world["城管联络"], at=world.now, task=first, reason="要求过高", basis="条例")


def test_the_first_verdict_does_not_stand_for_the_second_round(world: World) -> None:
    case = world.audited()
    hear(world, case, "unsatisfied", "no")
    second(world, case)
    handled_again(world, case)
    with refused("not_rated_unsatisfied"):
        close_after_rating(actor=world["follow_up2"], at=world.now, case=case, reason="已尽力")
    hear(world, case, "unsatisfied", "partly", who="follow_up2")
    with refused("second_handling_used"):
        start_second_handling(
            actor=world["follow_up2"], at=world.now, case=case, unit=world.units["仓山区政府"], reason="还是没解决"
        )
    close_after_rating(actor=world["follow_up2"], at=world.now, case=case, reason="已依法处理到位，诉求人不认可")
    case = fresh(case)
    assert (case.state, case.first_solved, case.final_satisfaction, case.final_solved) == (
        CaseState.CLOSED, "no", "unsatisfied", "partly",
    )  # fmt: skip


@pytest.mark.parametrize("unit", ["仓山城管", "建新中队", "建新镇", "鼓楼城管"])
def test_it_goes_to_nobody_at_the_same_level_or_below(world: World, unit: str) -> None:
    case = world.audited()
    hear(world, case, "unsatisfied", "no")
    with refused("not_higher"):
        second(world, case, unit)
    second(world, case, "生态环境")


def test_where_the_tree_ends_the_same_unit_answers_again(world: World) -> None:
    case = world.audited()
    hear(world, case, "unsatisfied", "no")
    world.units["仓山区政府"].dispatchable = False
    world.units["仓山区政府"].save()
    assert higher_unit(case, at=world.now) == world.units["仓山城管"]
    second(world, case, "仓山城管")
    assert fresh(case).round == 2


@pytest.mark.parametrize("unit", ["仓山住建", "仓山区政府"])
def test_it_never_goes_to_the_accused_unit_or_above_it(world: World, unit: str) -> None:
    case = world.audited(accused_unit=world.units["仓山住建"])
    hear(world, case, "unsatisfied", "no")
    assert higher_unit(case, at=world.now) == world.units["仓山城管"]
    with refused("accused_unit"):
        second(world, case, unit)


def test_it_needs_a_bad_verdict_and_a_reason(world: World) -> None:
    case = world.audited()
    with refused("not_rated_unsatisfied"):
        second(world, case)
    hear(world, case, "unsatisfied", "no")
    with refused("reason_required"):
        start_second_handling(
            actor=world["follow_up"], at=world.now, case=case, unit=world.units["仓山区政府"], reason=" "
        )


def test_an_unreasonable_demand_is_set_aside_only_after_approval_and_its_rating_stays(world: World) -> None:
    case = world.audited()
    hear(world, case, "unsatisfied", "no")
    task = world.lead(case)
    actions.request_set_aside(
        actor=world["城管联络"], at=world.later(hours=1), task=task, reason="要求赔偿一百万", basis="信访工作条例"
    )
    assert not fresh(case).set_aside
    with refused("ask_pending"):
        second(world, case)
    actions.decide_set_aside(actor=world["auditor"], at=world.later(hours=1), task=task, grant=True, note="超出法定范围")
    case = fresh(case)
    assert case.set_aside and case.first_satisfaction == "unsatisfied"
    with refused("already_set_aside"):
        second(world, case)
    close_after_rating(actor=world["follow_up"], at=world.later(hours=1), case=case, reason="认定为不合理诉求")
    assert (fresh(case).final_satisfaction, fresh(case).set_aside) == ("unsatisfied", True)


def test_a_reopened_case_is_judged_anew(world: World) -> None:
    case = world.audited()
    hear(world, case, "unsatisfied", "no")
    close_after_rating(actor=world["follow_up"], at=world.now, case=case, reason="已处理到位")
    reopen_case(actor=world["dispatcher"], at=world.later(days=1), case=case, reason="又响了")
    case = fresh(case)
    assert (case.first_satisfaction, case.final_satisfaction) == ("unsatisfied", "")
