"""What each administrator may do in the configuration screens (/admin/): role → permissions; nothing else grants any.

Django asks the authentication backend for every model permission; the backend answers from this table. So any room
registers its models with plain model admins, and only what is listed here can be seen. 三员分立 (domain.md §5.1, §8.2):
the system administrator configures, the security administrator grants, the audit administrator reads the audit log.
"""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatchcase

from minsheng.accounts.choices import Role

# Patterns over Django's "app.action_model". Reference data is never deleted: its validity ends. People's fields are
# divided again between the two in `accounts/admin.py` and by the actions.
_VIEW_ADD_CHANGE = ("view", "add", "change")


def _each(app: str, models: Collection[str], verbs: Collection[str] = _VIEW_ADD_CHANGE) -> tuple[str, ...]:
    return tuple(f"{app}.{verb}_{model}" for model in models for verb in verbs)


PATTERNS: dict[Role, tuple[str, ...]] = {
    Role.SYSTEM_ADMIN: (
        *_each("worktime", ("calendaryear", "calendarday", "limitpolicy")),
        *_each("organisations", ("place", "unit")),
        *_each("cases", ("topic", "refusalground", "reasoncode")),
        *_each("telephony", ("trunk", "skillqueue", "openinghours", "prompt", "pausecode", "seat", "skill")),
        *_each("accounts", ("user",)),
    ),
    Role.SECURITY_ADMIN: _each("accounts", ("user",), ("view", "change")),
    Role.AUDIT_ADMIN: ("audit.view_*",),
}


def allows(roles: Collection[str], permission: str) -> bool:
    """Whether these roles have Django's permission `app.action_model`."""
    return any(
        fnmatchcase(permission, pattern) for role, patterns in PATTERNS.items() if role in roles for pattern in patterns
    )


def allows_app(roles: Collection[str], app: str) -> bool:
    """Whether these roles may see anything of an app."""
    return any(
        pattern.startswith(f"{app}.") for role, patterns in PATTERNS.items() if role in roles for pattern in patterns
    )
