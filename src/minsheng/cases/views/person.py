"""Who asked: uncovering the masked person, and giving the query code again. Both are audited and are never a GET."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from minsheng.cases import actions, queries, scope
from minsheng.cases.models import Task
from minsheng.errors import Refused

LONGEST_REASON = 100


@login_required
@require_POST
@never_cache
def reveal(request: HttpRequest, number: str) -> HttpResponse:
    """The person whole, once. Errors: not_found, reason_required, forbidden, invalid."""
    user: Any = request.user
    case = queries.case_for(user, number)
    reason = request.POST.get("reason", "").strip()
    if "\x00" in reason or len(reason) > LONGEST_REASON:
        raise Refused("invalid", message=f"理由最多 {LONGEST_REASON} 字，请写得简短些。")
    person = actions.uncover_applicant(actor=user, at=timezone.now(), case=case, reason=reason, request=request)
    parts = (case.applicant.organisation, person.name, person.phone, person.id_number, person.address)
    return _once(request, number, "诉求人", "　".join(part for part in parts if part) or "没有留下联系方式")


@login_required
@require_POST
@never_cache
def reissue(request: HttpRequest, number: str) -> HttpResponse:
    """A new query code, shown once, for who may call this citizen now. Errors: not_found, forbidden."""
    user: Any = request.user
    case = queries.case_for(user, number)
    if not scope.disclosure_for(user, case, Task.objects.filter(case=case)).uncover:
        raise Refused("forbidden", action="补发查询码")
    code = actions.reissue_query_code(actor=user, at=timezone.now(), case=case)
    return _once(request, number, "新的查询码", f"{code[:4]} {code[4:]}")


def _once(request: HttpRequest, number: str, name: str, value: str) -> HttpResponse:
    """A fragment beside the case, or a page where there is no JavaScript; neither is kept by the browser."""
    template = "ui/revealed.html" if getattr(request, "htmx", False) else "cases/revealed.html"
    return render(request, template, {"value": value, "name": name, "number": number})
