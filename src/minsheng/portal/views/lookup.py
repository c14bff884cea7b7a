"""Looking up: number and code open the way to one case, for half an hour."""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from minsheng.cases import rules as case_rules
from minsheng.cases.models import Case
from minsheng.portal import actions, queries
from minsheng.portal.forms import LookUpForm, SupplementForm
from minsheng.portal.models import Purpose
from minsheng.portal.visits import address_of, end_visit, open_visit

# One sentence for an unknown number and for a wrong code: nobody learns which numbers there are.
NO_MATCH = "编号和查询码对不上，请对照回执再看一遍。"
TOO_OFTEN = "查错的次数太多了，请过一小时再查，或拨打 12345 查询。"


@never_cache
@require_http_methods(["GET", "POST"])
def look_up(request: HttpRequest) -> HttpResponse:
    """The form, and its answer: on to the case, or what is wrong with what was typed."""
    if request.method != "POST":
        return page(request, LookUpForm())
    form = LookUpForm(request.POST)
    if not form.is_valid():
        return page(request, form, status=422)
    at = timezone.now()
    number, code = form.cleaned_data["number"], form.cleaned_data["code"]
    subjects = [f"number:{number}", f"address:{address_of(request)}"]
    if queries.too_many(at=at, purpose=Purpose.LOOK_UP, subjects=subjects, limit=settings.HOTLINE["lookups_per_hour"]):
        form.add_error(None, TOO_OFTEN)
        return page(request, form, status=429)
    case = Case.objects.filter(number=number).first()
    expected = case_rules.query_code(settings.HASH_KEY, number, case.query_code_issue if case else 1)
    if not case_rules.same_code(code, expected) or case is None:
        actions.count_attempt(at=at, purpose=Purpose.LOOK_UP, subjects=subjects)
        form.add_error(None, NO_MATCH)
        return page(request, form, status=422)
    open_visit(request, case, at=at)
    return _resumed(request) or redirect("portal:mine")


@never_cache
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """退出查询."""
    end_visit(request)
    return redirect("portal:landing")


def page(request: HttpRequest, form: LookUpForm, *, carried: str = "", status: int = 200) -> HttpResponse:
    """The form. `carried`: words of a citizen whose half hour was over, taken along until they have shown the code again."""
    carried = carried or request.POST.get("carried", "")
    return render(request, "portal/look_up.html", {"form": form, "carried": carried}, status=status)


def _resumed(request: HttpRequest) -> HttpResponse | None:
    carried = request.POST.get("carried", "")
    if not carried:
        return None
    context = {"form": SupplementForm(initial={"text": carried}), "submission": uuid4(), "held": [], "resumed": True}
    return render(request, "portal/mine/supplement.html", context)
