"""The rail of each role, where a day begins, the role in force, and the search box that keeps personal data out of URLs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.utils import timezone

import minsheng
from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.console import context, desks
from minsheng.ui import desks as registry

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_desks(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, desks.Desk]]:
    registered: dict[str, desks.Desk] = {}
    monkeypatch.setattr(registry, "_desks", registered)
    cache.clear()
    yield registered
    cache.clear()


def person(*roles: str, name: str = "chenxiao") -> User:
    return User(pk=7, username=name, display_name="陈晓", roles=list(roles))


def desk(code: str, *roles: str, count: int = 0, light: str = "none", calls: list[str] | None = None) -> desks.Desk:
    def counted(user: User, at: datetime) -> desks.Count:
        if calls is not None:
            calls.append(code)
        return count, light

    return desks.Desk(code=code, label=code, icon="inbox", roles=roles, url="console:home", count=counted)


def test_the_rail_has_only_the_desks_of_ones_roles_in_one_order() -> None:
    for made in (
        desk("own", Role.AGENT),
        desk("dispatch", Role.DISPATCHER),
        desk("intake", Role.AGENT, Role.TEAM_LEADER),
    ):
        desks.register(made)
    codes = lambda *roles: [item.code for item in context.rail(person(*roles), "/", timezone.now())]  # noqa: E731
    assert codes(Role.AGENT) == ["intake", "own"]
    cache.clear()
    assert codes(Role.DISPATCHER, Role.AGENT) == ["intake", "dispatch", "own"]
    cache.clear()
    assert codes(Role.AUDITOR) == [] and codes() == []


def test_a_code_is_registered_once() -> None:
    one = desk("dispatch", Role.DISPATCHER)
    desks.register(one)
    desks.register(one)  # `ready` may run twice
    with pytest.raises(ValueError, match="registered already"):
        desks.register(desk("dispatch", Role.AUDITOR))


def test_counts_are_asked_once_for_some_seconds_and_never_for_others_desks() -> None:
    calls: list[str] = []
    desks.register(desk("dispatch", Role.DISPATCHER, count=1200, light="red", calls=calls))
    desks.register(desk("audit", Role.AUDITOR, calls=calls))
    for _ in range(3):
        [item] = context.rail(person(Role.DISPATCHER), "/desk/x", timezone.now())
    assert calls == ["dispatch"]
    assert (item.shown, item.light, item.current) == ("999+", "red", True)


def test_the_role_in_force_is_one_of_ones_own() -> None:
    request = RequestFactory().get("/")
    request.user = person(Role.AUDITOR, Role.AGENT)
    request.session = {}  # type: ignore[assignment]
    assert desks.role_in_force(request) == Role.AGENT
    request.session[desks.SESSION_ROLE] = "auditor"
    assert desks.role_in_force(request) == Role.AUDITOR
    request.session[desks.SESSION_ROLE] = "system_admin"
    assert desks.role_in_force(request) == Role.AGENT


@pytest.fixture
def agent(client: Client) -> Client:
    client.force_login(User.objects.create_user("wangfang", display_name="王芳", roles=[Role.AGENT, Role.AUDITOR]))
    return client


def test_a_person_without_a_desk_is_told_whom_to_ask(agent: Client) -> None:
    page = agent.get("/desk/")
    assert page.status_code == 200 and "您还没有工作台" in page.text and "王芳" in page.text


def test_strangers_are_sent_to_sign_in(client: Client) -> None:
    assert client.get("/desk/").status_code == 302
    assert "/accounts/" in client.get("/desk/").headers["Location"]


def test_switching_the_role(agent: Client) -> None:
    assert agent.post("/desk/role/", {"role": "auditor"}).headers["Location"] == "/desk/"
    assert agent.session[desks.SESSION_ROLE] == "auditor"
    assert agent.post("/desk/role/", {"role": "dispatcher"}).status_code == 403
    assert agent.get("/desk/role/").status_code == 405


def test_a_desk_keeps_the_styles_of_what_it_extends() -> None:
    """A head of its own without `block.super` would leave the bar above its list as the browser draws it."""
    frames = {"console/list_detail.html", "console/board.html"}
    drawn = {path: path.read_text() for path in Path(minsheng.__file__).parent.glob("*/templates/**/*.html")}
    own = [text for text in drawn.values() if "{% block head %}" in text and any(f'{{% extends "{frame}" %}}' in text for frame in frames)]
    assert len(own) > 3
    assert [text[:120] for text in own if "{% block head %}{{ block.super }}" not in text] == []
