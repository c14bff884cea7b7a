"""The desk 审核: replies beside the citizen's words, and what units ask for, each with its own waiting time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.cases import comparing, desk_queries, guards, lists, presenting, shown_clocks
from minsheng.cases.choices import AskKind, AskState, CaseState, RequestKind, TaskState
from minsheng.cases.guards import Situation
from minsheng.cases.lights import LEVELS
from minsheng.cases.models import Ask, Case, Task
from minsheng.cases.views.page import list_url, open_pane, row_url
from minsheng.errors import Refused
from minsheng.ui import times
from minsheng.ui.pages import KeysetPage
from minsheng.ui.rows import Row
from minsheng.worktime import queries as worktime
from minsheng.worktime.choices import Light
from minsheng.worktime.rules import Calendar

OWN = "本人批转，须他人审核"
AUDITING = (Role.AUDITOR, Role.HOTLINE_LEADER)


@login_required
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """`/cases/audits/?tab=replies|asks&ask=…&open=…`. Errors: forbidden."""
    user: Any = request.user
    if not user.has_role(*AUDITING):
        raise Refused("forbidden", action="打开审核工作台")
    at = timezone.now()
    tallies = desk_queries.audit_tallies(user, at)
    tab = _tab(request, user, tallies)
    shown = lists.opened(request, REPLIES if tab == "replies" else ASKS, at)
    if shown.elsewhere and not request.GET.get("ask"):
        return redirect(shown.elsewhere)
    kind = _asked_kind(request.GET)
    page = _replies(request, shown) if tab == "replies" else _asks(request, shown)
    context: dict[str, Any] = {
        "desk_title": "审核",
        "tabs": _tabs(user, tallies, tab),
        "kinds": _kinds(user, tallies, kind) if tab == "asks" else [],
        "page": page,
        "list_url": list_url(request),
        "list": shown,
        "empty_title": "没有等待审核的回复" if tab == "replies" else "没有等待审核的申请",
        "empty_text": "单位签发的回复会出现在这里，最紧急、等得最久的排在最前面。"
        if tab == "replies"
        else "单位的退件、延期、挂起等申请会出现在这里，等得最久的排在最前面。",
        **open_pane(request),
    }
    context["comparison"] = comparing.compare(context["body"]["view"].situation) if context.get("open") else None
    context["own_dispatch"] = bool(context.get("open")) and _opened_own(user, context["body"]["view"].situation, tab)
    return render(request, "cases/audits/desk.html", context)


def _is_own(user: User, case: Case, tasks: Iterable[Task]) -> bool:
    """As guards.not_own_dispatch: the case was dispatched by this person, or one of these tasks given by them."""
    return user.pk in guards.givers(case, tasks)


def _opened_own(user: User, situation: Situation, tab: str) -> bool:
    """The open case's, or among asks that of the task that asks."""
    asking = {ask.task_id for ask in situation.asks if ask.state == AskState.PENDING}
    judged = [t for t in situation.tasks if t.pk in asking] if tab == "asks" else situation.tasks
    return _is_own(user, situation.case, judged)


# --- tabs --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tab:
    """One list."""

    url: str
    label: str
    count: int
    light: str
    current: bool


def _tab(request: HttpRequest, user: User, tallies: dict[str, desk_queries.Tally]) -> str:
    """The hotline's leader has no replies to judge. Unasked, replies come first unless only asks wait."""
    if not user.has_role(Role.AUDITOR):
        return "asks"
    asked = request.GET.get("tab", "")
    if asked in ("replies", "asks"):
        return asked
    return "replies" if "replies" in tallies or not tallies else "asks"


def _tabs(user: User, tallies: dict[str, desk_queries.Tally], current: str) -> list[Tab]:
    url = reverse("cases:audits")
    none = desk_queries.Tally(0, Light.NONE)
    replies = tallies.get("replies", none)
    asks = [tally for what, tally in tallies.items() if what != "replies"]
    most = max((tally.light for tally in asks), key=LEVELS.index, default=Light.NONE)
    shown = [Tab(f"{url}?tab=asks", "申请审核", sum(tally.count for tally in asks), most.value, current == "asks")]
    if user.has_role(Role.AUDITOR):
        shown.insert(0, Tab(f"{url}?tab=replies", "回复审核", replies.count, replies.light.value, current == "replies"))
    return shown


def _kinds(user: User, tallies: dict[str, desk_queries.Tally], current: str) -> list[Tab]:
    url = reverse("cases:audits") + "?tab=asks"
    offered = list(AskKind) if user.has_role(Role.AUDITOR) else [AskKind.SET_ASIDE]
    none = desk_queries.Tally(0, Light.NONE)
    every = sum(tallies.get(kind.value, none).count for kind in offered)
    shown = [Tab(url, "全部", every, "none", not current)]
    for kind in offered:
        tally = tallies.get(kind.value, none)
        shown.append(Tab(f"{url}&ask={kind.value}", kind.label, tally.count, tally.light.value, kind == current))
    return shown


# --- lists -------------------------------------------------------------------------------------------------------


def _replies(request: HttpRequest, shown: lists.Shown) -> KeysetPage:
    calendar = worktime.calendar()

    def row(case: Any) -> Row:
        drawn = _reply_row(case, shown.user, row_url(request, case.number), shown.at, calendar)
        return shown.with_cells(drawn, case)

    return shown.drawn(row)


def _reply_rows(user: Any, params: QueryDict, at: datetime) -> tuple[QuerySet[Case], lists.Order]:
    if not user.has_role(Role.AUDITOR):
        raise Refused("forbidden", action="打开审核工作台")
    found = desk_queries.replies_to_audit(user).select_related("topic", "place__parent")
    return found, ("urgency_rank", "state_since", "id")


REPLIES = lists.register(
    lists.CaseList(
        code="audit",
        title="回复审核",
        url="cases:audits",
        rows=_reply_rows,
        fields=lists.QUEUE_FIELDS,
        sorts={"received": lists.RECEIVED, "due": lists.STAGE_DUE, "citizen_due": lists.CITIZEN_DUE, "pressing": lists.PRESSING_DUE},
        fixed=(("tab", "replies"),),
        left=lists.PRESSING,
        with_tasks=True,
    )
)


def _reply_row(case: Any, user: User, url: str, at: datetime, calendar: Calendar) -> Row:
    answered = next((t for t in case.current_tasks if t.round == case.round and t.state == TaskState.REPLIED), None)
    lead = next((t for t in case.current_tasks if t.role == "lead" and t.round == case.round), answered)
    extras = [case.get_urgency_display()] if case.urgency_rank < 2 else []
    if lead is not None and lead.sent_back_times:
        extras.append(f"第 {lead.sent_back_times + 1} 次回复")
    if _is_own(user, case, case.current_tasks):
        extras.append(OWN)
    unit = lead.unit.name if lead is not None else ""
    return presenting.case_row(case, user=user, url=url, at=at, calendar=calendar, unit=unit, extras=extras)


def _asks(request: HttpRequest, shown: lists.Shown) -> KeysetPage:
    calendar = worktime.calendar()

    def row(ask: Ask) -> Row:
        drawn = _ask_row(ask, shown.user, row_url(request, ask.task.case.number or ""), shown.at, calendar)
        return shown.with_cells(drawn, ask.task.case, ask.task)

    return shown.drawn(row)


def _ask_rows(user: Any, params: QueryDict, at: datetime) -> tuple[QuerySet[Ask], lists.Order]:
    if not user.has_role(*AUDITING):
        raise Refused("forbidden", action="打开审核工作台")
    asks = desk_queries.asks_to_decide(user).select_related("task__unit", "task__case__topic", "task__case__place__parent")
    kind = _asked_kind(params)
    return (asks.filter(kind=kind) if kind else asks), ("asked_at", "id")


def _asked_kind(params: QueryDict) -> str:
    kind = params.get("ask", "")
    return kind if kind in AskKind.values else ""


ASKS = lists.register(
    lists.CaseList(
        code="asks",
        title="申请审核",
        url="cases:audits",
        rows=_ask_rows,
        fields=lists.CASE_FIELDS,
        only={"state": (CaseState.IN_HANDLING, CaseState.TO_FOLLOW_UP, CaseState.CLOSED)},  # desk_queries: what can be answered
        sorts={
            "due": lists.Sort("审核时限", "due_at"),
            "task_due": lists.Sort("承办时限", "task__due_at"),
            "received": lists.Sort("收件时间", "task__case__received_at"),
        },
        own=("ask",),
        fixed=(("tab", "asks"),),
        to_case="task__case__",
        to_task="task__",
        clock="ask",
        own_sort="等得最久的在前",
    )
)


def _ask_row(ask: Ask, user: User, url: str, at: datetime, calendar: Calendar) -> Row:
    task, case = ask.task, ask.task.case
    clock = shown_clocks.ask_clock(ask, at=at, calendar=calendar)
    return Row(
        url=url,
        number=case.number or "",
        title=presenting.shown_title(user, case),
        kind=RequestKind(case.kind).label,
        topic=case.topic.name if case.topic else "未定主题",
        place=presenting.place_words(case.place),
        unit=task.unit.name,
        light=clock.light,
        left=clock.text,
        why=f"{clock.sentence}；承办时限 {times.due(task.due_at, at)}",
        turns=clock.turns,
        state=AskKind(ask.kind),
        extras=(f"等了 {times.span(at - ask.asked_at)}", *((OWN,) if _is_own(user, case, [task]) else ())),
    )
