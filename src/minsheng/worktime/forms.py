"""The State Council's notice as an administrator types it in: one line for each stretch of days."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django import forms

from minsheng.errors import Refused
from minsheng.worktime.actions import NamedDay, check_notice
from minsheng.worktime.models import CalendarDay, CalendarYear
from minsheng.worktime.moments import ONE_DAY

_LINE = re.compile(
    r"(?P<first>\d{4}-\d{1,2}-\d{1,2})(?:\s*(?:至|到|~|—)\s*(?P<last>\d{4}-\d{1,2}-\d{1,2}))?"
    r"\s+(?P<kind>休|班)\s+(?P<name>\S.{0,39})"
)
_LONGEST = timedelta(days=30)


def parse_notice(text: str) -> list[NamedDay]:
    """The days of lines as the form's help shows them; ValueError says which line is wrong, and how."""
    days: list[NamedDay] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            days += _parse_line(number, line.strip())
    return days


def _parse_line(number: int, line: str) -> list[NamedDay]:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError(f"第 {number} 行看不懂：{line}")
    first = _date(number, match["first"])
    last = _date(number, match["last"]) if match["last"] else first
    if not first <= last <= first + _LONGEST:
        raise ValueError(f"第 {number} 行的起止日期不对：{line}")
    return [
        NamedDay(first + timedelta(days=step), match["kind"] == "班", match["name"].strip())
        for step in range((last - first) // ONE_DAY + 1)
    ]


def _date(number: int, text: str) -> date:
    try:
        return date(*map(int, text.split("-")))
    except ValueError:
        raise ValueError(f"第 {number} 行没有这一天：{text}") from None


def format_notice(days: Iterable[CalendarDay]) -> str:
    """The inverse of parse_notice."""
    stretches: list[list[CalendarDay]] = []
    for day in days:
        before = stretches[-1][-1] if stretches else None
        joins = before and (before.date + ONE_DAY, before.working, before.name) == (day.date, day.working, day.name)
        if joins:
            stretches[-1].append(day)
        else:
            stretches.append([day])
    return "\n".join(_stretch(stretch[0], stretch[-1]) for stretch in stretches)


def _stretch(first: CalendarDay, last: CalendarDay) -> str:
    span = f"{first.date}" if first == last else f"{first.date} 至 {last.date}"
    return f"{span} {'班' if first.working else '休'} {first.name}"


class NoticeForm(forms.ModelForm):
    """A year's notice whole: what is typed replaces what was known of the year."""

    lines = forms.CharField(
        label="放假和调休",
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text="每行一段，如“2026-02-15 至 2026-02-23 休 春节”“2026-02-14 班 春节调休”。"
        "保存后，未到期的暂定时限会重算。",
    )

    class Meta:
        model = CalendarYear
        fields = ("year", "notice")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["lines"] = format_notice(self.instance.days.order_by("date"))

    def clean(self) -> dict[str, Any]:
        """Whether it can be loaded; the same rule as the action, told beside the field."""
        cleaned: dict[str, Any] = super().clean() or {}
        year = cleaned.get("year") or self.instance.year
        if year and cleaned.get("lines"):
            try:
                cleaned["days"] = parse_notice(cleaned["lines"])
                check_notice(year, cleaned["days"], cleaned.get("notice") or self.instance.notice)
            except ValueError as error:
                self.add_error("lines", str(error))
            except Refused as refused:
                self.add_error("lines", refused.sentence)
        return cleaned
