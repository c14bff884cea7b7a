"""Demonstration logins exist in a demonstration only; production gets its administrators from the command line."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from minsheng.accounts import checks, demo
from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.organisations.choices import UnitKind
from minsheng.organisations.models import Unit
from minsheng.organisations.reference import load_places, load_units

pytestmark = pytest.mark.django_db


@pytest.fixture
def demonstration(settings: Any, db: None) -> None:
    settings.DEMO = True
    for code in {person.unit for person in demo.people() if person.unit}:
        Unit.objects.create(code=code, name=code, short_name=code, kind=UnitKind.BUREAU)


def call(*args: str) -> str:
    out = StringIO()
    call_command(*args, stdout=out)
    return out.getvalue()


def test_refused_outside_a_demonstration(db: None) -> None:
    with pytest.raises(CommandError, match="不是演示环境"):
        call("demo_logins")
    assert not User.objects.exists()


def test_refused_with_the_names_of_the_units_that_are_missing(settings: Any, db: None) -> None:
    settings.DEMO = True
    with pytest.raises(CommandError, match="350104-CGJ"):
        call("demo_logins")


def test_one_login_for_each_role_and_twice_the_same(demonstration: None) -> None:
    table = call("demo_logins", "--print")
    assert call("demo_logins", "--print") == table
    assert {role for user in User.objects.all() for role in user.roles} == {str(role) for role in Role}
    assert all(user.check_password(demo.PASSWORD) and user.is_demo for user in User.objects.all())
    assert User.objects.filter(roles__contains=["dispatcher"]).count() >= 2
    assert User.objects.filter(roles__contains=["auditor"]).count() >= 2
    for role in Role:
        assert str(role.label) in table


def test_a_demonstration_administrator_signs_in_with_the_printed_code(demonstration: None, client: Client) -> None:
    call("demo_logins")
    answer = client.post("/accounts/login/", {"login": "sysadmin", "password": demo.PASSWORD})
    assert "/2fa/authenticate/" in answer["Location"]
    client.post("/accounts/2fa/authenticate/", {"code": call("totp", "sysadmin").strip()})
    assert client.get("/admin/").status_code == 200


def test_elsewhere_nobody_signs_in_with_a_demonstration_login(
    demonstration: None, client: Client, settings: Any
) -> None:
    call("demo_logins")
    fields = {"login": "agent", "password": demo.PASSWORD}
    assert client.post("/accounts/login/", fields).status_code == 302
    assert client.get("/inside/").status_code == 200
    settings.DEMO = False
    assert client.get("/inside/").status_code == 302
    assert client.post("/accounts/login/", fields).status_code == 200


def test_started_again_it_leaves_people_signed_in(demonstration: None, client: Client) -> None:
    call("demo_logins")
    client.post("/accounts/login/", {"login": "agent", "password": demo.PASSWORD})
    call("demo_logins")
    assert client.get("/inside/").status_code == 200


def test_codes_of_real_people_are_not_printed(demonstration: None, person: Callable[..., User]) -> None:
    for username in (person(Role.SYSTEM_ADMIN).username, "nobody"):
        with pytest.raises(CommandError):
            call("totp", username)


def test_a_real_person_is_never_taken_over(demonstration: None, person: Callable[..., User]) -> None:
    person(username="agent")
    with pytest.raises(CommandError, match="真实人员"):
        call("demo_logins")


def test_first_administrators_by_command(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setenv("MINSHENG_ADMIN_PASSWORD", "Minjiang-1949!")
    assert "系统管理员" in call("create_admin", "system_admin", "zhou", "--name", "周")
    with pytest.raises(CommandError, match="已有在用的"):
        call("create_admin", "system_admin", "wu")


def test_deploy_check(settings: Any, demonstration: None) -> None:
    call("demo_logins")
    assert {m.id for m in checks.deployable_people()} == {"accounts.E001", "accounts.E003"}
    User.objects.update(is_active=False, deactivated_at=timezone.now())
    settings.DEMO = False
    assert [m.id for m in checks.deployable_people()] == ["accounts.E004"] * 3


def test_deploy_check_wants_a_second_factor(person: Callable[..., User]) -> None:
    for role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN):
        person(role)
    assert [m.id for m in checks.deployable_people()] == ["accounts.E005"] * 3


def test_every_unit_of_the_table_is_in_the_reference_data(settings: Any, db: None) -> None:
    load_places(actor=None, at=timezone.now())
    load_units(actor=None, at=timezone.now())
    settings.DEMO = True
    assert "对湖街道" in call("demo_logins", "--print")
