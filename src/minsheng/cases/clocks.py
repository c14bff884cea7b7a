"""The clocks of cases and tasks: which policy starts which, and the columns that keep them (design §5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from minsheng.cases.choices import AskKind, CaseState, RequestKind, TaskState, Urgency
from minsheng.cases.models import Ask, Case, Task
from minsheng.worktime import queries as worktime
from minsheng.worktime import rules
from minsheng.worktime.choices import Clock
from minsheng.worktime.rules import Derivation, Limit

STAGE_CLOCKS = {
    CaseState.TO_ACCEPT: Clock.ACCEPTANCE,
    CaseState.TO_DISPATCH: Clock.DISPATCH,
    CaseState.IN_STUDY: Clock.DISPATCH,
    CaseState.TO_AUDIT: Clock.AUDIT,
    CaseState.TO_FOLLOW_UP: Clock.FOLLOW_UP,
    CaseState.CLOSED: Clock.FOLLOW_UP,  # only where a bad rating came since: start_judging
}

SECOND_HANDLING = "二次办理"
READING, FIRST_MEASURES, HANDLING = Clock.READ.label, Clock.FIRST_MEASURES.label, Clock.HANDLING.label


@dataclass(frozen=True)
class TaskClocks:
    """What a dispatch would start, for the preview as for the act."""

    read: Derivation
    handling: Derivation
    first_measures: Derivation | None


def _limit(clock: Clock, case: Case, at: datetime) -> tuple[Limit, Any]:
    topic = case.topic
    limit, policy = worktime.limit_for(
        clock=clock,
        at=case.accepted_at or at,
        kind=case.kind,
        topic_code=topic.code if topic else "",
        on_list=bool(topic and topic.on_convenience_list),
        urgency=case.urgency,
    )
    return limit, policy


def _derive(
    clock: Clock, case: Case, *, start: datetime, lead_in: Limit | None = None, name: str = "", event: str = ""
) -> Derivation:
    limit, policy = _limit(clock, case, start)
    return rules.derive(
        start,
        limit=limit,
        calendar=worktime.calendar(),
        lead_in=lead_in,
        name=name or clock.label,
        event=event or clock.started_by,
        policy=policy.code,
        version=policy.version,
        legal_basis=policy.legal_basis,
    )


def derive_now(clock: Clock, case: Case, *, at: datetime) -> Derivation:
    """The deadline of a clock that would start at this moment: for what a screen says before the act."""
    return _derive(clock, case, start=at)


def most_extension(case: Case, *, at: datetime) -> int:
    """How many working days one extension may give at most, by the policy of extensions (domain.md §2.6)."""
    limit, _ = _limit(Clock.EXTENSION, case, at)
    return limit.amount if limit.in_days else 1


def start_stage(case: Case, *, at: datetime) -> None:
    """Start the centre's clock for the case's present state; states that no clock of ours limits have none."""
    clock = STAGE_CLOCKS.get(CaseState(case.state))
    set_stage(case, _derive(clock, case, start=at) if clock else None)


def start_judging(case: Case, *, at: datetime) -> None:
    """A bad rating of a closed case is looked at within the limit of follow-up (大宁路办法 reviews within three working days,
    domain.md §2.7; ours is the policy's). While this clock runs, the case awaits judgement (guards.awaits_judgement)."""
    set_stage(case, _derive(Clock.FOLLOW_UP, case, start=at, event="评价"))


def set_stage(case: Case, derivation: Derivation | None) -> None:
    """Write the stage clock's columns."""
    if derivation is None:
        case.stage_due_at = case.stage_yellow_at = case.stage_orange_at = case.stage_derivation = None
        return
    case.stage_due_at = derivation.due_at
    case.stage_yellow_at, case.stage_orange_at = rules.light_moments(derivation.start, derivation.due_at)
    case.stage_derivation = derivation.to_json()


def citizen_clock(case: Case, *, at: datetime) -> Derivation:
    """From acceptance: the dispatch limit and then the policy's limit for this kind and topic (design §5)."""
    lead_in, _ = _limit(Clock.DISPATCH, case, at)
    label = RequestKind(case.kind).label
    derived = _derive(Clock.HANDLING, case, start=at, lead_in=lead_in, name=label)
    return derived


def citizen_anew(case: Case, *, like: Case, at: datetime) -> Derivation:
    """The citizen's clock for what this case now says, within the round under way of `like`: itself, or what it is split off.

    It counts from where that round's clock began (acceptance, or reopening), so that correcting or splitting a reopened case
    does not make it late at once; and an extension that the citizen has been told of still holds (design §5).
    """
    running = of(like.citizen_derivation)
    if running is None:
        return citizen_clock(case, at=like.accepted_at or at)
    return rules.moved_as(citizen_clock(case, at=running.start), running, worktime.calendar())


def in_second_handling(case: Case) -> bool:
    """Whether the round under way is the second handling: the citizen's clock then runs on its limit."""
    running = of(case.citizen_derivation)
    return case.second_handling and running is not None and running.name == SECOND_HANDLING


def set_citizen(case: Case, derivation: Derivation) -> None:
    """Write the citizen's clock."""
    case.citizen_due_at = derivation.due_at
    case.citizen_yellow_at, case.citizen_orange_at = rules.light_moments(derivation.start, derivation.due_at)
    case.citizen_derivation = derivation.to_json()
    case.provisional = derivation.is_provisional


def task_clocks(case: Case, *, at: datetime, second: bool = False) -> TaskClocks:
    """The clocks that a dispatch at this moment starts for a unit; `second`: the limit of second handling begins, or runs."""
    second = second or in_second_handling(case)
    label = SECOND_HANDLING if second else RequestKind(case.kind).label
    clock = Clock.SECOND_HANDLING if second else Clock.HANDLING
    return TaskClocks(
        read=_derive(Clock.READ, case, start=at),
        handling=_derive(clock, case, start=at, name=label),
        first_measures=_derive(Clock.FIRST_MEASURES, case, start=at) if case.urgency != Urgency.NORMAL else None,
    )


def set_task(task: Task, derivation: Derivation) -> None:
    """Write the handling clock of a task."""
    task.due_at = derivation.due_at
    task.yellow_at, task.orange_at = rules.light_moments(derivation.start, derivation.due_at)
    task.derivation = derivation.to_json()
    task.provisional = derivation.is_provisional


def set_reading(task: Task, derivation: Derivation) -> None:
    """Write the reading clock of a task."""
    task.read_due_at = derivation.due_at
    task.read_yellow_at, task.read_orange_at = rules.light_moments(derivation.start, derivation.due_at)
    task.read_derivation = derivation.to_json()


def set_first_measures(task: Task, derivation: Derivation) -> None:
    """Write the clock of first measures."""
    task.first_measures_due_at = derivation.due_at
    moments = rules.light_moments(derivation.start, derivation.due_at)
    task.first_measures_yellow_at, task.first_measures_orange_at = moments
    task.first_measures_derivation = derivation.to_json()


def start_ask(ask: Ask, *, at: datetime) -> None:
    """Asking starts the time within which the centre answers: a return has its own limit (domain.md §2.4), any other ask that of
    an audit."""
    clock = Clock.RETURN_DECISION if ask.kind == AskKind.RETURN else Clock.AUDIT
    name = clock.label if ask.kind == AskKind.RETURN else f"{AskKind(ask.kind).label}{clock.label}"
    set_ask(ask, _derive(clock, ask.task.case, start=at, name=name, event="申请"))


def set_ask(ask: Ask, derivation: Derivation) -> None:
    """Write the clock of an ask."""
    ask.due_at = derivation.due_at
    ask.yellow_at, ask.orange_at = rules.light_moments(derivation.start, derivation.due_at)
    ask.derivation = derivation.to_json()


def start_returning(task: Task, *, at: datetime) -> None:
    """Reading starts the time within which the unit may ask for return."""
    set_returning(task, _derive(Clock.RETURN_REQUEST, task.case, start=at))


def set_returning(task: Task, derivation: Derivation) -> None:
    """Write the clock of asking for return."""
    task.return_due_at = derivation.due_at
    task.return_derivation = derivation.to_json()


def of(json: dict[str, Any] | None) -> Derivation | None:
    """The derivation kept beside a deadline."""
    return Derivation.from_json(json) if json else None


@dataclass(frozen=True, slots=True)
class RunningClock:
    """One deadline with the moments at which its light turns. `said`: why, where the derivation itself is kept elsewhere."""

    name: str
    due_at: datetime
    yellow_at: datetime
    orange_at: datetime
    derivation: dict[str, Any] | None = None
    said: str = ""

    @property
    def why(self) -> str:
        """The deadline and its reason, as a sentence."""
        made = of(self.derivation)
        return made.sentence() if made else self.said


def of_task(task: Task) -> list[RunningClock]:
    """What a unit owes: to read, first measures, to handle; nothing once it has answered."""
    if not task.is_active:
        return []
    found = []
    if task.state == TaskState.TO_READ:
        found.append(RunningClock(READING, task.read_due_at, task.read_yellow_at, task.read_orange_at, task.read_derivation))
    due, yellow, orange = task.first_measures_due_at, task.first_measures_yellow_at, task.first_measures_orange_at
    if due and yellow and orange and not task.first_measures_at:
        found.append(RunningClock(FIRST_MEASURES, due, yellow, orange, task.first_measures_derivation))
    found.append(RunningClock(HANDLING, task.due_at, task.yellow_at, task.orange_at, task.derivation))
    return found


def running(task: Task) -> list[RunningClock]:
    """Of these, what does not stand still; the same in SQL: lights.task_reached."""
    return [] if task.state == TaskState.PAUSED else of_task(task)


def of_ask(ask: Ask) -> RunningClock:
    """The centre's answer to an ask."""
    return RunningClock(f"{AskKind(ask.kind).label}审核", ask.due_at, ask.yellow_at, ask.orange_at, ask.derivation)
