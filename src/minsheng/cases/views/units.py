"""The desk 承办: what came, what is under way by time left, what was sent back, what was asked for; and the week ahead."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.cases import (
    actions,
    bulk,
    comparing,
    desk_queries,
    lists,
    queries,
    reply_rules,
    unit_news,
    work,
    workflow,
)
from minsheng.cases.choices import CaseState, TaskRole, TaskState
from minsheng.cases.filters import EARLIEST, LATEST
from minsheng.cases.guards import Situation
from minsheng.cases.models import Ask, Task
from minsheng.cases.panels.replying import SignReplyPanel
from minsheng.cases.reference_queries import reason_labels
from minsheng.cases.scope import alike
from minsheng.cases.views.page import list_url, open_pane, row_url
from minsheng.cases.views.unit_rows import ask_row, task_row
from minsheng.errors import Refused
from minsheng.ui import times
from minsheng.ui.pages import KeysetPage
from minsheng.ui.rows import Row
from minsheng.worktime import queries as worktime
from minsheng.worktime.moments import ONE_DAY, day_of

LABELS = {"sign": "待签发", "new": "新到", "work": "在办", "back": "退回重办", "asks": "申请中"}
EMPTY = {
    "sign": ("没有等您签发的回复", "联络员拟好的回复会出现在这里。"),
    "new": ("没有新到的诉求件", "热线批转或上级转办的会出现在这里，请在查阅时限前查阅。"),
    "work": ("没有在办的诉求件", "查阅之后的会出现在这里，快到期的排在最前面。"),
    "back": ("没有退回重办的诉求件", "审核退回或领导未签发的会出现在这里，附退回原因。"),
    "asks": ("没有等待审核的申请", "退件、延期、挂起等申请会出现在这里；审核之后怎么定的，两周内也在这里。"),
    "below": ("下级单位没有在办的诉求件", "下级单位的承办任务会出现在这里，只供查看。"),
    "day": ("这一天没有到期的诉求件", "点别的日子，或看上面的分栏。"),
}
DAYS_AHEAD = 7
DECIDED_SHOWN = timedelta(days=14)  # so long an answered ask stays in its stack


@login_required
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """`/cases/handling/?tab=…&day=…&open=…`. Errors: forbidden for who works for no unit."""
    user: Any = request.user
    _refuse_others(user)
    at = timezone.now()
    tallies = desk_queries.stack_tallies(user, at)
    day = _day(request.GET)
    tab = "day" if day else _tab(request.GET, user, tallies)
    shown = lists.opened(request, ASKS if tab == "asks" else LIST, at)
    if shown.elsewhere and (tab == "asks" or not shown.own()):
        return redirect(shown.elsewhere)
    if tab not in ("day", "asks") and not request.GET.get("tab"):  # what opens by itself is as good as asked for
        shown = replace(shown, params=_with_tab(request.GET, tab))
    page = _asks(request, shown) if tab == "asks" else _page(request, shown)
    due = desk_queries.due_by_day(user, day_of(at), DAYS_AHEAD)
    context: dict[str, Any] = {
        "desk_title": "承办",
        "tabs": _tabs(user, tallies, tab),
        "page": page,
        "list_url": list_url(request),
        "list": shown,
        "shared": "" if tab == "asks" else shown.shared(request),
        "bulk": bulk.offers(user, "sub_dispatch") if tab in ("work", "back", "day") else [],
        "news": unit_news.news(user, since=_since(request, user, at), at=at, due=due),
        "week": _week(due, at, day),
        "empty_title": EMPTY[tab][0],
        "empty_text": EMPTY[tab][1],
        **open_pane(request),
    }
    if context["open"]:
        context |= _beside(page, context["open"], context["list_url"], tab) | _to_do(user, context, at)
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


def _tab(params: QueryDict, user: User, tallies: dict[str, desk_queries.Tally]) -> str:
    """The one asked for, or the first that holds something to do."""
    asked = params.get("tab", "")
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


def _page(request: HttpRequest, shown: lists.Shown) -> KeysetPage:
    calendar = worktime.calendar()
    labels = reason_labels() if shown.params.get("tab") == "back" and not _day(shown.params) else None

    def row(task: Task) -> Row:
        url = row_url(request, task.case.number or "")
        made = task_row(task, user=shown.user, url=url, at=shown.at, calendar=calendar, labels=labels)
        return shown.with_cells(made, task.case, task)

    return shown.drawn(row)


def _asks(request: HttpRequest, shown: lists.Shown) -> KeysetPage:
    calendar = worktime.calendar()

    def row(ask: Ask) -> Row:
        case = ask.task.case
        made = ask_row(ask, user=shown.user, url=row_url(request, case.number or ""), at=shown.at, calendar=calendar)
        return shown.with_cells(made, case, ask.task)

    return shown.page().map(row)


def _refuse_others(user: User) -> None:
    if not user.is_unit:
        raise Refused("forbidden", action="打开承办工作台")


def _ask_rows(user: Any, params: QueryDict, at: datetime) -> tuple[QuerySet[Ask], lists.Order]:
    """What the unit asks for, and how it was decided lately; the latest move first."""
    _refuse_others(user)
    return desk_queries.asks_of_unit(user, since=at - DECIDED_SHOWN), ("-moved_at", "-id")


def _rows(user: Any, params: QueryDict, at: datetime) -> tuple[QuerySet[Task], lists.Order]:
    """A stack of the unit's tasks, those of one day, or of the units below."""
    _refuse_others(user)
    tab, day = params.get("tab", ""), _day(params)
    if day:
        return desk_queries.for_rows(desk_queries.due_on(desk_queries.unit_tasks(user), day)), ("due_at", "id")
    if tab == "below":
        return desk_queries.for_rows(desk_queries.tasks_below(user)), ("due_at", "id")
    tab = tab if tab in desk_queries.STACKS else "work"
    order = ("read_due_at", "id") if tab == "new" else ("due_at", "id")
    tasks = desk_queries.unit_tasks(user).filter(desk_queries.STACKS[tab])
    return desk_queries.for_rows(desk_queries.with_why_back(tasks) if tab == "back" else tasks), order


def _with_tab(params: QueryDict, tab: str) -> QueryDict:
    """The address as if the stack that opened by itself had been asked for: its filters and exports then mean that one."""
    told = params.copy()
    told["tab"] = tab
    return told


LIST = lists.register(
    lists.CaseList(
        code="handling",
        title="承办",
        url="cases:handling",
        rows=_rows,
        fields=("task_state", "kind", "urgency", "light", "channel", "topic", "place", "unit", "received", "due"),
        sorts={
            "due": lists.Sort("办理时限", "due_at"),
            "assigned": lists.Sort("批转时间", "assigned_at"),
            "received": lists.Sort("收件时间", "case__received_at"),
        },
        own=("tab", "day"),
        to_case="case__",
        to_task="",
        own_sort="快到期的在前",
        alike=alike,
    )
)
# All of one unit, the person's own; the state of the case is another's business than how the ask stands.
ASKS = lists.register(
    lists.CaseList(
        code="unit_asks",
        title="本单位的申请",
        url="cases:handling",
        rows=_ask_rows,
        fields=("ask_kind", "ask_state", *(name for name in lists.CASE_FIELDS if name != "unit")),
        only={"state": tuple(state for state in CaseState if state != CaseState.TO_ACCEPT)},
        sorts={
            "asked": lists.Sort("申请时间", "asked_at"),
            "decided": lists.Sort("审核时间", "decided_at"),
            "due": lists.Sort("办理时限", "task__due_at"),
            "received": lists.Sort("收件时间", "task__case__received_at"),
        },
        fixed=(("tab", "asks"),),
        to_case="task__case__",
        to_task="task__",
        clock="asking",
        own_sort="最近有变化的在前",
        unit=("", ""),
    )
)


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


def _week(due: dict[date, int], at: datetime, chosen: date | None) -> dict[str, Any]:
    """Today and the six days after it, and how many are over already."""
    today, calendar = day_of(at), worktime.calendar()
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


def _day(params: QueryDict) -> date | None:
    """A damaged day is no day: the stacks are shown."""
    try:
        day = date.fromisoformat(params.get("day", ""))
    except ValueError:
        return None
    return day if EARLIEST <= day <= LATEST else None


# --- reading at one press, hints while writing -------------------------------------------------------------------


def _since(request: HttpRequest, user: User, at: datetime) -> datetime | None:
    """When the last visit ended. Parts fetched by a page that stands open are no visit: nobody may be before it."""
    if getattr(request, "htmx", False) or request.headers.get("X-Background"):
        return desk_queries.before_this_visit(user)
    return actions.note_visit(actor=user, at=at)


def _beside(page: KeysetPage, number: str, list_url: str, tab: str) -> dict[str, Any]:
    """The cases before and after the open one in this list, and where to go once it is read or signed."""
    urls = {row.number: row.url for row in page.rows}
    order = list(urls)
    at = order.index(number) if number in urls else -1
    following = order[at + 1] if at + 1 < len(order) else ""
    before = order[at - 1] if at > 0 else ""
    then = urls.get(following or before, list_url) if tab in ("new", "sign") else ""
    return {
        "place_in_list": f"{at + 1}/{len(order)}" if at >= 0 else "",
        "next_url": urls.get(following, ""),
        "previous_url": urls.get(before, ""),
        "then": then,
    }


def _to_do(user: User, context: dict[str, Any], at: datetime) -> dict[str, Any]:
    """What one press does with the open case: read the unit's own unread task, or sign its reply."""
    situation = context["body"]["view"].situation
    mine = [task for task in situation.tasks if task.unit_id == user.unit_id]
    unread = next((task for task in mine if task.state == TaskState.TO_READ), None)
    lead = next((task for task in mine if task.role == TaskRole.LEAD and task.round == situation.case.round), None)
    return {"to_read": unread, "to_sign": _signing(replace(situation, task=lead)) if lead else None}


def _signing(situation: Situation) -> dict[str, Any] | None:
    """The reply that waits for this leader's signature with all it rests on; `hindrance` says why it cannot be signed yet."""
    row = workflow.BY_CODE["sign_reply"]
    panel = SignReplyPanel(situation=situation, row=row)
    if panel.reply is None or not situation.has(Role.UNIT_LEADER):
        return None
    try:
        workflow.check(row, situation)
    except Refused as refusal:
        return {"panel": panel, "task": situation.the_task, "hindrance": refusal.sentence}
    return {"panel": panel, "task": situation.the_task, "hindrance": ""}


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
