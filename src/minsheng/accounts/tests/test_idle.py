"""Idle log-out: when, for whom, and that nothing typed is lost (domain.md §8.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.audit.models import AuditEntry

pytestmark = pytest.mark.django_db
Person = Callable[..., User]
Clock = Callable[..., None]


def is_in(client: Client, **headers: str) -> bool:
    return client.get("/inside/", headers=headers).status_code == 200


@pytest.mark.parametrize(("role", "minutes"), [(Role.DISPATCHER, 15), (Role.UNIT_LIAISON, 15), (Role.AGENT, 30)])
def test_idle_for_too_long(client: Client, person: Person, clock: Clock, role: Role, minutes: int) -> None:
    client.force_login(person(role))
    clock(minutes=minutes - 1)
    assert is_in(client)
    clock(minutes=2 * minutes - 2)
    assert is_in(client)
    clock(minutes=3 * minutes)
    answer = client.get("/inside/?row=7")
    assert answer["Location"] == "/accounts/login/?next=%2Finside%2F%3Frow%3D7"
    assert "已自动退出" in client.get(answer["Location"]).content.decode()
    assert AuditEntry.objects.latest("id").why == "空闲超时"


def test_what_the_page_sends_itself_does_not_renew_and_ends_nothing(
    client: Client, person: Person, clock: Clock
) -> None:
    client.force_login(person(Role.AUDITOR))
    clock(minutes=14)
    assert is_in(client, **{"X-Background": "1"})
    clock(minutes=16)
    answer = client.get("/inside/", headers={"X-Background": "1"})
    assert (answer.status_code, answer["X-Signed-Out"]) == (401, "1")
    assert client.post("/inside/", {"text": "写了一半的答复"})["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("htmx", [False, True])
def test_what_was_being_sent_is_kept_and_offered_again(
    client: Client, person: Person, clock: Clock, htmx: bool
) -> None:
    user = person(Role.AUDITOR)
    client.force_login(user)
    clock(minutes=16)
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/inside/"} if htmx else {}
    photo = SimpleUploadedFile("照片.jpg", b"x")
    answer = client.post("/inside/?v=3", {"text": "已清运，\n现场照片见附件。", "file": photo}, headers=headers)
    assert answer["HX-Redirect" if htmx else "Location"] == "/accounts/login/?next=%2Faccounts%2Fresume%2F"
    stored = "".join(s.session_data for s in Session.objects.all()) + str(dict(client.session))
    assert "已清运" not in stored

    clock(minutes=0)
    client.force_login(user)
    page = client.get("/accounts/resume/").content.decode()
    assert 'action="/inside/?v=3"' in page
    assert "已清运，\n现场照片见附件。</textarea>" in page
    assert "重新添加" in page
    assert client.post("/accounts/resume/")["Location"] == "/desk/"
    assert client.get("/accounts/resume/").status_code == 302


def test_nobody_else_sees_what_was_kept(client: Client, person: Person, clock: Clock) -> None:
    client.force_login(person(Role.AUDITOR))
    clock(minutes=16)
    client.post("/inside/", {"text": "举报人说"})
    clock(minutes=0)
    client.force_login(person(Role.AUDITOR))
    assert client.get("/accounts/resume/")["Location"] == "/desk/"


def test_passwords_are_never_kept(client: Client, person: Person, clock: Clock) -> None:
    client.force_login(person(Role.AUDITOR))
    clock(minutes=16)
    answer = client.post("/accounts/password/", {"oldpassword": "a", "password1": "b"})
    assert "resume" not in answer["Location"]
    assert "kept_form" not in client.session


def test_activity_costs_no_write_on_every_request(
    client: Client, person: Person, clock: Clock, django_assert_num_queries: Any
) -> None:
    client.force_login(person(Role.AUDITOR))
    clock(seconds=10)
    with django_assert_num_queries(2):  # session, person
        is_in(client)
