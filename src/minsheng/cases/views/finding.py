"""The search box of every page, and what it finds. Posted, so that no address or log ever holds a person's number or name."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from minsheng.cases import presenting, queries, search_rules, searching
from minsheng.cases.models import Case
from minsheng.cases.search_rules import Search
from minsheng.cases.views.page import list_url, open_pane, row_url
from minsheng.errors import Refused
from minsheng.secrecy.columns import decrypt, encrypt
from minsheng.ui.pages import KeysetPage
from minsheng.worktime import queries as worktime

KEPT, MOST_KEPT = "kept_searches", 20


@login_required
@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """`/cases/find/`: to the one case of a number, else to what is found. A search by person stays in the session,
    encrypted; its address only names the place where it is kept."""
    user = _reader(request)
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
    """`/cases/found/?q=|kept=&page=&open=`. Errors: not_found, invalid (a person's number in the address)."""
    user = _reader(request)
    search, gone = _asked(request)
    at, result = timezone.now(), None
    page = KeysetPage()
    if search:
        result = searching.find(user, search, cursor=request.GET.get("page", ""))
        page = _rows(request, user, result, search, at)
    context = {
        "desk_title": "查找",
        "search": search,
        "gone": gone,
        "result": result,
        "page": page,
        "q": search.typed,
        "words": search.marked,
        "near": searching.near(user, search) if search.mistyped and not page.rows else [],
        "list_url": list_url(request),
        "finds_persons": searching.may_find_persons(user),
    }
    return render(request, "cases/found.html", context | open_pane(request))


def _reader(request: HttpRequest) -> Any:
    """The person, where they may know of any case at all."""
    user: Any = request.user
    if not (user.is_centre or user.is_unit):
        raise Refused("not_found")
    return user


def _asked(request: HttpRequest) -> tuple[Search, bool]:
    """What to look for, and whether it was kept and is no longer. By an address nobody is found by name."""
    key = request.GET.get("kept", "")
    if key:
        kept = request.session.get(KEPT, {}).get(key)
        return (search_rules.parse(decrypt(bytes.fromhex(kept), KEPT)), False) if kept else (Search(), True)
    search = search_rules.parse(request.GET.get("q", ""))
    if search.personal:
        raise Refused("invalid", message="电话、证件号不能放进网址。请在搜索框里查找。")
    return search.of_words_only(), False


def _keep(request: HttpRequest, search: Search) -> str:
    """Where this person's session keeps the search: the newest twenty."""
    kept: dict[str, str] = request.session.get(KEPT, {})
    key = secrets.token_urlsafe(6)
    newest = [*kept.items(), (key, encrypt(search.typed, KEPT).hex())][-MOST_KEPT:]
    request.session[KEPT] = dict(newest)
    return key


def _rows(request: HttpRequest, user: Any, result: searching.Found, search: Search, at: Any) -> KeysetPage:
    calendar = worktime.calendar()
    texts = searching.texts_of(user, result.page.rows) if search.terms else {}

    def row(case: Case) -> Any:
        return presenting.case_row(
            case,
            user=user,
            url=row_url(request, case.number or ""),
            at=at,
            calendar=calendar,
            unit=queries.lead_name(case),
            with_state=True,
            snippet=_snippet(user, case, texts.get(case.pk, ""), search),
        )

    return result.page.map(row)


def _snippet(user: Any, case: Case, text: str, search: Search) -> str:
    """Where the case says it, unless its title already does."""
    phrases = [term.phrase for term in search.terms]
    title = search_rules.fold(presenting.shown_title(user, case))
    if not phrases or all(phrase in title for phrase in phrases):
        return ""
    return search_rules.snippet([presenting.listed_words(user, case), *search_rules.readable(text)], phrases)
