"""Roles of the hotline and of the units (design §6; domain.md §5.1)."""

from __future__ import annotations

from minsheng.ui.choices import ColouredChoices


class Role(ColouredChoices):
    """What a person may be. One person may hold several, except the three administrators, who exclude each other and
    all else."""

    AGENT = "agent", "话务员"
    TEAM_LEADER = "team_leader", "班长"
    DISPATCHER = "dispatcher", "批转员"
    AUDITOR = "auditor", "审核员"
    FOLLOW_UP = "follow_up", "回访员"
    QUALITY = "quality", "质检员"
    SUPERVISOR = "supervisor", "督办员"
    KNOWLEDGE = "knowledge", "知识库管理员"
    ANALYST = "analyst", "分析员"
    UNIT_LIAISON = "unit_liaison", "承办联络员"
    UNIT_LEADER = "unit_leader", "承办领导"
    HOTLINE_LEADER = "hotline_leader", "热线领导"
    INSPECTOR = "inspector", "督查效能"
    SYSTEM_ADMIN = "system_admin", "系统管理员"
    SECURITY_ADMIN = "security_admin", "安全管理员"
    AUDIT_ADMIN = "audit_admin", "审计管理员"


UNIT_ROLES = frozenset({Role.UNIT_LIAISON, Role.UNIT_LEADER})
ADMIN_ROLES = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})
CENTRE_ROLES = frozenset(Role) - UNIT_ROLES - ADMIN_ROLES
