"""What must hold before real people use it: `minsheng check --deploy` (domain.md §8.2: no default accounts, three
administrators)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError

from minsheng.accounts import queries
from minsheng.accounts.choices import ADMIN_ROLES, Role


@register(Tags.security, deploy=True)
def deployable_people(app_configs: Any = None, **_kwargs: Any) -> list[CheckMessage]:
    """No demonstration logins, each of the three administrators present, each with a second factor."""
    found: list[CheckMessage] = []
    if settings.DEMO:
        found.append(
            Error("This state folder is a demonstration's.", hint="Use another MINSHENG_HOME.", id="accounts.E001")
        )
    if not settings.SECOND_FACTOR_REQUIRED:
        found.append(
            Error("The administrators' second factor is switched off (MINSHENG_SECOND_FACTOR).", id="accounts.E002")
        )
    try:
        return found + _people()
    except DatabaseError as error:
        return [*found, Warning(f"People could not be checked: {error.__class__.__name__}.", id="accounts.W001")]


def _people() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    demo = list(queries.active().filter(is_demo=True).values_list("username", flat=True)[:5])
    if demo:
        found.append(Error(f"Demonstration logins are active: {', '.join(demo)}.", id="accounts.E003"))
    for role in Role:
        if role in ADMIN_ROLES and not queries.holders(role).exists():
            hint = f"minsheng manage create_admin {role.value} USERNAME"
            found.append(Error(f"There is no active {role.label} ({role.value}).", hint=hint, id="accounts.E004"))
    for user in queries.administrators_without_second_factor():
        hint = "They register it at their first sign-in."
        found.append(Error(f"Administrator {user.username} has no second factor yet.", hint=hint, id="accounts.E005"))
    return found
