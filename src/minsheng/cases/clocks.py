"""The clocks of cases and tasks: which policy starts which, and the columns that keep them (design §5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from minsheng.cases.choices import CaseState, RequestKind, Urgency
from minsheng.cases.models import Case, Task
from minsheng.worktime import queries as worktime
from minsheng.worktime import rules
from minsheng.worktime.choices import Clock, LimitUnit
from minsheng.worktime.rules import Derivation, Limit

STAGE_CLOCKS = {
    CaseState.TO_ACCEPT: Clock.ACCEPTANCE,
    CaseState.TO_DISPATCH: Clock.DISPATCH,
    CaseState.IN_STUDY: Clock.DISPATCH,
    CaseState.TO_AUDIT: Clock.AUDIT,
    CaseState.TO_FOLLOW_UP: Clock.FOLLOW_UP,
}

SECOND_HANDLING = "二次办理"


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
    if clock is Clock.HANDLING and topic and topic.limit_days and case.kind != RequestKind.CONSULTATION:
        limit = Limit(topic.limit_days, LimitUnit.WORKING_DAYS)
    return limit, policy


def _derive(clock: Clock, case: Case, *, start: datetime, lead_in: Limit | None = None, name: str = "") -> Derivation:
    limit, policy = _limit(clock, case, start)
    return rules.derive(
        start,
        limit=limit,
        calendar=worktime.calendar(),
        lead_in=lead_in,
        name=name or clock.label,
        event=clock.started_by,
        policy=policy.code,
        version=policy.version,
        legal_basis=policy.legal_basis,
    )


def derive_now(clock: Clock, case: Case, *, at: datetime) -> Derivation:
    """The deadline of a clock that would start at this moment: for what a screen says before the act, and for asks."""
    return _derive(clock, case, start=at)


def start_stage(case: Case, *, at: datetime) -> None:
    """Start the centre's clock for the case's present state; states that no clock of ours limits have none."""
    clock = STAGE_CLOCKS.get(CaseState(case.state))
    set_stage(case, _derive(clock, case, start=at) if clock else None)


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


def round_start(case: Case, *, at: datetime) -> datetime:
    """When the citizen's clock of the round under way began: acceptance, or reopening. What is counted anew counts from
    there, so that correcting or splitting a reopened case does not make it late at once."""
    running = of(case.citizen_derivation)
    return running.start if running else case.accepted_at or at


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
    task.read_derivation = derivation.to_json()


def start_returning(task: Task, *, at: datetime) -> None:
    """Reading starts the time within which the unit may ask for return."""
    task.return_due_at = _derive(Clock.RETURN_REQUEST, task.case, start=at).due_at


def of(json: dict[str, Any] | None) -> Derivation | None:
    """The derivation kept beside a deadline."""
    return Derivation.from_json(json) if json else None
