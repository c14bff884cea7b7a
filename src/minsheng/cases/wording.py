"""Small Chinese phrases that several rooms say alike."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from minsheng.worktime.moments import local

if TYPE_CHECKING:
    from minsheng.organisations.models import Unit


def day_words(due_at: datetime, now: datetime) -> str:
    """The last day of a deadline, whose moment is exclusive: “11月30日”, with the year when it is another one."""
    last = local(due_at - timedelta(microseconds=1))
    words = f"{last.month}月{last.day}日"
    return words if last.year == local(now).year else f"{last.year}年{words}"


def unit_names(units: Iterable[Unit]) -> str:
    """Names joined as Chinese does."""
    return "、".join(unit.name for unit in units)
