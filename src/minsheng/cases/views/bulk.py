"""Several cases at once: the preview, and what became of each."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from minsheng.cases import bulk, presenting, queries
from minsheng.cases.models import Case
from minsheng.errors import Refused

LONGEST_REASON = 1000


@login_required
@require_http_methods(["GET", "POST"])
@never_cache
def several(request: HttpRequest, code: str) -> HttpResponse:
    """`/cases/bulk/<action>/?n=<number>&n=…`: a line for each, nothing done yet; posted, each is done by itself.

    Errors: not_found (no such action), forbidden, invalid.
    """
    user: Any = request.user
    kind = bulk.of(code)
    if not bulk.may(user, code):
        raise Refused("forbidden", action=f"批量{kind.label}")
    given = request.POST if request.method == "POST" else request.GET
    cases = _cases(user, given.getlist("n"))
    back = given.get("back", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith("/")
    context: dict[str, Any] = {"desk_title": f"批量{kind.label}", "kind": kind, "back": back if safe else "/desk/"}
    wrong = _wrong(request, kind) if request.method == "POST" else ""
    if request.method == "GET" or wrong:
        at = timezone.now()
        context["lines"] = [
            (line, presenting.shown_title(user, line.case), presenting.place_words(line.case.place))
            for line in bulk.lines(kind, user, cases, at=at)
        ]
        context |= {"wrong": wrong, "reason": given.get("reason", "")}
        context["ready"] = sum(not line.why_not for line, _, _ in context["lines"])
        return render(request, "cases/bulk.html", context, status=422 if wrong else 200)
    context["results"] = [_one(request, kind, case) for case in cases if given.get(f"do-{case.number}")]
    context["done"] = sum(result.done for result in context["results"])
    return render(request, "cases/bulk.html", context)


def _cases(user: Any, numbers: list[str]) -> list[Case]:
    """Those that the person may see, in the order asked for."""
    wanted = list(dict.fromkeys(number[:40].replace("\x00", "") for number in numbers))
    if not wanted or len(wanted) > bulk.MOST:
        raise Refused("invalid", message=f"请选 1 到 {bulk.MOST} 件。")
    found = {case.number: case for case in queries.every_case(user).filter(number__in=wanted)}
    return [found[number] for number in wanted if number in found]


def _wrong(request: HttpRequest, kind: bulk.Bulk) -> str:
    reason = request.POST.get("reason", "").strip()
    if kind.asks_reason and not reason:
        return "请写明理由。"
    if len(reason) > LONGEST_REASON or "\x00" in reason:
        return f"理由最多 {LONGEST_REASON} 字。"
    return ""


def _one(request: HttpRequest, kind: bulk.Bulk, case: Case) -> bulk.Result:
    user: Any = request.user
    version = request.POST.get(f"version-{case.number}", "")
    try:
        submission = UUID(request.POST.get("submission", ""))
    except ValueError:
        raise Refused("invalid", message="页面缺少提交编号，请刷新后重试。") from None
    return bulk.perform(
        kind,
        actor=user,
        at=timezone.now(),
        case=case,
        choice=request.POST.get(f"choice-{case.number}", "")[:40],
        reason=request.POST.get("reason", "").strip(),
        version=int(version) if version.isdecimal() and len(version) < 10 else 0,
        submission=submission,
    )
