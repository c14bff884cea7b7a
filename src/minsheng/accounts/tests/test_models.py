"""What the database itself refuses, and what it remembers of a person's rights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.utils import timezone

from minsheng.accounts import rules
from minsheng.accounts.choices import ADMIN_ROLES, CENTRE_ROLES, UNIT_ROLES, Role
from minsheng.accounts.models import User
from minsheng.organisations.models import Unit

pytestmark = pytest.mark.django_db
PAIRS = [(a, b) for a in Role for b in Role if a <= b]


@pytest.mark.parametrize("with_unit", [False, True])
def test_database_and_rule_agree_on_every_pair_of_roles(
    person: Callable[..., User], unit: Unit, with_unit: bool
) -> None:
    user = person()
    for pair in PAIRS:
        roles = sorted({str(role) for role in pair})
        fine = not rules.role_problem(roles, has_unit=with_unit)
        try:
            with transaction.atomic():
                User.objects.filter(pk=user.pk).update(roles=roles, unit=unit if with_unit else None)
            accepted = True
        except IntegrityError:
            accepted = False
        assert accepted is fine, (roles, with_unit)


@pytest.mark.parametrize(
    "values",
    [
        {"roles": ["mayor"]},
        {"username": "Upper"},
        {"username": "林"},
        {"is_active": False},
        {"deactivated_at": timezone.now()},
    ],
)
def test_database_refuses(person: Callable[..., User], values: dict[str, Any]) -> None:
    user = person()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=user.pk).update(**values)


def test_there_is_no_superuser_and_staff_are_the_administrators(person: Callable[..., User]) -> None:
    with pytest.raises(ValueError, match="superuser"):
        User.objects.create_superuser("root", "x")
    for role in Role:
        user = person(role)
        assert user.is_superuser is False
        assert user.is_staff is (role in ADMIN_ROLES)
        assert (user.is_centre, user.is_unit) == (role in CENTRE_ROLES, role in UNIT_ROLES)


def test_changes_of_rights_are_remembered_by_trigger_and_passwords_are_not(person: Callable[..., User]) -> None:
    user = person(Role.AGENT)
    events = apps.get_model("accounts", "UserEvent").objects.filter(pgh_obj_id=user.pk)
    User.objects.filter(pk=user.pk).update(roles=["dispatcher"])
    User.objects.filter(pk=user.pk).update(password="x", last_login=timezone.now())
    assert list(events.order_by("pgh_id").values_list("pgh_label", "roles")) == [
        ("insert", ["agent"]),
        ("update", ["dispatcher"]),
    ]
    assert not {"password", "last_login"} & {field.name for field in events.model._meta.fields}
    with pytest.raises(Exception, match="Cannot"), transaction.atomic():
        events.update(roles=["agent"])
