"""
The rail's desks. A room registers its own in `AppConfig.ready`, so that the shell knows none of them by name:

    desks.register(Desk(code="dispatch", label="批转", icon="route", roles={Role.DISPATCHER}, url="dispatching:queue", count=waiting))
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User

# The order of the rail, top to bottom, the same for everybody (screens.md): hands learn places. Others follow as registered.
ORDER = (
    "intake", "dispatch", "handling", "audit", "follow_up", "supervision", "assessment",
    "analysis", "knowledge", "seat", "performance", "system",
)  # fmt: skip
SESSION_ROLE = "role"

Count = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """
    One place of work. `count(user, at)` answers (how many wait, the light of the most pressing) with one cheap query, or is None.

    `url` is a URL name; `within` are path prefixes that belong to this desk beside its own (the rail marks it then).
    """

    code: str
    label: str
    icon: str
    roles: Collection[str]
    url: str
    count: Callable[[User, datetime], Count] | None = None
    within: tuple[str, ...] = ()


_desks: dict[str, Desk] = {}


def register(desk: Desk) -> None:
    """Puts a desk on the rail; a second desk of one code is a mistake."""
    if _desks.get(desk.code, desk) != desk:
        raise ValueError(f"desk {desk.code!r} is registered already")
    _desks[desk.code] = desk


def _place(desk: Desk) -> int:
    return ORDER.index(desk.code) if desk.code in ORDER else len(ORDER)


def desks_of(roles: Collection[str]) -> list[Desk]:
    """The desks of these roles, in the rail's order."""
    return sorted((desk for desk in _desks.values() if not set(desk.roles).isdisjoint(roles)), key=_place)


def role_in_force(request: HttpRequest) -> str:
    """
    The role the person chose to work in, or their first. It decides where they land, never what they may do: rights come from
    all of a person's roles.
    """
    user: Any = request.user
    held = getattr(user, "roles", None) or []
    chosen = request.session.get(SESSION_ROLE)
    return chosen if chosen in held else (sorted(held, key=list(Role).index)[0] if held else "")


def landing_url(request: HttpRequest) -> str | None:
    """Where the role in force begins its day: its first desk, else the first of any of the person's roles."""
    found = desks_of([role_in_force(request)]) or desks_of(getattr(request.user, "roles", []))
    return reverse(found[0].url) if found else None
