"""What every page of the citizen's side asks of the database: an exact number, the same for a short history as for a long one.

BASELINE is the one list of them; an address of the portal without a number here fails the test, as on the staff's side
(cases/tests/test_query_counts.py). A number that changed is a finding: lower it with pleasure, raise it only with a reason in
the commit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, get_resolver, reverse

from minsheng.cases.models import Attachment
from minsheng.cases.tests.crowd import enlarge
from minsheng.cases.tests.world import World, fresh
from minsheng.followup.actions import rate_case
from minsheng.followup.links import make_token
from minsheng.portal.tests.citizen import WHAT, WHERE, WHO, Citizen, photograph
from minsheng.publishing import actions as publishing
from minsheng.publishing.models import Publication

# Answered to a POST only: nothing to look at.
POST_ONLY = {"portal:consent", "portal:file_forget", "portal:leave", "portal:streets"}
MANY = 12


@dataclass(frozen=True)
class Page:
    """One address as one browser opens it; `of` names who stands before it (see BROWSERS)."""

    name: str
    queries: int
    of: str = "nobody"
    query: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.name, self.query, self.of) if part)


# fmt: off
BASELINE: tuple[Page, ...] = (
    Page("portal:landing", 0),
    Page("portal:landing", 1, of="filing"),
    Page("portal:privacy", 0),
    Page("portal:file", 1),
    Page("portal:file", 3, of="filing"),
    Page("portal:file_where", 2, of="filing"),
    Page("portal:file_similar", 6, of="filing"),
    Page("portal:file_who", 1, of="filing"),
    Page("portal:file_check", 4, of="filing"),
    Page("portal:published", 4, of="reader"),
    Page("portal:published", 4, of="reader", query="q=夜间施工&county=350104"),
    Page("portal:published_case", 1, of="reader"),
    Page("portal:look_up", 0),
    Page("portal:mine", 6, of="visitor"),
    Page("portal:supplement", 3, of="visitor"),
    Page("portal:withdraw", 3, of="visitor"),
    Page("portal:file_of_case", 3, of="visitor"),
    Page("portal:rate", 5, of="rater"),
    Page("portal:rate", 5, of="rater", query="s=very"),
    Page("portal:rate_by_link", 4, of="linked"),
    Page("portal:rate_by_link", 4, of="linked", query="s=very"),
)
# fmt: on


def test_every_address_has_a_baseline() -> None:
    patterns = get_resolver("minsheng.portal.urls").url_patterns
    every = {f"portal:{each.name}" for each in patterns if isinstance(each, URLPattern)}
    assert len(every) == len(patterns), "an address without a name, or a list within the list, would not be seen"
    measured = {page.name for page in BASELINE}
    assert every == measured | POST_ONLY
    assert not measured & POST_ONLY


@pytest.mark.parametrize("name", sorted(POST_ONLY))
def test_what_has_none_shows_nothing_to_look_at(world: World, name: str) -> None:
    assert Client().get(reverse(name)).status_code == 405


# --- who stands before it ----------------------------------------------------------------------------------------

Browser = tuple[Client, dict[str, list[Any]]]


def publish(world: World) -> Publication:
    case = rate_case(at=world.later(minutes=5), case=world.audited(publishable=True), satisfaction="very", solved="yes")
    version = {"title": "夜间施工扰民", "text": "一处工地夜间施工，居民睡不好。", "reply": "已责令停止夜间施工。"}
    one = publishing.propose(actor=world["quality"], at=world.now, case=case, **version)
    return publishing.review(actor=world["team_leader"], at=world.now, publication=one, passes=True)


def nobody(world: World, times: int) -> Browser:
    return Client(), {}


def filing(world: World, times: int) -> Browser:
    """All three steps given, with as many published and open requests like it as there are."""
    for _ in range(times):
        publish(world)
        world.dispatched()
    citizen = Citizen()
    topic = world.topics["夜间施工噪声"].code
    for code, given in (("what", WHAT | {"topic": topic, "files": photograph()}), ("where", WHERE), ("who", WHO)):
        assert citizen.step(code, **given).status_code == 302
    return citizen.client, {}


def reader(world: World, times: int) -> Browser:
    rows = [publish(world) for _ in range(times)]
    return Client(), {"portal:published_case": [rows[0].pk]}


def visitor(world: World, times: int) -> Browser:
    """With number and code before a case that is being handled, of a long history."""
    citizen = Citizen()
    case = citizen.files(files=photograph())
    enlarge(fresh(case), times)
    own = Attachment.objects.filter(case=case)[0]
    return citizen.looks_up(case).client, {"portal:file_of_case": [own.pk]}


def rater(world: World, times: int) -> Browser:
    case = world.audited()
    enlarge(fresh(case), times)
    return Citizen().looks_up(case).client, {}


def linked(world: World, times: int) -> Browser:
    case = world.audited()
    enlarge(fresh(case), times)
    return Client(), {"portal:rate_by_link": [make_token(case)]}


BROWSERS: dict[str, Callable[[World, int], Browser]] = {
    "nobody": nobody, "filing": filing, "reader": reader, "visitor": visitor, "rater": rater, "linked": linked,
}  # fmt: skip


# --- the numbers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", sorted(BROWSERS))
def test_every_page_costs_its_baseline_with_little_and_with_much(world: World, of: str) -> None:
    pages = [page for page in BASELINE if page.of == of]
    expected = {str(page): page.queries for page in pages}
    assert measured(pages, *BROWSERS[of](world, 2)) == expected
    assert measured(pages, *BROWSERS[of](world, MANY)) == expected


def measured(pages: list[Page], client: Client, takes: dict[str, list[Any]]) -> dict[str, int]:
    found = {}
    for page in pages:
        url = f"{reverse(page.name, args=takes.get(page.name, []))}?{page.query}"
        client.get(url)
        cache.clear()
        with CaptureQueriesContext(connection) as counted:
            answer = client.get(url)
        assert answer.status_code == 200, f"{page}: {answer.status_code}"
        found[str(page)] = len(counted)
    return found
