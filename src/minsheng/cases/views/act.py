"""One view for every action of the transition table: GET opens its form beside the case, POST does it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from minsheng.cases import panels, queries, work, workflow
from minsheng.cases.panels import Panel
from minsheng.cases.views.page import case_context
from minsheng.errors import Refused


@login_required
@require_http_methods(["GET", "POST"])
def act(request: HttpRequest, number: str, code: str) -> HttpResponse:
    """Errors (as refusals): not_found, forbidden, wrong_state, guards', stale."""
    row, panel_class = workflow.BY_CODE.get(code), panels.panel_for(code)
    if row is None or panel_class is None:
        raise Refused("not_found")
    actor: Any = request.user
    case = queries.case_for(actor, number)
    at = timezone.now()
    situation = work.situation_of(case, actor=actor, at=at, task=_task(request, case))
    if request.method == "GET":
        workflow.check(row, situation)
        return _drawer(request, panel_class(situation=situation, row=row, initial=_given(request)))
    panel = panel_class(request.POST, request.FILES, situation=situation, row=row)
    if not panel.is_valid():
        return _drawer(request, panel, status=422)
    with suppress(work.Repeated):  # the first press did it; the answer is the same
        panel.perform(version=_version(request), submission=_submission(request))
    messages.success(request, panel.done)
    return _done(request, number)


def _task(request: HttpRequest, case: Any) -> Any:
    key = request.GET.get("task", "")
    return case.tasks.filter(pk=int(key)).first() if key.isdigit() and len(key) < 19 else None


def _given(request: HttpRequest) -> dict[str, Any]:
    """What the button that was pressed fills in beforehand (`?lead=12`); the person still reads it and presses."""
    return {name: str(value).replace("\x00", "") for name, value in request.GET.items() if name != "task"}


def _version(request: HttpRequest) -> int | None:
    """What the screen was drawn from. A form without it was not ours: it is refused rather than trusted."""
    given = request.POST.get("version", "")
    if not given.isdigit() or len(given) > 9:
        raise Refused("invalid", message="页面缺少版本信息，请刷新后重试。您填写的内容没有丢失。")
    return int(given)


def _submission(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("submission", ""))
    except ValueError:
        raise Refused("invalid", message="页面缺少提交编号，请刷新后重试。您填写的内容没有丢失。") from None


def _drawer(request: HttpRequest, panel: Panel, status: int = 200) -> HttpResponse:
    case, task = panel.case, panel.situation.task
    context = {
        "case": case,
        "case_key": case.number,
        "title": panel.row.label,
        "form": panel,
        "form_template": panel.template,
        "consequence": panel.consequence,
        "submit_label": panel.submit_label or panel.row.label,
        "danger": panel.danger,
        "action_url": request.get_full_path(),
        "versioned": case,
        "draft_key": "/".join([case.number or "", panel.row.code, *([str(task.pk)] if task is not None else [])]),
        "action_code": panel.row.code,
        "cancel_url": reverse("cases:page", args=[case.number]),
    }
    if getattr(request, "htmx", False):
        return render(request, "ui/drawer.html", context, status=status)
    return render(request, "cases/act.html", case_context(request, case) | context, status=status)


def _done(request: HttpRequest, number: str) -> HttpResponse:
    """Back to where the person stood: the list with its case, or the case's page if it can still be seen; or on to what the
    form itself named (`then`), the next of its list."""
    then = request.POST.get("then", "")
    if not (then.startswith("/cases/") and url_has_allowed_host_and_scheme(then, None)):
        then = ""
    if getattr(request, "htmx", False):
        response = HttpResponse(status=204)
        response["HX-Redirect"] = then or request.htmx.current_url_abs_path or reverse("cases:page", args=[number])  # type: ignore[attr-defined]
        return response
    return redirect(then or reverse("cases:page", args=[number]))
