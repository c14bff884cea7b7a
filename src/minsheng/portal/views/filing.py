"""Filing: one form, one case, one receipt, however often it is sent."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET, require_http_methods

from minsheng.cases.actions.intake import query_code_of
from minsheng.cases.models import Case
from minsheng.channels import web
from minsheng.errors import Refused
from minsheng.portal import actions, queries, rules
from minsheng.portal.forms import KINDS, FilingForm
from minsheng.portal.models import Purpose
from minsheng.portal.views.uploads import Held, all_files, submission_of, takes_uploads
from minsheng.portal.visits import address_of

TOO_OFTEN = "从您这个网络提交得太多了，请过一小时再试，急事请拨打 12345。您填写的内容都还在。"


@require_GET
def landing(request: HttpRequest) -> HttpResponse:
    """One question."""
    return render(request, "portal/landing.html", {"kinds": KINDS})


@require_GET
def privacy(request: HttpRequest) -> HttpResponse:
    """What is kept, what for, how long, and one's rights (个保法 §17; domain.md §8.1)."""
    return render(request, "portal/privacy.html")


# It acts in nobody's name and uses no session: a telephone that refuses cookies, or a page left open overnight, files too.
@takes_uploads(protected=False)
@require_http_methods(["GET", "POST"])
def file_request(request: HttpRequest) -> HttpResponse:
    """The form; sent well, the receipt itself is the answer, so that sending it again shows it again and no URL has the code."""
    at = timezone.now()
    submission = submission_of(request)
    if request.method != "POST":
        kind = request.GET.get("kind", "")
        form = FilingForm(at=at, initial={"kind": kind if kind in {value for value, *_ in KINDS} else None})
        return _form_page(request, form, Held(request, submission))
    known = web.contact_of(submission)
    if known is not None:
        typed = request.POST.get("text", "").replace("\r\n", "\n").strip()
        return receipt(request, known.case, changed=typed != known.text)
    held = Held(request, submission)
    form = FilingForm(request.POST, request.FILES, at=at, held=len(held.files))
    case = _file(request, form, held, submission) if form.is_valid() else None
    if case is not None:
        return receipt(request, case)
    held.keep(form, at=at)
    return _form_page(request, form, held, status=422)


def _file(request: HttpRequest, form: FilingForm, held: Held, submission: UUID) -> Case | None:
    """The case, or None with the reason on the form."""
    subjects, limit = [address_of(request)], settings.HOTLINE["submissions_per_hour"]
    if queries.too_many(at=form.at, purpose=Purpose.FILING, subjects=subjects, limit=limit):
        form.add_error(None, TOO_OFTEN)
        return None
    try:
        case = web.file_request(
            at=form.at,
            details=form.case_details(),
            applicant=form.applicant_details(),
            files=all_files(held, form),
            submission=submission,
        )
    except Refused as refused:
        form.add_error(None, refused.sentence)
        return None
    actions.count_attempt(at=form.at, purpose=Purpose.FILING, subjects=subjects)
    held.done()
    return case


def receipt(request: HttpRequest, case: Case, *, changed: bool = False) -> HttpResponse:
    """Number and query code, what comes next and by when. Never stored by anything between here and the citizen."""
    code = query_code_of(case)
    context = {
        "case": case,
        "number": rules.grouped_number(case.number or ""),
        "code": code,
        "code_groups": rules.grouped_code(code),
        "due": rules.by_when(case.stage_due_at, timezone.now()) if case.stage_due_at and case.state == "to_accept" else "",
        "changed": changed,
    }
    response = render(request, "portal/receipt.html", context)
    patch_cache_control(response, private=True, no_store=True)
    return response


def _form_page(request: HttpRequest, form: FilingForm, held: Held, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "held": held.files, "submission": held.submission}
    response = render(request, "portal/file.html", context, status=status)
    # Not no-store: Back must still find what was typed.
    patch_cache_control(response, private=True, no_cache=True)
    return response
