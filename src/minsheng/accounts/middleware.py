"""What every request of a signed-in person passes: idle log-out, password age, second factor (domain.md §8.2); no caching.

They look only at the session and the person that the request has loaded anyway: no query of their own. They work
in `process_view` (but for caching, which looks at the answer), that is after the CSRF check and with the address resolved.

A request that the page itself sends (polling, events) carries the header `X-Background: 1`. It does not count as
activity, and when the person has been idle for too long it is answered 401 with `X-Signed-Out: 1` and ends nothing, so
that what is being typed can still be sent: the next request of the person's own is kept (`accounts/stash.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect

from minsheng.accounts import queries, stash
from minsheng.accounts.choices import Role

BACKGROUND_HEADER = "X-Background"
SIGNED_OUT_HEADER = "X-Signed-Out"
SEEN_KEY = "seen"
SECOND_FACTOR_KEY = "second_factor"
# The last activity is written at most so often: a session is not saved on every request.
_GRAIN_SECONDS = 30

_PASSWORD_PAGES = frozenset(
    {"account_change_password", "account_logout", "account_reauthenticate", "mfa_reauthenticate"}
)
_SECOND_FACTOR_PAGES = _PASSWORD_PAGES | {"mfa_activate_totp"}

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class _Middleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)


class PrivatePagesMiddleware(_Middleware):
    """What a signed-in person was shown is kept by no cache and by no browser: the next at the seat must not find it with
    “back” (domain.md §8.2, 剩余信息保护). A page that says otherwise for itself is left alone."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        # Who asked for no session was shown nothing of anybody's.
        if "Cache-Control" not in response and request.session.accessed and request.user.is_authenticated:
            patch_cache_control(response, private=True, no_store=True)
        return response


class IdleLogoutMiddleware(_Middleware):
    """Signs a person out who has done nothing for 15 minutes, an agent for 30; what they were sending is kept for
    them."""

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponseBase | None:
        """Refuse when idle for too long, otherwise note the activity."""
        if not request.user.is_authenticated:
            return None
        now = timezone.now().timestamp()
        seen = request.session.get(SEEN_KEY)
        background = is_background(request)
        if seen is not None and now - seen > idle_seconds(request.user):
            return _signed_out() if background else self._log_out(request)
        if not background and (seen is None or now - seen >= _GRAIN_SECONDS):
            request.session[SEEN_KEY] = now
        return None

    @staticmethod
    def _log_out(request: HttpRequest) -> HttpResponseBase:
        kept = stash.take(request)
        request.idle_log_out = True  # type: ignore[attr-defined]  # the audit entry says why
        logout(request)
        if kept is not None:
            stash.put(request, kept)
            messages.warning(request, "您有一段时间没有操作，已自动退出。刚才提交的内容已经留存，登录后可继续提交。")
            return _send_to(request, "account_login", reverse("account_resume"))
        messages.warning(request, "您有一段时间没有操作，已自动退出。已保存的内容都在，登录后回到原来的页面。")
        return _send_to(request, "account_login", _page(request))


class PasswordAgeMiddleware(_Middleware):
    """A password given by someone else, or older than 90 days, is changed before anything else."""

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponseBase | None:
        """Send to the change page when the password is due."""
        user = request.user
        if not user.is_authenticated or _url_name(request) in _PASSWORD_PAGES or not user.password_due(timezone.now()):
            return None
        if is_background(request):
            return _signed_out()
        messages.warning(request, "请先更换密码：密码由他人设定，或使用已满期限。")
        return _send_to(request, "account_change_password", _page(request))


class SecondFactorMiddleware(_Middleware):
    """The three administrators do nothing without a second factor, given in this very session."""

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponseBase | None:
        """Send an administrator who has not shown a code in this session to show one, or to register a device."""
        user = request.user
        if not settings.SECOND_FACTOR_REQUIRED or not user.is_authenticated or not user.is_administrator:
            return None
        if request.session.get(SECOND_FACTOR_KEY) == user.pk or _url_name(request) in _SECOND_FACTOR_PAGES:
            return None
        if is_background(request):
            return _signed_out()
        if queries.has_second_factor(user):
            return _send_to(request, "mfa_reauthenticate", _page(request))
        messages.warning(request, "管理员须启用两步验证，才能继续。")
        return _send_to(request, "mfa_activate_totp", "")


def is_background(request: HttpRequest) -> bool:
    """Sent by the page itself, not by the person."""
    return request.headers.get(BACKGROUND_HEADER) == "1"


def idle_seconds(user: Any) -> int:
    """How long this person may be idle: agents sit through long calls (domain.md §8.2)."""
    minutes = settings.IDLE_MINUTES_AT_SEAT if user.has_role(Role.AGENT) else settings.IDLE_MINUTES
    return int(minutes) * 60


def _url_name(request: HttpRequest) -> str:
    return (request.resolver_match.url_name or "") if request.resolver_match else ""


def _page(request: HttpRequest) -> str:
    """The address in the browser's own line: of a fragment's page, not of the fragment; of a form's page, not of its
    target."""
    if request.headers.get("HX-Request") == "true":
        address = urlsplit(request.headers.get("HX-Current-URL", ""))
    elif request.method in ("GET", "HEAD"):
        return request.get_full_path()
    else:
        address = urlsplit(request.headers.get("Referer", ""))
    if address.netloc and address.netloc != request.get_host():
        return ""
    return address.path + (f"?{address.query}" if address.query else "")


def _send_to(request: HttpRequest, name: str, then: str) -> HttpResponseBase:
    url = reverse(name) + (f"?{urlencode({'next': then})}" if then else "")
    return HttpResponseClientRedirect(url) if request.headers.get("HX-Request") == "true" else HttpResponseRedirect(url)


def _signed_out() -> HttpResponse:
    return HttpResponse(status=401, headers={SIGNED_OUT_HEADER: "1", "HX-Reswap": "none"})
