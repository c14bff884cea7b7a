"""What waits at the desks 承办 and 审核: stacks, counts, lights, the week ahead. Each answers with one query, by stored columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db.models import CharField, Count, Exists, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Greatest

from minsheng.accounts.choices import Role
from minsheng.accounts.queries import readers
from minsheng.cases.choices import (
    ACTIVE_TASK_STATES,
    GONE_TASK_STATES,
    AskKind,
    AskState,
    CaseState,
    ReplyState,
    TaskState,
)
from minsheng.cases.lights import LEVELS, ask_reached, case_reached, level, task_reached
from minsheng.cases.models import Ask, Case, DeskVisit, Reply, Task, TimelineEntry
from minsheng.cases.scope import visible_tasks
from minsheng.organisations.models import Unit
from minsheng.worktime.choices import Light
from minsheng.worktime.moments import ONE_DAY, end_of, last_day_before, midnight

if TYPE_CHECKING:
    from minsheng.accounts.models import User

T = TaskState


@dataclass(frozen=True, slots=True)
class Tally:
    """How many wait, and the light of the most pressing."""

    count: int
    light: Light


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

    Not of a case that turned against one of its kin after it was given (scope).
    """
    owed = Q(state__in=ACTIVE_TASK_STATES, case__state=CaseState.IN_HANDLING)
    return marked(Task.objects.filter(visible_tasks(user), unit=user.unit)).filter(owed | (_ASKING & Q(state=T.ACCEPTED)))


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


def with_why_back(tasks: QuerySet[Task]) -> QuerySet[Task]:
    """Each with what was said when it last came back (`unit_news.why_back` puts it in words) and when that was."""
    reply = Reply.objects.filter(task=OuterRef("pk"), state__in=[ReplyState.SENT_BACK, ReplyState.NOT_SIGNED]).order_by("-id")
    of_task = TimelineEntry.objects.filter(case=OuterRef("case"), task=OuterRef("pk")).order_by("-seq")
    of_case = TimelineEntry.objects.filter(case=OuterRef("case"), code="send_back").order_by("-seq")
    declined = of_task.filter(code__in=["decline_to_sign", "send_report_back"])
    return tasks.annotate(
        back_reasons=Subquery(reply.values("audit_reasons")[:1]),
        back_note=Subquery(reply.values("audit_note")[:1]),
        report_back_note=Subquery(of_task.filter(code="send_report_back").values("note")[:1]),
        back_at=Greatest(Subquery(declined.values("at")[:1]), Subquery(of_case.values("at")[:1])),
    )


def stack_tallies(user: User, at: datetime) -> dict[str, Tally]:
    """Count and light of each stack, in one query."""
    asked: dict[str, Any] = {}
    for code, condition in STACKS.items():
        asked[f"{code}_count"] = Count("pk", filter=condition)
        asked[f"{code}_level"] = Max("level", filter=condition)
    found = unit_tasks(user).annotate(level=level(task_reached(at))).aggregate(**asked)
    return {code: Tally(found[f"{code}_count"], LEVELS[found[f"{code}_level"] or 0]) for code in STACKS}


def asks_of_unit(user: User, *, since: datetime) -> QuerySet[Ask]:
    """What the unit asks for, and what was decided of it since; the latest move (`moved_at`) first."""
    own = Task.objects.filter(visible_tasks(user), unit=user.unit)
    asks = Ask.objects.filter(Q(state=AskState.PENDING) | Q(decided_at__gte=since), task__in=own)
    shown = asks.select_related("task__unit", "task__case__topic", "task__case__place__parent")
    return shown.annotate(moved_at=Coalesce("decided_at", "asked_at"))


def before_this_visit(user: User) -> datetime | None:
    """When the person's visit before this one ended."""
    return DeskVisit.objects.filter(user=user).values_list("before", flat=True).first()


def tasks_below(user: User) -> QuerySet[Task]:
    """What units below the person's own still owe, and streets that it turned to, for reading only; of a case against one of them
    nothing (scope)."""
    # A street does not stand below a bureau: the task that the bureau handed down shows, while the bureau has its own.
    theirs = Task.objects.filter(visible_tasks(user), unit=user.unit)
    open_ones = Task.objects.filter(
        visible_tasks(user) | Q(parent__in=theirs), state__in=ACTIVE_TASK_STATES, case__state=CaseState.IN_HANDLING
    )
    return marked(open_ones.exclude(unit=user.unit))


def due_on(tasks: QuerySet[Task], day: date) -> QuerySet[Task]:
    """Of these, what ends on that day; what stands still ends on none."""
    return tasks.filter(due_at__gt=midnight(day), due_at__lte=end_of(day)).exclude(state=T.PAUSED)


def due_by_day(user: User, first: date, days: int) -> dict[date, int]:
    """How many of the unit's running tasks end on each day, and under `first` - 1 day those that ended before."""
    running = Task.objects.filter(
        visible_tasks(user), unit=user.unit, state__in=ACTIVE_TASK_STATES - {T.PAUSED}, case__state=CaseState.IN_HANDLING
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
        visible_tasks(user), unit=user.unit, state__in=[T.TO_READ, T.HANDLING, T.SENT_BACK], case__state=CaseState.IN_HANDLING
    )
    found = tasks.annotate(level=level(task_reached(at))).aggregate(count=Count("pk"), worst=Max("level"))
    return found["count"], LEVELS[found["worst"] or 0].value


def units_without_readers() -> list[str]:
    """Names of units that owe something while nobody there could read it, by code. One query."""
    owed = Task.objects.filter(unit=OuterRef("pk"), state__in=ACTIVE_TASK_STATES, case__state=CaseState.IN_HANDLING)
    waiting = Unit.objects.filter(Exists(owed)).exclude(Exists(readers().filter(unit=OuterRef("pk"))))
    return list(waiting.order_by("code").values_list("name", flat=True))


# --- 审核 --------------------------------------------------------------------------------------------------------

# In which states of its case an ask can still be answered (the transition table's rows).
_ANSWERABLE = Q(task__case__state=CaseState.IN_HANDLING) | Q(
    kind=AskKind.SET_ASIDE, task__case__state__in=[CaseState.TO_FOLLOW_UP, CaseState.CLOSED]
)


def own_dispatch(user: User) -> Q:
    """Of a case: as guards.not_own_dispatch, who gave one of its units its task in this round judges nothing of it."""
    given = Task.objects.filter(case=OuterRef("pk"), round=OuterRef("round"), assigned_by=user)
    return Q(dispatched_by=user) | Q(Exists(given.exclude(state__in=GONE_TASK_STATES)))


def replies_to_audit(user: User) -> QuerySet[Case]:
    """Cases whose reply waits for its verdict; also those that the person dispatched, which another must judge."""
    return Case.objects.visible_to(user).filter(state=CaseState.TO_AUDIT)


def asks_to_decide(user: User) -> QuerySet[Ask]:
    """Asks that wait for an answer; the hotline's leader decides on unreasonable demands only."""
    asks = Ask.objects.filter(_ANSWERABLE, state=AskState.PENDING, task__case__in=Case.objects.visible_to(user))
    return asks if user.has_role(Role.AUDITOR) else asks.filter(kind=AskKind.SET_ASIDE)


def audit_tallies(user: User, at: datetime) -> dict[str, Tally]:
    """What the person may act upon: {"replies", and each kind of ask}, in one query, with the lights of their rows. Own dispatches are
    another's."""
    replies = (
        replies_to_audit(user)
        .exclude(own_dispatch(user))
        .annotate(what=Value("replies", output_field=CharField()), level=level(case_reached(at)))
        .order_by()
        .values("what")
        .annotate(n=Count("pk"), most=Max("level"))
        .values_list("what", "n", "most")
    )
    asks = (
        asks_to_decide(user)
        .exclude(task__case__dispatched_by=user)
        .exclude(task__assigned_by=user)
        .annotate(level=level(ask_reached(at)))
        .order_by()
        .values("kind")
        .annotate(n=Count("pk"), most=Max("level"))
        .values_list("kind", "n", "most")
    )
    both = replies.union(asks, all=True) if user.has_role(Role.AUDITOR) else asks
    return {what: Tally(n, LEVELS[most or 0]) for what, n, most in both if n}  # no reply at all is still a row of counts


def audit_waiting(user: User, at: datetime) -> tuple[int, str]:
    """For the rail."""
    tallies = audit_tallies(user, at).values()
    most = max((LEVELS.index(tally.light) for tally in tallies), default=0)
    return sum(tally.count for tally in tallies), LEVELS[most].value
