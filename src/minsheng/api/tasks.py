"""Periodic work of this room (procrastinate's schedule is UTC)."""

from __future__ import annotations

from django.utils import timezone
from procrastinate.contrib.django import app

from minsheng.api import actions


# 18:50 UTC is 02:50 in Shanghai.
@app.periodic(cron="50 18 * * *")
@app.task(name="api.forget_old", pass_context=False)
def forget_old(timestamp: int) -> None:
    """Answers, unused files and counts that nobody needs any more, every night."""
    actions.forget_old(at=timezone.now())
