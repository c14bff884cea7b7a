"""Moments and spans as people say them (screens.md, "The shell"). Pure: the present moment is an argument."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
WEEKDAYS = "一二三四五六日"


def day(value: date, today: date) -> str:
    """`11-26 周四`, with the year only when it is another one than today's."""
    if isinstance(value, datetime):
        value = value.astimezone(SHANGHAI).date()
    year = "" if value.year == today.year else f"{value.year}-"
    return f"{year}{value:%m-%d} 周{WEEKDAYS[value.weekday()]}"


def moment(value: datetime, now: datetime) -> str:
    """`11-26 周四 14:05`, Shanghai time."""
    local = value.astimezone(SHANGHAI)
    return f"{day(local.date(), now.astimezone(SHANGHAI).date())} {local:%H:%M}"


def due(value: datetime, now: datetime) -> str:
    """A deadline, which is exclusive (design §5): midnight is shown as 24:00 of the day before, never as 00:00."""
    local = value.astimezone(SHANGHAI)
    today = now.astimezone(SHANGHAI).date()
    if (local.hour, local.minute) == (0, 0):
        return f"{day(local.date() - timedelta(days=1), today)} 24:00 前"
    return f"{day(local.date(), today)} {local:%H:%M} 前"


def last_minute(value: datetime | None) -> datetime | None:
    """A deadline as a spreadsheet can hold it, which knows no 24:00: the last minute before it."""
    return None if value is None else value - timedelta(minutes=1)


def turns(now: datetime, **lights: datetime | None) -> str:
    """When a light will change by time alone, for the page to turn it itself: `1764000000:orange 1764003600:red` (Unix seconds)."""
    coming = [(moment, name) for name, moment in lights.items() if moment is not None and moment > now]
    coming.sort(key=lambda pair: pair[0])  # of two at one moment the later named, the graver, is the last word
    return " ".join(f"{int(moment.timestamp())}:{name}" for moment, name in coming)


def span(length: timedelta) -> str:
    """`2 小时 10 分`: the two largest units, downwards; less than a minute is `不到 1 分钟`. The sign is dropped."""
    minutes = int(abs(length).total_seconds()) // 60
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} 天 {hours} 小时" if hours else f"{days} 天"
    if hours:
        return f"{hours} 小时 {rest} 分" if rest else f"{hours} 小时"
    return f"{rest} 分钟" if rest else "不到 1 分钟"
