"""When a deadline's light turns, and how long is left."""

from __future__ import annotations

from datetime import datetime, timedelta

from minsheng.worktime import wording
from minsheng.worktime.choices import Light
from minsheng.worktime.moments import local
from minsheng.worktime.rules.calendar import Calendar


def light_moments(start: datetime, due: datetime) -> tuple[datetime, datetime]:
    """When the light turns yellow (25 % of the whole span left) and orange (one hour left), so that SQL can filter.

    Orange wins: a span under four hours turns orange before a quarter is left, so its yellow moment is the same one;
    and neither comes before the start (domain.md §2.12).
    """
    start, due = local(start), max(local(start), local(due))
    orange = max(start, due - timedelta(hours=1))
    yellow = min(orange, due - (due - start) / 4)
    return yellow, orange


def light(now: datetime, start: datetime, due: datetime | None) -> Light:
    """The light at a moment; a deadline that is not set shows none. Red begins at `due` itself, which is exclusive."""
    if due is None:
        return Light.NONE
    if now >= due:
        return Light.RED
    yellow, orange = light_moments(start, due)
    if now >= orange:
        return Light.ORANGE
    return Light.YELLOW if now >= yellow else Light.NONE


def remaining(now: datetime, due: datetime, calendar: Calendar) -> str:
    """Time left, or time over, as one would say it; see `wording.time_left` for the rule."""
    return wording.time_left(now, due, calendar)
