"""The desks of this room on the rail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from minsheng.accounts.choices import UNIT_ROLES, Role
from minsheng.cases import desk_queries, queries
from minsheng.cases.choices import CaseState
from minsheng.ui.desks import Count, Desk, register


def _to_accept(user: Any, at: datetime) -> Count:
    return queries.waiting(user, at, CaseState.TO_ACCEPT)


def register_all() -> None:
    """Called once, from AppConfig.ready."""
    register(
        Desk(
            code="intake",
            label="受理",
            icon="headset",
            roles=frozenset({Role.AGENT, Role.TEAM_LEADER, Role.DISPATCHER}),
            url="cases:intake",
            count=_to_accept,
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
        )
    )
    register(
        Desk(
            code="audit",
            label="审核",
            icon="checklist",
            roles=frozenset({Role.AUDITOR, Role.HOTLINE_LEADER}),
            url="cases:audits",
            count=desk_queries.audit_waiting,
        )
    )
