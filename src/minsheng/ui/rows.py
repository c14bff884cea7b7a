"""What a worklist's row shows, and nothing else unless the person adds a column (screens.md, "The shell")."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a list. `url` opens it beside the list (`?…&open=number`); `why` is the derivation of `left`, in a sentence."""

    url: str
    number: str
    title: str
    kind: str = ""
    topic: str = ""
    place: str = ""
    unit: str = ""
    open_by: str = ""
    light: Any = "none"
    left: str = ""
    why: str = ""
    state: Any = None
    unread: bool = False
    extras: tuple[str, ...] = field(default=())
