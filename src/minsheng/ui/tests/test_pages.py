"""Keyset pages on a real table: both directions, ties, rows that arrive meanwhile, and cursors that anyone may damage."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce, Length

from minsheng.accounts.models import User
from minsheng.ui.pages import KeysetPage, keyset_page

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> QuerySet[User]:
    # Three grades with many ties, so that the last column has work to do.
    for number in range(23):
        User.objects.create_user(f"p{number:02}", display_name=f"人{number}", staff_number=str(number % 3))
    return User.objects.all()


def walk(queryset: QuerySet[User], order: tuple[str, ...], size: int = 5) -> list[KeysetPage]:
    pages = [keyset_page(queryset, order, size=size)]
    while pages[-1].next:
        pages.append(keyset_page(queryset, order, pages[-1].next, size))
    return pages


ORDERS = [
    ("pk",),
    ("-pk",),
    ("staff_number", "id"),
    ("-staff_number", "-id"),
    ("-staff_number", "id"),
    ("staff_number", "-date_joined", "id"),
    ("username",),
]


@pytest.mark.parametrize("order", ORDERS)
def test_pages_are_the_whole_list_forwards_and_backwards(people: QuerySet[User], order: tuple[str, ...]) -> None:
    everything = list(people.order_by(*order))
    pages = walk(people, order)
    assert [row for page in pages for row in page] == everything
    assert [len(page) for page in pages] == [5, 5, 5, 5, 3]
    back = [pages[-1]]
    while back[0].previous:
        back.insert(0, keyset_page(people, order, back[0].previous, 5))
    assert [row for page in back for row in page] == everything
    assert not back[0].previous and not pages[0].previous


def test_rows_that_arrive_before_the_page_do_not_move_it(people: QuerySet[User]) -> None:
    first = keyset_page(people, ("-pk",), size=5)
    expected = list(people.order_by("-pk")[5:10])
    User.objects.create_user("late", display_name="后来")
    assert list(keyset_page(people, ("-pk",), first.next, 5)) == expected


def test_a_row_that_left_does_not_hide_its_neighbour(people: QuerySet[User]) -> None:
    first = keyset_page(people, ("username",), size=5)
    expected = list(people.order_by("username")[5:10])
    first.rows[-1].delete()
    assert list(keyset_page(people, ("username",), first.next, 5)) == expected


def test_a_list_may_be_ordered_by_an_annotation(people: QuerySet[User]) -> None:
    annotated = people.annotate(length=Length("display_name"), none=Coalesce(F("unit_id"), Value(0)))
    pages = walk(annotated, ("-length", "none", "id"))
    assert [row for page in pages for row in page] == list(annotated.order_by("-length", "none", "id"))


def test_one_direction_is_one_row_comparison(people: QuerySet[User]) -> None:
    """One comparison of whole rows is what lets an index find a page at any depth."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    first = keyset_page(people, ("staff_number", "id"), size=5)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        keyset_page(people, ("staff_number", "id"), first.next, 5)
    assert len(queries) == 1
    assert "ROW(" in queries[0]["sql"] and "OFFSET" not in queries[0]["sql"]


def test_an_empty_list_has_no_neighbours() -> None:
    assert keyset_page(User.objects.none(), ("pk",)) == KeysetPage()


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "!!!",
        "中文",
        "a" * 5000,
        forged("n"),
        forged("q", "0", 1),
        forged("n", "0", "one"),
        forged("n", "0", None),
        forged("n", "\x00", 1),
        forged("n", "\ud800", 1),
        forged("n", "0", 10**30),
        forged("n", "0", -(10**30)),
        forged("n", "0", [1]),
        forged("n", {"a": 1}, 1e400),
        base64.urlsafe_b64encode(b"[" * 700).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_a_damaged_cursor_clears_to_the_first_page(people: QuerySet[User], cursor: str) -> None:
    page = keyset_page(people, ("staff_number", "id"), cursor, 5)
    assert list(page) == list(people.order_by("staff_number", "id")[:5])
    assert page.cleared


@pytest.mark.parametrize("size", [1, 4, 5, 7, 23])
@pytest.mark.parametrize("missing", [0, 3, 10, 23])
@pytest.mark.parametrize("down", ["", "-"])
def test_rows_without_a_value_come_last_in_both_directions(
    people: QuerySet[User], down: str, missing: int, size: int
) -> None:
    for number, person in enumerate(people.order_by("id")):
        if number >= missing:
            day = 1 + (number * 7) % 5
            person.last_login = datetime(2026, 11, day, tzinfo=UTC)
            person.save(update_fields=["last_login"])
    given = sorted(people.exclude(last_login=None), key=lambda p: (p.last_login, p.pk), reverse=bool(down))
    none = sorted(people.filter(last_login=None), key=lambda p: p.pk, reverse=bool(down))
    order = (f"{down}last_login", f"{down}id")
    pages = walk(people, order, size)
    assert [row for page in pages for row in page] == [*given, *none]
    back = [pages[-1]]
    while back[0].previous:
        back.insert(0, keyset_page(people, order, back[0].previous, size))
    assert [row for page in back for row in page] == [*given, *none]


def test_only_the_first_column_may_be_null() -> None:
    with pytest.raises(ValueError, match="only its first column"):
        keyset_page(User.objects.all(), ("username", "last_login", "id"))
    with pytest.raises(ValueError, match="neither a column"):
        keyset_page(User.objects.all(), ("nothing", "id"))
