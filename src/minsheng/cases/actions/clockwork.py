"""What the system does by itself when time passes: reading when overdue, archiving, recounting provisional deadlines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from minsheng.cases import clocks, work
from minsheng.cases.actors import SYSTEM
from minsheng.cases.choices import ACTIVE_TASK_STATES, OPEN_STATES, CaseState, TaskState
from minsheng.cases.models import Case, Task
from minsheng.worktime import queries as worktime
from minsheng.worktime import rules


def read_automatically(*, at: datetime, task: Task) -> None:
    """逾期自动查阅: recorded as the system's, never counted as timely (domain.md §3.2). Errors: wrong_task_state, not_due_yet."""
    with work.work_on(task.case, "read_automatically", actor=SYSTEM, at=at, task=task) as w:
        it = w.the_task
        it.state, it.read_at, it.read_automatically = TaskState.HANDLING, at, True
        clocks.start_returning(it, at=at)
        w.summary = f"{it.unit.name}逾期未查阅，系统自动查阅，不计及时"


def archive_case(*, at: datetime, case: Case) -> None:
    """归档: closed and quiet for the set period."""
    with work.work_on(case, "archive", actor=SYSTEM, at=at) as w:
        w.move_case(CaseState.ARCHIVED)
        w.summary = "归档"


def recount_case(*, at: datetime, case: Case) -> bool:
    """A year's notice was loaded: open provisional deadlines are derived again, on record; passed ones stay (design §5).

    All clocks: the citizen's, the stage's, and each task's for reading and for handling. True when a deadline moved or ceased to
    be provisional.
    """
    calendar = worktime.calendar()
    with work.locked(case) as locked:
        told: list[Recounted] = []
        again = _again(locked.citizen_derivation, calendar, at)
        if again and locked.state in OPEN_STATES:
            clocks.set_citizen(locked, again.after)
            told.append(again.named("群众时限"))
        again = _again(locked.stage_derivation, calendar, at)
        if again:
            clocks.set_stage(locked, again.after)
            told.append(again.named(f"{clocks.STAGE_CLOCKS[CaseState(locked.state)].label}时限"))
        for task in Task.objects.filter(case=locked, state__in=ACTIVE_TASK_STATES).select_related("unit").order_by("id"):
            told += _recount_task(task, calendar, at)
        if told:
            _record_recount(locked, at, told)
    return bool(told)


@dataclass(frozen=True)
class Recounted:
    """One deadline before and after."""

    before: rules.Derivation
    after: rules.Derivation
    name: str = ""

    def named(self, name: str) -> Recounted:
        """As the timeline calls it."""
        return replace(self, name=name)


def _again(json: dict[str, Any] | None, calendar: rules.Calendar, at: datetime) -> Recounted | None:
    """The deadline under the calendar of now; None where it is not provisional, or nothing about it changes."""
    before = clocks.of(json)
    if before is None or not before.is_provisional:
        return None
    after = rules.recompute(before, calendar, at=at)
    return Recounted(before, after) if after != before else None


def _recount_task(task: Task, calendar: rules.Calendar, at: datetime) -> list[Recounted]:
    told = []
    handling = _again(task.derivation, calendar, at)
    if handling:
        clocks.set_task(task, handling.after)
        told.append(handling.named(task.unit.name))
    reading = _again(task.read_derivation, calendar, at) if task.state == TaskState.TO_READ else None
    if reading:
        clocks.set_reading(task, reading.after)
        told.append(reading.named(f"{task.unit.name}查阅"))
    if told:
        task.save(
            update_fields=["due_at", "yellow_at", "orange_at", "derivation", "provisional", "read_due_at", "read_derivation"]
        )
    return told


def _record_recount(case: Case, at: datetime, told: list[Recounted]) -> None:
    payload = {
        "summary": "日历更新，重新计算时限：" + "；".join(f"{it.name} {it.after.sentence()}" for it in told),
        "facts": {},
        "before": {it.name: it.before.due_at.isoformat() for it in told},
        "after": {it.name: it.after.due_at.isoformat() for it in told},
    }
    work.append(case, actor=SYSTEM, at=at, code="recount", payload=payload)
    case.save()
