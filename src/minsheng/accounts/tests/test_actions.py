"""Who may do what to whom, and that each is audited."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from minsheng.accounts import actions, queries, rules
from minsheng.accounts.choices import ADMIN_ROLES, Role
from minsheng.accounts.models import User
from minsheng.accounts.tests.conftest import PASSWORD
from minsheng.audit.models import AuditEntry
from minsheng.errors import Refused
from minsheng.organisations.models import Unit

pytestmark = pytest.mark.django_db
Person = Callable[..., User]
NOW = timezone.now()
NEW = "Minjiang-1949!"

CALLS: dict[str, Callable[[User, User, Unit], Any]] = {
    "create_user": lambda actor, other, unit: actions.create_user(
        actor=actor, at=NOW, username="newcomer", display_name="新人", password=NEW
    ),
    "edit_person": lambda actor, other, unit: actions.edit_person(
        actor=actor, at=NOW, user=other, display_name="改名", staff_number="9"
    ),
    "deactivate": lambda actor, other, unit: actions.deactivate(actor=actor, at=NOW, user=other),
    "reactivate": lambda actor, other, unit: actions.reactivate(actor=actor, at=NOW, user=other),
    "grant_roles": lambda actor, other, unit: actions.grant_roles(
        actor=actor, at=NOW, user=other, roles=[Role.AUDITOR]
    ),
    "move_to_unit": lambda actor, other, unit: actions.move_to_unit(actor=actor, at=NOW, user=other, unit=unit),
    "reset_password": lambda actor, other, unit: actions.set_password(actor=actor, at=NOW, user=other, password=NEW),
    "reset_second_factor": lambda actor, other, unit: actions.reset_second_factor(actor=actor, at=NOW, user=other),
    "unlock": lambda actor, other, unit: actions.unlock(actor=actor, at=NOW, user=other),
}


def test_every_action_on_people_is_in_the_matrix() -> None:
    assert set(CALLS) == set(rules.PERSON_ACTIONS)


@pytest.mark.parametrize("action", CALLS)
@pytest.mark.parametrize("role", Role)
def test_role_by_action(person: Person, unit: Unit, role: Role, action: str) -> None:
    actor, other = person(role), person(Role.UNIT_LIAISON)
    if action == "reactivate":
        User.objects.filter(pk=other.pk).update(is_active=False, deactivated_at=NOW)
    before = AuditEntry.objects.count()
    if rules.PERSON_ACTIONS[action] == role:
        CALLS[action](actor, other, unit)
        entry = AuditEntry.objects.latest("id")
        assert (AuditEntry.objects.count(), entry.actor_id, entry.at) == (before + 1, actor.pk, NOW)
        assert entry.code.startswith("accounts.")
    else:
        with pytest.raises(Refused) as refused:
            CALLS[action](actor, other, unit)
        assert refused.value.code == "forbidden"
        assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("action", sorted(set(CALLS) - {"create_user", "edit_person", "unlock", "reset_password"}))
def test_nobody_does_it_to_themselves(person: Person, unit: Unit, action: str) -> None:
    actor = person(rules.PERSON_ACTIONS[action])
    with pytest.raises(Refused) as refused:
        CALLS[action](actor, actor, unit)
    assert "自己" in refused.value.sentence


def test_a_stopped_administrator_does_nothing(person: Person) -> None:
    actor = person(Role.SYSTEM_ADMIN, is_active=False, deactivated_at=NOW)
    with pytest.raises(Refused):
        actions.create_user(actor=actor, at=NOW, username="newcomer", display_name="新人", password=NEW)


def test_a_new_person_has_no_role_and_must_change_the_password(person: Person) -> None:
    user = actions.create_user(
        actor=person(Role.SYSTEM_ADMIN), at=NOW, username=" Lin.XM ", display_name="林小梅", password=NEW
    )
    assert (user.username, user.roles, user.unit, user.is_demo) == ("lin.xm", [], None, False)
    assert user.password_due(NOW)


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("林小梅", NEW),
        ("x", NEW),
        ("newcomer", "Short-1!"),
        ("newcomer", "minjiang-1949!"),
        ("newcomer", "Newcomer-1!"),
        ("taken", NEW),
    ],
)
def test_create_user_refuses_with_a_sentence(person: Person, username: str, password: str) -> None:
    actor = person(Role.SYSTEM_ADMIN)
    person(username="taken")
    with pytest.raises(Refused) as refused:
        actions.create_user(actor=actor, at=NOW, username=username, display_name="新人", password=password)
    assert refused.value.status == 422
    assert refused.value.sentence


def test_granting_sets_roles_and_unit_together_and_says_before_and_after(person: Person, unit: Unit) -> None:
    actor, user = person(Role.SECURITY_ADMIN), person(Role.AGENT)
    given = [Role.UNIT_LEADER, Role.UNIT_LIAISON, Role.UNIT_LEADER]
    granted = actions.grant_roles(actor=actor, at=NOW, user=user, roles=given, unit=unit, why="调岗")
    assert (granted.roles, granted.unit) == (["unit_liaison", "unit_leader"], unit)
    entry = AuditEntry.objects.latest("id")
    assert entry.why == "调岗"
    assert entry.detail["before"]["roles"] == ["agent"]
    assert entry.detail["after"] == {"roles": ["unit_liaison", "unit_leader"], "unit": unit.pk}


@pytest.mark.parametrize("roles", [["system_admin", "agent"], ["unit_liaison"], ["mayor"], sorted(ADMIN_ROLES)])
def test_granting_refuses_what_does_not_go_together(person: Person, roles: list[str]) -> None:
    with pytest.raises(Refused) as refused:
        actions.grant_roles(actor=person(Role.SECURITY_ADMIN), at=NOW, user=person(), roles=roles)
    assert refused.value.code == "invalid"


def test_the_last_administrator_of_a_kind_stays(person: Person) -> None:
    system, security, audit = person(Role.SYSTEM_ADMIN), person(Role.SECURITY_ADMIN), person(Role.AUDIT_ADMIN)
    with pytest.raises(Refused, match="唯一"):
        actions.deactivate(actor=system, at=NOW, user=audit)
    with pytest.raises(Refused, match="唯一"):
        actions.grant_roles(actor=security, at=NOW, user=system, roles=[])
    person(Role.AUDIT_ADMIN)
    assert not actions.deactivate(actor=system, at=NOW, user=audit).is_active


def test_who_comes_back_comes_back_without_roles(person: Person) -> None:
    actor, user = person(Role.SYSTEM_ADMIN), person(Role.UNIT_LEADER)
    stopped = actions.deactivate(actor=actor, at=NOW, user=user, why="离职")
    assert stopped.deactivated_at == NOW
    back = actions.reactivate(actor=actor, at=NOW, user=stopped)
    assert (back.is_active, back.roles, back.unit, back.deactivated_at) == (True, [], None, None)


def test_ones_own_password_changes_without_any_role_and_the_last_five_are_refused(person: Person) -> None:
    user = person()
    used = [f"Minjiang-195{number}!" for number in range(6)]
    for number, password in enumerate(used):
        user = actions.set_password(actor=user, at=NOW + timedelta(days=number), user=user, password=password)
    assert not user.must_change_password
    assert user.past_passwords.count() == 5
    for password in used[1:]:
        with pytest.raises(Refused, match="最近"):
            actions.set_password(actor=user, at=NOW + timedelta(days=7), user=user, password=password)
    assert actions.set_password(actor=user, at=NOW + timedelta(days=7), user=user, password=used[0])


def test_a_password_given_by_another_must_be_changed(person: Person) -> None:
    user = actions.set_password(actor=person(Role.SECURITY_ADMIN), at=NOW, user=person(), password=NEW)
    assert user.password_due(NOW)
    assert user.check_password(NEW)


def test_only_the_units_own_leader_signs_off(person: Person, unit: Unit) -> None:
    other = Unit.objects.create(code="T-2", name="别的单位", short_name="别", kind="bureau")
    leader, liaison = person(Role.UNIT_LEADER), person(Role.UNIT_LIAISON)
    assert queries.may_sign_off(leader, unit)
    assert not queries.may_sign_off(leader, other)
    assert not queries.may_sign_off(liaison, unit)
    assert list(queries.leaders_of(unit)) == [leader]
    assert set(queries.people_of(unit)) == {leader, liaison}
    assert list(queries.holders(Role.UNIT_LIAISON)) == [liaison]


def test_a_system_is_no_person_of_its_unit_but_reads_for_it(person: Person, unit: Unit) -> None:
    leader = person(Role.UNIT_LEADER)
    User.objects.filter(pk=leader.pk).update(is_system=True)
    assert not queries.people_of(unit).exists() and not queries.leaders_of(unit).exists()
    assert queries.unattended([unit.pk]) == set()
    User.objects.filter(pk=leader.pk).update(is_active=False, deactivated_at=NOW)
    assert queries.unattended([unit.pk]) == {unit.pk}


def test_first_administrators_once_for_each_role(db: None) -> None:
    made = actions.create_first_administrator(
        at=NOW, role=Role.SYSTEM_ADMIN, username="zhou", display_name="周", password=PASSWORD
    )
    assert made.roles == ["system_admin"]
    assert made.password_due(NOW)
    for role, username in ((Role.SYSTEM_ADMIN, "wu"), (Role.AGENT, "zheng")):
        with pytest.raises(Refused):
            actions.create_first_administrator(
                at=NOW, role=role, username=username, display_name="x", password=PASSWORD
            )


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_stop_each_other_at_once_do_not_both_succeed(person: Person) -> None:
    one, two = person(Role.SYSTEM_ADMIN), person(Role.SYSTEM_ADMIN)
    ready = Barrier(2)

    def stop(actor: User, other: User) -> str:
        ready.wait(timeout=10)
        try:
            actions.deactivate(actor=actor, at=NOW, user=other)
        except Refused as refused:
            return refused.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(2) as pool:
        results = [future.result(timeout=20) for future in [pool.submit(stop, one, two), pool.submit(stop, two, one)]]
    assert sorted(results) == ["done", "forbidden"]
    assert queries.holders(Role.SYSTEM_ADMIN).count() == 1
