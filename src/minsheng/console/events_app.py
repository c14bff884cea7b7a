"""The event stream: a small ASGI application that tells signed-in browsers what happened, so that they look again, and who else
has open what they have open.

    GET  /events        the stream (events hello, tick, present); `?age=` tells how many seconds ago the page was drawn
    POST /events/here   {"stream", "case", "doing", "rows"}: what that browser shows; in the name of a stream, which nobody can guess

An event never says on what case or by whom (console/hub.py). Who comes back after a gap is told what it missed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from random import random
from typing import Any
from urllib.parse import parse_qs

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.db import close_old_connections
from django.utils.crypto import constant_time_compare

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.cases.workflow import BY_CODE
from minsheng.console.desks import SESSION_ROLE
from minsheng.console.hub import Browser, Hub
from minsheng.console.presence import Person
from minsheng.organisations import queries as organisations

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HEARTBEAT_SECONDS = 15
ASK_AGAIN_SECONDS = 60  # whether the browser's person is still signed in; each stream somewhat sooner, so that they do not ask at once
STUCK_SECONDS = 60  # a browser that takes nothing for so long is gone
OLDEST_PAGE_SECONDS = 30
LARGEST_POST = 16_000
MOST_ROWS = 200
LONGEST_TOKEN = 16
_log = structlog.get_logger(__name__)

hub = Hub()


async def application(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """ASGI: as above; anything else is 404, a stranger 403."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    if scope["type"] != "http":
        return
    asked = (scope["method"], scope["path"])
    if asked == ("POST", "/events/here"):
        await _answer(scope, send, await _here(receive))
    elif asked != ("GET", "/events"):
        await _answer(scope, send, 404)
    elif (person := await sync_to_async(_person)(_cookie(scope))) is None:
        await _answer(scope, send, 403)
    else:
        await _stream(scope, receive, send, person)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _header(scope: MutableMapping[str, Any], name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _cookie(scope: MutableMapping[str, Any]) -> str:
    try:
        cookie = SimpleCookie(_header(scope, b"cookie"))
    except CookieError:
        return ""
    morsel = cookie.get(settings.SESSION_COOKIE_NAME)
    return morsel.value if morsel else ""


def _person(session_key: str) -> Person | None:
    """Who is signed in, as colleagues read of them."""
    found = _signed_in(session_key)
    return person_of(*found) if found else None


def _signed_in(session_key: str) -> tuple[User, str] | None:
    """Who is signed in, and the role that they chose. Reads the session and never renews it, so that a forgotten browser still goes
    idle; a changed password ends it."""
    if not session_key:
        return None
    close_old_connections()
    try:
        session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
        user = User.objects.select_related("unit").filter(pk=session.get(SESSION_KEY), is_active=True).first()
        shown = session.get(HASH_SESSION_KEY, "")
        if user is None or not constant_time_compare(shown, user.get_session_auth_hash()):
            return None
        return user, str(session.get(SESSION_ROLE, ""))
    finally:
        close_old_connections()


def person_of(user: User, chosen: str = "") -> Person:
    """As colleagues read of them: name, and role in force or unit."""
    held = [role for role in Role if role in user.roles]
    role = Role(chosen) if chosen in held else held[0] if held else None
    label = str(role.label) if role else ""
    if not user.is_unit or user.unit is None:
        return Person(user.pk, str(user), label, is_centre=user.is_centre)
    below, kin = organisations.reach(user.unit)
    name = user.unit.short_name or user.unit.name
    return Person(user.pk, str(user), f"{name} {label}", user.unit_id, reach=frozenset(below), kin=frozenset(kin | below))


def _cors(scope: MutableMapping[str, Any]) -> list[tuple[bytes, bytes]]:
    """The pages come from another port of the same host in the default; nobody else's pages may listen."""
    origin = _header(scope, b"origin")
    allowed = {f"http://{host}:{settings.PORT}" for host in ("127.0.0.1", "localhost")} | set(settings.CSRF_TRUSTED_ORIGINS)
    if origin not in allowed:
        return []
    return [
        (b"access-control-allow-origin", origin.encode()),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"origin"),
    ]


# --- the stream --------------------------------------------------------------------------------------------------


async def _stream(scope: MutableMapping[str, Any], receive: Receive, send: Send, person: Person) -> None:
    """Until the browser goes, takes nothing any more, or its person is signed in no longer."""
    headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
    await send({"type": "http.response.start", "status": 200, "headers": [*headers, *_cors(scope)]})
    browser = hub.join(person, last_id=_last_id(scope), age=_age(scope))
    gone = asyncio.create_task(_until_gone(receive))
    signed_out = asyncio.create_task(_until_signed_out(_cookie(scope)))
    signed_out.add_done_callback(lambda _: browser.woken.set())
    try:
        hello = json.dumps({"stream": browser.stream})
        await _write(send, f"retry: 3000\n\nevent: hello\nid: {hub.last_id}\ndata: {hello}\n\n")
        while not gone.done():
            text = await _next(browser)
            if signed_out.done():
                await send({"type": "http.response.body", "body": b""})
                return
            await _write(send, text)
    except TimeoutError:
        _log.info("events.browser_stuck")
    finally:
        hub.leave(browser)
        gone.cancel()
        signed_out.cancel()


def _asked(scope: MutableMapping[str, Any], name: str) -> str:
    return parse_qs(scope.get("query_string", b"").decode("latin-1")).get(name, [""])[0]


def _last_id(scope: MutableMapping[str, Any]) -> str:
    """What the browser heard last: its own way to say so after a lost line, or the page's after one that was refused."""
    return (_header(scope, b"last-event-id") or _asked(scope, "last"))[:40]


def _age(scope: MutableMapping[str, Any]) -> float:
    """How many seconds ago the page was drawn: what happened since, it does not show."""
    given = _asked(scope, "age")
    return min(float(given), OLDEST_PAGE_SECONDS) if given.isdigit() else 0.0


async def _next(browser: Browser) -> str:
    """What the browser is told next, or a sign of life."""
    try:
        await asyncio.wait_for(browser.woken.wait(), HEARTBEAT_SECONDS)
    except TimeoutError:
        return f"id: {hub.last_id}\n: still here\n\n"
    found = browser.take()
    text = ""
    if found.wait is not None:
        told = {"wait": found.wait, "words": sorted(found.words), "cases": sorted(found.cases), "again": found.again}
        text = f"event: tick\nid: {hub.last_id}\ndata: {json.dumps(told)}\n\n"
    for case, people in found.present.items():
        data = json.dumps({"case": case, "people": people}, ensure_ascii=False)
        text += f"event: present\ndata: {data}\n\n"
    return text


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _until_signed_out(session_key: str) -> None:
    """Beside the stream, so that no event waits for the answer."""
    while True:
        await asyncio.sleep(ASK_AGAIN_SECONDS * (1 - random() / 2))  # noqa: S311 - chance, not secrecy
        if await sync_to_async(_signed_in)(session_key) is None:
            return


async def _write(send: Send, text: str) -> None:
    await asyncio.wait_for(send({"type": "http.response.body", "body": text.encode(), "more_body": True}), STUCK_SECONDS)


async def _answer(scope: MutableMapping[str, Any], send: Send, status: int) -> None:
    headers = [(b"content-type", b"text/plain"), *_cors(scope)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


# --- who is where ------------------------------------------------------------------------------------------------


async def _here(receive: Receive) -> int:
    """204, 400 for what no page of ours sends. What it claims to be doing is one of the actions, or nothing."""
    try:
        given = json.loads(await _body(receive))
        stream, case, code, rows = str(given["stream"]), _token(given["case"]), str(given["doing"]), given["rows"]
        tokens = [_token(row) for row in rows[:MOST_ROWS]]
    except (ValueError, KeyError, TypeError):
        return 400
    doing = BY_CODE[code].label if code in BY_CODE else ""
    if not hub.here(stream, case=case, doing=doing, rows=tokens):
        hub.pass_on({"stream": stream[:32], "case": case, "doing": doing, "rows": tokens})
    return 204


def _token(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TOKEN:
        raise ValueError("not a token")
    return value


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_POST:
            raise ValueError("too large")
        if not message.get("more_body"):
            return body
