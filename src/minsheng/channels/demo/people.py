"""Who acts in a demonstration: its logins, and a made-up pair for every other unit that gets a case."""

from __future__ import annotations

from datetime import datetime
from random import Random

from minsheng.accounts.actions import ensure_demo_user
from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.organisations.models import Unit

_UNUSABLE = "!demonstration"  # no password hashes to this: nobody signs in as a made-up pair


class People:
    """Finds by role and by unit; makes what is missing, once."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        users = list(User.objects.filter(is_demo=True, is_active=True).select_related("unit"))
        self._by_role = {
            role: sorted((u for u in users if u.has_role(role)), key=lambda u: u.username) for role in Role
        }
        self._by_unit: dict[tuple[int, str], User] = {}
        for user in users:
            for role in user.roles:
                if user.unit_id:
                    self._by_unit.setdefault((user.unit_id, role), user)

    def any(self, role: Role, random: Random, *, but: int | None = None) -> User:
        """Somebody of the centre with this role, but not the person of that key."""
        return random.choice([user for user in self._by_role[role] if user.pk != but])

    def liaison(self, unit: Unit) -> User:
        """Who reads and writes for the unit."""
        return self._of(unit, Role.UNIT_LIAISON, "联络员")

    def leader(self, unit: Unit) -> User:
        """Who signs for the unit."""
        return self._of(unit, Role.UNIT_LEADER, "分管领导")

    def _of(self, unit: Unit, role: Role, title: str) -> User:
        key = (unit.pk, role.value)
        if key not in self._by_unit:
            self._by_unit[key] = ensure_demo_user(
                at=self._at,
                username=f"demo-{unit.code.lower()}-{role.value.removeprefix('unit_')}",
                display_name=f"{unit.short_name}{title}"[:40],
                encoded=_UNUSABLE,
                roles=[role],
                unit=unit,
            )
        return self._by_unit[key]
