"""allauth, as this house wants it: closed sign-up, usernames, one answer for every failed sign-in, secrets
encrypted."""

from __future__ import annotations

import time
from typing import Any, cast

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils import timezone

from minsheng.accounts import actions
from minsheng.accounts.backends import RoleBackend
from minsheng.accounts.models import User
from minsheng.secrecy.columns import decrypt, encrypt

SECRET_LABEL = "totp secret"  # noqa: S105 - a label


class AccountAdapter(DefaultAccountAdapter):
    """Sign-in and passwords."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        # One sentence for an unknown name, a wrong password and a stopped account: nobody learns who has one.
        "username_password_mismatch": "用户名或密码不对。连续输错 5 次将锁定 30 分钟。",
        "account_inactive": "用户名或密码不对。连续输错 5 次将锁定 30 分钟。",
        "too_many_login_attempts": "尝试次数过多，请稍后再试。",
        "incorrect_password": "密码不对。",
        "incorrect_code": "验证码不对，或已用过。请等下一个验证码再试。",
        "enter_current_password": "现在的密码不对。",
        "rate_limited": "操作太频繁，请稍后再试。",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody registers: the system administrator makes people."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Names are stored in lower case; failures are counted by that name too, so that case gives no extra tries.

        A stopped account with the right password is answered like a wrong one."""
        if "username" in credentials:
            credentials["username"] = credentials["username"].strip().lower()
        user = super().authenticate(request, **credentials)
        return cast("User", user) if user is not None and RoleBackend().user_can_authenticate(user) else None

    def is_reauthentication_required(self, *, app: str) -> bool:
        """Who has signed in within the last five minutes is not asked again (REAUTHENTICATION_TIMEOUT)."""
        request = self.request
        records = get_authentication_records(request, request.user)
        if records and time.time() - float(records[-1]["at"]) < app_settings.REAUTHENTICATION_TIMEOUT:
            return False
        return bool(super().is_reauthentication_required(app=app))

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        """Stopped between the password and the code: back to the beginning, with the same words."""
        messages.error(request, str(self.error_messages["account_inactive"]))
        return HttpResponseRedirect(reverse("account_login"))

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Everybody lands on their desk."""
        return resolve_url(settings.LOGIN_REDIRECT_URL)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Back to work."""
        return self.get_login_redirect_url(request)

    def set_password(self, user: Any, password: str) -> None:
        """By our action: history, age and audit. The object of the request learns the new hash, so that its session
        stays."""
        changed = actions.set_password(actor=user, at=timezone.now(), user=user, password=password)
        for field in ("password", "password_changed_at", "must_change_password"):
            setattr(user, field, getattr(changed, field))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Nothing of sign-in goes by mail."""


class SecondFactorAdapter(DefaultMFAAdapter):
    """Second factor."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "验证码不对，或已用过。请等下一个验证码再试。",
        "cannot_delete_authenticator": "管理员不能停用两步验证。更换手机请联系安全管理员。",
    }

    def encrypt(self, text: str) -> str:
        """The TOTP secret is not readable in the database."""
        return encrypt(text, SECRET_LABEL).hex()

    def decrypt(self, encrypted_text: str) -> str:
        """Counterpart of encrypt."""
        return decrypt(bytes.fromhex(encrypted_text), SECRET_LABEL)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Administrators cannot do without (domain.md §8.2)."""
        return not (settings.SECOND_FACTOR_REQUIRED and cast("User", authenticator.user).is_administrator)
