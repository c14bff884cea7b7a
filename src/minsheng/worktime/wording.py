"""Deadlines in Chinese: when, why, and how long left (screens.md). Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from minsheng.worktime.moments import day_of, end_of, last_day_before, local, midnight

if TYPE_CHECKING:
    from minsheng.worktime.rules import Calendar, Derivation, Recount, Skip

_WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)


def day_words(day: date, *, year: int, weekday: bool = False) -> str:
    """“11月30日（周一）”; with its year only when that is not `year`."""
    words = f"{day.month}月{day.day}日" if day.year == year else f"{day.year}年{day.month}月{day.day}日"
    return f"{words}（{_WEEKDAYS[day.weekday()]}）" if weekday else words


def due_words(due: datetime, *, year: int, weekday: bool = True) -> str:
    """“11月30日（周一）24:00 前”: midnight is 24:00 of the day that it ends."""
    return f"{_until(due, year=year, weekday=weekday)} 前"


def _until(moment: datetime, *, year: int, weekday: bool = False) -> str:
    words = day_words(last_day_before(moment), year=year, weekday=weekday)
    return words + ("" if weekday else " ") + clock_words(moment)


def clock_words(due: datetime) -> str:
    """“24:00” for a deadline at midnight, else the time of day."""
    at = local(due)
    return "24:00" if at == midnight(at.date()) else f"{at:%H:%M}"


# --- why ------------------------------------------------------------------------------------------


def derivation_sentence(derivation: Derivation) -> str:
    """When it is due, and how that came about, in one sentence."""
    year = derivation.start.year
    head = due_words(derivation.due_at, year=year) + ("（暂定）" if derivation.is_provisional else "")
    parts = [
        _limit_words(derivation),
        _start_words(derivation),
        _skipped_words(derivation.skipped, year),
        _made_up_words(derivation.made_up, year),
        *_adjusted_words(derivation, year),
        *(_recount_words(recount, year) for recount in derivation.recounts),
        *(f"{unknown} 年放假安排未公布，按周末暂定" for unknown in derivation.provisional),
    ]
    return f"{head} · " + "，".join(part for part in parts if part)


def _limit_words(derivation: Derivation) -> str:
    words = f"{derivation.name} {derivation.limit}".strip()
    return f"{words}，加批转 {derivation.lead_in}" if derivation.lead_in else words


def _start_words(derivation: Derivation) -> str:
    start = local(derivation.start)
    words = day_words(start.date(), year=start.year)
    runs_first = derivation.lead_in or derivation.limit
    if runs_first.in_days:
        return f"自 {words} {derivation.event}次日起算"
    return f"自 {words} {start:%H:%M} {derivation.event}起算"


def _skipped_words(skipped: tuple[Skip, ...], year: int) -> str:
    weekends = [skip for skip in skipped if skip.is_weekend]
    length = sum(skip.length for skip in weekends)
    words = []
    if length > 2:
        words.append(f"周末 {length} 天")
    elif length:
        words.append("、".join(_WEEKDAYS[day.weekday()] for skip in weekends for day in skip.days))
    words += [_span_words(skip.first, skip.last, year) + skip.reason for skip in skipped if not skip.is_weekend]
    if not words:
        return ""
    return ("跳过 " if words[0][0].isdigit() else "跳过") + "、".join(words)


def _span_words(first: date, last: date, year: int) -> str:
    if first == last:
        return day_words(first, year=year)
    if (first.year, first.month) == (last.year, last.month):
        return f"{day_words(first, year=year)}至{last.day}日"
    return f"{day_words(first, year=year)}至{day_words(last, year=year)}"


def _made_up_words(made_up: tuple[date, ...], year: int) -> str:
    if not made_up:
        return ""
    return "、".join(day_words(day, year=year, weekday=True) for day in made_up) + "调休上班计入"


def _adjusted_words(derivation: Derivation, year: int) -> list[str]:
    words = []
    for pause in derivation.pauses:
        added = f"{pause.days} 个工作日" if derivation.limit.in_days else _elapsed(pause.ended - pause.began)
        span = _span_words(day_of(pause.began), day_of(pause.ended), year)
        words.append(f"{span}挂起，顺延 {added}")
    words += [f"不晚于上级时限，原至 {_until(cap.from_due, year=year)}" for cap in derivation.caps]
    words += [f"退回重办，另给 {given.days} 个工作日，原至 {_until(given.from_due, year=year)}" for given in derivation.reworks]
    words += [f"经批准延期，原至 {_until(extension.from_due, year=year)}" for extension in derivation.extensions]
    return words


def _recount_words(recount: Recount, year: int) -> str:
    why = f"{'、'.join(map(str, recount.years))} 年放假安排公布" if recount.years else "放假安排调整"
    if recount.from_due == recount.to_due:
        return f"{why}后核定不变"
    return f"{why}后重算，原至 {_until(recount.from_due, year=year)}"


# --- how long -------------------------------------------------------------------------------------


def time_left(now: datetime, due: datetime, calendar: Calendar) -> str:
    """Time left or over, as one would say it.

    A deadline at 24:00 of a working day counts working time. Left: whole working days after today up to its last
    day, and the whole hours until midnight if today works; on its last day "今天 24:00 前", in the last hour minutes.
    Over: whole working days after its last day and before today, and the hours of today if today works; until the
    first such day is full, plain time. Any other deadline (hours, or a date that does not work) is plain elapsed time.
    Parts are rounded down, so nobody is promised more than there is.
    """
    now, due = local(now), local(due)
    last = last_day_before(due)
    in_days = due == end_of(last) and calendar.is_working(last)
    if now >= due:
        return _over(now, due, last, calendar, in_days=in_days)
    left = due - now
    if left < _HOUR:
        return f"剩 {left // _MINUTE} 分钟" if left >= _MINUTE else "剩不到 1 分钟"
    if last == now.date():
        return f"今天 {clock_words(due)} 前"
    if not in_days:
        return f"剩 {_elapsed(left)}"
    # The last day works and is later than today, so there is at least one.
    return "剩 " + _working(calendar.count(now.date(), last), _hours_until_midnight(now, calendar))


def _over(now: datetime, due: datetime, last: date, calendar: Calendar, *, in_days: bool) -> str:
    over = now - due
    if over < _MINUTE:
        return "刚刚超期"
    today = now.date()
    days = calendar.count(last, today) - calendar.is_working(today) if in_days else 0
    if days == 0:
        return f"已超 {_elapsed(over)}"
    return "已超 " + _working(days, now.hour if calendar.is_working(today) else 0)


def _hours_until_midnight(now: datetime, calendar: Calendar) -> int:
    return (end_of(now.date()) - now) // _HOUR if calendar.is_working(now.date()) else 0


def _working(days: int, hours: int) -> str:
    # A whole day's 24 hours left is today itself, untouched.
    days, hours = days + hours // 24, hours % 24
    return f"{days} 个工作日" + (f" {hours} 小时" if hours else "")


def _elapsed(span: timedelta) -> str:
    days, hours, minutes = span.days, span.seconds // 3600, span.seconds % 3600 // 60
    if days:
        return f"{days} 天" + (f" {hours} 小时" if hours else "")
    if hours:
        return f"{hours} 小时" + (f" {minutes} 分钟" if minutes else "")
    return f"{minutes} 分钟"
