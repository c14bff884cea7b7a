"""Which of the registered desks are a person's, and where their day begins."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from minsheng.accounts.choices import Role
from minsheng.ui.desks import Count, Desk, desks_of, register

__all__ = ["SESSION_ROLE", "Count", "Desk", "desks_of", "landing_url", "register", "role_in_force"]

SESSION_ROLE = "role"


def role_in_force(request: HttpRequest) -> str:
    """
    The role the person chose to work in, or their first. It decides where they land, never what they may do: rights come from
    all of a person's roles.
    """
    user: Any = request.user
    held: list[str] = getattr(user, "roles", None) or []
    chosen = str(request.session.get(SESSION_ROLE, ""))
    if chosen in held:
        return chosen
    return min(held, key=Role.values.index) if held else ""


def landing_url(request: HttpRequest) -> str | None:
    """Where the role in force begins its day: its home desk or its first, else the first of any of the person's roles."""
    role = role_in_force(request)
    found = desks_of([role]) or desks_of(getattr(request.user, "roles", []))
    home = next((desk for desk in found if role in desk.home), found[0] if found else None)
    return reverse(home.url) if home else None
