"""Views and columns that a person keeps for a list: whose they are, what they hold, which opens first."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client

from minsheng.accounts.testing import sign_in
from minsheng.cases.tests.world import World, build
from minsheng.console.models import ListSetting, SavedView

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    cache.clear()
    return build()


def keep(client: Client, code: str = "all", query: str = "kind=help&sort=-due", **more: Any) -> Any:
    return client.post(f"/desk/lists/{code}/view/", {"name": "我的", "query": query, **more})


def test_a_view_brings_back_filters_sort_and_columns(client: Client, world: World) -> None:
    case, _ = world.submitted(kind="help"), world.submitted()
    sign_in(client, world["auditor"])
    client.post("/desk/lists/all/columns/", {"column": ["received", "applicant"], "back": "/cases/"})
    answer = keep(client, query="kind=help&sort=-due&nonsense=1&q=林小满&page=x")
    view = SavedView.objects.get()
    assert view.query == "kind=help&sort=-due", "only what means something, and no words that may name somebody"
    assert view.columns == ["received", "applicant"]
    page = client.get(answer.url)
    assert [row.number for row in page.context["page"]] == [case.number]
    assert [cell.label for cell in page.context["page"].rows[0].cells] == ["收件时间", "诉求人"]
    assert page.context["list"].view_in_use().name == "我的"
    assert not page.context["list"].view_in_use().changed
    assert client.get(answer.url + "&channel=phone").context["list"].view_in_use().changed


def test_the_first_view_opens_by_itself_and_can_be_left(client: Client, world: World) -> None:
    sign_in(client, world["auditor"])
    keep(client, first="1")
    view = SavedView.objects.get()
    opened: Any = client.get("/cases/")
    assert opened.status_code == 302
    assert parse_qs(urlsplit(opened.url).query) == {"view": [str(view.pk)], "kind": ["help"], "sort": ["-due"]}
    for other in ("/cases/?view=0", "/cases/?kind=report", f"/cases/?view={view.pk}&kind=help"):
        assert client.get(other).status_code == 200
    client.post(f"/desk/views/{view.pk}/", {"step": "not_first"})
    assert client.get("/cases/").status_code == 200
    client.post(f"/desk/views/{view.pk}/", {"step": "first"})
    client.post(f"/desk/views/{view.pk}/", {"step": "delete"})
    assert not SavedView.objects.exists()
    assert client.get("/cases/").status_code == 200


def test_saving_under_the_same_name_replaces(client: Client, world: World) -> None:
    sign_in(client, world["auditor"])
    keep(client)
    keep(client, query="kind=report")
    assert SavedView.objects.get().query == "kind=report"


def test_nobody_changes_anothers_view(client: Client, world: World) -> None:
    sign_in(client, world["auditor"])
    keep(client)
    view = SavedView.objects.get()
    other = sign_in(Client(), world["dispatcher"])
    for step in ("delete", "first", "name"):
        assert other.post(f"/desk/views/{view.pk}/", {"step": step, "name": "夺"}).status_code == 404
    assert "我的" not in other.get("/desk/views/").content.decode().split("<main")[1].replace("我的视图", "")
    other.post("/desk/lists/all/columns/", {"column": ["round"], "view": str(view.pk)})
    assert SavedView.objects.get().columns == []
    assert other.get(f"/cases/?view={view.pk}").context["list"].view_in_use() is None


@pytest.mark.parametrize(
    ("owner", "role", "offered", "not_offered"),
    [
        ("team_leader", "dispatcher", "dispatcher", "auditor"),
        ("城管领导", "unit_liaison", "城管联络", "环境联络"),
        ("supervisor", "unit_liaison", None, "城管联络"),
        ("agent", "agent", None, "dispatcher"),
    ],
)
def test_leaders_share_with_a_role_of_their_own_side(
    world: World, owner: str, role: str, offered: str | None, not_offered: str
) -> None:
    leader = sign_in(Client(), world[owner])
    keep(leader)
    view = SavedView.objects.get()
    answer = leader.post(f"/desk/views/{view.pk}/", {"step": "name", "name": "我的", "shared_role": role})
    assert answer.status_code == (302 if offered else 403)
    for person, there in ((offered, True), (not_offered, False)):
        if person:
            page = sign_in(Client(), world[person]).get("/cases/").context["list"]
            assert [each.name for each in page.views()] == (["我的"] if there else [])


def test_no_more_than_the_set_number(client: Client, world: World, settings: Any) -> None:
    settings.LISTS = settings.LISTS | {"views_per_person": 2}
    sign_in(client, world["auditor"])
    answers = [keep(client, name=f"第{number}个") for number in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 422]
    assert "最多保存 2 个" in answers[2].content.decode()
    assert keep(client, name="第0个", query="").status_code == 302, "replacing is not one more"


@pytest.mark.parametrize("name", ["", "　 ", "长" * 21])
def test_a_view_needs_a_short_name(client: Client, world: World, name: str) -> None:
    sign_in(client, world["auditor"])
    assert keep(client, name=name).status_code == 422
    assert not SavedView.objects.exists()


def test_columns_are_at_most_four_and_known(client: Client, world: World) -> None:
    sign_in(client, world["auditor"])
    answer: Any = client.post("/desk/lists/all/columns/", {"column": ["received", "channel", "round", "reads", "agent"]})
    assert answer.status_code == 422
    answer = client.post("/desk/lists/all/columns/", {"column": ["received", "phone"], "back": "https://evil.example/"})
    assert answer.url == "/cases/"
    assert ListSetting.objects.get().columns == ["received"]


def test_units_do_not_see_who_took_the_call(client: Client, world: World) -> None:
    world.handling()
    sign_in(client, world["城管联络"])
    client.post("/desk/lists/handling/columns/", {"column": ["agent", "dispatcher", "applicant", "reads"]})
    page = client.get("/cases/handling/?tab=work")
    cells = {cell.label: cell.text for cell in page.context["page"].rows[0].cells}
    assert set(cells) == {"诉求人", "查阅"}
    assert cells["诉求人"] == "林** 138****8000"


def test_a_confidential_case_has_no_person_in_any_column(client: Client, world: World) -> None:
    case = world.handling(confidential=True)
    sign_in(client, world["城管联络"])
    client.post("/desk/lists/handling/columns/", {"column": ["applicant"]})
    row = client.get("/cases/handling/?tab=work").context["page"].rows[0]
    assert (row.number, row.cells[0].text) == (case.number, "不显示")
    analyst = sign_in(Client(), world["analyst"])
    world.handling()
    analyst.post("/desk/lists/all/columns/", {"column": ["applicant"]})
    assert {row.cells[0].text for row in analyst.get("/cases/").context["page"]} == {"不显示"}


def test_an_unknown_list_is_not_found(client: Client, world: World) -> None:
    sign_in(client, world["auditor"])
    assert keep(client, code="nothing").status_code == 404
    assert client.get("/desk/exports/new/nothing/").status_code == 404
