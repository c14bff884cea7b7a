"""The small city, a moment by day, and real servers on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.db import connection

from minsheng.cases.tests.conftest import world  # noqa: F401
from minsheng.outbox import following
from minsheng.outbox.models import Cursor

Answering = Callable[[BaseHTTPRequestHandler, int], None]


@dataclass
class Receiver:
    """A real HTTP server; `answer(handler, nth)` decides what the nth call meets."""

    answer: Answering
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.calls]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.calls]


def says(status: int, body: bytes = b"{}", **headers: str) -> Answering:
    """Answers each call alike."""

    def answer(handler: BaseHTTPRequestHandler, nth: int) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.fixture
def receive() -> Iterator[Callable[[Answering], Receiver]]:
    """Start a receiver; it ends with the test."""
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Answering) -> Receiver:
        receiver = Receiver(answer)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                receiver.calls.append(({k.lower(): v for k, v in self.headers.items()}, body))
                receiver.answer(self, len(receiver.calls))

            def do_GET(self) -> None:
                receiver.calls.append(({"method": "GET"}, b"{}"))
                says(200)(self, 0)

            def log_message(self, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.handle_error = lambda *args: None  # type: ignore[method-assign]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
        return receiver

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def _loopback_allowed(settings: Any) -> None:
    settings.OUTBOX = settings.OUTBOX | {"webhook_networks": ["127.0.0.0/8", "::1/128"], "webhook_seconds": 2}


@pytest.fixture
def own_horizon(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that are one transaction: following begins with it, and the horizon lies behind it as if it were committed."""

    def behind_this_test() -> int:
        return own_transaction() + 1

    Cursor.objects.update_or_create(name=following.CURSOR, defaults={"xid": own_transaction()})
    monkeypatch.setattr(following, "safe_horizon", behind_this_test)


def own_transaction() -> int:
    """The number of the transaction that a test runs in."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        return int(cursor.fetchone()[0])
