"""Notices by mail: a real SMTP server on loopback, and what may stand in them."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from django.core import mail as django_mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from minsheng.accounts.models import User
from minsheng.accounts.testing import sign_in
from minsheng.cases import actions as case_actions
from minsheng.cases.models import Case
from minsheng.cases.tests.test_asking import ask_return
from minsheng.cases.tests.world import World
from minsheng.outbox import actions, crossings, following, sending
from minsheng.outbox.choices import State, Way
from minsheng.outbox.models import Delivery
from minsheng.outbox.tests.test_following import prefers
from minsheng.secrecy import find_personal

pytestmark = pytest.mark.django_db


@dataclass
class Mailbox:
    """A real SMTP server of few words; `refuse` answers the recipient."""

    refuse: bytes = b""
    letters: list[EmailMessage] = field(default_factory=list)


@pytest.fixture
def smtp(settings: Any) -> Iterator[Mailbox]:
    box = Mailbox()

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                if verb == b"RCPT" and box.refuse:
                    self.wfile.write(box.refuse + b"\r\n")
                elif verb == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = []
                    while (part := self.rfile.readline()) != b".\r\n":
                        lines.append(part)
                    box.letters.append(message_from_bytes(b"".join(lines), policy=policy.default))
                    self.wfile.write(b"250 taken\r\n")
                else:
                    self.wfile.write(b"250 ok\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.server_address[1]
        yield box
        server.shutdown()


def deliver(at: datetime) -> None:
    while following.follow(at=at):
        pass
    while sending.send_one(Way.EMAIL, now=lambda: at):
        pass


def text_of(letter: EmailMessage) -> str:
    return str(letter.get_content())


def test_a_notice_says_what_until_when_and_where_and_no_more(world: World, own_horizon: None, smtp: Mailbox) -> None:
    prefers(world, "城管联络")
    case = world.dispatched()
    deliver(world.now)
    (letter,) = smtp.letters
    task = world.lead(case)
    assert letter["To"] == f"{world['城管联络'].username}@example.gov.cn"
    assert letter["Subject"].strip() == f"【民声】新任务：{case.number} · 投诉 · 夜间施工噪声"
    assert f"/cases/{case.number}/" in text_of(letter) and "24:00 前" in text_of(letter)
    assert not find_personal(text_of(letter).replace(str(case.number), ""))
    assert not any(word in letter.as_string() + text_of(letter) for word in ("林小满", "13800138000", "打桩", "金山大道"))
    sent = Delivery.objects.get(user=world["城管联络"])
    assert (sent.state, sent.receipt) == (State.SENT, letter["Message-ID"]) and task.due_at


def test_of_a_confidential_case_only_the_number_travels(world: World, own_horizon: None, smtp: Mailbox) -> None:
    prefers(world, "城管联络")
    case = world.dispatched(confidential=True)
    deliver(world.now)
    (letter,) = smtp.letters
    assert letter["Subject"].strip() == f"【民声】新任务：{case.number} · 保密件"
    assert "噪声" not in letter.as_string() + text_of(letter)


def test_an_address_that_the_server_refuses_is_left_to_a_person(world: World, own_horizon: None, smtp: Mailbox) -> None:
    smtp.refuse = b"550 no such user"
    prefers(world, "城管联络")
    world.dispatched()
    deliver(world.now)
    sent = Delivery.objects.get(user=world["城管联络"])
    assert (sent.state, sent.reason) == (State.DEAD, "地址错误：邮件服务器拒收")


def test_a_server_that_is_busy_is_asked_again_with_the_same_message_id(world: World, own_horizon: None, smtp: Mailbox) -> None:
    smtp.refuse = b"451 later"
    prefers(world, "城管联络")
    world.dispatched()
    deliver(world.now)
    sent = Delivery.objects.get(user=world["城管联络"])
    assert (sent.state, sent.attempts) == (State.FAILED, 1)
    smtp.refuse = b""
    deliver(world.now + timedelta(minutes=1))
    sent.refresh_from_db()
    assert sent.state == State.SENT and len(smtp.letters) == 1


def test_no_mail_server(world: World, own_horizon: None, smtp: Mailbox, settings: Any) -> None:
    settings.EMAIL_PORT = 1
    prefers(world, "城管联络")
    world.dispatched()
    deliver(world.now)
    assert Delivery.objects.get(user=world["城管联络"]).reason == "邮件服务器没有接收（ConnectionRefusedError）"


def test_a_digest_says_what_is_new_due_and_came_back_and_why(world: World, own_horizon: None) -> None:
    kinds = ["new_task", "sent_back", "yellow", "urged"]
    prefers(world, "城管联络", at_once=[], digest=kinds, digest_at=[time(8, 30)])
    late, fresh_one = world.handling(), world.dispatched()
    returned = world.replied()
    case_actions.send_back(actor=world["auditor"], at=world.later(minutes=5), case=returned, reasons=["no_process"])
    case_actions.urge_case(actor=world["team_leader"], at=world.now, case=fresh_one, reason="张三等得急")
    while following.follow(at=world.now):
        pass
    crossings.look_at_clocks(at=world.lead(late).yellow_at)
    morning = max(d.next_at for d in Delivery.objects.filter(state=State.GATHERED) if d.next_at)
    following.make_digests(at=morning)
    while sending.send_one(Way.EMAIL, now=lambda: morning):
        pass
    (letter,) = django_mail.outbox
    text = str(letter.body)
    assert letter.subject == "【民声】承办摘要：新到 3，退回 1，时限 1，催办与补充 1"
    assert "仓山城管现在承办 3 件" in text
    back = text[text.index("【退回】") :]
    assert back.index(str(returned.number)) < back.index("无办理过程") < back.index("【时限】")
    assert f"/cases/{late.number}/" in text and "张三" not in text and "林小满" not in text
    digest = Delivery.objects.get(kind="digest")
    assert digest.state == State.SENT
    assert {line.reason for line in digest.lines.all()} == {"已并入 08:30 的摘要"}


def test_a_notice_of_a_clock_says_which_and_until_when(world: World, own_horizon: None) -> None:
    prefers(world, "城管联络", at_once=["overdue"])
    task = world.lead(world.dispatched())
    crossings.look_at_clocks(at=task.read_due_at)
    while sending.send_one(Way.EMAIL, now=lambda: task.read_due_at):
        pass
    (letter,) = django_mail.outbox
    assert letter.subject.startswith("【民声】查阅已逾期（红灯）：")
    assert "查阅时限：11-25 周三 24:00 前" in str(letter.body)


def test_an_auditors_letter_names_the_ask_and_their_digest_their_desk(world: World, own_horizon: None) -> None:
    prefers(world, "auditor", at_once=["orange"], digest=["yellow"], digest_at=[time(8, 30)])
    ask = ask_return(world, world.lead(world.handling()))
    crossings.look_at_clocks(at=ask.yellow_at)
    crossings.look_at_clocks(at=ask.orange_at)
    at = ask.orange_at + timedelta(hours=12)
    following.make_digests(at=at)
    while sending.send_one(Way.EMAIL, now=lambda: at):
        pass
    letters = {letter.subject.split("：")[0]: str(letter.body) for letter in django_mail.outbox}
    assert set(letters) == {"【民声】退件申请审核即将到期（橙灯）", "【民声】审核摘要"}
    assert "申请审核时限：11-25 周三 24:00 前" in letters["【民声】退件申请审核即将到期（橙灯）"]
    assert "现在等您审核的有 1 件" in letters["【民声】审核摘要"] and "/cases/audits/" in letters["【民声】审核摘要"]
    assert not any(word in text for text in letters.values() for word in ("林小满", "属住建职责", "打桩"))


def _leave(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False, deactivated_at=datetime.now().astimezone())


@pytest.mark.parametrize("way", ["left", "address", "accused"])
def test_the_receiver_is_looked_at_again_at_the_moment_of_sending(world: World, own_horizon: None, way: str) -> None:
    preference = prefers(world, "城管联络")
    case = world.dispatched()
    while following.follow(at=world.now):
        pass
    if way == "left":
        _leave(world["城管联络"])
    elif way == "address":
        type(preference).objects.update(email=None)
    else:
        Case.objects.filter(pk=case.pk).update(accused_unit=world.units["仓山城管"])
    sending.send_one(Way.EMAIL, now=lambda: world.now)
    reasons = {"left": "收件人已停用或已调离", "address": "未留邮箱", "accused": "收件人已无权知道这件诉求"}
    sent = Delivery.objects.get(user=world["城管联络"])
    assert (sent.state, sent.reason) == (State.NOT_SENT, reasons[way]) and not django_mail.outbox


def test_a_person_tries_their_address(world: World, smtp: Mailbox) -> None:
    client = sign_in(Client(), world["城管联络"])
    settings_page, press = reverse("outbox:settings"), reverse("outbox:test_letter")
    assert "请先填写邮箱" in client.post(press, follow=True).content.decode()
    prefers(world, "城管联络", quiet_from=time(0), quiet_to=time(23, 59))
    assert "已排入发送" in client.post(press, follow=True).content.decode()
    assert "请稍等一分钟" in client.post(press, follow=True).content.decode()
    assert sending.send_one(Way.EMAIL)
    (letter,) = smtp.letters
    assert letter["Subject"].strip() == "【民声】测试邮件" and "邮箱填写正确" in text_of(letter)
    assert "已发送" in client.get(settings_page).content.decode()
    smtp.refuse = b"550 no such user"
    actions.test_letter(actor=world["城管联络"], at=timezone.now() + timedelta(minutes=2))
    sending.send_one(Way.EMAIL, now=lambda: timezone.now() + timedelta(minutes=3))
    assert "邮件服务器拒收" in client.get(settings_page).content.decode()
    assert sign_in(Client(), world["agent"]).post(press).status_code == 403
