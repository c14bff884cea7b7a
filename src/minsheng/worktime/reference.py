"""Calendar and limits that the product ships: loaded once, never over what an administrator has changed since."""

from __future__ import annotations

import csv
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from chinese_calendar import constants as package
from django.db import transaction

from minsheng.errors import Refused
from minsheng.worktime import actions
from minsheng.worktime.actions import NamedDay
from minsheng.worktime.models import CalendarYear, LimitPolicy
from minsheng.worktime.moments import ONE_DAY

DATA = Path(__file__).resolve().parent / "data"


def load_reference(*, actor: Any, at: datetime) -> None:
    """Load calendar and policies; run again, it adds what is missing and changes nothing else."""
    with transaction.atomic():
        seed_calendar(actor=actor, at=at)
        seed_policies(actor=actor, at=at)


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def seed_calendar(*, actor: Any, at: datetime) -> list[int]:
    """Load each year of data/calendar_check.csv that is not loaded yet; returns those years.

    The installed package and our own copy of the State Council's list (domain.md §2.13) must agree: a slip in either
    would move deadlines. Names of days are ours. Refused: calendar_unknown, calendar_mismatch.
    """
    notices, listed = _listed()
    loaded = set(CalendarYear.objects.values_list("year", flat=True))
    missing = sorted(set(notices) - loaded)
    for year in missing:
        days = [day for day in listed if day.date.year == year]
        check_against_package(year, days)
        actions.load_year(actor=actor, at=at, year=year, days=days, notice=notices[year])
    return missing


def _listed() -> tuple[dict[int, str], list[NamedDay]]:
    notices: dict[int, str] = {}
    days: list[NamedDay] = []
    for row in _rows("calendar_check.csv"):
        notices[int(row["year"])] = row["source"]
        first, last = date.fromisoformat(row["first"]), date.fromisoformat(row["last"])
        for number in range((last - first) // ONE_DAY + 1):
            days.append(NamedDay(first + timedelta(days=number), row["working"] == "1", row["name"]))
    return notices, days


def package_days(year: int) -> dict[date, bool]:
    """Days off and make-up days of a year as the package has them; one that it does not know is an error, no guess."""
    off = {day: False for day in package.holidays if day.year == year}
    if not off:
        raise Refused("calendar_unknown", year=year)
    return off | {day: True for day in package.workdays if day.year == year}


def check_against_package(year: int, days: list[NamedDay]) -> None:
    """Refuse a year on which our list and the package differ, naming the days."""
    ours, theirs = {day.date: day.working for day in days}, package_days(year)
    differing = sorted(day for day in ours.keys() | theirs.keys() if ours.get(day) != theirs.get(day))
    if differing:
        raise Refused("calendar_mismatch", year=year, days="、".join(map(str, differing)))


def seed_policies(*, actor: Any, at: datetime) -> list[str]:
    """Publish each limit of data/limit_policies.csv whose code is not known yet; returns those codes."""
    known = set(LimitPolicy.objects.values_list("code", flat=True))
    missing = [row for row in _rows("limit_policies.csv") if row["code"] not in known]
    for row in missing:
        actions.publish_policy(
            actor=actor,
            at=at,
            code=row["code"],
            name=row["name"],
            clock=row["clock"],
            kind=row["kind"],
            topic_code=row["topic_code"],
            on_convenience_list={"": None, "1": True, "0": False}[row["on_list"]],
            urgency=row["urgency"],
            amount=int(row["amount"]),
            unit=row["unit"],
            effective_from=date.fromisoformat(row["effective_from"]),
            legal_basis=row["legal_basis"],
            source=row["source"],
            is_sourced=row["is_sourced"] == "1",
        )
    return [row["code"] for row in missing]
