"""The desks of supervisors, leaders and inspectors (what presses citizens most), of readers, and of the administrators."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Min, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from minsheng.accounts.choices import ADMIN_ROLES, Role
from minsheng.cases import presenting
from minsheng.cases import queries as cases
from minsheng.cases.choices import OPEN_STATES
from minsheng.cases.models import Case
from minsheng.cases.views.page import case_context
from minsheng.errors import Refused
from minsheng.ui.desks import Desk, register
from minsheng.ui.pages import keyset_page
from minsheng.worktime import queries as worktime
from minsheng.worktime.moments import day_of, end_of

OVERSEERS = frozenset({Role.SUPERVISOR, Role.INSPECTOR, Role.HOTLINE_LEADER})
READERS = frozenset({Role.QUALITY, Role.KNOWLEDGE, Role.ANALYST})
OVERDUE, TODAY, ALL = "", "today", "all"
LABELS = {OVERDUE: "已逾期", TODAY: "今天到期", ALL: "全部在办"}


def register_desks() -> None:
    """Called once, when the applications are ready."""
    home = frozenset(OVERSEERS)
    register(
        Desk(
            code="supervision",
            label="督办",
            icon="eye-exclamation",
            roles=OVERSEERS,
            url="console:overview",
            count=overdue_count,
            home=home,
        )
    )
    register(Desk(code="lookup", label="查询", icon="list-search", roles=READERS, url="cases:list", home=READERS))
    register(Desk(code="system", label="系统", icon="settings", roles=ADMIN_ROLES, url="admin:index", home=ADMIN_ROLES))


def running(user: Any) -> QuerySet[Case]:
    """Cases whose citizen is waiting, by the citizen's time left."""
    found = Case.objects.visible_to(user).filter(state__in=OPEN_STATES, citizen_due_at__isnull=False)
    return found.select_related("topic", "place__parent")


def overdue_count(user: Any, at: datetime) -> tuple[int, str]:
    """How many citizens wait longer than they were told, and the light of the most pressing case. One query."""
    told = running(user).aggregate(
        count=Count("pk", filter=Q(citizen_due_at__lte=at)),
        yellow=Min("citizen_yellow_at"),
        orange=Min("citizen_orange_at"),
        due=Min("citizen_due_at"),
    )
    return told["count"], presenting.light_by(at, yellow=told["yellow"], orange=told["orange"], due=told["due"]).value


def _of_tab(rows: QuerySet[Case], tab: str, at: datetime) -> QuerySet[Case]:
    if tab == OVERDUE:
        return rows.filter(citizen_due_at__lte=at)
    if tab == TODAY:
        return rows.filter(citizen_due_at__gt=at, citizen_due_at__lte=end_of(day_of(at)))
    return rows


@login_required
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """`/desk/overview/?tab=today&open=<number>`: what is late or about to be, the case beside it. Errors: forbidden."""
    user: Any = request.user
    if not user.has_any(OVERSEERS):
        raise Refused("forbidden", action="查看督办工作台")
    at = timezone.now()
    tab = request.GET.get("tab", OVERDUE) if request.GET.get("tab", OVERDUE) in LABELS else OVERDUE
    # Null never reaches the page: the filter above took it out; the pager wants to be sure.
    rows = _of_tab(running(user), tab, at).annotate(due=Min("citizen_due_at"))
    page = keyset_page(rows, ("due", "id"), request.GET.get("page", ""))
    calendar = worktime.calendar()
    context: dict[str, Any] = {
        "desk_title": "督办",
        "tabs": [{"url": _url(each), "label": label, "current": each == tab} for each, label in LABELS.items()],
        "list_url": _url(tab),
        "open": "",
        "empty_title": "没有" + LABELS[tab] + "的诉求件",
        "empty_text": "超过群众时限、今天到期的诉求件会出现在这里，最急的排在最前面。",
        "page": page.map(
            lambda case: presenting.case_row(
                case, user=user, url=_url(tab, open=case.number), at=at, calendar=calendar, with_state=True,
                extras=[_late(case, at)],
            )
        ),
    }
    number = request.GET.get("open", "")[:40].replace("\x00", "")
    if number:
        opened = cases.case_for(user, number)
        context |= case_context(request, opened) | {"open": opened.number}
    return render(request, "console/overview.html", context)


def _late(case: Case, at: datetime) -> str:
    assert case.citizen_due_at is not None
    late = at - case.citizen_due_at
    return f"群众已多等 {max(late.days, 1)} 天" if late > timedelta(0) else ""


def _url(tab: str, **more: Any) -> str:
    query = urlencode(({"tab": tab} if tab else {}) | more)
    return reverse("console:overview") + (f"?{query}" if query else "")
