"""Every write to the calendar and to the limit policies. An actor of None is the installation itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from django.db import connection, transaction
from django.db.models import Q

from minsheng.errors import Refused
from minsheng.worktime import queries
from minsheng.worktime.choices import Clock, DayKind, LimitUnit
from minsheng.worktime.models import CalendarDay, CalendarYear, LimitPolicy
from minsheng.worktime.moments import day_of
from minsheng.worktime.rules import Calendar


class CalendarHook(Protocol):
    """Called in the transaction of every calendar change, after it."""

    def __call__(self, *, actor: Any, at: datetime, calendar: Calendar) -> None:
        """What to do: note that open deadlines are to be recomputed, or recompute them if they are few."""


# Higher rooms append theirs when their app is ready. The change and what the hooks write commit together or not at all.
on_calendar_changed: list[CalendarHook] = []


@dataclass(frozen=True)
class NamedDay:
    """A day as a notice names it: off, or worked on a weekend."""

    date: date
    working: bool
    name: str


def _allow(actor: Any, permission: str, action: str) -> None:
    """Permissions are Django's, so that this room need not know the roles of another."""
    if actor is not None and not actor.has_perm(f"worktime.{permission}"):
        raise Refused("forbidden", action=action)


def _lock(model: type[CalendarDay] | type[CalendarYear] | type[LimitPolicy]) -> None:
    """One writer at a time, readers untouched: these tables change a few times a year."""
    with connection.cursor() as cursor:
        cursor.execute(f'LOCK TABLE "{model._meta.db_table}" IN SHARE ROW EXCLUSIVE MODE')


def _calendar_changed(*, actor: Any, at: datetime) -> None:
    queries.forget()
    for hook in on_calendar_changed:
        hook(actor=actor, at=at, calendar=queries.calendar())


@transaction.atomic
def load_year(*, actor: Any, at: datetime, year: int, days: Iterable[NamedDay], notice: str) -> CalendarYear:
    """Load the State Council's notice for a year, in place of all that was known of it (design §5).

    Refused: forbidden, invalid. Locks the calendar. Deadlines that have passed stay; open ones are the hooks' concern.
    """
    _allow(actor, "add_calendaryear", "录入放假安排")
    named = sorted(days, key=lambda day: day.date)
    check_notice(year, named, notice)
    _lock(CalendarDay)
    loaded, _ = CalendarYear.objects.update_or_create(
        year=year, defaults={"notice": notice.strip(), "loaded_at": at, "loaded_by": actor}
    )
    CalendarDay.objects.filter(
        Q(date__year=year, notice=None) | Q(notice=loaded) | Q(date__in=[day.date for day in named])
    ).delete()
    CalendarDay.objects.bulk_create(
        CalendarDay(
            date=day.date,
            working=day.working,
            name=day.name,
            kind=DayKind.MAKE_UP if day.working else DayKind.HOLIDAY,
            notice=loaded,
            edited_at=at,
            edited_by=actor,
        )
        for day in named
    )
    _calendar_changed(actor=actor, at=at)
    return loaded


def check_notice(year: int, days: list[NamedDay], notice: str) -> None:
    """Refuse a list that cannot be a notice for the year: the slips of who types it in."""
    if not notice.strip():
        raise Refused("invalid", message="请写明通知文号。")
    if not any(not day.working and day.date.year == year for day in days):
        raise Refused("invalid", message=f"没有 {year} 年的放假日期。")
    seen: set[date] = set()
    for day in days:
        words = day.date.isoformat()
        # New Year's notice may begin on the last days of the December before.
        if day.date.year != year and (day.date.year, day.date.month) != (year - 1, 12):
            raise Refused("invalid", message=f"{words} 不属于 {year} 年的放假安排。")
        if day.date in seen:
            raise Refused("invalid", message=f"{words} 写了两次。")
        if day.working and day.date.weekday() < 5:
            raise Refused("invalid", message=f"{words} 不是周末，不会是调休上班日，请核对。")
        if not day.name.strip():
            raise Refused("invalid", message=f"{words} 没有写名称。")
        seen.add(day.date)


@transaction.atomic
def set_day(*, actor: Any, at: datetime, day: date, working: bool, name: str) -> CalendarDay:
    """Set one day by hand, as when a typhoon closes offices (design §5).

    Refused: forbidden, invalid. Locks the calendar.
    """
    _allow(actor, "change_calendarday", "修改日历")
    if not name.strip():
        raise Refused("invalid", message="请写明这一天为何调整。")
    _lock(CalendarDay)
    set_to = {"working": working, "name": name.strip(), "kind": DayKind.ADJUSTED, "edited_at": at, "edited_by": actor}
    row, _ = CalendarDay.objects.update_or_create(date=day, defaults=set_to)
    _calendar_changed(actor=actor, at=at)
    return row


@transaction.atomic
def publish_policy(
    *,
    actor: Any,
    at: datetime,
    code: str,
    name: str,
    clock: str,
    amount: int,
    effective_from: date,
    unit: str = LimitUnit.WORKING_DAYS,
    kind: str = "",
    topic_code: str = "",
    on_convenience_list: bool | None = None,
    urgency: str = "",
    legal_basis: str = "",
    source: str = "",
    is_sourced: bool = False,
) -> LimitPolicy:
    """Publish the first or the next version of a limit; the version before it ends on the day this one begins.

    A next version begins today or later: the limit of what is accepted already does not change. Refused: forbidden,
    invalid, policy_dates, policy_twin (another code asks for exactly the same cases at that time). Locks the policies.
    """
    _allow(actor, "add_limitpolicy", "发布时限规则")
    policy = LimitPolicy(
        code=code.strip(),
        version=1,
        name=name.strip(),
        clock=clock,
        kind=kind,
        topic_code=topic_code.strip(),
        on_convenience_list=on_convenience_list,
        urgency=urgency,
        amount=amount,
        unit=unit,
        legal_basis=legal_basis,
        source=source,
        is_sourced=is_sourced,
        effective_from=effective_from,
        published_at=at,
        published_by=actor,
    )
    _check_policy(policy)
    _lock(LimitPolicy)
    _refuse_twin(policy)
    before = LimitPolicy.objects.filter(code=policy.code).order_by("-version").first()
    if before is not None:
        _end(before, effective_from, at)
        policy.version = before.version + 1
    policy.save(force_insert=True)
    queries.forget()
    return policy


def _check_policy(policy: LimitPolicy) -> None:
    if not policy.code or not policy.name:
        raise Refused("invalid", message="时限规则要有代码和名称。")
    if policy.clock not in Clock.values or policy.unit not in LimitUnit.values:
        raise Refused("invalid", message="没有这种时限类型或单位。")
    if not 1 <= policy.amount <= 1000:
        raise Refused("invalid", message="时限数量应在 1 到 1000 之间。")


def _refuse_twin(policy: LimitPolicy) -> None:
    twin = (
        LimitPolicy.objects.filter(
            Q(effective_to=None) | Q(effective_to__gt=policy.effective_from),
            clock=policy.clock,
            kind=policy.kind,
            topic_code=policy.topic_code,
            on_convenience_list=policy.on_convenience_list,
            urgency=policy.urgency,
        )
        .exclude(code=policy.code)
        .first()
    )
    if twin is not None:
        raise Refused("policy_twin", name=twin.name, twin=twin.code)


def _end(policy: LimitPolicy, on: date, at: datetime) -> None:
    if on <= policy.effective_from or on < day_of(at):
        raise Refused("policy_dates", day=max(policy.effective_from, day_of(at)).isoformat())
    if policy.effective_to is None or policy.effective_to > on:
        policy.effective_to = on
        policy.save(update_fields=["effective_to"])


@transaction.atomic
def end_policy(*, actor: Any, at: datetime, code: str, effective_to: date) -> LimitPolicy:
    """Let a limit end without a next version: a more general one applies from that day.

    Refused: forbidden, not_found, policy_dates. Locks the policies.
    """
    _allow(actor, "change_limitpolicy", "停用时限规则")
    _lock(LimitPolicy)
    policy = LimitPolicy.objects.filter(code=code, effective_to=None).first()
    if policy is None:
        raise Refused("not_found")
    _end(policy, effective_to, at)
    queries.forget()
    return policy
