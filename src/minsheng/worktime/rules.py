"""Working days, deadlines, their reasons and their lights: pure functions of a calendar (design §5; domain.md §2.13).

A day is a day in Asia/Shanghai, whatever zone a moment is given in. Moments must be aware. A limit in working days
starts on the day after its start and ends at 24:00 of its last working day; `due_at` is exclusive: the next 00:00.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from minsheng.worktime import wording
from minsheng.worktime.choices import Light, LimitUnit
from minsheng.worktime.moments import ONE_DAY, day_of, end_of, last_day_before, local

WEEKEND = "周末"
OTHER_REST = "休息日"
# Two years of days: a limit that finds no working day in them is a broken calendar, not a long limit.
_SEARCH_DAYS = 730


def _days(after: date, through: date) -> Iterator[date]:
    for number in range(1, (through - after).days + 1):
        yield after + timedelta(days=number)


# --- calendar -------------------------------------------------------------------------------------


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
        return sum(self.is_working(day) for day in _days(after, through))

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


# --- derivation -----------------------------------------------------------------------------------


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
        return tuple(_days(self.first - ONE_DAY, self.last))

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
        return _run_days(made, limit.amount, calendar)
    return _run_hours(made, timedelta(hours=limit.amount))


def _run_hours(made: Derivation, elapsed: timedelta) -> Derivation:
    due = made.due_at + elapsed
    return replace(made, due_at=due, last_day=last_day_before(due))


def _run_days(made: Derivation, amount: int, calendar: Calendar) -> Derivation:
    """Move to 24:00 of the n-th working day after the last day reached, and note what lay between."""
    last = calendar.add(made.last_day, amount)
    passed = list(_days(made.last_day, last))
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


# --- what moves a deadline ------------------------------------------------------------------------


def with_pause(derivation: Derivation, began: datetime, ended: datetime, calendar: Calendar) -> Derivation:
    """Move the deadline by the working days between the day after the pause began and the day it ended (design §5).

    A deadline in hours moves by the time that passed. Pauses come in their order and begin before the deadline: one
    that has passed cannot be paused away (the caller refuses that; here it is an error).
    """
    began, ended = local(began), local(ended)
    latest = max([derivation.start, *(pause.ended for pause in derivation.pauses)])
    if not latest <= began <= ended:
        raise ValueError("a pause begins after the start and after the pause before it, and ends after it began")
    if began >= derivation.due_at:
        raise ValueError("a deadline that has passed cannot be paused")
    return _paused(derivation, began, ended, calendar)


def _paused(derivation: Derivation, began: datetime, ended: datetime, calendar: Calendar) -> Derivation:
    days, moved = 0, derivation
    if derivation.limit.in_days:
        stood = tuple(_days(day_of(began), day_of(ended)))
        days = sum(calendar.is_working(day) for day in stood)
        moved = _run_days(derivation, days, calendar) if days else derivation
        unknown = {day.year for day in stood if not calendar.known(day.year)}
        moved = replace(moved, provisional=tuple(sorted(unknown.union(moved.provisional))))
    else:
        moved = _run_hours(derivation, ended - began)
    return replace(moved, adjustments=(*derivation.adjustments, Pause(began, ended, days)))


def with_extension(derivation: Derivation, to_date: date, *, granted_at: datetime) -> Derivation:
    """Move the deadline to 24:00 of the approved date, which must be later than the present one (design §5).

    A date named by a person depends on no calendar: what was provisional is so no longer.
    """
    to_due = end_of(to_date)
    if to_due <= derivation.due_at:
        raise ValueError("an extension is to a later date")
    extension = Extension(derivation.due_at, to_due, local(granted_at))
    return replace(
        derivation, last_day=to_date, due_at=to_due, provisional=(), adjustments=(*derivation.adjustments, extension)
    )


def with_rework(derivation: Derivation, days: int, calendar: Calendar, *, given_at: datetime) -> Derivation:
    """At least so many working days from a moment, where less was left: what comes back is never late at once.

    Unlike an extension's, the date is counted, so in a year without a notice it is provisional.
    """
    last = calendar.add(day_of(given_at), days)
    if end_of(last) <= derivation.due_at:
        return derivation
    given = Rework(derivation.due_at, end_of(last), local(given_at), days)
    unknown = {day.year for day in _days(day_of(given_at), last) if not calendar.known(day.year)}
    return replace(
        derivation,
        last_day=last,
        due_at=given.to_due,
        provisional=tuple(sorted(unknown)),
        adjustments=(*derivation.adjustments, given),
    )


def with_cap(derivation: Derivation, due_at: datetime) -> Derivation:
    """No later than the deadline above it (sub-dispatch, design §4); one that is not later comes back as it was."""
    due = local(due_at)
    if derivation.due_at <= due:
        return derivation
    last = last_day_before(due)
    return replace(
        derivation,
        last_day=last,
        due_at=due,
        skipped=tuple(replace(skip, last=min(skip.last, last)) for skip in derivation.skipped if skip.first <= last),
        made_up=tuple(day for day in derivation.made_up if day <= last),
        adjustments=(*derivation.adjustments, Cap(derivation.due_at, due)),
    )


def recompute(
    derivation: Derivation, calendar: Calendar, *, at: datetime, still_since: datetime | None = None
) -> Derivation:
    """The same deadline under the calendar of now, with all that moved it applied again in its order.

    A deadline that has passed at `at` comes back as it was, and none is moved to a moment that has passed: a notice
    makes nobody late for a day gone by (design §5). A move, or a provisional year become known, is noted in `recounts`.
    `still_since`: the clock stands still from there on, so nothing later has passed for it.
    """
    reached = min(at, still_since) if still_since else at
    if derivation.due_at <= reached:
        return derivation
    fresh = derive(
        derivation.start,
        limit=derivation.limit,
        calendar=calendar,
        lead_in=derivation.lead_in,
        name=derivation.name,
        event=derivation.event,
        policy=derivation.policy,
        version=derivation.version,
        legal_basis=derivation.legal_basis,
    )
    fresh = moved_as(fresh, derivation, calendar)
    if fresh.due_at <= reached:
        fresh = replace(derivation, provisional=fresh.provisional)
    settled = tuple(year for year in derivation.provisional if calendar.known(year))
    recounts = derivation.recounts
    if settled or fresh.due_at != derivation.due_at:
        recounts = (*recounts, Recount(local(at), derivation.due_at, fresh.due_at, settled))
    return replace(fresh, recounts=recounts)


def moved_as(fresh: Derivation, derivation: Derivation, calendar: Calendar) -> Derivation:
    """A deadline derived anew, with all that moved another one applied to it in the same order."""
    for adjustment in derivation.adjustments:
        fresh = _again(fresh, adjustment, calendar)
    return fresh


def _again(derivation: Derivation, adjustment: Adjustment, calendar: Calendar) -> Derivation:
    if isinstance(adjustment, Cap):
        return with_cap(derivation, adjustment.to_due)
    if isinstance(adjustment, Pause):
        # No check of its moments: it was rightly granted under the calendar of then.
        return _paused(derivation, adjustment.began, adjustment.ended, calendar)
    if isinstance(adjustment, Rework):
        return _given_again(derivation, adjustment, calendar)
    if adjustment.to_due <= derivation.due_at:
        # The calendar alone now gives more than was granted: the later date stands, the grant stays on record.
        return replace(derivation, adjustments=(*derivation.adjustments, adjustment))
    return with_extension(derivation, last_day_before(adjustment.to_due), granted_at=adjustment.granted_at)


def _given_again(derivation: Derivation, rework: Rework, calendar: Calendar) -> Derivation:
    again = with_rework(derivation, rework.days, calendar, given_at=rework.given_at)
    if again is derivation:  # the calendar alone now gives more: the time given stays on record
        return replace(derivation, adjustments=(*derivation.adjustments, rework))
    return again


# --- lights ---------------------------------------------------------------------------------------


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
