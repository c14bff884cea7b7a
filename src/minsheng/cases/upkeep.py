"""Which cases the clock has something to do with at a moment, and doing it: each its own transaction, refusals skipped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.conf import settings

from minsheng.cases.actions import clockwork
from minsheng.cases.choices import ACTIVE_TASK_STATES, OPEN_STATES, AskState, CaseState, TaskState
from minsheng.cases.clocks import STAGE_CLOCKS
from minsheng.cases.models import Case, Task
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
    """归档 of what has been closed for the set days and waits for no answer. Returns how many were archived."""
    before = at - timedelta(days=settings.HOTLINE["archive_after_days"])
    quiet = Case.objects.filter(state=CaseState.CLOSED, closed_at__lte=before).exclude(tasks__asks__state=AskState.PENDING)
    keys = list(quiet.order_by("closed_at").values_list("pk", flat=True)[:limit])
    return _each(keys, lambda pk: clockwork.archive_case(at=at, case=Case.objects.get(pk=pk)))


def recount_provisional(*, at: datetime) -> int:
    """Derive open provisional deadlines again under the calendar of now. Returns how many cases' deadlines changed.

    Those that have passed are not even looked at: no calendar rewrites them (design §5).
    """
    changed = 0
    for pk in _provisional(at):
        changed += bool(clockwork.recount_case(at=at, case=Case(pk=pk)))
    return changed


def _provisional(at: datetime) -> list[int]:
    """Cases with an open deadline that some year's missing notice made provisional."""
    waiting = Case.objects.filter(state__in=list(STAGE_CLOCKS), stage_due_at__gt=at).exclude(stage_derivation__provisional=[])
    citizen = Case.objects.filter(provisional=True, state__in=OPEN_STATES, citizen_due_at__gt=at)
    active = Task.objects.filter(state__in=ACTIVE_TASK_STATES)
    handling = active.filter(provisional=True, due_at__gt=at)
    reading = Task.objects.filter(state=TaskState.TO_READ, read_due_at__gt=at).exclude(read_derivation__provisional=[])
    keys = set(waiting.values_list("pk", flat=True)) | set(citizen.values_list("pk", flat=True))
    for tasks in (handling, reading):
        keys |= set(tasks.values_list("case_id", flat=True))
    return sorted(keys)


def _each(keys: Iterable[int], act: Callable[[int], object]) -> int:
    """Act on each. What somebody else did first is refused, and that is as good as done."""
    done = 0
    for key in keys:
        try:
            act(key)
        except Refused as refusal:
            log.info("skipped %s: %s", key, refusal.code)
        else:
            done += 1
    return done
