"""`/api/v1` on cases, tasks and files: what is done goes by the ordinary actions, what is seen by the ordinary scope."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from minsheng.accounts.choices import Role
from minsheng.api.models import Upload
from minsheng.audit.models import AuditEntry
from minsheng.cases import actions, attachments
from minsheng.cases.models import Attachment, Case, Contact, ReasonCode, Task
from minsheng.cases.rules import query_code
from minsheng.cases.tests.world import World

from .conftest import CASE, V1, Remote, make_remote

pytestmark = pytest.mark.django_db
REPLY = {"text": "经现场核查，已停止夜间施工。", "finding": "true", "outcome": "supported", "solved": "yes"}
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def png(name: str = "现场.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, PNG, content_type="text/html")


def yesterday(world: World) -> World:
    """The actions of the API take the real clock, so the world's lies before it."""
    world.now = timezone.now() - timedelta(hours=12)
    return world


# --- creating ----------------------------------------------------------------------------------------------------


def test_a_request_becomes_a_case_of_the_systems_channel(app: Remote, settings: Any) -> None:
    applicant = {"name": "林小满", "phone": "13800138000"}
    made = app.post("/cases", CASE | {"applicant": applicant, "external_number": "A-1", "publishable": True})
    assert made.status_code == 201
    case = Case.objects.get(number=made.json()["number"])
    assert made.json()["query_code"] == query_code(settings.HASH_KEY, case.number or "", 1)
    assert (case.channel, case.state, case.publishable, case.applicant.name) == ("app", "to_accept", True, "林小满")
    entry = case.timeline.get()
    assert (entry.code, entry.actor) == ("submit", app.account)
    contact = Contact.objects.get()
    assert (contact.source, contact.source_id) == ("app", "A-1")


def test_a_consent_that_would_not_be_followed_is_refused(app: Remote) -> None:
    refused = app.post("/cases", CASE | {"applicant": {"anonymous": True}, "publishable": True})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid") and "匿名诉求不公开" in refused.json()["message"]
    assert not Case.objects.exists()
    assert app.post("/cases", CASE | {"applicant": {"anonymous": True}}).status_code == 201


def test_where_it_happened_goes_in_and_comes_out_as_exact_as_one_may_know(app: Remote, world: World) -> None:
    made = app.post("/cases", CASE | {"point": {"longitude": 119.2711494, "latitude": 26.041351}})
    number = made.json()["number"]
    assert str(Case.objects.get(number=number).point) == "119.271149,26.041351"
    assert app.get(f"/cases/{number}").json()["point"] == {"longitude": 119.271149, "latitude": 26.041351, "near": False}
    analysis = make_remote(world, "analysis", "analyst")
    assert analysis.get(f"/cases/{number}").json()["point"] == {"longitude": 119.27, "latitude": 26.04, "near": True}


@pytest.mark.parametrize(
    "changed",
    [
        {"text": ""}, {"text": "   "}, {"text": "a\x00b"}, {"text": "字" * 10_001}, {"text": "\ud800"}, {"text": None}, {"text": 1},
        {"kind": "gossip"}, {"topic": "010100"}, {"topic": "999999"}, {"topic": "1"}, {"place": "350199"}, {"urgency": "very"},
        {"unknown": 1}, {"applicant": {"age": 3}}, {"applicant": {"name": "a\x00"}}, {"extra": {"a": {"b": 1}}}, {"extra": {"A b": "x"}},
        {"occurred_at": "2026-01-01T00:00:00"}, {"occurred_at": "0001-01-01T00:00:00+14:00"}, {"occurred_at": "9999-12-31T23:59:59-14:00"},
        {"occurred_at": 10**30}, {"uploads": [str(uuid4())]}, {"uploads": ["x"]},
        {"point": {"longitude": 119.3}}, {"point": {"longitude": 181, "latitude": 26}}, {"point": {"longitude": 118.09, "latitude": 24.48}},
        {"point": [119.3, 26]}, {"uploads": [str(uuid4())] * 10},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_422_and_nothing_is_kept(changed: Any, app: Remote) -> None:
    refused = app.post("/cases", json.dumps(CASE | changed))
    assert refused.status_code == 422 and set(refused.json()) == {"code", "message", "details"}
    assert not Case.objects.exists()


@pytest.mark.parametrize(
    "body,content_type,status",
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe{}", "application/json", 400),
        (b'{"text": "\xff"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"text": 1' + b"0" * 5000 + b"}", "application/json", 400),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b"", "application/json", 422),
        (b"text=a", "application/x-www-form-urlencoded", 415),
        (b"<a/>", "text/xml", 415),
        (b"{}" + b" " * 6 * 1024 * 1024, "application/json", 413),
    ],
)
def test_what_cannot_be_read(body: bytes, content_type: str, status: int, app: Remote) -> None:
    response = app.client.post(V1 + "/cases", body, content_type=content_type, headers=app.headers("key-for-this"))
    assert response.status_code == status, response.content
    assert set(response.json()) == {"code", "message", "details"}


def test_what_was_sent_is_not_sent_back(app: Remote) -> None:
    refused = app.post("/cases", CASE | {"applicant": {"phone": "13800138000", "nickname": "林小满"}})
    assert refused.status_code == 422
    assert "13800138000" not in refused.content.decode() and "林小满" not in refused.content.decode()


def test_addresses_and_methods_that_are_not_there(app: Remote) -> None:
    for path in ("", "/", "/nothing", "/cases/", "/cases/x/y", "/docs/"):
        response = app.client.get(V1 + path)
        assert (response.status_code, response.json()["code"]) == (404, "no_such_address"), path
    for method in ("put", "delete", "patch", "options", "head"):
        response = getattr(app.client, method)(V1 + "/cases")
        assert response.status_code == 405 and set(response["Allow"].split(", ")) <= {"GET", "POST"}
    for number in ("x", "%00", "1" * 300, "FZ2026112401000002"):
        assert app.get(f"/cases/{number}").status_code == 422
    for task in ("0", "x", "9" * 30, "9" * 5000, "%00"):
        assert app.get(f"/tasks/{task}").status_code == 422


# --- seeing ------------------------------------------------------------------------------------------------------


def test_one_units_token_never_sees_anothers_case(world: World, unit: Remote, other: Remote) -> None:
    case = yesterday(world).handling()
    task = world.lead(case).pk
    assert [row["number"] for row in unit.get("/cases").json()["cases"]] == [case.number]
    assert unit.get(f"/cases/{case.number}").status_code == unit.get(f"/tasks/{task}").status_code == 200
    assert other.get("/cases").json()["cases"] == other.get("/tasks").json()["tasks"] == []
    for path in (f"/cases/{case.number}", f"/tasks/{task}"):
        assert other.get(path).status_code == 404
    acts = {"read": {}, "reply": REPLY, "reply/sign": {}, "first-measures": {"text": "x"}, "report": {"text": "x"}}
    for path, body in acts.items():
        assert other.post(f"/tasks/{task}/{path}", body).status_code == 404
    assert other.post(f"/cases/{case.number}/applicant", {"reason": "想知道"}).status_code == 404
    assert other.get("/changes", cursor=0).json()["changes"] == []


def test_the_person_is_masked_and_uncovered_on_record(world: World, unit: Remote) -> None:
    case = yesterday(world).handling()
    whole = unit.get(f"/cases/{case.number}").json()
    assert whole["applicant"]["phone"] == "138****8000" and "林小满" not in json.dumps(whole, ensure_ascii=False)
    assert unit.post(f"/cases/{case.number}/applicant", {"reason": " "}).status_code == 422
    shown = unit.post(f"/cases/{case.number}/applicant", {"reason": "上门前联系"}).json()
    assert (shown["name"], shown["phone"]) == ("林小满", "13800138000")
    entry = AuditEntry.objects.get(code="case.uncover_applicant")
    assert (entry.actor, entry.why) == (unit.account, "上门前联系")


def test_of_a_confidential_case_a_unit_reads_its_own_text_only(world: World, unit: Remote) -> None:
    case = yesterday(world).handling(confidential=True, text="我举报隔壁工地，我住 3 栋 501。")
    whole = unit.get(f"/cases/{case.number}").json()
    assert whole["withheld"] and whole["applicant"] is None and whole["address"] == "" and whole["files"] == []
    assert whole["text"] == "有人反映工地夜间施工。" and "3 栋" not in json.dumps(whole, ensure_ascii=False)
    assert unit.post(f"/cases/{case.number}/applicant", {"reason": "联系"}).status_code == 403


def test_an_analysts_system_reads_words_without_persons(world: World) -> None:
    data = make_remote(world, "data", Role.ANALYST)
    case = yesterday(world).submitted(text="我叫林小满，电话 13800138000，路灯不亮。")
    whole = data.get(f"/cases/{case.number}").json()
    assert whole["applicant"] is None and "13800138000" not in json.dumps(whole, ensure_ascii=False)


def test_a_system_for_its_own_sees_nothing_else(world: World, app: Remote) -> None:
    mine_only = make_remote(world, "mini", Role.AGENT, own_only=True)
    number = mine_only.post("/cases", CASE).json()["number"]
    foreign = app.post("/cases", CASE).json()["number"]
    assert [row["number"] for row in mine_only.get("/cases").json()["cases"]] == [number]
    assert mine_only.get(f"/cases/{number}").status_code == 200
    assert mine_only.get(f"/cases/{foreign}").status_code == 404
    assert {row["number"] for row in mine_only.get("/changes", cursor=0).json()["changes"]} <= {number}
    assert len(app.get("/cases").json()["cases"]) == 2


def test_a_unit_does_not_read_anothers_unsigned_words(world: World, unit: Remote) -> None:
    assisting = make_remote(world, "hjj", Role.UNIT_LIAISON, unit="生态环境")
    case = yesterday(world).drafted("生态环境")
    assert len(unit.get(f"/cases/{case.number}").json()["replies"]) == 1
    assert assisting.get(f"/cases/{case.number}").json()["replies"] == []


# --- lists -------------------------------------------------------------------------------------------------------


def test_pages_follow_their_cursor(world: World, app: Remote) -> None:
    numbers = [str(yesterday(world).submitted().number) for _ in range(5)]
    seen, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        page = app.get("/cases", limit=2, **({"cursor": cursor} if cursor else {})).json()
        seen += [row["number"] for row in page["cases"]]
        cursor, pages = page["next"], pages + 1
    assert sorted(seen) == sorted(numbers) and pages == 3
    for wrong in ("abc", "eyJ", "x" * 1001, "\x00"):
        assert app.get("/cases", cursor=wrong).status_code == 422
    for limit in (0, 201, -1, "x", 10**30):
        assert app.get("/cases", limit=limit).status_code == 422


def test_filters(world: World, app: Remote) -> None:
    case = yesterday(world).accepted()
    world.submitted(kind="help", topic=world.topics["政策咨询"], place=world.places["鼓楼区"])
    found = {
        "state=to_dispatch": 1, "kind=help": 1, "topic=0101": 2, "topic=010104": 1, "place=350104": 1, "place=350104100": 1,
        f"received_before={case.received_at.isoformat().replace('+', '%2B')}": 0, "received_from=2026-01-01T00:00:00Z": 2,
    }  # fmt: skip
    for query, count in found.items():
        response = app.client.get(f"{V1}/cases?{query}", headers=app.headers())
        assert len(response.json()["cases"]) == count, query
    for wrong in ("state=x", "topic=1", "received_from=yesterday", "received_from=2026-01-01T00:00:00", "place=%00"):
        assert app.client.get(f"{V1}/cases?{wrong}", headers=app.headers()).status_code == 422, wrong


# --- acting ------------------------------------------------------------------------------------------------------


def test_a_unit_handles_its_task_from_its_own_system(world: World, unit: Remote) -> None:
    case = yesterday(world).dispatched(topic=world.topics["道路塌陷"], lead="仓山城管")
    row = unit.get("/tasks", active=True).json()["tasks"][0]
    path = f"/tasks/{row['id']}"
    assert [step["code"] for step in unit.get(path).json()["may"]] == ["read"]
    assert unit.post(f"{path}/read", {"version": row["version"]}).json()["task_state"] == "handling"
    tried = {"reached_at": timezone.now().isoformat(), "method": "phone", "reached": True, "summary": "已说明安排"}
    assert unit.post(f"{path}/outreach", tried).status_code == 200
    assert unit.post(f"{path}/first-measures", {"text": "已围挡警示"}).status_code == 200
    upload = unit.upload(png()).json()
    drafted = unit.post(f"{path}/reply", REPLY | {"uploads": [upload["id"]]}).json()
    signed = unit.post(f"{path}/reply/sign", {}).json()
    assert (signed["case_state"], signed["task_state"], signed["id"]) == ("to_audit", "replied", drafted["id"])
    whole = unit.get(path).json()
    assert whole["replies"][0]["files"][0]["name"] == "现场.png" and whole["outreaches"][0]["reached"]
    assert unit.get("/tasks", active=True).json()["tasks"] == []
    codes = list(case.timeline.filter(actor=unit.account).order_by("seq").values_list("code", flat=True))
    assert codes == ["read", "reach_out", "take_first_measures", "draft_reply", "sign_reply"]


def test_a_liaisons_system_cannot_sign(world: World) -> None:
    liaison = make_remote(world, "liaison", Role.UNIT_LIAISON, unit="仓山城管")
    case = yesterday(world).drafted()
    refused = liaison.post(f"/tasks/{world.lead(case).pk}/reply/sign", {})
    assert refused.status_code == 403 and refused.json()["code"] == "forbidden"
    assert AuditEntry.objects.filter(code="api.refused", actor=liaison.account).exists()


def test_asks_go_to_the_centre(world: World, unit: Remote) -> None:
    task = world.lead(yesterday(world).handling()).pk
    wrong = {"reason_code": "duty", "reason": "不属我局", "basis": "三定方案", "proposed_unit": "nobody"}
    assert unit.post(f"/tasks/{task}/return", wrong).status_code == 422
    asked = unit.post(f"/tasks/{task}/return", wrong | {"proposed_unit": "350104-zj"})
    assert asked.status_code == 200 and asked.json()["task_state"] == "return_requested"
    [ask] = unit.get(f"/tasks/{task}").json()["asks"]
    assert (ask["state"], ask["clock"]["due_at"], ask["clock"]["light"]) == ("pending", ask["due_at"], "none")
    assert "退件裁定" in ask["clock"]["why"] and ask["clock"]["words"].startswith("剩")
    for name in ("pause", "extension"):
        ReasonCode.objects.create(list=name, code="x", label="x")
    second = unit.post(f"/tasks/{task}/pause", {"reason_code": "x", "reason": "x", "basis": "x"})
    assert second.status_code == 409
    until = {"reason_code": "x", "reason": "x", "until": "9999-12-31"}
    assert unit.post(f"/tasks/{task}/extension", until).status_code == 409
    actions.decide_return(actor=world["auditor"], at=timezone.now(), task=Task.objects.get(pk=task), grant=False, note="属你局职责")
    [answered] = unit.get(f"/tasks/{task}").json()["asks"]
    assert (answered["state"], answered["clock"], answered["due_at"]) == ("refused", None, ask["due_at"])


def test_an_extension_is_judged_by_the_rules_of_the_house(world: World, unit: Remote) -> None:
    case = yesterday(world).handling()
    task = world.lead(case)
    ReasonCode.objects.create(list="extension", code="x", label="x")
    body = {"reason_code": "x", "reason": "须等检测结果", "until": "2099-01-01"}
    refused = unit.post(f"/tasks/{task.pk}/extension", body)
    assert refused.status_code in (409, 422) and refused.json()["code"].startswith("extension_")


def test_a_stale_write_is_told_what_changed(world: World, unit: Remote) -> None:
    case = yesterday(world).handling()
    refused = unit.post(f"/tasks/{world.lead(case).pk}/reply", REPLY | {"version": 1})
    assert refused.status_code == 409 and refused.json()["code"] == "stale"
    assert refused.json()["details"]["changes"][-1]["sentence"] == "查阅"


# --- files -------------------------------------------------------------------------------------------------------


def test_files_are_judged_by_content_and_serve_once(app: Remote, settings: Any) -> None:
    upload = app.upload(png())
    assert upload.status_code == 201 and upload.json()["media_type"] == "image/png"
    number = app.post("/cases", CASE | {"uploads": [upload.json()["id"]]}).json()["number"]
    whole = app.get(f"/cases/{number}").json()
    content = app.get(f"/attachments/{whole['files'][0]['id']}")
    assert b"".join(content.streaming_content) == PNG and content["Content-Type"] == "image/png"
    assert app.post("/cases", CASE | {"uploads": [upload.json()["id"]]}).json()["code"] == "upload_gone"
    for name, bad, code in (("a.exe", b"MZ\x90\x00" + b"\x01" * 80, "file_type"), ("a.png", b"", None)):
        refused = app.upload(SimpleUploadedFile(name, bad))
        assert refused.status_code == 422 and (code is None or refused.json()["code"] == code)
    settings.HOTLINE = settings.HOTLINE | {"attachment_megabytes": 1}
    assert app.upload(SimpleUploadedFile("a.txt", b"a" * 1100 * 1024)).json()["code"] == "file_too_large"
    assert app.upload(SimpleUploadedFile("a.txt", b"a" * 3 * 1024 * 1024)).status_code == 413


def test_a_refused_act_leaves_its_files_for_another_try(app: Remote) -> None:
    upload = app.upload(png()).json()["id"]
    assert app.post("/cases", CASE | {"uploads": [upload], "topic": "999999"}).status_code == 422
    assert app.post("/cases", CASE | {"uploads": [upload, str(uuid4())]}).status_code == 422
    assert Upload.objects.get().used_at is None
    assert app.post("/cases", CASE | {"uploads": [upload]}).status_code == 201


def test_one_systems_upload_is_no_others(world: World, app: Remote, unit: Remote) -> None:
    upload = unit.upload(png()).json()["id"]
    assert app.post("/cases", CASE | {"uploads": [upload]}).json()["code"] == "upload_gone"


def test_attachments_are_read_where_their_case_is(world: World, app: Remote, unit: Remote, other: Remote) -> None:
    case = yesterday(world).handling(confidential=True)
    attachments.store_all(case, [png()], at=timezone.now(), by=None)
    file = Attachment.objects.get()
    assert unit.get(f"/attachments/{file.pk}").status_code == 404  # the citizen's, of a confidential case
    assert other.get(f"/attachments/{file.pk}").status_code == 404
    auditor = make_remote(world, "auditing", Role.AUDITOR)
    assert auditor.get(f"/attachments/{file.pk}").status_code == 200
    assert AuditEntry.objects.get(code="case.read_file").actor == auditor.account
    for wrong in ("0", "x", "9" * 30):
        assert app.get(f"/attachments/{wrong}").status_code == 422


@pytest.mark.parametrize(
    "body,content_type",
    [(b"x", "multipart/form-data"), (b"--b\r\n\r\nx", "multipart/form-data; boundary=b"), (b"", "multipart/form-data; boundary=b"),
     (b"--b\r\nContent-Disposition: form-data; name=file\r\n\r\nx\r\n--b--", "multipart/form-data; boundary=b")],
)  # fmt: skip
def test_broken_uploads(body: bytes, content_type: str, app: Remote) -> None:
    response = app.client.post(V1 + "/uploads", body, content_type=content_type, headers=app.headers("key-for-this"))
    assert response.status_code in (400, 422), response.content


# --- what it costs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path,queries", [("/cases", 5), ("/tasks", 5), ("/changes?cursor=0", 7), ("/topics", 4)])
def test_lists_cost_the_same_for_five_as_for_thirty(
    path: str, queries: int, world: World, unit: Remote, django_assert_num_queries: Any
) -> None:
    for count in (5, 25):
        for _ in range(count):
            yesterday(world).dispatched()
        unit.client.get(V1 + path, headers=unit.headers())
        with django_assert_num_queries(queries):
            unit.client.get(V1 + path, headers=unit.headers())


def test_what_one_case_and_one_task_cost(world: World, unit: Remote, app: Remote, django_assert_num_queries: Any) -> None:
    case = yesterday(world).drafted("生态环境")
    task = world.lead(case).pk
    for path, queries in ((f"/cases/{case.number}", 11), (f"/tasks/{task}", 12)):
        unit.get(path)
        with django_assert_num_queries(queries):
            unit.get(path)


def test_no_cookie_is_looked_at(world: World, app: Remote) -> None:
    browser = Client()
    browser.force_login(world["agent"])
    assert browser.get(V1 + "/cases").status_code == 401
    assert "sessionid" not in app.get("/cases").cookies


def test_the_description_is_open_to_all(client: Client) -> None:
    document = client.get(V1 + "/openapi.json").json()
    for path, methods in document["paths"].items():
        for told in methods.values():
            assert {"401", "403", "405", "422", "429"} <= set(told["responses"]), path
            assert told["description"] and told["security"] == [{"TokenAuth": []}]
    page = client.get(V1 + "/docs").content.decode()
    assert all(told["operationId"] in page for methods in document["paths"].values() for told in methods.values())
    assert actions.submit_case.__name__ not in page
