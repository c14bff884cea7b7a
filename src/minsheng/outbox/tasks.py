"""Periodic work of this room (procrastinate's schedule is UTC)."""

from __future__ import annotations

from django.utils import timezone
from procrastinate.contrib.django import app

from minsheng.outbox import following


# 18:30 UTC is 02:30 in Shanghai.
@app.periodic(cron="30 18 * * *")
@app.task(name="outbox.forget", pass_context=False)
def forget(timestamp: int) -> None:
    """The record of what was sent is kept for the set days."""
    while following.forget(at=timezone.now()) >= following.FORGOTTEN_AT_ONCE:
        pass
