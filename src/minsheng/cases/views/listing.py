"""All cases that a person may see: newest first, by state, by number or title; by person only through a POST."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from minsheng.cases import presenting, queries, rules
from minsheng.cases.choices import CaseState
from minsheng.cases.models import Case
from minsheng.cases.scope import SEE_PERSONS
from minsheng.cases.views.page import list_url, open_pane, row_url
from minsheng.errors import Refused
from minsheng.secrecy import find_personal, normalise_id_number, normalise_phone
from minsheng.ui.pages import PAGE_SIZE, KeysetPage, keyset_page
from minsheng.worktime import queries as worktime

LONGEST_QUERY = 100
_STATES = [state for state in CaseState if state is not CaseState.DRAFT]
_SHORTEST_PHONE = 7  # service numbers such as 12345 are nobody's


@login_required
@require_GET
def cases(request: HttpRequest) -> HttpResponse:
    """`/cases/?q=&state=&open=`. Errors: forbidden, invalid (a person's number or name in the address)."""
    user: Any = request.user
    _refuse_who_sees_none(user)
    words = _words(request.GET.get("q", ""))
    if is_personal(words):
        raise Refused("invalid", message="电话、证件号不能放进网址。请在搜索框里查找。")
    at = timezone.now()
    state = request.GET.get("state", "")
    state = state if state in _STATES else ""
    found = _found(user, words, at)
    if state:
        found = found.filter(state=state)
    page = keyset_page(found.prefetch_related(queries.current_tasks()), ["-received_at", "-id"], request.GET.get("page", ""))
    context = _context(request, page, at, words) | {"tabs": _tabs(request, state)}
    return render(request, "cases/list.html", context | open_pane(request))


@login_required
@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """The search box. A person's number or name is answered here, so that no address or log ever holds it."""
    user: Any = request.user
    _refuse_who_sees_none(user)
    words = _words(request.POST.get("q", ""))
    if not words:
        return redirect("cases:list")
    rows = list(
        queries.of_person(user, words)
        .prefetch_related(queries.current_tasks())
        .order_by("-received_at", "-id")[:PAGE_SIZE]
    )
    if not rows and not is_personal(words):
        return redirect(f"{reverse('cases:list')}?{urlencode({'q': words})}")
    context = _context(request, KeysetPage(rows), timezone.now(), "")
    context |= {"of_person": True, "open": "", "tabs": _tabs(request, None), "empty_text": "没有您能看到的诉求件是这个人提出的。"}
    return render(request, "cases/list.html", context)


def is_personal(words: str) -> bool:
    """A telephone or identity number, or other personal data that can be told without knowing the person."""
    if _as_number(words):
        return False
    phone = normalise_phone(words)
    return len(phone) >= _SHORTEST_PHONE or bool(normalise_id_number(words)) or bool(find_personal(words))


def _refuse_who_sees_none(user: Any) -> None:
    if not (user.is_centre or user.is_unit):
        raise Refused("not_found")


def _words(given: str) -> str:
    return " ".join(given.replace("\x00", "").split())[:LONGEST_QUERY]


def _found(user: Any, words: str, at: datetime) -> QuerySet[Case]:
    if not words:
        return queries.every_case(user)
    number = _as_number(words)
    return queries.of_number(user, number) if number else queries.of_title(user, words, at=at)


def _as_number(words: str) -> str:
    """The beginning of a case number, or nothing."""
    number = rules.normalise_number(words)
    return number if number.startswith(rules.CITY_PREFIX) and number[2:].isalnum() and number.isascii() else ""


def _context(request: HttpRequest, page: KeysetPage, at: datetime, words: str) -> dict[str, Any]:
    user: Any = request.user
    calendar = worktime.calendar()
    here = request if request.method == "GET" else None

    def row(case: Case) -> Any:
        lead = next((task.unit for task in case.current_tasks if task.role == "lead"), None)  # type: ignore[attr-defined]
        url = row_url(here, case.number or "") if here else f"{reverse('cases:list')}?open={case.number}"
        return presenting.case_row(
            case,
            user=user,
            url=url,
            at=at,
            calendar=calendar,
            unit=(lead.short_name or lead.name) if lead else "",
            with_state=True,
        )

    shown = page.map(row)
    if words and not (user.is_unit or user.has_any(SEE_PERSONS)):
        # What is not shown to them must not be found by them either: their titles are redacted.
        shown = KeysetPage([r for r in shown.rows if _says(r, words)], shown.next, shown.previous, shown.cleared)
    return {
        "desk_title": "全部诉求件",
        "page": shown,
        "q": words,
        "words": [words] if words else [],
        "list_url": list_url(here) if here else reverse("cases:list"),
        "empty_title": "没有找到",
        "empty_text": "标题只查最近 90 天；更早的请按编号查。按电话查，请在上方搜索框里输入完整号码。",
    }


def _says(row: Any, words: str) -> bool:
    return words.casefold() in row.title.casefold() or row.number.startswith(rules.normalise_number(words))


def _tabs(request: HttpRequest, chosen: str | None) -> list[dict[str, Any]]:
    tabs = [("", "全部"), *((state.value, state.label) for state in _STATES)]
    return [_tab(request, value, label, chosen) for value, label in tabs]


def _tab(request: HttpRequest, value: str, label: str, chosen: str | None) -> dict[str, Any]:
    query = {"q": request.GET.get("q", ""), "state": value}
    kept = urlencode({name: text for name, text in query.items() if text})
    url = f"{reverse('cases:list')}?{kept}" if kept else reverse("cases:list")
    return {"url": url, "label": label, "count": None, "light": "none", "current": value == chosen}
