"""What the system does when time passes: automatic reading, archiving, and a calendar that arrives late (scenario 5)."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from minsheng.cases import actions, clocks, tasks, upkeep
from minsheng.cases.choices import CaseState, TaskState
from minsheng.cases.models import Case
from minsheng.cases.tests.test_asking import ask_extension
from minsheng.cases.tests.test_handling import refused, reload
from minsheng.cases.tests.world import World, build, fresh, moment
from minsheng.errors import Refused
from minsheng.followup.actions import close_after_rating, rate_case
from minsheng.worktime import actions as worktime
from minsheng.worktime import queries
from minsheng.worktime.actions import NamedDay

NEW_YEAR = [NamedDay(date(2027, 1, day), False, "元旦") for day in (1, 2, 3)] + [NamedDay(date(2027, 1, 4), False, "元旦")]


# --- reading by itself -------------------------------------------------------------------------------------------


def test_reading_before_national_day_is_due_after_it(world: World) -> None:
    """Scenario 3: dispatched on 30 September, to be read by 8 October 24:00; overdue at 00:00 on the 9th."""
    world.now = moment("2026-09-30 14:45")
    task = world.lead(world.dispatched())
    assert task.read_due_at == moment("2026-10-09 00:00")
    assert upkeep.read_overdue(at=moment("2026-10-08 23:59")) == 0
    refused("not_due_yet", lambda: actions.read_automatically(at=moment("2026-10-08 23:59"), task=task))
    assert upkeep.read_overdue(at=moment("2026-10-09 00:00")) == 1
    read = reload(task)
    assert (read.state, read.read_automatically, read.read_by, read.read_at) == (TaskState.HANDLING, True, None, moment("2026-10-09 00:00"))
    entry = read.case.timeline.get(code="read_automatically")
    assert (entry.actor, entry.actor_label) == (None, "系统")
    assert "不计及时" in entry.payload["summary"]
    assert upkeep.read_overdue(at=moment("2026-10-10 00:00")) == 0


def test_a_unit_read_for_may_still_ask_for_return(world: World) -> None:
    task = world.lead(world.dispatched())
    upkeep.read_overdue(at=moment("2026-11-26 00:00"))
    assert reload(task).return_due_at == moment("2026-11-28 00:00")


def test_reading_takes_batches_and_leaves_ended_cases(world: World) -> None:
    for _ in range(3):
        world.dispatched("水务")
    gone = world.dispatched()
    actions.withdraw_case(actor=world["agent"], at=world.later(minutes=5), case=gone, reason="来电撤回")
    at = moment("2026-11-26 00:00")
    assert upkeep.read_overdue(at=at, limit=4) == 4
    assert upkeep.read_overdue(at=at, limit=4) == 2
    assert upkeep.read_overdue(at=at) == 0


def test_what_somebody_did_first_is_skipped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.dispatched()
    world.dispatched()
    real = upkeep._read
    pressed: list[Any] = []

    def slow(pk: int, at: Any) -> None:
        if not pressed:
            pressed.append(pk)
            raise Refused("wrong_task_state", action="查阅", state="办理中")
        real(pk, at)

    monkeypatch.setattr(upkeep, "_read", slow)
    assert upkeep.read_overdue(at=moment("2026-11-26 00:00")) == 1


@pytest.mark.django_db(transaction=True)
def test_a_person_and_the_system_read_at_once_and_it_is_read_once() -> None:
    world = build()
    task = world.lead(world.dispatched())
    at, start = moment("2026-11-26 00:00"), threading.Barrier(2)
    ends: list[str] = []

    def person() -> None:
        start.wait()
        try:
            actions.read_task(actor=world["城管联络"], at=at, task=reload(task))
            ends.append("person")
        except Refused as refusal:
            assert refusal.code == "wrong_task_state"
        finally:
            connection.close()

    def system() -> None:
        start.wait()
        ends.extend(["system"] * upkeep.read_overdue(at=at))
        connection.close()

    threads = [threading.Thread(target=each) for each in (person, system)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ends) == 1
    assert reload(task).read_automatically is (ends == ["system"])


# --- archiving ---------------------------------------------------------------------------------------------------


def test_closed_cases_are_archived_after_thirty_days(world: World) -> None:
    case = world.audited()
    rate_case(at=world.later(hours=1), case=case, satisfaction="very", solved="yes")
    closed = world.now
    world.later(days=29)
    assert upkeep.archive_quiet(at=world.now) == 0
    world.now = closed
    world.later(days=30)
    assert upkeep.archive_quiet(at=world.now) == 1
    assert fresh(case).state == CaseState.ARCHIVED


def test_what_waits_for_an_answer_is_not_archived(world: World) -> None:
    case = world.audited()
    rate_case(at=world.later(hours=1), case=case, satisfaction="unsatisfied", solved="no")
    close_after_rating(actor=world["follow_up"], at=world.later(hours=1), case=case, reason="已充分解释")
    actions.request_set_aside(actor=world["城管联络"], at=world.now, task=world.lead(case), reason="索赔过高", basis="无依据")
    world.later(days=60)
    assert upkeep.archive_quiet(at=world.now) == 0


# --- a year without a calendar (scenario 5) ----------------------------------------------------------------------


def over_new_year(world: World) -> Case:
    """Accepted on Tue 2026-12-29, dispatched at once: three working days reach into 2027."""
    world.now = moment("2026-12-29 09:00")
    return world.handling()


def load_2027(at: Any) -> None:
    worktime.load_year(actor=None, at=at, year=2027, days=NEW_YEAR, notice="国办发明电〔2026〕X号")


def test_a_limit_into_an_unknown_year_is_provisional_and_says_so(world: World) -> None:
    case = over_new_year(world)
    lead, case = world.lead(case), fresh(case)
    assert lead.provisional and case.provisional
    assert lead.due_at == moment("2027-01-02 00:00")  # Fri 1 January would work, as far as weekends tell
    sentence = clocks.of(lead.derivation).sentence()  # type: ignore[union-attr]
    assert "（暂定）" in sentence and "2027 年放假安排未公布，按周末暂定" in sentence
    assert queries.years_missing(world.now) == [2027]


def test_the_year_loaded_recounts_open_limits_on_record(world: World) -> None:
    case = over_new_year(world)
    at = moment("2026-12-30 10:00")
    load_2027(at)
    assert queries.years_missing(at) == []
    assert upkeep.recount_provisional(at=at) == 1
    lead, case = world.lead(case), fresh(case)
    assert lead.due_at == moment("2027-01-06 00:00")  # Tue 5 January: New Year rests through Monday
    assert not lead.provisional and not case.provisional
    assert case.citizen_due_at == moment("2027-01-07 00:00")
    entry = case.timeline.get(code="recount")
    assert entry.payload["before"]["仓山区城市管理局"] == moment("2027-01-02 00:00").isoformat()
    assert "2027 年放假安排公布后重算，原至 2027年1月1日 24:00" in entry.payload["summary"]
    assert upkeep.recount_provisional(at=at) == 0


def test_reading_and_the_stage_are_recounted_too(world: World) -> None:
    world.now = moment("2026-12-31 09:00")
    unread, waiting = world.dispatched(), world.submitted()
    assert world.lead(unread).read_due_at == moment("2027-01-02 00:00")
    at = moment("2026-12-31 12:00")
    load_2027(at)
    assert upkeep.recount_provisional(at=at) == 2
    assert world.lead(unread).read_due_at == moment("2027-01-06 00:00")
    assert fresh(waiting).stage_due_at == moment("2027-01-06 00:00")


def test_what_has_passed_stays_as_it_was(world: World) -> None:
    case = over_new_year(world)
    before = world.lead(case)
    at = moment("2027-01-02 09:00")  # the provisional limit ended at midnight, and counted
    load_2027(at)
    upkeep.recount_provisional(at=at)
    lead = world.lead(case)
    assert (lead.due_at, lead.derivation) == (before.due_at, before.derivation)
    assert fresh(case).citizen_due_at == moment("2027-01-07 00:00")  # this one was still open


def test_no_day_of_the_calendar_moves_what_a_person_named(world: World) -> None:
    case = over_new_year(world)
    ask = ask_extension(world, world.lead(case), date(2027, 1, 6))
    actions.decide_extension(actor=world["auditor"], at=world.now, task=reload(ask.task), grant=True, note="同意")
    at = moment("2026-12-30 10:00")
    load_2027(at)
    upkeep.recount_provisional(at=at)
    assert world.lead(case).due_at == moment("2027-01-07 00:00")


def test_a_change_of_calendar_defers_the_recount_once_committed(
    world: World, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    deferred: list[bool] = []
    monkeypatch.setattr(tasks, "_defer_recount", lambda: deferred.append(True))
    assert tasks.on_calendar_changed in worktime.on_calendar_changed
    with django_capture_on_commit_callbacks(execute=True):
        load_2027(world.now)
    assert deferred == [True]
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(RuntimeError), transaction.atomic():
        worktime.set_day(actor=None, at=world.now, day=date(2026, 12, 30), working=False, name="台风")
        raise RuntimeError
    assert deferred == [True]


@pytest.mark.django_db(transaction=True)
def test_the_deferred_job_stands_in_the_queue() -> None:
    build()
    before = ProcrastinateJob.objects.filter(task_name="cases.recount_provisional").count()
    load_2027(moment("2026-11-24 09:00"))
    assert ProcrastinateJob.objects.filter(task_name="cases.recount_provisional").count() == before + 1


def test_the_wrappers_call_the_functions(world: World) -> None:
    world.dispatched()
    tasks.read_overdue(timestamp=0)
    tasks.archive_quiet(timestamp=0)
    tasks.recount_nightly(timestamp=0)
    tasks.recount_provisional()
