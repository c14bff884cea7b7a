"""What the shell shows beside any page: the rail with its counts, the person, the role in force. Read only when a template asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.console import desks

# A page and the fragments it fetches within a breath share one count; longer, and the numbers would lag behind the lists.
COUNTS_KEPT_SECONDS = 5
MOST_SHOWN = 999


@dataclass(frozen=True, slots=True)
class RailItem:
    """One desk of the rail as drawn."""

    code: str
    label: str
    icon: str
    url: str
    current: bool
    count: int
    light: str

    @property
    def shown(self) -> str:
        """The count as written: three figures at most."""
        return f"{MOST_SHOWN}+" if self.count > MOST_SHOWN else str(self.count)


@dataclass(frozen=True, slots=True)
class Shell:
    """The whole of it."""

    user: User
    role: str
    roles: list[Role]
    desks: list[RailItem]
    events_url: str

    @property
    def role_label(self) -> str:
        """The role in force, in Chinese."""
        return str(Role(self.role).label) if self.role else ""


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `shell`, drawn only if used, and the base of error pages, which differs for citizens."""
    user = getattr(request, "user", None)
    known = user is not None and user.is_authenticated
    return {
        "shell": SimpleLazyObject(lambda: _shell(request)) if known else None,
        "error_base": "ui/narrow.html" if known else "portal/error.html",
    }


def _shell(request: HttpRequest) -> Shell:
    user: Any = request.user
    held = [role for role in Role if role in user.roles]
    return Shell(
        user=user,
        role=desks.role_in_force(request),
        roles=held,
        desks=rail(user, request.path, timezone.now()),
        events_url=_events_url(request),
    )


def _events_url(request: HttpRequest) -> str:
    """The stream's address: the front's path where one is set, else the second port of the host that was asked."""
    if settings.EVENTS_URL:
        return str(settings.EVENTS_URL)
    host = request.get_host().rsplit(":", 1)[0]
    return f"{request.scheme}://{host}:{settings.EVENTS_PORT}/events"


def rail(user: User, path: str, at: datetime) -> list[RailItem]:
    """The person's desks with what waits at each: one query a desk at most, kept for some seconds."""
    mine = desks.desks_of(user.roles)
    key = f"console.counts.{user.pk}"
    counts: dict[str, desks.Count] | None = cache.get(key)
    if counts is None or counts.keys() != {desk.code for desk in mine}:
        counts = {desk.code: desk.count(user, at) if desk.count else (0, "none") for desk in mine}
        cache.set(key, counts, COUNTS_KEPT_SECONDS)
    return [_item(desk, path, *counts[desk.code]) for desk in mine]


def _item(desk: desks.Desk, path: str, count: int, light: str) -> RailItem:
    url = reverse(desk.url)
    current = path.startswith((url, *desk.within))
    return RailItem(desk.code, desk.label, desk.icon, url, current, count, str(light))
