"""How soon open screens show what others did: commit → event → refreshed screen, on the real processes with real pages.

Each browser is a session of its own that holds an event stream and, when told, asks for its desk anew exactly as ui/live.js does:
only for what concerns it, after the wait it was told, not sooner than QUIET_MS after the last look. Beside it the same run measures
its own floor: a bare NOTIFY, and the simplest page there is.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import psycopg
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from minsheng.accounts.choices import Role
from minsheng.accounts.middleware import SEEN_KEY
from minsheng.accounts.models import User
from minsheng.cases.actions import accept_case, submit_case
from minsheng.cases.choices import CaseState, RequestKind
from minsheng.cases.details import ApplicantDetails, CaseDetails
from minsheng.cases.models import Case, Topic
from minsheng.console.hub import conninfo
from minsheng.organisations.models import Place
from minsheng.platform.up import HOST, programs
from minsheng.secrecy import watch_token

QUIET_MS = 600  # ui/live.js
EVENT_MS, REFRESHED_MS = 200, 1500  # the bars, p99
# Of 100 browsers: who sits before them, at which desk.
MIX = (
    (30, Role.AGENT, "/cases/intake/"),
    (15, Role.DISPATCHER, "/dispatching/"),
    (15, Role.AUDITOR, "/cases/audits/"),
    (10, Role.FOLLOW_UP, "/followup/"),
    (28, Role.UNIT_LIAISON, "/cases/handling/"),
    (2, Role.HOTLINE_LEADER, "/desk/day/"),
)
SIMPLEST = "/privacy/"
FLOOR_TIMES = 100
_STIRS = re.compile(r'data-stirs="([^"]*)"')
_WATCH = re.compile(r'<li class="case-row[^>]*data-watch="([^"]+)"')


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def run(*, browsers: int, actions: int, rate: float, cases: int) -> dict[str, Any]:
    """Prepare, serve, measure."""
    _prepare(cases, actions)
    seats = list(_seats(browsers))
    connections.close_all()
    with _serving():
        return asyncio.run(_measure(seats, actions, rate))


def told(found: dict[str, Any]) -> str:
    """For people."""
    lines = [f"{found['browsers']} browsers, {found['actions']} actions at {found['rate']}/s, {found['looks']} looks"]
    for name in ("commit_to_event", "commit_to_refreshed", "floor_notify", "floor_page"):
        it = found[name]
        lines.append(f"{name:20} p50 {it['p50']:8.1f}  p95 {it['p95']:8.1f}  p99 {it['p99']:8.1f} ms  (n={it['n']})")
    return "\n".join([*lines, f"stale answers: {found['stale']}", f"met: {found['met']}"])


# --- the scratch installation ------------------------------------------------------------------------------------


def _prepare(cases: int, actions: int) -> None:
    with contextlib.redirect_stdout(sys.stderr):
        call_command("migrate", verbosity=0, interactive=False)
        call_command("load_reference")
        call_command("load_demo", cases=cases)
        call_command("collectstatic", verbosity=0, interactive=False)
    agent = User.objects.filter(roles__contains=[Role.AGENT], is_active=True).order_by("pk")[0]
    topic, place = Topic.objects.filter(level=3).order_by("pk")[0], Place.objects.filter(dispatchable=True).order_by("pk")[0]
    for number in range(actions):
        details = CaseDetails(kind=RequestKind.HELP, text=f"路灯不亮，第 {number} 处。", topic=topic, place=place)
        submit_case(actor=agent, at=timezone.now(), channel="phone", details=details, applicant=ApplicantDetails(phone="13800138000"))


def _seats(browsers: int) -> Iterator[tuple[str, str]]:
    """(session key, desk) of each browser; the centre's people are as many as browsers, a unit's are its own."""
    liaisons = list(User.objects.filter(roles=[Role.UNIT_LIAISON], is_active=True).order_by("pk"))
    for share, role, desk in MIX:
        for number in range(max(1, round(browsers * share / 100))):
            if role == Role.UNIT_LIAISON:
                user = liaisons[number % len(liaisons)]
            else:
                name = f"bench-{role}-{number}".replace("_", "-")
                user, _ = User.objects.get_or_create(username=name, defaults={"display_name": f"量测{number}", "roles": [role]})
            yield _session(user), desk


def _session(user: User) -> str:
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "minsheng.accounts.backends.RoleBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session[SEEN_KEY] = timezone.now().timestamp()
    session.create()
    return str(session.session_key)


@contextlib.contextmanager
def _serving() -> Iterator[None]:
    """The programs of `minsheng up`, but for the database, which runs already."""
    wanted = [p for p in programs(port=settings.PORT, events_port=settings.EVENTS_PORT) if p.name != "database"]
    running = [subprocess.Popen(p.command, env=os.environ | p.environment, stdout=sys.stderr) for p in wanted]
    try:
        for port in (settings.PORT, settings.EVENTS_PORT):
            _wait_for(port)
        time.sleep(5)  # the worker has taken the relay's lock
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
            process.kill()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"nothing listens on port {port}")


# --- browsers ----------------------------------------------------------------------------------------------------


@dataclass
class Seat:
    """One browser: what it heard when, and what it then looked at."""

    session: str
    desk: str
    stirs: tuple[str, str] = ("", "")  # of the rail, of the page
    rows: set[str] = field(default_factory=set)
    heard: dict[str, float] = field(default_factory=dict)  # case token → when
    unseen: set[str] = field(default_factory=set)  # heard, and not yet looked at
    refreshed: dict[str, float] = field(default_factory=dict)
    due: float | None = None
    looked_at: float = 0.0
    want_list: bool = False
    last_id: str = ""
    looks: int = 0
    stale: int = 0
    failed: int = 0
    line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def cookie(self) -> str:
        """As a browser sends it."""
        return f"{settings.SESSION_COOKIE_NAME}={self.session}"

    async def open(self) -> None:
        """The page as it is first drawn."""
        status, body = await self.get(self.desk)
        if status != 200:
            raise RuntimeError(f"{self.desk} answered {status}")
        found = _STIRS.findall(body)
        self.stirs, self.rows = (found[0], found[-1]), set(_WATCH.findall(body))

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        """One page over a line that is kept open; a line that the server closed is opened anew."""
        for _ in range(2):
            if self.line is None:
                self.line = await asyncio.open_connection(HOST, settings.PORT, limit=2**22)
            try:
                return await _ask(*self.line, path, {"Cookie": self.cookie, **headers})
            except (ConnectionError, asyncio.IncompleteReadError):
                self.line = None
        raise RuntimeError("the server closes every line")

    async def listen(self) -> None:
        """The event stream, until cancelled."""
        reader, writer = await asyncio.open_connection(HOST, settings.EVENTS_PORT)
        request = f"GET /events?age=2 HTTP/1.1\r\nHost: {HOST}\r\nCookie: {self.cookie}\r\nAccept: text/event-stream\r\n\r\n"
        writer.write(request.encode())
        kind = ""
        while True:
            text = (await reader.readline()).decode().strip("\r\n")
            if text.startswith("event: "):
                kind = text[7:]
            elif text.startswith("id: "):
                self.last_id = text[4:]
            elif text.startswith("data: ") and kind == "tick":
                self.hear(json.loads(text[6:]))
            elif not text and reader.at_eof():
                raise RuntimeError("the stream ended")

    def hear(self, tick: dict[str, Any]) -> None:
        """As live.js: note what is wanted and when."""
        now = time.perf_counter()
        for case in tick["cases"]:
            self.heard.setdefault(case, now)
        words, cases = set(tick["words"]), set(tick["cases"])
        to_list = tick["again"] or _stirred(self.stirs[1], words) or bool(cases & self.rows)
        if not (to_list or _stirred(self.stirs[0], words)):
            return
        self.want_list |= bool(to_list)
        self.unseen |= cases
        at = max(now + tick["wait"] / 1000, self.looked_at + QUIET_MS / 1000)
        if self.due is None or at < self.due:
            self.due = at
            self.woken.set()

    async def look(self) -> None:
        """Ask for what is wanted when it is due, until cancelled."""
        while True:
            await self.woken.wait()
            self.woken.clear()
            while self.due is not None and (left := self.due - time.perf_counter()) > 0:
                await asyncio.sleep(left)
            seen, self.unseen, self.due = self.unseen, set(), None
            if not seen and not self.want_list:
                continue
            await self._ask_anew(seen)

    async def _ask_anew(self, seen: set[str]) -> None:
        headers = {"X-Background": "1", "X-After": self.last_id}
        full, self.want_list = self.want_list, False
        if full:
            status, body = await self.get(self.desk, **headers, **{"X-Live": "list", "X-Columns": ""})
            self.rows = set(_WATCH.findall(body))
            self.stale += len(seen & self.rows) if self.desk == "/cases/intake/" else 0  # an accepted case has left it
        else:
            status, body = await self.get(f"/desk/rail/?path={self.desk}", **headers)
        self.looked_at = time.perf_counter()
        self.looks += 1
        self.failed += status != 200
        for case in seen:
            self.refreshed.setdefault(case, self.looked_at)


def _stirred(stirs: str, words: set[str]) -> bool:
    return stirs == "*" or not words.isdisjoint(stirs.split())


async def _ask(reader: Any, writer: Any, path: str, headers: dict[str, str]) -> tuple[int, str]:
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}:{settings.PORT}", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    writer.write("\r\n".join(lines).encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    length = re.search(r"(?i)content-length: *(\d+)", head)
    body = await reader.readexactly(int(length[1])) if length else b"".join([part async for part in _chunks(reader)])
    return int(head.split()[1]), body.decode()


async def _chunks(reader: Any) -> Any:
    while size := int(await reader.readline(), 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)


# --- measuring ---------------------------------------------------------------------------------------------------


async def _measure(keys: list[tuple[str, str]], actions: int, rate: float) -> dict[str, Any]:
    seats = [Seat(*key) for key in keys]
    floor_page = await _floor_page(seats[0])
    floor_notify = _floor_notify()
    for seat in seats:
        await seat.open()
    tasks = [asyncio.create_task(each) for seat in seats for each in (seat.listen(), seat.look())]
    await asyncio.sleep(6)  # everybody looks once when the stream is young
    for seat in seats:
        seat.looks = seat.stale = 0
    committed = await _act(actions, rate)
    await asyncio.sleep(4)
    ended = [task for task in tasks if task.done() and not task.cancelled()]
    for task in tasks:
        task.cancel()
    heard = [(seat.heard[case] - at) * 1000 for seat in seats for case, at in committed.items() if case in seat.heard]
    shown = [(seat.refreshed[case] - at) * 1000 for seat in seats for case, at in committed.items() if case in seat.refreshed]
    found: dict[str, Any] = {
        "browsers": len(seats),
        "actions": len(committed),
        "rate": rate,
        "commit_to_event": _spread(heard),
        "commit_to_refreshed": _spread(shown),
        "floor_notify": floor_notify,
        "floor_page": floor_page,
        "looks": sum(seat.looks for seat in seats),
        "stale": sum(seat.stale for seat in seats),
        "failed": sum(seat.failed for seat in seats) + len(ended),
    }
    found["event_to_floor"] = round(found["commit_to_event"]["p99"] / floor_notify["p99"], 1)
    found["refreshed_to_floor"] = round(found["commit_to_refreshed"]["p99"] / floor_page["p99"], 1)
    whole = not found["stale"] and not found["failed"]
    found["met"] = whole and found["commit_to_event"]["p99"] < EVENT_MS and found["commit_to_refreshed"]["p99"] < REFRESHED_MS
    return found


async def _act(actions: int, rate: float) -> dict[str, float]:
    """Accept so many cases, one after another at a steady rate: case token → when it was committed."""
    committed: dict[str, float] = {}
    agent, waiting = await sync_to_async(_waiting)(actions)
    began = time.perf_counter()
    for number, case in enumerate(waiting):
        await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
        committed[watch_token(case.number or "")] = await sync_to_async(_accept)(agent, case)
    return committed


def _waiting(actions: int) -> tuple[User, list[Case]]:
    agent = User.objects.filter(username="bench-agent-0").get()
    cases = Case.objects.filter(state=CaseState.TO_ACCEPT, topic__isnull=False).select_related("topic", "place")
    return agent, list(cases.order_by("-pk")[:actions])


def _accept(agent: User, case: Case) -> float:
    accept_case(actor=agent, at=timezone.now(), case=case)
    return time.perf_counter()


async def _floor_page(seat: Seat) -> dict[str, float]:
    taken = []
    for _ in range(FLOOR_TIMES):
        began = time.perf_counter()
        await seat.get(SIMPLEST)
        taken.append((time.perf_counter() - began) * 1000)
    return _spread(taken)


def _floor_notify() -> dict[str, float]:
    """From a commit that notifies to the listener, nothing else in between."""
    taken = []
    with psycopg.connect(conninfo(), autocommit=True) as ear, psycopg.connect(conninfo(), autocommit=True) as mouth:
        ear.execute("LISTEN bench_floor")
        for _ in range(FLOOR_TIMES):
            began = time.perf_counter()
            mouth.execute("SELECT pg_notify('bench_floor', '')")
            if not list(ear.notifies(timeout=10, stop_after=1)):
                raise RuntimeError("a notification was lost")
            taken.append((time.perf_counter() - began) * 1000)
    return _spread(taken)


def _spread(taken: list[float]) -> dict[str, float]:
    """p50, p95, p99 and the worst, in milliseconds."""
    ordered = sorted(taken) or [0.0]
    at = {name: ordered[min(len(ordered) - 1, int(len(ordered) * share))] for name, share in _SHARES}
    return {**{name: round(value, 1) for name, value in at.items()}, "most": round(ordered[-1], 1), "n": len(taken)}


_SHARES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
