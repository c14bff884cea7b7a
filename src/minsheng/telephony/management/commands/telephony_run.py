"""`minsheng telephony run`: follows the switch and writes the books; `minsheng up` keeps it running."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from minsheng.telephony.following import Follower
from minsheng.telephony.layout import Layout, NotConfigured, layout


class Command(BaseCommand):
    """A second one stands by and writes nothing. Calls need neither."""

    help = "Follow the switch and write the books of calls and seats, until asked to end."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGINT or SIGTERM; what was taken is written first."""
        try:
            where = layout()
        except NotConfigured as error:
            raise CommandError(str(error)) from error
        asyncio.run(_run(where))


async def _run(where: Layout) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await Follower(where).run(stop)
