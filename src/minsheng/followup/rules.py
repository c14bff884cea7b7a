"""Pure rules of follow-up: when the next try is due, and what may still be tried (domain.md §2.7). No ORM, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta


def next_try_at(missed: Sequence[datetime], *, hours: float) -> datetime | None:
    """When a citizen who was not reached is rung again; None before the first try: then any time is right."""
    return max(missed) + timedelta(hours=hours) if missed else None


def may_give_up(missed: int, *, needed: int) -> bool:
    """Whether the try now under way, unanswered too, would be enough to close without a rating."""
    return missed + 1 >= needed
