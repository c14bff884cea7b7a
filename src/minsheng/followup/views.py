"""回访: whom to ring next, and why now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from minsheng.accounts.choices import Role
from minsheng.cases import lists, presenting
from minsheng.cases import queries as cases
from minsheng.cases.choices import CaseState
from minsheng.cases.guards import awaits_judgement
from minsheng.cases.models import Case
from minsheng.cases.rules import normalise_number
from minsheng.cases.views.page import case_context, list_url, row_url
from minsheng.errors import Refused
from minsheng.followup import queries
from minsheng.ui import times
from minsheng.ui.pages import KeysetPage
from minsheng.ui.rows import Row
from minsheng.worktime import queries as worktime
from minsheng.worktime.moments import local
from minsheng.worktime.rules import Calendar

READERS = frozenset({Role.FOLLOW_UP, Role.TEAM_LEADER, Role.HOTLINE_LEADER})


@login_required
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """`/followup/?open=<number>`: the calls to make left, the case right. Errors: forbidden."""
    user: Any = request.user
    _refuse_others(user)
    at = timezone.now()
    shown = lists.opened(request, LIST, at)
    if shown.elsewhere:
        return redirect(shown.elsewhere)
    page = shown.page()
    opened = _opened(request, page)
    context: dict[str, Any] = {
        "desk_title": "回访",
        "list_url": list_url(request),
        "list": shown,
        "open": opened.number if opened else "",
        "words": [],
        "empty_title": "没有等待回访的诉求件",
        "empty_text": "审核通过的诉求件会出现在这里，不满意待研判的排在最前面。",
    }
    if opened is not None:
        context |= case_context(request, opened)
    calendar = worktime.calendar()
    context["page"] = page.map(
        lambda case: shown.with_cells(_row(case, user, row_url(request, case.number), at, calendar), case)
    )
    return render(request, "followup/desk.html", context)


def _refuse_others(user: Any) -> None:
    if not user.has_any(READERS):
        raise Refused("forbidden", action="查看回访工作台")


def _rows(user: Any, params: QueryDict, at: datetime) -> tuple[QuerySet[Case], lists.Order]:
    _refuse_others(user)
    return queries.waiting(user, at=at), queries.ORDER


LIST = lists.register(
    lists.CaseList(
        code="follow_up",
        title="回访",
        url="followup:desk",
        rows=_rows,
        fields=lists.CASE_FIELDS,
        only={"state": (CaseState.TO_FOLLOW_UP, CaseState.CLOSED)},
        sorts={"received": lists.RECEIVED, "due": lists.STAGE_DUE, "pressing": lists.PRESSING_DUE, "waited": lists.WAITED},
        left=lists.PRESSING,
        own_sort="先研判、再拨打",
        unit=("现在要做的", ""),
    )
)


def _opened(request: HttpRequest, page: KeysetPage) -> Case | None:
    """The case asked for while it waits here; the first of the list when it has gone; none when none was asked for."""
    number = normalise_number(request.GET.get("open", "")[:40].replace("\x00", ""))
    if not number:
        return None
    user: Any = request.user
    try:
        case = cases.case_for(user, number)
        if case.state == CaseState.TO_FOLLOW_UP or awaits_judgement(case):
            return case
    except Refused:
        pass
    return cases.case_for(user, page.rows[0].number) if page.rows else None


def _row(case: Any, user: Any, url: str, at: datetime, calendar: Calendar) -> Row:
    """Why now stands where other lists name the unit: it is what this list is read for."""
    why = "本人批转，须他人回访" if case.own else _why_now(case, at)
    return presenting.case_row(case, user=user, url=url, at=at, calendar=calendar, unit=why)


def _why_now(case: Any, at: datetime) -> str:
    """“不满意，待研判”, “办结后评价不满意，待研判”, “诉求人又来电”, “第 2 次，14:05 后再拨”, “等了 3 小时”."""
    if case.kind_of_wait == queries.TO_JUDGE:
        return "办结后评价不满意，待研判" if case.state == CaseState.CLOSED else "不满意，待研判"
    if case.kind_of_wait == queries.ASKED:
        return "诉求人又有来件"
    if case.tries:
        free = case.last_try + timedelta(hours=settings.HOTLINE["follow_up_hours_between"])
        later = f"，{local(free):%H:%M} 后再拨" if free > at else "，可以再拨"
        return f"第 {case.tries + 1} 次{later}"
    return f"等了 {times.span(at - case.state_since)}"
