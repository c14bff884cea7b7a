"""What the system does by itself when time passes: reading when overdue, archiving, recounting provisional deadlines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from minsheng.cases import clocks, messages, pressing, work
from minsheng.cases.actors import SYSTEM
from minsheng.cases.choices import ACTIVE_TASK_STATES, OPEN_STATES, AskKind, AskState, CaseState, TaskState
from minsheng.cases.models import Ask, Case, Task
from minsheng.cases.wording import day_words
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

    All clocks: the citizen's, the stage's, each task's for reading, first measures, asking for return and handling, and that of what
    waits for the centre's answer. True when a deadline moved or ceased to be provisional. Citizens whose own deadline moved are
    told the new one, as of any other change.
    """
    calendar = worktime.calendar()
    with work.locked(case) as locked:
        told: list[Recounted] = []
        again = _again(locked.citizen_derivation, calendar, at)
        if again and locked.state in OPEN_STATES:
            clocks.set_citizen(locked, again.after)
            told.append(again.named("群众时限"))
            if again.after.due_at != again.before.due_at:
                messages.tell_all(locked, at=at, template="recounted", due=day_words(again.after.due_at, at))
        again = _again(locked.stage_derivation, calendar, at)
        if again:
            clocks.set_stage(locked, again.after)
            told.append(again.named(f"{clocks.STAGE_CLOCKS[CaseState(locked.state)].label}时限"))
        moved: dict[int | None, Recounted] = {}
        # A lower unit's task is younger than the one it hangs on, so that one's new limit is known when its turn comes.
        tasks = list(Task.objects.filter(case=locked, state__in=ACTIVE_TASK_STATES).select_related("unit").order_by("id"))
        asks = list(Ask.objects.filter(task__case=locked, state=AskState.PENDING).select_related("task__unit").order_by("id"))
        for task in tasks:
            told += _recount_task(task, calendar, at, moved)
        for ask in asks:
            told += _recount_ask(ask, calendar, at)
        if told:
            pressing.keep(locked, tasks, asks)
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


_CLOCK_COLUMNS = [
    "due_at",
    "yellow_at",
    "orange_at",
    "derivation",
    "provisional",
    "read_due_at",
    "read_yellow_at",
    "read_orange_at",
    "read_derivation",
    "first_measures_due_at",
    "first_measures_yellow_at",
    "first_measures_orange_at",
    "first_measures_derivation",
    "return_due_at",
    "return_derivation",
]


def _again(
    json: dict[str, Any] | None,
    calendar: rules.Calendar,
    at: datetime,
    *,
    above: Recounted | None = None,
    still_since: datetime | None = None,
) -> Recounted | None:
    """The deadline under the calendar of now; None where it is not provisional, or nothing about it changes.

    `above`: the deadline that this one was cut to has itself been counted again; the cut moves with it.
    """
    before = clocks.of(json)
    if before is None or not before.is_provisional:
        return None
    after = rules.recompute(_cut_to(before, above), calendar, at=at, still_since=still_since)
    return Recounted(before, after) if after != before else None


def _cut_to(derivation: rules.Derivation, above: Recounted | None) -> rules.Derivation:
    """The same with its cuts at the deadline above as that one stands now, so that neither outlasts nor undercuts it."""
    if above is None:
        return derivation
    return replace(
        derivation,
        adjustments=tuple(
            replace(each, to_due=above.after.due_at)
            if isinstance(each, rules.Cap) and each.to_due == above.before.due_at
            else each
            for each in derivation.adjustments
        ),
    )


def _recount_task(
    task: Task, calendar: rules.Calendar, at: datetime, moved: dict[int | None, Recounted]
) -> list[Recounted]:
    told, above = [], moved.get(task.parent_id)
    handling = _again(task.derivation, calendar, at, above=above, still_since=task.paused_at)
    if handling:
        clocks.set_task(task, handling.after)
        moved[task.pk] = handling
        told.append(handling.named(task.unit.name))
    reading = _again(task.read_derivation, calendar, at, above=above) if task.state == TaskState.TO_READ else None
    if reading:
        clocks.set_reading(task, reading.after)
        told.append(reading.named(f"{task.unit.name}查阅"))
    owed = None if task.first_measures_at else task.first_measures_derivation
    measures = _again(owed, calendar, at, still_since=task.paused_at)
    if measures:
        clocks.set_first_measures(task, measures.after)
        told.append(measures.named(f"{task.unit.name}先行处置"))
    returning = _again(task.return_derivation, calendar, at) if task.state == TaskState.HANDLING else None
    if returning:
        clocks.set_returning(task, returning.after)
        told.append(returning.named(f"{task.unit.name}退件"))
    if told:
        task.save(update_fields=_CLOCK_COLUMNS)
    return told


def _recount_ask(ask: Ask, calendar: rules.Calendar, at: datetime) -> list[Recounted]:
    again = _again(ask.derivation, calendar, at)
    if again is None:
        return []
    clocks.set_ask(ask, again.after)
    ask.save(update_fields=["due_at", "yellow_at", "orange_at", "derivation"])
    return [again.named(f"{ask.task.unit.name}{AskKind(ask.kind).label}申请审核")]


def _record_recount(case: Case, at: datetime, told: list[Recounted]) -> None:
    payload = {
        "summary": "日历更新，重新计算时限：" + "；".join(f"{it.name} {it.after.sentence()}" for it in told),
        "facts": {},
        "before": {it.name: it.before.due_at.isoformat() for it in told},
        "after": {it.name: it.after.due_at.isoformat() for it in told},
    }
    work.append(case, actor=SYSTEM, at=at, code="recount", payload=payload)
    case.save()
