"""From commits to deliveries: nothing skipped, nothing twice, every rule with its reason."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from minsheng.cases import actions
from minsheng.cases.actions import supplement_case
from minsheng.cases.details import ApplicantDetails
from minsheng.cases.models import Ask, Case, Message
from minsheng.cases.tests.test_asking import ask_pause, ask_return, decide
from minsheng.cases.tests.world import World, build
from minsheng.dispatching.actions import recall_case
from minsheng.followup.actions import rate_case
from minsheng.outbox import crossings, following, wording
from minsheng.outbox.choices import NoticeKind, State
from minsheng.outbox.models import Crossing, Cursor, Delivery, Endpoint, NoticePreference

pytestmark = pytest.mark.django_db


def prefers(world: World, name: str, **values: Any) -> NoticePreference:
    everything = list(NoticeKind.values)
    defaults = {"email": f"{world[name].username}@example.gov.cn", "at_once": everything, "changed_at": world.now}
    return NoticePreference.objects.create(user=world[name], **(defaults | values))


def drain(at: datetime) -> None:
    while following.follow(at=at):
        pass


def kinds(world: World, name: str) -> list[str]:
    return list(Delivery.objects.filter(user=world[name]).order_by("id").values_list("kind", flat=True))


def test_every_message_gets_one_delivery_and_only_one(world: World, own_horizon: None) -> None:
    world.dispatched()
    drain(world.now)
    drain(world.now)
    assert Message.objects.count() == Delivery.objects.filter(channel="sms").count() == 3


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"applicant": ApplicantDetails(anonymous=True)}, "匿名诉求，没有收件人"),
        ({"applicant": ApplicantDetails(name="林小满")}, "未留号码"),
        ({"applicant": ApplicantDetails(name="林小满", phone="0591-87654321")}, "所留号码不能接收短信"),
        ({"confidential": True}, "保密件，不发短信"),
    ],
)
def test_why_there_is_no_text_message(world: World, own_horizon: None, changes: dict[str, Any], why: str) -> None:
    world.submitted(**changes)
    drain(world.now)
    assert [(d.state, d.reason) for d in Delivery.objects.filter(channel="sms")] == [(State.NOT_SENT, why)]


def test_what_nobody_followed_in_time_is_not_sent(world: World, own_horizon: None) -> None:
    world.submitted()
    drain(world.now + timedelta(hours=49))
    assert Delivery.objects.get(channel="sms").reason == "已过时效，不再发送"


def test_at_night_a_message_waits_unless_it_answers_the_citizens_own_act(world: World, own_horizon: None) -> None:
    world.now = world.now.replace(hour=23)
    world.accepted()
    drain(world.now)
    received, accepted = Delivery.objects.filter(channel="sms").order_by("id")
    assert (received.kind, received.next_at) == ("received", world.now)
    assert (accepted.kind, accepted.reason) == ("accepted", "静默时段，07:00 后发送")


def test_units_are_told_of_what_is_theirs(world: World, own_horizon: None) -> None:
    for name in ("城管联络", "城管领导", "环境联络", "鼓楼城管联络"):
        prefers(world, name)
    actions.send_back(actor=world["auditor"], at=world.later(minutes=5), case=world.replied(), reasons=["no_process"])
    case = world.dispatched("生态环境")
    actions.urge_case(actor=world["team_leader"], at=world.later(minutes=5), case=case, reason="群众着急")
    supplement_case(actor=world["agent"], at=world.later(minutes=5), case=case, channel="phone", text="又响了")
    drain(world.now)
    assert kinds(world, "城管联络") == ["new_task", "sent_back", "new_task", "urged", "supplement"]
    assert kinds(world, "城管领导") == ["new_task", "to_sign", "sent_back", "new_task", "urged", "supplement"]
    assert kinds(world, "环境联络") == ["new_task", "urged", "supplement"]
    assert kinds(world, "鼓楼城管联络") == []


def test_a_unit_is_told_that_a_task_is_gone(world: World, own_horizon: None) -> None:
    prefers(world, "城管联络")
    recall_case(actor=world["dispatcher"], at=world.later(minutes=5), case=world.dispatched(), reason="看错了")
    ask = ask_return(world, world.lead(world.handling()))
    decide(world, ask, grant=True)
    drain(world.now)
    assert kinds(world, "城管联络") == ["new_task", "ended", "new_task", "decided"]


def test_nobody_with_an_address_is_said_once(world: World, own_horizon: None) -> None:
    world.dispatched()
    drain(world.now)
    line = Delivery.objects.get(channel="email")
    assert (line.state, line.reason, line.unit) == (State.NOT_SENT, "本单位没有人登记通知邮箱", world.units["仓山城管"])


def test_the_accused_unit_is_told_nothing(world: World, own_horizon: None) -> None:
    prefers(world, "城管联络")
    case = world.dispatched()
    type(case).objects.filter(pk=case.pk).update(accused_unit=world.units["建新中队"])  # below the unit that has the task
    drain(world.now)
    assert kinds(world, "城管联络") == []


def test_as_the_person_chose(world: World, own_horizon: None) -> None:
    world.now = world.now.replace(hour=20, minute=0)
    prefers(world, "城管联络", at_once=["new_task"], quiet_from=time(18), quiet_to=time(7))
    prefers(world, "城管领导", at_once=[], digest=["new_task"], digest_at=[time(8, 30)])
    prefers(world, "环境联络", at_once=[])
    world.dispatched("生态环境")
    drain(world.now)
    told = {str(d.user): (d.state, d.reason) for d in Delivery.objects.filter(channel="email").select_related("user")}
    assert told == {
        "城管联络": (State.WAITING, "静默时段，07:00 后发送"),
        "城管领导": (State.GATHERED, "并入 08:30 的摘要"),
        "环境联络": (State.NOT_SENT, "本人不要这类通知"),
    }


def test_what_is_critical_waits_for_no_morning(world: World, own_horizon: None) -> None:
    world.now = world.now.replace(hour=20, minute=0)
    prefers(world, "城管联络", quiet_from=time(18), quiet_to=time(7))
    world.dispatched(urgency="critical")
    drain(world.now)
    assert Delivery.objects.get(user=world["城管联络"]).next_at == world.now


def test_a_digest_takes_up_its_lines_and_they_say_so(world: World, own_horizon: None) -> None:
    prefers(world, "城管联络", at_once=[], digest=["new_task"], digest_at=[time(8, 30)])
    world.dispatched()
    world.dispatched()
    drain(world.now)
    lines = Delivery.objects.filter(kind="new_task", user=world["城管联络"])
    assert following.make_digests(at=world.now) == 0
    morning = lines[0].next_at
    assert morning is not None
    assert [following.make_digests(at=morning), following.make_digests(at=morning)] == [1, 0]
    digest = Delivery.objects.get(kind="digest")
    assert {(d.state, d.reason, d.digest_id) for d in lines} == {(State.NOT_SENT, "已并入 08:30 的摘要", digest.pk)}


def test_each_light_is_told_once_for_each_due_moment(world: World, own_horizon: None) -> None:
    prefers(world, "城管联络", at_once=["yellow", "orange", "overdue"])
    case = world.handling()
    task = world.lead(case)
    moments = [task.yellow_at, task.yellow_at + timedelta(minutes=1), task.orange_at, task.due_at, task.due_at + timedelta(minutes=1)]
    assert [crossings.look_at_clocks(at=moment) for moment in moments] == [1, 0, 1, 1, 0]
    assert kinds(world, "城管联络") == ["yellow", "orange", "overdue"]
    type(task).objects.filter(pk=task.pk).update(due_at=task.due_at + timedelta(hours=1))
    assert crossings.look_at_clocks(at=task.due_at) == 1  # another due moment, another light
    assert Crossing.objects.count() == 4


def test_each_clock_of_a_unit_gives_notice_of_its_own_lights(world: World, own_horizon: None) -> None:
    """Reading, then first measures, then handling: each light of each once, with its name, and none of what has been done."""
    prefers(world, "城管联络", at_once=["yellow", "orange", "overdue"])
    task = world.lead(world.dispatched(urgency="urgent"))
    assert task.first_measures_due_at is not None
    edges = [getattr(task, f"{stem}{edge}_at") for stem in ("read_", "first_measures_", "") for edge in ("yellow", "orange", "due")]
    for at in sorted({*edges, *(edge + timedelta(minutes=1) for edge in edges)}):
        crossings.look_at_clocks(at=at)
    told = Delivery.objects.filter(user=world["城管联络"]).values_list("clock", "kind")
    every = {(clock, kind) for clock in ("read", "first_measures", "handling") for kind in ("yellow", "orange", "overdue")}
    # Two hours to read an urgent task: so short a span turns orange at once.
    assert sorted(told) == sorted(every - {("read", "yellow")})
    assert {wording.kind_label(d) for d in Delivery.objects.filter(clock="read")} == {"查阅即将到期（橙灯）", "查阅已逾期（红灯）"}

    done = world.lead(world.handling(urgency="urgent"))
    assert done.first_measures_due_at is not None
    actions.take_first_measures(actor=world["城管联络"], at=world.now, task=done, text="已到场制止")
    crossings.look_at_clocks(at=done.first_measures_due_at)
    assert set(Crossing.objects.filter(task=done).values_list("clock", flat=True)) <= {"handling"}


def test_auditors_hear_of_asks_that_nobody_answers(world: World, own_horizon: None) -> None:
    """Every auditor who may answer; not who sent the case off. A unit is told nothing of the centre's clock."""
    for name in ("auditor", "auditor2", "agent", "城管联络"):
        prefers(world, name, at_once=["yellow", "orange", "overdue"])
    ask = ask_return(world, world.lead(world.handling()))
    Case.objects.filter(pk=ask.task.case_id).update(dispatched_by=world["auditor2"])
    for moment in (ask.yellow_at, ask.yellow_at + timedelta(minutes=1), ask.orange_at, ask.due_at, ask.due_at + timedelta(minutes=1)):
        crossings.look_at_clocks(at=moment)
    of_ask = Delivery.objects.filter(clock="ask")
    assert list(of_ask.order_by("id").values_list("kind", "user", "unit")) == [
        (kind, world["auditor"].pk, None) for kind in ("yellow", "orange", "overdue")
    ]
    decide(world, ask, grant=False)
    second = ask_pause(world, world.lead(world.handling()))
    decide(world, second, grant=False)
    crossings.look_at_clocks(at=second.due_at)
    assert of_ask.count() == 3, "what has been answered is told of no more"


def test_the_leader_hears_of_demands_to_be_set_aside_and_of_nothing_else(world: World, own_horizon: None) -> None:
    prefers(world, "hotline_leader", at_once=["overdue"])
    other = ask_return(world, world.lead(world.handling()))
    case = world.audited()
    rate_case(case=case, at=world.later(hours=1), satisfaction="unsatisfied", solved="no")
    actions.request_set_aside(actor=world["城管联络"], at=world.later(minutes=5), task=world.lead(case), reason="超出规定", basis="条例")
    ask = Ask.objects.latest("id")
    for moment in (other.due_at, ask.due_at):
        crossings.look_at_clocks(at=moment)
    told = Delivery.objects.get(user=world["hotline_leader"])
    assert (told.ask, told.kind) == (ask, "overdue")


def test_that_no_auditor_left_an_address_is_said(world: World, own_horizon: None) -> None:
    ask = ask_return(world, world.lead(world.handling()))
    crossings.look_at_clocks(at=ask.yellow_at)
    line = Delivery.objects.get(clock="ask")
    assert (line.state, line.reason, line.unit) == (State.NOT_SENT, "中心没有应审核的人登记通知邮箱", None)


def test_a_system_is_told_of_which_clock(world: World, own_horizon: None) -> None:
    Endpoint.objects.create(name="市局", url="https://x.example", user=world["城管联络"], secret="whsec_", made_at=world.now)
    task = world.lead(world.dispatched())
    ask_return(world, world.lead(world.handling()))
    crossings.look_at_clocks(at=task.read_due_at)
    bodies = [d.body for d in Delivery.objects.filter(channel="webhook") if d.body and d.body["task"] == task.pk]
    assert {(body["event"], body["clock"]) for body in bodies} >= {("task_overdue", "read")}
    assert {body["clock"] for body in bodies} <= {"read", "handling"}


def test_paused_and_long_late_tasks_are_no_news(world: World) -> None:
    task = world.lead(world.handling())
    assert crossings.look_at_clocks(at=task.due_at + timedelta(days=1)) == 0
    type(task).objects.filter(pk=task.pk).update(state="paused")
    assert crossings.look_at_clocks(at=task.due_at) == 0


def test_the_record_is_forgotten_when_its_days_are_over(world: World, own_horizon: None) -> None:
    world.submitted(confidential=True)
    waiting = world.submitted()
    drain(world.now)
    assert following.forget(at=world.now + timedelta(days=179)) == 0
    assert following.forget(at=world.now + timedelta(days=181)) == 1
    assert Delivery.objects.get().case == waiting  # still to be sent: kept


def test_one_look_costs_the_same_for_many(world: World, own_horizon: None) -> None:
    prefers(world, "城管联络")
    Endpoint.objects.create(name="市局", url="https://x.example", user=world["城管联络"], secret="whsec_", made_at=world.now)
    counts = []
    for times in (1, 5):
        for _ in range(times):
            world.handling()
        Cursor.objects.update(xid=F("xid") - 1)
        with CaptureQueriesContext(connection) as seen:
            following.follow(at=world.now)
        counts.append(len(seen))
    assert counts[0] == counts[1], counts


@pytest.mark.django_db(transaction=True)
def test_a_late_commit_is_not_skipped() -> None:
    """A transaction that wrote first and commits last: a serial id would have passed it by."""
    world = build()
    following.follow(at=world.now)
    first, second = world.submitted(), world.submitted()
    drain(world.now)
    Delivery.objects.all().delete()
    with psycopg.connect(**_parameters()) as late:
        late.execute(
            "INSERT INTO cases_message (case_id, key, at, template, text) VALUES (%s, 'late', %s, 'received', '迟')",
            [first.pk, world.now],
        )
        Message.objects.create(case=second, key="early", at=world.now, template="received", text="早")
        drain(world.now)
        late.commit()
    drain(world.now)
    assert set(Delivery.objects.values_list("message__key", flat=True)) == {"late", "early"}


@pytest.mark.django_db(transaction=True)
def test_the_deliveries_and_the_cursor_are_written_together(monkeypatch: pytest.MonkeyPatch) -> None:
    world = build()
    following.follow(at=world.now)
    world.submitted()
    monkeypatch.setattr(following, "endpoints", lambda: 1 / 0)
    before = Cursor.objects.get().xid
    with pytest.raises(ZeroDivisionError):
        following.follow(at=world.now)
    assert Cursor.objects.get().xid == before and not Delivery.objects.exists()
    monkeypatch.undo()
    drain(world.now)
    assert Delivery.objects.get().state == State.WAITING


def _parameters() -> dict[str, Any]:
    wanted = connection.get_connection_params()
    return {name: wanted[name] for name in ("dbname", "user", "host", "port", "password") if wanted.get(name)}
