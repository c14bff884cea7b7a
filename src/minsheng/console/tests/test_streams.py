"""The stream under trouble: a lost connection, a person signed out, a browser that takes nothing (design §2)."""

from __future__ import annotations

import asyncio
import json
import threading
from time import monotonic
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from minsheng.accounts.models import User
from minsheng.accounts.testing import sign_in
from minsheng.cases.tests.world import World, build
from minsheng.console import events_app, relay
from minsheng.console.hub import Browser, Hub
from minsheng.console.presence import Person


@pytest.fixture
def city(transactional_db: None) -> World:
    return build()


Told = list[list[relay.Happening] | None]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What the relay would have told."""
    found: Told = []
    monkeypatch.setattr(relay, "tell", found.append)
    monkeypatch.setattr(relay, "_take_lock", lambda: True)
    return found


def words(told: Told) -> list[list[str] | None]:
    return [None if found is None else [happening.words[0] for happening in found] for found in told]


def test_what_was_committed_while_the_connection_was_lost_is_told_after(city: World, told: Told) -> None:
    stop = threading.Event()
    stop.set()  # follow() begins and returns
    follower = relay.Follower()
    follower.follow(stop)
    assert told == [None], "who begins makes every browser look once"
    city.submitted()  # while nobody listens
    follower.follow(stop)
    follower.step()
    assert words(told) == [None, ["submit"]]


def test_what_could_not_be_told_is_told_again(city: World, monkeypatch: pytest.MonkeyPatch) -> None:
    follower = relay.Follower()
    follower.seen = relay.snapshot()
    city.submitted()

    def lose(found: Any) -> None:
        raise OSError

    monkeypatch.setattr(relay, "tell", lose)
    with pytest.raises(OSError):
        follower.step()
    found: Told = []
    monkeypatch.setattr(relay, "tell", found.append)
    follower.step()
    follower.step()
    assert words(found) == [["submit"]]


def test_a_database_put_in_place_of_another_does_not_end_the_relay(city: World, told: Told) -> None:
    stop = threading.Event()
    stop.set()
    follower = relay.Follower()
    later = relay.horizons(relay.snapshot())[1] + 1_000_000
    follower.seen = f"{later}:{later}:"
    follower.follow(stop)
    assert told == [None] and relay.horizons(follower.seen)[1] < later


# --- streams -----------------------------------------------------------------------------------------------------


def _scope(client: Client) -> dict[str, Any]:
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    return {"type": "http", "method": "GET", "path": "/events", "headers": [(b"cookie", cookie.encode())]}


async def _never(*_args: Any) -> Any:
    await asyncio.Event().wait()


async def _status(scope: dict[str, Any]) -> int:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    task = asyncio.create_task(events_app.application(scope, _never, send))
    while not sent:
        await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return int(sent[0]["status"])


def test_a_session_of_before_a_change_of_password_hears_nothing(
    city: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_app, "hub", Hub())
    user = sign_in_as(client, city)
    assert asyncio.run(_status(_scope(client))) == 200
    user.set_password("Another-one-9")
    user.save()
    assert asyncio.run(_status(_scope(client))) == 403


def sign_in_as(client: Client, city: World) -> User:
    user = city["dispatcher"]
    user.set_password("The-first-one-9")
    user.save()
    sign_in(client, user)
    return user


def test_a_stream_ends_when_its_person_is_stopped(city: World, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub()
    monkeypatch.setattr(events_app, "hub", hub)
    monkeypatch.setattr(events_app, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(events_app, "ASK_AGAIN_SECONDS", 0.2)
    user = sign_in_as(client, city)
    scope = _scope(client)

    async def run() -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        task = asyncio.create_task(events_app.application(scope, _never, send))
        await asyncio.sleep(0.5)
        assert not task.done()
        await asyncio.to_thread(_stop, user)
        await asyncio.wait_for(task, 5)
        return sent

    sent = asyncio.run(run())
    assert sent[-1].get("more_body") is not True


def _stop(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False, deactivated_at=timezone.now())
    connection.close()


def test_a_browser_that_takes_nothing_is_let_go_and_holds_one_tick_however_much_happens(
    city: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub()
    monkeypatch.setattr(events_app, "hub", hub)
    monkeypatch.setattr(events_app, "STUCK_SECONDS", 0.5)
    sign_in_as(client, city)
    scope = _scope(client)

    async def run() -> Any:
        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                await _never()

        task = asyncio.create_task(events_app.application(scope, _never, send))
        while not hub.browsers:
            await asyncio.sleep(0.02)
        (browser,) = hub.browsers.values()
        for n in range(1000):
            happens(hub, f"case-{n}", "urge")
        waiting = browser.take()
        await asyncio.wait_for(task, 5)
        assert not hub.browsers
        return waiting

    waiting = asyncio.run(run())
    assert waiting.again and len(waiting.cases) <= 200


# --- who is told what --------------------------------------------------------------------------------------------

CENTRE = Person(1, "王芳", "批转员", is_centre=True)
AUDITOR = Person(2, "李强", "审核员", is_centre=True)
LIAISON = Person(3, "陈静", "仓山城管 承办联络员", unit=10, reach=frozenset({10, 11}), kin=frozenset({9, 10, 11}))
BELOW = Person(4, "赵敏", "建新中队 承办联络员", unit=11, reach=frozenset({11}), kin=frozenset({9, 10, 11}))
NEIGHBOUR = Person(5, "孙丽", "水务 承办联络员", unit=20, reach=frozenset({20}), kin=frozenset({9, 20}))


def with_hub(story: Any) -> Any:
    """Run a story on a hub whose database nobody asks."""

    async def run() -> Any:
        hub = Hub()
        hub._tasks = [asyncio.create_task(_never())]
        hub._whole_since -= 100
        try:
            return await story(hub)
        finally:
            hub._tasks[0].cancel()

    return asyncio.run(run())


def happens(hub: Hub, case: str, *words: str, units: tuple[int, ...] = (), against: int | None = None) -> None:
    hub.heard(json.dumps([[case, words, units, against]]))


def test_a_unit_is_told_of_its_own_and_lower_units_cases_and_nothing_of_what_its_kin_are_accused_of() -> None:
    async def story(hub: Hub) -> None:
        centre, unit, other = hub.join(CENTRE), hub.join(LIAISON), hub.join(NEIGHBOUR)
        happens(hub, "a", "urge", units=(11,))
        happens(hub, "b", "urge", units=(20,))
        happens(hub, "c", "urge", units=(11, 20), against=9)
        assert centre.take().cases == {"a", "b", "c"}
        assert unit.take().cases == {"a"}
        assert other.take().cases == {"b"}

    with_hub(story)


def test_who_works_neither_at_the_centre_nor_for_a_unit_is_told_nothing() -> None:
    async def story(hub: Hub) -> None:
        administrator = hub.join(Person(6, "系统管理员", "系统管理员"))
        happens(hub, "a", "urge", units=(11,))
        assert administrator.take().wait is None

    with_hub(story)


def test_browsers_that_are_told_the_same_are_spread_over_time() -> None:
    async def story(hub: Hub) -> None:
        browsers = [hub.join(CENTRE) for _ in range(300)]
        happens(hub, "a", "urge")
        waits = [browser.take().wait or 0 for browser in browsers]
        assert waits == sorted(waits) and waits[0] == 0 and 300 < waits[-1] <= 700

    with_hub(story)


def test_who_comes_back_is_told_what_it_missed_and_only_that() -> None:
    async def story(hub: Hub) -> None:
        happens(hub, "before", "urge")
        last = hub.last_id
        assert hub.join(CENTRE, last_id=last).take().wait is None
        happens(hub, "missed", "urge", units=(10,))
        assert hub.join(CENTRE, last_id=last).take().cases == {"missed"}
        assert hub.join(NEIGHBOUR, last_id=last).take().wait is None
        assert hub.join(CENTRE, last_id="another.7").take().again, "another process: nobody knows what it missed"
        hub.look_again()
        assert hub.join(CENTRE, last_id=last).take().again, "something was missed by us"

    with_hub(story)


def test_a_page_hears_what_happened_while_it_was_drawn() -> None:
    async def story(hub: Hub) -> None:
        happens(hub, "a", "urge")
        assert hub.join(CENTRE, age=5).take().cases == {"a"}
        assert hub.join(CENTRE, age=0).take().wait is None

    with_hub(story)


# --- who is where ------------------------------------------------------------------------------------------------


def shown(browser: Any, case: str) -> list[tuple[str, str]] | None:
    people = browser.take().present.get(case)
    return None if people is None else [(each["name"], each["doing"]) for each in people]


def test_who_has_a_case_open_is_shown_beside_it_and_in_lists_until_they_go() -> None:
    async def story(hub: Hub) -> None:
        reader, lister, writer, elsewhere = hub.join(CENTRE), hub.join(AUDITOR), hub.join(LIAISON), hub.join(CENTRE)
        hub.here(reader.stream, case="a", doing="", rows=[])
        hub.here(lister.stream, case="", doing="", rows=["a", "b"])
        lister.take()
        hub.here(writer.stream, case="a", doing="拟写回复", rows=[])
        assert shown(reader, "a") == [("陈静", "拟写回复")]
        assert shown(lister, "a") == [("陈静", "拟写回复"), ("王芳", "")]
        assert shown(elsewhere, "a") is None, "it shows another case"
        hub.leave(writer)
        assert shown(reader, "a") == []
        hub.here(reader.stream, case="b", doing="", rows=[])
        assert shown(lister, "b") == [("王芳", "")]

    with_hub(story)


def test_a_unit_sees_its_own_people_and_nobody_else() -> None:
    async def story(hub: Hub) -> None:
        unit, below, other = hub.join(LIAISON), hub.join(BELOW), hub.join(NEIGHBOUR)
        for browser in (hub.join(CENTRE), unit, below, other):
            hub.here(browser.stream, case="a", doing="", rows=[])
        assert shown(unit, "a") == [("赵敏", "")]
        assert shown(below, "a") == []
        assert shown(other, "a") == []

    with_hub(story)


def test_a_dead_browser_is_forgotten_and_ones_own_other_window_is_nobody_else() -> None:
    async def story(hub: Hub) -> None:
        first, second, other = hub.join(CENTRE), hub.join(CENTRE), hub.join(AUDITOR)
        for browser in (first, second, other):
            hub.here(browser.stream, case="a", doing="", rows=[])
        assert shown(first, "a") == [("李强", "")]
        hub.book.forget(monotonic() + 1)
        assert not hub.book.places

    with_hub(story)


def test_processes_tell_each_other_who_is_where(city: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hubs over a real NOTIFY: places made before they met, moves after, and what was said to the wrong one."""

    async def until(condition: Any) -> None:
        while not condition():
            await asyncio.sleep(0.02)

    async def run() -> None:
        one, two = Hub(), Hub()
        writer, reader = one.join(LIAISON), two.join(CENTRE)
        two.here(reader.stream, case="a", doing="", rows=[])
        one.here(writer.stream, case="a", doing="拟写回复", rows=[])
        await asyncio.wait_for(until(lambda: two._at("a")[1:]), 20)
        assert shown(reader, "a") == [("陈静", "拟写回复")]
        one.here(writer.stream, case="b", doing="", rows=[])
        await asyncio.wait_for(until(lambda: not two._at("a")[1:]), 20)
        two.pass_on({"stream": writer.stream, "case": "c", "doing": "", "rows": []})
        await asyncio.wait_for(until(lambda: two._at("c")), 20)
        for task in one._tasks + two._tasks:
            task.cancel()

    monkeypatch.setattr("minsheng.console.hub.BEAT_SECONDS", 0.2)
    asyncio.run(run())


def test_what_no_page_of_ours_says_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub()
    monkeypatch.setattr(events_app, "hub", hub)
    browser = Browser(CENTRE)
    hub.browsers[browser.stream] = browser
    good = {"stream": browser.stream, "case": "a", "doing": "draft_reply", "rows": ["a"]}
    worse: tuple[dict[str, Any], ...] = ({"case": 1}, {"rows": [{}]}, {"rows": 3}, {"rows": ["x" * 99]})
    bad = [b"", b"[]", b"{", b"null", b"x" * 20_000, *(json.dumps(good | one).encode() for one in worse)]

    async def posted(body: bytes) -> int:
        async def receive() -> Any:
            return {"type": "http.request", "body": body}

        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/events/here", "headers": []}
        await events_app.application(scope, receive, send)
        return int(sent[0]["status"])

    async def run() -> list[int]:
        return [await posted(body) for body in [*bad, json.dumps(good).encode(), json.dumps(good | {"doing": "<b>"}).encode()]]

    assert asyncio.run(run()) == [400] * len(bad) + [204, 204]
    assert hub.book.places[browser.stream].doing == "", "what is no action of ours is not repeated to others"
