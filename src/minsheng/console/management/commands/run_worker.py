"""The worker: jobs and schedule, and the relay beside them."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from django.core.management.base import BaseCommand
from procrastinate.contrib.django import app

from minsheng.console.relay import relay

GRACE_SECONDS = 20  # for the jobs in hand when asked to end


class Command(BaseCommand):
    """`minsheng up` starts it; SIGTERM ends it after the jobs in hand."""

    help = "Run the jobs, the schedule and the relay until asked to end."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGINT or SIGTERM, or until the database is gone: then the supervisor starts us again."""
        stop = threading.Event()
        follower = threading.Thread(target=relay, args=(stop,), name="relay", daemon=True)
        follower.start()
        try:
            asyncio.run(_work())
        finally:
            stop.set()
            follower.join(timeout=5)


async def _work() -> None:
    connector = app.connector.get_worker_connector()  # type: ignore[attr-defined]
    with app.replace_connector(connector):
        async with app.open_async():
            await app.run_worker_async(concurrency=2, shutdown_graceful_timeout=GRACE_SECONDS)
