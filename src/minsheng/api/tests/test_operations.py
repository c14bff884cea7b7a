"""Every operation once with good input: it succeeds, and its answer is what the OpenAPI document promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jsonschema_rs
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from minsheng.accounts.choices import Role
from minsheng.api import queries
from minsheng.api.v1 import api
from minsheng.cases import actions, attachments
from minsheng.cases.models import Attachment, ReasonCode, Task
from minsheng.cases.tests.test_asking import ask_pause, decide
from minsheng.cases.tests.test_handling import report, sub
from minsheng.cases.tests.world import World
from minsheng.followup.actions import rate_case
from minsheng.outbox import webhooks
from minsheng.outbox.choices import State
from minsheng.outbox.models import Delivery, Endpoint
from minsheng.outbox.tests.conftest import own_transaction
from minsheng.worktime import queries as worktime
from minsheng.worktime.moments import last_day_before

from .conftest import CASE, V1, Remote, make_remote

pytestmark = pytest.mark.django_db
DOCUMENT: dict[str, Any] = dict(api.get_openapi_schema())
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
REPLY = {"text": "经现场核查，已停止夜间施工。", "finding": "true", "outcome": "supported", "solved": "yes"}
ASK = {"reason": "须等检测结果", "basis": "检测委托书"}
WEBHOOK = {"name": "城管案件系统", "url": "http://127.0.0.1:9/hook", "events": ["dispatch", "recall"]}


@dataclass
class City:
    """The city and the systems in it."""

    world: World
    app: Remote
    unit: Remote
    below: Remote

    def task(self, state: str = "handling") -> Task:
        """A task of the unit's at this stage."""
        return self.world.lead(getattr(self.world, state)())

    def act(self, task: Task, path: str, body: Any = None, by: Remote | None = None) -> Any:
        return (by or self.unit).post(f"/tasks/{task.pk}/{path}", body)

    def sub(self) -> Task:
        """A task that was handed down, read below."""
        task = sub(self.world, self.world.handling(), "建新中队")
        actions.read_task(actor=self.world["中队联络"], at=self.world.now, task=task)
        return task

    def webhook(self) -> Endpoint:
        return Endpoint.objects.create(
            name="我们的", url="http://127.0.0.1:9/", user=self.app.account, secret=webhooks.new_secret(), made_at=timezone.now()
        )


@pytest.fixture
def city(world: World, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> City:
    monkeypatch.setattr(queries, "safe_horizon", lambda: own_transaction() + 1)  # else a test's own changes were not committed
    settings.MEDIA_ROOT = tmp_path
    settings.OUTBOX = settings.OUTBOX | {"webhook_networks": ["127.0.0.0/8"]}
    world.now = timezone.now() - timedelta(hours=12)  # the API's acts take the real clock
    for name in ("extension", "pause", "termination"):
        ReasonCode.objects.create(list=name, code=f"{name}_x", label=name)
    liaison_and_leader = (Role.UNIT_LIAISON, Role.UNIT_LEADER)
    return City(
        world,
        make_remote(world, "app", Role.AGENT),
        make_remote(world, "cg", *liaison_and_leader, unit="仓山城管"),
        make_remote(world, "zd", *liaison_and_leader, unit="建新中队"),
    )


def _upload(city: City, by: Remote | None = None) -> Any:
    return (by or city.app).upload(SimpleUploadedFile("现场.png", PNG))


def _download(city: City) -> Any:
    case = city.world.handling()
    attachments.store_all(case, [SimpleUploadedFile("现场.png", PNG)], at=timezone.now(), by=None)
    return city.unit.get(f"/attachments/{Attachment.objects.latest('pk').pk}")


def _reach_out(city: City) -> Any:
    task = city.task()
    tried = {"reached_at": timezone.now().isoformat(), "method": "phone", "reached": True, "summary": "已说明安排"}
    return city.act(task, "outreach", tried)


def _measures(city: City) -> Any:
    case = city.world.dispatched(topic=city.world.topics["道路塌陷"])
    actions.read_task(actor=city.world["城管联络"], at=city.world.now, task=city.world.lead(case))
    return city.act(city.world.lead(case), "first-measures", {"text": "已围挡警示"})


def _extension(city: City) -> Any:
    task = city.task()
    until = worktime.calendar().add(last_day_before(task.due_at), 1).isoformat()
    return city.act(task, "extension", {"reason_code": "extension_x", "reason": "须等检测结果", "until": until})


def _resume(city: City) -> Any:
    task = city.task()
    decide(city.world, ask_pause(city.world, task), grant=True)
    return city.act(task, "resume", {"note": "检测结果已出"})


def _set_aside(city: City) -> Any:
    case = rate_case(at=city.world.later(minutes=5), case=city.world.audited(), satisfaction="unsatisfied", solved="no")
    return city.act(city.world.lead(case), "set-aside", ASK)


def _send_report_back(city: City) -> Any:
    task = city.sub()
    report(city.world, task, "中队联络")
    return city.act(task, "report/send-back", {"reason": "请写明时间"})


def _hook(city: City, path: str) -> Any:
    return city.app.post(f"/webhooks/{city.webhook().pk}/{path}")


def _dead(city: City) -> Endpoint:
    made = city.webhook()
    dead = webhooks.test_delivery(made, at=timezone.now())
    dead.state, dead.reason, dead.next_at = State.DEAD, "对方没有在接收", None
    dead.save()
    return made


def _resend(city: City) -> Any:
    answer = city.app.post(f"/webhooks/{_dead(city).pk}/resend")
    assert answer.json() == {"count": 1} and Delivery.objects.get().state == State.WAITING
    return answer


WALK: dict[str, Callable[[City], Any]] = {
    "create_case": lambda c: c.app.post("/cases", CASE | {"uploads": [_upload(c).json()["id"]]}),
    "list_cases": lambda c: c.unit.get("/cases") if c.task() else None,
    "read_case": lambda c: c.unit.get(f"/cases/{c.task('replied').case.number}"),
    "uncover_applicant": lambda c: c.unit.post(f"/cases/{c.task().case.number}/applicant", {"reason": "上门前联系"}),
    "supplement_case": lambda c: c.app.post(f"/cases/{c.task().case.number}/supplement", {"text": "又响了", "uploads": [_upload(c).json()["id"]]}),
    "withdraw_case": lambda c: c.app.post(f"/cases/{c.world.accepted().number}/withdraw", {"reason": "已经解决"}),
    "list_tasks": lambda c: c.unit.get("/tasks") if c.task() else None,
    "get_task": lambda c: c.unit.get(f"/tasks/{c.task('replied').pk}"),
    "read_task": lambda c: c.act(c.task("dispatched"), "read"),
    "reach_out": _reach_out,
    "take_first_measures": _measures,
    "draft_reply": lambda c: c.act(c.task(), "reply", REPLY | {"uploads": [_upload(c, c.unit).json()["id"]]}),
    "sign_reply": lambda c: c.act(c.task("drafted"), "reply/sign"),
    "decline_to_sign": lambda c: c.act(c.task("drafted"), "reply/decline", {"reason": "请写明依据"}),
    "report_result": lambda c: c.act(c.sub(), "report", {"text": "已清理。"}, c.below),
    "send_report_back": _send_report_back,
    "excuse_report": lambda c: c.act(c.sub(), "report/excuse", {"reason": "已由本单位直接办结"}),
    "sub_dispatch": lambda c: c.act(c.task(), "sub-dispatch", {"unit": "350104-cg-1", "instruction": "请现场核查"}),
    "return_to_parent": lambda c: c.act(c.sub(), "return-to-parent", {"reason": "不在本辖区"}, c.below),
    "request_return": lambda c: c.act(c.task(), "return", ASK | {"reason_code": "duty", "proposed_unit": "350104-zj"}),
    "request_extension": _extension,
    "request_pause": lambda c: c.act(c.task(), "pause", ASK | {"reason_code": "pause_x"}),
    "request_termination": lambda c: c.act(c.task(), "termination", ASK | {"reason_code": "termination_x"}),
    "request_set_aside": _set_aside,
    "resume_task": _resume,
    "list_changes": lambda c: c.unit.get("/changes", cursor=0) if c.task() else None,
    "upload_file": _upload,
    "download_attachment": _download,
    "list_events": lambda c: c.app.get("/events"),
    "list_webhooks": lambda c: c.app.get("/webhooks") if c.webhook() else None,
    "create_webhook": lambda c: c.app.post("/webhooks", WEBHOOK),
    "change_webhook": lambda c: c.app.put(f"/webhooks/{c.webhook().pk}", WEBHOOK | {"active": False}),
    "rotate_webhook_secret": lambda c: _hook(c, "secret"),
    "test_webhook": lambda c: _hook(c, "test"),
    "list_deliveries": lambda c: c.app.get(f"/webhooks/{_dead(c).pk}/deliveries", state="dead"),
    "resend_deliveries": _resend,
    "list_topics": lambda c: c.app.get("/topics"),
    "list_places": lambda c: c.app.get("/places"),
    "list_units": lambda c: c.app.get("/units"),
    "list_reasons": lambda c: c.app.get("/reasons"),
}  # fmt: skip
TOLD = {told["operationId"]: told for methods in DOCUMENT["paths"].values() for told in methods.values()}


def test_every_operation_is_walked() -> None:
    assert set(WALK) == set(TOLD)


@pytest.mark.parametrize("name", WALK)
def test_it_succeeds_as_documented(name: str, city: City) -> None:
    response = WALK[name](city)
    told = {int(status): answer for status, answer in TOLD[name]["responses"].items()}
    assert response.status_code == min(told), response.content
    if name != "download_attachment":
        schema = told[min(told)]["content"]["application/json"]["schema"] | {"components": DOCUMENT["components"]}
        jsonschema_rs.validator_for(schema).validate(response.json())
        listed = [each for each in response.json().values() if isinstance(each, list)]
        assert not name.startswith("list_") or listed[0], "an empty list proves nothing"


def test_what_a_units_people_press_its_system_can(city: City) -> None:
    """Each row of the transition table that units act by has an operation of its name."""
    from minsheng.accounts.choices import UNIT_ROLES
    from minsheng.cases import workflow

    others = {"read": "read_task", "resume": "resume_task", "report": "report_result"}
    rows = {row.code for row in workflow.TRANSITIONS if row.roles & UNIT_ROLES}
    assert {others.get(code, code) for code in rows} <= set(TOLD)


def test_codes_that_are_on_no_list_are_refused(city: City) -> None:
    wrong = ASK | {"reason_code": "made_up"}
    for path in ("return", "pause", "termination", "extension"):
        more = {"proposed_unit": "350104-zj"} if path == "return" else {}
        body = {"reason_code": "made_up", "reason": "x", "until": "2026-12-01"} if path == "extension" else wrong | more
        refused = city.act(city.task(), path, body)
        assert refused.status_code == 422 and "made_up" in refused.json()["message"], path


def test_a_body_without_length_is_asked_for_one(city: City) -> None:
    for method, path in (("POST", "/cases"), ("POST", "/uploads"), ("PUT", "/webhooks/1")):
        headers = city.app.headers("a-key-of-eight") | {"Transfer-Encoding": "chunked"}
        refused = city.app.client.generic(method, V1 + path, content_type="application/json", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (411, "length_required")


def test_what_the_head_says_is_documented() -> None:
    for name, told in TOLD.items():
        responses = {int(status): answer for status, answer in told["responses"].items()}
        assert set(responses[429]["headers"]) == {"Retry-After"} and set(responses[405]["headers"]) == {"Allow"}, name
