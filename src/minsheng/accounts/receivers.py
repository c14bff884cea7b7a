"""Sign-in, failure, lock-out, sign-out and second factor are audited here, and only here do we listen to signals:
they are the one hook that Django, axes and allauth offer for them (domain.md §8.3: 登录/失败/锁定)."""

from __future__ import annotations

from typing import Any

from allauth.mfa import signals as mfa
from axes.signals import user_locked_out
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from minsheng.accounts.middleware import SECOND_FACTOR_KEY, SEEN_KEY
from minsheng.accounts.models import User
from minsheng.audit.actions import record
from minsheng.audit.choices import Outcome


def _named(username: str | None) -> User | None:
    """The person of a typed name. A name that nobody has is not written down: people type passwords into the wrong
    field."""
    return User.objects.filter(username=(username or "").strip().lower()).first()


def _record_attempt(code: str, outcome: Outcome, username: str | None, request: HttpRequest | None) -> None:
    user = _named(username)
    label = str(user) if user else "未知用户名"
    record(
        actor=None, at=timezone.now(), code=code, subject=user, subject_label=label, outcome=outcome, request=request
    )


def _record_own(code: str, user: User, request: HttpRequest | None, **extra: Any) -> None:
    record(actor=user, at=timezone.now(), code=code, subject=user, subject_label=str(user), request=request, **extra)


@receiver(user_logged_in)
def signed_in(sender: Any, request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """The idle clock starts."""
    request.session[SEEN_KEY] = timezone.now().timestamp()
    _record_own("accounts.signed_in", user, request)


@receiver(user_logged_out)
def signed_out(sender: Any, request: HttpRequest | None, user: User | None, **_kwargs: Any) -> None:
    """By the person, or by idleness."""
    if user is not None:
        _record_own("accounts.signed_out", user, request, why="空闲超时" if hasattr(request, "idle_log_out") else "")


@receiver(user_login_failed)
def sign_in_failed(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_kwargs: Any
) -> None:
    """Known or unknown name, password or code."""
    _record_attempt("accounts.sign_in_failed", Outcome.FAILED, credentials.get("username"), request)


@receiver(user_locked_out)
def locked_out(sender: Any, request: HttpRequest, username: str | None, **_kwargs: Any) -> None:
    """Locking ends the session too (domain.md §8.2: 限次、锁定、结束会话), also one that waits for its second
    factor."""
    _record_attempt("accounts.locked_out", Outcome.REFUSED, username, request)
    logout(request)


@receiver(mfa.authentication_failed)
def code_failed(sender: Any, request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """A wrong code counts like a wrong password: five of either lock."""
    user_login_failed.send(sender=__name__, credentials={"username": user.username}, request=request)


@receiver(mfa.authenticator_used)
def code_accepted(sender: Any, request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """This session has its second factor; the key is bound to the person, as the session may still be anonymous."""
    request.session[SECOND_FACTOR_KEY] = user.pk


@receiver(mfa.authenticator_added)
def device_added(sender: Any, request: HttpRequest, user: User, authenticator: Any, **_kwargs: Any) -> None:
    """The first code of a new device has just been shown."""
    if authenticator.type == authenticator.Type.TOTP:
        request.session[SECOND_FACTOR_KEY] = user.pk
    _record_own("accounts.second_factor_added", user, request, detail={"type": authenticator.type})


@receiver(mfa.authenticator_removed)
def device_removed(sender: Any, request: HttpRequest, user: User, authenticator: Any, **_kwargs: Any) -> None:
    """By the person; by the security administrator it is `actions.reset_second_factor`."""
    _record_own("accounts.second_factor_removed", user, request, detail={"type": authenticator.type})


@receiver(mfa.authenticator_reset)
def codes_renewed(sender: Any, request: HttpRequest, user: User, authenticator: Any, **_kwargs: Any) -> None:
    """New recovery codes."""
    _record_own("accounts.recovery_codes_renewed", user, request)
