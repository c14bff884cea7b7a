"""今日: the hotline leader's one page. What came in, what waits where, what is late, what went wrong, what citizens said of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from minsheng.accounts.choices import Role
from minsheng.cases.choices import Satisfaction
from minsheng.console import day_queries as queries
from minsheng.errors import Refused
from minsheng.ui.desks import Desk, register
from minsheng.worktime.moments import day_of, midnight

RATED_DAYS = 7


def register_desks() -> None:
    """Called once, when the applications are ready."""
    leader = frozenset({Role.HOTLINE_LEADER})
    register(Desk(code="day", label="今日", icon="layout-dashboard", roles=leader, url="console:day", home=leader))


@login_required
@require_GET
def day(request: HttpRequest) -> HttpResponse:
    """`/desk/day/`. Numbers and case numbers only: no words of citizens, no persons. Errors: forbidden."""
    user: Any = request.user
    if not user.has_role(Role.HOTLINE_LEADER):
        raise Refused("forbidden", action="查看今日情况")
    at = timezone.now()
    week = midnight(day_of(at)) - timedelta(days=RATED_DAYS - 1)
    stages = queries.stages(user, at)
    context = {
        "desk_title": "今日",
        "at": at,
        "came": queries.came_in(at),
        "stages": stages,
        "widest": max((stage.count for stage in stages), default=0) or 1,
        "lights": {name: sum(getattr(stage, name) for stage in stages) for name in queries.LIGHTS},
        "overdue": queries.overdue_by_unit(user, at),
        "sent_back": queries.sent_back(at, since=week),
        "ratings": _ratings(queries.ratings(since=week)),
        "rated_days": RATED_DAYS,
    }
    return render(request, "console/day.html", context)


def _ratings(found: dict[str, int]) -> dict[str, Any]:
    """Each grade with its share; who did not say is in no grade (domain.md §11: no default satisfaction)."""
    total = sum(found.values())
    grades = [
        {"grade": grade, "count": found.get(grade, 0), "share": round(100 * found.get(grade, 0) / total) if total else 0}
        for grade in Satisfaction
    ]
    return {"total": total, "grades": grades}

