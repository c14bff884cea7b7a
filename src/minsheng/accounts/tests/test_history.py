"""Who changed whom: the history that the database's triggers keep of people names the administrator, whichever way they came."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.utils import timezone

from minsheng.accounts import actions, queries
from minsheng.accounts.choices import Role
from minsheng.accounts.models import User

pytestmark = pytest.mark.django_db
Person = Callable[..., User]


def events(user: User) -> Any:
    return apps.get_model("accounts", "UserEvent")._default_manager.filter(pgh_obj_id=user.pk)


def last_writer(user: User) -> Any:
    event = events(user).select_related("pgh_context").latest("pgh_id")
    return event.pgh_context.metadata.get("user") if event.pgh_context else None


@pytest.mark.parametrize(
    ("role", "form"),
    [
        (Role.SYSTEM_ADMIN, {"display_name": "林小梅", "staff_number": "A9"}),
        (Role.SECURITY_ADMIN, {"roles": ["dispatcher"], "unit": "", "why": "任命"}),
    ],
)
def test_an_edit_in_the_configuration_says_who_did_it(person: Person, settings: Any, role: Role, form: dict[str, Any]) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    admin, user, client = person(role), person(), Client()
    before = events(user).count()
    client.force_login(admin)
    answer = client.post(f"/admin/accounts/user/{user.pk}/change/", form)
    assert answer.status_code == 302 and answer["Location"].startswith("/admin/"), answer.headers
    assert events(user).count() == before + 1
    assert last_writer(user) == admin.pk


def test_a_new_person_and_a_stopped_one_too(person: Person) -> None:
    admin, now = person(Role.SYSTEM_ADMIN), timezone.now()
    made = actions.create_user(
        actor=admin, at=now, username="lin.xm", display_name="林小梅", staff_number="A9", password="Minjiang-1949!"
    )
    assert last_writer(made) == admin.pk
    other = person(Role.SYSTEM_ADMIN)
    actions.deactivate(actor=other, at=now, user=made)
    assert last_writer(made) == other.pk


def test_what_nobody_signed_in_did_names_nobody(person: Person) -> None:
    person(Role.AGENT)
    first = actions.create_first_administrator(
        at=timezone.now(), role=Role.AUDIT_ADMIN, username="shenji", display_name="审计", password="Minjiang-1949!"
    )
    assert last_writer(first) is None


def test_who_has_not_come_for_ninety_days(person: Person, settings: Any) -> None:
    now = timezone.now()
    old, fresh, bare, new = person(Role.AGENT), person(Role.AGENT), person(), person(Role.AGENT)
    stopped = person(Role.AGENT)
    long_ago = now - timedelta(days=91)
    User.objects.filter(pk__in=[old.pk, bare.pk, stopped.pk]).update(last_login=long_ago)
    User.objects.filter(pk=fresh.pk).update(last_login=now - timedelta(days=89), date_joined=long_ago)
    User.objects.filter(pk=new.pk).update(last_login=None, date_joined=now)
    User.objects.filter(pk=stopped.pk).update(is_active=False, deactivated_at=now)
    assert list(queries.unused(now)) == [old]
    settings.UNUSED_DAYS = 80
    assert set(queries.unused(now)) == {old, fresh}
