"""The event stream: a small ASGI application that tells signed-in browsers that something changed, so that they look again.

One LISTEN connection for the whole process fans out to every browser. An event says which kinds of act there were, never on
what or by whom: the browser then asks the pages, which know what it may see. Who comes back after a gap is told at once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any

import psycopg
import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import close_old_connections

from minsheng.accounts.models import User
from minsheng.console.relay import CHANNEL

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HEARTBEAT_SECONDS = 15
# A slow browser loses ticks rather than memory: one tick is as good as ten, each only says “look again”.
_WAITING_TICKS = 2
_log = structlog.get_logger(__name__)


class Hub:
    """The browsers of this process, and the one connection that hears for them all."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[str]] = set()
        self._listener: asyncio.Task[None] | None = None
        self.last = ""

    def join(self) -> asyncio.Queue[str]:
        """A queue of ticks for one browser; the first browser starts the listening."""
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen())
        queue: asyncio.Queue[str] = asyncio.Queue(_WAITING_TICKS)
        self._queues.add(queue)
        return queue

    def leave(self, queue: asyncio.Queue[str]) -> None:
        """The browser went."""
        self._queues.discard(queue)

    def tell(self, payload: str) -> None:
        """Hand one tick to every browser."""
        self.last = payload
        for queue in self._queues:
            if not queue.full():
                queue.put_nowait(payload)

    async def _listen(self) -> None:
        delay = 0.5
        while self._queues:
            try:
                async with await psycopg.AsyncConnection.connect(_conninfo(), autocommit=True) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self.tell(self.last or json.dumps({"cursor": 0, "codes": []}))  # what was missed meanwhile
                    delay = 0.5
                    async for notify in connection.notifies():
                        self.tell(notify.payload)
            except psycopg.Error as error:
                _log.warning("events.database_lost", error=type(error).__name__, retry_seconds=delay)
                await asyncio.sleep(delay)
                delay = min(delay * 2, 10)


hub = Hub()


def _conninfo() -> str:
    database: Any = settings.DATABASES["default"]
    options: dict[str, Any] = {k: v for k, v in database["OPTIONS"].items() if k != "pool"}
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    given = {key: database[name] for key, name in names.items() if database.get(name)}
    return psycopg.conninfo.make_conninfo("", **given, **options)


async def application(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """ASGI: GET /events streams to a signed-in browser; anything else is 404, a stranger 403."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    if scope["type"] != "http":
        return
    if scope["path"] != "/events" or scope["method"] != "GET":
        await _answer(send, 404)
    elif not await sync_to_async(_is_signed_in)(_cookie(scope)):
        await _answer(send, 403)
    else:
        await _stream(scope, receive, send)


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


def _is_signed_in(session_key: str) -> bool:
    """Reads the session; never renews it, so that a forgotten browser still goes idle."""
    if not session_key:
        return False
    close_old_connections()
    try:
        session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
        user = session.get(SESSION_KEY)
        return user is not None and User.objects.filter(pk=user, is_active=True).exists()
    finally:
        close_old_connections()


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


async def _stream(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
    await send({"type": "http.response.start", "status": 200, "headers": [*headers, *_cors(scope)]})
    queue = hub.join()
    gone = asyncio.create_task(_until_gone(receive))
    try:
        await _write(send, "retry: 3000\n\n")
        if _header(scope, b"last-event-id"):  # a browser that comes back: something may have passed it by
            await _write(send, "event: tick\ndata: {}\n\n")
        while not gone.done():
            try:
                payload = await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
            except TimeoutError:
                await _write(send, ": still here\n\n")
                continue
            cursor = json.loads(payload)["cursor"]
            await _write(send, f"event: tick\nid: {cursor}\ndata: {payload}\n\n")
    finally:
        hub.leave(queue)
        gone.cancel()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _answer(send: Send, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b""})
