"""Which cases the clock has something to do with at a moment, and doing it: each its own transaction, refusals skipped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from minsheng.cases.actions import clockwork
from minsheng.cases.choices import ACTIVE_TASK_STATES, OPEN_STATES, AskState, CaseState, TaskState
from minsheng.cases.clocks import STAGE_CLOCKS
from minsheng.cases.models import Ask, Case, Task, TimelineEntry
from minsheng.errors import Refused

BATCH = 500
log = logging.getLogger(__name__)


def read_overdue(*, at: datetime, limit: int = BATCH) -> int:
    """逾期自动查阅 of what no unit read in time, longest overdue first. Returns how many were read."""
    overdue = Task.objects.filter(state=TaskState.TO_READ, read_due_at__lte=at, case__state=CaseState.IN_HANDLING)
    keys = list(overdue.order_by("read_due_at", "id").values_list("pk", flat=True)[:limit])
    return _each(keys, lambda pk: _read(pk, at))


def _read(pk: int, at: datetime) -> None:
    clockwork.read_automatically(at=at, task=Task.objects.select_related("case").get(pk=pk))


def archive_quiet(*, at: datetime, limit: int = BATCH) -> int:
    """归档 of what has been closed, and left alone, for the set days and waits for no answer and no judgement. Counted from the
    last act, not from closing: what a citizen's rating, or its judgement, calls for may follow it. Returns how many were archived."""
    before = at - timedelta(days=settings.HOTLINE["archive_after_days"])
    acted = TimelineEntry.objects.filter(case=OuterRef("pk"), at__gt=before)
    quiet = Case.objects.filter(~Exists(acted), state=CaseState.CLOSED, closed_at__lte=before, stage_due_at=None)
    quiet = quiet.exclude(tasks__asks__state=AskState.PENDING)
    keys = list(quiet.order_by("closed_at").values_list("pk", flat=True)[:limit])
    return _each(keys, lambda pk: clockwork.archive_case(at=at, case=Case.objects.get(pk=pk)))


def recount_provisional(*, at: datetime) -> int:
    """Derive open provisional deadlines again under the calendar of now. Returns how many cases' deadlines changed.

    Those that have passed are not even looked at: no calendar rewrites them (design §5).
    """
    changed: list[int] = []

    def recount(pk: int) -> None:
        if clockwork.recount_case(at=at, case=Case(pk=pk)):
            changed.append(pk)

    _each(_provisional(at), recount)
    return len(changed)


def _provisional(at: datetime) -> list[int]:
    """Cases with an open deadline that some year's missing notice made provisional."""
    waiting = Case.objects.filter(state__in=list(STAGE_CLOCKS), stage_due_at__gt=at).exclude(stage_derivation__provisional=[])
    citizen = Case.objects.filter(provisional=True, state__in=OPEN_STATES, citizen_due_at__gt=at)
    active = Task.objects.filter(state__in=ACTIVE_TASK_STATES)
    # What stands still has not passed, however long ago its limit was.
    handling = active.filter(Q(due_at__gt=at) | Q(state=TaskState.PAUSED), provisional=True)
    reading = Task.objects.filter(state=TaskState.TO_READ, read_due_at__gt=at).exclude(read_derivation__provisional=[])
    # A unit may ask for return only while it handles the task.
    returning = Task.objects.filter(state=TaskState.HANDLING, return_due_at__gt=at).exclude(return_derivation__provisional=[])
    measures = active.filter(
        Q(first_measures_due_at__gt=at) | Q(state=TaskState.PAUSED), first_measures_at=None, first_measures_due_at__isnull=False
    ).exclude(first_measures_derivation__provisional=[])
    asks = Ask.objects.filter(state=AskState.PENDING, due_at__gt=at).exclude(derivation__provisional=[])
    keys = set(waiting.values_list("pk", flat=True)) | set(citizen.values_list("pk", flat=True))
    keys |= set(asks.values_list("task__case", flat=True))
    for tasks in (handling, reading, measures, returning):
        keys |= set(tasks.values_list("case_id", flat=True))
    return sorted(keys)


def provisional_limits(*, at: datetime) -> int:
    """How many open limits, of citizens and of units, are 暂定 for want of a year's notice. One query, by partial indexes."""
    citizens = Case.objects.filter(provisional=True, state__in=OPEN_STATES, citizen_due_at__gt=at)
    units = Task.objects.filter(provisional=True, state__in=ACTIVE_TASK_STATES, due_at__gt=at)
    keys = citizens.order_by().values("pk").union(units.order_by().values("pk"), all=True)
    return keys.count()


def _each(keys: Iterable[int], act: Callable[[int], object]) -> int:
    """Act on each. What somebody else did first is refused, and that is as good as done.

    One that fails holds no other back; it is raised in the end, so that the job counts as failed and somebody looks.
    """
    done, failed = 0, None
    for key in keys:
        try:
            act(key)
        except Refused as refusal:
            log.info("skipped %s: %s", key, refusal.code)
        except Exception as error:
            log.exception("failed on %s", key)
            failed = failed or error
        else:
            done += 1
    if failed is not None:
        raise failed
    return done
