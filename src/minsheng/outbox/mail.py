"""Notices to the people of units, and to auditors, by mail: one at once, or a digest of what is new, due, came back and why, with links."""

from __future__ import annotations

import hashlib
import smtplib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.urls import reverse

from minsheng.accounts.models import User
from minsheng.cases import clocks, desk_queries
from minsheng.cases.choices import AskState
from minsheng.cases.models.reference import ReasonCode
from minsheng.organisations import queries as organisations
from minsheng.outbox import notices, queries, rules, wording
from minsheng.outbox.choices import DIGEST, TEST, NoticeClock, NoticeKind
from minsheng.outbox.models import Delivery, NoticePreference
from minsheng.outbox.outcomes import Outcome
from minsheng.ui import times

SECTIONS = (
    ("新到", (NoticeKind.NEW_TASK, NoticeKind.TO_SIGN, NoticeKind.REPORTED)),
    ("退回", (NoticeKind.SENT_BACK,)),
    ("时限", (NoticeKind.OVERDUE, NoticeKind.ORANGE, NoticeKind.YELLOW)),
    ("催办与补充", (NoticeKind.URGED, NoticeKind.SUPPLEMENT)),
    ("申请结果与变动", (NoticeKind.DECIDED, NoticeKind.ENDED)),
)
MOST_LINES = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One notice as it reads: which case, what, why, until when, and where to look."""

    about: str
    kind: str
    why: str
    due: str
    limit: str  # which limit that is
    url: str


@dataclass(frozen=True, slots=True)
class Section:
    """Lines under one heading."""

    title: str
    lines: list[Line] = field(default_factory=list)


def send(delivery: Delivery, *, at: datetime) -> Outcome:
    """Send one, if its receiver may still have it; the address is read here and kept nowhere else."""
    if delivery.user_id is None:
        return Outcome.not_sent("没有收件人")
    user = User.objects.select_related("notice_preference", "unit").get(pk=delivery.user_id)
    if not notices.kinds_for(user) or user.unit_id != delivery.unit_id:
        return Outcome.not_sent("收件人已停用或已调离")
    preference: NoticePreference | None = getattr(user, "notice_preference", None)
    if preference is None or not preference.email:
        return Outcome.not_sent("未留邮箱")
    exempt = delivery.urgent or delivery.kind == DIGEST  # whose hours the person set
    until = None if exempt else rules.quiet_until(at, preference.quiet_from, preference.quiet_to)
    if until:
        return Outcome.later(until, rules.quiet_reason(until))
    if delivery.kind == TEST:
        words = render_to_string("outbox/test.txt", {"user": user, **_frame(user)})
        return _hand_over(preference.email, "【民声】测试邮件", words, key=delivery.key)
    lines = _lines_of(delivery)
    shown = [line for line in lines if _may_be_told(line, user)]
    if not shown:
        return Outcome.not_sent("收件人已无权知道这件诉求")
    subject, text = compose(delivery, shown, user, at=at)
    return _hand_over(preference.email, subject, text, key=delivery.key)


def _lines_of(delivery: Delivery) -> list[Delivery]:
    found = delivery.lines.all() if delivery.kind == DIGEST else Delivery.objects.filter(pk=delivery.pk)
    return list(found.select_related("case__topic", "task", "ask", "entry").order_by("made_at", "id"))


def _may_be_told(line: Delivery, user: User) -> bool:
    """Since then the unit may have become the accused (scenario 8)."""
    if not user.is_unit:
        return True
    accused = line.case.accused_unit_id if line.case else None
    return accused is None or accused not in organisations.subtree_ids(user.unit_id or 0)


def compose(delivery: Delivery, lines: list[Delivery], user: User, *, at: datetime) -> tuple[str, str]:
    """Subject and text."""
    labels = _reason_labels(lines)
    if delivery.kind != DIGEST:
        line = _line(lines[0], labels, at)
        return f"【民声】{line.kind}：{line.about}", render_to_string("outbox/notice.txt", {"line": line, **_frame(user)})
    sections = [Section(title, [_line(one, labels, at) for one in lines if one.kind in kinds][:MOST_LINES]) for title, kinds in SECTIONS]
    context = {
        "sections": [section for section in sections if section.lines],
        "standing": queries.standing(user, at=at) if user.is_unit else {},
        "waiting": desk_queries.audit_waiting(user, at)[0],
        "user": user,
        **_frame(user),
    }
    return f"【民声】{'承办' if user.is_unit else '审核'}摘要：{_counts(lines)}", render_to_string("outbox/digest.txt", context)


def _counts(lines: Iterable[Delivery]) -> str:
    kinds = [NoticeKind(line.kind) for line in lines]
    told = [(title, sum(kind in of for kind in kinds)) for title, of in SECTIONS]
    return "，".join(f"{title} {count}" for title, count in told if count)


def _frame(user: User) -> dict[str, Any]:
    return {"desk_url": _absolute("cases:handling" if user.is_unit else "cases:audits"), "settings_url": _absolute("outbox:settings")}


def _absolute(name: str, *args: Any) -> str:
    return settings.OUTBOX["base_url"].rstrip("/") + reverse(name, args=args)


def _line(delivery: Delivery, labels: dict[str, str], at: datetime) -> Line:
    case = delivery.case
    assert case is not None
    return Line(
        about=wording.about(case),
        kind=f"{delivery.ask.get_kind_display() if delivery.ask else ''}{wording.kind_label(delivery)}",
        why=_why(delivery, labels),
        due=_due(delivery, at),
        limit=f"{NoticeClock(delivery.clock or NoticeClock.HANDLING).label}时限",
        url=_absolute("cases:page", case.number),
    )


def _due(delivery: Delivery, at: datetime) -> str:
    """When the clock that is told of ends, the handling limit where none is; nothing once it runs no more."""
    if delivery.ask is not None:
        return times.due(delivery.ask.due_at, at) if delivery.ask.state == AskState.PENDING else ""
    task = delivery.task
    if task is None or delivery.kind in (NoticeKind.ENDED, NoticeKind.DECIDED):
        return ""
    name = NoticeClock(delivery.clock or NoticeClock.HANDLING).label
    running = next((clock for clock in clocks.of_task(task) if clock.name == name), None)
    return times.due(running.due_at, at) if running else ""


def _why(delivery: Delivery, labels: dict[str, str]) -> str:
    """Why it came back, and how an ask was decided: by registered reasons and the entry's own sentence, never by anybody's
    free words, which may name a person."""
    if delivery.entry is None:
        return ""
    codes = delivery.entry.payload.get("facts", {}).get("reasons") or []
    if delivery.kind == NoticeKind.SENT_BACK and codes:
        return "、".join(labels.get(str(code), str(code)) for code in codes)
    return str(delivery.entry.payload.get("summary", "")) if delivery.kind == NoticeKind.DECIDED else ""


def _reason_labels(lines: Iterable[Delivery]) -> dict[str, str]:
    if not any(line.kind == NoticeKind.SENT_BACK for line in lines):
        return {}
    return dict(ReasonCode.objects.filter(list="reply_refusal").values_list("code", "label"))


def _hand_over(address: str, subject: str, text: str, *, key: str) -> Outcome:
    """To the mail server, once. The message id is made of the key, so that a repetition can be known as one."""
    host = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    message_id = f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{host}>"
    headers = {"Message-ID": message_id, "Auto-Submitted": "auto-generated"}
    message = EmailMessage(subject, text, settings.DEFAULT_FROM_EMAIL, [address], headers=headers, connection=get_connection())
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        permanent = any(500 <= code < 600 for code, _ in error.recipients.values())
        return Outcome.dead("地址错误：邮件服务器拒收") if permanent else Outcome.failed("邮件服务器暂不接收这个地址")
    except smtplib.SMTPResponseException as error:
        return Outcome.failed(f"邮件服务器应答 {error.smtp_code}")
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return Outcome.failed(f"邮件服务器没有接收（{type(error).__name__}）")
    return Outcome.sent(message_id)
