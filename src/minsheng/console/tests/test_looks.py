"""Pages that look again at the same time: drawn once for who sees the same, never for who does not, and only the part asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from minsheng.accounts.testing import sign_in
from minsheng.cases.models import Case
from minsheng.cases.tests.conftest import world
from minsheng.cases.tests.world import World

__all__ = ["world"]
INTAKE, DISPATCH, HANDLING = "/cases/intake/", "/dispatching/", "/cases/handling/"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What another test drew is no news here."""
    cache.clear()
    yield
    cache.clear()


class Page:
    """One open page of one person."""

    def __init__(self, world: World, name: str, path: str) -> None:
        self.client, self.path = sign_in(Client(), world[name]), path

    def look(self, after: str, part: str = "list") -> str:
        """What it gets when it looks again."""
        headers = {"X-Live": part, "X-After": after, "X-Background": "1"}
        answer = self.client.get(self.path, headers=headers)
        assert answer.status_code == 200
        return answer.content.decode()

    def rows(self, after: str) -> list[str]:
        """The numbers of the cases that it then shows."""
        return re.findall(r'<li class="case-row[^>]* id="row-([^"]+)"', self.look(after))

    def reads_rows(self, after: str) -> bool:
        """Whether the rows were read for this look."""
        with CaptureQueriesContext(connection) as asked:
            self.look(after)
        return any("LIMIT 51" in query["sql"] for query in asked.captured_queries)


def test_of_those_who_see_the_same_one_reads_for_all(world: World) -> None:
    first = world.submitted()
    one, other = Page(world, "agent", INTAKE), Page(world, "agent2", INTAKE)
    assert one.reads_rows("hub.1")
    assert not other.reads_rows("hub.1")
    assert other.rows("hub.1") == [first.number]


def test_after_another_event_it_is_read_anew(world: World) -> None:
    first = world.submitted()
    one, other = Page(world, "dispatcher", INTAKE), Page(world, "dispatcher2", INTAKE)
    assert one.rows("hub.1") == [first.number]
    second = world.submitted()
    assert other.rows("hub.2") == [first.number, second.number]


def test_who_has_heard_nothing_shares_nothing(world: World) -> None:
    one = Page(world, "agent", INTAKE)
    assert one.rows("") == []
    first = world.submitted()
    assert Page(world, "agent2", INTAKE).rows("") == [first.number]


def test_a_confidential_case_stays_with_the_agent_who_took_it(world: World) -> None:
    hidden = world.submitted(confidential=True)
    Case.objects.filter(pk=hidden.pk).update(accepted_by=world["agent"])
    assert Page(world, "agent", INTAKE).rows("hub.1") == [hidden.number]
    assert Page(world, "agent2", INTAKE).rows("hub.1") == []
    assert Page(world, "dispatcher", INTAKE).rows("hub.1") == [hidden.number]


def test_another_role_or_unit_has_its_own_rows(world: World) -> None:
    case = world.dispatched()
    assert Page(world, "城管联络", HANDLING).rows("hub.1") == [case.number]
    assert Page(world, "环境联络", HANDLING).rows("hub.1") == []
    assert Page(world, "城管领导", HANDLING).rows("hub.1") == [case.number]


def test_a_look_draws_only_what_it_asks_for(world: World) -> None:
    case = world.accepted()
    page = Page(world, "dispatcher", f"{DISPATCH}?open={case.number}")
    listed, opened = page.look("hub.1"), page.look("hub.1", "pane")
    assert 'data-live="rows"' in listed and "list-bar" not in listed
    assert "<article" in opened and 'data-live="rows"' not in opened and "list-bar" not in opened
    whole = page.client.get(page.path).content.decode()
    assert 'data-live="rows"' in whole and "list-bar" in whole and "<article" in whole
