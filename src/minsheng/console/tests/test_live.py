"""Ticks: a commit is told to every signed-in browser, through a real NOTIFY, and to nobody else."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from minsheng.accounts.testing import sign_in
from minsheng.audit.queries import safe_horizon
from minsheng.cases.tests.world import build
from minsheng.console import events_app
from minsheng.console.relay import next_tick, relay


def test_a_tick_says_what_kind_of_act_and_nothing_else(transactional_db: None) -> None:
    cursor = safe_horizon()
    world = build()
    world.submitted()
    tick = next_tick(cursor)
    assert tick is not None and tick.codes == ("submit",)
    assert "FZ" not in tick.to_json()
    assert next_tick(tick.cursor) is None or not next_tick(tick.cursor).codes  # type: ignore[union-attr]


def _scope(cookie: str = "") -> dict[str, Any]:
    headers = [(b"cookie", cookie.encode()), (b"origin", f"http://127.0.0.1:{settings.PORT}".encode())]
    return {"type": "http", "method": "GET", "path": "/events", "headers": headers}


async def _collect(scope: dict[str, Any], until: str, seconds: float = 20) -> tuple[int, str]:
    """Status and body of the stream, until a word appears in it or time is over."""
    sent: list[dict[str, Any]] = []
    seen = asyncio.Event()

    async def send(message: Any) -> None:
        sent.append(message)
        if until.encode() in message.get("body", b""):
            seen.set()

    async def receive() -> Any:
        await seen.wait()
        return {"type": "http.disconnect"}

    task = asyncio.create_task(events_app.application(scope, receive, send))
    waits = [task, asyncio.create_task(seen.wait())]
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for each in waits:
        each.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    return sent[0]["status"], b"".join(m.get("body", b"") for m in sent).decode()


def test_a_stranger_hears_nothing(transactional_db: None) -> None:
    status, _ = asyncio.run(_collect(_scope(), until="tick", seconds=2))
    assert status == 403


def test_a_commit_reaches_a_signed_in_browser(transactional_db: None, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    world = build()
    sign_in(client, world["dispatcher"])
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    stop = threading.Event()
    follower = threading.Thread(target=_relay, args=(stop,))
    follower.start()
    timer = threading.Timer(2, _submit, args=(world,))
    timer.start()
    try:
        monkeypatch.setattr(events_app, "hub", events_app.Hub())
        status, body = asyncio.run(_collect(_scope(cookie), until='"submit"'))
    finally:
        timer.join()
        stop.set()
        follower.join()
    assert status == 200
    assert "event: tick" in body and '"submit"' in body and "FZ" not in body


def _submit(world: Any) -> None:
    from django.db import connection

    world.submitted()
    connection.close()


def _relay(stop: threading.Event) -> None:
    from django.db import connection

    relay(stop)
    connection.close()


def test_the_rail_alone(client: Client, db: None) -> None:
    world = build()
    sign_in(client, world["dispatcher"])
    answer = client.get("/desk/rail/", {"path": "/cases/"}, headers={"X-Background": "1"})
    assert answer.status_code == 200
    assert b"<html" not in answer.content
