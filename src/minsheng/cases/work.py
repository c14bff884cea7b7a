"""How every write on a case is framed: lock, replay, staleness, permission, transition, timeline, one save.

    with work_on(case, "dispatch", actor=actor, at=at, version=version, submission=submission) as work:
        ...change work.case, work.task, create rows...
        work.summary = "批转至仓山区城市管理局（主办）"

The block runs inside one transaction that holds the case row and no other case's. On leaving, what changed on the case and
the task is saved, one timeline entry is appended, and the events' subscribers have run. A refusal inside undoes everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import IntegrityError, models, transaction

from minsheng.audit import chain
from minsheng.cases import events, pressing, workflow
from minsheng.cases.actors import Outsider, is_user, label_of, user_or_none
from minsheng.cases.choices import CaseState
from minsheng.cases.guards import Situation
from minsheng.cases.models import Ask, Case, Reply, Task, TimelineEntry
from minsheng.errors import Refused

if TYPE_CHECKING:
    from minsheng.accounts.models import User

# Columns whose values may be told in the timeline's before and after. Words and personal values never stand there.
_FACTS = [
    "state",
    "ending",
    "kind",
    "urgency",
    "topic_id",
    "place_id",
    "accused_unit_id",
    "confidential",
    "enterprise",
    "round",
    "second_handling",
    "set_aside",
    "merged_into_id",
    "first_dispatch_wrong",
    "citizen_due_at",
    "first_satisfaction",
    "first_solved",
    "final_satisfaction",
    "final_solved",
]
_TASK_FACTS = ["state", "due_at", "read_automatically", "paused_at", "excused_at", "first_measures_at"]


class Repeated(Exception):
    """This very form was already acted upon; what it asked for is done. The screen shows the case as it stands."""

    def __init__(self, entry: TimelineEntry) -> None:
        self.entry = entry
        super().__init__(f"already done as {entry.code}")


@dataclass
class Work:
    """One action under way."""

    row: workflow.Transition
    actor: User | Outsider
    at: datetime
    case: Case
    task: Task | None
    situation: Situation
    summary: str = ""
    also: list[str] = field(default_factory=list)  # what happened alongside, each in words; it follows the summary
    note: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    # All of the case's, with those that the action has made: what runs for the case is told from them (pressing.keep).
    tasks: list[Task] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)

    @property
    def user(self) -> User:
        """The actor where only a person with an account may act."""
        if not is_user(self.actor):
            raise Refused("forbidden", action=self.row.label)
        return self.actor

    @property
    def the_task(self) -> Task:
        """The task of a task row."""
        return self.situation.the_task

    def move_case(self, state: CaseState) -> None:
        """Put the case into a state; its row of the table allowed it."""
        self.case.state = state
        self.case.state_since = self.at


def situation_of(case: Case, *, actor: Any, at: datetime, task: Task | None = None) -> Situation:
    """Load what guards look at: tasks with units, asks and open replies; three queries whatever the case.

    The few rows are put in order here: to name an order in a query of so many columns takes Django half as long again.
    """
    tasks = sorted(Task.objects.filter(case=case).select_related("unit").order_by(), key=lambda t: (t.assigned_at, t.pk))
    for each in tasks:
        each.case = case
    asks = sorted(Ask.objects.filter(task__case=case).order_by(), key=lambda a: (a.asked_at, a.pk)) if tasks else []
    of = {each.pk: each for each in tasks}
    for ask in asks:
        ask.task = of[ask.task_id]
    return Situation(
        actor=actor,
        at=at,
        case=case,
        task=next((t for t in tasks if task is not None and t.pk == task.pk), None),
        tasks=tasks,
        asks=asks,
        replies=sorted(Reply.objects.filter(task__case=case).order_by(), key=lambda r: (r.written_at, r.pk)) if tasks else [],
    )


def lock_case(pk: int) -> Case:
    """The case row, locked until the transaction ends. Errors: not_found.

    Its key never changes, so the lock leaves alone who only refers to the row (FOR NO KEY UPDATE): else a case that was
    merged into this one, or a message about it, would wait for this transaction at commit.
    """
    rows = Case.objects.select_for_update(of=("self",), no_key=True).select_related("topic", "place")
    try:
        return rows.get(pk=pk)
    except Case.DoesNotExist as gone:
        raise Refused("not_found") from gone


@contextmanager
def locked(case: Case) -> Iterator[Case]:
    """One transaction that holds the case row, for the few writes that no row of the table describes."""
    with transaction.atomic():
        yield lock_case(case.pk)


@contextmanager
def work_on(
    case: Case,
    code: str,
    *,
    actor: User | Outsider,
    at: datetime,
    task: Task | None = None,
    version: int | None = None,
    submission: UUID | None = None,
) -> Iterator[Work]:
    """Frame one action (see the module's text).

    `version`: what the screen was drawn from; None for acts without a screen. `submission`: the form's own key.
    Errors: not_found (out of scope), stale, forbidden, wrong_state, what guards raise; Repeated when already done,
    submission_used when the key has done something else.
    """
    row = workflow.BY_CODE[code]
    with transaction.atomic():
        locked = lock_case(case.pk)
        _refuse_repeat(locked, row.code, actor, task, submission)
        _refuse_unseen(locked, actor, row.label)
        situation = situation_of(locked, actor=actor, at=at, task=task)
        _refuse_stale(locked, version)
        workflow.check(row, situation)
        work = Work(row, actor, at, locked, situation.task, situation, tasks=[*situation.tasks], asks=[*situation.asks])
        before = _snapshot(locked), _snapshot(situation.task)
        yield work
        _finish(work, before, submission)
    _show_what_was_written(case, work.case)


def _show_what_was_written(case: Case, written: Case) -> None:
    """The caller's object follows; a related row that it kept is forgotten where the key has changed."""
    for column in Case._meta.concrete_fields:
        value = getattr(written, column.attname)
        if column.is_relation and getattr(case, column.attname) != value:
            case._state.fields_cache.pop(column.name, None)
        case.__dict__[column.attname] = value


def _refuse_repeat(case: Case, code: str, actor: User | Outsider, task: Task | None, submission: UUID | None) -> None:
    """The same form is done; the same key with anything else is another form, and nothing has been done for it."""
    if submission is None:
        return
    entry = TimelineEntry.objects.filter(submission=submission).select_related("case").first()
    if entry is None:
        return
    person, subject = user_or_none(actor), task.pk if task is not None else None
    asked = (case.pk, code, person.pk if person else None, subject)
    if (entry.case_id, entry.code, entry.actor_id, entry.task_id) != asked:
        raise Refused("submission_used")
    raise Repeated(entry)


def _refuse_unseen(case: Case, actor: User | Outsider, label: str) -> None:
    """A person acts only on what they may see; whoever may not see it learns nothing of it."""
    if is_user(actor) and not Case.objects.visible_to(actor).filter(pk=case.pk).exists():
        raise Refused("not_found", action=label)


def _refuse_stale(case: Case, version: int | None) -> None:
    if version is None or version == case.version:
        return
    entries = TimelineEntry.objects.filter(case=case, seq__gt=version).order_by("seq")
    changes = [{"at": e.at, "actor": e.actor_label, "sentence": e.payload.get("summary", "")} for e in entries]
    raise Refused("stale", since=version, version=case.version, number=case.number, changes=changes)


def _snapshot(row: models.Model | None) -> dict[str, Any]:
    return {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields} if row is not None else {}


def _changes(row: models.Model | None, before: dict[str, Any]) -> list[str]:
    return [name for name, value in before.items() if getattr(row, name) != value]


def _finish(work: Work, before: tuple[dict[str, Any], dict[str, Any]], submission: UUID | None) -> None:
    case, task = work.case, work.task
    pressing.keep(case, work.tasks, work.asks)
    case_changes, task_changes = _changes(case, before[0]), _changes(task, before[1])
    told = _told(case, before[0], case_changes, _FACTS), _told(task, before[1], task_changes, _TASK_FACTS)
    payload = {
        "summary": "；".join([work.summary or work.row.label, *work.also]),
        "facts": work.facts,
        "before": {**told[0][0], **{f"task.{k}": v for k, v in told[1][0].items()}},
        "after": {**told[0][1], **{f"task.{k}": v for k, v in told[1][1].items()}},
    }
    try:
        append(
            case,
            actor=work.actor,
            at=work.at,
            code=work.row.code,
            payload=payload,
            note=work.note,
            task=task,
            submission=submission,
        )
    except IntegrityError as error:  # the same key on another case, at this very moment
        if "timeline_done_once" not in str(error):
            raise
        raise Refused("submission_used") from error
    case.save(update_fields=[*_names(Case, case_changes), "timeline_head", "timeline_length"])
    if task is not None and task_changes:
        task.save(update_fields=_names(Task, task_changes))
    events.announce(work)


def _names(model: type[models.Model], attnames: list[str]) -> list[str]:
    return [f.name for f in model._meta.concrete_fields if f.attname in attnames]


def _told(
    row: models.Model | None, before: dict[str, Any], changed: list[str], facts: list[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    names = [name for name in facts if name in changed]
    return {n: _plain(before[n]) for n in names}, {n: _plain(getattr(row, n)) for n in names}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date) else value


def append(
    case: Case,
    *,
    actor: User | Outsider,
    at: datetime,
    code: str,
    payload: dict[str, Any],
    note: str = "",
    task: Task | None = None,
    submission: UUID | None = None,
) -> TimelineEntry:
    """Append one chained entry and move the case's head. The caller holds the case row and saves the case."""
    entry = chain.append(
        TimelineEntry,
        owner=case,
        at=at,
        code=code,
        actor=user_or_none(actor),
        actor_label=label_of(actor),
        payload=payload,
        note=note,
        task=task,
        submission=submission,
    )
    entry.save(force_insert=True)
    return entry
