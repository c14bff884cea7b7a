"""What a worklist's row shows, and nothing else unless the person adds a column (screens.md, "The shell")."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Cell:
    """A column that the person has added."""

    label: str
    text: str


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
    turns: str = ""  # when the light will change by time alone (ui.times.turns)
    why: str = ""
    state: Any = None
    unread: bool = False
    extras: tuple[str, ...] = field(default=())
    cells: tuple[Cell, ...] = ()
    snippet: str = ""  # what a search found beside the title
    note: str = ""  # a line of its own below: why it came back, how it was decided
