"""What happened at a unit's desk while a person was away: what came, what came back and why, how asks were decided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from minsheng.cases import desk_queries, presenting
from minsheng.cases.choices import AskKind, AskState, CaseState
from minsheng.cases.models import TimelineEntry
from minsheng.cases.models.reference import ReasonList
from minsheng.cases.reference_queries import reason_labels
from minsheng.ui import times
from minsheng.worktime.moments import day_of, local

if TYPE_CHECKING:
    from minsheng.accounts.models import User

_REASONS_NAMED = 3
_DUE_WITHIN = 4  # days ahead in which the next day that something is due is looked for: over a weekend


@dataclass(frozen=True, slots=True)
class Item:
    """One part of the line: words, and the stack in which they are found."""

    words: str
    tab: str = ""
    day: str = ""
    pressing: bool = False


@dataclass(frozen=True, slots=True)
class News:
    """The line: since when, and its parts; none where nothing happened."""

    since: str
    items: list[Item]


def news(user: User, *, since: datetime | None, at: datetime, due: dict[date, int]) -> News:
    """Since the last visit, else as things stand. Four queries; `due` is that of the week's strip."""
    items = _happened(user, since) if since else []
    return News(_when(since, at) if since else "", [*items, *_falling_due(due, at)])


def _when(since: datetime, at: datetime) -> str:
    days = (day_of(at) - day_of(since)).days
    if days > 1:
        return f"自 {times.moment(since, at)} 以来"
    return f"自{'昨天' if days else '今天'} {local(since):%H:%M} 以来"


def _happened(user: User, since: datetime) -> list[Item]:
    tasks = desk_queries.unit_tasks(user)
    new = tasks.filter(assigned_at__gt=since, state="to_read").count()
    items = [Item(f"新到 {new}", "new")] if new else []
    return [*items, *_back(user, since), *_decided(user, since), *_urged(user, since)]


def _back(user: User, since: datetime) -> list[Item]:
    """Which of those that lie in 退回重办 came there since, and why."""
    back = desk_queries.with_why_back(desk_queries.unit_tasks(user).filter(desk_queries.STACKS["back"]))
    every: Iterable[Any] = back.select_related("case")
    found = [task for task in every if task.back_at and task.back_at > since]
    labels = reason_labels() if found else {}
    said = list(dict.fromkeys(why for task in found if (why := why_back(user, task, labels, short=True))))
    because = f"（{'；'.join(said[:_REASONS_NAMED])}{'……' if len(said) > _REASONS_NAMED else ''}）" if said else ""
    return [Item(f"退回 {len(found)}{because}", "back", pressing=True)] if found else []


def _decided(user: User, since: datetime) -> list[Item]:
    counts: dict[tuple[str, str], int] = {}
    for kind, state in desk_queries.asks_of_unit(user, since=since).filter(decided_at__gt=since).values_list("kind", "state"):
        counts[kind, state] = counts.get((kind, state), 0) + 1
    return [
        Item(f"{AskKind(kind).label}{AskState(state).label} {n}", "asks", pressing=state == AskState.REFUSED)
        for (kind, state), n in sorted(counts.items())
    ]


def _urged(user: User, since: datetime) -> list[Item]:
    cases = desk_queries.unit_tasks(user).filter(case__state=CaseState.IN_HANDLING).values("case")
    n = TimelineEntry.objects.filter(case__in=cases, code="urge", at__gt=since).values("case").distinct().count()
    return [Item(f"被催办 {n}", "work", pressing=True)] if n else []


def _falling_due(due: dict[date, int], at: datetime) -> list[Item]:
    """What ends today, and on the next day on which anything ends."""
    today = day_of(at)
    ahead = [day for day in sorted(due) if day >= today and due[day] and (day - today).days <= _DUE_WITHIN]
    shown = [day for day in ahead if day == today] + [day for day in ahead if day > today][:1]
    return [Item(f"{_day_words(day, today)}到期 {due[day]}", day=day.isoformat(), pressing=day == today) for day in shown]


def _day_words(day: date, today: date) -> str:
    return {0: "今天", 1: "明天"}.get((day - today).days) or times.day(day, today)


def why_back(user: User, task: Any, labels: dict[tuple[str, str], str], *, short: bool = False) -> str:
    """Why it came back, in words: the auditor's reasons and remark, the leader's, or the upper unit's.

    `task` comes from `with_why_back`; `short` leaves the remark out where there is a reason of the list.
    """
    reasons = "、".join(labels.get((ReasonList.REPLY_REFUSAL, code), code) for code in task.back_reasons or ())
    note = presenting.staff_words(user, task.case, task.back_note or task.report_back_note or "")
    if short and reasons:
        return reasons
    return "：".join(part for part in (reasons, note) if part)
