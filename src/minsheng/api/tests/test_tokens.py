"""Who may call: issuing, scopes, rotation with overlap, revocation, turns, the usage log; and that nobody signs in as a system."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from minsheng.accounts import actions as accounts
from minsheng.accounts.choices import Role
from minsheng.accounts.testing import sign_in
from minsheng.api import actions
from minsheng.api.choices import SCOPES, Scope
from minsheng.api.models import Answer, Token, Upload, UsageHour
from minsheng.api.v1 import api
from minsheng.audit.models import AuditEntry
from minsheng.cases.tests.world import World
from minsheng.errors import Refused
from minsheng.ui import alarms

from .conftest import V1, Remote, make_remote

pytestmark = pytest.mark.django_db
SCOPED: list[tuple[Any, ...]] = [
    (operation.operation_id, path, operation.methods[0], vars(operation.auth_callbacks[0])["scope"])
    for router in api._get_bound_routers()
    for path, view in router.path_operations.items()
    for operation in view.operations
]


def audited(code: str) -> AuditEntry:
    return AuditEntry.objects.get(code=code)


# --- issuing -----------------------------------------------------------------------------------------------------


def test_a_system_begins_with_no_right_at_all(world: World) -> None:
    bare = make_remote(world, "bare")
    assert bare.account.roles == [] and not bare.account.has_usable_password()
    assert bare.get("/cases").json() == {"cases": [], "next": ""}
    assert bare.post("/cases", {"kind": "help", "text": "x"}).status_code == 403
    assert audited("api.system_registered").detail["account"] == "system.bare"


def test_the_clear_token_is_kept_nowhere(app: Remote) -> None:
    assert app.clear.startswith(app.token.prefix) and len(app.clear) > 40
    kept = str(Token.objects.values().get()) + str(list(AuditEntry.objects.values()))
    assert app.clear not in kept and app.clear[12:] not in kept
    assert audited("api.token_issued").detail["token"] == app.token.prefix


@pytest.mark.parametrize("who", ["agent", "security_admin", "audit_admin", "城管领导"])
def test_only_the_system_administrator_issues(who: str, world: World, app: Remote) -> None:
    at = timezone.now()
    common: dict[str, Any] = {"actor": world[who], "at": at}
    for act in (
        lambda: actions.register_system(**common, code="x1", name="x", contact="x", channel="app"),
        lambda: actions.issue_token(**common, system=app.system, scopes=["cases:read"], expires_at=at + timedelta(days=1)),
        lambda: actions.rotate_token(**common, token=app.token, overlap=timedelta(), expires_at=at + timedelta(days=1)),
        lambda: actions.revoke_token(**common, token=app.token, why="x"),
    ):
        with pytest.raises(Refused, match="forbidden"):
            act()


@pytest.mark.parametrize("scopes,days", [([], 1), (["cases:read", "all"], 1), (["cases:read"], 0), (["cases:read"], 400)])
def test_odd_tokens_are_not_issued(scopes: list[str], days: int, world: World, app: Remote) -> None:
    at = timezone.now()
    with pytest.raises(Refused, match="invalid"):
        actions.issue_token(
            actor=world["system_admin"], at=at, system=app.system, scopes=scopes, expires_at=at + timedelta(days=days)
        )


# --- recognising -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer ms_x", "Basic YTpi", "Bearer \udcff", "Bearer " + "x" * 5000])
def test_without_a_valid_token_401(header: str, app: Remote) -> None:
    response = Client().get(V1 + "/cases", headers={"Authorization": header})
    assert response.status_code == 401 and response["WWW-Authenticate"] == "Bearer"
    assert response.json()["code"] == "unauthenticated"


def test_expired_revoked_and_stopped_tokens_are_refused_at_once(world: World, app: Remote, unit: Remote, other: Remote) -> None:
    Token.objects.filter(pk=app.token.pk).update(expires_at=timezone.now())
    actions.revoke_token(actor=world["system_admin"], at=timezone.now(), token=unit.token, why="泄露")
    accounts.deactivate(actor=world["system_admin"], at=timezone.now(), user=other.account)
    for remote, path in ((app, "/cases"), (unit, "/tasks"), (other, "/tasks")):
        assert remote.get(path).status_code == 401
    assert audited("api.token_revoked").why == "泄露"


def test_rotation_lets_both_work_for_the_overlap_and_no_longer(world: World, app: Remote) -> None:
    at = timezone.now()
    new, clear = actions.rotate_token(
        actor=world["system_admin"], at=at, token=app.token, overlap=timedelta(hours=24), expires_at=at + timedelta(days=90)
    )
    successor = Remote(app.system, new, clear)
    assert new.rotated_from == app.token and new.scopes == app.token.scopes
    assert app.get("/cases").status_code == successor.get("/cases").status_code == 200
    app.token.refresh_from_db()
    assert app.token.is_valid(at + timedelta(hours=23)) and not app.token.is_valid(at + timedelta(hours=24))
    with pytest.raises(Refused, match="invalid"):  # a token has one successor
        actions.rotate_token(
            actor=world["system_admin"], at=at, token=app.token, overlap=timedelta(), expires_at=at + timedelta(days=9)
        )
    assert audited("api.token_rotated").detail["rotated_from"] == app.token.prefix


def test_an_overlap_never_prolongs_the_old_token(world: World, app: Remote) -> None:
    at = timezone.now()
    ends = app.token.expires_at
    actions.rotate_token(
        actor=world["system_admin"], at=at, token=app.token, overlap=timedelta(days=300), expires_at=at + timedelta(days=90)
    )
    assert app.token.expires_at == ends


# --- scopes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name,path,method,scope", SCOPED, ids=[row[0] for row in SCOPED])
def test_each_operation_needs_its_scope(name: str, path: str, method: str, scope: Scope | None, world: World) -> None:
    others = [each for each in SCOPES if each != scope]
    remote = make_remote(world, "narrow", Role.AGENT, scopes=others)
    url = V1 + path.format(number="FZ20261124010000021", task=1, attachment=1, webhook=1)
    url = url.replace("//", "/")
    response = remote.client.generic(method, url, "{}", content_type="application/json", headers=remote.headers("a-key-of-eight"))
    if scope is None:
        assert response.status_code == 200
        return
    if name == "upload_file":
        response = remote.client.post(url, {}, headers=remote.headers("a-key-of-eight"))
    assert response.status_code == 403 and response.json()["code"] == "scope_missing"
    assert scope.value in response.json()["message"]
    assert AuditEntry.objects.filter(code="api.refused", actor=remote.account).exists()


def test_every_scope_serves_an_operation() -> None:
    assert {row[3] for row in SCOPED} - {None} == set(Scope)


@pytest.mark.parametrize(("days", "heard"), [(70, 0), (77, 1), (89, 1), (91, 1), (98, 0)])
def test_the_operator_hears_before_a_system_falls_silent(days: int, heard: int, world: World, app: Remote) -> None:
    at = timezone.now() + timedelta(days=days)  # the token is good for ninety
    titles = [alarm.title for alarm in alarms.sounding(at) if "令牌" in alarm.title]
    assert len(titles) == heard and all(("已于" if days > 90 else "将于") in title for title in titles)
    actions.issue_token(
        actor=world["system_admin"], at=at, system=app.system, scopes=["cases:read"], expires_at=at + timedelta(days=90)
    )
    assert not [alarm for alarm in alarms.sounding(at) if "令牌" in alarm.title]


# --- turns and usage ---------------------------------------------------------------------------------------------


def test_a_minute_has_so_many_calls(app: Remote, settings: Any) -> None:
    settings.API = django.API | {"calls_per_minute": 3}
    assert [app.get("/units").status_code for _ in range(4)] == [200, 200, 200, 429]
    limited = app.get("/units")
    assert 1 <= int(limited["Retry-After"]) <= 20 and limited.json()["code"] == "too_many_calls"


def test_turns_come_back_with_time(app: Remote, settings: Any) -> None:
    settings.API = django.API | {"calls_per_minute": 60}
    at = timezone.now()
    assert [actions.take_turn(token=app.token, at=at) for _ in range(61)] == [0] * 60 + [1]
    assert actions.take_turn(token=app.token, at=at + timedelta(seconds=1)) == 0
    assert actions.take_turn(token=app.token, at=at + timedelta(seconds=1)) == 1
    assert [actions.take_turn(token=app.token, at=at + timedelta(minutes=5)) for _ in range(61)][-2:] == [0, 1]


def test_the_hours_usage_is_kept(app: Remote) -> None:
    app.get("/units")
    app.get("/cases/FZ20261124010000021")
    app.get("/cases", limit=0)
    hour = UsageHour.objects.get()
    assert (hour.token, hour.calls, hour.errors, hour.last_address) == (app.token, 3, 2, "127.0.0.1")
    app.token.refresh_from_db()
    app.account.refresh_from_db()
    assert app.token.last_used_at and app.account.last_login  # so the account is not named as unused


def test_old_answers_files_and_counts_are_forgotten(app: Remote, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    from django.core.files.uploadedfile import SimpleUploadedFile

    app.upload(SimpleUploadedFile("a.txt", b"hello"))
    actions.forget_old(at=timezone.now())
    assert Answer.objects.count() == Upload.objects.count() == UsageHour.objects.count() == 1
    path = tmp_path / Upload.objects.get().file.name
    assert path.exists()
    actions.forget_old(at=timezone.now() + timedelta(days=500))
    assert Answer.objects.count() == Upload.objects.count() == UsageHour.objects.count() == 0
    assert not path.exists()


# --- the administrator's page ------------------------------------------------------------------------------------


def test_nobody_signs_in_as_a_system_even_with_a_password(world: World, app: Remote, client: Client) -> None:
    password = "Known-to-somebody-1"
    accounts.set_password(actor=world["security_admin"], at=timezone.now(), user=app.account, password=password)
    assert not authenticate(HttpRequest(), username="system.app", password=password)
    client.post("/accounts/login/", {"login": " System.App ", "password": password})
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("who", ["agent", "security_admin", "audit_admin", "城管领导", "hotline_leader"])
def test_the_page_is_the_system_administrators(who: str, world: World, app: Remote, client: Client) -> None:
    sign_in(client, world[who])
    for path in ("", "new/", "app/"):
        assert client.get(f"/api/systems/{path}").status_code == 403
    for path in ("app/issue/", f"app/{app.token.pk}/rotate/", f"app/{app.token.pk}/revoke/"):
        assert client.post(f"/api/systems/{path}").status_code == 403


def test_a_token_is_shown_once_and_then_never(world: World, app: Remote, client: Client) -> None:
    sign_in(client, world["system_admin"])
    issued = client.post("/api/systems/app/issue/", {"scopes": ["cases:read"], "days": "90"})
    clear = issued.context["clear"]
    assert clear in issued.content.decode() and issued["Cache-Control"] == "no-store"
    page = client.get("/api/systems/app/").content.decode()
    assert clear not in page and clear[:9] in page
    assert clear not in str(dict(client.session))
    wrong = client.post("/api/systems/app/issue/", {"scopes": [], "days": "90"})
    assert wrong.status_code == 422 and Token.objects.count() == 2
    assert client.post(f"/api/systems/app/{app.token.pk}/revoke/", {"why": ""}).status_code == 422
    assert client.get("/api/systems/nobody/").status_code == 404


def test_a_new_system_is_checked(world: World, app: Remote, client: Client) -> None:
    sign_in(client, world["system_admin"])
    good = {"name": "新系统", "code": "new-one", "contact": "李工", "channel": "web"}
    for wrong in ({"code": "Ab"}, {"code": "app"}, {"name": ""}, {"channel": "pigeon"}, {"unit": "999999"}):
        assert client.post("/api/systems/new/", good | wrong).status_code == 422, wrong
    assert client.post("/api/systems/new/", good).status_code == 302
    edited = {"name": "新名字", "contact": "王工", "channel": "app", "own_only": "on"}
    assert client.post("/api/systems/new-one/", edited).status_code == 302
    assert audited("api.system_edited").detail["after"]["own_only"] is True


def test_the_pages_ask_the_database_no_more_for_many(
    world: World, app: Remote, client: Client, django_assert_num_queries: Any
) -> None:
    sign_in(client, world["system_admin"])
    for count in (1, 6):
        for number in range(count):
            make_remote(world, f"s{count}-{number}", Role.AGENT).get("/units")
        for _ in range(count):
            made = actions.issue_token(
                actor=world["system_admin"], at=timezone.now(), system=app.system, scopes=["cases:read"],
                expires_at=timezone.now() + timedelta(days=9),
            )  # fmt: skip
            Remote(app.system, *made).get("/cases")
        for path in ("", "app/"):
            client.get(f"/api/systems/{path}")
        with django_assert_num_queries(4):
            client.get("/api/systems/")
        with django_assert_num_queries(8):
            client.get("/api/systems/app/")
