"""Ticks: a commit is told to every signed-in browser, through a real NOTIFY, and to nobody else."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client

from minsheng.accounts.testing import sign_in
from minsheng.cases.models import Case
from minsheng.cases.tests.world import World, build
from minsheng.console import events_app, relay
from minsheng.console.hub import Hub
from minsheng.dispatching.actions import recall_case
from minsheng.secrecy import watch_token


def test_a_happening_says_what_kind_of_act_and_of_no_case(transactional_db: None) -> None:
    world = build()
    before = relay.snapshot()
    case = world.submitted()
    now = relay.snapshot()
    (found,) = relay.happenings(before, now) or []
    assert (found.words, found.units, found.against) == (("submit", "to_accept"), (), None)
    (payload,) = relay.payloads([found])
    assert case.number not in payload and "FZ" not in payload and found.case == watch_token(case.number)
    assert relay.happenings(now, relay.snapshot()) == []


def test_a_commit_is_told_though_an_older_transaction_is_open_and_that_one_when_it_commits(transactional_db: None) -> None:
    """A cursor below the oldest open transaction would hold everybody's screen back as long as an export runs."""
    world = build()
    before = relay.snapshot()
    begun, go_on = threading.Event(), threading.Event()
    slow = threading.Thread(target=_submit_slowly, args=(world, begun, go_on))
    slow.start()
    begun.wait(20)
    quick = world.submitted()
    between = relay.snapshot()
    assert [h.case for h in relay.happenings(before, between) or ()] == [watch_token(quick.number)]
    go_on.set()
    slow.join()
    last = Case.objects.exclude(pk=quick.pk).get()
    assert [h.case for h in relay.happenings(between, relay.snapshot()) or ()] == [watch_token(last.number)]


def _submit_slowly(world: World, begun: threading.Event, go_on: threading.Event) -> None:
    with transaction.atomic():
        world.submitted()
        begun.set()
        go_on.wait(20)
    connection.close()


def test_too_much_to_tell_is_told_as_look_again(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "MOST_TOLD", 1)
    world = build()
    before = relay.snapshot()
    world.submitted()
    world.submitted()
    assert relay.happenings(before, relay.snapshot()) is None
    assert list(relay.payloads(None)) == ["null"]


def test_a_long_list_travels_in_parts_that_postgresql_takes() -> None:
    many = [relay.Happening(f"token-{n:06}", ("dispatch", "to_dispatch", "in_handling"), (n,)) for n in range(400)]
    parts = list(relay.payloads(many))
    assert len(parts) > 1 and all(len(part) < 8000 for part in parts)
    assert [row[0] for part in parts for row in json.loads(part)] == [each.case for each in many]


def test_a_unit_hears_of_its_cases_and_of_those_that_it_just_lost(transactional_db: None) -> None:
    world = build()
    case = world.handling("生态环境")
    before = relay.snapshot()
    recall_case(actor=world["dispatcher"], at=world.later(minutes=5), case=case, reason="看错了")
    (found,) = relay.happenings(before, relay.snapshot()) or []
    assert set(found.units) == {world.units["仓山城管"].pk, world.units["生态环境"].pk}
    assert found.words == ("recall", "in_handling", "to_dispatch")


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
        monkeypatch.setattr(events_app, "hub", Hub())
        status, body = asyncio.run(_collect(_scope(cookie), until='"submit"'))
    finally:
        timer.join()
        stop.set()
        follower.join()
    assert status == 200
    assert "event: tick" in body and '"submit"' in body and "FZ" not in body


def _submit(world: Any) -> None:
    world.submitted()
    connection.close()


def _relay(stop: threading.Event) -> None:
    relay.relay(stop)
    connection.close()


def test_the_rail_alone(client: Client, db: None) -> None:
    world = build()
    sign_in(client, world["dispatcher"])
    answer = client.get("/desk/rail/", {"path": "/cases/"}, headers={"X-Background": "1"})
    assert answer.status_code == 200
    assert b"<html" not in answer.content
