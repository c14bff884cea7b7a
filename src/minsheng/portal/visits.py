"""Who is asking: the address that a request comes from, the one case that a citizen has shown number and code for, and the
forms that this browser is filling in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from minsheng.cases.models import Case

SESSION_KEY = "citizen_case"
LASTS = timedelta(minutes=30)
FILING_COOKIE = f"minsheng_filing_{settings.PORT}"
_FILING_SALT = "minsheng.portal.filing"
FORMS_AT_ONCE = 4  # windows that one browser may fill in side by side


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


# --- forms under way ---------------------------------------------------------------------------------------------


def filing_keys(request: HttpRequest) -> list[UUID]:
    """The forms that this browser fills in, the latest last; none where the cookie is missing, altered or too old."""
    try:
        found = signing.loads(request.COOKIES.get(FILING_COOKIE, ""), salt=_FILING_SALT, max_age=_filing_seconds())
        return [UUID(key) for key in found]
    except (signing.BadSignature, ValueError, TypeError, AttributeError):
        return []


def remember_filings(response: HttpResponseBase, keys: Sequence[UUID]) -> None:
    """The cookie outlives the browser, not the form; it holds keys and nothing that was typed."""
    if not keys:
        response.delete_cookie(FILING_COOKIE, samesite="Lax")
        return
    value = signing.dumps([str(key) for key in keys[-FORMS_AT_ONCE:]], salt=_FILING_SALT)
    response.set_cookie(
        FILING_COOKIE, value, max_age=_filing_seconds(), httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )


def _filing_seconds() -> int:
    return int(settings.HOTLINE["filing_days"]) * 24 * 3600
