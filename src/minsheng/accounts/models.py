"""People who work with the system. Citizens have no account: a case number and a query code serve them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

import pghistory
from django.conf import settings
from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from minsheng.accounts import rules
from minsheng.accounts.choices import ADMIN_ROLES, CENTRE_ROLES, UNIT_ROLES, Role

# Constraints are written into migrations: the order of a frozenset changes with each run, a sorted list does not.
_ADMIN, _UNIT, _ALL = (sorted(str(role) for role in roles) for roles in (ADMIN_ROLES, UNIT_ROLES, Role))


class UserManager(BaseUserManager["User"]):
    """Makes people for tests and commands; the product itself makes them by `actions.create_user`."""

    use_in_migrations = True

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> User:
        """One person; without a password nobody can sign in as them."""
        user = self.model(username=self.model.normalize_username(username).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, *args: Any, **kwargs: Any) -> User:
        """Refused: one account that may do everything is what the three administrators exist to prevent."""
        raise ValueError("There is no superuser here; see `minsheng manage create_admin`.")


_TRACKED = ["username", "display_name", "staff_number", "roles", "unit", "is_active"]


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange(*_TRACKED)),
    fields=_TRACKED,
    model_name="UserEvent",
)
class User(AbstractUser):
    """One person. `roles` says what they may do, `unit` for whom (units' people only)."""

    # Nothing is kept of a person that the work does not need, and no right comes from anywhere but `roles`.
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = None  # type: ignore[assignment]
    groups = None  # type: ignore[assignment]
    user_permissions = None  # type: ignore[assignment]

    username = models.CharField(
        "用户名",
        max_length=60,
        unique=True,
        db_collation="C",
        help_text="小写字母、数字和 . _ -，以字母或数字开头。",
        error_messages={"unique": "这个用户名已有人使用。"},
    )
    display_name = models.CharField("姓名", max_length=40)
    staff_number = models.CharField("工号", max_length=20, blank=True, db_collation="C")
    roles = ArrayField(
        models.CharField(max_length=20, choices=Role.choices), verbose_name="角色", default=list, blank=True
    )
    unit = models.ForeignKey(
        "organisations.Unit",
        verbose_name="承办单位",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="people",
    )
    deactivated_at = models.DateTimeField("停用时间", null=True, blank=True)
    password_changed_at = models.DateTimeField("密码更换时间", null=True, blank=True)
    must_change_password = models.BooleanField("下次登录须换密码", default=False, help_text="密码由他人设定时为真。")
    is_demo = models.BooleanField("演示账号", default=False)
    # Another system acts through it by token: it has rights like a person's, and stands in no list of people.
    is_system = models.BooleanField("系统账号", default=False, editable=False)

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = verbose_name_plural = "人员"
        ordering = ["username"]
        indexes = [models.Index(fields=["unit", "username"], name="accounts_unit_people")]
        constraints = [
            models.CheckConstraint(
                condition=Q(username__regex=rules.USERNAME_PATTERN),
                name="accounts_username_form",
                violation_error_message="用户名只用小写字母、数字和 . _ -，以字母或数字开头。",
            ),
            models.CheckConstraint(condition=Q(roles__contained_by=_ALL), name="accounts_roles_known"),
            # 三员分立 (domain.md §5.1, §8.2): an administrator is one of the three and nothing else.
            models.CheckConstraint(
                condition=~Q(roles__overlap=_ADMIN) | Q(roles__len=1), name="accounts_administrators_exclusive"
            ),
            models.CheckConstraint(
                condition=~Q(roles__overlap=_UNIT) | Q(unit__isnull=False), name="accounts_unit_role_has_unit"
            ),
            models.CheckConstraint(
                condition=Q(unit__isnull=True) | Q(roles__contained_by=_UNIT), name="accounts_unit_person_unit_roles"
            ),
            models.CheckConstraint(
                condition=Q(is_active=True, deactivated_at__isnull=True)
                | Q(is_active=False, deactivated_at__isnull=False),
                name="accounts_active_or_deactivated",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or self.username

    def clean(self) -> None:
        """The same rules as the constraints, in a sentence."""
        problem = rules.role_problem(self.roles, has_unit=self.unit_id is not None)
        if problem:
            raise ValidationError(problem)

    def get_full_name(self) -> str:
        """The name others see."""
        return self.display_name

    def get_short_name(self) -> str:
        """The name others see."""
        return self.display_name

    @property
    def is_staff(self) -> bool:  # type: ignore[override]
        """May enter the configuration screens: the three administrators only, by their role and no other flag."""
        return self.is_active and self.is_administrator

    @property
    def is_superuser(self) -> bool:  # type: ignore[override]
        """Never: every right comes from a role, and no role has all."""
        return False

    def has_role(self, *roles: str) -> bool:
        """True when the person holds at least one of these roles."""
        return not set(self.roles).isdisjoint(roles)

    def has_any(self, roles: Iterable[str]) -> bool:
        """As has_role, for a set."""
        return self.has_role(*roles)

    def password_due(self, at: datetime) -> bool:
        """The password must be changed before anything else is done."""
        return self.must_change_password or rules.password_due(
            self.password_changed_at or self.date_joined, at, settings.PASSWORD_DAYS
        )

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

    @property
    def role_names(self) -> str:
        """The roles in Chinese, in the order of the enumeration."""
        return "、".join(str(role.label) for role in Role if role in self.roles)


class PastPassword(models.Model):
    """A hash of a password once used, so that the last few are not chosen again (domain.md §8.2)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="past_passwords")
    encoded = models.CharField(max_length=128)
    at = models.DateTimeField()

    class Meta:
        verbose_name = verbose_name_plural = "历史密码"
        indexes = [models.Index(fields=["user", "-at"], name="accounts_past_passwords")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.at:%Y-%m-%d}"
