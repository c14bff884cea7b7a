"""What moves a deadline: pauses, extensions, rework, a cut to the deadline above, a year's notice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from minsheng.worktime.moments import day_of, end_of, last_day_before, local
from minsheng.worktime.rules.calendar import Calendar, each_day
from minsheng.worktime.rules.derivation import (
    Adjustment,
    Cap,
    Derivation,
    Extension,
    Pause,
    Recount,
    Rework,
    derive,
    run_days,
    run_hours,
)


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
        stood = tuple(each_day(day_of(began), day_of(ended)))
        days = sum(calendar.is_working(day) for day in stood)
        moved = run_days(derivation, days, calendar) if days else derivation
        unknown = {day.year for day in stood if not calendar.known(day.year)}
        moved = replace(moved, provisional=tuple(sorted(unknown.union(moved.provisional))))
    else:
        moved = run_hours(derivation, ended - began)
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
    unknown = {day.year for day in each_day(day_of(given_at), last) if not calendar.known(day.year)}
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
