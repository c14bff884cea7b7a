"""Published requests: with consent, de-identified, passed by a second person; for everybody to search."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from minsheng.cases.reference_queries import topic_tree
from minsheng.cases.search_rules import as_number
from minsheng.errors import Refused
from minsheng.organisations.choices import PlaceLevel
from minsheng.organisations.models import Place
from minsheng.organisations.queries import valid_at
from minsheng.publishing import queries, rules
from minsheng.secrecy import find_personal
from minsheng.ui.pages import keyset_page

PAGE = 20
NO_PERSONAL_SEARCH = "请不要用姓名、电话、证件号来找。公开的内容里没有这些，换成事情的几个字试试，如“夜间施工”。"
NOTHING_TO_SEARCH = "这样找不到什么。请写出事情的几个字，如“路灯”。"


@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """`/published/?q=&topic=&county=&page=`: newest first."""
    at = timezone.now()
    typed = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:50]
    refused = bool(find_personal(typed))
    topics = [(t.code, t.name) for t in topic_tree(at=at) if t.level == 1]
    counties = list(Place.objects.filter(valid_at(at), level=PlaceLevel.COUNTY).order_by("code").values_list("code", "name"))
    topic, county = _one_of(topics, request.GET.get("topic", "")), _one_of(counties, request.GET.get("county", ""))
    found = queries.search("" if refused else typed, topic=topic, county=county)
    context = {
        "q": "" if refused else typed,
        "refused": NO_PERSONAL_SEARCH if refused else NOTHING_TO_SEARCH if typed and not rules.phrases(typed) else "",
        "is_number": bool(as_number(typed)),
        "topics": topics,
        "counties": counties,
        "topic": topic,
        "county": county,
        "page": keyset_page(found, queries.ORDER, request.GET.get("page", ""), PAGE),
    }
    return render(request, "portal/published.html", context)


@require_GET
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them; what was taken down is not there, and nobody learns that it was. Errors: not_found."""
    one = queries.public().filter(pk=pk).first()
    if one is None:
        raise Refused("not_found")
    return render(request, "portal/published_case.html", {"one": one})


def _one_of(choices: list[tuple[str, str]], given: str) -> str:
    return given if given in {code for code, _ in choices} else ""
