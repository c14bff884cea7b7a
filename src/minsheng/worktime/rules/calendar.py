"""Which days are worked, and how long a limit is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from minsheng.worktime.choices import LimitUnit
from minsheng.worktime.moments import ONE_DAY

WEEKEND = "周末"
OTHER_REST = "休息日"
# Two years of days: a limit that finds no working day in them is a broken calendar, not a long limit.
_SEARCH_DAYS = 730


def each_day(after: date, through: date) -> Iterator[date]:
    """Every day later than `after`, up to and including `through`."""
    for number in range(1, (through - after).days + 1):
        yield after + timedelta(days=number)


@dataclass(frozen=True)
class Calendar:
    """Days that the State Council's notices (or an administrator) name; every other day follows the week."""

    days: Mapping[date, bool]
    years: frozenset[int]
    names: Mapping[date, str] = field(default_factory=dict)

    def known(self, year: int) -> bool:
        """Whether this year's notice has been loaded."""
        return year in self.years

    def is_working(self, day: date) -> bool:
        """A named day is what its notice says; any other is working from Monday to Friday."""
        named = self.days.get(day)
        return day.weekday() < 5 if named is None else named

    def count(self, after: date, through: date) -> int:
        """Working days later than `after`, up to and including `through`; 0 when there are none."""
        return sum(self.is_working(day) for day in each_day(after, through))

    def add(self, day: date, working_days: int) -> date:
        """The n-th working day after the day; the day itself for 0."""
        found, searched = day, 0
        while working_days > 0:
            found += ONE_DAY
            searched += 1
            if self.is_working(found):
                working_days, searched = working_days - 1, 0
            elif searched > _SEARCH_DAYS:
                raise ValueError(f"no working day within {_SEARCH_DAYS} days before {found.isoformat()}")
        return found

    def reason(self, day: date) -> str:
        """Why a day is skipped: the holiday's name, or the weekend."""
        return self.names.get(day) or (WEEKEND if day.weekday() >= 5 else OTHER_REST)


@dataclass(frozen=True)
class Limit:
    """So many working days, or so many hours."""

    amount: int
    unit: LimitUnit = LimitUnit.WORKING_DAYS

    def __post_init__(self) -> None:
        if self.amount < 1:
            raise ValueError(f"a limit is at least 1, not {self.amount}")
        object.__setattr__(self, "unit", LimitUnit(self.unit))

    @property
    def in_days(self) -> bool:
        """Counts working days."""
        return self.unit == LimitUnit.WORKING_DAYS

    def __str__(self) -> str:
        return f"{self.amount} {self.unit.label}"
