"""Whose call it is: the token, its scope and its turn; and what every answer of `/api/v1` has in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from ninja.security import HttpBearer

from minsheng.accounts.models import User
from minsheng.api import actions, problems, queries
from minsheng.api.choices import SCOPES, Scope
from minsheng.api.models import System, Token
from minsheng.api.problems import Problem
from minsheng.audit.actions import record_refusal
from minsheng.errors import FORBIDDEN, Refused

REFUSED = "api.refused"
_JSON, _FORM = "application/json", "multipart/form-data"
_FORM_OVERHEAD = 1024 * 1024


@dataclass(frozen=True)
class Caller:
    """The token of a call, and the moment it came in; the account is who acts."""

    token: Token
    at: datetime

    @property
    def system(self) -> System:
        """Which system calls."""
        return self.token.system

    @property
    def account(self) -> User:
        """Whose roles and unit decide."""
        return self.token.system.account


def caller_of(request: HttpRequest) -> Caller:
    """Who calls; only behind an operation that asks for a token."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    return caller


def recognise(request: HttpRequest, clear: str, at: datetime) -> Caller | None:
    """The caller of a clear token, remembered on the request for the usage log. Errors: too_many_calls."""
    token = queries.token_of(clear, at=at)
    if token is None:
        return None
    caller = Caller(token, at)
    request.api_caller = caller  # type: ignore[attr-defined]
    request.user = caller.account
    seconds = actions.take_turn(token=token, at=at)
    if seconds:
        raise Problem("too_many_calls", headers={"Retry-After": str(seconds)}, seconds=seconds)
    return caller


class TokenAuth(HttpBearer):
    """`Authorization: Bearer <token>`, for operations that need a scope; None: any token will do."""

    def __init__(self, scope: Scope | None = None) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        """Errors: too_many_calls, scope_missing."""
        caller = recognise(request, token, timezone.now())
        if caller is not None and self.scope is not None and not caller.token.allows(self.scope):
            raise Refused("scope_missing", scope=f"{SCOPES[self.scope]}（{self.scope}）")
        return caller


def address_of(request: HttpRequest) -> str | None:
    """Where the call came from. Behind a front (TRUSTED_FRONTS), what the nearest of them saw."""
    fronts = settings.TRUSTED_FRONTS
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    seen = forwarded[-fronts] if fronts and len(forwarded) >= fronts else request.META.get("REMOTE_ADDR", "")
    try:
        return str(ip_address(seen))
    except ValueError:  # a Unix socket has none
        return None


def put_on_record(request: HttpRequest, refused: Refused) -> None:
    """A refusal for lack of right goes on the audit log, like one on a screen."""
    if refused.status != FORBIDDEN:
        return
    caller = getattr(request, "api_caller", None)
    record_refusal(
        actor=caller.account if caller else None,
        at=timezone.now(),
        code=REFUSED,
        refused=refused,
        subject_label=request.path,
        request=request,
    )


def note(request: HttpRequest, response: HttpResponseBase) -> None:
    """The call enters the token's usage log."""
    caller = getattr(request, "api_caller", None)
    if caller is not None:
        failed = response.status_code >= 400
        actions.note_call(token=caller.token, at=caller.at, failed=failed, address=address_of(request))


View = Callable[..., HttpResponseBase]


def gate(view: View) -> View:
    """Before an operation: size and kind of what was sent. After it: a JSON answer whatever happened, and the usage log."""

    @wraps(view)
    def passed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            _refuse_unreadable(request)
            response = view(request, *args, **kwargs)
        except Problem as problem:
            response = problems.answer(problem)
        except Http404:
            response = no_such_address(request)
        if response.status_code == 405:
            response = _not_allowed(request, response)
        response.headers.setdefault("Cache-Control", "no-store")
        note(request, response)
        return response

    passed.csrf_exempt = True  # type: ignore[attr-defined]  # no cookie of ours is looked at
    return passed


def _refuse_unreadable(request: HttpRequest) -> None:
    """Errors: length_required, too_large, wrong_content_type."""
    if request.method not in ("POST", "PUT", "PATCH"):
        return
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():  # its end, and so its size, would be seen too late
        raise Problem("length_required")
    uploads = request.path.endswith("/uploads")
    expected = _FORM if uploads else _JSON
    megabytes = settings.HOTLINE["attachment_megabytes"] if uploads else settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024**2
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise Problem("bad_request") from None
    if length > megabytes * 1024 * 1024 + (_FORM_OVERHEAD if uploads else 0):
        raise Problem("too_large", megabytes=megabytes)
    if length and request.content_type != expected:
        raise Problem("wrong_content_type", expected=expected)


def _not_allowed(request: HttpRequest, response: HttpResponseBase) -> HttpResponse:
    allowed = response.headers.get("Allow", "")
    return problems.answer(Problem("method_not_allowed", headers={"Allow": allowed}, method=request.method))


def no_such_address(request: HttpRequest, **_kwargs: Any) -> HttpResponse:
    """What else is asked for under /api/v1."""
    return problems.answer(Problem("no_such_address"))


no_such_address.csrf_exempt = True  # type: ignore[attr-defined]
