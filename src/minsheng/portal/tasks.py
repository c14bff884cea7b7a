"""Periodic work: what the citizen's side keeps only for a while."""

from __future__ import annotations

from django.utils import timezone
from procrastinate.contrib.django import app

from minsheng.portal import actions


@app.periodic(cron="17 * * * *")
@app.task(name="portal.purge", pass_context=False)
def purge(timestamp: int) -> None:
    """Counted tries after a day, held files after some hours."""
    actions.purge(at=timezone.now())
