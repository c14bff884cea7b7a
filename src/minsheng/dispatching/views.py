"""批转: the desk of the dispatcher, which a team leader reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_GET

from minsheng.accounts.choices import Role
from minsheng.cases import bulk, lists, presenting
from minsheng.cases import queries as cases
from minsheng.cases.choices import CaseState
from minsheng.cases.models import Case
from minsheng.cases.rules import normalise_number
from minsheng.cases.scope import alike
from minsheng.cases.views.page import case_context, list_url, row_url
from minsheng.dispatching import queries
from minsheng.dispatching.actions import why_not_merged
from minsheng.dispatching.proposals import consequence, propose
from minsheng.errors import Refused
from minsheng.ui import times
from minsheng.ui.pages import KeysetPage
from minsheng.ui.rows import Row
from minsheng.worktime import queries as worktime
from minsheng.worktime.rules import Calendar

READERS = frozenset({Role.DISPATCHER, Role.TEAM_LEADER, Role.HOTLINE_LEADER})
STUDY = "study"
CAME_BACK = presenting.Flag("退回重派", "orange")
EMPTY = {
    "": ("没有等待批转的诉求件", "受理后的诉求件会出现在这里，最紧急、等得最久的排在最前面。"),
    STUDY: ("没有研判和退回的诉求件", "送研判的、退件或收回后要重新批转的，会出现在这里。"),
}


def _refuse_others(user: Any) -> None:
    if not user.has_any(READERS):
        raise Refused("forbidden", action="查看批转工作台")


@login_required
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """`/dispatching/?tab=study&open=<number>`: the queue left, the case with its proposals right. Errors: forbidden.

    A case that left the queue (dispatched a moment ago, by this person or another) gives way to the most pressing one left.
    """
    user: Any = request.user
    _refuse_others(user)
    at = timezone.now()
    shown = lists.opened(request, LIST, at)
    if shown.elsewhere and not shown.own():
        return redirect(shown.elsewhere)
    tab = _tab(request.GET)
    calendar = worktime.calendar()
    page = shown.drawn(
        lambda case: shown.with_cells(_row(case, tab, user, row_url(request, case.number), at, calendar), case)
    )
    opened = _opened(request, page)
    context: dict[str, Any] = {
        "desk_title": "批转",
        "tabs": SimpleLazyObject(lambda: _tabs(user, tab)),
        "list_url": list_url(request),
        "list": shown,
        "page": page,
        "whole": shown.shared(request),
        "open": opened.number if opened else "",
        "words": [],
        "bulk": bulk.offers(user, "dispatch"),
        "empty_title": EMPTY[tab][0],
        "empty_text": EMPTY[tab][1],
    }
    if opened is not None:
        context |= case_context(request, opened)
        context |= _proposals(user, opened, at)
    return render(request, "dispatching/desk.html", context)


def _tab(params: QueryDict) -> str:
    return STUDY if params.get("tab") == STUDY else ""


def _rows(user: Any, params: QueryDict, at: datetime) -> tuple[QuerySet[Case], lists.Order]:
    _refuse_others(user)
    return (queries.disputed(user) if _tab(params) else queries.waiting(user)), queries.ORDER


LIST = lists.register(
    lists.CaseList(
        code="dispatch",
        title="批转",
        url="dispatching:desk",
        rows=_rows,
        fields=lists.CASE_FIELDS,
        only={"state": queries.DISPATCH_STATES},
        sorts={"received": lists.RECEIVED, "due": lists.STAGE_DUE, "pressing": lists.PRESSING_DUE, "waited": lists.WAITED},
        own=("tab",),
        once=True,
        unit=("等待", "waited"),
        left=lists.PRESSING,
        alike=alike,
    )
)


def _url(tab: str) -> str:
    query = urlencode({"tab": tab} if tab else {})
    return reverse("dispatching:desk") + (f"?{query}" if query else "")


def _tabs(user: Any, tab: str) -> list[dict[str, Any]]:
    fresh, disputed = queries.tallies(user)
    return [
        {"url": _url(""), "label": "待批转", "count": fresh, "current": not tab},
        {"url": _url(STUDY), "label": "研判与退件", "count": disputed, "current": bool(tab)},
    ]


def _row(case: Case, tab: str, user: Any, url: str, at: datetime, calendar: Calendar) -> Row:
    """How long it has waited stands where other lists name the unit, for there is none yet; what came back is marked."""
    waited = f"等了 {times.span(at - case.state_since)}"
    row = presenting.case_row(case, user=user, url=url, at=at, calendar=calendar, unit=waited, with_state=bool(tab))
    return replace(row, state=CAME_BACK) if tab and case.state == CaseState.TO_DISPATCH else row


def _opened(request: HttpRequest, page: KeysetPage) -> Case | None:
    """The case asked for while it waits here; the first of the list when it has gone; none when none was asked for."""
    number = normalise_number(request.GET.get("open", "")[:40].replace("\x00", ""))
    if not number:
        return None
    user: Any = request.user
    try:
        case = cases.case_for(user, number)
        if case.state in queries.DISPATCH_STATES:
            return case
    except Refused:
        pass
    return cases.case_for(user, page.rows[0].number) if page.rows else None


def _proposals(user: Any, case: Case, at: datetime) -> dict[str, Any]:
    may = user.has_role(Role.DISPATCHER) and case.state == CaseState.TO_DISPATCH
    found = propose(case, at=at)
    units = [p.unit for p in found if p.unit is not None and not p.refused]
    then = consequence(case, units[:1], at=at) if units else ""
    return {"proposals": found, "may_dispatch": may, "proposals_then": then}


@login_required
@require_GET
def peek(request: HttpRequest, number: str) -> HttpResponse:
    """The words of a case that this one might be merged into, beside this one's. `?case=` names this one. Errors: not_found."""
    user: Any = request.user
    _refuse_others(user)
    other = cases.case_for(user, request.GET.get("number", "")[:40].replace("\x00", ""))
    case = cases.case_for(user, number)
    context = {
        "other": other,
        "title": presenting.shown_title(user, other),
        "place": presenting.place_words(other.place),
        "why_not": why_not_merged(case, other, at=timezone.now()),
    }
    return render(request, "dispatching/panels/_other.html", context)
