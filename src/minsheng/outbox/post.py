"""The post office: one thread that follows, beside the relay; some that send, so that a slow receiver delays only its own kind.

An advisory lock keeps the office one, however many workers run; when its process dies another takes over. The senders rely
on no lock: a delivery is taken by one at a time (minsheng.outbox.sending).
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import structlog
from django.db import Error, connection
from django.utils import timezone

from minsheng.audit.queries import HorizonBehind
from minsheng.outbox import crossings, following, sending
from minsheng.outbox.choices import Way

POLL_SECONDS = 0.5
CLOCK_SECONDS = 60.0
# Webhooks go to many systems, any of which may hang for ten seconds.
SENDERS = {Way.SMS: 1, Way.EMAIL: 1, Way.WEBHOOK: 3}
_LOCK = 0x6D73_706F  # "mspo"
_log = structlog.get_logger(__name__)


def post(stop: threading.Event) -> None:
    """Run until told to stop. A lost database is waited for; the cursor stands in it, so nothing is skipped meanwhile."""
    delay = POLL_SECONDS
    while not stop.is_set():
        try:
            _work(stop)
            delay = POLL_SECONDS
        except (Error, HorizonBehind) as error:
            _log.warning("outbox.interrupted", error=type(error).__name__, retry_seconds=delay)
            connection.close()
            stop.wait(delay)
            delay = min(delay * 2, 10)


def _work(stop: threading.Event) -> None:
    while not stop.is_set() and not _take_lock():
        stop.wait(5)
    office = Office(stop)
    try:
        while not stop.is_set():
            if not office.round():
                stop.wait(POLL_SECONDS)
    finally:
        office.close()


def _take_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        row = cursor.fetchone()
    return bool(row and row[0])


class Office:
    """The senders of this process, and when the clocks were last looked at."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._pool = ThreadPoolExecutor(sum(SENDERS.values()), thread_name_prefix="outbox")
        self._busy: dict[str, list[Future[None]]] = {way: [] for way in SENDERS}
        self._looked = 0.0

    def round(self) -> bool:
        """Follow, look at the clocks when it is time, wake the senders. True when more waits to be followed."""
        at = timezone.now()
        followed = following.follow(at=at)
        if time.monotonic() - self._looked >= CLOCK_SECONDS:
            while crossings.look_at_clocks(at=at) >= following.BATCH and not self._stop.is_set():
                pass
            self._looked = time.monotonic()
        following.make_digests(at=at)
        for channel in sending.due_channels(at=at):
            self._wake(channel)
        return followed >= following.BATCH

    def _wake(self, channel: str) -> None:
        self._busy[channel] = [future for future in self._busy[channel] if not future.done()]
        while len(self._busy[channel]) < SENDERS[Way(channel)]:
            self._busy[channel].append(self._pool.submit(self._send, channel))

    def _send(self, channel: str) -> None:
        """Send until nothing is due; the connection is given back, as hours may pass before the next."""
        try:
            while not self._stop.is_set() and sending.send_one(channel):
                pass
        except Error as error:
            _log.warning("outbox.sender_interrupted", channel=channel, error=type(error).__name__)
        finally:
            connection.close()

    def close(self) -> None:
        """Let what is being sent be recorded; take up nothing new."""
        self._pool.shutdown(wait=True, cancel_futures=True)
