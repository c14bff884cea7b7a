"""The verdict on replies and on what units ask for, and what each does to both clocks."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from minsheng.accounts.choices import Role
from minsheng.audit.queries import verify
from minsheng.cases import actions, clocks, desk_queries
from minsheng.cases.choices import AskState, CaseState, Ending, ReplyState, TaskState
from minsheng.cases.models import Ask, Case, Task
from minsheng.cases.tests.test_asking import ask_extension, ask_pause, ask_return, decide
from minsheng.cases.tests.test_handling import at_once, refused, reload, sub
from minsheng.cases.tests.world import World, build, fresh, moment
from minsheng.dispatching.actions import dispatch_case, reopen_case
from minsheng.followup.actions import rate_case
from minsheng.worktime import rules

# --- replies -----------------------------------------------------------------------------------------------------


def test_a_reply_that_passes_reaches_the_citizen(world: World) -> None:
    case = world.replied()
    actions.pass_reply(actor=world["auditor"], at=world.later(hours=1), case=case)
    case, reply = fresh(case), world.lead(case).replies.get()
    assert (case.state, reply.state, reply.audited_by) == (
        CaseState.TO_FOLLOW_UP,
        ReplyState.ACCEPTED,
        world["auditor"],
    )
    assert world.lead(case).state == TaskState.ACCEPTED
    assert reply.text in case.messages.get(template="replied").text


def test_nobody_audits_their_own_dispatch(world: World) -> None:
    case = world.replied()
    both = world["dispatcher"]
    both.roles = [Role.DISPATCHER, Role.AUDITOR]
    both.save()
    refused("same_person", lambda: actions.pass_reply(actor=both, at=world.now, case=case))
    refused("same_person", lambda: actions.send_back(actor=both, at=world.now, case=case, reasons=["no_process"]))


def test_sent_back_work_is_never_late_at_once(world: World) -> None:
    case = world.drafted()
    world.now = moment("2026-11-27 17:00")  # Friday: the limit ends tonight
    actions.sign_reply(actor=world["城管领导"], at=world.now, task=world.lead(case))
    world.now = moment("2026-11-30 11:00")  # audited on Monday
    refused("reason_required", lambda: actions.send_back(actor=world["auditor"], at=world.now, case=case, reasons=[]))
    actions.send_back(actor=world["auditor"], at=world.now, case=case, reasons=["no_process"], note="谁去的、何时去的")
    lead = world.lead(case)
    assert (lead.state, lead.sent_back_times, lead.due_at) == (TaskState.SENT_BACK, 1, moment("2026-12-02 00:00"))
    reply = lead.replies.get()
    assert (reply.state, reply.audit_reasons, reply.audit_note) == (
        ReplyState.SENT_BACK,
        ["no_process"],
        "谁去的、何时去的",
    )
    assert fresh(case).state == CaseState.IN_HANDLING
    assert fresh(case).citizen_due_at == moment("2026-12-01 00:00")  # the citizen's clock did not move


def test_time_that_is_left_is_not_cut_by_sending_back(world: World) -> None:
    case = world.replied()
    actions.send_back(actor=world["auditor"], at=world.later(hours=1), case=case, reasons=["no_process"])
    assert world.lead(case).due_at == moment("2026-11-28 00:00")


def test_the_second_reply_is_the_one_that_passes(world: World) -> None:
    case = world.replied()
    actions.send_back(actor=world["auditor"], at=world.later(hours=1), case=case, reasons=["no_process"])
    world.draft(case)
    actions.sign_reply(actor=world["城管领导"], at=world.later(minutes=5), task=world.lead(case))
    actions.pass_reply(actor=world["auditor2"], at=world.later(hours=1), case=case)
    states = list(world.lead(case).replies.order_by("id").values_list("state", flat=True))
    assert states == [ReplyState.SENT_BACK, ReplyState.ACCEPTED]


def test_a_reply_left_by_a_withdrawn_round_is_never_judged_again(world: World) -> None:
    case = world.replied()
    old = world.lead(case).replies.get()
    actions.withdraw_case(actor=world["agent"], at=world.later(minutes=5), case=case, reason="来电撤回")
    reopen_case(actor=world["team_leader"], at=world.later(minutes=5), case=case, reason="来电说没有解决")
    dispatch_case(actor=world["dispatcher"], at=world.later(minutes=5), case=case, lead=world.units["仓山城管"])
    actions.read_task(actor=world["城管联络"], at=world.later(minutes=5), task=world.lead(case))
    world.draft(case)
    actions.sign_reply(actor=world["城管领导"], at=world.later(minutes=5), task=world.lead(case))
    actions.pass_reply(actor=world["auditor"], at=world.later(minutes=5), case=case)
    assert world.lead(case).replies.get().state == ReplyState.ACCEPTED
    old.refresh_from_db()
    assert old.state == ReplyState.SUBMITTED


# --- returns (scenario 6) ----------------------------------------------------------------------------------------


def test_an_upheld_return_counts_against_the_first_dispatch_and_ends_the_others(world: World) -> None:
    case = world.handling("生态环境")
    team = sub(world, case, "建新中队")
    ecology, lead = world.task_of(case, "生态环境"), world.lead(case)
    citizen_due = fresh(case).citizen_due_at
    decide(world, ask_return(world, lead), grant=True)
    case = fresh(case)
    assert (case.state, case.first_dispatch_wrong) == (CaseState.TO_DISPATCH, True)
    assert [reload(t).state for t in (lead, ecology, team)] == ["returned", "recalled", "recalled"]
    assert case.citizen_due_at == citizen_due
    world.later(days=1)
    dispatch_case(actor=world["dispatcher2"], at=world.now, case=case, lead=world.units["仓山住建"])
    assert world.lead(case).due_at == moment("2026-12-01 00:00")  # the second unit's own clock, from Wednesday
    assert fresh(case).citizen_due_at == citizen_due
    assert not verify().findings


def test_an_assisting_unit_returns_its_share_alone(world: World) -> None:
    case = world.handling("水务")
    task = world.task_of(case, "水务")
    actions.read_task(actor=world["水务联络"], at=world.later(minutes=5), task=task)
    decide(world, ask_return(world, task, by="水务联络"), grant=True)
    case = fresh(case)
    assert (case.state, case.first_dispatch_wrong) == (CaseState.IN_HANDLING, False)
    assert world.lead(case).state == TaskState.HANDLING


def test_what_was_asked_on_an_ended_task_lapses(world: World) -> None:
    case = world.handling("水务")
    task = world.task_of(case, "水务")
    actions.read_task(actor=world["水务联络"], at=world.later(minutes=5), task=task)
    other = ask_extension(world, task, date(2026, 12, 1), by="水务联络")
    decide(world, ask_return(world, world.lead(case)), grant=True)
    other.refresh_from_db()
    assert (other.state, other.decided_by) == (AskState.LAPSED, None)
    refused("wrong_state", lambda: decide(world, other, grant=True))


def test_a_decision_needs_its_reason_and_another_person(world: World) -> None:
    ask = ask_return(world, world.lead(world.handling()))
    refused(
        "reason_required",
        lambda: actions.decide_return(actor=world["auditor"], at=world.now, task=ask.task, grant=True, note=" "),
    )
    refused("forbidden", lambda: decide(world, ask, grant=True, by="dispatcher2"))
    refused(
        "no_such_ask",
        lambda: actions.decide_return(
            actor=world["auditor"], at=world.now, task=_other_pending(world), grant=True, note="x"
        ),
    )


def _other_pending(world: World) -> Task:
    """A task in the state of a return whose pending ask has gone: as if a colleague had just answered."""
    ask = ask_return(world, world.lead(world.handling()))
    Ask.objects.filter(pk=ask.pk).update(state=AskState.LAPSED)
    return ask.task


# --- extension: two clocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("told", "citizen"), [(False, "2026-12-01 00:00"), (True, "2026-12-03 00:00")])
def test_only_an_extension_the_citizen_was_told_of_moves_their_clock(world: World, told: bool, citizen: str) -> None:
    case = world.handling()
    ask = ask_extension(world, world.lead(case), date(2026, 12, 2), told=world.now if told else None)
    decide(world, ask, grant=True)
    assert world.lead(case).due_at == moment("2026-12-03 00:00")
    assert fresh(case).citizen_due_at == moment(citizen)
    assert case.messages.filter(template="extended").exists() is told
    assert "经批准延期" in sentence_of(case)


def sentence_of(case: Case) -> str:
    derivation = clocks.of(case.tasks.get(role="lead").derivation)
    assert derivation is not None
    return derivation.sentence()


def test_an_extension_within_the_citizens_limit_leaves_it(world: World) -> None:
    case = world.handling()
    decide(world, ask_extension(world, world.lead(case), date(2026, 11, 30), told=world.now), grant=True)
    assert fresh(case).citizen_due_at == moment("2026-12-01 00:00")


def test_an_assisting_units_extension_is_not_the_citizens(world: World) -> None:
    case = world.handling("水务")
    task = world.task_of(case, "水务")
    actions.read_task(actor=world["水务联络"], at=world.later(minutes=5), task=task)
    decide(world, ask_extension(world, task, date(2026, 12, 2), told=world.now, by="水务联络"), grant=True)
    assert fresh(case).citizen_due_at == moment("2026-12-01 00:00")


def test_an_extension_that_no_longer_reaches_beyond_the_limit_is_refused(world: World) -> None:
    case = world.handling()
    ask = ask_extension(world, world.lead(case), date(2026, 12, 1))
    task = reload(ask.task)
    derivation = clocks.of(task.derivation)
    assert derivation is not None
    clocks.set_task(task, rules.with_extension(derivation, date(2026, 12, 4), granted_at=world.now))
    task.save()
    refused("extension_date", lambda: decide(world, ask, grant=True))
    assert reload(task).state == TaskState.HANDLING


# --- pause -------------------------------------------------------------------------------------------------------


def test_a_pause_stops_the_units_clock_and_not_the_citizens(world: World) -> None:
    case = world.handling()
    citizen_due = fresh(case).citizen_due_at
    decide(world, ask_pause(world, world.lead(case)), grant=True)
    assert world.lead(case).state == TaskState.PAUSED
    refused("wrong_task_state", lambda: world.draft(case))
    world.now = moment("2026-11-26 10:00")  # Tuesday to Thursday: two working days stood still
    actions.resume_task(actor=world["城管联络"], at=world.now, task=world.lead(case))
    lead = world.lead(case)
    assert (lead.state, lead.due_at, lead.paused_at) == (TaskState.HANDLING, moment("2026-12-02 00:00"), None)
    assert fresh(case).citizen_due_at == citizen_due


def test_a_pause_granted_after_the_limit_stood_still_since_it_was_asked_for(world: World) -> None:
    case = world.handling()
    world.now = moment("2026-11-27 15:00")  # Friday, the last day
    ask = ask_pause(world, world.lead(case))
    world.now = moment("2026-11-30 09:00")  # answered on Monday
    decide(world, ask, grant=True)
    assert world.lead(case).paused_at == moment("2026-11-27 15:00")
    actions.resume_task(actor=world["城管联络"], at=moment("2026-12-01 09:00"), task=world.lead(case))
    assert world.lead(case).due_at == moment("2026-12-02 00:00")


def test_what_was_sent_back_is_sent_back_still_after_a_pause(world: World) -> None:
    case = world.replied()
    actions.send_back(actor=world["auditor"], at=world.later(hours=1), case=case, reasons=["no_process"])
    decide(world, ask_pause(world, world.lead(case)), grant=True)
    actions.resume_task(actor=world["城管联络"], at=world.later(days=1), task=world.lead(case))
    assert world.lead(case).state == TaskState.SENT_BACK
    tallies = desk_queries.stack_tallies(world["城管联络"], world.now)
    assert (tallies["back"].count, tallies["work"].count) == (1, 0)


def test_first_measures_still_owed_stand_still_with_the_task(world: World) -> None:
    case = world.handling(urgency="urgent")
    before = world.lead(case).first_measures_due_at
    assert before == moment("2026-11-25 09:15")
    world.now = moment("2026-11-24 15:00")
    decide(world, ask_pause(world, world.lead(case)), grant=True)
    assert desk_queries.stack_tallies(world["城管联络"], moment("2026-11-25 12:00"))["work"].light == "none"
    actions.resume_task(actor=world["城管联络"], at=moment("2026-11-26 15:00"), task=world.lead(case))
    lead = world.lead(case)
    assert lead.first_measures_due_at == before + timedelta(days=2)
    measures = clocks.of(lead.first_measures_derivation)
    assert measures is not None and "挂起，顺延 2 天" in measures.sentence()


def test_first_measures_that_are_late_already_stay_late(world: World) -> None:
    case = world.handling(urgency="urgent")
    before = world.lead(case).first_measures_due_at
    world.now = moment("2026-11-25 10:00")
    decide(world, ask_pause(world, world.lead(case)), grant=True)
    actions.resume_task(actor=world["城管联络"], at=moment("2026-11-26 15:00"), task=world.lead(case))
    assert world.lead(case).first_measures_due_at == before


def test_the_auditor_may_end_a_pause(world: World) -> None:
    case = world.handling()
    decide(world, ask_pause(world, world.lead(case)), grant=True)
    actions.resume_task(actor=world["auditor"], at=world.later(hours=1), task=world.lead(case))
    assert world.lead(case).state == TaskState.HANDLING


# --- ends --------------------------------------------------------------------------------------------------------


def test_a_granted_termination_ends_the_case_and_tells_the_citizen(world: World) -> None:
    case = world.handling("水务")
    ask = actions.request_termination(
        actor=world["城管联络"],
        at=world.now,
        task=world.lead(case),
        reason_code="no_cooperation",
        reason="拒不配合",
        basis="联系三次",
    )
    decide(world, ask, grant=True)
    case = fresh(case)
    assert (case.state, case.ending) == (CaseState.CLOSED, Ending.TERMINATED)
    assert set(case.tasks.values_list("state", flat=True)) == {TaskState.TERMINATED}
    assert "已核实" in case.messages.get(template="terminated").text


def test_a_demand_set_aside_keeps_its_rating(world: World) -> None:
    case = world.audited()
    rate_case(at=world.later(hours=1), case=case, satisfaction="unsatisfied", solved="no")
    ask = actions.request_set_aside(
        actor=world["城管联络"], at=world.now, task=world.lead(case), reason="要求赔偿百万", basis="无法律依据"
    )
    decide(world, ask, grant=True, by="hotline_leader")
    case = fresh(case)
    assert (case.set_aside, case.first_satisfaction) == (True, "unsatisfied")
    refused(
        "already_set_aside",
        lambda: actions.request_set_aside(
            actor=world["城管联络"], at=world.now, task=world.lead(case), reason="x", basis="y"
        ),
    )


def test_the_leader_decides_on_nothing_else(world: World) -> None:
    ask = ask_pause(world, world.lead(world.handling()))
    refused("forbidden", lambda: decide(world, ask, grant=True, by="hotline_leader"))


# --- two hands ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_auditors_press_at_once_and_one_verdict_stands() -> None:
    world = build()
    case = world.replied()
    version, at = fresh(case).version, world.later(minutes=5)

    def judge(who: str) -> object:
        return actions.pass_reply(actor=world[who], at=at, case=fresh(case), version=version)

    def back() -> object:
        return actions.send_back(
            actor=world["auditor2"], at=at, case=fresh(case), reasons=["no_process"], version=version
        )

    assert at_once(lambda: judge("auditor"), back) == ["done", "stale"]
    ask = ask_pause(world, world.lead(world.handling()))
    number = fresh(ask.task.case).version
    ends = at_once(
        lambda: decide(world, ask, grant=True, version=number),
        lambda: decide(world, ask, grant=False, by="auditor2", version=number),
    )
    assert ends == ["done", "stale"]
    ask.refresh_from_db()
    assert ask.state in (AskState.GRANTED, AskState.REFUSED)
