"""Every read of people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Exists, Max, OuterRef, QuerySet, Sum
from django.db.models.functions import Coalesce

from minsheng.accounts.choices import ADMIN_ROLES, UNIT_ROLES, Role
from minsheng.accounts.models import User
from minsheng.audit.models import AuditEntry
from minsheng.organisations.models import Unit


def active() -> QuerySet[User]:
    """People who may sign in."""
    return User.objects.filter(is_active=True)


def people_of(unit: Unit) -> QuerySet[User]:
    """A unit's own active people, by username; neither those of units below it nor the accounts of systems."""
    return active().filter(unit=unit, is_system=False)


def readers() -> QuerySet[User]:
    """Whoever can read what is dispatched to their unit: its people, and a system of its own that fetches by itself."""
    return active().filter(roles__overlap=sorted(str(role) for role in UNIT_ROLES), unit__isnull=False)


def unattended(units: Iterable[int]) -> set[int]:
    """Of these units, those where nobody could read a case. One query."""
    asked = set(units)
    return asked - set(readers().filter(unit__in=asked).values_list("unit_id", flat=True)) if asked else set()


def holders(role: str) -> QuerySet[User]:
    """Active people with this role."""
    return active().filter(roles__contains=[str(role)])


def leaders_of(unit: Unit) -> QuerySet[User]:
    """Who can sign off the unit's replies (承办领导)."""
    return people_of(unit).filter(roles__contains=[str(Role.UNIT_LEADER)])


def may_sign_off(user: User, unit: Unit) -> bool:
    """Whether this person signs off this unit's replies: its own leader, nobody else's (domain.md §5.1)."""
    return user.is_active and user.has_role(Role.UNIT_LEADER) and user.unit_id == unit.pk


def has_second_factor(user: User) -> bool:
    """Whether a TOTP device is registered."""
    return Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP).exists()


def administrators_without_second_factor() -> QuerySet[User]:
    """Active administrators with no TOTP device."""
    device = Authenticator.objects.filter(user_id=OuterRef("pk"), type=Authenticator.Type.TOTP)
    return active().filter(roles__overlap=sorted(str(r) for r in ADMIN_ROLES)).exclude(Exists(device))


# What changes who may do what: grants, moves between units, comings and goings.
ROLE_CHANGES = (
    "accounts.roles_granted",
    "accounts.unit_changed",
    "accounts.deactivated",
    "accounts.reactivated",
    "accounts.administrator_created",
)


@dataclass(frozen=True, slots=True)
class Lockout:
    """A name locked at one address; `user` is None where nobody has that name, which is then not told: people type passwords
    into the wrong field."""

    user: User | None
    address: str
    failures: int
    since: datetime
    until: datetime


def _locked(at: datetime) -> QuerySet[AccessAttempt, dict[str, Any]]:
    """As axes counts: failures of one name at one address within the cool-off."""
    recent = AccessAttempt.objects.filter(attempt_time__gte=at - get_cool_off())
    tried = recent.order_by().values("username", "ip_address")
    found: QuerySet[AccessAttempt, dict[str, Any]] = tried.annotate(
        failures=Sum("failures_since_start"), last=Max("attempt_time")
    ).filter(failures__gte=settings.AXES_FAILURE_LIMIT)
    return found


def locked_out_count(at: datetime) -> int:
    """How many locks of people there are; a name that nobody has can wait for itself. One query."""
    return _locked(at).filter(username__in=User.objects.values("username")).count()


def locked_out(at: datetime) -> list[Lockout]:
    """Who is locked out now, the latest first. Two queries."""
    rows = list(_locked(at).order_by("-last"))
    people = {user.username: user for user in User.objects.filter(username__in=[row["username"] for row in rows])}
    return [
        Lockout(
            user=people.get(row["username"]),
            address=row["ip_address"] or "",
            failures=row["failures"],
            since=row["last"],
            until=row["last"] + get_cool_off(),
        )
        for row in rows
    ]


def unused(at: datetime) -> QuerySet[User]:
    """Active people with a role who have not signed in for UNUSED_DAYS, by `last_seen` (who never did: since they were made)."""
    seen = active().exclude(roles=[]).annotate(last_seen=Coalesce("last_login", "date_joined"))
    return seen.filter(last_seen__lt=at - timedelta(days=settings.UNUSED_DAYS)).select_related("unit")


def role_changes() -> QuerySet[AuditEntry]:
    """Who was given what, by whom, as the audit log has it; keyset order is ("-at", "-id")."""
    return AuditEntry.objects.filter(code__in=ROLE_CHANGES)
