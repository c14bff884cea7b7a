"""What waits at the desks 承办 and 审核: stacks, counts, lights, the week ahead. Each answers with one query, by stored columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import CharField, Count, Exists, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, Value, When

from minsheng.accounts.choices import Role
from minsheng.cases.choices import ACTIVE_TASK_STATES, AskKind, AskState, CaseState, ReplyState, TaskState
from minsheng.cases.models import Ask, Case, Reply, Task
from minsheng.organisations import queries as organisations
from minsheng.worktime.choices import Light
from minsheng.worktime.moments import ONE_DAY, end_of, last_day_before, midnight

if TYPE_CHECKING:
    from minsheng.accounts.models import User

LEVELS = (Light.NONE, Light.YELLOW, Light.ORANGE, Light.RED)
T = TaskState


@dataclass(frozen=True, slots=True)
class Tally:
    """How many wait, and the light of the most pressing."""

    count: int
    light: Light


def _level(at: datetime, *, yellow: str, orange: str, due: str) -> models.Case:
    """The light by stored columns, as a number that the most pressing is the greatest of."""
    return models.Case(
        When(**{f"{due}__lte": at}, then=Value(3)),
        When(**{f"{orange}__lte": at}, then=Value(2)),
        When(**{f"{yellow}__lte": at}, then=Value(1)),
        default=Value(0),
        output_field=IntegerField(),
    )


def _task_level(at: datetime, prefix: str = "") -> models.Case:
    """A paused task's clock stands still: it shows no light. An unread one is red when its reading is overdue."""
    p = prefix
    return models.Case(
        When(**{f"{p}state": T.PAUSED}, then=Value(0)),
        When(**{f"{p}state": T.TO_READ, f"{p}read_due_at__lte": at}, then=Value(3)),
        default=_level(at, yellow=f"{p}yellow_at", orange=f"{p}orange_at", due=f"{p}due_at"),
        output_field=IntegerField(),
    )


# --- 承办 --------------------------------------------------------------------------------------------------------

_TO_SIGN, _UNSIGNED, _ASKING = Q(to_sign=True), Q(unsigned=True), Q(asking__isnull=False)
_WORKING = Q(state__in=[T.HANDLING, T.PAUSED])
STACKS: Mapping[str, Q] = {
    "sign": _TO_SIGN & Q(state__in=[T.HANDLING, T.SENT_BACK]),
    "new": Q(state=T.TO_READ),
    "work": _WORKING & ~_UNSIGNED,
    "back": (Q(state=T.SENT_BACK) & ~_TO_SIGN) | (_WORKING & _UNSIGNED),
    "asks": _ASKING,
}


def unit_tasks(user: User) -> QuerySet[Task]:
    """What the person's own unit still owes in cases that are being handled, or asks for; marked for the stacks.

    Its own unit's tasks are within `scope.visible_tasks`, save those returned or recalled, which no stack holds.
    """
    owed = Q(state__in=ACTIVE_TASK_STATES, case__state=CaseState.IN_HANDLING)
    return marked(Task.objects.filter(unit=user.unit)).filter(owed | (_ASKING & Q(state=T.ACCEPTED)))


def marked(tasks: QuerySet[Task]) -> QuerySet[Task]:
    """Each with whether a reply waits for its signature, or was not signed, and what it asks for."""
    reply = Reply.objects.filter(task=OuterRef("pk"))
    pending = Ask.objects.filter(task=OuterRef("pk"), state=AskState.PENDING)
    return tasks.annotate(
        to_sign=Exists(reply.filter(state=ReplyState.TO_SIGN)),
        unsigned=Exists(reply.filter(state=ReplyState.NOT_SIGNED)),
        asking=Subquery(pending.values("kind")[:1], output_field=CharField()),
    )


def for_rows(tasks: QuerySet[Task]) -> QuerySet[Task]:
    """With what a row shows."""
    return tasks.select_related("case__topic", "case__place__parent", "unit")


def stack_tallies(user: User, at: datetime) -> dict[str, Tally]:
    """Count and light of each stack, in one query."""
    asked: dict[str, Any] = {}
    for code, condition in STACKS.items():
        asked[f"{code}_count"] = Count("pk", filter=condition)
        asked[f"{code}_level"] = Max("level", filter=condition)
    found = unit_tasks(user).annotate(level=_task_level(at)).aggregate(**asked)
    return {code: Tally(found[f"{code}_count"], LEVELS[found[f"{code}_level"] or 0]) for code in STACKS}


def tasks_below(user: User) -> QuerySet[Task]:
    """What units below the person's own still owe, for reading only."""
    below = organisations.subtree_ids(user.unit_id) - {user.unit_id} if user.unit_id else set()
    open_ones = Task.objects.filter(unit_id__in=below, state__in=ACTIVE_TASK_STATES, case__state=CaseState.IN_HANDLING)
    return marked(open_ones)


def due_on(tasks: QuerySet[Task], day: date) -> QuerySet[Task]:
    """Of these, what ends on that day; what stands still ends on none."""
    return tasks.filter(due_at__gt=midnight(day), due_at__lte=end_of(day)).exclude(state=T.PAUSED)


def due_by_day(user: User, first: date, days: int) -> dict[date, int]:
    """How many of the unit's running tasks end on each day, and under `first` - 1 day those that ended before."""
    running = Task.objects.filter(
        unit=user.unit, state__in=ACTIVE_TASK_STATES - {T.PAUSED}, case__state=CaseState.IN_HANDLING
    )
    ends = running.filter(due_at__lte=end_of(first + (days - 1) * ONE_DAY)).values_list("due_at").annotate(n=Count("pk"))
    found: dict[date, int] = {}
    for due_at, count in ends.order_by():
        day = max(last_day_before(due_at), first - ONE_DAY)
        found[day] = found.get(day, 0) + count
    return found


def unit_waiting(user: User, at: datetime) -> tuple[int, str]:
    """For the rail: what the unit has to do now, in one query; what is paused or asked back waits for others."""
    tasks = Task.objects.filter(
        unit=user.unit, state__in=[T.TO_READ, T.HANDLING, T.SENT_BACK], case__state=CaseState.IN_HANDLING
    )
    found = tasks.annotate(level=_task_level(at)).aggregate(count=Count("pk"), worst=Max("level"))
    return found["count"], LEVELS[found["worst"] or 0].value


# --- 审核 --------------------------------------------------------------------------------------------------------

# In which states of its case an ask can still be answered (the transition table's rows).
_ANSWERABLE = Q(task__case__state=CaseState.IN_HANDLING) | Q(
    kind=AskKind.SET_ASIDE, task__case__state__in=[CaseState.TO_FOLLOW_UP, CaseState.CLOSED]
)


def replies_to_audit(user: User) -> QuerySet[Case]:
    """Cases whose reply waits for its verdict; also those that the person dispatched, which another must judge."""
    return Case.objects.visible_to(user).filter(state=CaseState.TO_AUDIT)


def asks_to_decide(user: User) -> QuerySet[Ask]:
    """Asks that wait for an answer; the hotline's leader decides on unreasonable demands only."""
    asks = Ask.objects.filter(_ANSWERABLE, state=AskState.PENDING, task__case__in=Case.objects.visible_to(user))
    return asks if user.has_role(Role.AUDITOR) else asks.filter(kind=AskKind.SET_ASIDE)


def audit_tallies(user: User, at: datetime) -> dict[str, Tally]:
    """What the person may act upon: {"replies", and each kind of ask}, in one query. Own dispatches are another's."""
    level = _level(at, yellow="stage_yellow_at", orange="stage_orange_at", due="stage_due_at")
    replies = (
        replies_to_audit(user)
        .exclude(dispatched_by=user)
        .annotate(what=Value("replies", output_field=CharField()), level=level)
        .order_by()
        .values("what")
        .annotate(n=Count("pk"), most=Max("level"))
        .values_list("what", "n", "most")
    )
    asks = (
        asks_to_decide(user)
        .exclude(task__case__dispatched_by=user)
        .annotate(level=_task_level(at, "task__"))
        .order_by()
        .values("kind")
        .annotate(n=Count("pk"), most=Max("level"))
        .values_list("kind", "n", "most")
    )
    both = replies.union(asks, all=True) if user.has_role(Role.AUDITOR) else asks
    return {what: Tally(n, LEVELS[most or 0]) for what, n, most in both}


def audit_waiting(user: User, at: datetime) -> tuple[int, str]:
    """For the rail."""
    tallies = audit_tallies(user, at).values()
    most = max((LEVELS.index(tally.light) for tally in tallies), default=0)
    return sum(tally.count for tally in tallies), LEVELS[most].value
