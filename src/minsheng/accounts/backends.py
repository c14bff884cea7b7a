"""Signs people in by username and password, and answers Django's permission questions from our roles."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings

from minsheng.accounts import permissions


class RoleBackend(AuthenticationBackend):
    """allauth's sign-in with permissions from `accounts/permissions.py`: no permission rows, no groups, no query."""

    def user_can_authenticate(self, user: Any) -> bool:
        """Not who is stopped; and demonstration logins in a demonstration only, should their database ever move."""
        return bool(super().user_can_authenticate(user)) and (settings.DEMO or not user.is_demo)

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """None is stored."""
        return set()

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """There are no groups."""
        return set()

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Permissions are patterns, asked for one by one; there is no list."""
        return set()

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Whether one of the person's roles has it; an object makes no difference."""
        return bool(user_obj.is_active) and permissions.allows(getattr(user_obj, "roles", ()), perm)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Whether one of the person's roles has anything of the app."""
        return bool(user_obj.is_active) and permissions.allows_app(getattr(user_obj, "roles", ()), app_label)
