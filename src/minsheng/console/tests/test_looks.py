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
from minsheng.cases import actions
from minsheng.cases.choices import RequestKind
from minsheng.cases.details import ApplicantDetails, CaseDetails
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

    def look(self, after: str, part: str = "list", columns: str = "") -> str:
        """What it gets when it looks again."""
        headers = {"X-Live": part, "X-After": after, "X-Background": "1", "X-Columns": columns}
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


@pytest.mark.parametrize(("who", "path", "queries"), [("agent", INTAKE, 3), ("dispatcher", DISPATCH, 2)])
def test_all_but_the_first_read_only_who_they_are(world: World, who: str, path: str, queries: int) -> None:
    """A session and a person; of an agent also whether a confidential case that waits is their own."""
    world.accepted()
    first, other = Page(world, who, path), Page(world, f"{who}2", path)
    first.look("hub.1")
    with CaptureQueriesContext(connection) as asked:
        other.look("hub.1")
    assert len(asked) == queries


def test_what_is_ones_own_is_in_no_answer_that_many_get(world: World) -> None:
    details = CaseDetails(kind=RequestKind.HELP, text="没写完")
    actions.save_draft(actor=world["agent2"], at=world.now, channel="phone", details=details, applicant=ApplicantDetails(), case=None)
    page = Page(world, "agent2", INTAKE)
    whole = page.client.get(INTAKE).content.decode()
    assert "我今天登记" in whole and re.search(r'data-live="tab-2"> <span class="num">1</span>', whole)
    world.submitted()
    answers = [Page(world, "agent", INTAKE).look("hub.1"), page.look("hub.1")]
    for answer in answers:
        assert 'data-live="tally"' not in answer and 'data-live="tab-2"' not in answer
        assert re.search(r'data-live="tab-1"> <span class="num">1</span>', answer)


def test_the_rail_of_who_looks_again_is_right_after_every_event(world: World) -> None:
    one, other = Page(world, "agent", INTAKE), Page(world, "agent2", INTAKE)
    for number in (1, 2):
        world.submitted()
        for page in (one, other):
            rail = page.look(f"hub.{number}").partition("<main>")[0]
            assert re.search(r'class="rail-count.*?(\d+)<', rail, re.DOTALL)[1] == str(number)  # type: ignore[index]


def test_a_look_has_the_columns_that_the_page_shows(world: World) -> None:
    world.submitted()
    page = Page(world, "agent", INTAKE)
    assert "with-cells" not in page.look("hub.1")
    assert "with-cells" in page.look("hub.1", columns="channel")
    assert "with-cells" not in page.look("hub.1", columns="no-such-column")


def test_only_desks_that_count_stir_the_rail(world: World) -> None:
    """The map is on everybody's rail and counts nothing: else each act would make every page ask for its rail again."""
    page = Page(world, "auditor", "/cases/audits/").client.get("/cases/audits/").content.decode()
    rail = re.search(r'data-rail="[^"]*" data-stirs="([^"]*)"', page)
    assert rail is not None
    assert "to_audit" in rail[1].split() and "to_accept" not in rail[1].split()
