"""Who is asking: the address that a request comes from, and the one case that a citizen has shown number and code for."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest

from minsheng.cases.models import Case

SESSION_KEY = "citizen_case"
LASTS = timedelta(minutes=30)


def address_of(request: HttpRequest) -> str:
    """The address that limits are counted by. Behind a front (TRUSTED_FRONTS), what the nearest of them saw: anything
    further left in X-Forwarded-For the citizen may have written themselves."""
    fronts = settings.TRUSTED_FRONTS
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    if fronts and len(forwarded) >= fronts:
        return forwarded[-fronts]
    return str(request.META.get("REMOTE_ADDR", ""))


def open_visit(request: HttpRequest, case: Case, *, at: datetime) -> None:
    """Remember that number and code of this case were shown; nothing but its key stands in the session."""
    request.session.cycle_key()
    _write(request, case.pk, case.query_code_issue, at)


def visited_case(request: HttpRequest, *, at: datetime) -> Case | None:
    """The case of the visit under way, or None: never begun, idle for half an hour, or the code is void since."""
    entry = request.session.get(SESSION_KEY)
    if not entry:
        return None
    if at.timestamp() >= entry["until"]:
        end_visit(request)
        return None
    case = (
        Case.objects.select_related("topic", "place__parent", "applicant", "merged_into")
        .filter(pk=entry["case"], query_code_issue=entry["issue"])
        .first()
    )
    if case is None:
        end_visit(request)
        return None
    # Every look prolongs the visit; written at most once a minute, so that most looks write nothing.
    if entry["until"] - at.timestamp() < (LASTS - timedelta(minutes=1)).total_seconds():
        _write(request, case.pk, case.query_code_issue, at)
    return case


def end_visit(request: HttpRequest) -> None:
    """Forget the case; a staff member's own session in the same browser goes on."""
    request.session.pop(SESSION_KEY, None)


def _write(request: HttpRequest, case: int, issue: int, at: datetime) -> None:
    request.session[SESSION_KEY] = {"case": case, "issue": issue, "until": (at + LASTS).timestamp()}
