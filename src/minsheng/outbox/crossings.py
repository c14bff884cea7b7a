"""The moments at which clocks turn yellow, orange and red: told once each, to the unit that owes, or to who answers for the centre."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value, When

from minsheng.cases.choices import ACTIVE_TASK_STATES, AskState, CaseState, TaskState
from minsheng.cases.models import Ask, Task
from minsheng.outbox import notices, webhooks
from minsheng.outbox.choices import NoticeClock, NoticeKind
from minsheng.outbox.following import BATCH, endpoints
from minsheng.outbox.models import Crossing, Delivery
from minsheng.outbox.notices import Notice

# A moment that passed longer ago than this is no news: the desks and digests show what stands.
NEWS = timedelta(days=1)
_RUNNING = Q(state__in=sorted(ACTIVE_TASK_STATES - {TaskState.PAUSED}), case__state=CaseState.IN_HANDLING)
# While each clock of a task runs (clocks.running), and the stem of its columns.
_OF_TASKS = {
    NoticeClock.HANDLING: ("", _RUNNING),
    NoticeClock.READING: ("read_", _RUNNING & Q(state=TaskState.TO_READ)),
    NoticeClock.FIRST_MEASURES: ("first_measures_", _RUNNING & Q(first_measures_at=None, first_measures_due_at__isnull=False)),
}


@transaction.atomic
def look_at_clocks(*, at: datetime) -> int:
    """Tell of every clock that turned yellow, orange or red, once for each of its due moments. How many; about a batch of each
    clock at most."""
    found = [*_of_tasks(at), *_of_asks(at)]
    if not found:
        return 0
    marks = [Crossing(task=n.task, ask=n.ask, clock=n.clock, kind=n.kind, due_at=n.ends, at=at) for n in found]
    Crossing.objects.bulk_create(marks, ignore_conflicts=True)
    of_units = [notice for notice in found if notice.ask is None]
    made = notices.deliveries(of_units, at=at) + notices.to_the_centre([n for n in found if n.ask is not None], at=at)
    if of_units:
        made += webhooks.of_moments(of_units, endpoints(), at=at)
    Delivery.objects.bulk_create(made, ignore_conflicts=True)
    return len(found)


def _of_tasks(at: datetime) -> Iterator[Notice]:
    for clock, (stem, running) in _OF_TASKS.items():
        told = Crossing.objects.filter(task=OuterRef("pk"), ask=None, clock=clock)
        for task in _crossed(Task.objects.filter(running).select_related("case__topic"), stem, told, at):
            yield Notice(NoticeKind(task.light), task, at, clock=clock, due_at=getattr(task, f"{stem}due_at"))


def _of_asks(at: datetime) -> Iterator[Notice]:
    told = Crossing.objects.filter(ask=OuterRef("pk"), clock=NoticeClock.ASK)
    waiting = Ask.objects.filter(state=AskState.PENDING).select_related("task__case__topic")
    for ask in _crossed(waiting, "", told, at):
        yield Notice(NoticeKind(ask.light), ask.task, at, clock=NoticeClock.ASK, due_at=ask.due_at, ask=ask)


def _crossed(rows: QuerySet[Any], stem: str, told: QuerySet[Crossing], at: datetime) -> QuerySet[Any]:
    """What shines since a moment that is still news and has not been told, each with its `light`."""
    light = models.Case(
        When(**{f"{stem}due_at__lte": at, "then": Value(NoticeKind.OVERDUE)}),
        When(**{f"{stem}orange_at__lte": at, "then": Value(NoticeKind.ORANGE)}),
        default=Value(NoticeKind.YELLOW),
    )
    shining = rows.filter(**{f"{stem}yellow_at__lte": at, f"{stem}due_at__gt": at - NEWS})
    ends = shining.annotate(light=light, ends=F(f"{stem}due_at"))
    return ends.filter(~Exists(told.filter(kind=OuterRef("light"), due_at=OuterRef("ends")))).order_by("ends", "id")[:BATCH]
