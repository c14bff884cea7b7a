"""The desk 审核: replies beside the citizen's words, and what units ask for, each with its own waiting time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.cases import clocks, comparing, desk_queries, presenting
from minsheng.cases.choices import AskKind, RequestKind, TaskState
from minsheng.cases.models import Ask, Case
from minsheng.cases.queries import current_tasks
from minsheng.cases.views.page import open_pane
from minsheng.errors import Refused
from minsheng.ui import times
from minsheng.ui.pages import KeysetPage, keyset_page
from minsheng.ui.rows import Row
from minsheng.worktime import queries as worktime
from minsheng.worktime.choices import Clock, Light
from minsheng.worktime.rules import Calendar

OWN = "本人批转，须他人审核"
AUDITING = (Role.AUDITOR, Role.HOTLINE_LEADER)


@login_required
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """`/cases/audits/?tab=replies|asks&kind=…&open=…`. Errors: forbidden."""
    user: Any = request.user
    if not user.has_role(*AUDITING):
        raise Refused("forbidden", action="打开审核工作台")
    at = timezone.now()
    tallies = desk_queries.audit_tallies(user, at)
    tab = _tab(request, user, tallies)
    kind = request.GET.get("kind", "") if tab == "asks" else ""
    kind = kind if kind in AskKind.values else ""
    page = _replies(request, user, at) if tab == "replies" else _asks(request, user, kind, at)
    context: dict[str, Any] = {
        "desk_title": "审核",
        "tabs": _tabs(user, tallies, tab),
        "kinds": _kinds(user, tallies, kind) if tab == "asks" else [],
        "page": page,
        "list_url": _url(request),
        "empty_title": "没有等待审核的回复" if tab == "replies" else "没有等待审核的申请",
        "empty_text": "单位签发的回复会出现在这里，最紧急、等得最久的排在最前面。"
        if tab == "replies"
        else "单位的退件、延期、挂起等申请会出现在这里，等得最久的排在最前面。",
        **open_pane(request),
    }
    context["comparison"] = comparing.compare(context["body"]["view"].situation) if context.get("open") else None
    context["own_dispatch"] = bool(context.get("open")) and _is_own(user, context["case"])
    return render(request, "cases/audits/desk.html", context)


def _is_own(user: User, case: Case) -> bool:
    return case.dispatched_by_id == user.pk


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
    most = max((tally.light for tally in asks), key=desk_queries.LEVELS.index, default=Light.NONE)
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
        shown.append(Tab(f"{url}&kind={kind.value}", kind.label, tally.count, tally.light.value, kind == current))
    return shown


# --- lists -------------------------------------------------------------------------------------------------------


def _url(request: HttpRequest, **changes: str) -> str:
    kept = {name: request.GET.get(name, "") for name in ("tab", "kind", "page")}
    wanted = {name: value for name, value in (kept | changes).items() if value}
    return f"{request.path}?{urlencode(wanted)}" if wanted else request.path


def _replies(request: HttpRequest, user: User, at: datetime) -> KeysetPage:
    cases = (
        desk_queries.replies_to_audit(user).select_related("topic", "place__parent").prefetch_related(current_tasks())
    )
    calendar = worktime.calendar()
    found = keyset_page(cases, ("urgency_rank", "state_since", "id"), request.GET.get("page", ""))
    return found.map(lambda case: _reply_row(case, user, _url(request, open=case.number), at, calendar))


def _reply_row(case: Any, user: User, url: str, at: datetime, calendar: Calendar) -> Row:
    answered = next((t for t in case.current_tasks if t.round == case.round and t.state == TaskState.REPLIED), None)
    lead = next((t for t in case.current_tasks if t.role == "lead" and t.round == case.round), answered)
    extras = [case.get_urgency_display()] if case.urgency_rank < 2 else []
    if lead is not None and lead.sent_back_times:
        extras.append(f"第 {lead.sent_back_times + 1} 次回复")
    if _is_own(user, case):
        extras.append(OWN)
    unit = lead.unit.name if lead is not None else ""
    return presenting.case_row(case, user=user, url=url, at=at, calendar=calendar, unit=unit, extras=extras)


def _asks(request: HttpRequest, user: User, kind: str, at: datetime) -> KeysetPage:
    asks = desk_queries.asks_to_decide(user).select_related("task__unit", "task__case__topic", "task__case__place__parent")
    if kind:
        asks = asks.filter(kind=kind)
    found = keyset_page(asks, ("asked_at", "id"), request.GET.get("page", ""))
    return found.map(lambda ask: _ask_row(ask, user, _url(request, open=ask.task.case.number), at))


def _ask_row(ask: Ask, user: User, url: str, at: datetime) -> Row:
    task, case = ask.task, ask.task.case
    kind = AskKind(ask.kind)
    shone = Light.NONE
    if task.state != TaskState.PAUSED and task.is_active:
        shone = presenting.light_by(at, yellow=task.yellow_at, orange=task.orange_at, due=task.due_at)
    due = clocks.derive_now(Clock.RETURN_DECISION if kind == AskKind.RETURN else Clock.AUDIT, case, at=ask.asked_at).due_at
    waits = f"{times.moment(ask.asked_at, at)}申请，应于 {times.due(due, at)}审核；承办时限 {times.due(task.due_at, at)}"
    return Row(
        url=url,
        number=case.number or "",
        title=presenting.shown_title(user, case),
        kind=RequestKind(case.kind).label,
        topic=case.topic.name if case.topic else "未定主题",
        place=presenting.place_words(case.place),
        unit=task.unit.name,
        light=shone.value,
        left=f"等了 {times.span(at - ask.asked_at)}",
        why=waits,
        state=kind,
        extras=(OWN,) if _is_own(user, case) else (),
    )
