"""安全: the security administrator's desk. Who is locked out, who lacks a second factor, who no longer comes, whose rights changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from minsheng.accounts import actions, queries
from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.audit.models import AuditEntry
from minsheng.console.words import act_words, role_words
from minsheng.errors import Refused
from minsheng.organisations.models import Unit
from minsheng.ui.desks import Desk, register
from minsheng.ui.pages import keyset_page

NOW, UNUSED, CHANGES = "", "unused", "changes"
TABS = {NOW: "待处理", UNUSED: "长期未用", CHANGES: "角色变动"}


def register_desks() -> None:
    """Called once, when the applications are ready."""
    admin = frozenset({Role.SECURITY_ADMIN})
    register(Desk(code="security", label="安全", icon="shield-lock", roles=admin, url="console:security", count=waiting, home=admin))


def waiting(user: Any, at: datetime) -> tuple[int, str]:
    """For the rail: people locked out, and administrators who could not prove who they are."""
    locked, bare = queries.locked_out_count(at), queries.administrators_without_second_factor().count()
    return locked + bare, "orange" if locked else "yellow" if bare else "none"


@login_required
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """`/desk/security/?tab=unused|changes`. Errors: forbidden."""
    _only_them(request)
    at = timezone.now()
    tab = request.GET.get("tab", NOW)
    tab = tab if tab in TABS else NOW
    url = reverse("console:security")
    context: dict[str, Any] = {
        "desk_title": "安全",
        "at": at,
        "tab": tab,
        "days": settings.UNUSED_DAYS,
        "tabs": [{"url": f"{url}?tab={code}" if code else url, "label": label, "current": code == tab} for code, label in TABS.items()],
    }
    shown = {NOW: _now, UNUSED: _unused, CHANGES: _changes}[tab](request, at)
    return render(request, "console/security.html", context | shown)


@login_required
@require_POST
def unlock(request: HttpRequest, pk: int) -> HttpResponse:
    """`/desk/security/unlock/<person>/`. Errors: forbidden, not_found."""
    actor: Any = request.user
    person = _person(request, pk)
    actions.unlock(actor=actor, at=timezone.now(), user=person)
    messages.success(request, f"{person} 的锁定已解除，现在可以重新登录。")
    return redirect("console:security")


@login_required
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """`/desk/security/withdraw/<person>/`: all roles of somebody who no longer comes (最小权限). Errors: as grant_roles."""
    actor: Any = request.user
    person = _person(request, pk)
    why = f"{settings.UNUSED_DAYS} 天未登录"
    if not queries.unused(timezone.now()).filter(pk=pk).exists():
        raise Refused("invalid", message=f"{person} 近来登录过，或已没有角色。要调整角色，请到“配置”的人员里办理。")
    actions.grant_roles(actor=actor, at=timezone.now(), user=person, roles=[], why=why)
    messages.success(request, f"已收回 {person} 的全部角色。需要时可在“配置”的人员里重新授予。")
    return redirect(f"{reverse('console:security')}?tab={UNUSED}")


def _only_them(request: HttpRequest) -> None:
    user: Any = request.user
    if not user.has_role(Role.SECURITY_ADMIN):
        raise Refused("forbidden", action="查看安全工作台")


def _person(request: HttpRequest, pk: int) -> User:
    """Whoever may not act learns nothing of who exists."""
    _only_them(request)
    found = User.objects.filter(pk=pk).first()
    if found is None:
        raise Refused("not_found")
    return found


def _now(request: HttpRequest, at: datetime) -> dict[str, Any]:
    locked = queries.locked_out(at)
    return {
        "locked": [lockout for lockout in locked if lockout.user],
        "strangers": sum(not lockout.user for lockout in locked),
        "bare": list(queries.administrators_without_second_factor()),
    }


def _unused(request: HttpRequest, at: datetime) -> dict[str, Any]:
    return {"page": keyset_page(queries.unused(at), ("last_seen", "id"), request.GET.get("page", ""))}


def _changes(request: HttpRequest, at: datetime) -> dict[str, Any]:
    page = keyset_page(queries.role_changes(), ("-at", "-id"), request.GET.get("page", ""))
    codes = {pk for entry in page.rows for state in _states(entry) if (pk := state.get("unit"))}
    units = {unit.pk: unit.short_name or unit.name for unit in Unit.objects.filter(pk__in=codes)} if codes else {}
    return {"page": page.map(lambda entry: _change(entry, units))}


def _states(entry: AuditEntry) -> tuple[dict[str, Any], dict[str, Any]]:
    """Before and after, as `accounts.actions` recorded them."""
    return entry.detail.get("before") or {}, entry.detail.get("after") or {"roles": entry.detail.get("roles", [])}


def _change(entry: AuditEntry, units: dict[int, str]) -> dict[str, Any]:
    before, after = (_rights(state, units) for state in _states(entry))
    return {
        "at": entry.at,
        "what": act_words(entry.code),
        "who": entry.actor_label or "系统",
        "whom": entry.subject_label,
        "url": reverse("admin:accounts_user_change", args=[entry.subject_id]) if entry.subject_id else "",
        "before": before,
        "after": after,
        "why": entry.why,
    }


def _rights(state: dict[str, Any], units: dict[int, str]) -> str:
    """“承办联络员 · 仓山区城管局”; what the state does not tell is left out."""
    told = [role_words(state["roles"])] if "roles" in state else []
    if state.get("unit"):
        told.append(units.get(state["unit"], ""))
    if "is_active" in state:
        told.append("在用" if state["is_active"] else "停用")
    return " · ".join(filter(None, told))
