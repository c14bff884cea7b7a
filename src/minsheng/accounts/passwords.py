"""Django password validators of domain.md §8.2 that Django itself does not have."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError

from minsheng.accounts import rules


class ClassesValidator:
    """The password holds at least so many of: lower case, upper case, digits, others."""

    def __init__(self, classes: int = rules.PASSWORD_CLASSES) -> None:
        self.classes = classes

    def validate(self, password: str, user: Any = None) -> None:
        """Raise when too few classes occur."""
        if rules.password_classes(password) < self.classes:
            raise ValidationError(self.get_help_text(), code="password_classes")

    def get_help_text(self) -> str:
        """The rule in a sentence."""
        if self.classes == 4:
            return "密码须同时有大写字母、小写字母、数字和符号。"
        return f"大写字母、小写字母、数字、符号，密码至少要有其中 {self.classes} 类。"


class HistoryValidator:
    """None of the last few passwords is chosen again. The hashes are compared one by one: it is slow on purpose, and
    rare."""

    def __init__(self, kept: int = rules.PASSWORD_HISTORY) -> None:
        self.kept = kept

    def validate(self, password: str, user: Any = None) -> None:
        """Raise when the password is the present one or one of the last few."""
        if user is None or user.pk is None:
            return
        past = list(user.past_passwords.order_by("-at", "-pk").values_list("encoded", flat=True)[: self.kept])
        if any(check_password(password, encoded) for encoded in {user.password, *past} if encoded):
            raise ValidationError(self.get_help_text(), code="password_history")

    def get_help_text(self) -> str:
        """The rule in a sentence."""
        return f"不能与最近 {self.kept} 次用过的密码相同。"
