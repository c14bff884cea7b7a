"""A deadline with all that it was derived from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from minsheng.worktime import wording
from minsheng.worktime.choices import LimitUnit
from minsheng.worktime.moments import ONE_DAY, day_of, end_of, last_day_before, local
from minsheng.worktime.rules.calendar import WEEKEND, Calendar, Limit, each_day


@dataclass(frozen=True)
class Skip:
    """Days off in a row, skipped for one reason."""

    first: date
    last: date
    reason: str

    @property
    def length(self) -> int:
        """Number of days."""
        return (self.last - self.first).days + 1

    @property
    def days(self) -> tuple[date, ...]:
        """Each of the days."""
        return tuple(each_day(self.first - ONE_DAY, self.last))

    @property
    def is_weekend(self) -> bool:
        """Only a weekend, no named holiday."""
        return self.reason == WEEKEND


@dataclass(frozen=True)
class Pause:
    """The clock stood still; `days` is what it added (0 where an hours limit moved by the elapsed time)."""

    began: datetime
    ended: datetime
    days: int


@dataclass(frozen=True)
class Extension:
    """An approved move to a new date."""

    from_due: datetime
    to_due: datetime
    granted_at: datetime


@dataclass(frozen=True)
class Cap:
    """Cut to the deadline above: a lower unit's clock never outlasts the one that it was given from."""

    from_due: datetime
    to_due: datetime


@dataclass(frozen=True)
class Rework:
    """Time given with work that was sent back: so many working days from then, where less was left."""

    from_due: datetime
    to_due: datetime
    given_at: datetime
    days: int


Adjustment = Pause | Extension | Cap | Rework
_ADJUSTMENTS: dict[str, type[Adjustment]] = {"pause": Pause, "extension": Extension, "cap": Cap, "rework": Rework}


@dataclass(frozen=True)
class Recount:
    """The calendar changed while the deadline was open."""

    at: datetime
    from_due: datetime
    to_due: datetime
    years: tuple[int, ...]


@dataclass(frozen=True)
class Derivation:
    """A deadline with all it was derived from, stored beside it: no later calendar can rewrite the reason."""

    start: datetime
    limit: Limit
    # What runs before the limit: the citizen's clock is the dispatch limit, then the handling limit (design §5).
    lead_in: Limit | None
    name: str
    event: str
    policy: str
    version: int
    legal_basis: str
    first_day: date | None
    last_day: date
    due_at: datetime
    skipped: tuple[Skip, ...] = ()
    made_up: tuple[date, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    provisional: tuple[int, ...] = ()
    recounts: tuple[Recount, ...] = ()

    @property
    def is_provisional(self) -> bool:
        """Some day it counted lies in a year without a notice (暂定)."""
        return bool(self.provisional)

    @property
    def pauses(self) -> tuple[Pause, ...]:
        """Pauses in their order."""
        return tuple(a for a in self.adjustments if isinstance(a, Pause))

    @property
    def extensions(self) -> tuple[Extension, ...]:
        """Extensions in their order."""
        return tuple(a for a in self.adjustments if isinstance(a, Extension))

    @property
    def caps(self) -> tuple[Cap, ...]:
        """Cuts in their order."""
        return tuple(a for a in self.adjustments if isinstance(a, Cap))

    @property
    def reworks(self) -> tuple[Rework, ...]:
        """Times given for rework in their order."""
        return tuple(a for a in self.adjustments if isinstance(a, Rework))

    def sentence(self) -> str:
        """The deadline and its reason in Chinese (screens.md)."""
        return wording.derivation_sentence(self)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, the inverse of from_json; moments in Shanghai's offset."""
        data = asdict(self)
        data["adjustments"] = [
            {"type": type(adjustment).__name__.lower(), **asdict(adjustment)} for adjustment in self.adjustments
        ]
        plain: dict[str, Any] = _plain(data)
        return plain

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Derivation:
        """Rebuild what to_json wrote."""
        return cls(
            start=_moment(data["start"]),
            limit=_limit(data["limit"]),
            lead_in=_limit(data["lead_in"]) if data["lead_in"] else None,
            name=data["name"],
            event=data["event"],
            policy=data["policy"],
            version=data["version"],
            legal_basis=data["legal_basis"],
            first_day=date.fromisoformat(data["first_day"]) if data["first_day"] else None,
            last_day=date.fromisoformat(data["last_day"]),
            due_at=_moment(data["due_at"]),
            skipped=tuple(
                Skip(date.fromisoformat(skip["first"]), date.fromisoformat(skip["last"]), skip["reason"])
                for skip in data["skipped"]
            ),
            made_up=tuple(date.fromisoformat(day) for day in data["made_up"]),
            adjustments=tuple(_adjustment(a) for a in data["adjustments"]),
            provisional=tuple(data["provisional"]),
            recounts=tuple(
                Recount(_moment(r["at"]), _moment(r["from_due"]), _moment(r["to_due"]), tuple(r["years"]))
                for r in data["recounts"]
            ),
        )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return local(value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, LimitUnit) else value


def _moment(text: str) -> datetime:
    return local(datetime.fromisoformat(text))


def _limit(data: Mapping[str, Any]) -> Limit:
    return Limit(data["amount"], LimitUnit(data["unit"]))


def _adjustment(data: Mapping[str, Any]) -> Adjustment:
    values: dict[str, Any] = {
        key: _moment(item) if isinstance(item, str) else item for key, item in data.items() if key != "type"
    }
    return _ADJUSTMENTS[data["type"]](**values)


def derive(
    start: datetime,
    *,
    limit: Limit,
    calendar: Calendar,
    lead_in: Limit | None = None,
    name: str = "",
    event: str = "批转",
    policy: str = "",
    version: int = 0,
    legal_basis: str = "",
) -> Derivation:
    """The deadline of a limit that starts at a moment (domain.md §2.13).

    Working days count from the day after the start, to 24:00 of the last; hours elapse from the start itself. With a
    `lead_in` the limit runs when the lead-in has run out: working days add up, and days after hours count from the day
    after these hours end.
    """
    blank = Derivation(
        start=local(start),
        limit=limit,
        lead_in=lead_in,
        name=name,
        event=event,
        policy=policy,
        version=version,
        legal_basis=legal_basis,
        first_day=None,
        last_day=day_of(start),
        due_at=local(start),
    )
    return _run(_run(blank, lead_in, calendar) if lead_in else blank, limit, calendar)


def _run(made: Derivation, limit: Limit, calendar: Calendar) -> Derivation:
    if limit.in_days:
        return run_days(made, limit.amount, calendar)
    return run_hours(made, timedelta(hours=limit.amount))


def run_hours(made: Derivation, elapsed: timedelta) -> Derivation:
    """Move by the time that passes."""
    due = made.due_at + elapsed
    return replace(made, due_at=due, last_day=last_day_before(due))


def run_days(made: Derivation, amount: int, calendar: Calendar) -> Derivation:
    """Move to 24:00 of the n-th working day after the last day reached, and note what lay between."""
    last = calendar.add(made.last_day, amount)
    passed = list(each_day(made.last_day, last))
    first = made.first_day or next(day for day in passed if calendar.is_working(day))
    unknown = {day.year for day in passed if not calendar.known(day.year)}
    return replace(
        made,
        first_day=first,
        last_day=last,
        due_at=end_of(last),
        skipped=_grouped(made.skipped, ((day, calendar.reason(day)) for day in passed if not calendar.is_working(day))),
        made_up=made.made_up + tuple(day for day in passed if day.weekday() >= 5 and calendar.is_working(day)),
        provisional=tuple(sorted(unknown.union(made.provisional))),
    )


def _grouped(skips: tuple[Skip, ...], more: Iterable[tuple[date, str]]) -> tuple[Skip, ...]:
    """Append days off, joining those in a row that share their reason."""
    result = list(skips)
    for day, reason in more:
        if result and result[-1].reason == reason and result[-1].last + ONE_DAY == day:
            result[-1] = replace(result[-1], last=day)
        else:
            result.append(Skip(day, day, reason))
    return tuple(result)
