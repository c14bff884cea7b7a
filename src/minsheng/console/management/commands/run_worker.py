"""The worker: jobs and schedule, and beside them the relay and the post office."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from django.core.management.base import BaseCommand
from procrastinate.contrib.django import app

from minsheng.console.relay import relay
from minsheng.outbox.post import post

GRACE_SECONDS = 20  # for the jobs in hand when asked to end


class Command(BaseCommand):
    """`minsheng up` starts it; SIGTERM ends it after the jobs in hand."""

    help = "Run the jobs, the schedule, the relay and the post office until asked to end."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGINT or SIGTERM, or until the database is gone: then the supervisor starts us again."""
        stop = threading.Event()
        followers = [threading.Thread(target=each, args=(stop,), name=each.__name__, daemon=True) for each in (relay, post)]
        for follower in followers:
            follower.start()
        try:
            asyncio.run(_work())
        finally:
            stop.set()
            for follower in followers:
                follower.join(timeout=5)


async def _work() -> None:
    connector = app.connector.get_worker_connector()  # type: ignore[attr-defined]
    with app.replace_connector(connector):
        async with app.open_async():
            await app.run_worker_async(concurrency=2, shutdown_graceful_timeout=GRACE_SECONDS)
