"""All cases that a person may see: newest first, by state, by number or words."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from minsheng.cases import bulk, lists, presenting, queries, search_rules, searching
from minsheng.cases.choices import CaseState
from minsheng.cases.models import Case
from minsheng.cases.views.page import list_url, open_pane, row_url
from minsheng.errors import Refused
from minsheng.ui.pages import KeysetPage
from minsheng.worktime import queries as worktime

LONGEST_QUERY = 100
_STATES = [state for state in CaseState if state is not CaseState.DRAFT]


@login_required
@require_GET
def cases(request: HttpRequest) -> HttpResponse:
    """`/cases/?q=&state=&open=`. Errors: forbidden, invalid (a person's number or name in the address)."""
    user: Any = request.user
    _refuse_who_sees_none(user)
    at = timezone.now()
    shown = lists.opened(request, LIST, at)
    if shown.elsewhere:
        return redirect(shown.elsewhere)
    words = _words(request.GET.get("q", ""))
    context = _context(request, shown.page(), at, words, shown) | {"tabs": _tabs(shown), "list": shown, "bulk": bulk.offers(user, "urge")}
    return render(request, "cases/list.html", context | open_pane(request))


def _rows(user: Any, params: QueryDict, at: datetime) -> tuple[QuerySet[Case], lists.Order]:
    """Every case that the person may see, newest first; of those with these words, where some are asked for."""
    _refuse_who_sees_none(user)
    words = _words(params.get("q", ""))
    if is_personal(words):
        raise Refused("invalid", message="电话、证件号不能放进网址。请在搜索框里查找。")
    return _found(user, words, at), ("-received_at", "-id")


LIST = lists.register(
    lists.CaseList(
        code="all",
        title="全部诉求件",
        url="cases:list",
        rows=_rows,
        fields=(*lists.CASE_FIELDS, "closed"),
        left=lists.PRESSING,
        sorts={"received": lists.RECEIVED, "pressing": lists.PRESSING_DUE, "due": lists.CITIZEN_DUE},
        own=("q",),
        told=lambda params: search_rules.parse(_words(params.get("q", ""))).in_words(),
        with_tasks=True,
        own_sort="最新的在前",
    )
)


def is_personal(words: str) -> bool:
    """A telephone or identity number, or other personal data that can be told without knowing the person."""
    return search_rules.parse(words).personal


def _refuse_who_sees_none(user: Any) -> None:
    if not (user.is_centre or user.is_unit):
        raise Refused("not_found")


def _words(given: str) -> str:
    return " ".join(given.replace("\x00", "").split())[:LONGEST_QUERY]


def _found(user: Any, words: str, at: datetime) -> QuerySet[Case]:
    if not words:
        return queries.every_case(user)
    return searching.narrow(queries.every_case(user), search_rules.parse(words).of_words_only(), user=user)


def _context(request: HttpRequest, page: KeysetPage, at: datetime, words: str, listed: lists.Shown) -> dict[str, Any]:
    user: Any = request.user
    calendar = worktime.calendar()

    def row(case: Case) -> Any:
        drawn = presenting.case_row(
            case,
            user=user,
            url=row_url(request, case.number or ""),
            at=at,
            calendar=calendar,
            unit=queries.lead_name(case),
            with_state=True,
        )
        return listed.with_cells(drawn, case)

    shown = page.map(row)
    return {
        "desk_title": "全部诉求件",
        "page": shown,
        "q": words,
        "words": search_rules.parse(words).marked if words else [],
        "list_url": list_url(request),
        "empty_title": "没有找到",
        "empty_text": "可以换个说法再查。按电话、姓名查，请用上方的搜索框。",
    }


def _tabs(shown: lists.Shown) -> list[dict[str, Any]]:
    """One state each, beside whatever else narrows the list; several chosen in the panel light no tab."""
    chosen = shown.filters.chosen.get("state", ())
    rest = [*shown.own(), *((n, v) for n, v in shown.asked() if n != "state")]
    tabs = [((), "全部"), *(((state.value,), state.label) for state in _STATES)]
    return [
        {
            "url": f"{reverse('cases:list')}?{urlencode([*rest, *(('state', value) for value in states), (lists.VIEW, '0')])}",
            "label": label,
            "count": None,
            "light": "none",
            "current": states == chosen,
        }
        for states, label in tabs
    ]
