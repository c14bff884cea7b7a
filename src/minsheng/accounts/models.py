"""People who work with the system. Citizens have no account: a case number and a query code serve them."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models

from minsheng.accounts.choices import ADMIN_ROLES, CENTRE_ROLES, UNIT_ROLES, Role


class User(AbstractUser):
    """One person. `roles` says what they may do, `unit` for whom (units' people only)."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    display_name = models.CharField("姓名", max_length=40)
    staff_number = models.CharField("工号", max_length=20, blank=True)
    roles = ArrayField(models.CharField(max_length=20, choices=Role.choices), verbose_name="角色", default=list, blank=True)
    unit = models.ForeignKey(
        "organisations.Unit", verbose_name="承办单位", null=True, blank=True, on_delete=models.PROTECT, related_name="people"
    )

    class Meta:
        verbose_name = verbose_name_plural = "人员"

    def __str__(self) -> str:
        return self.display_name or self.username

    def has_role(self, *roles: str) -> bool:
        """True when the person holds at least one of these roles."""
        return not set(self.roles).isdisjoint(roles)

    def has_any(self, roles: Iterable[str]) -> bool:
        """As has_role, for a set."""
        return self.has_role(*roles)

    @property
    def is_centre(self) -> bool:
        """Works at the hotline centre."""
        return self.has_any(CENTRE_ROLES)

    @property
    def is_unit(self) -> bool:
        """Works for a unit, and sees nothing but what its tasks show."""
        return self.has_any(UNIT_ROLES) and self.unit_id is not None

    @property
    def is_administrator(self) -> bool:
        """One of the three administrators, who see no cases."""
        return self.has_any(ADMIN_ROLES)
