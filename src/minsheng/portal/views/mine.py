"""One's own case: how it stands, and what its citizen may do. Every page asks the visit, every button the transition table."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.forms import BaseForm
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from minsheng.cases import actions as case_actions
from minsheng.cases import work
from minsheng.cases.actors import CITIZEN
from minsheng.cases.models import Case
from minsheng.channels import web
from minsheng.errors import Refused
from minsheng.followup.actions import rate_case
from minsheng.portal import actions, progress, queries, rules
from minsheng.portal.forms import LookUpForm, SupplementForm, WithdrawForm
from minsheng.portal.models import Purpose
from minsheng.portal.views import lookup
from minsheng.portal.views.ratings import Rating
from minsheng.portal.views.uploads import Held, all_files, submission_of, takes_uploads
from minsheng.portal.visits import visited_case
from minsheng.publishing import actions as publishing_actions
from minsheng.publishing import queries as publishing
from minsheng.secrecy import mask_phone

View = Callable[..., HttpResponseBase]
_INLINE = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp"})
_NOT_NOW = {"rate": "评价", "supplement": "补充", "withdraw": "撤回"}
SUPPLEMENTS_TOO_OFTEN = "补充得太频繁了，请过一小时再试，急事请拨打 12345。您填写的内容都还在。"


def with_visit(action: str = "") -> Callable[[View], View]:
    """Give the view its case; without a visit, back to number and code, with what was typed. `action`: only if allowed now."""

    def decorate(view: View) -> View:
        @never_cache
        @wraps(view)
        def visited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            case = visited_case(request, at=timezone.now())
            if case is None:
                return _show_code_again(request)
            # A form that was sent already may be sent again: what it asked for is done, the action itself says so.
            if action and request.method == "GET" and not _may(case, action):
                messages.info(request, f"现在不能{_NOT_NOW[action]}，请看最新进展。")
                return redirect("portal:mine")
            return view(request, case, *args, **kwargs)

        return visited

    return decorate


def _may(case: Case, action: str) -> bool:
    return action in progress.may_now(work.situation_of(case, actor=CITIZEN, at=timezone.now()))


def _show_code_again(request: HttpRequest) -> HttpResponse:
    typed = request.POST.get("text") or request.POST.get("reason") or request.POST.get("comment") or ""
    if typed:
        return lookup.page(request, LookUpForm(), carried=typed, status=403)
    messages.info(request, "请先填写编号和查询码。离开半小时后，需要再填一次。")
    return redirect("portal:look_up")


def _done(request: HttpRequest, form: BaseForm, do: Callable[[], Any]) -> bool:
    """Do it; a refusal stands on the form, and what was done before by the same form counts as done."""
    try:
        do()
    except work.Repeated:
        return True
    except Refused as refused:
        words = "情况有了变化，现在不能这样做了。请看最新进展。" if refused.code in ("wrong_state", "forbidden") else refused.sentence
        form.add_error(None, words)
        return False
    return True


@require_GET
@with_visit()
def page(request: HttpRequest, case: Case) -> HttpResponse:
    """`/mine/`."""
    at = timezone.now()
    context = {
        "progress": progress.progress_of(case, at=at),
        "case": case,
        "number": rules.grouped_number(case.number or ""),
        "phone": mask_phone(case.applicant.phone or ""),
        "may_agree": publishing.may_agree(case),
    }
    return render(request, "portal/mine/page.html", context)


@takes_uploads()
@require_http_methods(["GET", "POST"])
@with_visit("supplement")
def supplement(request: HttpRequest, case: Case) -> HttpResponse:
    """补充情况."""
    submission = submission_of(request)
    held = Held(request, submission)
    if request.method != "POST":
        return _supplement_page(request, SupplementForm(), held)
    at = timezone.now()
    form = SupplementForm(request.POST, request.FILES, held=len(held.files))
    subjects, limit = [f"number:{case.number}"], settings.HOTLINE["submissions_per_hour"]
    if form.is_valid() and queries.too_many(at=at, purpose=Purpose.SUPPLEMENT, subjects=subjects, limit=limit):
        form.add_error(None, SUPPLEMENTS_TOO_OFTEN)
    if form.is_valid() and _done(request, form, lambda: _add(case, form, held, submission)):
        actions.count_attempt(at=at, purpose=Purpose.SUPPLEMENT, subjects=subjects)
        held.done()
        messages.success(request, "已经补充，办理的单位能看到。")
        return redirect("portal:mine")
    held.keep(form, at=at)
    return _supplement_page(request, form, held, status=422)


def _add(case: Case, form: SupplementForm, held: Held, submission: UUID) -> None:
    files = all_files(held, form)
    web.add_words(at=timezone.now(), case=case, text=form.cleaned_data["text"], files=files, submission=submission)


def _supplement_page(request: HttpRequest, form: SupplementForm, held: Held, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "held": held.files, "submission": held.submission}
    return render(request, "portal/mine/supplement.html", context, status=status)


@require_http_methods(["GET", "POST"])
@with_visit("withdraw")
def withdraw(request: HttpRequest, case: Case) -> HttpResponse:
    """撤回: one page that says what follows, and asks why."""
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    submission = submission_of(request)

    def do() -> None:
        reason = form.cleaned_data["reason"]
        case_actions.withdraw_case(actor=CITIZEN, at=timezone.now(), case=case, reason=reason, submission=submission)

    if form.is_bound and form.is_valid() and _done(request, form, do):
        messages.success(request, "已经撤回。")
        return redirect("portal:mine")
    status = 422 if form.is_bound else 200
    return render(request, "portal/mine/withdraw.html", {"form": form, "submission": submission}, status=status)


@require_http_methods(["GET", "POST"])
@with_visit("rate")
def rate(request: HttpRequest, case: Case) -> HttpResponse:
    """评价 in two presses."""
    rating = Rating(request)
    if rating.is_complete and _done(request, rating.form, lambda: _rate(case, rating)):
        messages.success(request, rating.thanks)
        return redirect("portal:mine")
    context = {"rating": rating, "back": "portal:mine"}
    return render(request, "portal/rate.html", context, status=rating.status)


@require_POST
@with_visit()
def change_consent(request: HttpRequest, case: Case) -> HttpResponse:
    """不再同意公开: nothing of it is public from this moment. 同意公开: `agree=yes`; two persons look at it first."""
    if request.POST.get("agree") == "yes":
        try:
            publishing_actions.give_consent(at=timezone.now(), case=case)
        except Refused as refused:  # made confidential meanwhile: the page shows how it stands, and offers it no more
            messages.info(request, refused.sentence)
            return redirect("portal:mine")
        messages.success(request, "已经记下您的同意。公开前由两名工作人员核对，隐去个人信息。")
        return redirect("portal:mine")
    publishing_actions.withdraw_consent(at=timezone.now(), case=case)
    messages.success(request, "已经改为不公开，别人看不到了。")
    return redirect("portal:mine")


def _rate(case: Case, rating: Rating) -> None:
    rate_case(at=timezone.now(), case=case, submission=rating.submission, **rating.given)


@require_GET
@with_visit()
def open_file(request: HttpRequest, case: Case, pk: int) -> HttpResponseBase:
    """A paper of the reply, or one's own file; anything else is not there."""
    paper = progress.may_open(case, pk)
    if paper is None:
        raise Refused("not_found")
    try:
        content = paper.file.open("rb")
    except FileNotFoundError:
        raise Refused("not_found") from None
    inline = paper.media_type in _INLINE
    response = FileResponse(content, as_attachment=not inline, filename=paper.name, content_type=paper.media_type)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"  # whatever it holds, it runs nothing
    return response
