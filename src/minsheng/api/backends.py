"""Keeps systems out of the screens: their accounts have tokens and no password."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from minsheng.api.models import System


class SystemsHaveNoPassword:
    """Stands before the backend that knows passwords: whatever password somebody may have given such an account opens
    nothing. It knows nobody itself, so it has no `get_user`: else a session made without a password would be taken for its own."""

    def authenticate(self, request: HttpRequest | None, username: str | None = None, **credentials: Any) -> None:
        """Errors: PermissionDenied, which ends the sign-in like a wrong password."""
        if username and System.objects.filter(account__username=username.strip().lower().replace("\x00", "")).exists():
            raise PermissionDenied
