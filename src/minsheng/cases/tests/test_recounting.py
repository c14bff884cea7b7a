"""Scenario 5 whole: every kind of limit that a year's missing notice made provisional is counted again when it is loaded."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from minsheng.cases import actions, clocks, upkeep
from minsheng.cases.choices import CaseState, TaskState
from minsheng.cases.models import Case, Task
from minsheng.cases.tests.test_asking import ask_pause, ask_return, decide
from minsheng.cases.tests.test_clockwork import load_2027
from minsheng.cases.tests.test_handling import refused, reload, sub
from minsheng.cases.tests.world import World, fresh, moment
from minsheng.dispatching.actions import merge_case, send_to_study
from minsheng.worktime.actions import publish_policy
from minsheng.worktime.choices import Clock, LimitUnit
from minsheng.worktime.rules import Derivation

# A Thursday. By weekends alone Friday 1 January works; by the notice New Year rests through Monday the 4th.
NEW_YEARS_EVE = moment("2026-12-31 09:00")
FRIDAY, TUESDAY = moment("2027-01-02 00:00"), moment("2027-01-06 00:00")


@pytest.fixture(autouse=True)
def eve(world: World) -> None:
    world.now = NEW_YEARS_EVE


def load(world: World) -> datetime:
    """The notice is loaded an hour later, and what it changes is counted again."""
    at = world.later(hours=1)
    load_2027(at)
    upkeep.recount_provisional(at=at)
    return at


def told(case: Case) -> dict[str, tuple[datetime, datetime]]:
    """What the timeline says of the recount: each limit before and after."""
    entry = case.timeline.get(code="recount")
    assert entry.actor_label == "系统" and "2027 年放假安排公布" in entry.payload["summary"]
    before, after = entry.payload["before"], entry.payload["after"]
    return {name: (datetime.fromisoformat(before[name]), datetime.fromisoformat(after[name])) for name in before}


def derivation(json: Any) -> Derivation:
    found = clocks.of(json)
    assert found is not None
    return found


FROM_FRIDAY_TO_TUESDAY = (FRIDAY, TUESDAY)


# --- the centre's stages -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["to_accept", "to_dispatch", "in_study", "to_audit", "to_follow_up"])
def test_each_stage_of_the_centre(world: World, state: str) -> None:
    world.now = moment("2026-12-29 09:00")
    case = {
        "to_accept": world.submitted,
        "to_dispatch": world.accepted,
        "in_study": lambda: send_to_study(actor=world["dispatcher"], at=world.now, case=world.accepted(), reason="不清"),
        "to_audit": world.replied,
        "to_follow_up": world.audited,
    }[state]()
    # As if the stage had begun on New Year's Eve: its limit of working days then reaches into 2027.
    world.now = NEW_YEARS_EVE
    case = fresh(case)
    clocks.start_stage(case, at=world.now)
    case.save()
    before = case.stage_due_at
    assert case.state == state and derivation(case.stage_derivation).is_provisional
    load(world)
    after = fresh(case)
    assert before is not None and after.stage_due_at is not None and after.stage_due_at > before
    assert after.stage_yellow_at is not None and after.stage_yellow_at > before
    assert not derivation(after.stage_derivation).is_provisional
    stage = f"{clocks.STAGE_CLOCKS[CaseState(state)].label}时限"
    assert told(after)[stage] == (before, after.stage_due_at)


# --- the units' limits -------------------------------------------------------------------------------------------


def test_reading(world: World) -> None:
    case = world.dispatched()
    load(world)
    assert world.lead(case).read_due_at == TUESDAY
    assert told(case)["仓山区城市管理局查阅"] == FROM_FRIDAY_TO_TUESDAY
    assert upkeep.read_overdue(at=FRIDAY) == 0


def test_asking_for_return(world: World) -> None:
    case = world.handling()
    assert world.lead(case).return_due_at == FRIDAY
    load(world)
    assert world.lead(case).return_due_at == TUESDAY
    assert told(case)["仓山区城市管理局退件"] == FROM_FRIDAY_TO_TUESDAY
    world.now = moment("2027-01-05 23:00")
    assert ask_return(world, world.lead(case)).kind == "return"


def test_asking_for_return_that_has_passed_stays_passed(world: World) -> None:
    case = world.handling()
    world.now = FRIDAY
    load(world)
    assert world.lead(case).return_due_at == FRIDAY
    refused("return_too_late", lambda: ask_return(world, world.lead(case)))


def test_the_limits_reason_is_kept_beside_it(world: World) -> None:
    """Every deadline keeps its derivation (design §5), that of a return too."""
    kept = derivation(world.lead(world.handling()).return_derivation)
    assert (kept.due_at, kept.event) == (FRIDAY, "查阅") and "（暂定）" in kept.sentence()


def test_the_reply(world: World) -> None:
    case = world.handling()
    before = world.lead(case).due_at
    load(world)
    lead = world.lead(case)
    assert (before, lead.due_at) == (moment("2027-01-06 00:00"), moment("2027-01-08 00:00"))
    assert "2027 年放假安排公布后重算" in derivation(lead.derivation).sentence()


def test_a_lower_units_limit_follows_the_one_it_was_cut_to(world: World) -> None:
    world.now = moment("2026-12-29 09:00")
    case = world.handling()
    world.now = NEW_YEARS_EVE
    team = sub(world, case, "建新中队")
    assert team.due_at == world.lead(case).due_at == FRIDAY
    load(world)
    assert reload(team).due_at == world.lead(case).due_at == TUESDAY
    assert reload(team).read_due_at == TUESDAY  # had been cut to the same evening


def test_what_was_sent_back_has_its_day_again(world: World) -> None:
    """A day to mend a reply is a working day: New Year's Day, which turned out to be a holiday, is none."""
    world.now = moment("2026-12-28 09:00")
    case = world.replied()
    world.now = moment("2026-12-31 15:00")
    actions.send_back(actor=world["auditor"], at=world.now, case=case, reasons=["no_process"])
    lead = world.lead(case)
    assert (lead.due_at, lead.provisional) == (FRIDAY, True)
    sentence = derivation(lead.derivation).sentence()
    assert "退回重办，另给 1 个工作日" in sentence and "经批准延期" not in sentence
    load(world)
    assert (world.lead(case).due_at, world.lead(case).provisional) == (TUESDAY, False)


# --- what stands still -------------------------------------------------------------------------------------------


def test_a_paused_limit_has_not_passed(world: World) -> None:
    """The clock stood still on 31 December, so the notice that comes on 10 January still counts for it."""
    world.now = moment("2026-12-29 09:00")
    case = world.handling()
    world.now = NEW_YEARS_EVE
    decide(world, ask_pause(world, world.lead(case)), grant=True)
    world.now = moment("2027-01-08 09:00")
    load(world)
    paused = world.lead(case)
    assert (paused.state, paused.due_at, paused.provisional) == (TaskState.PAUSED, TUESDAY, False)
    # It stood from the 31st through Monday the 11th: 5 to 8 and 11 January, five working days.
    resumed = actions.resume_task(actor=world["城管联络"], at=moment("2027-01-11 09:00"), task=paused)
    assert resumed.due_at == moment("2027-01-13 00:00")


def test_the_citizens_clock_ran_on_and_what_has_passed_of_it_stays(world: World) -> None:
    world.now = moment("2026-12-28 09:00")
    case = world.handling()  # dispatch 1 day, then 3: Friday by weekends
    assert fresh(case).citizen_due_at == FRIDAY
    world.now = moment("2027-01-02 09:00")
    load(world)
    assert fresh(case).citizen_due_at == FRIDAY
    assert not case.timeline.filter(code="recount").exists()


def test_citizens_are_told_the_new_date_once(world: World) -> None:
    """They were told one when the case was accepted; whoever joined it waits for the same."""
    joined, case = world.submitted(), world.handling()
    merge_case(actor=world["dispatcher"], at=world.now, case=joined, into=case)
    at = load(world)
    upkeep.recount_provisional(at=at)
    for one in (case, joined):
        message = one.messages.get(template="recounted")
        assert f"（{fresh(case).number}）" in message.text and "2027年1月8日" in message.text, message.text
    assert fresh(case).citizen_due_at == moment("2027-01-09 00:00")


def test_who_keeps_their_date_is_told_nothing(world: World) -> None:
    """A provisional date that the notice confirms is no news."""
    world.now = moment("2027-02-01 09:00")
    case = world.accepted()
    assert fresh(case).provisional
    load(world)
    assert not fresh(case).provisional and not case.messages.filter(template="recounted").exists()


# --- all at once -------------------------------------------------------------------------------------------------


def test_one_entry_names_every_limit_and_the_version_moves(world: World) -> None:
    case = world.handling("生态环境")
    seen = fresh(case).version
    load(world)
    assert set(told(case)) == {"群众时限", "仓山区城市管理局", "仓山区城市管理局退件", "福州市生态环境局", "福州市生态环境局查阅"}
    assert fresh(case).version == seen + 1
    refused(
        "stale",
        lambda: actions.urge_case(actor=world["dispatcher"], at=world.now, case=case, reason="快", version=seen),
    )


def test_a_case_that_ended_is_left_alone(world: World) -> None:
    case = world.handling()
    actions.withdraw_case(actor=world["agent"], at=world.now, case=case, reason="来电撤回")
    due = fresh(case).citizen_due_at
    load(world)
    assert fresh(case).citizen_due_at == due and not case.timeline.filter(code="recount").exists()


def test_one_case_that_fails_holds_no_other_back(world: World) -> None:
    broken, whole = world.dispatched(), world.dispatched()
    Task.objects.filter(case=broken).update(derivation={"provisional": [2027]})
    load_2027(world.now)
    with pytest.raises(KeyError):
        upkeep.recount_provisional(at=world.now)
    assert world.lead(whole).read_due_at == TUESDAY
    with pytest.raises(KeyError):
        upkeep.recount_provisional(at=world.now)  # the job fails again until somebody looks
    assert date(2027, 1, 5) in [derivation(world.lead(whole).read_derivation).last_day]


# --- the centre's answer, and first measures where a policy counts them in days -----------------------------------


def test_the_answer_to_an_ask_is_counted_again(world: World) -> None:
    world.now = moment("2026-12-24 09:00")
    task = world.lead(world.handling())  # all of whose own limits end in the old year
    world.now = NEW_YEARS_EVE
    ask = actions.request_termination(
        actor=world["城管联络"], at=world.now, task=task, reason_code="x", reason="拒不配合", basis="联系三次"
    )
    assert ask.due_at == FRIDAY
    load(world)
    ask.refresh_from_db()
    assert (ask.due_at, derivation(ask.derivation).is_provisional) == (TUESDAY, False)
    assert ask.orange_at == TUESDAY - timedelta(hours=1)
    assert told(ask.task.case)== {"仓山区城市管理局终止办理申请审核": FROM_FRIDAY_TO_TUESDAY}


def test_first_measures_in_working_days_are_counted_again(world: World) -> None:
    publish_policy(
        actor=None, at=world.now, code="first_measures.urgent", name="先行处置", clock=Clock.FIRST_MEASURES, urgency="urgent",
        amount=1, unit=LimitUnit.WORKING_DAYS, effective_from=date(2026, 12, 31),
    )  # fmt: skip
    case = world.handling(urgency="urgent")
    assert world.lead(case).first_measures_due_at == FRIDAY
    load(world)
    lead = world.lead(case)
    assert (lead.first_measures_due_at, lead.first_measures_orange_at) == (TUESDAY, TUESDAY - timedelta(hours=1))
    assert told(case)["仓山区城市管理局先行处置"] == FROM_FRIDAY_TO_TUESDAY
