"""The system administrator's page of other systems and their tokens; and the page that describes the API to anybody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.api import actions, describing, queries
from minsheng.api.choices import SCOPES
from minsheng.api.forms import IssueForm, RevokeForm, RotateForm, SystemForm
from minsheng.api.models import System, Token
from minsheng.errors import Refused

_WEEK = timedelta(days=7)


def _administrator(request: HttpRequest) -> User:
    """Errors: forbidden."""
    user: Any = request.user
    if not user.has_role(Role.SYSTEM_ADMIN):
        raise Refused("forbidden", action="管理接口")
    administrator: User = user
    return administrator


@login_required
@require_GET
def systems(request: HttpRequest) -> HttpResponse:
    """`/api/systems/`: who is connected, and whether they call. Errors: forbidden."""
    _administrator(request)
    at = timezone.now()
    rows = [(system, *_standing(system, system.tokens.all(), at)) for system in queries.systems()]
    return render(request, "api/systems.html", {"desk_title": "接口", "rows": rows})


def _standing(system: System, tokens: Iterable[Token], at: datetime) -> tuple[str, str]:
    """(words, light): whether it can call."""
    valid = [token for token in tokens if token.is_valid(at)]
    if not system.account.is_active:
        return "账号已停用", "red"
    if not system.account.roles:
        return "尚未授权", "yellow"
    if not valid:
        return "没有可用的令牌", "yellow"
    last = max(token.expires_at for token in valid)
    return ("令牌快到期", "orange") if last - at < queries.EXPIRES_SOON else ("正常", "none")


@login_required
@require_http_methods(["GET", "POST"])
def new_system(request: HttpRequest) -> HttpResponse:
    """`/api/systems/new/`. Errors: forbidden, invalid."""
    actor = _administrator(request)
    at = timezone.now()
    form = SystemForm(request.POST or None, at=at)
    if request.method == "POST" and form.is_valid():
        system = actions.register_system(actor=actor, at=at, **form.cleaned_data)
        messages.success(request, f"已登记“{system}”。请安全管理员给账号 {system.account.username} 授予角色。")
        return redirect("api:system", system.code)
    context = {"desk_title": "登记接入系统", "form": form}
    return render(request, "api/new_system.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def system(request: HttpRequest, code: str) -> HttpResponse:
    """`/api/systems/<code>/`: its tokens, its calls, its data. Errors: forbidden, not_found, invalid."""
    actor = _administrator(request)
    at = timezone.now()
    found = _found(code)
    form = SystemForm(request.POST or None, at=at, system=found, initial=_initial(found))
    if request.method == "POST" and form.is_valid():
        actions.edit_system(actor=actor, at=at, system=found, **form.cleaned_data)
        messages.success(request, "已保存。")
        return redirect("api:system", code)
    return _page(request, found, at, form=form)


@login_required
@require_POST
def issue(request: HttpRequest, code: str) -> HttpResponse:
    """`/api/systems/<code>/issue/`: the clear token stands on this one answer and nowhere else. Errors: as the action."""
    actor = _administrator(request)
    at, found, form = timezone.now(), _found(code), IssueForm(request.POST)
    if not form.is_valid():
        return _page(request, found, at, issue_form=form)
    expires = at + timedelta(days=form.cleaned_data["days"])
    made = actions.issue_token(
        actor=actor, at=at, system=found, scopes=form.cleaned_data["scopes"], expires_at=expires
    )
    return _shown_once(request, found, *made)


@login_required
@require_POST
def rotate(request: HttpRequest, code: str, token: int) -> HttpResponse:
    """`/api/systems/<code>/<token>/rotate/`. Errors: as the action."""
    actor = _administrator(request)
    at, found, form = timezone.now(), _found(code), RotateForm(request.POST)
    old = _token(found, token)
    if not form.is_valid():
        return _page(request, found, at)
    overlap, days = timedelta(hours=form.cleaned_data["overlap"]), timedelta(days=form.cleaned_data["days"])
    made = actions.rotate_token(actor=actor, at=at, token=old, overlap=overlap, expires_at=at + days)
    return _shown_once(request, found, *made, old=old)


@login_required
@require_POST
def revoke(request: HttpRequest, code: str, token: int) -> HttpResponse:
    """`/api/systems/<code>/<token>/revoke/`. Errors: as the action."""
    actor = _administrator(request)
    found = _found(code)
    gone = actions.revoke_token(
        actor=actor, at=timezone.now(), token=_token(found, token), why=request.POST.get("why", "").replace("\x00", "")[:200]
    )
    messages.success(request, f"令牌 {gone} 已吊销，立即失效。")
    return redirect("api:system", code)


@require_GET
def docs(request: HttpRequest) -> HttpResponse:
    """`/api/v1/docs`: the OpenAPI document put for readers; no script, no other host."""
    return render(request, "api/docs.html", {"told": describing.described()})


# --- parts -------------------------------------------------------------------------------------------------------


def _found(code: str) -> System:
    """Errors: not_found."""
    found = System.objects.select_related("unit", "account__unit").filter(code=code).first()
    if found is None:
        raise Refused("not_found")
    return found


def _token(system: System, pk: int) -> Token:
    """Errors: not_found."""
    token = Token.objects.filter(system=system, pk=pk).select_related("system").first()
    if token is None:
        raise Refused("not_found")
    return token


def _initial(system: System) -> dict[str, Any]:
    return {name: getattr(system, name) for name in ("name", "contact", "channel", "own_only")}


def _page(
    request: HttpRequest,
    system: System,
    at: datetime,
    *,
    form: SystemForm | None = None,
    issue_form: IssueForm | None = None,
) -> HttpResponse:
    """The system's page; 422 with the form that was wrong."""
    usage = queries.usage_of(system, since=at - _WEEK)
    tokens = list(system.tokens.select_related("rotated_to", "created_by"))
    context = {
        "desk_title": system.name,
        "system": system,
        "standing": _standing(system, tokens, at),
        "tokens": [_row(token, usage.get(token.pk), at) for token in tokens],
        "hours": queries.hours_of(system),
        "webhooks": queries.webhooks_of(system),
        "form": form or SystemForm(at=at, system=system, initial=_initial(system)),
        "issue_form": issue_form or IssueForm(),
        "rotate_form": RotateForm(auto_id=False),
        "revoke_form": RevokeForm(auto_id=False),
    }
    wrong = (form is not None and form.is_bound) or issue_form is not None
    return render(request, "api/system.html", context, status=422 if wrong else 200)


def _row(token: Token, usage: queries.Usage | None, at: datetime) -> dict[str, Any]:
    rotated = hasattr(token, "rotated_to")
    if token.revoked_at:
        state = "已吊销"
    elif not token.is_valid(at):
        state = "已到期"
    else:
        state = "轮换中" if rotated else "可用"
    return {
        "it": token,
        "state": state,
        "valid": token.is_valid(at),
        "may_rotate": token.is_valid(at) and not rotated,
        "scopes": [SCOPES.get(scope, scope) for scope in token.scopes],
        "usage": usage,
    }


def _shown_once(request: HttpRequest, system: System, token: Token, clear: str, old: Token | None = None) -> HttpResponse:
    context = {"desk_title": system.name, "system": system, "token": token, "clear": clear, "old": old}
    response = render(request, "api/issued.html", context)
    response["Cache-Control"] = "no-store"
    return response
