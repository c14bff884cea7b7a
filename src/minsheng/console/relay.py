"""The relay: follows the timelines' one growing table and tells the event streams, in one NOTIFY for many entries.

No case's transaction ever notifies (design §2: NOTIFY takes a database-wide lock at commit). The relay keeps a cursor on
transaction ids, so that it can neither skip a late commit nor repeat a row; an advisory lock keeps it one, however many workers run.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass

import structlog
from django.db import Error, connection

from minsheng.audit.queries import committed_since, safe_horizon
from minsheng.cases.models import TimelineEntry

CHANNEL = "minsheng_events"
POLL_SECONDS = 0.25
_LOCK = 0x6D73_7265  # "msre"
_MOST_AT_ONCE = 500
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Tick:
    """What the streams are told: up to which transaction, and which kinds of act there were. No case, no person."""

    cursor: int
    codes: tuple[str, ...]

    def to_json(self) -> str:
        """The NOTIFY's payload; far below PostgreSQL's 8,000 bytes."""
        return json.dumps({"cursor": self.cursor, "codes": sorted(self.codes)})


def next_tick(cursor: int) -> Tick | None:
    """What was committed since the cursor; None when nothing was."""
    rows, end = committed_since(TimelineEntry.objects.all(), cursor, limit=_MOST_AT_ONCE)
    codes = tuple(rows.values_list("code", flat=True).distinct().order_by("code")) if end > cursor else ()
    return Tick(end, codes) if codes or end > cursor else None


def relay(stop: threading.Event) -> None:
    """Run until told to stop. A lost database is waited for; what was committed meanwhile is told after."""
    delay = POLL_SECONDS
    while not stop.is_set():
        try:
            _follow(stop)
            delay = POLL_SECONDS
        except Error as error:
            _log.warning("relay.database_lost", error=type(error).__name__, retry_seconds=delay)
            connection.close()
            stop.wait(delay)
            delay = min(delay * 2, 10)


def _follow(stop: threading.Event) -> None:
    while not stop.is_set() and not _take_lock():
        stop.wait(5)
    cursor = safe_horizon()
    while not stop.wait(POLL_SECONDS):
        tick = next_tick(cursor)
        if tick is None:
            continue
        cursor = tick.cursor
        if tick.codes:
            _notify(tick)


def _take_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        row = cursor.fetchone()
    return bool(row and row[0])


def _notify(tick: Tick) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, tick.to_json()])
