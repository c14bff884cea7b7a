"""Periodic work of this room; each wrapper calls one function that is tested by itself (procrastinate's schedule is UTC)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from minsheng.cases import streets, upkeep
from minsheng.worktime import actions as worktime
from minsheng.worktime.rules import Calendar


@app.periodic(cron="* * * * *")
@app.task(name="cases.read_overdue", pass_context=False)
def read_overdue(timestamp: int) -> None:
    """逾期自动查阅, every minute; a full batch is followed by the next."""
    while upkeep.read_overdue(at=timezone.now()) >= upkeep.BATCH:
        pass


# 18:20 UTC is 02:20 in Shanghai, the quietest hour.
@app.periodic(cron="20 18 * * *")
@app.task(name="cases.archive_quiet", pass_context=False)
def archive_quiet(timestamp: int) -> None:
    """归档, every night."""
    while upkeep.archive_quiet(at=timezone.now()) >= upkeep.BATCH:
        pass


@app.periodic(cron="40 18 * * *")
@app.task(name="cases.recount_nightly", pass_context=False)
def recount_nightly(timestamp: int) -> None:
    """What a change of calendar left undone, as after a crash."""
    upkeep.recount_provisional(at=timezone.now())


@app.periodic(cron="50 18 * * *")
@app.task(name="cases.learn_streets", pass_context=False)
def learn_streets(timestamp: int) -> None:
    """Where roads and estates lie, from the year's addresses, every night."""
    streets.learn_streets(at=timezone.now())


@app.task(name="cases.recount_provisional")
def recount_provisional() -> None:
    """After a change of calendar."""
    upkeep.recount_provisional(at=timezone.now())


def on_calendar_changed(*, actor: Any, at: datetime, calendar: Calendar) -> None:
    """Once the change is committed, have the open provisional deadlines recounted (worktime.actions.on_calendar_changed)."""
    transaction.on_commit(_defer_recount)


def _defer_recount() -> None:
    recount_provisional.defer()


def connect() -> None:
    """Called when the app is ready."""
    if on_calendar_changed not in worktime.on_calendar_changed:
        worktime.on_calendar_changed.append(on_calendar_changed)
