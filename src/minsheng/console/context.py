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
from minsheng.cases.searching import may_find_persons
from minsheng.console import desks, drafts
from minsheng.ui import looks
from minsheng.ui.desks import LETTERS

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
    letter: str  # g and this letter lead here

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
    draft_key: str
    stirs: str  # what changes the rail: words of ticks, or * for any
    stirs_here: str  # what changes the desk that this page is

    @property
    def search_hint(self) -> str:
        """What this person finds cases by; nothing for who sees none."""
        if not (self.user.is_centre or self.user.is_unit):
            return ""
        return "编号、电话、姓名、内容里的词" if may_find_persons(self.user) else "编号、内容里的词"

    @property
    def role_label(self) -> str:
        """The role in force, in Chinese."""
        return str(Role(self.role).label) if self.role else ""


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `shell`, drawn only if used; the base of staff pages, which is bare where a page asks for its own parts
    anew (ui/live.js), and which part that is; and the base of error pages, which differs for citizens."""
    user = getattr(request, "user", None)
    known = user is not None and user.is_authenticated
    return {
        "shell": SimpleLazyObject(lambda: _shell(request)) if known else None,
        "look": looks.part_of(request),
        "shell_base": "console/shell_live.html" if looks.part_of(request) else "console/shell.html",
        "error_base": "ui/narrow.html" if known else "portal/error.html",
    }


def _shell(request: HttpRequest) -> Shell:
    user: Any = request.user
    mine = desks.desks_of(user.roles)
    here = [desk for desk in mine if _is_at(desk, request.path)]
    held = [role for role in Role if role in user.roles]
    return Shell(
        user=user,
        role=desks.role_in_force(request),
        roles=held,
        desks=rail(user, request.path, timezone.now(), after=looks.after(request)),
        events_url=_events_url(request),
        draft_key=drafts.key_of(user),
        stirs=_stirs([desk for desk in mine if desk.count]),
        stirs_here=_stirs(here),
    )


def _events_url(request: HttpRequest) -> str:
    """The stream's address: the front's path where one is set, else the second port of the host that was asked."""
    if settings.EVENTS_URL:
        return str(settings.EVENTS_URL)
    host = request.get_host().rsplit(":", 1)[0]
    return f"{request.scheme}://{host}:{settings.EVENTS_PORT}/events"


def _stirs(found: list[desks.Desk]) -> str:
    words = [desk.stirred_by for desk in found]
    return "*" if not words or None in words else " ".join(sorted({word for each in words for word in each or ()}))


def rail(user: User, path: str, at: datetime, *, after: str = "") -> list[RailItem]:
    """The person's desks with what waits at each: one query a desk at most, kept for some seconds.

    `after`: the event that made the page look again; counts made before it are not good enough.
    """
    return [_item(desk, path, *_count(desk, user, at, after)) for desk in desks.desks_of(user.roles)]


def _count(desk: desks.Desk, user: User, at: datetime, after: str) -> desks.Count:
    if desk.count is None:
        return 0, "none"
    key = f"console.count.{desk.code}.{(after and desk.alike and desk.alike(user)) or user.pk}".replace(" ", "_")
    kept: tuple[str, desks.Count] | None = cache.get(key)
    if kept is not None and (not after or kept[0] == after):
        return kept[1]
    count = desk.count(user, at)
    cache.set(key, (after, count), COUNTS_KEPT_SECONDS)
    return count


def _is_at(desk: desks.Desk, path: str) -> bool:
    return path.startswith((reverse(desk.url), *desk.within))


def _item(desk: desks.Desk, path: str, count: int, light: str) -> RailItem:
    url = reverse(desk.url)
    return RailItem(desk.code, desk.label, desk.icon, url, _is_at(desk, path), count, str(light), LETTERS.get(desk.code, ""))
