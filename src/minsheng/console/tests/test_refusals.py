"""A refused action as a page, as a fragment beside its form, and as JSON; nothing typed lost, refusals of right on record."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import resolve
from django_htmx.middleware import HtmxDetails

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.audit.models import AuditEntry
from minsheng.console.middleware import RefusalMiddleware
from minsheng.errors import Refused


def request(data: dict[str, Any] | None = None, user: Any = None, htmx: bool = False, **headers: str) -> HttpRequest:
    if htmx:
        headers["HX-Request"] = "true"
    made = RequestFactory().post("/cases/FZ1/dispatch/?open=FZ1", data or {}, headers=headers)
    made.user = user or AnonymousUser()
    made.session = SimpleNamespace(session_key=None, get=lambda *a: None)  # type: ignore[assignment]
    made.htmx = HtmxDetails(made)  # type: ignore[attr-defined]
    made._messages = CookieStorage(made)  # type: ignore[attr-defined]
    return made


def answer(made: HttpRequest, refused: Exception) -> Any:
    return RefusalMiddleware(lambda r: None).process_exception(made, refused)  # type: ignore[return-value]


STALE = {
    "version": 8,
    "changes": [{"at": None, "actor": "批转员 李雯", "sentence": "批转给市城管委。"}],
}


def test_json_for_who_asks_for_it() -> None:
    made = answer(request(accept="application/json"), Refused("stale", **STALE))
    assert made.status_code == 409 and made.headers["X-Refusal"] == "stale"
    import json

    body = json.loads(made.content)
    assert body["code"] == "stale" and body["message"].startswith("在您打开之后") and body["details"] == {"version": 8}


def test_a_fragment_beside_the_form_for_htmx() -> None:
    made = answer(request({"words": "请尽快"}, htmx=True), Refused("stale", **STALE))
    html = made.content.decode()
    assert made.status_code == 409 and "<html" not in html
    assert 'data-fresh-version="8"' in html and "李雯" in html and "仍然提交" in html


def test_a_stale_page_keeps_what_was_typed_and_can_send_it_again() -> None:
    typed = {"words": "请<b>尽快</b>修", "lead": "12", "version": "7", "submission": "s-1"}
    html = answer(request(typed), Refused("stale", **STALE)).content.decode()
    assert "请&lt;b&gt;尽快&lt;/b&gt;修" in html and "<b>尽快" not in html
    assert 'name="version" value="8"' in html and 'name="submission" value="s-1"' in html
    assert '<textarea name="lead" hidden>12</textarea>' in html and 'action="/cases/FZ1/dispatch/?open=FZ1"' in html


def test_secrets_are_never_shown_back() -> None:
    made = answer(request({"query_code": "7K3M92QX", "password": "hunter22222"}), Refused("reason_required"))
    assert (
        made.status_code == 422
        and "7K3M92QX" not in made.content.decode()
        and "hunter22222" not in made.content.decode()
    )


def test_back_leads_to_a_page_of_ours_only() -> None:
    assert "evil" not in answer(request(referer="https://evil.example/"), Refused("not_found")).content.decode()
    assert (
        'href="http://testserver/desk/x"'
        in answer(request(referer="http://testserver/desk/x"), Refused("not_found")).content.decode()
    )


def test_another_error_goes_its_way() -> None:
    assert answer(request(), ValueError("x")) is None


@pytest.mark.django_db
def test_a_refusal_of_right_is_on_record_and_others_are_not() -> None:
    user = User.objects.create_user("lin", display_name="林工", roles=[Role.AGENT])
    assert answer(request(user=user, htmx=True), Refused("forbidden", action="批转")).status_code == 403
    assert (
        answer(request(user=user, htmx=True), Refused("wrong_state", state="已办结", action="批转")).status_code == 409
    )
    entry = AuditEntry.objects.get()
    assert (
        entry.actor_id == user.pk
        and entry.detail == {"refusal": "forbidden"}
        and entry.subject_label == "/cases/FZ1/dispatch/"
    )


@pytest.mark.django_db
def test_choices_are_shown_by_their_labels() -> None:
    made = request({"kind": "other", "text": "路灯不亮", "topic": "12"})
    made.resolver_match = resolve("/cases/new/")
    html = answer(made, Refused("forbidden", action="登记诉求")).content.decode()
    shown = html.split("您填写的内容")[1].split("</details>")[0]
    assert "：其他" in shown and "路灯不亮" in shown and "other" not in shown
