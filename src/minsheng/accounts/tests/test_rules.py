"""Roles that may go together, who may do what, and what a password must be."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minsheng.accounts import permissions, rules
from minsheng.accounts.choices import ADMIN_ROLES, CENTRE_ROLES, UNIT_ROLES, Role

roles = st.sets(st.sampled_from(sorted(Role)))


@given(roles, st.booleans())
def test_accepted_roles_are_one_administrator_or_centre_or_unit(held: set[Role], has_unit: bool) -> None:
    if rules.role_problem(held, has_unit=has_unit):
        return
    assert not held & ADMIN_ROLES or len(held) == 1
    assert not (held & UNIT_ROLES and held & CENTRE_ROLES)
    assert bool(held & UNIT_ROLES) == has_unit or not held


@pytest.mark.parametrize(
    ("held", "has_unit", "accepted"),
    [
        ([], False, True),
        ([], True, True),
        ([Role.AGENT, Role.TEAM_LEADER], False, True),
        ([Role.DISPATCHER, Role.AUDITOR], False, True),
        ([Role.UNIT_LIAISON, Role.UNIT_LEADER], True, True),
        ([Role.UNIT_LIAISON], False, False),
        ([Role.UNIT_LIAISON, Role.AGENT], True, False),
        ([Role.AGENT], True, False),
        ([Role.SYSTEM_ADMIN], False, True),
        ([Role.SYSTEM_ADMIN], True, False),
        ([Role.SYSTEM_ADMIN, Role.AUDIT_ADMIN], False, False),
        ([Role.SECURITY_ADMIN, Role.AGENT], False, False),
        (["mayor"], False, False),
    ],
)
def test_role_problem(held: list[str], has_unit: bool, accepted: bool) -> None:
    assert bool(rules.role_problem(held, has_unit=has_unit)) is not accepted


def test_nobody_who_makes_people_grants_and_the_audit_administrator_does_neither() -> None:
    for action, role in rules.PERSON_ACTIONS.items():
        assert [r for r in Role if rules.may([r], action)] == [role]
    assert rules.PERSON_ACTIONS["create_user"] != rules.PERSON_ACTIONS["grant_roles"]
    assert Role.AUDIT_ADMIN not in rules.PERSON_ACTIONS.values()


@pytest.mark.parametrize(
    ("password", "classes"),
    [("abc", 1), ("aB", 2), ("aB1", 3), ("aB1!", 4), ("民声", 1), ("Minsheng-2026!", 4), ("", 0)],
)
def test_password_classes(password: str, classes: int) -> None:
    assert rules.password_classes(password) == classes


def test_password_is_due_on_its_ninetieth_day() -> None:
    changed = datetime(2026, 1, 1, tzinfo=UTC)
    assert not rules.password_due(changed, changed + timedelta(days=90, seconds=-1))
    assert rules.password_due(changed, changed + timedelta(days=90))
    assert not rules.password_due(changed, changed + timedelta(days=9000), days=0)


@pytest.mark.parametrize(
    ("name", "good"),
    [("lin.xm", True), ("a1", True), ("a", False), ("Lin", False), ("-a", False), ("林小梅", False), ("a b", False)],
)
def test_usernames(name: str, good: bool) -> None:
    assert bool(re.match(rules.USERNAME_PATTERN, name)) is good


@pytest.mark.parametrize(
    ("permission", "allowed"),
    [
        ("worktime.change_calendarday", {Role.SYSTEM_ADMIN}),
        ("cases.change_topic", {Role.SYSTEM_ADMIN}),
        ("organisations.add_unit", {Role.SYSTEM_ADMIN}),
        ("organisations.delete_unit", set()),
        ("accounts.add_user", {Role.SYSTEM_ADMIN}),
        ("accounts.change_user", {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN}),
        ("accounts.delete_user", set()),
        ("audit.view_auditentry", {Role.AUDIT_ADMIN}),
        ("audit.change_auditentry", set()),
        ("cases.view_case", set()),
        ("cases.view_contact", set()),
        ("mfa.view_authenticator", set()),
        ("axes.view_accessattempt", set()),
    ],
)
def test_permissions_by_role(permission: str, allowed: set[Role]) -> None:
    assert {role for role in Role if permissions.allows([role], permission)} == allowed
