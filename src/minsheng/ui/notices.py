"""
What a person is told of their own work, wherever they stand: the bell in the top bar. A room registers what it tells in
`AppConfig.ready`:

    notices.register("cases", answered)

The registry stands on the lowest floor, as those of the desks and alarms do: the shell shows all and knows none by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that others, or the house itself, did for this person: in a few words, on what, and where to see it."""

    at: datetime
    words: str
    of: str
    url: str
    icon: str = "bell"


Told = Callable[[Any, datetime], Iterable[Notice]]
_rooms: dict[str, Told] = {}


def register(code: str, told: Told) -> None:
    """`told(user, since)`: what happened after that moment, the newest first, `MOST` at most; cheaply, as every page asks."""
    _rooms[code] = told


def told(user: Any, since: datetime) -> list[Notice]:
    """From all rooms, the newest first, `MOST` at most."""
    found = [notice for each in _rooms.values() for notice in each(user, since)]
    return sorted(found, key=lambda notice: notice.at, reverse=True)[:MOST]
