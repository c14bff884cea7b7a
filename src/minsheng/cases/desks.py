"""The desks of this room on the rail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.urls import reverse

from minsheng.accounts.choices import CENTRE_ROLES, UNIT_ROLES, Role
from minsheng.cases import desk_queries, queries
from minsheng.cases.choices import CaseState
from minsheng.cases.scope import alike
from minsheng.cases.workflow import TRANSITIONS
from minsheng.ui import alarms
from minsheng.ui.alarms import Alarm
from minsheng.ui.desks import Count, Desk, register

# What makes an ask, answers it, or moves its case out of where it could be answered.
_ASKING = [row.code for row in TRANSITIONS if row.code.startswith(("request_", "decide_", "withdraw", "recall"))]


def _to_accept(user: Any, at: datetime) -> Count:
    return queries.waiting(user, at, CaseState.TO_ACCEPT)


def _nobody_reads(at: datetime) -> Iterator[Alarm]:
    """A case dispatched to a unit without people lies there until it is late."""
    names = desk_queries.units_without_readers()
    if names:
        shown = "、".join(names[:3]) + (f"等 {len(names)} 个单位" if len(names) > 3 else "")
        yield Alarm(
            light="orange",
            title=f"{shown}有在办的诉求件，却没有能查阅的人员账号",
            todo="请为这些单位建立联络员账号，由安全管理员授予角色；在此之前请批转员电话通知或收回改派。",
            url=reverse("admin:accounts_user_changelist"),
            link="人员",
        )


def register_all() -> None:
    """Called once, from AppConfig.ready."""
    alarms.watch("cases", alarms=_nobody_reads)
    register(
        Desk(
            code="intake",
            label="受理",
            icon="headset",
            roles=frozenset({Role.AGENT, Role.TEAM_LEADER, Role.DISPATCHER}),
            url="cases:intake",
            count=_to_accept,
            alike=queries.alike_at_intake,
            stirred_by=frozenset({CaseState.TO_ACCEPT.value}),
            within=("/cases/new/",),
        )
    )
    register(
        Desk(
            code="handling",
            label="承办",
            icon="clipboard-list",
            roles=UNIT_ROLES,
            url="cases:handling",
            count=desk_queries.unit_waiting,
            alike=alike,
            within=("/cases/templates/",),
        )
    )
    register(
        Desk(code="map", label="地图", icon="map-pins", roles=CENTRE_ROLES | UNIT_ROLES, url="cases:map")
    )
    register(
        Desk(
            code="audit",
            label="审核",
            icon="checklist",
            roles=frozenset({Role.AUDITOR, Role.HOTLINE_LEADER}),
            url="cases:audits",
            count=desk_queries.audit_waiting,
            stirred_by=frozenset({CaseState.TO_AUDIT.value, *_ASKING}),
        )
    )
