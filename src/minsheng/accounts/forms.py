"""allauth's forms with our fields' looks: labels instead of placeholders, and the right keyboard for codes."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as account
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp import forms as totp
from django import forms
from django.conf import settings


class _Plain:
    """Drops placeholders (they vanish when one types, and screen readers skip them) and focuses the first field."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number, (name, field) in enumerate(self.fields.items()):
            attrs = field.widget.attrs
            attrs.pop("placeholder", None)
            if number == 0:
                attrs["autofocus"] = True
            if name == "code":
                attrs.update(inputmode="numeric", autocomplete="one-time-code", maxlength="12", spellcheck="false")
                field.label = "验证码"


class SignInForm(_Plain, account.LoginForm):
    """Username and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs.update(autocapitalize="none", spellcheck="false")


class ChangePasswordForm(_Plain, account.ChangePasswordForm):
    """The old password, and the new one twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = "现在的密码"
        self.fields["password1"].label = "新密码"
        self.fields["password1"].help_text = (
            f"至少 10 个字符，同时有大写字母、小写字母、数字和符号；不用常见的词，不与姓名、工号相近，"
            f"不与最近 {settings.PASSWORD_HISTORY} 次用过的相同。"
        )
        self.fields["password2"].label = "再输一次新密码"


class ReauthenticateForm(_Plain, account.ReauthenticateForm):
    """The password once more."""


class CodeForm(_Plain, mfa.AuthenticateForm):
    """A code of the telephone, or a recovery code."""


class ReauthenticateCodeForm(_Plain, mfa.ReauthenticateForm):
    """The same, once more."""


class ActivateForm(_Plain, totp.ActivateTOTPForm):
    """The first code proves that the telephone has the secret."""
