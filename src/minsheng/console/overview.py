"""The desks of supervisors, leaders and inspectors (what presses citizens most), and of readers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import Count, F, Min, Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from minsheng.accounts.choices import Role
from minsheng.cases import bulk, lights, lists, presenting, queries, shown_clocks
from minsheng.cases.choices import GONE_TASK_STATES, TaskRole
from minsheng.cases.models import Case, Task
from minsheng.cases.pressing import WAITING
from minsheng.cases.scope import alike
from minsheng.cases.views.page import case_context, list_url, row_url
from minsheng.errors import Refused
from minsheng.ui.desks import Desk, register
from minsheng.ui.rows import Row
from minsheng.worktime import queries as worktime
from minsheng.worktime.moments import day_of, end_of
from minsheng.worktime.rules import Calendar

OVERSEERS = frozenset({Role.SUPERVISOR, Role.INSPECTOR, Role.HOTLINE_LEADER})
READERS = frozenset({Role.QUALITY, Role.KNOWLEDGE, Role.ANALYST})
UNITS_SHOWN = 8
OVERDUE, TODAY, ALL = "", "today", "all"
LABELS = {OVERDUE: "已逾期", TODAY: "今天到期", ALL: "全部在办"}


def register_desks() -> None:
    """Called once, when the applications are ready."""
    register(
        Desk(
            code="supervision",
            label="督办",
            icon="eye-exclamation",
            roles=OVERSEERS,
            url="console:overview",
            count=overdue_count,
            alike=alike,
            home=OVERSEERS - {Role.HOTLINE_LEADER},
        )
    )
    register(Desk(code="lookup", label="查询", icon="list-search", roles=READERS, url="cases:list", home=READERS))


def running(user: Any) -> QuerySet[Case]:
    """Cases whose citizen is waiting, by the citizen's time left."""
    found = Case.objects.visible_to(user).filter(state__in=sorted(WAITING), citizen_due_at__isnull=False)
    return found.select_related("topic", "place__parent")


def overdue_count(user: Any, at: datetime) -> tuple[int, str]:
    """How many citizens wait longer than they were told, and the light of the most pressing case. One query."""
    told = running(user).aggregate(
        count=Count("pk", filter=Q(citizen_due_at__lte=at)),
        yellow=Min("citizen_yellow_at"),
        orange=Min("citizen_orange_at"),
        due=Min("citizen_due_at"),
    )
    return told["count"], lights.light_by(at, yellow=told["yellow"], orange=told["orange"], due=told["due"]).value


def _of_tab(rows: QuerySet[Case], tab: str, at: datetime) -> QuerySet[Case]:
    if tab == OVERDUE:
        return rows.filter(citizen_due_at__lte=at)
    if tab == TODAY:
        return rows.filter(citizen_due_at__gt=at, citizen_due_at__lte=end_of(day_of(at)))
    return rows


def _leads(cases: QuerySet[Case]) -> QuerySet[Task]:
    """The share of the unit that leads the round under way, of each of these."""
    leads = Task.objects.filter(role=TaskRole.LEAD, round=F("case__round"), case__in=cases.order_by())
    return leads.exclude(state__in=GONE_TASK_STATES)


def busiest(rows: QuerySet[Case]) -> list[tuple[int, str, int]]:
    """The units that lead most of these cases: key, name, how many. One query."""
    counted = _leads(rows).order_by().values("unit", "unit__name", "unit__short_name").annotate(n=Count("pk"))
    top = counted.order_by("-n", "unit")[:UNITS_SHOWN]
    return [(row["unit"], row["unit__short_name"] or row["unit__name"], row["n"]) for row in top]


def _refuse_others(user: Any) -> None:
    if not user.has_any(OVERSEERS):
        raise Refused("forbidden", action="查看督办工作台")


def _rows(user: Any, params: QueryDict, at: datetime) -> tuple[QuerySet[Case], lists.Order]:
    """The tab's cases, of the unit that leads them where one is chosen."""
    _refuse_others(user)
    rows, lead = _of_tab(running(user), _tab(params), at), _key(params.get("lead", ""))
    if lead:
        rows = rows.filter(pk__in=_leads(rows).filter(unit=lead).values("case"))
    # Null never reaches the page: `running` took it out; the pager wants to be sure.
    return rows.annotate(due=F("citizen_due_at")), ("due", "id")


LIST = lists.register(
    lists.CaseList(
        code="supervision",
        title="督办",
        url="console:overview",
        rows=_rows,
        only={"state": WAITING},
        sorts={"received": lists.RECEIVED, "due": lists.CITIZEN_DUE},
        own=("tab", "lead"),
        with_tasks=True,
        clock="citizen",
        own_sort="逾期最久的在前",
    )
)


@login_required
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """`/desk/overview/?tab=today&lead=<unit's key>&open=<number>`: late or about to be, the longest first. Errors: forbidden."""
    user: Any = request.user
    _refuse_others(user)
    at = timezone.now()
    shown = lists.opened(request, LIST, at)
    if shown.elsewhere and not shown.own():
        return redirect(shown.elsewhere)
    tab, lead = _tab(request.GET), _key(request.GET.get("lead", ""))
    calendar = worktime.calendar()
    context: dict[str, Any] = {
        "desk_title": "督办",
        "tabs": [{"url": _url(each), "label": label, "current": each == tab} for each, label in LABELS.items()],
        "units": [
            {"url": _url(tab, None if key == lead else key), "label": name, "count": n, "current": key == lead}
            for key, name, n in busiest(_of_tab(running(user), tab, at))
        ],
        "list_url": list_url(request),
        "list": shown,
        "bulk": bulk.offers(user, "urge"),
        "open": "",
        "empty_title": "没有" + LABELS[tab] + "的诉求件",
        "empty_text": "超过群众时限、今天到期的诉求件会出现在这里，最急的排在最前面。",
        "page": shown.page().map(
            lambda case: shown.with_cells(_row(case, user, row_url(request, case.number), at, calendar), case)
        ),
    }
    number = request.GET.get("open", "")[:40].replace("\x00", "")
    if number:
        opened = queries.case_for(user, number)
        context |= case_context(request, opened) | {"open": opened.number}
    return render(request, "console/overview.html", context)


def _tab(params: QueryDict) -> str:
    return params.get("tab", OVERDUE) if params.get("tab", OVERDUE) in LABELS else OVERDUE


def _row(case: Any, user: Any, url: str, at: datetime, calendar: Calendar) -> Row:
    """A row with the citizen's clock, by which this list is ordered, whatever clock the stage has of its own."""
    lead = next((task.unit for task in case.current_tasks if task.role == TaskRole.LEAD and task.round == case.round), None)
    name = (lead.short_name or lead.name) if lead else ""
    row = presenting.case_row(case, user=user, url=url, at=at, calendar=calendar, unit=name, with_state=True)
    clock = shown_clocks.citizen_clock(case, at=at, calendar=calendar)
    return replace(row, light=clock.light, left=clock.text, why=clock.sentence, turns=clock.turns) if clock else row


def _key(given: str) -> int | None:
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None


def _url(tab: str, lead: int | None = None) -> str:
    query = urlencode({name: value for name, value in {"tab": tab, "lead": lead}.items() if value})
    return reverse("console:overview") + (f"?{query}" if query else "")
