"""
The rail's desks. A room registers its own in `AppConfig.ready`, so that the shell knows none of them by name:

    desks.register(Desk(code="dispatch", label="批转", icon="route", roles={Role.DISPATCHER}, url="dispatching:queue", count=waiting))

The registry stands on the lowest floor because every room speaks to it; roles are plain strings here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# The order of the rail, top to bottom, the same for everybody (screens.md): hands learn places. Others follow as registered.
ORDER = (
    "day", "intake", "dispatch", "handling", "audit", "follow_up", "supervision", "assessment",
    "analysis", "knowledge", "seat", "performance", "map", "system", "security", "audit_log", "configuration",
)  # fmt: skip
# The letter that follows `g` on the keyboard, from the pinyin of one of the label's two characters (地图 found both taken: map); the
# same at every desk.
LETTERS = {
    "day": "r", "intake": "s", "dispatch": "p", "handling": "c", "audit": "h", "follow_up": "f", "supervision": "d", "lookup": "x",
    "system": "t", "security": "a", "audit_log": "j", "configuration": "z", "map": "m", "outbox": "o", "systems": "k", "publishing": "b",
}  # fmt: skip
Count = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """
    One place of work. `count(user, at)` answers (how many wait, the light of the most pressing) with one cheap query, or is None.

    `url` is a URL name; `within` are path prefixes that belong to this desk beside its own (the rail marks it then).
    `stirred_by`: codes of acts and states of cases (before or after the act) that change what it lists or counts; None: every
    act that the person hears of. An open page of the desk looks again when one of them happens (ui/live.js).
    """

    code: str
    label: str
    icon: str
    roles: Collection[str]
    url: str
    count: Callable[[Any, datetime], Count] | None = None
    within: tuple[str, ...] = ()
    # People of one answer have the same count, asked once for all who look again at the same time; "" and None: each their own.
    alike: Callable[[Any], str] | None = None
    # Roles whose day begins here, where their desks are several and this is not the rail's first.
    home: Collection[str] = ()
    stirred_by: frozenset[str] | None = None


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
