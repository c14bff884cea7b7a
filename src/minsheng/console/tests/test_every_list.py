"""Every list of the product, by one rule: each filter that it offers narrows it, each sort pages over it whole both ways, columns, views and
spreadsheets of it can be had; and no staff page shows rows of cases outside such a list.

The city is built once for the file, so that every list has rows that differ in every field that it offers; what a test writes is
rolled back. A list that is registered and has no place here fails the test.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Case as Switch
from django.db.models import Value, When
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from minsheng.accounts.testing import sign_in
from minsheng.audit.models import AuditEntry
from minsheng.cases import lists
from minsheng.cases.models import Ask, Case, Task
from minsheng.cases.tests.crowd import multiply
from minsheng.cases.tests.stages import STAGES
from minsheng.cases.tests.test_asking import ask_pause, decide
from minsheng.cases.tests.test_lists import WHO, every, in_order
from minsheng.cases.tests.test_query_counts import BASELINE, opened
from minsheng.cases.tests.world import World, build, fresh
from minsheng.console import export_actions
from minsheng.console.models import Export, ExportState, SavedView
from minsheng.publishing import actions as publishing
from minsheng.publishing.models import Publication

pytestmark = pytest.mark.django_db

# Which of a desk's tabs has rows that differ most; the others are as WHO has them.
PLACES = WHO | {"dispatch": ("dispatcher", "tab=study"), "handling": ("区政府联络", "tab=below")}
CODES = [spec.code for spec in lists.all_lists()]
DAYS = {
    "received": ("received=today", "received_to=2026-11-20"),
    "closed": ("closed=7d", "closed_to=2026-11-20"),
    "due": ("due=overdue", "due_from=2026-11-24"),
}


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[World, dict[str, Case]]]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield build_city()
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def city(built: tuple[World, dict[str, Case]]) -> World:
    return built[0]


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> None:
    cache.clear()
    settings.LISTS = settings.LISTS | {"export_folder": str(tmp_path / "exports")}


LIVED = ("to_accept", "to_dispatch", "back", "in_study", "handling", "below", "to_audit", "to_follow_up", "closed", "published")


def build_city() -> tuple[World, dict[str, Case]]:
    """A case in every hand, and beside it one that differs in all that can be filtered by."""
    world = build()
    stages = {stage: STAGES[stage](world) for stage in (*LIVED, "rated_since", "ask_set_aside", "proposed")}
    for stage in LIVED:
        differ(world, another(stages[stage]))
    asked = ask_pause(world, world.lead(world.handling())).task.case
    differ(world, another(asked), moved=False)
    move(world, another(asked))
    decide(world, ask_pause(world, world.lead(world.handling())), grant=False)
    differ(world, another(stages["ask_set_aside"]), moved=False)
    Case.objects.filter(pk=another(stages["published"]).pk).update(state="archived")
    Task.objects.filter(case=stages["handling"]).update(state="sent_back")
    declined = Publication.objects.get(case=another(stages["proposed"]))
    publishing.review(actor=world["team_leader"], at=world.now, publication=declined, passes=False, why="写明白些")
    set_deadlines(Case.objects.exclude(channel="web"), world.now + timedelta(days=9))
    set_deadlines(Task.objects.exclude(case__channel="web"), world.now + timedelta(days=9))
    set_deadlines(Ask.objects.exclude(task__case__channel="web"), world.now + timedelta(days=9))
    return world, stages


def another(case: Case) -> Case:
    """One more that is like it."""
    multiply(fresh(case), 1)
    return Case.objects.latest("pk")


def differ(world: World, case: Case, *, moved: bool = True) -> None:
    """Another kind, urgency, way, topic and place, forty days older and long late; with another unit where it may be."""
    long_ago = world.now - timedelta(days=40)
    Case.objects.filter(pk=case.pk).update(
        kind="help",
        urgency="critical",
        urgency_rank=0,
        channel="web",
        topic=world.topics["道路塌陷"],
        place=world.places["鼓楼区"],
        received_at=long_ago,
    )
    Case.objects.filter(pk=case.pk, closed_at__isnull=False).update(closed_at=long_ago)
    for rows in (Case.objects.filter(pk=case.pk), Task.objects.filter(case=case), Ask.objects.filter(task__case=case)):
        set_deadlines(rows, world.now - timedelta(hours=1))
    if moved:
        move(world, case)


def set_deadlines(rows: Any, at: datetime) -> None:
    """All of them, and the moments at which their lights turn."""
    names = [field.name for field in rows.model._meta.concrete_fields if field.name.endswith(("due_at", "orange_at", "yellow_at"))]
    rows.update(**{name: Switch(When(**{f"{name}__isnull": False}, then=Value(at))) for name in names})


def move(world: World, case: Case) -> None:
    Task.objects.filter(case=case, unit=world.units["仓山城管"]).update(unit=world.units["仓山住建"])


def shown_to(world: World, code: str, *queries: str) -> lists.Shown:
    who, own = PLACES[code]
    spec = lists.by_code(code)
    assert spec is not None
    return lists.asked_for(world[who], spec, QueryDict("&".join(part for part in (own, *queries) if part)), world.now)


def keys(shown: lists.Shown) -> set[int]:
    return set(shown.rows()[0].order_by().values_list("pk", flat=True))


def tried(world: World, field: lists.Field) -> list[str]:
    """Every way to choose of this field."""
    if field.kind == "days":
        return [*DAYS[field.name]]
    if field.kind == "tree":
        parts: dict[str, Any] = {"topic": world.topics, "place": world.places, "unit": world.units}
        return [f"{field.name}={node.pk}" for node in parts[field.name].values()]
    return [f"{field.name}={value}" for value, _, _ in field.choices]


# --- filters -----------------------------------------------------------------------------------------------------


def test_every_list_is_tried() -> None:
    assert set(PLACES) == set(CODES)


FIELDS = [(spec.code, name) for spec in lists.all_lists() for name in spec.fields]


@pytest.mark.parametrize(("code", "name"), FIELDS)
def test_every_filter_narrows(city: World, code: str, name: str) -> None:
    """Of each field something keeps a row and leaves one out; and what can be ticked covers every row there is."""
    bare = shown_to(city, code)
    field = next(field for field in bare.fields() if field.name == name)
    everything, found = keys(bare), {}
    for query in tried(city, field):
        shown = shown_to(city, code, query)
        assert shown.filters and not shown.problems, query
        found[query] = keys(shown)
        assert found[query] <= everything, query
    assert [query for query, kept in found.items() if set() < kept < everything], f"{len(everything)} rows, all the same"
    if field.kind == "choices":
        assert set().union(*found.values()) == everything


@pytest.mark.parametrize("code", CODES)
def test_no_list_lacks_a_field_in_which_its_rows_differ(city: World, code: str) -> None:
    """The same looked at from the other side: of all fields that there are, what a list leaves out would not narrow it."""
    spec = lists.by_code(code)
    assert spec is not None
    left_out = set(lists.CASE_FIELDS) - set(spec.fields)
    left_out -= {"state"} if "task_state" in spec.fields else set()  # the task's says more
    cases = {shown.line(row).case.pk for shown in [shown_to(city, code)] for row in shown.rows()[0]}
    for name in left_out:
        if name in ("state", "kind", "urgency", "channel", "topic", "place"):
            assert Case.objects.filter(pk__in=cases).order_by().values(name).distinct().count() == 1, name
    if "unit" in left_out:
        units = Task.objects.filter(case__in=cases).exclude(state__in=["returned", "recalled"]).values("unit").distinct().order_by()
        assert units.count() <= 1 or code == "unit_asks", units


# --- sorts and pages ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
def test_every_sort_pages_over_the_whole_list_both_ways(city: World, code: str) -> None:
    bare = shown_to(city, code)
    found, order = bare.rows()
    unasked = [row.pk for row in found.order_by(*order)]
    size = max(1, len(unasked) // 3)
    assert len(unasked) > 1 and every(bare, size) == (unasked, unasked)
    for sort in bare.spec.sorts:
        for down in ("", "-"):
            shown = shown_to(city, code, f"sort={down}{sort}")
            expected = in_order(shown, down + sort)
            assert set(expected) == set(unasked) and every(shown, size) == (expected, expected), (sort, down)


# --- on the screen -----------------------------------------------------------------------------------------------

SCREENS = [code for code in CODES if code != "map"]  # the map is drawn by itself (tests/test_map_walk.py)


def at_screen(city: World, code: str) -> tuple[Client, str]:
    who, own = PLACES[code]
    spec = lists.by_code(code)
    assert spec is not None
    return sign_in(Client(), city[who]), f"{reverse(spec.url)}?{re.sub('&?typed=[^&]*', '', own)}&view=0"


@pytest.mark.parametrize("code", SCREENS)
def test_the_screen_narrows_sorts_and_adds_columns(city: World, code: str) -> None:
    client, url = at_screen(city, code)
    page = client.get(url)
    shown, rows = page.context["list"], page.context["page"].rows
    assert shown.code == code and len(rows) > 1
    html = page.content.decode()
    assert "console/lists.css" in html and "console/lists.js" in html, "the bar would stand there undressed"
    for field in shown.fields():
        assert f'name="{field.name}' in html, field.name
    narrowed = client.get(f"{url}&kind=help")
    assert 0 < len(narrowed.context["page"].rows) < len(rows) or code == "intake"
    assert [chip.text for chip in narrowed.context["list"].chips()] == ["求助"]
    # Left as it was, whatever the bar's links keep.
    assert [row.number for row in client.get(narrowed.context["list"].chips()[0].rest).context["page"]] == [row.number for row in rows]
    client.post(f"/desk/lists/{code}/columns/", {"column": ["received", "channel"], "back": url})
    with_columns = client.get(url)
    assert {tuple(cell.label for cell in row.cells) for row in with_columns.context["page"]} == {("收件时间", "渠道")}
    assert "电话" in {row.cells[1].text for row in with_columns.context["page"]}


@pytest.mark.parametrize("code", SCREENS)
def test_a_heading_sorts_one_way_and_then_the_other(city: World, code: str) -> None:
    client, url = at_screen(city, code)
    client.post(f"/desk/lists/{code}/columns/", {"column": ["received"], "back": url})
    shown = client.get(url).context["list"]
    heads = [shown.headings()["left"], *shown.column_headings()]
    assert all(head.url and not head.sorted for head in heads), "neither way yet"
    for head in heads:
        again, way = head, "ascending"
        for _ in range(2):
            page = client.get(again.url)
            heading = re.search(rf'role="columnheader" aria-sort="(\w+)"><a href="([^"]*)">{head.label}', page.content.decode())
            assert heading and heading[1] == way, (head.label, way)
            assert page.context["list"].sort_label().startswith(page.context["list"].spec.sorts[page.context["list"].sort.lstrip("-")].label)
            again, way = lists.Heading(head.label, heading[2].replace("&amp;", "&")), "descending" if way == "ascending" else "ascending"


@pytest.mark.parametrize("code", CODES)
def test_a_view_keeps_filters_and_sort_and_no_words(city: World, code: str) -> None:
    client, url = at_screen(city, code)
    sort = next(iter(shown_to(city, code).spec.sorts), "")
    listed = client.get(f"{url}&kind=help" + (f"&sort=-{sort}" if sort else "")).context["list"]
    answer: Any = client.post(f"/desk/lists/{code}/view/", {"name": "我的", "query": listed.query()})
    assert answer.status_code == 302
    view = SavedView.objects.get()
    assert view.list_code == code and "kind=help" in view.query and "打桩" not in view.query + answer.url.replace(url, "")
    back = client.get(answer.url)
    assert back.status_code == 200 and back.context["list"].code == code
    used = back.context["list"].view_in_use()
    assert used is not None and not used.changed
    assert back.context["list"].filters.chosen == {"kind": ("help",)} and back.context["list"].sort == (f"-{sort}" if sort else "")


@pytest.mark.parametrize("code", CODES)
def test_it_is_exported_as_it_stands(city: World, code: str) -> None:
    client, url = at_screen(city, code)
    listed = client.get(f"{url}&kind=help").context["list"]
    ask = f"/desk/exports/new/{code}/?{listed.query()}"
    assert "类型：求助" in client.get(ask).content.decode()
    assert client.post(ask, {"reason": "周例会", "submission": str(uuid4())}).status_code == 302
    rows = written(Export.objects.get())
    expected = {listed.line(row).case.number for row in listed.rows()[0]}
    assert {row["编号"] for row in rows} == expected and {row["类型"] for row in rows} == {"求助"}
    entry = AuditEntry.objects.filter(code="console.exported").latest("pk")
    assert entry.detail["list"] == listed.spec.title and "类型：求助" in entry.detail["filters"]


def written(export: Export) -> list[dict[str, Any]]:
    export_actions.run_export(export.pk, at=timezone.now())
    export.refresh_from_db()
    assert export.state == ExportState.DONE, export.problem
    lines = CalamineWorkbook.from_filelike(io.BytesIO(export.path.read_bytes())).get_sheet_by_index(0).to_python()
    return [dict(zip(map(str, lines[0]), line, strict=False)) for line in lines[1:]]


# --- what is searched ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["林小满", "13800138000", "打桩"])
def test_what_was_searched_stays_out_of_views_and_records(city: World, typed: str) -> None:
    client = sign_in(Client(), city["dispatcher"])
    address = client.post("/cases/find/", {"q": typed})["Location"]
    page = client.get(f"{address}&kind=help")
    listed, count = page.context["list"], int(page.context["result"].counted)
    assert count > 1
    view = client.post("/desk/lists/found/view/", {"name": "求助", "query": listed.query()})
    assert [row.number for row in client.get(view["Location"]).context["page"]] == [row.number for row in page.context["page"]], (
        "the view narrows the same search"
    )
    answer = client.post(f"/desk/exports/new/found/?{listed.query()}", {"reason": "核对", "submission": str(uuid4())})
    assert answer.status_code == 302
    export = Export.objects.get()
    assert len(written(export)) == count
    with connection.cursor() as cursor:
        cursor.execute("SELECT query FROM console_export")
        stored = bytes(cursor.fetchone()[0])
    told = str(list(AuditEntry.objects.filter(subject_id=str(export.pk)).values())) + str(list(SavedView.objects.values()))
    assert typed not in told and typed.encode() not in stored
    assert ("按电话" if typed.isdigit() else "按 1 个词查找") in told and "类型：求助" in told


def test_a_search_that_is_no_longer_kept_exports_nothing(city: World) -> None:
    client = sign_in(Client(), city["dispatcher"])
    for query in ("", "kept=gone", "kept=gone&typed=林小满", "typed=林小满", "q=13800138000"):
        assert client.get(f"/desk/exports/new/found/?{query}").status_code == 422, query
        assert client.post(f"/desk/exports/new/found/?{query}", {"reason": "看", "submission": str(uuid4())}).status_code == 422
    assert not Export.objects.exists()


def test_a_view_of_searches_never_opens_one_by_itself(city: World) -> None:
    client = sign_in(Client(), city["dispatcher"])
    client.post("/desk/lists/found/view/", {"name": "求助", "query": "kind=help", "first": "1"})
    assert client.get("/cases/found/?q=打桩").status_code == 200
    assert "设为先用" not in client.get("/desk/views/").content.decode()


# --- nothing beside ------------------------------------------------------------------------------------------------


def test_every_page_with_rows_of_cases_is_one_of_these_lists(built: tuple[World, dict[str, Case]]) -> None:
    """Every address of the staff's side that is looked at at all (test_query_counts), each of its tabs once."""
    city, stages = built
    stages = stages | {"large": STAGES["large"](city)}
    alone = {screen.name for screen in BASELINE if not screen.of}
    seen = set()
    for screen in BASELINE:
        if screen.code or (screen.of and screen.name in alone):
            continue
        client, url = opened(city, stages, screen)
        answer: Any = client.get(url)
        if answer.streaming or b'<ol class="case-rows' not in answer.content:
            continue
        listed = answer.context.get("list")
        assert listed is not None and lists.by_code(listed.code) is not None, f"{screen} shows rows that nobody can filter"
        assert 'class="list-bar"' in answer.content.decode(), screen
        seen.add(listed.code)
    assert seen == set(CODES)


def test_publications_come_with_who_wrote_and_who_passed_them(city: World) -> None:
    client = sign_in(Client(), city["team_leader"])
    ask = "/desk/exports/new/publications/?tab=published"
    client.post(ask, {"reason": "月报", "submission": str(uuid4())})
    rows = {row["编号"]: row for row in written(Export.objects.get())}
    one = Publication.objects.filter(state="published").select_related("case")[0]
    row = rows[str(one.case.number)]
    assert (row["公开标题"], row["编辑人"], row["复核人"]) == (one.title, city["quality"].display_name, city["team_leader"].display_name)
