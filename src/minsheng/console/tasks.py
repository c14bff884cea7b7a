"""Periodic work of the shell: the record of jobs done is kept for a while only, or it would outgrow the cases."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone
from procrastinate import JobContext
from procrastinate.builtin_tasks import remove_old_jobs
from procrastinate.contrib.django import app

from minsheng.console import actions, export_actions

KEPT_HOURS = 7 * 24


# 19:10 UTC is 03:10 in Shanghai.
@app.periodic(cron="10 19 * * *")
@app.task(name="console.forget_jobs", queueing_lock="console.forget_jobs", pass_context=True)
async def forget_jobs(context: JobContext, timestamp: int) -> None:
    """Forget what succeeded a week ago. What failed stays until it is run again."""
    await remove_old_jobs(context, max_hours=KEPT_HOURS)


@app.periodic(cron="25 19 * * *")
@app.task(name="console.forget_drafts", queueing_lock="console.forget_drafts")
def forget_drafts(timestamp: int) -> None:
    """Forget forms that were begun and never sent."""
    actions.forget_drafts(at=timezone.now())


@app.task(name="console.export")
def export(key: str) -> None:
    """A spreadsheet that somebody asked for."""
    export_actions.run_export(UUID(key), at=timezone.now())


@app.periodic(cron="*/10 * * * *")
@app.task(name="console.forget_exports", queueing_lock="console.forget_exports", pass_context=False)
def forget_exports(timestamp: int) -> None:
    """Spreadsheets are there for the set hours only."""
    export_actions.forget_exports(at=timezone.now())
