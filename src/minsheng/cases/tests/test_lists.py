"""Lists by their addresses: every sort in both directions pages over the whole list once; columns; nobody's desk for others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.http import QueryDict
from django.test import Client

from minsheng.accounts.testing import sign_in
from minsheng.cases import lists
from minsheng.cases.models import Case, Task
from minsheng.cases.tests.crowd import multiply
from minsheng.cases.tests.test_asking import ask_pause, ask_return
from minsheng.cases.tests.world import World
from minsheng.console import exporting  # noqa: F401 - registers every list
from minsheng.publishing.tests.made import closed, published

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_counts() -> None:
    cache.clear()


WHO = {
    "all": ("auditor", ""), "map": ("auditor", ""), "intake": ("agent", ""), "handling": ("城管联络", "tab=work"), "audit": ("auditor", "tab=replies"),
    "asks": ("auditor", "tab=asks"), "dispatch": ("dispatcher", ""), "follow_up": ("follow_up", ""),
    "supervision": ("supervisor", "tab=all"), "unit_asks": ("城管联络", "tab=asks"), "found": ("dispatcher", "q=打桩&typed=打桩"),
    "to_publish": ("quality", "tab=edit"), "publications": ("team_leader", "tab=published"),
}  # fmt: skip
SORTS = [(spec.code, down + sort) for spec in lists.all_lists() for sort in spec.sorts for down in ("", "-")]


def test_every_list_is_tried() -> None:
    assert set(WHO) == {spec.code for spec in lists.all_lists()}


@pytest.fixture
def crowd(world: World) -> World:
    """Seven or more of everything, with ties, and some without the deadlines that lists are sorted by."""
    for case in (world.submitted(), world.accepted(), world.handling(), world.replied(), world.audited()):
        multiply(case, 6)
    asks = [ask_return(world, world.lead(world.handling())), ask_pause(world, world.lead(world.handling()))]
    for ask in asks:
        multiply(ask.task.case, 3)
    multiply(closed(world), 6)
    multiply(published(world).case, 6)
    for place, case in enumerate(Case.objects.order_by("id")):
        at = case.received_at + timedelta(minutes=place * 7 % 3)
        none = place % 4 == 0
        changes: dict[str, Any] = {"received_at": at, "state_since": at, "urgency_rank": place % 3}
        if none:
            changes["stage_due_at"] = None
            changes |= {"citizen_due_at": None} if case.state not in ("in_handling",) else {}
        Case.objects.filter(pk=case.pk).update(**changes)
    for place, task in enumerate(Task.objects.order_by("id")):
        Task.objects.filter(pk=task.pk).update(due_at=task.due_at + timedelta(hours=place * 5 % 3))
    return world


def shown_to(world: World, code: str, query: str = "") -> lists.Shown:
    who, own = WHO[code]
    spec = lists.by_code(code)
    assert spec is not None
    return lists.asked_for(world[who], spec, QueryDict("&".join(part for part in (own, query) if part)), world.now)


def every(shown: lists.Shown, size: int) -> tuple[list[Any], list[Any]]:
    """The keys met walking forwards, and those met walking back from the last page."""
    pages = [shown.page("", size)]
    while pages[-1].next:
        pages.append(shown.page(pages[-1].next, size))
    back = [pages[-1]]
    while back[0].previous:
        back.insert(0, shown.page(back[0].previous, size))
    return [row.pk for page in pages for row in page], [row.pk for page in back for row in page]


def in_order(shown: lists.Shown, sort: str) -> list[Any]:
    """The whole list sorted in Python: rows without a value last, ties by key in the same direction."""
    column, down = shown.spec.sorts[sort.lstrip("-")].column, sort.startswith("-")
    rows, _ = shown.rows()

    def value(row: Any) -> Any:
        for part in column.split("__"):
            row = getattr(row, part)
        return row

    given = sorted((r for r in rows if value(r) is not None), key=lambda r: (value(r), r.pk), reverse=down)
    none = sorted((r for r in rows if value(r) is None), key=lambda r: r.pk, reverse=down)
    return [row.pk for row in [*given, *none]]


def test_every_sort_pages_over_the_whole_list_in_order_both_ways(crowd: World) -> None:
    nulls = 0
    for code, sort in SORTS:
        shown = shown_to(crowd, code, f"sort={sort}")
        assert shown.sort == sort
        expected = in_order(shown, sort)
        assert len(expected) >= 7, code
        for size in (2, len(expected)):
            assert every(shown, size) == (expected, expected), (code, sort, size)
        nulls += sum(row.stage_due_at is None for row in shown.rows()[0]) if sort == "due" and not shown.spec.to_case else 0
    assert nulls


def test_a_desk_keeps_its_own_order_unasked(crowd: World) -> None:
    for code in WHO:
        shown = shown_to(crowd, code)
        found, order = shown.rows()
        expected = list(found.order_by(*order).values_list("pk", flat=True))
        assert every(shown, 3) == (expected, expected)


def test_a_sort_or_view_that_is_not_there_says_so(client: Client, world: World) -> None:
    sign_in(client, world["auditor"])
    answer = client.get("/cases/?sort=phone&view=999")
    assert answer.status_code == 200
    assert "这种排序这里没有" in answer.content.decode()


REFUSED = {"intake": "auditor", "handling": "agent", "audit": "agent", "asks": "dispatcher", "dispatch": "agent", "follow_up": "agent", "supervision": "agent"} | {
    "unit_asks": "agent", "to_publish": "agent", "publications": "agent"
}  # fmt: skip


@pytest.mark.parametrize("code", sorted(REFUSED))
def test_a_desk_refuses_its_rows_to_others(world: World, code: str) -> None:
    from minsheng.errors import Refused

    spec = lists.by_code(code)
    assert spec is not None
    with pytest.raises(Refused):
        lists.asked_for(world[REFUSED[code]], spec, QueryDict(""), world.now).rows()


def numbers(answer: Any) -> list[str]:
    assert answer.status_code == 200
    return [row.number for row in answer.context["page"]]


def test_filters_narrow_each_desk_in_the_browser(client: Client, world: World) -> None:
    complaint, question = world.accepted(), world.accepted(kind="consultation")
    sign_in(client, world["dispatcher"])
    assert numbers(client.get("/dispatching/?kind=consultation")) == [question.number]
    page = client.get("/dispatching/?kind=complaint&kind=nonsense")
    assert numbers(page) == [complaint.number]
    words = page.content.decode()
    assert "没有使用：类型" in words and "去掉筛选条件：类型 投诉" in words
    assert numbers(client.get("/dispatching/?kind=praise")) == []


def test_asks_are_filtered_by_their_case_and_their_tasks_unit(client: Client, world: World) -> None:
    ask = ask_return(world, world.lead(world.handling()))
    sign_in(client, world["auditor"])
    number = ask.task.case.number
    for query, there in (("kind=complaint", True), ("kind=help", False), (f"unit={ask.task.unit_id}", True), ("ask=pause", False), ("ask=return", True)):
        assert numbers(client.get(f"/cases/audits/?tab=asks&{query}")) == ([number] if there else []), query
