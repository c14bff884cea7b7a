"""A system looks after its own webhooks over the API: nobody else's, no secret twice, nothing beyond what it may see."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from minsheng.accounts.choices import Role
from minsheng.api.models import Answer
from minsheng.audit.models import AuditEntry
from minsheng.cases.tests.world import World
from minsheng.outbox import following, sending
from minsheng.outbox.choices import State, Way
from minsheng.outbox.models import Delivery, Endpoint
from minsheng.outbox.tests.conftest import Answering, Receiver, own_horizon, receive, says  # noqa: F401

from .conftest import CASE, Remote, make_remote

pytestmark = pytest.mark.django_db
HOOK = {"name": "案件系统", "url": "http://127.0.0.1:9/hook", "events": ["recall", "dispatch"]}


@pytest.fixture(autouse=True)
def _loopback_allowed(settings: Any) -> None:
    settings.OUTBOX = settings.OUTBOX | {"webhook_networks": ["127.0.0.0/8"], "webhook_seconds": 2}


def test_one_is_registered_and_its_secret_is_kept_encrypted_only(unit: Remote) -> None:
    made = unit.post("/webhooks", HOOK, key="register-one")
    assert made.status_code == 201 and made.json()["events"] == ["dispatch", "recall"]
    kept = Endpoint.objects.get()
    assert (made.json()["secret"], kept.user) == (kept.secret, unit.account)
    assert unit.post("/webhooks", HOOK, key="register-one").json() == made.json(), "the answer was lost: the same again"
    assert "secret" not in unit.get("/webhooks").json()["webhooks"][0]
    with connection.cursor() as cursor:
        for table in ("api_answer", "audit_auditentry", "outbox_endpoint"):
            cursor.execute(f"SELECT t::text FROM {table} t")
            assert str(kept.secret) not in str(cursor.fetchall())
    assert Answer.objects.get().body == {"id": kept.pk}
    assert AuditEntry.objects.get(code="outbox.endpoint_registered").actor == unit.account


def test_nobody_touches_anothers(unit: Remote, other: Remote) -> None:
    made = unit.post("/webhooks", HOOK).json()["id"]
    assert other.get("/webhooks").json() == {"webhooks": []}
    for path in ("secret", "test", "resend"):
        assert other.post(f"/webhooks/{made}/{path}").status_code == 404
    assert other.put(f"/webhooks/{made}", HOOK | {"active": True}).status_code == 404
    assert other.get(f"/webhooks/{made}/deliveries").status_code == 404


@pytest.mark.parametrize(
    ("changes", "says_so"),
    [
        ({"url": "https://10.1.2.3/"}, "内部网络"),
        ({"url": "http://8.8.8.8/"}, "https"),
        ({"url": "https://a b/"}, "字段"),
        ({"events": ["gossip"]}, "不认识"),
        ({"name": " "}, "名称"),
        ({"secret": "mine"}, "字段"),
    ],
)
def test_what_cannot_be_registered_is_explained(changes: dict[str, Any], says_so: str, unit: Remote) -> None:
    refused = unit.post("/webhooks", HOOK | changes)
    assert refused.status_code == 422 and says_so in refused.json()["message"]
    assert not Endpoint.objects.exists()


def test_five_at_most_and_one_name_once(unit: Remote) -> None:
    for number in range(5):
        assert unit.post("/webhooks", HOOK | {"name": f"地址{number}"}).status_code == 201
    assert "最多" in unit.post("/webhooks", HOOK).json()["message"]
    kept = Endpoint.objects.order_by("id")[0]
    assert "同名" in unit.put(f"/webhooks/{kept.pk}", HOOK | {"name": "地址1", "active": True}).json()["message"]


def test_it_is_changed_rotated_and_stopped(unit: Remote) -> None:
    made = unit.post("/webhooks", HOOK).json()
    path = f"/webhooks/{made['id']}"
    rotated = unit.post(f"{path}/secret").json()
    assert rotated["secret"] != made["secret"] and rotated["old_secret_until"]
    changed = unit.put(path, HOOK | {"name": "新系统", "events": [], "active": False}).json()
    assert (changed["name"], changed["events"], changed["active"]) == ("新系统", [], False)
    again = unit.put(path, HOOK | {"active": True}).json()
    assert again["active"] and again["gave_up"] == ""
    codes = AuditEntry.objects.filter(code__startswith="outbox.").order_by("pk").values_list("code", flat=True)
    assert list(codes) == [f"outbox.{code}" for code in (
        "endpoint_registered", "secret_rotated", "endpoint_changed", "endpoint_stopped", "endpoint_changed", "endpoint_started"
    )]  # fmt: skip


def test_a_test_goes_out_and_its_fate_is_read(unit: Remote, receive: Any) -> None:  # noqa: F811
    receiver: Receiver = receive(says(410, b""))
    made = unit.post("/webhooks", HOOK | {"url": receiver.url}).json()["id"]
    queued = unit.post(f"/webhooks/{made}/test").json()
    assert (queued["event"], queued["state"]) == ("test", "waiting")
    assert sending.send_one(Way.WEBHOOK)
    (delivery,) = unit.get(f"/webhooks/{made}/deliveries").json()["deliveries"]
    assert (delivery["id"], delivery["state"], delivery["reason"]) == (receiver.ids[0], "dead", "对方不再接收（410）")
    assert unit.get("/webhooks").json()["webhooks"][0]["gave_up"] == "对方不再接收（410）"
    receiver.answer = says(200)
    unit.put(f"/webhooks/{made}", HOOK | {"url": receiver.url, "active": True})
    assert unit.post(f"/webhooks/{made}/resend").json() == {"count": 1}
    assert sending.send_one(Way.WEBHOOK) and receiver.ids[0] == receiver.ids[1]
    assert Delivery.objects.get().state == State.SENT


def test_a_system_for_its_own_hears_of_nothing_else(world: World, own_horizon: None) -> None:  # noqa: F811
    """Also where the administrator registered the webhook and did not think of it."""
    mine = make_remote(world, "mini", Role.AGENT, own_only=True)
    whole = make_remote(world, "whole", Role.AGENT)
    Endpoint.objects.create(name="漏填来源", url="https://a.invalid/", user=mine.account, secret="whsec_", made_at=world.now)
    assert mine.post("/webhooks", HOOK).json()["own_only"]
    assert whole.post("/webhooks", HOOK | {"name": "全部", "events": []}).json()["own_only"] is False
    number = mine.post("/cases", CASE).json()["number"]
    foreign = whole.post("/cases", CASE).json()["number"]
    following.follow(at=world.now)
    heard = Delivery.objects.filter(channel=Way.WEBHOOK).order_by("id").values_list("endpoint__name", "body__case")
    assert sorted(heard) == sorted([("漏填来源", number), ("全部", number), ("全部", foreign)])


def test_lists_cost_the_same_for_many(unit: Remote, django_assert_num_queries: Any) -> None:
    made = unit.post("/webhooks", HOOK).json()["id"]
    for _ in range(2):
        for _ in range(5):
            unit.post(f"/webhooks/{made}/test")
        for path, queries in (("/webhooks", 4), (f"/webhooks/{made}/deliveries", 5), ("/events", 3)):
            unit.get(path)
            with django_assert_num_queries(queries):
                unit.get(path)
