"""Every read of people."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, QuerySet

from minsheng.accounts.choices import ADMIN_ROLES, Role
from minsheng.accounts.models import User
from minsheng.organisations.models import Unit


def active() -> QuerySet[User]:
    """People who may sign in."""
    return User.objects.filter(is_active=True)


def people_of(unit: Unit) -> QuerySet[User]:
    """A unit's own active people, by username; not those of units below it."""
    return active().filter(unit=unit)


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
