"""系统: the system administrator's desk. What is wrong stands first, each with its next step; then how the installation is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from minsheng.accounts.choices import Role
from minsheng.console import actions, condition
from minsheng.errors import Refused
from minsheng.ui import alarms
from minsheng.ui.desks import Desk, register

CONFIGURATION = (
    ("年度放假安排", "admin:worktime_calendaryear_changelist"),
    ("时限规则", "admin:worktime_limitpolicy_changelist"),
    ("承办单位", "admin:organisations_unit_changelist"),
    ("地点", "admin:organisations_place_changelist"),
    ("主题", "admin:cases_topic_changelist"),
    ("人员", "admin:accounts_user_changelist"),
)


def register_desks() -> None:
    """Called once, when the applications are ready."""
    admin = frozenset({Role.SYSTEM_ADMIN})
    register(Desk(code="system", label="系统", icon="server-cog", roles=admin, url="console:system", count=waiting, home=admin))
    configures = admin | {Role.SECURITY_ADMIN}
    register(Desk(code="configuration", label="配置", icon="settings", roles=configures, url="admin:index"))


def waiting(user: Any, at: datetime) -> tuple[int, str]:
    """For the rail: how many alarms sound, and the most pressing light."""
    heard = alarms.sounding(at)
    return len(heard), heard[0].light if heard else "none"


@login_required
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """`/desk/system/`. Errors: forbidden."""
    user: Any = request.user
    if not user.has_role(Role.SYSTEM_ADMIN):
        raise Refused("forbidden", action="查看系统工作台")
    at = timezone.now()
    context = {
        "desk_title": "系统",
        "at": at,
        "alarms": alarms.sounding(at),
        "facts": alarms.facts(at),
        "runs": condition.task_runs(),
        "configuration": [(label, reverse(name)) for label, name in CONFIGURATION],
    }
    return render(request, "console/system.html", context)


@login_required
@require_POST
def retry(request: HttpRequest, job: int) -> HttpResponse:
    """`/desk/system/retry/<job>/`. Errors: forbidden, not_found."""
    user: Any = request.user
    words = actions.retry_job(actor=user, at=timezone.now(), job=job, request=request)
    messages.success(request, f"“{words}”已重新排队，完成后这条提醒会消失。")
    return redirect("console:system")
