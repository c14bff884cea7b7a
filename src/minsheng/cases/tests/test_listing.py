"""All cases in one list: who finds what by what, at a cost that the number of rows does not change."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from minsheng.accounts.testing import sign_in
from minsheng.cases.models import Case
from minsheng.cases.tests.world import World

# Recorded baselines, session and person included.
LIST_QUERIES, DESK_QUERIES = 6, 8


@pytest.fixture(autouse=True)
def fresh_counts() -> None:
    cache.clear()


@pytest.fixture
def today(world: World) -> World:
    """The same city today: titles are searched among recent cases."""
    world.now = timezone.now()
    return world


def numbers(answer: Any) -> list[str]:
    assert answer.status_code == 200
    return [row.number for row in answer.context["page"]]


def test_newest_first_and_by_state(client: Client, world: World) -> None:
    first, second = world.submitted(), world.accepted()
    sign_in(client, world["auditor"])
    assert numbers(client.get("/cases/")) == [second.number, first.number]
    assert numbers(client.get("/cases/?state=to_accept")) == [first.number]


@pytest.mark.parametrize("name", ["system_admin", "security_admin", "audit_admin"])
def test_administrators_have_no_list(client: Client, world: World, name: str) -> None:
    assert sign_in(client, world[name]).get("/cases/").status_code == 404


def test_a_number_is_found_in_any_writing(client: Client, world: World) -> None:
    case, _ = world.submitted(), world.submitted()
    number = str(case.number)
    sign_in(client, world["auditor"])
    for written in (number, number.lower(), f" {number[:6]}-{number[6:]} ", number[:-1]):
        assert numbers(client.get("/cases/", {"q": written})) == [number]


def test_a_title_is_found_by_its_words(client: Client, today: World) -> None:
    case, _ = today.submitted(title="路灯不亮"), today.submitted(title="井盖松动")
    sign_in(client, today["auditor"])
    assert numbers(client.get("/cases/", {"q": "路灯"})) == [case.number]


@pytest.mark.parametrize("words", ["13800138000", "+86 138 0013 8000", "林小满", "林 小满"])
def test_a_person_is_found_by_a_post_only(client: Client, world: World, words: str) -> None:
    case = world.submitted()
    sign_in(client, world["auditor"])
    answer = client.post("/cases/find/", {"q": words})
    assert answer["Location"].startswith("/cases/found/?kept=") and quote(words) not in answer["Location"]
    assert numbers(client.get(answer["Location"])) == [case.number]


def test_no_address_holds_a_telephone_number(client: Client, world: World) -> None:
    sign_in(client, world["auditor"])
    assert client.get("/cases/", {"q": "13800138000"}).status_code == 422
    assert client.post("/cases/find/", {"q": "路灯"})["Location"] == "/cases/found/?q=%E8%B7%AF%E7%81%AF"


@pytest.mark.parametrize("name", ["城管联络", "analyst", "agent2"])
@pytest.mark.parametrize("words", ["13800138000", "林小满", "工地半夜"])
def test_what_the_page_hides_the_search_does_not_tell(client: Client, today: World, name: str, words: str) -> None:
    today.dispatched(confidential=True, title="工地半夜打桩")
    sign_in(client, today[name])
    answer = client.post("/cases/find/", {"q": words}, follow=True)
    assert numbers(answer) == []
    assert "工地半夜打桩" not in client.get("/cases/").content.decode()


def test_an_analyst_does_not_find_a_name_that_the_title_hides(client: Client, today: World) -> None:
    today.submitted(title="我叫林小满，电话 13800138000")
    sign_in(client, today["analyst"])
    for words in ("1380013", "林小满"):
        assert numbers(client.get("/cases/", {"q": words})) == []


def test_junk_in_the_address_does_no_harm(client: Client, world: World) -> None:
    world.submitted()
    sign_in(client, world["auditor"])
    for query in ("page=junk", "state=nonsense", "open=%00", "open=FZ404", "q=%00", "q=" + "x" * 5000):
        assert client.get(f"/cases/?{query}").status_code == 200


def test_the_open_case_stands_beside_the_list(client: Client, world: World) -> None:
    case = world.submitted()
    shown = sign_in(client, world["auditor"]).get(f"/cases/?open={case.number}").content.decode()
    assert f'data-open="{case.number}"' in shown
    assert "工地半夜打桩，吵得一家人睡不着，请管一管。" in shown


def _queries(client: Client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize(("url", "baseline"), [("/cases/", LIST_QUERIES), ("/cases/intake/", DESK_QUERIES)])
def test_fifty_rows_cost_what_five_do(client: Client, world: World, url: str, baseline: int) -> None:
    sign_in(client, world["dispatcher"])
    for _ in range(5):
        world.submitted()
    few = _queries(client, url)
    for _ in range(45):
        world.submitted()
    assert _queries(client, url) == few == baseline
    assert Case.objects.count() == 50
