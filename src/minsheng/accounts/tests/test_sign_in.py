"""Signing in: one answer for every failure, lock-out, the second factor, passwords that are due (domain.md §8.2)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from axes.models import AccessAttempt
from django.conf import settings
from django.test import Client
from django.utils import timezone

from minsheng.accounts import actions
from minsheng.accounts.choices import ADMIN_ROLES, Role
from minsheng.accounts.models import User
from minsheng.accounts.tests.conftest import PASSWORD
from minsheng.audit.models import AuditEntry

pytestmark = pytest.mark.django_db
Person = Callable[..., User]
LOGIN = "/accounts/login/"
# A device is announced when its transaction commits.
commits = pytest.mark.django_db(transaction=True)


def sign_in(client: Client, username: str, password: str = PASSWORD, **extra: Any) -> Any:
    return client.post(LOGIN, {"login": username, "password": password}, **extra)


def code(secret: str, steps: int = 0) -> str:
    """What the telephone shows; each code is accepted once, so a second use takes the next one."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def register_device(client: Client) -> str:
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    found = re.search(r'id="totp_secret">([A-Z2-7]+)<', page)
    assert found
    assert "data:image/svg+xml;base64," in page
    answer = client.post("/accounts/2fa/totp/activate/", {"code": code(found[1])})
    assert answer.status_code == 302
    return found[1]


def codes() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("code", flat=True))


def words(response: Any) -> str:
    """The page without what differs by request."""
    page = unescape(response.content.decode())
    return re.sub(r'(csrfmiddlewaretoken" value="|X-CSRFToken": ")[^"]+|value="[^"]*"', "", page)


def test_sign_in_and_out_are_audited(client: Client, person: Person) -> None:
    user = person(Role.DISPATCHER)
    assert sign_in(client, user.username.upper())["Location"] == "/desk/"
    assert client.get("/inside/").content == b"work"
    client.post("/accounts/logout/")
    assert client.get("/inside/").status_code == 302
    assert codes() == ["accounts.signed_in", "accounts.signed_out"]
    entry = AuditEntry.objects.earliest("id")
    assert (entry.actor_id, entry.ip) == (user.pk, "127.0.0.1")


def test_unknown_name_wrong_password_and_stopped_account_get_the_same_answer(client: Client, person: Person) -> None:
    person(username="present")
    person(username="stopped", is_active=False, deactivated_at=timezone.now())
    answers = [
        sign_in(Client(), "present", "Wrong-Word-1"),
        sign_in(Client(), "nobody-here", "Wrong-Word-1"),
        sign_in(Client(), "stopped", PASSWORD),
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert len({words(answer) for answer in answers}) == 1
    assert "用户名或密码不对" in words(answers[0])
    assert codes() == ["accounts.sign_in_failed"] * 3


def test_a_name_nobody_has_is_not_written_into_the_audit_log(client: Client, db: None) -> None:
    sign_in(client, "my-password-by-mistake", "x")
    entry = AuditEntry.objects.get()
    assert (entry.subject_label, entry.outcome) == ("未知用户名", "failed")
    assert "my-password" not in str(entry.__dict__)


@pytest.mark.parametrize("username", ["present", "nobody-here"])
def test_five_failures_lock_whoever_it_is(client: Client, person: Person, username: str) -> None:
    person(username="present")
    answers = [sign_in(client, name, "Wrong-Word-1") for name in [username, username.upper()] * 2 + [username]]
    assert [answer.status_code for answer in answers] == [200] * 4 + [429]
    assert "锁定 30 分钟" in words(answers[4])
    assert sign_in(client, username, PASSWORD).status_code == 429
    assert "accounts.locked_out" in codes()


def test_a_lock_ends_after_half_an_hour_or_by_the_security_administrator(client: Client, person: Person) -> None:
    user, security = person(Role.AGENT), person(Role.SECURITY_ADMIN)
    for _ in range(5):
        sign_in(client, user.username, "Wrong-Word-1")
    assert sign_in(client, user.username).status_code == 429
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=29))
    assert sign_in(client, user.username).status_code == 429
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=31))
    assert sign_in(client, user.username).status_code == 302
    other = Client()
    for _ in range(5):
        sign_in(other, user.username, "Wrong-Word-1")
    assert actions.unlock(actor=security, at=timezone.now(), user=user) == 1
    assert sign_in(other, user.username).status_code == 302


def test_a_hall_of_seats_behind_one_address_signs_in_at_once(person: Person) -> None:
    for user in [person(Role.AGENT) for _ in range(40)]:
        assert sign_in(Client(), user.username).status_code == 302


def test_passwords_and_names_do_not_reach_the_failure_table(client: Client, person: Person) -> None:
    sign_in(client, "nobody-here", "Wrong-Word-1")
    attempt = AccessAttempt.objects.get()
    assert "Wrong-Word-1" not in attempt.post_data
    assert "nobody-here" not in attempt.post_data


@commits
@pytest.mark.parametrize("role", sorted(ADMIN_ROLES))
def test_an_administrator_registers_a_device_and_then_needs_it(client: Client, person: Person, role: Role) -> None:
    user = person(role)
    assert sign_in(client, user.username)["Location"] == settings.LOGIN_REDIRECT_URL
    assert client.get("/admin/")["Location"] == "/accounts/2fa/totp/activate/"
    assert client.get("/inside/")["Location"] == "/accounts/2fa/totp/activate/"
    secret = register_device(client)
    assert client.get("/admin/").status_code == 200
    assert secret not in str(Authenticator.objects.get(type="totp").data)

    again = Client()
    assert sign_in(again, user.username)["Location"].startswith("/accounts/2fa/authenticate/")
    assert again.get("/admin/").status_code == 302
    assert "验证码不对" in words(again.post("/accounts/2fa/authenticate/", {"code": "000000"}))
    answer = again.post("/accounts/2fa/authenticate/", {"code": code(secret, 1)})
    assert answer["Location"] == settings.LOGIN_REDIRECT_URL
    assert again.get("/admin/").status_code == 200
    assert "accounts.second_factor_added" in codes()


@commits
def test_a_session_without_the_code_is_not_enough(client: Client, person: Person) -> None:
    user = person(Role.SYSTEM_ADMIN)
    sign_in(client, user.username)
    secret = register_device(client)
    other = Client()
    other.force_login(user)
    assert other.get("/admin/")["Location"] == "/accounts/2fa/reauthenticate/?next=%2Fadmin%2F"
    answer = other.post("/accounts/2fa/reauthenticate/", {"code": code(secret, 1), "next": "/admin/"})
    assert answer["Location"] == "/admin/"
    assert other.get("/admin/").status_code == 200


@commits
def test_five_wrong_codes_lock_and_end_the_waiting_sign_in(client: Client, person: Person) -> None:
    user = person(Role.AUDIT_ADMIN)
    sign_in(client, user.username)
    secret = register_device(client)
    other = Client()
    sign_in(other, user.username)
    wrong = next(c for c in ("000000", "000001", "000002", "000003") if c not in {code(secret, s) for s in (-1, 0, 1)})
    statuses = [other.post("/accounts/2fa/authenticate/", {"code": wrong}).status_code for _ in range(5)]
    assert statuses == [200] * 4 + [429]
    assert other.post("/accounts/2fa/authenticate/", {"code": code(secret, 1)}).status_code == 302
    assert other.get("/admin/").status_code == 302
    assert sign_in(other, user.username).status_code == 429


@commits
def test_administrators_cannot_switch_the_second_factor_off_and_others_can(client: Client, person: Person) -> None:
    for role, left in ((Role.SECURITY_ADMIN, True), (Role.AGENT, False)):
        user, mine = person(role), Client()
        sign_in(mine, user.username)
        register_device(mine)
        mine.post("/accounts/2fa/totp/deactivate/")
        assert Authenticator.objects.filter(user=user, type="totp").exists() is left


@commits
def test_recovery_codes_serve_once_when_the_telephone_is_lost(client: Client, person: Person) -> None:
    user = person(Role.SYSTEM_ADMIN)
    sign_in(client, user.username)
    register_device(client)
    page = client.get("/accounts/2fa/recovery-codes/").content.decode()
    spare = re.findall(r"<code>([0-9-]+)</code>", page)
    assert len(spare) == 10
    for expected in (settings.LOGIN_REDIRECT_URL, None):
        other = Client()
        sign_in(other, user.username)
        answer = other.post("/accounts/2fa/authenticate/", {"code": spare[0]})
        assert answer.get("Location") == expected


def test_a_due_password_is_changed_before_anything_else(client: Client, person: Person) -> None:
    user = person(Role.AGENT, password_changed_at=timezone.now() - timedelta(days=91))
    sign_in(client, user.username)
    assert client.get("/inside/?a=1")["Location"] == "/accounts/password/?next=%2Finside%2F%3Fa%3D1"
    page = client.get("/accounts/password/").content.decode()
    for name, complete in (
        ("oldpassword", "current-password"),
        ("password1", "new-password"),
        ("password2", "new-password"),
    ):
        assert re.search(rf'<label[^>]+for="id_{name}"', page)
        assert re.search(rf'name="{name}"[^>]+autocomplete="{complete}"', page)
    fields = {"oldpassword": PASSWORD, "password1": "Minjiang-1949!", "password2": "Minjiang-1949!", "next": "/inside/"}
    assert "最近 5 次" in words(
        client.post("/accounts/password/", fields | {"password1": PASSWORD, "password2": PASSWORD})
    )
    assert "大写字母" in words(client.post("/accounts/password/", fields | {"password1": "minjiang-1949"}))
    assert client.post("/accounts/password/", fields)["Location"] == "/inside/"
    assert client.get("/inside/").content == b"work"
    user.refresh_from_db()
    assert user.check_password("Minjiang-1949!")
    assert codes()[-1] == "accounts.password_changed"


def test_someone_stopped_is_out_with_their_next_request(client: Client, person: Person) -> None:
    user, system = person(Role.DISPATCHER), person(Role.SYSTEM_ADMIN)
    sign_in(client, user.username)
    actions.deactivate(actor=system, at=timezone.now(), user=user)
    assert client.get("/inside/").status_code == 302


@pytest.mark.parametrize(
    "path",
    [
        "signup/",
        "email/",
        "confirm-email/",
        "password/reset/",
        "password/set/",
        "login/code/confirm/",
        "inactive/",
        "3rdparty/",
    ],
)
def test_what_we_do_not_want_is_not_there(client: Client, db: None, path: str) -> None:
    assert client.get(f"/accounts/{path}").status_code == 404


@commits
@pytest.mark.parametrize(
    "path",
    ["login/", "logout/", "password/", "reauthenticate/", "2fa/", "2fa/totp/activate/", "2fa/recovery-codes/generate/"],
)
def test_every_page_is_ours_and_in_chinese(client: Client, person: Person, path: str) -> None:
    if path != "login/":
        sign_in(client, person(Role.AGENT).username)
    if "recovery" in path:
        register_device(client)
    page = client.get(f"/accounts/{path}", follow=True)
    assert page.status_code == 200
    assert "narrow-card" in page.content.decode()
    assert not re.search(r">[^<]*(Sign|Password|Confirm|Menu|Activate)[^<]*<", page.content.decode())


def test_the_sign_in_page_helps_password_managers_and_screen_readers(client: Client, db: None) -> None:
    page = client.get(LOGIN).content.decode()
    assert re.search(r'<label[^>]+for="id_login"', page)
    assert re.search(r'name="login"[^>]+autocomplete="username"', page)
    assert re.search(r'name="password"[^>]+autocomplete="current-password"', page)
    assert "placeholder" not in page
    assert "error-summary" in sign_in(client, "x", "y").content.decode()
