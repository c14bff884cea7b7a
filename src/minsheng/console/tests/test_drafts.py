"""Drafts: kept encrypted, offered to nobody else, gone when the form is sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from minsheng.accounts.testing import sign_in
from minsheng.cases.tests.world import World, build, fresh
from minsheng.console import drafts
from minsheng.console.actions import drop_draft, forget_drafts, keep_draft
from minsheng.console.models import Draft

WORDS = "打电话的人叫林小满，门前路灯三天不亮。"


@pytest.fixture
def world(db: None) -> World:
    return build()


def given(**changes: Any) -> dict[str, Any]:
    return {"form": "intake", "submission": str(uuid4()), "fields": [["text", WORDS], ["phone", "13800138000"]], "files": False} | changes


def keep(client: Client, body: Any) -> int:
    return client.post("/desk/drafts/", body, content_type="application/json", headers={"X-Background": "1"}).status_code


def offered(client: Client, form: str = "intake") -> list[Any]:
    return list(client.get("/desk/drafts/", {"form": form}).json()["drafts"])


def test_a_draft_is_offered_to_its_person_only_and_lies_encrypted(world: World, client: Client) -> None:
    sign_in(client, world["agent"])
    body = given()
    assert keep(client, body) == 204
    (draft,) = offered(client)
    assert draft["submission"] == body["submission"] and draft["fields"] == body["fields"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT fields FROM console_draft")
        stored = bytes(cursor.fetchone()[0])
    assert "路灯".encode() not in stored and b"13800138000" not in stored
    other = sign_in(Client(), world["agent2"])
    assert offered(other) == []
    drop = {"form": "intake", "submission": body["submission"]}
    assert other.post("/desk/drafts/drop/", drop, content_type="application/json").status_code == 204
    assert offered(client), "nobody drops another's draft"
    assert client.post("/desk/drafts/drop/", drop, content_type="application/json").status_code == 204
    assert offered(client) == []


def test_the_same_form_is_kept_once_and_two_windows_keep_two(world: World, client: Client) -> None:
    sign_in(client, world["agent"])
    first = given()
    keep(client, first)
    keep(client, first | {"fields": [["text", "改过"]]})
    keep(client, given())
    assert sorted(len(draft["fields"]) for draft in offered(client)) == [1, 2]


def test_words_that_a_browser_held_do_not_overwrite_newer_ones(world: World, client: Client) -> None:
    sign_in(client, world["agent"])
    body = given()
    keep(client, body)
    hour_ago = int((timezone.now() - timedelta(hours=1)).timestamp() * 1000)
    assert keep(client, body | {"fields": [["text", "早先"]], "at": hour_ago}) == 204
    assert offered(client)[0]["fields"] == body["fields"]


def test_secrets_of_the_form_are_not_kept(world: World, client: Client) -> None:
    sign_in(client, world["agent"])
    keep(client, given(fields=[["csrfmiddlewaretoken", "x"], ["old_password", "y"], ["text", WORDS]]))
    assert offered(client)[0]["fields"] == [["text", WORDS]]


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{", "null", '"x"', given(form="../<b>"), given(form=3), given(submission="x"), given(fields="x"), given(fields=None)],
)
def test_what_no_form_of_ours_sends_is_refused_in_a_sentence(world: World, client: Client, body: Any) -> None:
    sign_in(client, world["agent"])
    answer = client.post("/desk/drafts/", body, content_type="application/json")
    assert answer.status_code == 422 and "草稿没有保存" in answer.content.decode()
    assert not Draft.objects.exists()


def test_a_form_that_was_sent_has_no_draft_and_one_that_was_refused_keeps_it(world: World, client: Client) -> None:
    case = world.handling()
    sign_in(client, world["城管联络"])
    task = world.lead(case)
    values = {"method": "phone", "reached": "True", "summary": "已约", "draft_of": f"{case.number}/reach_out/{task.pk}"}
    values |= {"version": str(fresh(case).version - 1), "submission": str(uuid4()), "reached_at": f"{timezone.localtime():%Y-%m-%dT%H:%M}"}
    keep(client, given(form=values["draft_of"], submission=values["submission"]))
    url = f"/cases/{case.number}/reach_out/?task={task.pk}"
    assert client.post(url, values).status_code in (409, 422)
    assert len(offered(client, values["draft_of"])) == 1
    answer = client.post(f"/cases/{case.number}/draft_reply/?task={task.pk}", reply(case, values))
    assert answer.status_code == 302
    assert not Draft.objects.exists()


def reply(case: Any, values: dict[str, str]) -> dict[str, str]:
    """A whole form under the same key."""
    return {
        "text": "已责令停工。", "finding": "true", "outcome": "supported", "solved": "yes", "basis": "条例",
        "version": str(fresh(case).version), "submission": values["submission"], "draft_of": values["draft_of"],
    }  # fmt: skip


def test_what_the_server_had_saved_when_it_died_is_not_offered_again(world: World, client: Client) -> None:
    submission = uuid4()
    sign_in(client, world["agent"])
    answer = client.post(
        "/cases/new/",
        {"channel": "phone", "kind": "complaint", "urgency": "normal", "applicant_kind": "person", "text": "工地半夜打桩。",
         "topic": world.topics["夜间施工噪声"].pk, "phone": "13800138000", "step": "accept", "submission": str(submission)},
    )  # fmt: skip
    assert answer.status_code == 302
    keep_draft(actor=world["agent"], at=timezone.now(), form="intake", submission=submission, version=None, fields=[["text", "x"]], had_files=False)
    assert offered(client) == []


def test_drafts_are_forgotten_after_some_days(world: World) -> None:
    at = timezone.now()
    for days in (1, 8):
        keep_draft(
            actor=world["agent"], at=at - timedelta(days=days), form="intake", submission=uuid4(), version=None, fields=[], had_files=False
        )
    assert forget_drafts(at=at) == 1
    assert Draft.objects.count() == 1
    drop_draft(actor=world["agent"], form="intake", submission=Draft.objects.get().submission)
    assert not Draft.objects.exists()


def test_each_person_has_a_key_of_their_own_for_this_browsers_store(world: World, client: Client) -> None:
    keys = {drafts.key_of(world[name]) for name in ("agent", "agent2")}
    assert len(keys) == 2
    sign_in(client, world["agent"])
    page = client.get("/cases/intake/").content.decode()
    assert drafts.key_of(world["agent"]) in page and drafts.key_of(world["agent2"]) not in page
