"""Sending, against real servers that fail, hang, drip, redirect and die; and senders that are killed."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import structlog
from django.conf import settings as product
from django.db import connection, connections
from django.utils import timezone

from minsheng.cases.models import Case, Message
from minsheng.cases.tests.world import World, build
from minsheng.dispatching.actions import recall_case
from minsheng.outbox import actions, following, sending, sms, transport, webhooks
from minsheng.outbox.choices import State, Way
from minsheng.outbox.models import Delivery, Endpoint
from minsheng.outbox.outcomes import Outcome
from minsheng.outbox.post import post
from minsheng.outbox.tests.conftest import Answering, Receiver, says

pytestmark = pytest.mark.django_db

Receive = Callable[[Answering], Receiver]


def endpoint(world: World, url: str, name: str = "市局办公系统", who: str = "team_leader") -> Endpoint:
    return Endpoint.objects.create(
        name=name, url=url, user=world[who], secret=webhooks.new_secret(), made_at=timezone.now()
    )


def queue(endpoint: Endpoint, count: int = 1) -> list[Delivery]:
    """Deliveries that speak of no case."""
    now = timezone.now()
    made = [webhooks.test_delivery(endpoint, at=now - timedelta(seconds=count - n)) for n in range(count)]
    return Delivery.objects.bulk_create(made)


def again(delivery: Delivery) -> Delivery:
    delivery.refresh_from_db()
    return delivery


def send_after(pause: timedelta) -> bool:
    return sending.send_one(Way.WEBHOOK, now=lambda: timezone.now() + pause)


def send_now(world: World) -> bool:
    return sending.send_one(Way.WEBHOOK, now=lambda: world.now)


def first(*answers: Answering) -> Answering:
    """One after the other; the last for ever."""
    return lambda handler, nth: answers[min(nth, len(answers)) - 1](handler, nth)


# --- webhooks ----------------------------------------------------------------------------------------------------


def test_a_call_carries_what_proves_it_and_no_person(world: World, receive: Receive, own_horizon: None) -> None:
    receiver = receive(says(200))
    listening = endpoint(world, receiver.url)
    case = world.accepted()
    following.follow(at=world.now)
    while send_now(world):
        pass
    assert [(b["event"], b["case"], b["version"], b["state"]) for b in receiver.bodies] == [
        ("submit", case.number, 1, "to_accept"),
        ("accept", case.number, 2, "to_dispatch"),
    ]
    for headers, body in receiver.calls:
        stamp = int(headers["webhook-timestamp"])
        expected = webhooks.signature(str(listening.secret), key=headers["webhook-id"], timestamp=stamp, body=body)
        assert headers["webhook-signature"] == expected
        assert json.loads(body).keys() == {"id", "event", "case", "version", "state", "at"}
        assert json.loads(body)["id"] == headers["webhook-id"]
        assert not any(word in body.decode() for word in ("林小满", "13800138000", "工地", "金山大道"))


def test_500_and_then_200(world: World, receive: Receive) -> None:
    receiver = receive(first(says(500), says(200)))
    (delivery,) = queue(endpoint(world, receiver.url))
    assert send_after(timedelta(0))
    again(delivery)
    assert (delivery.state, delivery.reason, delivery.attempts) == (State.FAILED, "对方应答 500", 1)
    assert not send_after(timedelta(0)), "not before its pause is over"
    assert send_after(timedelta(minutes=1))
    assert (again(delivery).state, delivery.attempts, delivery.doubts) == (State.SENT, 2, 0)
    assert receiver.ids == [delivery.key, delivery.key], "the receiver can tell that it is the same"


def hang(handler: BaseHTTPRequestHandler, nth: int) -> None:
    time.sleep(4)


def drip(handler: BaseHTTPRequestHandler, nth: int) -> None:
    """Half a byte of header at a time, for ever: each read of it is quick."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for _ in range(40):
        handler.wfile.write(b"X-A: b\r\n")
        time.sleep(0.1)


@pytest.mark.parametrize("slow", [hang, drip])
def test_who_hangs_or_drips_is_cut_off(world: World, receive: Receive, settings: Any, slow: Answering) -> None:
    settings.OUTBOX = settings.OUTBOX | {"webhook_seconds": 1}
    (delivery,) = queue(endpoint(world, receive(slow).url))
    send_after(timedelta(0))
    assert (again(delivery).state, delivery.reason) == (State.FAILED, "对方没有在时限内应答")


def test_an_endless_answer_is_not_read_to_its_end(world: World, receive: Receive) -> None:
    (delivery,) = queue(endpoint(world, receive(says(200, b"x" * 5_000_000)).url))
    send_after(timedelta(0))
    assert again(delivery).state == State.SENT


def test_a_redirect_is_not_followed(world: World, receive: Receive) -> None:
    other = receive(says(200))
    receiver = receive(lambda handler, nth: says(302, b"", Location=other.url)(handler, nth))
    (delivery,) = queue(endpoint(world, receiver.url))
    send_after(timedelta(0))
    assert again(delivery).reason == "对方要求跳转（302），不跟随"
    assert len(receiver.calls) == 1 and not other.calls


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [(410, State.DEAD, "对方不再接收（410）"), (404, State.FAILED, "对方应答 404"), (204, State.SENT, "")],
)
def test_what_an_answer_means(world: World, receive: Receive, status: int, state: State, reason: str) -> None:
    (delivery,) = queue(endpoint(world, receive(says(status, b"")).url))
    send_after(timedelta(0))
    assert (again(delivery).state, delivery.reason) == (state, reason)


def test_who_asks_to_be_left_alone_is(world: World, receive: Receive) -> None:
    (delivery,) = queue(endpoint(world, receive(says(429, Retry_After="900")).url))
    send_after(timedelta(0))
    wait = again(delivery).next_at
    assert wait is not None and timedelta(minutes=14) < wait - timezone.now() <= timedelta(minutes=15)


def test_nobody_there(world: World) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    (delivery,) = queue(endpoint(world, f"http://127.0.0.1:{port}/"))
    send_after(timedelta(0))
    assert again(delivery).reason == "对方没有在接收"


def test_an_inside_address_is_never_called(world: World, receive: Receive, settings: Any) -> None:
    receiver = receive(says(200))
    (delivery,) = queue(endpoint(world, receiver.url))
    settings.OUTBOX = settings.OUTBOX | {"webhook_networks": []}
    send_after(timedelta(0))
    assert (again(delivery).state, delivery.reason) == (State.DEAD, "地址错误：指向内部网络")
    assert not receiver.calls


def test_a_name_that_changes_its_mind_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: public when judged, inside when called. It is asked once, and the judged address is called."""
    answers = iter([[(2, 1, 6, "", ("93.184.216.34", 443))], [(2, 1, 6, "", ("127.0.0.1", 443))]])
    called: list[Any] = []

    def connect(address: Any, *args: Any) -> Any:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: next(answers))
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(transport.Unreachable):
        transport.post("https://hook.example/", b"", {}, seconds=1, networks=[])
    assert called == [("93.184.216.34", 443)]


def test_one_inside_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", ("10.0.0.7", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: both)
    with pytest.raises(transport.Unreachable, match="内部网络"):
        transport.judged(transport.target_of("https://hook.example/"), [])


def test_a_changed_secret_and_the_one_before_it_both_sign_for_a_while(world: World, receive: Receive) -> None:
    receiver = receive(says(200))
    listening = endpoint(world, receiver.url)
    old = str(listening.secret)
    now = timezone.now()
    new = actions.rotate_secret(actor=world["system_admin"], at=now, endpoint=listening)
    assert new != old
    listening.refresh_from_db()

    def signs(secret: str, later: timedelta) -> bool:
        moment = now + later
        given = webhooks.signatures(listening, at=moment, key="k", body=b"{}").split(" ")
        return webhooks.signature(secret, key="k", timestamp=int(moment.timestamp()), body=b"{}") in given

    assert [signs(old, timedelta(hours=h)) for h in (0, 23, 24)] == [True, True, False]
    assert [signs(new, timedelta(hours=h)) for h in (0, 23, 24)] == [True, True, True]


def test_the_signature_is_that_of_the_published_example() -> None:
    """Standard Webhooks, the specification's own test vector."""
    given = webhooks.signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", key="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=b'{"test": 2432232314}'
    )
    assert given == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_system_that_is_down_rests_and_the_others_do_not_wait(world: World, receive: Receive) -> None:
    down, up = receive(says(503)), receive(says(200))
    first_one, _ = queue(endpoint(world, down.url, "甲"), 2)
    (well,) = queue(endpoint(world, up.url, "乙"))
    while send_after(timedelta(0)):
        pass
    assert len(down.calls) == 1, "the second was not tried while the first's pause lasts"
    assert again(well).state == State.SENT
    down.answer = says(200)
    while send_after(timedelta(minutes=2)):
        pass
    assert again(first_one).state == State.SENT and len(down.calls) == 3
    assert Endpoint.objects.get(name="甲").rests_until is None


def test_a_systems_account_decides_what_it_hears(world: World, receive: Receive, own_horizon: None) -> None:
    urls = {name: receive(says(200)) for name in ("城管联络", "鼓楼城管联络", "agent2", "team_leader")}
    for name, receiver in urls.items():
        endpoint(world, receiver.url, name, name)
    plain, secret = world.dispatched(), world.submitted(confidential=True)
    following.follow(at=world.now)
    while send_now(world):
        pass
    heard = {name: {body["case"] for body in receiver.bodies} for name, receiver in urls.items()}
    assert heard == {
        "城管联络": {plain.number},
        "鼓楼城管联络": set(),
        "agent2": {plain.number},
        "team_leader": {plain.number, secret.number},
    }


def test_what_became_confidential_meanwhile_is_not_told(world: World, receive: Receive, own_horizon: None) -> None:
    receiver = receive(says(200))
    endpoint(world, receiver.url, who="agent2")
    case = world.submitted()
    following.follow(at=world.now)
    Case.objects.filter(pk=case.pk).update(confidential=True)
    send_now(world)
    assert Delivery.objects.get(channel=Way.WEBHOOK).reason == "该系统已无权知道这件诉求"
    assert not receiver.calls


def test_a_unit_is_told_of_the_act_that_took_its_task(world: World, receive: Receive, own_horizon: None) -> None:
    receiver = receive(says(200))
    endpoint(world, receiver.url, who="城管联络")
    recall_case(actor=world["dispatcher"], at=world.later(minutes=5), case=world.dispatched(), reason="看错了")
    following.follow(at=world.now)
    while send_now(world):
        pass
    assert [body["event"] for body in receiver.bodies] == ["recall"]


# --- text messages -----------------------------------------------------------------------------------------------


@pytest.fixture
def message(world: World, own_horizon: None) -> Delivery:
    """One text message that is due."""
    world.submitted()
    following.follow(at=world.now)
    return Delivery.objects.get(channel=Way.SMS)


def send_sms(world: World) -> bool:
    return sending.send_one(Way.SMS, now=lambda: world.now)


@pytest.fixture
def gateway(receive: Receive, settings: Any) -> Receiver:
    receiver = receive(says(200, b'{"receipt": "R-77"}'))
    settings.OUTBOX = settings.OUTBOX | {"sms_backend": "minsheng.outbox.sms.HttpGateway", "sms_url": receiver.url}
    return receiver


def test_the_gateway_gets_number_text_and_key_signed(world: World, message: Delivery, gateway: Receiver) -> None:
    send_sms(world)
    ((headers, body),) = gateway.calls
    given = json.loads(body)
    assert given["phone"] == "13800138000" and given["key"] == message.key and given["text"].startswith("【民声12345】您反映的问题")
    mac = hmac.new(product.SMS_KEY.encode(), f"{headers['x-timestamp']}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["x-signature"] == mac and headers["idempotency-key"] == message.key
    assert (again(message).state, message.receipt) == (State.SENT, "R-77")


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        (says(422), State.DEAD, "短信网关不收（422）"),
        (says(429), State.FAILED, "短信网关应答 429"),
        (says(503), State.FAILED, "短信网关应答 503"),
        (says(200, b"<html>"), State.FAILED, "短信网关没有给回执"),
        (says(200, b"[]"), State.FAILED, "短信网关没有给回执"),
    ],
)
def test_what_the_gateway_answers(
    world: World, message: Delivery, gateway: Receiver, answer: Answering, state: State, reason: str
) -> None:
    gateway.answer = answer
    send_sms(world)
    assert (again(message).state, message.reason) == (state, reason)


def test_the_rules_are_asked_again_at_the_moment_of_sending(world: World, message: Delivery, gateway: Receiver) -> None:
    Case.objects.update(confidential=True)
    send_sms(world)
    assert (again(message).state, message.reason) == (State.NOT_SENT, "保密件，不发短信")
    assert not gateway.calls


def test_what_is_tried_again_at_night_waits_for_the_morning(world: World, message: Delivery, gateway: Receiver) -> None:
    Delivery.objects.update(urgent=False)
    night = world.now.replace(hour=23)
    sending.send_one(Way.SMS, now=lambda: night)
    again(message)
    assert (message.state, message.attempts, message.reason) == (State.WAITING, 0, "静默时段，07:00 后发送")
    assert not gateway.calls
    morning = message.next_at
    assert morning is not None and sending.send_one(Way.SMS, now=lambda: morning)
    assert again(message).state == State.SENT


def test_the_console_keeps_the_number_out_of_the_log(world: World, message: Delivery, settings: Any) -> None:
    with structlog.testing.capture_logs() as logs:
        send_sms(world)
    assert again(message).state == State.SENT
    (event,) = [each for each in logs if each["event"] == "sms.spooled"]
    assert event["phone"] == "138****8000" and "您反映" not in str(logs) and "13800138000" not in str(logs)
    (path,) = (settings.HOME / "spool" / "sms").glob("*.jsonl")
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text().splitlines()[-1])["phone"] == "13800138000"


def test_a_mistake_of_ours_stops_one_message_and_tells_no_number(
    world: World, message: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def send(self, *, phone: str, text: str, key: str) -> Any:
            raise RuntimeError(f"cannot send to {phone}")

    monkeypatch.setattr(sms, "_gateway", lambda path: Broken())
    with structlog.testing.capture_logs() as logs:
        send_sms(world)
    assert (again(message).state, message.reason) == (State.FAILED, "系统内部错误（RuntimeError）")
    assert "13800138000" not in str(logs)


def test_no_number_and_no_word_is_kept_beside_the_record(world: World, message: Delivery, gateway: Receiver) -> None:
    send_sms(world)
    with connection.cursor() as cursor:
        for table in ("outbox_delivery", "procrastinate_jobs"):
            cursor.execute(f"SELECT t::text FROM {table} t")
            rows = str(cursor.fetchall())
            assert not any(word in rows for word in ("13800138000", "林小满", "您反映", "金山大道"))


# --- dying, racing -----------------------------------------------------------------------------------------------


@pytest.fixture
def city(transactional_db: None) -> World:
    return build()


def test_a_sender_killed_between_sending_and_recording(city: World, receive: Receive) -> None:
    """At least once: the same key comes again after the lease, and the possible repetition is counted."""
    receiver = receive(says(200))
    (delivery,) = queue(endpoint(city, receiver.url))
    connections.close_all()
    child = os.fork()
    if child == 0:
        sending.conclude = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
        sending.send_one(Way.WEBHOOK)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    again(delivery)
    assert len(receiver.calls) == 1 and delivery.state == State.WAITING and delivery.claimed_at is not None
    assert not send_after(timedelta(0)), "nobody takes it while it may still be under way"
    assert send_after(sending.LEASE + timedelta(seconds=1))
    assert (again(delivery).state, delivery.doubts, delivery.claimed_at) == (State.SENT, 1, None)
    assert receiver.ids == [delivery.key] * 2


def test_many_senders_send_each_once(city: World, receive: Receive) -> None:
    underway: Counter[str] = Counter()
    twice: list[str] = []

    def answer(handler: BaseHTTPRequestHandler, nth: int) -> None:
        key = handler.headers["webhook-id"]
        underway[key] += 1
        if underway[key] > 1:
            twice.append(key)
        time.sleep(0.01)
        says(200)(handler, nth)
        underway[key] -= 1

    receiver = receive(answer)
    queue(endpoint(city, receiver.url), 40)

    def work() -> None:
        while sending.send_one(Way.WEBHOOK):
            pass
        connection.close()

    in_threads(work, 4)
    assert sorted(receiver.ids) == sorted(set(receiver.ids)) and len(receiver.ids) == 40 and not twice
    assert set(Delivery.objects.values_list("state", "attempts")) == {(State.SENT, 1)}


def test_two_offices_follow_without_repeating(city: World) -> None:
    following.follow(at=city.now)
    for _ in range(6):
        city.submitted()

    def work() -> None:
        while following.follow(at=city.now):
            pass
        connection.close()

    in_threads(work, 3)
    assert Delivery.objects.filter(channel=Way.SMS).count() == Message.objects.count() == 6


def test_a_late_word_of_a_sender_whose_lease_ran_out_does_not_count(world: World, receive: Receive) -> None:
    (delivery,) = queue(endpoint(world, receive(says(200)).url))
    now = timezone.now()
    slow = sending.claim(Way.WEBHOOK, at=now)
    quick = sending.claim(Way.WEBHOOK, at=now + sending.LEASE)
    assert slow and quick and slow.pk == quick.pk
    assert not sending.conclude(slow, Outcome.failed("late"), at=now, roll=0), "the other is still sending"
    assert sending.conclude(quick, Outcome.sent("second"), at=now, roll=0)
    assert not sending.conclude(slow, Outcome.failed("late"), at=now, roll=0)
    assert (again(delivery).state, delivery.receipt) == (State.SENT, "second")


def test_the_office_sends_by_itself_and_ends_when_told(city: World, receive: Receive) -> None:
    """The whole of it in a thread, as the worker runs it: one act is committed, and two receivers hear of it."""
    receiver = receive(says(200))
    endpoint(city, receiver.url)
    following.follow(at=city.now)
    stop = threading.Event()
    office = threading.Thread(target=post, args=(stop,))
    office.start()
    try:
        city.now = timezone.now()
        city.submitted()
        assert eventually(lambda: len(receiver.calls) == 1)
        assert eventually(lambda: Delivery.objects.get(channel=Way.SMS).state == State.SENT)
    finally:
        stop.set()
        office.join(10)
    assert not office.is_alive()


def in_threads(work: Callable[[], None], count: int) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors, errors


def eventually(holds: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


