"""Who acts: a User of ours, a citizen who showed number and code, or the system itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from minsheng.accounts.models import User

CITIZEN_ROLE = "citizen"
SYSTEM_ROLE = "system"


@dataclass(frozen=True)
class Outsider:
    """An actor without an account; `role` is a pseudo-role that the transition table may name."""

    role: str
    label: str

    @property
    def roles(self) -> list[str]:
        """Same shape as User.roles."""
        return [self.role]


CITIZEN = Outsider(CITIZEN_ROLE, "诉求人")
SYSTEM = Outsider(SYSTEM_ROLE, "系统")


def is_user(actor: User | Outsider) -> TypeGuard[User]:
    """True for a person with an account."""
    return not isinstance(actor, Outsider)


def user_or_none(actor: User | Outsider) -> User | None:
    """For the foreign keys of records."""
    return actor if is_user(actor) else None


def label_of(actor: User | Outsider) -> str:
    """How the timeline names the actor: as they were called when they acted."""
    if isinstance(actor, Outsider):
        return actor.label
    unit = actor.unit.short_name or actor.unit.name if actor.unit_id and actor.unit else ""
    return f"{unit} {actor.display_name}".strip()
