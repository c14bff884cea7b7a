"""The follower: one process that follows the switch and writes the books in batches.

Each batch is one transaction: events taken since the last, then what the journal says since the place where it was left, then the new
place. So a batch is whole or not at all, and a follower that is killed goes on where the last one committed. While the database is
away events wait; when they are too many, or the connection to the switch is lost, there is a gap: whatever happened in it is in the
journal, and what is true now the switch tells (QueueStatus, CoreShowChannels).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from django.db import Error, connection, transaction

from minsheng.telephony import control, facts, journal
from minsheng.telephony.ami import Ami, AmiError, Message
from minsheng.telephony.books import Books
from minsheng.telephony.layout import Layout
from minsheng.telephony.models import AgentState, FollowedTo, Seat, SkillQueue
from minsheng.telephony.seats import Tracker, Turn

BEAT_SECONDS = 0.25
STAND_BY_SECONDS = 1.0
# How often it is written that the switch is heard, where it has nothing to tell.
HEARD = timedelta(seconds=10)
# Minutes of a busy centre, some hundred megabytes; beyond it the journal serves.
MOST_WAITING = 50_000
_LOCK = 0x6D73_7465  # "mste"
_log = structlog.get_logger(__name__)
_T = TypeVar("_T")


@dataclass
class Resumed:
    """What the switch says when it is followed anew."""

    at: datetime
    members: list[Message]
    channels: set[str]


@dataclass
class Batch:
    """What one transaction writes."""

    events: list[Message] = field(default_factory=list)
    resumed: Resumed | None = None


class Follower:
    """Follows until told to stop."""

    def __init__(self, where: Layout) -> None:
        self.where = where
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="books")  # one thread, so one connection and one lock
        self._has_lock = False
        self._stands_by = False  # another has the lock
        self._away: set[str] = set()  # what was said to be away, once and not each second

    async def run(self, stop: asyncio.Event) -> None:
        """A lost switch or database is waited for; each time it is back there is a gap to be filled."""
        try:
            while not stop.is_set():
                try:
                    await self._follow(stop)
                except (AmiError, OSError, TimeoutError) as error:
                    self._say_away("switch", error)
                    await _pause(stop, STAND_BY_SECONDS)
        finally:
            self._thread.shutdown(wait=True)

    async def _follow(self, stop: asyncio.Event) -> None:
        while not await self._in_thread(self._take_lock):
            await _pause(stop, STAND_BY_SECONDS)
            if stop.is_set():
                return
        ami = await control.connect(self.where)
        try:
            batch = Batch(resumed=await _resume(ami))
            self._say_back("switch")
            while True:
                ending = stop.is_set()
                batch.events += [event for event in ami.taken() if event.get("Event") in facts.TELLING]
                if await self._in_thread(partial(self._written, batch)):
                    batch = Batch()
                elif self._stands_by:
                    return  # another may have followed meanwhile: begin anew
                if ending:
                    return
                if len(batch.events) > MOST_WAITING:
                    raise AmiError("too many events wait for the database")
                await _pause(stop, BEAT_SECONDS)
        finally:
            await ami.close()

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    # --- in the thread of the database --------------------------------------------------------------------------------

    def _take_lock(self) -> bool:
        """Whether we are the one. The lock is the connection's: lost with it."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
                self._has_lock = bool(cursor.fetchone()[0])
                self._stands_by = not self._has_lock
        except Error as error:
            self._lose(error)
        return self._has_lock

    def _written(self, batch: Batch) -> bool:
        """Whether the batch stands in the books now."""
        if not self._has_lock and not self._take_lock():
            return False
        try:
            write_batch(self.where, batch, now=datetime.now(UTC))
        except Error as error:
            self._lose(error)
            return False
        self._say_back("database")
        return True

    def _lose(self, error: Error) -> None:
        self._say_away("database", error)
        self._has_lock = False
        with contextlib.suppress(Error):
            connection.close()

    def _say_away(self, what: str, error: Exception) -> None:
        if what not in self._away:
            self._away.add(what)
            _log.warning(f"telephony.{what}_lost", error=type(error).__name__)

    def _say_back(self, what: str) -> None:
        if what in self._away:
            self._away.remove(what)
            _log.warning(f"telephony.{what}_back")


async def _resume(ami: Ami) -> Resumed:
    at = datetime.now(UTC)
    members = await ami.listing("QueueStatus")
    channels = await ami.listing("CoreShowChannels")
    return Resumed(
        at=at,
        members=[row for row in members if row.get("Event") == "QueueMember"],
        channels={row[name] for row in channels for name in ("Uniqueid", "Linkedid") if row.get(name)},
    )


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), timeout=seconds)


@transaction.atomic
def write_batch(where: Layout, batch: Batch, *, now: datetime) -> None:
    """One batch, whole. `now`: until when the events of this batch are complete, and which wrap-ups are over."""
    FollowedTo.objects.get_or_create(switch=where.name)
    place = FollowedTo.objects.select_for_update().get(switch=where.name)
    lines, read_to = journal.read_whole(where.journal, journal.Place(place.inode, place.offset))
    told = [facts.of_line(line) for line in lines]
    of_calls = [fact for fact in map(facts.of_event, batch.events) if fact is not None]
    of_calls += [fact for fact, _ in told if fact is not None]
    if of_calls or batch.resumed is not None:
        books = Books(of_calls, with_open=batch.resumed is not None)
        books.apply()
        if batch.resumed is not None:
            books.lose(alive=batch.resumed.channels, at=batch.resumed.at)
        books.save()
    turned = _write_turns(place, batch, [each for _, on_seat in told for each in on_seat], now)
    place.inode, place.offset = read_to.inode, read_to.offset
    quiet = place.heard_at is not None and now - place.heard_at < HEARD
    if turned or lines or batch.events or batch.resumed is not None or not quiet:
        place.heard_at = now
        place.save()


def _write_turns(place: FollowedTo, batch: Batch, from_journal: list[facts.SeatFact], now: datetime) -> bool:
    """Seats' states: of the gap from the journal, then what the switch says, then from events. Whether there were any."""
    tracker = Tracker(place.seats, dict(SkillQueue.objects.values_list("code", "wrap_up_seconds")))
    turns: list[Turn] = []
    if (resumed := batch.resumed) is not None:
        second = resumed.at.replace(microsecond=0)
        turns += tracker.apply(fact for fact in from_journal if fact.at < second)
        members = [fact for row in resumed.members for fact in facts.of_member(row, resumed.at)]
        turns += tracker.resume(members, resumed.at, [fact for fact in from_journal if fact.at == second])
    turns += tracker.apply(fact for event in batch.events for fact in facts.of_event_on_seat(event))
    turns += tracker.pass_until(now)
    place.seats = tracker.kept()
    if turns:
        seats = {seat.extension: seat for seat in Seat.objects.defer("secret")}
        AgentState.objects.bulk_create(
            AgentState(seat=seat, user_id=seat.user_id, state=turn.state, reason=turn.reason, at=turn.at)
            for turn in turns
            if (seat := seats.get(turn.seat)) is not None
        )
    return bool(turns)
