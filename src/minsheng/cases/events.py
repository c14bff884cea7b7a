"""Domain events: what this room announces, and higher rooms subscribe to, inside the same transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minsheng.cases.work import Work

_subscribers: dict[str, list[Callable[[Work], None]]] = defaultdict(list)


def subscribe(code: str, handler: Callable[[Work], None]) -> None:
    """Call `handler(work)` after every action of this code, before its transaction commits; it locks no other case."""
    if handler not in _subscribers[code]:
        _subscribers[code].append(handler)


def announce(work: Work) -> None:
    """Run the subscribers of a finished action."""
    for handler in _subscribers[work.row.code]:
        handler(work)
