"""The search box of every page, and what it finds. Posted, so that no address or log ever holds a person's number or name.

What is found is a list like every other. Its address holds either the words (`q`) or the place in the session where they are
kept (`kept`); what it shows and what an export keeps is `typed`, which no address holds.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from minsheng.cases import columns, lists, presenting, queries, search_rules, searching
from minsheng.cases.models import Case
from minsheng.cases.search_rules import Search
from minsheng.cases.views.page import list_url, open_pane, row_url
from minsheng.errors import Refused
from minsheng.secrecy.columns import decrypt, encrypt
from minsheng.ui.pages import KeysetPage
from minsheng.worktime import queries as worktime

KEPT, MOST_KEPT = "kept_searches", 20
TYPED = "typed"


@login_required
@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """`/cases/find/`: to the one case of a number, else to what is found. A search by person stays in the session,
    encrypted; its address only names the place where it is kept."""
    user = _reader(request.user)
    search = search_rules.parse(request.POST.get("q", ""))
    if not search.typed:
        return redirect("cases:list")
    if search.number:
        only = searching.of_whole_number(user, search.number)
        if only is not None:
            return redirect("cases:page", only)
    if search.personal or searching.names_somebody(user, search):
        return redirect(f"{reverse('cases:found')}?{urlencode({'kept': _keep(request, search)})}")
    return redirect(f"{reverse('cases:found')}?{urlencode({'q': search.typed})}")


@login_required
@require_GET
def found(request: HttpRequest) -> HttpResponse:
    """`/cases/found/?q=|kept=&<filters>&page=&open=`. Errors: not_found, invalid (a person's number in the address)."""
    user = _reader(request.user)
    shown = lists.opened(request, LIST, timezone.now())
    search, result, page = _search(shown.params), None, KeysetPage()
    if search:
        result = searching.find(
            user,
            search,
            cursor=request.GET.get("page", ""),
            condition=shown.condition() if shown.filters else None,
            order=shown.order(searching.NEWEST),
            loads=columns.loads(shown.columns),
        )
        page = _page(request, shown, result, search)
    context = {
        "desk_title": "查找",
        "search": search,
        "gone": bool(request.GET.get("kept")) and not shown.params.get(TYPED),
        "result": result,
        "page": page,
        "list": shown if search else None,
        "q": search.typed,
        "words": search.marked,
        "near": searching.near(user, search) if search.mistyped and not page.rows else [],
        "list_url": list_url(request),
        "finds_persons": searching.may_find_persons(user),
    }
    return render(request, "cases/found.html", context | open_pane(request))


def _reader(user: Any) -> Any:
    """The person, where they may know of any case at all."""
    if not (user.is_centre or user.is_unit):
        raise Refused("not_found")
    return user


def _complete(request: HttpRequest) -> QueryDict:
    """The address with what was typed, which is in it or kept in the session."""
    params = request.GET.copy()
    key = params.get("kept", "")
    kept = request.session.get(KEPT, {}).get(key) if key else None
    params[TYPED] = (decrypt(bytes.fromhex(kept), KEPT) if kept else "") if key else params.get("q", "")
    return params


def _search(params: QueryDict) -> Search:
    """What to look for. By an address nobody is found by name. Errors: invalid (a person's number in the address)."""
    search = search_rules.parse(params.get(TYPED, ""))
    if params.get("kept"):
        return search
    if search.personal:
        raise Refused("invalid", message="电话、证件号不能放进网址。请在搜索框里查找。")
    return search.of_words_only()


def _rows(user: Any, params: QueryDict, at: datetime) -> tuple[QuerySet[Case], lists.Order]:
    """All that is found, for a spreadsheet; the screen's page comes from `searching.find`, which knows how to look for one."""
    search = _search(params)
    if not search:
        raise Refused("invalid", message="没有要查找的内容，或这次查找没有保留下来。请在上方的框里重新查找，再导出。")
    return searching.narrow(queries.every_case(_reader(user)), search, user=user), searching.NEWEST


LIST = lists.register(
    lists.CaseList(
        code="found",
        title="查找结果",
        url="cases:found",
        rows=_rows,
        fields=(*lists.CASE_FIELDS, "closed"),
        sorts={"received": lists.RECEIVED, "pressing": lists.PRESSING_DUE, "due": lists.CITIZEN_DUE},
        left=lists.PRESSING,
        own=("q", "kept"),
        with_tasks=True,
        own_sort="最新的在前",
        carried=("q", "kept"),
        withheld=(TYPED,),
        complete=_complete,
        told=lambda params: search_rules.parse(params.get(TYPED, "")).in_words(),
    )
)


def _keep(request: HttpRequest, search: Search) -> str:
    """Where this person's session keeps the search: the newest twenty."""
    kept: dict[str, str] = request.session.get(KEPT, {})
    key = secrets.token_urlsafe(6)
    newest = [*kept.items(), (key, encrypt(search.typed, KEPT).hex())][-MOST_KEPT:]
    request.session[KEPT] = dict(newest)
    return key


def _page(request: HttpRequest, shown: lists.Shown, result: searching.Found, search: Search) -> KeysetPage:
    user, calendar = shown.user, worktime.calendar()
    texts = searching.texts_of(user, result.page.rows) if search.terms else {}

    def row(case: Case) -> Any:
        drawn = presenting.case_row(
            case,
            user=user,
            url=row_url(request, case.number or ""),
            at=shown.at,
            calendar=calendar,
            unit=queries.lead_name(case),
            with_state=True,
            snippet=_snippet(user, case, texts.get(case.pk, ""), search),
        )
        return shown.with_cells(drawn, case)

    return result.page.map(row)


def _snippet(user: Any, case: Case, text: str, search: Search) -> str:
    """Where the case says it, unless its title already does."""
    phrases = [term.phrase for term in search.terms]
    title = search_rules.fold(presenting.shown_title(user, case))
    if not phrases or all(phrase in title for phrase in phrases):
        return ""
    return search_rules.snippet([presenting.listed_words(user, case), *search_rules.readable(text)], phrases)
