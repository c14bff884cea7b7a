"""Turns a refused action into an answer: a page, a fragment for htmx, or JSON, with its status and its sentence (design §2)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone

from minsheng.audit.actions import record_refusal
from minsheng.cases import histories
from minsheng.console.actions import drop_draft
from minsheng.console.typed import in_words
from minsheng.errors import FORBIDDEN, Refused

REFUSED = "console.refused"

# Never shown back nor sent again: they are secrets, or belong to the form and not to the person.
_OWN_FIELDS = frozenset({"csrfmiddlewaretoken", "version", "submission", "code", "query_code"})


class RefusalMiddleware:
    """Catches `Refused` from any view, so that no view needs to. Refusals for lack of right are put on the audit log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answers a refusal; any other exception goes its way."""
        if not isinstance(error, Refused):
            return None
        if error.status == FORBIDDEN:
            _put_on_record(request, error)
        response = _answer(request, error)
        response["X-Refusal"] = error.code  # app.js puts the fragment beside the form that caused it
        response["Cache-Control"] = "no-store"
        return response


def _answer(request: HttpRequest, error: Refused) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse(
            {"code": error.code, "message": error.sentence, "details": _plain(error)}, status=error.status
        )
    context = {
        "sentence": error.sentence,
        "status": error.status,
        "code": error.code,
        "changes": _changes(request, error),
        "fresh_version": error.details.get("version") if error.code == "stale" else None,
    }
    if getattr(request, "htmx", False):
        return render(request, "ui/refusal.html", context, status=error.status)
    return render(request, "console/refused.html", context | _typed(request), status=error.status)


def _changes(request: HttpRequest, error: Refused) -> Any:
    """What a stale screen did not show: to staff with before and after, as they may read it; else in a sentence each."""
    user: Any = request.user
    number = error.details.get("number")
    if error.code == "stale" and number and user.is_authenticated:
        with suppress(Refused):  # it went out of sight this very moment
            return histories.since(user, number, error.details["since"], at=timezone.now())[1]
    return error.details.get("changes", ())


def _wants_json(request: HttpRequest) -> bool:
    if getattr(request, "htmx", False):
        return False
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def _plain(error: Refused) -> dict[str, Any]:
    return {k: v for k, v in error.details.items() if isinstance(v, str | int | float | bool) or v is None}


def _typed(request: HttpRequest) -> dict[str, Any]:
    """What the person had filled in: shown back, and sent again by “仍然提交”. Files cannot be; the page says so."""
    posted = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in _OWN_FIELDS and "password" not in name
        for value in values
    ]
    return {
        "resend": posted,
        "typed": in_words(request, posted),
        "had_files": bool(request.FILES),
        "resend_url": request.get_full_path(),
        "back_url": _own_page(request),
    }


def _own_page(request: HttpRequest) -> str:
    """The page the person came from, if it was one of ours."""
    referer = request.headers.get("Referer", "")
    own = f"{request.scheme}://{request.get_host()}/"
    return referer if referer.startswith(own) else ("/desk/" if request.user.is_authenticated else "/")


def _put_on_record(request: HttpRequest, error: Refused) -> None:
    actor = request.user if request.user.is_authenticated else None
    record_refusal(
        actor=actor, at=timezone.now(), code=REFUSED, refused=error, subject_label=request.path, request=request
    )


class DraftMiddleware:
    """A form that was sent needs its draft no more. Last of all, so that only what reached its view counts as sent."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        key = getattr(request, "draft_of", None)
        if key and response.status_code < 400:
            drop_draft(actor=key[0], form=key[1], submission=key[2])
        return response

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        """Note which draft this form was."""
        if request.method == "POST" and request.user.is_authenticated and "draft_of" in request.POST:
            with suppress(ValueError):
                submission = UUID(request.POST.get("submission", ""))
                form = request.POST["draft_of"][:120].replace("\x00", "")
                request.draft_of = (request.user, form, submission)  # type: ignore[attr-defined]
