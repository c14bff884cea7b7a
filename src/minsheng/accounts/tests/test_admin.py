"""The configuration screens: who enters, and what each of the three may do to people there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from minsheng.accounts import permissions
from minsheng.accounts.choices import ADMIN_ROLES, Role
from minsheng.accounts.models import User
from minsheng.audit.models import AuditEntry
from minsheng.organisations.models import Unit

pytestmark = pytest.mark.django_db
Person = Callable[..., User]


@pytest.fixture
def enter(person: Person, settings: Any) -> Callable[[Role], Client]:
    settings.SECOND_FACTOR_REQUIRED = False

    def signed_in(role: Role) -> Client:
        client = Client()
        client.force_login(person(role))
        return client

    return signed_in


@pytest.mark.parametrize("role", Role)
def test_only_the_three_administrators_enter(enter: Callable[[Role], Client], role: Role) -> None:
    status = enter(role).get("/admin/", follow=True).status_code
    assert status == (200 if role in ADMIN_ROLES else 403)


def test_the_admins_own_sign_in_and_password_pages_are_ours(client: Client, enter: Callable[[Role], Client]) -> None:
    assert client.get("/admin/login/")["Location"].startswith("/accounts/login/")
    assert client.post("/admin/login/", {"username": "a", "password": "b"})["Location"].startswith("/accounts/login/")
    assert enter(Role.SYSTEM_ADMIN).get("/admin/password_change/")["Location"] == "/accounts/password/"


def test_only_the_configuration_screens_may_evaluate_scripts(enter: Callable[[Role], Client]) -> None:
    client = enter(Role.SYSTEM_ADMIN)
    policy = "Content-Security-Policy"
    assert "unsafe-eval" in client.get("/admin/accounts/user/")[policy]
    assert "unsafe-eval" not in client.get("/accounts/password/")[policy]


@pytest.mark.parametrize(
    ("role", "listed", "added"),
    [(Role.SYSTEM_ADMIN, 200, 200), (Role.SECURITY_ADMIN, 200, 403), (Role.AUDIT_ADMIN, 403, 403)],
)
def test_who_sees_and_makes_people(enter: Callable[[Role], Client], role: Role, listed: int, added: int) -> None:
    client = enter(role)
    assert client.get("/admin/accounts/user/").status_code == listed
    assert client.get("/admin/accounts/user/add/").status_code == added


def test_every_screen_that_a_room_registers_has_its_administrator() -> None:
    ours = [model for model in admin.site._registry if model.__module__.startswith("minsheng.")]
    assert User in ours
    for model in ours:
        permission = f"{model._meta.app_label}.view_{model._meta.model_name}"
        assert [role for role in ADMIN_ROLES if permissions.allows([role], permission)], permission
        assert not any(permissions.allows([role], permission) for role in set(Role) - ADMIN_ROLES), permission


@pytest.mark.parametrize("path", ["auth/group/", "mfa/authenticator/", "axes/accessattempt/", "account/emailaddress/"])
def test_nothing_else_is_configured_by_hand(enter: Callable[[Role], Client], path: str) -> None:
    for role in ADMIN_ROLES:
        assert enter(role).get(f"/admin/{path}").status_code in (403, 404)


def test_the_system_administrator_makes_and_stops_and_cannot_grant(enter: Callable[[Role], Client]) -> None:
    client = enter(Role.SYSTEM_ADMIN)
    new = {"username": "Lin.XM", "display_name": "林小梅", "staff_number": "A9", "password": "Minjiang-1949!"}
    assert client.post("/admin/accounts/user/add/", new).status_code == 302
    user = User.objects.get(username="lin.xm")
    assert user.must_change_password
    change = f"/admin/accounts/user/{user.pk}/change/"
    client.post(change, {"display_name": "林梅", "staff_number": "A9", "roles": ["dispatcher"], "is_active": ""})
    user.refresh_from_db()
    assert (user.display_name, user.roles, user.is_active) == ("林梅", [], True)
    client.post("/admin/accounts/user/", {"action": "unlock", "_selected_action": [user.pk]})
    client.post("/admin/accounts/user/", {"action": "stop", "_selected_action": [user.pk]})
    user.refresh_from_db()
    assert not user.is_active
    assert client.post(f"/admin/accounts/user/{user.pk}/delete/").status_code == 403


def test_the_security_administrator_grants_and_cannot_stop(
    enter: Callable[[Role], Client], person: Person, unit: Unit
) -> None:
    client, user = enter(Role.SECURITY_ADMIN), person()
    change = f"/admin/accounts/user/{user.pk}/change/"
    assert client.get(change).status_code == 200
    bad = client.post(change, {"roles": ["unit_leader"], "unit": "", "why": "任命"})
    assert "须先选定承办单位" in bad.content.decode()
    assert client.post(change, {"roles": ["unit_leader"], "unit": unit.pk, "why": "任命"}).status_code == 302
    same = {"roles": ["unit_leader"], "unit": unit.pk, "why": "忘记密码", "password": "Minjiang-1949!"}
    assert client.post(change, same).status_code == 302
    assert list(AuditEntry.objects.order_by("id").values_list("code", flat=True))[-2:] == [
        "accounts.roles_granted",
        "accounts.password_reset",
    ]
    client.post("/admin/accounts/user/", {"action": "stop", "_selected_action": [user.pk]})
    user.refresh_from_db()
    assert user.check_password("Minjiang-1949!")
    assert (user.roles, user.unit, user.is_active) == (["unit_leader"], unit, True)
