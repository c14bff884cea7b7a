"""What the system does by itself when time passes: reading when overdue, archiving, recounting provisional deadlines."""

from __future__ import annotations

from datetime import datetime

from minsheng.cases import clocks, work
from minsheng.cases.actors import SYSTEM
from minsheng.cases.choices import ACTIVE_TASK_STATES, CaseState, TaskState
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

    True when a deadline moved or ceased to be provisional.
    """
    calendar = worktime.calendar()
    moved: list[str] = []
    with work.locked(case) as locked:
        told = []
        derivation = clocks.of(locked.citizen_derivation)
        if derivation and derivation.is_provisional and locked.state not in (CaseState.CLOSED, CaseState.ARCHIVED):
            again = rules.recompute(derivation, calendar, at=at)
            if again != derivation:
                clocks.set_citizen(locked, again)
                told.append(("群众时限", derivation, again))
        tasks = Task.objects.filter(case=locked, provisional=True, state__in=ACTIVE_TASK_STATES).select_related("unit")
        for task in tasks:
            before = clocks.of(task.derivation)
            assert before is not None
            after = rules.recompute(before, calendar, at=at)
            if after != before:
                clocks.set_task(task, after)
                task.save(update_fields=["due_at", "yellow_at", "orange_at", "derivation", "provisional"])
                told.append((task.unit.name, before, after))
        moved = [name for name, _, _ in told]
        if told:
            _record_recount(locked, at, told)
    return bool(moved)


def _record_recount(
    case: Case, at: datetime, told: list[tuple[str, rules.Derivation, rules.Derivation]]
) -> None:
    payload = {
        "summary": "日历更新，重新计算时限：" + "；".join(f"{name} {after.sentence()}" for name, _, after in told),
        "facts": {},
        "before": {name: before.due_at.isoformat() for name, before, _ in told},
        "after": {name: after.due_at.isoformat() for name, _, after in told},
    }
    work.append(case, actor=SYSTEM, at=at, code="recount", payload=payload)
    case.save()
