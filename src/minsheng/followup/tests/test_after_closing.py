"""A bad rating that comes after closing: somebody judges it, on record, and until then nothing files the case away.

domain.md §2.7: unsatisfied with good reason → second handling, once, at a higher level, with its own limit.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from minsheng.accounts.testing import sign_in
from minsheng.cases import actions, clocks, filters, presenting, shown_clocks, upkeep
from minsheng.cases.actions.clockwork import archive_case
from minsheng.cases.choices import CaseState, Ending
from minsheng.cases.guards import awaits_judgement
from minsheng.cases.models import Case
from minsheng.cases.tests.world import World, fresh, moment
from minsheng.dispatching.actions import reopen_case
from minsheng.errors import Refused
from minsheng.followup.actions import higher_unit, keep_closed, rate_case, record_follow_up, start_second_handling
from minsheng.followup.queries import waiting, waiting_count
from minsheng.publishing import queries as publishing
from minsheng.worktime import actions as worktime_actions
from minsheng.worktime import queries as worktime
from minsheng.worktime.actions import NamedDay


def refused(code: str) -> pytest.RaisesExc[Refused]:
    return pytest.RaisesExc(Refused, match=f"^{code}:")


def unrated(world: World, case: Case | None = None, **changes: Any) -> Case:
    """Closed because nobody was reached."""
    case = case or world.audited(**changes)
    for give_up in (False, False, True):
        record_follow_up(actor=world["follow_up"], at=world.later(hours=3), case=case, reached=False, give_up=give_up)
    return fresh(case)


def complained(world: World, case: Case | None = None, **changes: Any) -> Case:
    case = case or unrated(world, **changes)
    rate_case(at=world.later(days=1), case=case, satisfaction="unsatisfied", solved="no", comment="还在响")
    return fresh(case)


def answered(world: World) -> Case:
    return actions.answer_case(actor=world["agent"], at=world.later(minutes=5), case=world.accepted(), text="请拨打 96110。")


def second(world: World, case: Case, who: str = "follow_up", unit: str = "仓山区政府") -> Case:
    start_second_handling(actor=world[who], at=world.later(hours=1), case=case, unit=world.units[unit], reason="确未解决")
    return fresh(case)


def keep(world: World, case: Case, who: str = "follow_up", reason: str = "噪声已复测达标，不再安排办理。") -> Case:
    keep_closed(actor=world[who], at=world.later(hours=1), case=case, reason=reason)
    return fresh(case)


def here(world: World, who: str = "follow_up") -> list[Case]:
    return list(waiting(world[who], at=world.now))


# --- what waits --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("satisfaction", "solved", "waits"), [
    ("unsatisfied", "no", True), ("unsatisfied", "yes", True), ("basic", "no", True), ("basic", "partly", False), ("very", "yes", False),
])  # fmt: skip
@pytest.mark.parametrize("ended", [unrated, answered])
def test_a_bad_rating_after_closing_waits_and_a_good_one_does_not(
    world: World, ended: Any, satisfaction: str, solved: str, waits: bool
) -> None:
    case = ended(world)
    assert not awaits_judgement(fresh(case)) and here(world) == [] and waiting_count(world["follow_up"], world.now)[0] == 0
    rate_case(at=world.later(days=1), case=case, satisfaction=satisfaction, solved=solved)
    case = fresh(case)
    assert (case.state, case.final_satisfaction) == (CaseState.CLOSED, satisfaction)
    assert awaits_judgement(case) is waits
    assert here(world) == ([case] if waits else [])
    assert waiting_count(world["follow_up"], world.now)[0] == waits


def test_the_judgement_has_a_limit_of_its_own_that_starts_with_the_rating(world: World) -> None:
    case = complained(world)
    clock = shown_clocks.stage_clock(case, at=world.now, calendar=worktime.calendar())
    assert clock is not None and case.stage_due_at is not None and case.stage_due_at > world.now
    assert clock.name == "回访时限" and "评价" in clock.sentence
    late = case.stage_due_at
    assert waiting_count(world["follow_up"], late) == (1, "red")
    row = presenting.case_row(case, user=world["follow_up"], url="/", at=late, calendar=worktime.calendar())
    assert row.light == "red"
    assert list(Case.objects.filter(filters.Filters(late, {"light": ("red",)}).on_cases())) == [case], "a list filters as rows show"
    assert list(Case.objects.filter(filters.Filters(late, {"light": ("none",)}).on_cases())) == []


def test_who_has_waited_longest_to_be_judged_stands_first(world: World) -> None:
    closed_long_ago = unrated(world)
    world.later(days=3)
    open_case = world.audited()
    rate_case(at=world.later(hours=1), case=open_case, satisfaction="unsatisfied", solved="no")
    ring = world.audited()
    complained(world, closed_long_ago)
    assert here(world) == [open_case, closed_long_ago, ring]


def test_a_provisional_limit_of_judgement_is_counted_again(world: World) -> None:
    world.now = moment("2026-12-28 20:00")
    case = complained(world)
    before = clocks.of(case.stage_derivation)
    assert before is not None and before.is_provisional
    new_year = [NamedDay(date(2027, 1, day), False, "元旦") for day in (1, 2, 3)]
    worktime_actions.load_year(actor=None, at=world.later(minutes=1), year=2027, days=new_year, notice="国办发明电〔2026〕X号")
    assert upkeep.recount_provisional(at=world.later(minutes=1)) == 1
    after = clocks.of(fresh(case).stage_derivation)
    assert after is not None and not after.is_provisional


def test_what_waits_for_judgement_is_not_offered_for_publishing(world: World) -> None:
    case = unrated(world, publishable=True)
    assert list(publishing.to_edit(world["quality"])) == [case]
    complained(world, case)
    assert list(publishing.to_edit(world["quality"])) == [] and "评价还待研判" in publishing.why_not(case)


# --- second handling ---------------------------------------------------------------------------------------------


def test_second_handling_opens_the_case_again_at_a_higher_level_with_its_own_limit(world: World) -> None:
    case = complained(world)
    assert higher_unit(case, at=world.now) == world.units["仓山区政府"]
    case = second(world, case)
    assert (case.state, case.ending, case.closed_at) == (CaseState.IN_HANDLING, "", None)
    assert (case.round, case.second_handling, case.stage_due_at) == (2, True, None)
    assert (case.first_satisfaction, case.first_solved, case.final_satisfaction) == ("unsatisfied", "no", "")
    task = world.lead(case)
    assert task.unit == world.units["仓山区政府"] and task.by_ruling and task.due_at == case.citizen_due_at
    assert clocks.in_second_handling(case) and case.messages.filter(template="second").count() == 1
    assert here(world) == []


def test_it_comes_once(world: World) -> None:
    """A second round that closed unrated and was rated badly since is left as it is, or reopened by a dispatcher."""
    case = world.audited()
    rate_case(at=world.later(hours=1), case=case, satisfaction="unsatisfied", solved="no")
    second(world, case)
    actions.read_task(actor=world["区政府联络"], at=world.later(minutes=5), task=world.lead(case))
    actions.draft_reply(
        actor=world["区政府联络"], at=world.later(hours=1), task=world.lead(case), text="已责令停工。", finding="true",
        outcome="supported", solved="yes", basis="条例",
    )  # fmt: skip
    actions.sign_reply(actor=world["区政府领导"], at=world.later(hours=1), task=world.lead(case))
    actions.pass_reply(actor=world["auditor"], at=world.later(hours=1), case=case)
    for give_up in (False, False, True):
        record_follow_up(actor=world["follow_up2"], at=world.later(hours=3), case=case, reached=False, give_up=give_up)
    complained(world, case)
    with refused("second_handling_used"):
        second(world, case, "follow_up2", "生态环境")
    assert not awaits_judgement(keep(world, case, "follow_up2"))


def test_it_needs_a_bad_rating_that_came_after_closing(world: World) -> None:
    case = world.audited()
    rate_case(at=world.later(hours=1), case=case, satisfaction="very", solved="yes")
    for attempt in (second, keep):
        with refused("nothing_to_judge"):
            attempt(world, case)


def test_an_answer_at_once_goes_to_dispatch_instead(world: World) -> None:
    """There is no unit that a second handling could be above: the follow-up officer has it handled for the first time."""
    case = complained(world, answered(world))
    with refused("not_handled_yet"):
        second(world, case)
    reopen_case(actor=world["follow_up"], at=world.later(hours=1), case=case, reason="答非所问")
    case = fresh(case)
    assert (case.state, case.round, awaits_judgement(case)) == (CaseState.TO_DISPATCH, 2, False)
    assert here(world) == []


def test_a_follow_up_officer_reopens_nothing_else(world: World) -> None:
    for case in (complained(world), answered(world)):
        with refused("forbidden"):
            reopen_case(actor=world["follow_up"], at=world.now, case=case, reason="再办")


def test_a_unit_asks_to_set_it_aside_and_approval_rules_second_handling_out(world: World) -> None:
    case = complained(world)
    task = world.lead(case)
    actions.request_set_aside(actor=world["城管联络"], at=world.later(hours=1), task=task, reason="索赔百万", basis="条例")
    with refused("ask_pending"):
        second(world, case)
    actions.decide_set_aside(actor=world["auditor"], at=world.later(hours=1), task=task, grant=True, note="超出法定范围")
    with refused("already_set_aside"):
        second(world, case)
    assert here(world) == [case], "set aside, it still has to be said to the citizen"
    case = keep(world, case)
    assert case.set_aside and case.final_satisfaction == "unsatisfied"


# --- left as it is -----------------------------------------------------------------------------------------------


def test_leaving_it_as_it_is_is_on_record_and_told_to_the_citizen(world: World) -> None:
    case = complained(world)
    with refused("reason_required"):
        keep(world, case, reason=" ")
    case = keep(world, case)
    assert (case.state, case.ending, case.final_satisfaction) == (CaseState.CLOSED, Ending.HANDLED, "unsatisfied")
    entry = case.timeline.latest("seq")
    assert (entry.code, entry.actor, entry.note) == ("keep_closed", world["follow_up"], "噪声已复测达标，不再安排办理。")
    told = case.messages.get(template="kept_closed").text
    assert "不再安排办理" in told and "噪声已复测达标" in told and str(case.number) in told
    assert here(world) == []
    with refused("nothing_to_judge"):
        keep(world, case)


def test_the_words_to_a_confidential_citizen_name_nobody(world: World) -> None:
    case = complained(world, confidential=True)
    with refused("unit_text_names"):
        keep(world, case, reason="林小满反映的噪声已复测达标")


# --- archiving ---------------------------------------------------------------------------------------------------


def test_what_waits_for_judgement_is_never_archived(world: World) -> None:
    case = complained(world)
    assert upkeep.archive_quiet(at=world.later(days=400)) == 0
    quiet = unrated(world)
    assert upkeep.archive_quiet(at=world.later(days=31), limit=1) == 1, "nor does it hold others back"
    assert fresh(quiet).state == CaseState.ARCHIVED
    with refused("judgement_owed"):
        archive_case(at=world.now, case=case)
    assert fresh(case).state == CaseState.CLOSED


def test_archiving_counts_from_the_last_act(world: World) -> None:
    case = unrated(world)
    world.later(days=20)
    keep(world, complained(world, case))
    kept = world.now
    assert upkeep.archive_quiet(at=kept + timedelta(days=29)) == 0
    assert upkeep.archive_quiet(at=kept + timedelta(days=30)) == 1
    assert fresh(case).state == CaseState.ARCHIVED


# --- the screens -------------------------------------------------------------------------------------------------


@pytest.fixture
def today(world: World) -> World:
    world.now = timezone.now() - timedelta(days=3)
    return world


def page(world: World, path: str, who: str = "follow_up") -> str:
    answer = sign_in(Client(), world[who]).get(path)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return str(answer.content.decode())


def act(case: Case, code: str) -> str:
    return reverse("cases:act", args=[case.number, code])


def test_the_desk_shows_it_with_what_may_be_done(today: World) -> None:
    case = complained(today)
    shown = page(today, f"/followup/?open={case.number}")
    assert "办结后评价不满意，待研判" in shown and f'data-open="{case.number}"' in shown
    assert act(case, "second_handling") in shown and act(case, "keep_closed") in shown
    assert act(case, "close_after_rating") not in shown and act(case, "follow_up") not in shown
    drawer = page(today, act(case, "keep_closed"))
    assert "还在响" in drawer and "原文告诉诉求人" in drawer
    sent = {"version": case.version, "submission": str(uuid4()), "reason": "已复测达标。"}
    client = sign_in(Client(), today["follow_up"])
    assert client.post(act(case, "keep_closed"), sent, headers={"HX-Request": "true"}).status_code == 204
    shown = page(today, f"/followup/?open={case.number}")
    assert "没有等待回访的诉求件" in shown and "办结后评价不满意" not in shown


def test_an_answer_is_given_to_dispatch_from_the_desk(today: World) -> None:
    case = complained(today, answered(today))
    shown = page(today, f"/followup/?open={case.number}")
    assert act(case, "reopen") in shown and act(case, "second_handling") not in shown
    assert "待批转" in page(today, act(case, "reopen"))


def test_the_rail_counts_it(today: World) -> None:
    complained(today)
    assert waiting_count(today["follow_up"], timezone.now())[0] == 1
    assert "1" in page(today, reverse("console:rail"))
