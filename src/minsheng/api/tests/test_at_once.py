"""On connections of their own: one key from five threads, one upload from two, a turn from many, a change that commits late."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from minsheng.accounts.choices import Role
from minsheng.api.models import Answer, UsageHour
from minsheng.cases import actions
from minsheng.cases.models import Case, TimelineEntry
from minsheng.cases.tests.world import World

from .conftest import CASE, Remote, make_remote

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def app(world: World) -> Remote:
    return make_remote(world, "app", Role.AGENT)


def at_once(count: int, call: Callable[[int], Any]) -> list[Any]:
    """Each call on a thread and connection of its own, all begun together."""
    found: list[Any] = [None] * count
    ready = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            ready.wait(timeout=20)
            found[number] = call(number)
        except Exception as error:
            found[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return found


def by(app: Remote) -> Remote:
    return Remote(app.system, app.token, app.clear, Client())


# --- one key -----------------------------------------------------------------------------------------------------


def test_five_times_the_same_call_is_one_case_and_one_answer(app: Remote) -> None:
    key = str(uuid4())
    answers = at_once(5, lambda _: by(app).post("/cases", CASE, key=key))
    assert {each.status_code for each in answers} == {201}
    assert len({each.content for each in answers}) == 1
    assert Case.objects.count() == Answer.objects.count() == 1
    assert by(app).post("/cases", CASE, key=key).content == answers[0].content  # and later


def test_the_same_key_for_something_else_is_422(app: Remote) -> None:
    key = str(uuid4())
    answers = at_once(5, lambda n: by(app).post("/cases", CASE | {"text": f"第 {n} 件"}, key=key))
    assert sorted(each.status_code for each in answers) == [201, 422, 422, 422, 422]
    assert Case.objects.count() == 1
    assert {each.json()["code"] for each in answers if each.status_code == 422} == {"key_reused"}


def test_two_systems_may_choose_the_same_key(world: World, app: Remote) -> None:
    key, other = str(uuid4()), make_remote(world, "other", Role.AGENT)
    assert [remote.post("/cases", CASE, key=key).status_code for remote in (app, other)] == [201, 201]
    assert Case.objects.count() == 2


def test_a_refused_call_keeps_its_key_free(app: Remote) -> None:
    key = str(uuid4())
    assert app.post("/cases", CASE | {"topic": "999999"}, key=key).status_code == 422
    assert app.post("/cases", CASE, key=key).status_code == 201


def test_when_the_answer_is_forgotten_the_key_still_does_nothing_twice(world: World, app: Remote) -> None:
    key, unit = str(uuid4()), make_remote(world, "cg", Role.UNIT_LIAISON, unit="仓山城管")
    first = app.post("/cases", CASE, key=key).json()
    case = world.dispatched()
    path = f"/tasks/{world.lead(case).pk}/read"
    unit.post(path, {}, key=key)
    Answer.objects.all().delete()
    assert app.post("/cases", CASE, key=key).json()["number"] == first["number"]
    assert unit.post(path, {}, key=key).json()["task_state"] == "handling"
    assert case.timeline.filter(code="read").count() == 1
    Answer.objects.all().delete()
    assert unit.post(path.replace("read", "first-measures"), {"text": "x"}, key=key).json()["code"] == "submission_used"


def test_one_external_number_is_one_case(app: Remote) -> None:
    body = CASE | {"external_number": "A-1"}
    answers = at_once(4, lambda _: by(app).post("/cases", body))
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
    assert Case.objects.count() == 1
    again = app.post("/cases", body).json()
    assert again["code"] == "external_number_used" and again["details"]["number"] == Case.objects.get().number


def test_an_upload_serves_one_of_two(app: Remote, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    upload = app.upload(SimpleUploadedFile("a.txt", "路灯".encode())).json()["id"]
    answers = at_once(2, lambda _: by(app).post("/cases", CASE | {"uploads": [upload]}))
    assert sorted(each.status_code for each in answers) == [201, 422]


# --- turns and counts --------------------------------------------------------------------------------------------


def test_all_processes_count_one_minute_together(app: Remote, settings: Any) -> None:
    settings.API = django.API | {"calls_per_minute": 4}
    answers = at_once(8, lambda _: by(app).get("/units").status_code)
    assert sorted(answers) == [200] * 4 + [429] * 4
    hour = UsageHour.objects.get()
    assert (hour.calls, hour.errors) == (8, 4)


# --- changes -----------------------------------------------------------------------------------------------------


def follow(app: Remote, cursor: str, *, limit: int = 200) -> tuple[list[tuple[str, int]], str]:
    """All that waits, page by page."""
    seen: list[tuple[str, int]] = []
    while True:
        page = app.get("/changes", cursor=cursor, limit=limit).json()
        seen += [(entry["number"], entry["version"]) for entry in page["changes"]]
        cursor = page["cursor"]
        if not page["more"]:
            return seen, cursor


def test_a_change_that_commits_late_is_neither_skipped_nor_repeated(world: World, app: Remote) -> None:
    cursor = app.get("/changes").json()["cursor"]
    held, go = threading.Event(), threading.Event()
    slow = world.submitted()

    def act() -> None:
        with transaction.atomic():
            actions.accept_case(actor=world["agent"], at=timezone.now(), case=slow)
            held.set()
            assert go.wait(timeout=20)
        connection.close()

    worker = threading.Thread(target=act)
    worker.start()
    assert held.wait(timeout=20)
    quick = world.submitted()  # begins later and commits first: its row has the higher key
    first, cursor = follow(app, cursor)
    assert first == [(slow.number, 1)]  # nothing at or beyond the open transaction
    go.set()
    worker.join(timeout=20)
    second, cursor = follow(app, cursor)
    assert sorted(second) == sorted([(slow.number, 2), (quick.number, 1)])
    assert follow(app, cursor)[0] == []


def test_pages_end_between_transactions_and_lose_nothing(world: World, app: Remote) -> None:
    cursor = app.get("/changes").json()["cursor"]
    for _ in range(3):
        world.submitted()
    with transaction.atomic():  # one transaction longer than a page
        for _ in range(4):
            world.submitted()
    world.submitted()
    whole = [(e.case.number, e.seq) for e in TimelineEntry.objects.select_related("case").order_by("xid", "pk")]
    for limit in (1, 2, 3, 200):
        assert follow(app, cursor, limit=limit)[0] == whole


def test_a_unit_follows_only_its_own(world: World, app: Remote) -> None:
    unit = make_remote(world, "cg", Role.UNIT_LIAISON, unit="仓山城管")
    cursor = unit.get("/changes").json()["cursor"]
    world.submitted()
    case = world.dispatched()
    changes = unit.get("/changes", cursor=cursor).json()["changes"]
    assert {entry["number"] for entry in changes} == {case.number}
    assert changes[-1]["label"] == "批转" and changes[-1]["state"] == "in_handling"


@pytest.mark.parametrize("cursor", ["999999999999999999", "9" * 19, "-1", "x", "\x00", "1.5"])
def test_cursors_of_no_server(cursor: str, app: Remote) -> None:
    assert app.get("/changes", cursor=cursor).status_code == 422
