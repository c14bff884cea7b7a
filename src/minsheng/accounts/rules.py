"""Who may hold which roles, who may do what to a person, and what a password must be. Pure: no ORM, no clock."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime, timedelta

from minsheng.accounts.choices import ADMIN_ROLES, UNIT_ROLES, Role

USERNAME_PATTERN = r"^[a-z0-9][a-z0-9._-]{1,59}$"

# domain.md §8.2 (parameters unsourced there): at least 10 characters of 4 classes, changed after 90 days, none of the
# last 5.
PASSWORD_CLASSES = 4
PASSWORD_DAYS = 90
PASSWORD_HISTORY = 5

_CLASSES = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^a-zA-Z0-9]")

# 三员分立 (GB/T 22239-2019 8.1.4.2, domain.md §5.1): who makes a person cannot grant a right, who grants cannot make
# a person,
# and who reads the audit log can do neither.
PERSON_ACTIONS: dict[str, Role] = {
    "create_user": Role.SYSTEM_ADMIN,
    "edit_person": Role.SYSTEM_ADMIN,
    "deactivate": Role.SYSTEM_ADMIN,
    "reactivate": Role.SYSTEM_ADMIN,
    "grant_roles": Role.SECURITY_ADMIN,
    "move_to_unit": Role.SECURITY_ADMIN,
    "reset_password": Role.SECURITY_ADMIN,
    "reset_second_factor": Role.SECURITY_ADMIN,
    "unlock": Role.SECURITY_ADMIN,
}


def may(roles: Collection[str], action: str) -> bool:
    """Whether someone with these roles may do this to another person."""
    return PERSON_ACTIONS[action] in roles


def role_problem(roles: Collection[str], *, has_unit: bool) -> str:
    """What is wrong with this set of roles, as a sentence; empty when nothing is."""
    held = set(roles)
    if not held <= {str(role) for role in Role}:
        return "角色不在名录中。"
    if held & ADMIN_ROLES and len(held) > 1:
        return "系统、安全、审计管理员互斥（三员分立），也不能兼任其他角色。"
    if held & UNIT_ROLES and held - UNIT_ROLES:
        return "承办单位的角色不能与热线中心的角色兼任。"
    if held & UNIT_ROLES and not has_unit:
        return "承办联络员、承办领导须先选定承办单位。"
    if has_unit and held - UNIT_ROLES:
        return "热线中心人员和管理员不属于承办单位，请将承办单位留空。"
    return ""


def password_classes(password: str) -> int:
    """How many of the four classes occur: lower case, upper case, digits, others."""
    return sum(1 for pattern in _CLASSES if re.search(pattern, password))


def password_due(changed_at: datetime, at: datetime, days: int = PASSWORD_DAYS) -> bool:
    """A password of `days` days must be changed before anything else is done; 0 days: never."""
    return days > 0 and at - changed_at >= timedelta(days=days)
