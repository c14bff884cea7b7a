"""Moments and days in Asia/Shanghai, whatever zone a moment is given in."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
ONE_DAY = timedelta(days=1)


def local(moment: datetime) -> datetime:
    """The moment on a clock in Shanghai. A naive moment is a programming error: it has no day."""
    if moment.tzinfo is None:
        raise ValueError(f"naive moment {moment.isoformat()}")
    return moment.astimezone(SHANGHAI)


def day_of(moment: datetime) -> date:
    """The day that the moment falls on in Shanghai."""
    return local(moment).date()


def midnight(day: date) -> datetime:
    """00:00 at the start of the day."""
    return datetime.combine(day, time(), tzinfo=SHANGHAI)


def end_of(day: date) -> datetime:
    """24:00 of the day, which is 00:00 of the next: deadlines are exclusive."""
    return midnight(day + ONE_DAY)


def last_day_before(due: datetime) -> date:
    """The day that holds the last moment before an exclusive deadline."""
    return day_of(local(due) - timedelta.resolution)
