"""The pages: who may open and press what, what they show, what they cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from minsheng.accounts.testing import sign_in
from minsheng.audit.models import AuditEntry
from minsheng.audit.queries import safe_horizon
from minsheng.cases.tests.world import World
from minsheng.errors import Refused
from minsheng.outbox import actions, following, sending, webhooks
from minsheng.outbox.choices import NoticeKind, State, Timing, Way
from minsheng.outbox.models import Cursor, Delivery, Endpoint, NoticePreference
from minsheng.outbox.tests.test_following import prefers

pytestmark = pytest.mark.django_db

FORM = {"name": "住建办公系统", "url": "http://127.0.0.1:9/hook", "account": "", "source": "", "kinds": ["dispatch", "task_overdue"]}


def listening(world: World, who: str = "城管联络", name: str = "城管办公系统") -> Endpoint:
    return Endpoint.objects.create(
        name=name, url="https://oa.example/hook", user=world[who], secret=webhooks.new_secret(), made_at=world.now
    )


@pytest.fixture
def filled(world: World, own_horizon: None) -> World:
    """One case that has gone out in every way: text messages, a notice, a webhook; one of them dead."""
    prefers(world, "城管联络")
    listening(world)
    world.dispatched()
    world.submitted(confidential=True)
    following.follow(at=world.now)
    Delivery.objects.filter(channel=Way.EMAIL).update(state=State.DEAD, reason="地址错误：邮件服务器拒收", next_at=None)
    return world


def page(world: World, who: str, name: str, *args: Any, **query: str) -> Any:
    return sign_in(Client(), world[who]).get(reverse(f"outbox:{name}", args=args), query)


# --- the record --------------------------------------------------------------------------------------------------


def test_each_sees_their_own_part_of_the_record(filled: World) -> None:
    channels = {
        who: sorted({d.channel for d in page(filled, who, "log").context["page"].map(lambda row: row.delivery)})
        for who in ("system_admin", "城管联络", "城管领导", "鼓楼城管联络", "team_leader", "agent", "security_admin", "audit_admin")
    }
    assert channels == {
        "system_admin": ["email", "sms", "webhook"],
        "城管联络": ["email", "webhook"],
        "城管领导": ["email", "webhook"],
        "鼓楼城管联络": [],
        "team_leader": ["sms"],
        "agent": [],
        "security_admin": [],
        "audit_admin": [],
    }


def test_numbers_are_masked_and_the_administrator_sees_none(filled: World) -> None:
    leader = page(filled, "team_leader", "log").content.decode()
    administrator = page(filled, "system_admin", "log").content.decode()
    assert "138****8000" in leader and "保密件，不发短信" in leader
    assert leader.count("138****8000") == 3, "not where the case is confidential"
    assert "138****" not in administrator and "13800138000" not in leader + administrator
    assert "诉求人" in administrator and "/cases/FZ" not in administrator
    assert f"{filled['城管联络'].username}@" not in administrator and "***@example.gov.cn" in administrator


def test_the_filters(filled: World) -> None:
    number = Delivery.objects.filter(channel=Way.SMS).order_by("id").values_list("case__number", flat=True)[0]
    assert number
    client = sign_in(Client(), filled["system_admin"])

    def found(**query: str) -> int:
        return len(client.get(reverse("outbox:log"), query).context["page"])

    assert found() == Delivery.objects.count()
    assert found(state="dead") == 1 and found(channel="webhook") == Delivery.objects.filter(channel="webhook").count()
    assert found(number=f" {number.lower()} ") == Delivery.objects.filter(case__number=number).count()
    assert found(day=f"{filled.now:%Y-%m-%d}") == found() and found(day="2020-01-01") == 0
    for odd in ({"state": "x"}, {"channel": "x"}, {"day": "x"}, {"number": "\x00"}, {"page": "x"}):
        assert client.get(reverse("outbox:log"), odd).status_code == 200


def test_the_record_costs_the_same_for_many(filled: World) -> None:
    counts = []
    page(filled, "system_admin", "log")  # what a process keeps for all
    for _ in range(2):
        for who in ("system_admin", "team_leader", "城管联络"):
            client = sign_in(Client(), filled[who])
            cache.clear()
            with CaptureQueriesContext(connection) as seen:
                client.get(reverse("outbox:log"))
            reads = [query for query in seen if '"outbox_delivery"."key"' in query["sql"]]
            counts.append((len(seen), len(reads)))
        for _ in range(10):
            filled.dispatched()
        Cursor.objects.update(xid=safe_horizon() - 1)
        following.follow(at=filled.now)
    assert counts[:3] == counts[3:]  # the exact numbers stand among all screens' (cases/tests/test_query_counts.py)
    assert {reads for _, reads in counts} == {1}


# --- sending again -----------------------------------------------------------------------------------------------


def test_one_press_sends_again_and_is_audited(filled: World) -> None:
    dead = Delivery.objects.get(state=State.DEAD)
    client = sign_in(Client(), filled["system_admin"])
    assert "重发" in client.get(reverse("outbox:log")).content.decode()
    back = reverse("outbox:log") + "?state=dead"
    assert client.post(reverse("outbox:resend", args=[dead.pk]), {"next": back}).headers["Location"] == back
    dead.refresh_from_db()
    assert (dead.state, dead.attempts) == (State.WAITING, 0)
    entry = AuditEntry.objects.get(code="outbox.resent")
    assert (entry.actor, entry.subject_label) == (filled["system_admin"], dead.key)
    assert client.post(reverse("outbox:resend", args=[dead.pk])).status_code == 409
    assert AuditEntry.objects.filter(code="outbox.resent").count() == 1
    assert sending.claim(Way.EMAIL, at=timezone.now() + timedelta(days=9)) == dead, "the same, with the same key"


def test_who_may_send_again(filled: World) -> None:
    dead = Delivery.objects.get(state=State.DEAD)
    for who in ("agent", "鼓楼城管联络", "security_admin", "audit_admin", "hotline_leader"):
        assert sign_in(Client(), filled[who]).post(reverse("outbox:resend", args=[dead.pk])).status_code == 404, who
    assert sign_in(Client(), filled["城管领导"]).post(reverse("outbox:resend", args=[dead.pk])).status_code == 302


def test_it_leads_nowhere_else(filled: World) -> None:
    dead = Delivery.objects.get(state=State.DEAD)
    client = sign_in(Client(), filled["system_admin"])
    answer = client.post(reverse("outbox:resend", args=[dead.pk]), {"next": "https://evil.example/"})
    assert answer.headers["Location"] == reverse("outbox:log")


# --- how one is told ---------------------------------------------------------------------------------------------


def wishes(**changes: str) -> dict[str, str]:
    kinds = {f"kind_{kind.value}": Timing.DIGEST.value for kind in NoticeKind} | {"kind_urged": "at_once", "kind_yellow": "never"}
    times = {"digest_1": "08:30", "digest_2": "14:30", "quiet_from": "21:00", "quiet_to": "07:30"}
    return {"email": "li.na@fuzhou.gov.cn", **times, **kinds, **changes}


def test_a_person_chooses(world: World) -> None:
    client = sign_in(Client(), world["城管联络"])
    form = client.get(reverse("outbox:settings")).context["form"]
    assert form.initial["kind_overdue"] == "at_once" and form.initial["digest_1"].hour == 8
    assert client.post(reverse("outbox:settings"), wishes()).status_code == 302
    saved = NoticePreference.objects.get(user=world["城管联络"])
    assert saved.email == "li.na@fuzhou.gov.cn" and saved.at_once == ["urged"]
    assert saved.timing("yellow") is Timing.NEVER and saved.timing("new_task") is Timing.DIGEST
    assert "li.na@fuzhou.gov.cn" in client.get(reverse("outbox:settings")).content.decode()
    entry = AuditEntry.objects.get(code="outbox.preference_saved")
    assert entry.detail == {"address_changed": True} and "li.na" not in str(entry.__dict__)
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM outbox_noticepreference t")
        assert "li.na" not in str(cursor.fetchall()) and b"li.na".hex() not in str(cursor.fetchall())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"email": "nobody"}, "邮箱格式不对"),
        ({"digest_1": "", "digest_2": ""}, "请至少设一个摘要时间"),
        ({"quiet_to": ""}, "静默时段要填起止两个时间"),
        ({"kind_urged": "x"}, "催办"),
        ({"digest_1": "25:00"}, "第一次"),
    ],
)
def test_what_cannot_be_is_explained_and_nothing_is_lost(world: World, changes: dict[str, str], says: str) -> None:
    answer = sign_in(Client(), world["城管联络"]).post(reverse("outbox:settings"), wishes(**changes))
    assert answer.status_code == 422 and says in answer.content.decode() and "08:30" in answer.content.decode() + wishes()["digest_1"]
    assert not NoticePreference.objects.exists()


def test_an_auditor_chooses_about_clocks_only(world: World) -> None:
    client = sign_in(Client(), world["auditor"])
    form = client.get(reverse("outbox:settings")).context["form"]
    assert [row.field.name for row in form.kind_rows()] == ["kind_yellow", "kind_orange", "kind_overdue"]
    chosen = {name: value for name, value in wishes().items() if not name.startswith("kind_")}
    chosen |= {"kind_yellow": "never", "kind_orange": "at_once", "kind_overdue": "at_once"}
    assert client.post(reverse("outbox:settings"), chosen).status_code == 302
    assert NoticePreference.objects.get(user=world["auditor"]).at_once == ["orange", "overdue"]
    with pytest.raises(Refused, match="不认识的通知事项"):
        actions.save_preference(actor=world["auditor"], at=world.now, email="", timings={"urged": "never"}, digest_at=[], quiet=None)


@pytest.mark.parametrize("who", ["agent", "dispatcher", "system_admin", "follow_up"])
def test_only_units_and_who_answers_asks_are_told(world: World, who: str) -> None:
    assert page(world, who, "settings").status_code == 403
    with pytest.raises(Refused):
        actions.save_preference(actor=world[who], at=world.now, email="", timings={}, digest_at=[], quiet=None)


# --- systems that listen -----------------------------------------------------------------------------------------


def test_a_system_is_registered_and_its_secret_shown_once(world: World) -> None:
    client = sign_in(Client(), world["system_admin"])
    answer = client.post(reverse("outbox:endpoint_new"), FORM | {"account": world["城管联络"].username})
    made = Endpoint.objects.get()
    secret = str(made.secret)
    assert secret in answer.content.decode() and "no-store" in answer.headers["Cache-Control"]
    assert (made.user, made.kinds) == (world["城管联络"], ["dispatch", "task_overdue"])
    for name, args in (("endpoints", []), ("endpoint", [made.pk]), ("log", [])):
        assert secret not in client.get(reverse(f"outbox:{name}", args=args)).content.decode()
    assert secret not in str(list(AuditEntry.objects.values()))
    changed = client.post(reverse("outbox:rotate", args=[made.pk])).content.decode()
    made.refresh_from_db()
    assert str(made.secret) in changed and secret not in changed and made.old_secret == secret
    client.post(reverse("outbox:switch", args=[made.pk]), {"active": "0"})
    made.refresh_from_db()
    assert not made.is_active
    client.post(reverse("outbox:test", args=[made.pk]))
    codes = set(AuditEntry.objects.filter(code__startswith="outbox.").values_list("code", flat=True))
    assert codes == {"outbox.endpoint_registered", "outbox.secret_rotated", "outbox.endpoint_stopped"}
    sending.send_one(Way.WEBHOOK, now=lambda: timezone.now() + timedelta(minutes=1))
    assert Delivery.objects.get().reason == "接收系统已停用"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"url": "https://10.1.2.3/"}, "内部网络"),
        ({"url": "http://8.8.8.8/"}, "须用 https"),
        ({"url": "ftp://a.cn/"}, "地址格式不对"),
        ({"account": "nobody-here"}, "没有这个账号"),
        ({"account": "=security_admin"}, "管理员看不到诉求件"),
        ({"kinds": ["nonsense"]}, "nonsense"),
        ({"name": ""}, "请填写系统名称"),
        ({"name": "城管办公系统"}, "已有同名"),
    ],
)
def test_what_cannot_be_registered(world: World, changes: dict[str, Any], says: str) -> None:
    listening(world)
    given = FORM | {"account": world["城管联络"].username} | changes
    if given["account"].startswith("="):
        given["account"] = world[given["account"][1:]].username
    answer = sign_in(Client(), world["system_admin"]).post(reverse("outbox:endpoint_new"), given)
    assert answer.status_code == 422 and says in answer.content.decode()
    assert Endpoint.objects.count() == 1


def test_only_the_system_administrator_manages_systems(world: World) -> None:
    made = listening(world)
    paths = [reverse("outbox:endpoints"), reverse("outbox:endpoint_new"), reverse("outbox:endpoint", args=[made.pk])]
    presses = [reverse(f"outbox:{name}", args=[made.pk]) for name in ("rotate", "switch", "test")]
    for who in ("agent", "team_leader", "城管联络", "security_admin", "audit_admin", "hotline_leader"):
        client = sign_in(Client(), world[who])
        assert {client.get(path).status_code for path in paths} == {403}, who
        assert {client.post(path, FORM).status_code for path in [*paths[1:], *presses]} == {403}, who
    assert {Client().get(path).status_code for path in paths} == {302}
    for action, more in (
        (actions.rotate_secret, {"endpoint": made}),
        (actions.switch_endpoint, {"endpoint": made, "active": False}),
        (actions.test_endpoint, {"endpoint": made}),
        (actions.register_endpoint, {"name": "x", "url": "https://a.cn/", "user": world["agent"]}),
        (actions.change_endpoint, {"endpoint": made, "name": "x", "url": "https://a.cn/", "user": world["agent"]}),
    ):
        with pytest.raises(Refused, match="forbidden"):
            action(actor=world["hotline_leader"], at=world.now, **more)


def test_the_list_of_systems_costs_the_same_for_many(world: World) -> None:
    counts = []
    page(world, "system_admin", "endpoints")
    for number in (1, 6):
        for each in range(number):
            listening(world, name=f"系统{number}-{each}")
        client = sign_in(Client(), world["system_admin"])
        cache.clear()
        with CaptureQueriesContext(connection) as seen:
            client.get(reverse("outbox:endpoints"))
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_the_administrator_hears_of_what_stopped_and_of_what_nobody_sends(filled: World) -> None:
    from minsheng.ui import alarms

    now = filled.now + timedelta(hours=1)
    titles = [alarm.title for alarm in alarms.sounding(now) if "消息" in alarm.title]
    late = Delivery.objects.filter(state=State.WAITING).count()
    assert titles == [f"有 {late} 条消息该发未发", "有 1 条消息停止重试"]
