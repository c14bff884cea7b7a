"""Paper of a case as PDF: the 办理单, the letter to the citizen. Masked at a press; whole with a reason, on record."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from minsheng.cases import actions, queries
from minsheng.cases.actions.confidentiality import Person
from minsheng.cases.choices import Ending, ReplyKind, ReplyState
from minsheng.cases.models import Case
from minsheng.cases.printing import documents
from minsheng.cases.views.page import case_context
from minsheng.cases.views.person import LONGEST_REASON
from minsheng.errors import Refused


@login_required
@require_http_methods(["GET", "POST"])
@never_cache
def papers(request: HttpRequest, number: str) -> HttpResponse:
    """GET: what can be printed, in the drawer. POST: one paper with the person whole, for a reason.

    Errors: not_found, reason_required, forbidden, invalid, and those of the papers.
    """
    user: Any = request.user
    case = queries.case_for(user, number)
    context = case_context(request, case)
    if request.method == "POST":
        reason = request.POST.get("reason", "").strip()
        if "\x00" in reason or len(reason) > LONGEST_REASON:
            raise Refused("invalid", message=f"理由最多 {LONGEST_REASON} 字，请写得简短些。")
        with transaction.atomic():  # no record of a paper that was not made
            person = actions.uncover_applicant(actor=user, at=timezone.now(), case=case, reason=reason, request=request)
            return _paper(request, case, context["body"], request.POST.get("paper", ""), person, reason)
    offered = {"papers": _offered(context["body"]), "may_uncover": context["body"]["seen"].uncover}
    template = "cases/printing/drawer.html" if getattr(request, "htmx", False) else "cases/printing/page.html"
    return render(request, template, context | offered)


@login_required
@require_GET
@never_cache
def paper(request: HttpRequest, number: str, what: str) -> HttpResponse:
    """`/cases/<number>/paper/<sheet|refusal|key of a reply>.pdf`, masked. Errors: not_found, letter_not_passed, those of typesetting."""
    user: Any = request.user
    case = queries.case_for(user, number)
    with transaction.atomic():
        return _paper(request, case, case_context(request, case)["body"], what)


def _offered(body: dict[str, Any]) -> list[tuple[str, str]]:
    """(paper, label) of what this case can be printed as for this person."""
    letters = [
        (str(each["reply"].pk), f"答复函（{each['unit']}）")
        for each in body["replies"]
        if each["reply"].kind == ReplyKind.FINAL and each["reply"].state == ReplyState.ACCEPTED
    ]
    case, found = body["case"], [("sheet", "办理单"), *letters]
    if case.ending == Ending.REJECTED and case.ending_ground_id and body["seen"].words:
        found.append(("refusal", "不予受理告知书"))
    return found


def _paper(
    request: HttpRequest, case: Case, body: dict[str, Any], what: str, person: Person | None = None, reason: str = ""
) -> HttpResponse:
    user: Any = request.user
    at, name = timezone.now(), person.name if person else ""
    if what == "sheet":
        kind, pdf = "sheet", documents.sheet_pdf(body, maker=str(user), at=at, whole=person)
    elif what == "refusal":
        kind, pdf = "refusal", documents.refusal_letter_pdf(body, name=name)
    elif what.isdigit() and len(what) < 19:
        entry = documents.letter_entry(body, int(what))
        kind, pdf = "letter", documents.reply_letter_pdf(body, entry, name=name)
    else:
        raise Refused("not_found")
    actions.note_printed(actor=user, at=at, case=case, what=kind, whole=person is not None, reason=reason, request=request)
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{case.number}-{kind}.pdf"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
