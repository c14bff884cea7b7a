"""Drafts: what is typed into a form is kept, about two seconds after the typing pauses, until the form is sent or the draft dropped.

    GET  /desk/drafts/?form=   the person's drafts of that form, newest first
    POST /desk/drafts/         keep one
    POST /desk/drafts/drop/    forget one

The browser asks (ui/drafts.js); where the server does not answer it keeps the words itself, encrypted with a key that is derived
for the person alone, so that nobody else at the same machine can read them.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from minsheng.accounts.models import User
from minsheng.console import actions
from minsheng.console.models import Draft
from minsheng.errors import Refused
from minsheng.secrecy import derive, secrets_of
from minsheng.ui import times

MOST_OFFERED = 5
LARGEST = 200_000  # a long reply has some thousands of characters
_FORM = re.compile(r"[A-Za-z0-9_/-]{1,120}")
_NEVER = ("csrfmiddlewaretoken", "submission", "version", "draft_of")


@login_required
@require_http_methods(["GET", "POST"])
def drafts(request: HttpRequest) -> HttpResponse:
    """Errors: invalid."""
    user: Any = request.user
    if request.method == "POST":
        _keep(user, request)
        return HttpResponse(status=204)
    at = timezone.now()
    found = actions.drafts_of(user, request.GET.get("form", "")[:120].replace("\x00", ""))[:MOST_OFFERED]
    return JsonResponse({"drafts": [_shown(draft, at) for draft in found]})


@login_required
@require_POST
def drop(request: HttpRequest) -> HttpResponse:
    """Errors: invalid."""
    user: Any = request.user
    given = _given(request)
    actions.drop_draft(actor=user, form=_form(given), submission=_submission(given))
    return HttpResponse(status=204)


def key_of(user: User) -> str:
    """The key that the person's browsers encrypt with what the server could not be told; base64 of 32 bytes."""
    secret = secrets_of(settings.DATA_KEY)[0]
    return b64encode(derive(secret, f"drafts in a browser of person {user.pk}")).decode()


def _shown(draft: Draft, at: datetime) -> dict[str, Any]:
    local = timezone.localtime(draft.saved_at, times.SHANGHAI)
    today = timezone.localtime(at, times.SHANGHAI).date()
    return {
        "submission": str(draft.submission),
        "version": draft.version,
        "saved": f"{local:%H:%M}" if local.date() == today else times.moment(draft.saved_at, at),
        "files": draft.had_files,
        "fields": json.loads(draft.fields or "[]"),
    }


def _keep(user: User, request: HttpRequest) -> None:
    given = _given(request)
    typed_at = given.get("at")  # told where the server did not answer at the time
    at = timezone.now()
    if isinstance(typed_at, int) and 0 < typed_at < at.timestamp() * 1000:
        at = datetime.fromtimestamp(typed_at / 1000, tz=UTC)
    version = given.get("version")
    actions.keep_draft(
        actor=user,
        at=at,
        form=_form(given),
        submission=_submission(given),
        version=version if isinstance(version, int) and 0 <= version < 2**31 else None,
        fields=_fields(given),
        had_files=given.get("files") is True,
    )


def _given(request: HttpRequest) -> dict[str, Any]:
    try:
        given = json.loads(request.body if len(request.body) <= LARGEST else b"")
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise Refused("invalid", message="草稿没有保存：内容读不出来，或太长。")
    return given


def _form(given: dict[str, Any]) -> str:
    form = given.get("form")
    if not isinstance(form, str) or not _FORM.fullmatch(form):
        raise Refused("invalid", message="草稿没有保存：不知道是哪张表。")
    return form


def _submission(given: dict[str, Any]) -> UUID:
    try:
        return UUID(str(given.get("submission")))
    except ValueError:
        raise Refused("invalid", message="草稿没有保存：缺少提交编号。") from None


def _fields(given: dict[str, Any]) -> list[list[str]]:
    """Names, values and, for what is looked up, the words that stood in the box."""
    fields = given.get("fields")
    if not isinstance(fields, list):
        raise Refused("invalid", message="草稿没有保存：内容读不出来。")
    kept = [[str(part).replace("\x00", "") for part in field[:3]] for field in fields if isinstance(field, list) and len(field) >= 2]
    return [field for field in kept if field[0] not in _NEVER and "password" not in field[0]]
