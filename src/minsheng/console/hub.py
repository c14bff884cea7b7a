"""The browsers of one process, the one connection that hears for them all, and what is told to whom.

A browser is told only what may concern its person: the centre of every case, a unit of the cases that it or a unit below it works
on. It learns a case's token (which it knows if it was shown the case) and what kind of act it was; then it asks the pages,
which know what it may see. The answers are spread over time, so that hundreds do not ask at once.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import random
from time import monotonic
from typing import Any

import psycopg
import structlog
from django.conf import settings

from minsheng.console.presence import FORGOTTEN_SECONDS, Book, Person, Place, others
from minsheng.console.relay import CHANNEL

HERE_CHANNEL = "minsheng_here"  # between processes: who is where
BEAT_SECONDS = 20
# Two browsers that are told the same look this far apart, and all of them within so long.
STEP_MS, LONGEST_WAIT_MS = 4, 700
# After a lost connection or a restart everybody looks, within so long.
AGAIN_MS = 2000
# What a browser that takes nothing may have waiting; beyond, it is told to look at everything.
MOST_WAITING = 200
REMEMBERED = 2000
_LONGEST_PAYLOAD = 7000
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """One happening as heard (relay.Happening): case token, words, units, the unit complained of."""

    id: str
    at: float
    case: str
    words: tuple[str, ...]
    units: frozenset[int]
    against: int | None

    def concerns(self, person: Person) -> bool:
        """Whether this person is told."""
        if person.is_centre:
            return True
        return not self.units.isdisjoint(person.reach) and self.against not in person.kin


@dataclass
class Waiting:
    """What a browser has not taken yet: however much happens, one tick and one line for each case it looks at."""

    words: set[str] = field(default_factory=set)
    cases: set[str] = field(default_factory=set)
    again: bool = False
    wait: int | None = None
    present: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def tick(self, *, wait: int, words: Iterable[str] = (), cases: Iterable[str] = (), again: bool = False) -> None:
        """One more thing to be told; the earliest time to look stays."""
        self.words.update(words)
        self.cases.update(cases)
        self.wait = wait if self.wait is None else min(self.wait, wait)
        if again or len(self.cases) > MOST_WAITING:
            self.again, self.cases, self.words = True, set(), set()


@dataclass(eq=False)
class Browser:
    """One open stream."""

    person: Person
    stream: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    rows: frozenset[str] = frozenset()
    waiting: Waiting = field(default_factory=Waiting)
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self) -> Waiting:
        """Everything that waits."""
        found, self.waiting = self.waiting, Waiting()
        self.woken.clear()
        return found


class Hub:
    """All of it, for one process."""

    def __init__(self) -> None:
        self.name = secrets.token_hex(4)
        self.browsers: dict[str, Browser] = {}
        self.book = Book()
        self.peers: dict[str, tuple[float, Book]] = {}
        self._told: deque[Heard] = deque(maxlen=REMEMBERED)
        self._count = 0
        self._whole_since = monotonic()  # since when nothing was missed
        self._tasks: list[asyncio.Task[None]] = []
        self._voice: psycopg.AsyncConnection[Any] | None = None

    # --- browsers ---

    @property
    def last_id(self) -> str:
        """What a browser that has heard everything has heard."""
        return f"{self.name}.{self._count}"

    def join(self, person: Person, *, last_id: str = "", age: float = 0.0) -> Browser:
        """A browser begins to listen; it is told what it missed: since `last_id`, or in the `age` seconds since its page was drawn.

        The first browser starts the listening."""
        if not self._tasks or any(task.done() for task in self._tasks):
            for task in self._tasks:
                task.cancel()
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._beat())]
        browser = Browser(person)
        self.browsers[browser.stream] = browser
        self._catch_up(browser, last_id, age)
        return browser

    def leave(self, browser: Browser) -> None:
        """The browser went."""
        self.browsers.pop(browser.stream, None)
        self._moved(browser.stream, None)

    def _catch_up(self, browser: Browser, last_id: str, age: float) -> None:
        if last_id == self.last_id:
            return
        name, _, count = last_id.partition(".")
        if last_id:
            known = name == self.name and count.isdigit() and self._reaches_back(int(count))
            missed = [heard for heard in self._told if known and int(heard.id) > int(count)]
        else:
            since = monotonic() - age
            known = since >= self._whole_since
            missed = [heard for heard in self._told if heard.at >= since]
        if not known:
            browser.waiting.tick(wait=int(random() * AGAIN_MS), again=True)  # noqa: S311 - chance, not secrecy
            browser.woken.set()
        self._tell([browser], missed)

    def _reaches_back(self, count: int) -> bool:
        return count >= self._count - len(self._told)

    # --- what happened ---

    def heard(self, payload: str) -> None:
        """One NOTIFY of the relay: tell each browser what of it concerns it."""
        found = json.loads(payload)
        if found is None:
            self.look_again()
            return
        new = []
        for case, words, units, against in found:
            self._count += 1
            new.append(Heard(str(self._count), monotonic(), case, tuple(words), frozenset(units), against))
        self._told.extend(new)
        self._tell(self.browsers.values(), new)

    def look_again(self) -> None:
        """Something was missed: everybody looks, one after another."""
        self._count += 1
        self._told.clear()
        self._whole_since = monotonic()
        step = AGAIN_MS / max(1, len(self.browsers))
        for place, browser in enumerate(self.browsers.values()):
            browser.waiting.tick(wait=int(place * step), again=True)
            browser.woken.set()

    def _tell(self, browsers: Iterable[Browser], found: Sequence[Heard]) -> None:
        told = [(browser, mine) for browser in browsers if (mine := [h for h in found if h.concerns(browser.person)])]
        step = min(STEP_MS, LONGEST_WAIT_MS / max(1, len(told)))
        for place, (browser, mine) in enumerate(told):
            words = {word for heard in mine for word in heard.words}
            browser.waiting.tick(wait=int(place * step), words=words, cases={heard.case for heard in mine})
            browser.woken.set()

    # --- who is where ---

    def here(self, stream: str, *, case: str, doing: str, rows: Iterable[str]) -> bool:
        """A browser says what it shows. False: not one of ours."""
        browser = self.browsers.get(stream)
        if browser is None:
            return False
        before, browser.rows = browser.rows | {self._case_of(stream)}, frozenset(rows)
        self._moved(stream, Place(browser.person, case, doing, monotonic()))
        fresh = (browser.rows | {case}) - before - {""}
        self._show(browser, {token for token in fresh if any(True for _ in self._at(token))})
        return True

    def _case_of(self, stream: str) -> str:
        place = self.book.places.get(stream)
        return place.case if place else ""

    def _moved(self, stream: str, place: Place | None) -> None:
        changed = self.book.put(stream, place)
        self._show_all(changed)
        if changed and self.peers:
            self._say({"moved": [_plain(stream, place)]})

    def _at(self, case: str) -> list[Place]:
        books = [self.book, *(book for _, book in self.peers.values())]
        return [place for book in books for place in book.at(case)]

    def _show_all(self, cases: set[str]) -> None:
        for browser in self.browsers.values():
            mine = cases & (browser.rows | {self._case_of(browser.stream)})
            self._show(browser, mine)

    def _show(self, browser: Browser, cases: Iterable[str]) -> None:
        for case in cases:
            browser.waiting.present[case] = others(browser.person, self._at(case))
            browser.woken.set()

    # --- other processes ---

    def heard_of_others(self, payload: str) -> None:
        """One NOTIFY of another hub: it lives, or its browsers moved, or a browser of ours spoke to it."""
        found = json.loads(payload)
        name = found["hub"]
        if name == self.name:
            return
        if name not in self.peers:
            self.peers[name] = (monotonic(), Book())
            self._say({"moved": [_plain(stream, place) for stream, place in self.book.places.items()]})
        book = self.peers[name][1]
        self.peers[name] = (monotonic(), book)
        for stream, place in found.get("moved", ()):
            self._show_all(book.put(stream, Place(Person(*place[0]), place[1], place[2], monotonic()) if place else None))
        if "here" in found:
            self.here(**found["here"])

    def pass_on(self, here: dict[str, Any]) -> None:
        """A browser of another process has spoken to us (a front that spreads its calls): hand it over."""
        if self.peers:
            self._say({"here": here})

    def _say(self, message: dict[str, Any]) -> None:
        moved = message.get("moved", [])
        parts = [{"moved": moved[n : n + 30]} for n in range(0, len(moved), 30)] if moved else [message]
        for part in parts:
            payload = json.dumps({"hub": self.name, **part}, ensure_ascii=False, separators=(",", ":"))
            if len(payload.encode()) <= _LONGEST_PAYLOAD:
                task = asyncio.ensure_future(self._notify(payload))
                task.add_done_callback(lambda done: done.exception())

    async def _notify(self, payload: str) -> None:
        try:
            if self._voice is None or self._voice.closed:
                self._voice = await psycopg.AsyncConnection.connect(conninfo(), autocommit=True)
                await self._voice.execute("SET synchronous_commit = off")  # it is gone tomorrow anyway: nobody waits for the disk
            await self._voice.execute("SELECT pg_notify(%s, %s)", [HERE_CHANNEL, payload])
        except psycopg.Error:
            self._voice = None  # the next beat says it again

    async def _beat(self) -> None:
        """Say that we live, forget who does not, and repeat who is where."""
        while True:
            self._say({})
            await asyncio.sleep(BEAT_SECONDS)
            self._show_all(self.book.forget(monotonic() - FORGOTTEN_SECONDS))
            for name, (at, book) in list(self.peers.items()):
                if at < monotonic() - 3 * BEAT_SECONDS:
                    del self.peers[name]
                    self._show_all({place.case for place in book.places.values()})

    async def _listen(self) -> None:
        delay = 0.5
        while self.browsers:
            try:
                async with await psycopg.AsyncConnection.connect(conninfo(), autocommit=True) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    await connection.execute(f"LISTEN {HERE_CHANNEL}")
                    self.look_again()  # what was missed meanwhile
                    delay = 0.5
                    async for notify in connection.notifies():
                        self.heard(notify.payload) if notify.channel == CHANNEL else self.heard_of_others(notify.payload)
            except psycopg.Error as error:
                _log.warning("events.database_lost", error=type(error).__name__, retry_seconds=delay)
                await asyncio.sleep(delay)
                delay = min(delay * 2, 10)


def _plain(stream: str, place: Place | None) -> list[Any]:
    if place is None:
        return [stream, None]
    who = place.person
    return [stream, [[who.pk, who.name, who.role, who.unit, who.is_centre], place.case, place.doing]]


def conninfo() -> str:
    """The database of the settings, for a connection of our own."""
    database: Any = settings.DATABASES["default"]
    options: dict[str, Any] = {k: v for k, v in database["OPTIONS"].items() if k != "pool"}
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    given = {key: database[name] for key, name in names.items() if database.get(name)}
    return psycopg.conninfo.make_conninfo("", **given, **options)
