"""The relay: follows the timelines' one growing table and tells the event streams, in one NOTIFY for many entries.

No case's transaction ever notifies (design §2: NOTIFY takes a database-wide lock at commit). The relay compares snapshots: what
is visible in this one and was not in the last has been committed since, whatever its transaction id. So it can neither skip a
late commit nor repeat a row, and a long transaction elsewhere holds nobody's screen back. An advisory lock keeps it one, however
many workers run.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import Error, connection
from django.db.models import BooleanField, F, Func, Q, QuerySet, TextField, Value

from minsheng.cases.choices import GONE_TASK_STATES
from minsheng.cases.models import Task, TimelineEntry
from minsheng.secrecy import watch_token

CHANNEL = "minsheng_events"
# The wait of a commit that just missed a look; a look at nothing costs two statements of a tenth of a millisecond.
POLL_SECONDS = 0.06
# Beyond this nobody is told what it was: everybody looks again (an import, a night's recount).
MOST_TOLD = 400
_LONGEST_PAYLOAD = 7000  # PostgreSQL allows 8,000 bytes
_LOCK = 0x6D73_7265  # "msre"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Happening:
    """One entry of a timeline as the streams hear of it: no number, no person, no words.

    `words`: the code of the act and the case's states before and after, by which a desk knows what concerns it. `units`: those
    that work on the case, or did until this act. `against`: the unit complained of, whose kin hear nothing of it, unless it was
    this very act that named it: then their lists must lose the case.
    """

    case: str
    words: tuple[str, ...]
    units: tuple[int, ...]
    against: int | None = None

    def plain(self) -> list[Any]:
        """As it travels between our own processes."""
        return [self.case, self.words, self.units, self.against]


def snapshot() -> str:
    """What this moment can see: PostgreSQL's own account of it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        return str(cursor.fetchone()[0])


def horizons(text: str) -> tuple[int, int]:
    """Below the first every transaction had ended; from the second on none had begun."""
    low, high, _ = text.split(":")
    return int(low), int(high)


def committed_between(before: str, now: str) -> QuerySet[TimelineEntry]:
    """Entries visible in the later snapshot and not in the earlier one."""
    fresh = TimelineEntry.objects.filter(xid__gte=horizons(before)[0], xid__lt=horizons(now)[1])
    return fresh.filter(_visible_in(now), ~Q(_visible_in(before))).order_by("id")


def _visible_in(text: str) -> Func:
    """Whether the transaction that wrote a row had committed for that snapshot."""
    xid = Func(F("xid"), template="%(expressions)s::text::xid8", output_field=TextField())
    seen = Func(Value(text), template="%(expressions)s::pg_snapshot", output_field=TextField())
    return Func(xid, seen, function="pg_visible_in_snapshot", output_field=BooleanField())


def happenings(before: str, now: str) -> list[Happening] | None:
    """What was committed between two snapshots; None when it is too much to tell."""
    rows: list[Mapping[str, Any]] = list(
        committed_between(before, now).values(
            "at", "code", "case_id", "task__unit_id", "payload__before", "payload__after",
            "case__number", "case__state", "case__accused_unit_id",
        )[: MOST_TOLD + 1]
    )  # fmt: skip
    if len(rows) > MOST_TOLD:
        return None
    units = _units(rows)
    return [_happening(row, units[row["case_id"]]) for row in rows if row["case__number"]]


def _happening(row: Mapping[str, Any], units: set[int]) -> Happening:
    before, after = row["payload__before"] or {}, row["payload__after"] or {}
    states = [before.get("state"), after.get("state") or row["case__state"]]
    own = {row["task__unit_id"]} if row["task__unit_id"] else set()
    return Happening(
        case=watch_token(row["case__number"]),
        words=tuple(dict.fromkeys([row["code"], *(state for state in states if state)])),
        units=tuple(sorted(units | own)),
        against=None if "accused_unit_id" in after else row["case__accused_unit_id"],
    )


def _units(rows: Iterable[Mapping[str, Any]]) -> dict[int, set[int]]:
    """By case: the units at work on it, and those whose task these very acts took away. One query."""
    first: dict[int, datetime] = {}
    for row in rows:
        first[row["case_id"]] = min(row["at"], first.get(row["case_id"], row["at"]))
    found: dict[int, set[int]] = defaultdict(set)
    if first:
        here = ~Q(state__in=GONE_TASK_STATES) | Q(finished_at__gte=min(first.values()))
        for case, unit in Task.objects.filter(here, case__in=first).values_list("case_id", "unit_id"):
            found[case].add(unit)
    return found


class Follower:
    """Where this process stands in the growing table; kept over a lost connection, so that nothing is skipped."""

    def __init__(self) -> None:
        self.seen: str | None = None

    def follow(self, stop: threading.Event) -> None:
        """Once the lock is ours, tell what each look finds. Errors: the database's."""
        while not stop.is_set() and not _take_lock():
            stop.wait(5)
        self.begin()
        while not stop.wait(POLL_SECONDS):
            self.step()

    def begin(self) -> None:
        """Who begins does not know where the one before stood: the browsers look once, whatever it was."""
        now = snapshot()
        if self.seen is None or horizons(self.seen)[1] > horizons(now)[1]:  # another database has taken the place of ours
            self.seen = now
            tell(None)

    def step(self) -> None:
        """Tell what was committed since the last step."""
        assert self.seen is not None
        now = snapshot()
        if now == self.seen:
            return
        found = happenings(self.seen, now)
        if found is None or found:
            tell(found)
        self.seen = now  # after telling: if that fails, it is told again


def relay(stop: threading.Event) -> None:
    """Run until told to stop. A lost database is waited for; what was committed meanwhile is told after."""
    delay = POLL_SECONDS
    follower = Follower()
    while not stop.is_set():
        try:
            follower.follow(stop)
            delay = POLL_SECONDS
        except Error as error:
            _log.warning("relay.database_lost", error=type(error).__name__, retry_seconds=delay)
            connection.close()
            stop.wait(delay)
            delay = min(delay * 2, 10)


def _take_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        row = cursor.fetchone()
    return bool(row and row[0])


def tell(found: list[Happening] | None) -> None:
    """One NOTIFY, or as many as the payload's limit asks for; None: look again, all of you."""
    with connection.cursor() as cursor:
        for payload in payloads(found):
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])


def payloads(found: list[Happening] | None) -> Iterator[str]:
    """What travels: a list of happenings, or null."""
    if found is None:
        yield "null"
        return
    part: list[str] = []
    for happening in found:
        text = json.dumps(happening.plain(), separators=(",", ":"))
        if part and sum(map(len, part)) + len(part) + len(text) > _LONGEST_PAYLOAD:
            yield f"[{','.join(part)}]"
            part = []
        part.append(text)
    if part:
        yield f"[{','.join(part)}]"
