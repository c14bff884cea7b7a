"""What the rest of the house asks about time: the calendar, the limit that applies, the years still without a notice.

Calendar and policies are small and read all the time, so each process keeps them and asks the database every
PROBE_SECONDS, in one query over their append-only histories, whether anything has changed. A change made by this
process is seen at once; one that is not committed yet is seen by its own transaction only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from time import monotonic

from django.db import connection, transaction

from minsheng.errors import Refused
from minsheng.worktime.choices import Clock
from minsheng.worktime.models import CalendarDay, CalendarYear, LimitPolicy
from minsheng.worktime.moments import day_of
from minsheng.worktime.rules import Calendar, Derivation, Limit, derive

PROBE_SECONDS = 2.0
# Notices appear in late October or November; a limit with its extensions can reach about two months ahead.
HORIZON = timedelta(days=60)
# Rows of a history are never deleted, but may commit out of order: the count shows a late one that the maximum hides.
_VERSION_SQL = """
    SELECT (SELECT count(*) FROM worktime_calendaryearevent), (SELECT max(pgh_id) FROM worktime_calendaryearevent),
           (SELECT count(*) FROM worktime_calendardayevent), (SELECT max(pgh_id) FROM worktime_calendardayevent),
           (SELECT count(*) FROM worktime_limitpolicyevent), (SELECT max(pgh_id) FROM worktime_limitpolicyevent)
"""
_SEPARATORS = frozenset(".-/")

_Version = tuple[int | None, ...]


@dataclass(frozen=True)
class _Snapshot:
    version: _Version
    calendar: Calendar
    policies: tuple[LimitPolicy, ...]


@dataclass
class _Shared:
    """What this process last read, and when it last made sure of it."""

    snapshot: _Snapshot | None = None
    checked: float = 0.0


_shared = _Shared()


class _Change:
    """Stands in the list of things to do on commit while a change is uncommitted; a rollback takes it out again.

    So its presence says whether this transaction has changed something, and what was read since belongs to it alone.
    """

    snapshot: _Snapshot | None = None

    def __call__(self) -> None:
        _shared.snapshot = None


def forget() -> None:
    """Called by every action here after it has written: what was read before is no longer true."""
    transaction.on_commit(_Change())


def _uncommitted() -> _Change | None:
    waiting = (entry[1] for entry in reversed(connection.run_on_commit))
    return next((function for function in waiting if isinstance(function, _Change)), None)


def _current() -> _Snapshot:
    change = _uncommitted()
    if change is not None:
        change.snapshot = change.snapshot or _read(_version())
        return change.snapshot
    snapshot, now = _shared.snapshot, monotonic()
    if snapshot is not None and now - _shared.checked < PROBE_SECONDS:
        return snapshot
    # The version is read before the rows: a change between the two is found by the next probe.
    version = _version()
    if snapshot is None or snapshot.version != version:
        snapshot = _read(version)
    _shared.snapshot, _shared.checked = snapshot, now
    return snapshot


def _version() -> _Version:
    with connection.cursor() as cursor:
        cursor.execute(_VERSION_SQL)
        row: _Version = cursor.fetchone()
    return row


def _read(version: _Version) -> _Snapshot:
    days = list(CalendarDay.objects.values_list("date", "working", "name"))
    return _Snapshot(
        version=version,
        calendar=Calendar(
            days={day: working for day, working, _ in days},
            years=frozenset(CalendarYear.objects.values_list("year", flat=True)),
            names={day: name for day, _, name in days if name},
        ),
        policies=tuple(LimitPolicy.objects.all()),
    )


def calendar() -> Calendar:
    """The calendar as it is now; usually without a query."""
    return _current().calendar


def years_missing(at: datetime, *, horizon: timedelta = HORIZON) -> list[int]:
    """Years that deadlines given now may reach, without a notice: an alarm to the administrator (design §5)."""
    known = calendar().known
    return [year for year in range(day_of(at).year, day_of(at + horizon).year + 1) if not known(year)]


def policy_for(
    *, clock: str, at: datetime, kind: str = "", topic_code: str = "", on_list: bool = False, urgency: str = ""
) -> LimitPolicy:
    """The most specific policy in force at `at` (the moment of acceptance: domain.md §11, last but two).

    A policy applies when each thing it names agrees with the case. Of those that apply, the one that names more
    important things wins, in this order: the topic (a longer code before a shorter one: statutes speak of topics), the
    urgency, the convenience list, the kind. Raises Refused("no_policy") where none applies.
    """
    day = day_of(at)
    found = [
        policy
        for policy in _current().policies
        if policy.clock == clock
        and _in_force(policy, day)
        and policy.kind in ("", kind)
        and policy.urgency in ("", urgency)
        and policy.on_convenience_list in (None, on_list)
        and covers_topic(policy.topic_code, topic_code)
    ]
    if not found:
        raise Refused("no_policy", clock=Clock(clock).label)
    return max(found, key=_specificity)


def _in_force(policy: LimitPolicy, day: date) -> bool:
    return policy.effective_from <= day and (policy.effective_to is None or day < policy.effective_to)


def _specificity(policy: LimitPolicy) -> tuple[int, bool, bool, bool]:
    return (
        len(policy.topic_code),
        bool(policy.urgency),
        policy.on_convenience_list is not None,
        bool(policy.kind),
    )


def covers_topic(prefix: str, topic_code: str) -> bool:
    """Whether a topic is the named one or below it: “0102” covers “010203”, and “a.b” covers “a.b.c” but not “a.bc”."""
    if not topic_code.startswith(prefix):
        return False
    rest = topic_code[len(prefix) :]
    if not prefix or not rest or not _SEPARATORS & set(topic_code):
        return True
    return rest[0] in _SEPARATORS or prefix[-1] in _SEPARATORS


def limit_for(
    *, clock: str, at: datetime, kind: str = "", topic_code: str = "", on_list: bool = False, urgency: str = ""
) -> tuple[Limit, LimitPolicy]:
    """The limit of policy_for, and the policy itself."""
    policy = policy_for(clock=clock, at=at, kind=kind, topic_code=topic_code, on_list=on_list, urgency=urgency)
    return policy.limit, policy


def deadline(policy: LimitPolicy, start: datetime, *, lead_in: Limit | None = None, event: str = "") -> Derivation:
    """The deadline that a policy gives from a moment, under the calendar of now.

    `event` names what starts it, where that is not the usual thing for the policy's clock: the citizen's clock passes
    the dispatch limit as `lead_in`, and "受理".
    """
    return derive(
        start,
        limit=policy.limit,
        calendar=calendar(),
        lead_in=lead_in,
        name=policy.name,
        event=event or Clock(policy.clock).started_by,
        policy=policy.code,
        version=policy.version,
        legal_basis=policy.legal_basis,
    )
