"""Every write to people: making, granting, moving, stopping, passwords, unlocking. Each is audited in its own
transaction.

Who may do what is `rules.PERSON_ACTIONS` (三员分立: who makes a person cannot grant, who grants cannot make).
Nobody does any of it to themselves, except changing their own password.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import pghistory
from allauth.mfa.models import Authenticator
from axes.utils import reset as reset_failures
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from minsheng.accounts import rules
from minsheng.accounts.choices import ADMIN_ROLES, Role
from minsheng.accounts.models import PastPassword, User
from minsheng.audit.actions import record
from minsheng.errors import Refused
from minsheng.organisations.models import Unit

_P = ParamSpec("_P")
_R = TypeVar("_R")

_LABELS = {
    "create_user": "新建人员",
    "edit_person": "修改人员资料",
    "deactivate": "停用人员",
    "reactivate": "恢复人员",
    "grant_roles": "授予角色",
    "move_to_unit": "调整承办单位",
    "reset_password": "重设他人密码",
    "reset_second_factor": "解除他人两步验证",
    "unlock": "解除锁定",
}


def _atomic(action: Callable[_P, _R]) -> Callable[_P, _R]:
    """One transaction, in which the history that the database's triggers keep learns who acts and when."""

    @wraps(action)
    def acting(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        at: Any = kwargs["at"]
        with transaction.atomic(), pghistory.context(user=getattr(kwargs.get("actor"), "pk", None), at=at.isoformat()):
            return action(*args, **kwargs)

    return acting


def _require(actor: User, action: str, *, target: User | None = None) -> None:
    """Refuse an actor without the role, one who is stopped, and one who acts on themselves."""
    if not actor.is_active or not rules.may(actor.roles, action):
        raise Refused("forbidden", action=_LABELS[action])
    if target is not None and target.pk == actor.pk:
        raise Refused("invalid", message=f"不能对自己{_LABELS[action]}，请由另一位管理员办理。")


def _lock(user: User) -> User:
    """NO KEY: whoever writes a row that names this person, a timeline entry above all, does not wait for us."""
    return User.objects.select_for_update(no_key=True).get(pk=user.pk)


def _lock_with_administrators(actor: User, action: str, user: User) -> tuple[User, list[User]]:
    """Lock the person and every active administrator, in one order, and check the actor again as they stand now.

    So two administrators who stop each other at the same moment do not both succeed, nor wait for each other."""
    wanted = Q(pk=user.pk) | Q(is_active=True, roles__overlap=sorted(str(role) for role in ADMIN_ROLES))
    locked = {row.pk: row for row in User.objects.select_for_update(no_key=True).filter(wanted).order_by("pk")}
    if actor.pk not in locked:
        raise Refused("forbidden", action=_LABELS[action])
    _require(locked[actor.pk], action, target=user)
    return locked[user.pk], [row for row in locked.values() if row.is_active]


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Refused("invalid", message="".join(error.messages)) from error


def _check_roles(roles: Iterable[str], *, has_unit: bool) -> None:
    problem = rules.role_problem(list(roles), has_unit=has_unit)
    if problem:
        raise Refused("invalid", message=problem)


def _keep_an_administrator(user: User, after: Iterable[str], administrators: list[User]) -> None:
    """Each of the three administrators always has a holder: without one nobody could make the next."""
    for role in ADMIN_ROLES & set(user.roles) - set(after):
        if user.is_active and not [other for other in administrators if other.has_role(role) and other.pk != user.pk]:
            raise Refused("invalid", message=f"{user} 是唯一在用的{Role(role).label}，请先另设一位。")


def _ordered(roles: Iterable[str]) -> list[str]:
    """Once each, in the order of the enumeration, so that the same set is always stored alike."""
    wanted = set(roles)
    return [str(role) for role in Role if role in wanted] + sorted(wanted - {str(role) for role in Role})


def _store_password(user: User, password: str, at: datetime, *, must_change: bool) -> None:
    """Set the hash and remember it; only the last few are kept, for HistoryValidator."""
    user.set_password(password)
    user.password_changed_at = at
    user.must_change_password = must_change
    user.save(update_fields=["password", "password_changed_at", "must_change_password"])
    PastPassword.objects.create(user=user, encoded=user.password, at=at)
    kept = user.past_passwords.order_by("-at", "-pk").values("pk")[: settings.PASSWORD_HISTORY]
    user.past_passwords.exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()


def _new_person(*, at: datetime, username: str, display_name: str, password: str, **fields: Any) -> User:
    """Validated and saved, with a password that they change at their first sign-in."""
    username = username.strip().lower()
    user = User(username=username, display_name=display_name.strip(), date_joined=at, **fields)
    user.set_unusable_password()
    try:
        user.full_clean()
    except ValidationError as error:
        raise Refused("invalid", message="".join(error.messages)) from error
    _check_password(password, user)
    user.save()
    _store_password(user, password, at, must_change=True)
    return user


@_atomic
def create_user(
    *, actor: User, at: datetime, username: str, display_name: str, password: str, staff_number: str = ""
) -> User:
    """A new person without any role; they choose another password at their first sign-in."""
    _require(actor, "create_user")
    user = _new_person(
        at=at,
        username=username,
        display_name=display_name,
        password=password,
        staff_number=staff_number,
    )
    detail = {"username": user.username, "display_name": user.display_name, "staff_number": staff_number}
    record(actor=actor, at=at, code="accounts.user_created", subject=user, subject_label=str(user), detail=detail)
    return user


@_atomic
def create_first_administrator(*, at: datetime, role: Role, username: str, display_name: str, password: str) -> User:
    """One of production's first three administrators, made from the command line; refused once the role has a
    holder."""
    if role not in ADMIN_ROLES:
        raise Refused("invalid", message=f"{role.label}不是管理员角色。")
    if User.objects.filter(is_active=True, roles__contains=[str(role)]).exists():
        raise Refused("invalid", message=f"已有在用的{role.label}。请由系统管理员新建、安全管理员授权。")
    user = _new_person(at=at, username=username, display_name=display_name, password=password, roles=[str(role)])
    detail = {"username": user.username, "roles": user.roles}
    record(
        actor=None, at=at, code="accounts.administrator_created", subject=user, subject_label=str(user), detail=detail
    )
    return user


@_atomic
def ensure_demo_user(
    *,
    at: datetime,
    username: str,
    display_name: str,
    encoded: str,
    roles: list[str],
    unit: Unit | None,
    staff_number: str = "",
) -> User:
    """A demonstration login as its table says, made or put right again; only in a demonstration (MINSHENG_HOME/demo).

    `encoded` is the hash of the one password of all: hashing it for each would take a demonstration's start ten seconds.
    """
    if not settings.DEMO:
        raise Refused("invalid", message="这里不是演示环境，不能建立演示账号。")
    _check_roles(roles, has_unit=unit is not None)
    user = User.objects.select_for_update(no_key=True).filter(username=username).first()
    new = user is None
    user = user or User(username=username, is_demo=True, date_joined=at)
    if not user.is_demo:
        raise Refused("invalid", message=f"用户名 {username} 已被真实人员使用。")
    user.display_name, user.staff_number, user.roles, user.unit = display_name, staff_number, _ordered(roles), unit
    user.is_active, user.deactivated_at = True, None
    user.password, user.password_changed_at, user.must_change_password = encoded, at, False
    user.save()
    if new:
        detail = {"username": username, "roles": user.roles}
        record(
            actor=None, at=at, code="accounts.demo_user_created", subject=user, subject_label=str(user), detail=detail
        )
    return user


@_atomic
def edit_person(*, actor: User, at: datetime, user: User, display_name: str, staff_number: str) -> User:
    """Name and staff number; neither gives a right."""
    _require(actor, "edit_person")
    user = _lock(user)
    before = {"display_name": user.display_name, "staff_number": user.staff_number}
    user.display_name, user.staff_number = display_name.strip(), staff_number.strip()
    user.save(update_fields=["display_name", "staff_number"])
    after = {"display_name": user.display_name, "staff_number": user.staff_number}
    _record_change(actor, at, "accounts.person_edited", user, before, after)
    return user


@_atomic
def grant_roles(
    *, actor: User, at: datetime, user: User, roles: Iterable[str], unit: Unit | None = None, why: str = ""
) -> User:
    """Give a person exactly these roles, and the unit that units' roles need (design §6); an empty list takes all
    away."""
    _require(actor, "grant_roles", target=user)
    roles = _ordered(roles)
    _check_roles(roles, has_unit=unit is not None)
    user, administrators = _lock_with_administrators(actor, "grant_roles", user)
    _keep_an_administrator(user, roles, administrators)
    before = {"roles": user.roles, "unit": user.unit_id}
    user.roles, user.unit = roles, unit
    user.save(update_fields=["roles", "unit"])
    _record_change(actor, at, "accounts.roles_granted", user, before, {"roles": roles, "unit": user.unit_id}, why)
    return user


@_atomic
def move_to_unit(*, actor: User, at: datetime, user: User, unit: Unit, why: str = "") -> User:
    """A unit's person changes units and keeps their roles; what the old unit's tasks showed is closed to them at
    once."""
    _require(actor, "move_to_unit", target=user)
    user = _lock(user)
    _check_roles(user.roles, has_unit=True)
    before = {"unit": user.unit_id}
    user.unit = unit
    user.save(update_fields=["unit"])
    _record_change(actor, at, "accounts.unit_changed", user, before, {"unit": unit.pk}, why)
    return user


@_atomic
def deactivate(*, actor: User, at: datetime, user: User, why: str = "") -> User:
    """Nobody is deleted, for what they did stays theirs. Their sessions end with their next request."""
    _require(actor, "deactivate", target=user)
    user, administrators = _lock_with_administrators(actor, "deactivate", user)
    if not user.is_active:
        return user
    _keep_an_administrator(user, (), administrators)
    user.is_active, user.deactivated_at = False, at
    user.save(update_fields=["is_active", "deactivated_at"])
    _record_change(actor, at, "accounts.deactivated", user, {"is_active": True}, {"is_active": False}, why)
    return user


@_atomic
def reactivate(*, actor: User, at: datetime, user: User, why: str = "") -> User:
    """Back as they were, except that the roles are gone: the security administrator grants them anew (最小权限,
    §8.2)."""
    _require(actor, "reactivate", target=user)
    user = _lock(user)
    if user.is_active:
        return user
    before = {"is_active": False, "roles": user.roles, "unit": user.unit_id}
    user.is_active, user.deactivated_at, user.roles, user.unit = True, None, [], None
    user.save(update_fields=["is_active", "deactivated_at", "roles", "unit"])
    _record_change(actor, at, "accounts.reactivated", user, before, {"is_active": True, "roles": [], "unit": None}, why)
    return user


@_atomic
def set_password(*, actor: User, at: datetime, user: User, password: str) -> User:
    """One's own password, or another's by the security administrator: that one must be changed at the next sign-in."""
    own = actor.pk == user.pk
    if not own:
        _require(actor, "reset_password", target=user)
    user = _lock(user)
    _check_password(password, user)
    _store_password(user, password, at, must_change=not own)
    code = "accounts.password_changed" if own else "accounts.password_reset"
    record(actor=actor, at=at, code=code, subject=user, subject_label=str(user))
    return user


@_atomic
def unlock(*, actor: User, at: datetime, user: User) -> int:
    """Forget the failed sign-ins of a person; returns how many records there were."""
    _require(actor, "unlock")
    count = int(reset_failures(username=user.username))
    record(
        actor=actor, at=at, code="accounts.unlocked", subject=user, subject_label=str(user), detail={"failures": count}
    )
    return count


@_atomic
def reset_second_factor(*, actor: User, at: datetime, user: User, why: str = "") -> User:
    """A lost telephone: the person registers a new one at their next sign-in."""
    _require(actor, "reset_second_factor", target=user)
    user = _lock(user)
    count, _ = Authenticator.objects.filter(user_id=user.pk).delete()
    record(
        actor=actor,
        at=at,
        code="accounts.second_factor_reset",
        subject=user,
        subject_label=str(user),
        why=why,
        detail={"authenticators": count},
    )
    return user


def _record_change(
    actor: User, at: datetime, code: str, user: User, before: dict[str, Any], after: dict[str, Any], why: str = ""
) -> None:
    record(
        actor=actor,
        at=at,
        code=code,
        subject=user,
        subject_label=str(user),
        why=why,
        detail={"before": before, "after": after},
    )
