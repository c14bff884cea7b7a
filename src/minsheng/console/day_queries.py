"""Reads of the leader's page: each one or two queries by stored columns and existing indexes, whatever the day holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Min, Q, QuerySet

from minsheng.cases.choices import ACTIVE_TASK_STATES, OPEN_STATES, CaseState, Channel, TaskRole, TaskState
from minsheng.cases.models import Case, Contact, Task, TimelineEntry
from minsheng.followup.models import FollowUp
from minsheng.worktime.moments import day_of, midnight

if TYPE_CHECKING:
    from minsheng.accounts.models import User

LIGHTS = ("red", "orange", "yellow")
OLDEST = 10
_ONE_DAY = timedelta(days=1)
# These wait at the centre, in one partial index (case_queue); what units handle is in another (case_citizen_due).
_AT_CENTRE = OPEN_STATES - {CaseState.IN_HANDLING}
_FLOW = [state for state in CaseState if state in OPEN_STATES]


@dataclass(frozen=True, slots=True)
class CameIn:
    """件次 of today by channel, with what had come by the same time yesterday."""

    channel: Channel
    today: int
    yesterday: int


def came_in(at: datetime) -> list[CameIn]:
    """Contacts (件次), not cases: a second call about one thing is counted too. The fullest channel first. One query."""
    start = midnight(day_of(at))
    window = Contact.objects.filter(received_at__gte=start - _ONE_DAY, received_at__lte=at)
    counted = window.order_by().values_list("channel").annotate(
        today=Count("pk", filter=Q(received_at__gte=start)),
        yesterday=Count("pk", filter=Q(received_at__lte=at - _ONE_DAY)),
    )
    found = [CameIn(Channel(channel), today, before) for channel, today, before in counted]
    return sorted((one for one in found if one.today or one.yesterday), key=lambda one: (-one.today, -one.yesterday))


@dataclass(frozen=True, slots=True)
class Stage:
    """One state of open cases: how many wait in it, since when the oldest, and how the citizens' clocks stand."""

    state: CaseState
    count: int
    oldest: datetime | None
    red: int
    orange: int
    yellow: int


def stages(user: User, at: datetime) -> list[Stage]:
    """Every open state in the order of the flow, also the empty ones. Two queries."""
    centre = Case.objects.visible_to(user).filter(state__in=sorted(_AT_CENTRE))
    units = Case.objects.visible_to(user).filter(state=CaseState.IN_HANDLING)
    found = {row["state"]: row for rows in (centre, units) for row in _by_state(rows, at)}
    return [_stage(state, found.get(state)) for state in _FLOW]


def _by_state(cases: QuerySet[Case], at: datetime) -> Iterable[Any]:
    # Once answered the citizen waits no longer: their clock shows no light in 待回访.
    waiting = ~Q(state=CaseState.TO_FOLLOW_UP)
    due, orange, yellow = Q(citizen_due_at__lte=at), Q(citizen_orange_at__lte=at), Q(citizen_yellow_at__lte=at)
    return cases.order_by().values("state").annotate(
        count=Count("pk"),
        oldest=Min("state_since"),
        red=Count("pk", filter=waiting & due),
        orange=Count("pk", filter=waiting & orange & ~due),
        yellow=Count("pk", filter=waiting & yellow & ~orange & ~due),
    )


def _stage(state: CaseState, row: dict[str, Any] | None) -> Stage:
    if row is None:
        return Stage(state, 0, None, 0, 0, 0)
    return Stage(state, row["count"], row["oldest"], row["red"], row["orange"], row["yellow"])


@dataclass(frozen=True, slots=True)
class LateUnit:
    """A unit among those with the oldest overdue work: how many it has in all, and which of the oldest are its."""

    name: str
    count: int
    tasks: list[Task]


def overdue_by_unit(user: User, at: datetime) -> list[LateUnit]:
    """The ten oldest overdue shares of work, under their units; the unit with the oldest first. Two queries."""
    late = Task.objects.filter(
        state__in=sorted(ACTIVE_TASK_STATES), due_at__lte=at, case__state=CaseState.IN_HANDLING, role=TaskRole.LEAD
    ).exclude(state=TaskState.PAUSED)
    late = late.filter(case__in=Case.objects.visible_to(user))
    oldest = list(late.select_related("unit", "case__topic").order_by("due_at", "id")[:OLDEST])
    counts = dict(late.filter(unit__in={task.unit_id for task in oldest}).order_by().values_list("unit").annotate(Count("pk")))
    units: dict[int, LateUnit] = {}
    for task in oldest:
        task.late = at - task.due_at  # type: ignore[attr-defined]
        name = task.unit.short_name or task.unit.name
        units.setdefault(task.unit_id, LateUnit(name, counts[task.unit_id], [])).tasks.append(task)
    return list(units.values())


def sent_back(at: datetime, *, since: datetime) -> dict[str, int]:
    """Replies that an audit sent back, `today` and `since`: by the timeline, the source of every statistic (design §4). One query."""
    told: dict[str, int] = TimelineEntry.objects.filter(code="send_back", at__gte=since, at__lte=at).aggregate(
        today=Count("pk", filter=Q(at__gte=midnight(day_of(at)))), since=Count("pk")
    )
    return told


def ratings(*, since: datetime) -> dict[str, int]:
    """Satisfaction → how many said so since then, by telephone or by themselves. One query."""
    heard = FollowUp.objects.filter(at__gte=since, reached=True)
    return dict(heard.order_by().values_list("satisfaction").annotate(count=Count(F("pk"))))
