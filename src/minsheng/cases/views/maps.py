"""地图: where cases happen, narrowed by the same filters as the lists; beside it what is in sight, and a table of the counties."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from minsheng.cases import filters, lists, mapping, presenting, queries
from minsheng.cases.models import Case
from minsheng.errors import Refused
from minsheng.organisations import maps
from minsheng.worktime import queries as worktime

DEFAULT = "received=30d"  # a year's cases at once say nothing, and cost much


def _rows(user: Any, params: QueryDict, at: datetime) -> tuple[QuerySet[Case], lists.Order]:
    """Every case that the person may see, newest first."""
    _refuse_who_sees_none(user)
    return queries.every_case(user), ("-received_at", "-id")


LIST = lists.register(
    lists.CaseList(code="map", title="地图", url="cases:map", rows=_rows, sorts={}, with_tasks=True, own_sort="最新的在前")
)


@login_required
@require_GET
def cases_map(request: HttpRequest) -> HttpResponse:
    """`/cases/map/?…`. Asked for nothing: the last 30 days. Errors: not_found for who sees no cases."""
    user: Any = request.user
    _refuse_who_sees_none(user)
    at = timezone.now()
    shown = lists.opened(request, LIST, at)
    if shown.elsewhere:
        return redirect(shown.elsewhere)
    if not shown.asked() and lists.VIEW not in request.GET:
        shown = lists.asked_for(user, LIST, QueryDict(DEFAULT), at, shown.kept)
    counted, shades = _counted(user, shown.filters, shown.query())
    newest, _ = shown.rows()
    config = maps.config(
        points=f"{reverse('cases:map_points')}?{shown.query()}",
        rows=reverse("cases:map_rows"),
        cluster=[static("leaflet-markercluster/leaflet.markercluster.js"), static("leaflet-markercluster/MarkerCluster.css")],
        counts=shades,
    )
    context = {"desk_title": "地图", "map": config, "list": shown, "newest": _drawn(user, mapping.newest(newest), at)}
    return render(request, "cases/map.html", context | counted)


def _counted(user: Any, given: filters.Filters, query: str) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """(what the line above the rows and the table of counties say, what each county is shaded and labelled by)."""
    counties, nowhere = mapping.by_county(user, given)
    placed = sum(one.points for one in counties)
    said = {
        "counties": [one for one in counties if one.total],
        "nowhere": nowhere,
        "total": sum(one.total for one in counties) + nowhere,
        "points": placed,
        "most": mapping.MOST if placed > mapping.MOST else 0,
        "query": query,
    }
    return said, {one.place.code: [one.points, one.others] for one in counties}


@login_required
@require_GET
@never_cache
def map_points(request: HttpRequest) -> JsonResponse:
    """The points for these filters, compact: `[longitude, latitude, light, number]`, newest first.

    `&around`: with them, as of the same moment, all that the page says beside them; for a map that follows.
    """
    user: Any = request.user
    _refuse_who_sees_none(user)
    query = request.GET.copy()
    around, at = query.pop("around", None), timezone.now()
    given = filters.read(query, at=at)
    found = mapping.points(user, given)
    answer: dict[str, Any] = {"points": found}
    if around is not None:
        said, answer["counts"] = _counted(user, given, query.urlencode())
        answer["said"] = render_to_string("cases/_map_said.html", said)
        answer["table"] = render_to_string("cases/_map_table.html", said)
        if not found:  # nothing is in sight: the newest of all stand beside the map
            newest = mapping.newest(mapping.found(user, given).prefetch_related(queries.current_tasks()))
            answer["newest"] = render_to_string("cases/_map_rows.html", {"rows": _drawn(user, newest, at)}, request)
    return JsonResponse(answer, json_dumps_params={"separators": (",", ":")})


@login_required
@require_GET
@never_cache
def map_rows(request: HttpRequest) -> HttpResponse:
    """`?n=…&n=…`: the rows of some cases in sight."""
    user: Any = request.user
    _refuse_who_sees_none(user)
    numbers = [number[:40].replace("\x00", "") for number in request.GET.getlist("n")]
    return render(request, "cases/_map_rows.html", {"rows": _drawn(user, mapping.of_numbers(user, numbers), timezone.now())})


def _refuse_who_sees_none(user: Any) -> None:
    if not (user.is_centre or user.is_unit):
        raise Refused("not_found")


def _drawn(user: Any, cases: list[Case], at: datetime) -> list[Any]:
    calendar = worktime.calendar()

    def row(case: Case) -> Any:
        url = reverse("cases:page", args=[case.number])
        return presenting.case_row(case, user=user, url=url, at=at, calendar=calendar, unit=queries.lead_name(case), with_state=True)

    return [row(case) for case in cases]
