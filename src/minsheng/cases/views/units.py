"""The desk 承办: what came, what is under way by time left, what was sent back, what was asked for; and the week ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from minsheng.accounts.choices import UNIT_ROLES, Role
from minsheng.accounts.models import User
from minsheng.cases import comparing, desk_queries, presenting, queries, reply_rules, work
from minsheng.cases.choices import AskKind, RequestKind, TaskRole, TaskState
from minsheng.cases.models import Task
from minsheng.cases.views.page import open_pane
from minsheng.errors import Refused
from minsheng.ui import times
from minsheng.ui.pages import KeysetPage, keyset_page
from minsheng.ui.rows import Row
from minsheng.worktime import queries as worktime
from minsheng.worktime.choices import Light
from minsheng.worktime.moments import ONE_DAY, day_of
from minsheng.worktime.rules import Calendar, light, remaining

LABELS = {"sign": "待签发", "new": "新到", "work": "在办", "back": "退回重办", "asks": "申请中"}
EMPTY = {
    "sign": ("没有等您签发的回复", "联络员拟好的回复会出现在这里。"),
    "new": ("没有新到的诉求件", "热线批转或上级转办的会出现在这里，请在查阅时限前查阅。"),
    "work": ("没有在办的诉求件", "查阅之后的会出现在这里，快到期的排在最前面。"),
    "back": ("没有退回重办的诉求件", "审核退回或领导未签发的会出现在这里，附退回原因。"),
    "asks": ("没有等待审核的申请", "退件、延期、挂起等申请在热线审核期间会出现在这里。"),
    "below": ("下级单位没有在办的诉求件", "下级单位的承办任务会出现在这里，只供查看。"),
    "day": ("这一天没有到期的诉求件", "点别的日子，或看上面的分栏。"),
}
DAYS_AHEAD = 7


@login_required
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """`/cases/handling/?tab=…&day=…&open=…`. Errors: forbidden for who works for no unit."""
    user: Any = request.user
    if not user.is_unit:
        raise Refused("forbidden", action="打开承办工作台")
    at = timezone.now()
    tallies = desk_queries.stack_tallies(user, at)
    day = _day(request)
    tab = "day" if day else _tab(request, user, tallies)
    page = _page(request, user, tab, day, at)
    context: dict[str, Any] = {
        "desk_title": "承办",
        "tabs": _tabs(user, tallies, tab),
        "page": page,
        "list_url": _url(request, page=request.GET.get("page", "")),
        "week": _week(user, at, day),
        "empty_title": EMPTY[tab][0],
        "empty_text": EMPTY[tab][1],
        **open_pane(request),
    }
    context["to_read"] = _unread(user, context)
    return render(request, "cases/units/desk.html", context)


# --- tabs --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tab:
    """One stack."""

    url: str
    label: str
    count: int | None
    light: str
    current: bool


def _codes(user: User) -> list[str]:
    """Leaders sign first."""
    return ["sign", "new", "work", "back", "asks"] if user.has_role(Role.UNIT_LEADER) else ["new", "work", "back", "asks"]


def _tab(request: HttpRequest, user: User, tallies: dict[str, desk_queries.Tally]) -> str:
    """The one asked for, or the first that holds something to do."""
    asked = request.GET.get("tab", "")
    codes = _codes(user)
    if asked in (*codes, "below"):
        return asked
    return next((code for code in codes if tallies[code].count), "work")


def _tabs(user: User, tallies: dict[str, desk_queries.Tally], current: str) -> list[Tab]:
    url = reverse("cases:handling")
    shown = [
        Tab(f"{url}?tab={code}", LABELS[code], tallies[code].count, tallies[code].light.value, code == current)
        for code in _codes(user)
    ]
    return [*shown, Tab(f"{url}?tab=below", "下级", None, "none", current == "below")]


# --- the list ----------------------------------------------------------------------------------------------------


def _page(request: HttpRequest, user: User, tab: str, day: date | None, at: datetime) -> KeysetPage:
    tasks, order = _tasks(user, tab, day)
    calendar = worktime.calendar()
    found = keyset_page(desk_queries.for_rows(tasks), order, request.GET.get("page", ""))
    return found.map(lambda task: task_row(task, user=user, url=_url(request, open=task.case.number), at=at, calendar=calendar))


def _tasks(user: User, tab: str, day: date | None) -> tuple[QuerySet[Task], Sequence[str]]:
    if day:
        return desk_queries.due_on(desk_queries.unit_tasks(user), day), ("due_at", "id")
    if tab == "below":
        return desk_queries.tasks_below(user), ("due_at", "id")
    order = ("read_due_at", "id") if tab == "new" else ("due_at", "id")
    return desk_queries.unit_tasks(user).filter(desk_queries.STACKS[tab]), order


def _url(request: HttpRequest, **changes: str | None) -> str:
    """This list with other parameters; empty ones are left out."""
    kept = {name: request.GET.get(name, "") for name in ("tab", "day", "page")}
    wanted = {name: value for name, value in (kept | changes).items() if value}
    return f"{request.path}?{urlencode(wanted)}" if wanted else request.path


def task_row(task: Any, *, user: User, url: str, at: datetime, calendar: Calendar) -> Row:
    """A row of a list of tasks: an unread one by its reading limit, any other by its own. `for_rows` loads what it shows."""
    case = task.case
    unread = task.state == TaskState.TO_READ
    shone, left, why = _reading(task, at, calendar) if unread else _handling(task, at, calendar)
    return Row(
        url=url,
        number=case.number or "",
        title=presenting.shown_title(user, case),
        kind=RequestKind(case.kind).label,
        topic=case.topic.name if case.topic else "未定主题",
        place=presenting.place_words(case.place),
        unit=task.unit.name if task.unit_id != user.unit_id else _part(task),
        light=shone.value,
        left=left,
        why=why,
        state=_row_state(task),
        unread=unread,
        extras=tuple(_extras(task, at)),
    )


def _reading(task: Task, at: datetime, calendar: Calendar) -> tuple[Light, str, str]:
    shone = light(at, task.assigned_at, task.read_due_at)
    return shone, f"查阅{remaining(at, task.read_due_at, calendar)}", presenting.why(task.read_derivation)


def _handling(task: Task, at: datetime, calendar: Calendar) -> tuple[Light, str, str]:
    if task.state == TaskState.PAUSED:
        return Light.NONE, "时限暂停", presenting.why(task.derivation)
    shone = presenting.light_by(at, yellow=task.yellow_at, orange=task.orange_at, due=task.due_at)
    return shone, remaining(at, task.due_at, calendar), presenting.why(task.derivation)


def _part(task: Task) -> str:
    """Nothing for the lead, whose part is the usual one."""
    return "" if task.role == TaskRole.LEAD else TaskRole(task.role).label


def _row_state(task: Any) -> TaskState | None:
    """Only what the stack does not say already."""
    return TaskState(task.state) if task.state in (TaskState.PAUSED, TaskState.SENT_BACK, TaskState.RETURN_REQUESTED) else None


def _extras(task: Any, at: datetime) -> list[str]:
    marks = []
    if task.case.urgency_rank < 2:
        marks.append(task.case.get_urgency_display())
    if task.state == TaskState.TO_READ:
        marks.append(f"{times.due(task.due_at, at)}{'办结' if task.role == TaskRole.LEAD else '报送'}")
    if task.first_measures_due_at and not task.first_measures_at:
        marks.append(f"先行处置 {times.due(task.first_measures_due_at, at)}")
    if task.to_sign:
        marks.append("待领导签发")
    if task.unsigned:
        marks.append("领导未签发")
    if task.asking:
        marks.append(f"{AskKind(task.asking).label}申请待审核")
    if task.provisional:
        marks.append("暂定")
    return marks


# --- the week ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DayCell:
    """One day of the strip: how much falls due, and whether anybody works."""

    url: str
    label: str
    count: int
    rest: str
    today: bool
    current: bool


def _week(user: User, at: datetime, chosen: date | None) -> dict[str, Any]:
    """Today and the six days after it, and how many are over already."""
    today, calendar = day_of(at), worktime.calendar()
    due = desk_queries.due_by_day(user, today, DAYS_AHEAD)
    cells = []
    for day in (today + n * ONE_DAY for n in range(DAYS_AHEAD)):
        cells.append(
            DayCell(
                url=f"{reverse('cases:handling')}?day={day.isoformat()}",
                label="今天" if day == today else times.day(day, today),
                count=due.get(day, 0),
                rest="" if calendar.is_working(day) else calendar.reason(day),
                today=day == today,
                current=day == chosen,
            )
        )
    return {"days": cells, "overdue": due.get(today - ONE_DAY, 0)}


def _day(request: HttpRequest) -> date | None:
    """A damaged day is no day: the stacks are shown."""
    try:
        return date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        return None


# --- reading at one press, hints while writing -------------------------------------------------------------------


def _unread(user: User, context: dict[str, Any]) -> Task | None:
    """The unit's own unread task of the open case: its content is shown, and one press reads it."""
    if not context.get("open"):
        return None
    tasks = context["body"]["view"].situation.tasks
    mine = (t for t in tasks if t.unit_id == user.unit_id and t.state == TaskState.TO_READ)
    return next(mine, None) if user.has_any(UNIT_ROLES) else None


@login_required
@require_POST
def reply_hints(request: HttpRequest, number: str) -> HttpResponse:
    """What catches the eye in a reply while it is written; nothing is kept. Errors: not_found."""
    user: Any = request.user
    case = queries.case_for(user, number)
    situation = work.situation_of(case, actor=user, at=timezone.now())
    hints = reply_rules.reply_hints(
        request.POST.get("text", "")[:10000],
        basis=request.POST.get("basis", "")[:2000],
        contacted=comparing.is_contacted(situation),
    )
    return render(request, "cases/units/hints.html", {"hints": hints})
