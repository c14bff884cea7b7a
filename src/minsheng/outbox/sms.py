"""Text messages to citizens through one gateway interface. The number is read at the moment of sending and kept nowhere."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import structlog
from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from minsheng.cases.models import Message
from minsheng.outbox import following, rules, transport
from minsheng.outbox.models import Delivery
from minsheng.outbox.outcomes import Outcome
from minsheng.secrecy import mask_phone

SECONDS = 10
_log = structlog.get_logger(__name__)


class Gateway(Protocol):
    """What sends a text message. `key` is the same for every try of one message: a gateway that knows it sends once."""

    def send(self, *, phone: str, text: str, key: str) -> Outcome:
        """Try once; never raises for what the other side did."""


class ConsoleGateway:
    """For development: the log says that there was one, masked; the whole lies in a file that only its owner reads."""

    def send(self, *, phone: str, text: str, key: str) -> Outcome:
        """Append to today's file."""
        folder = Path(settings.HOME) / "spool" / "sms"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        line = json.dumps({"key": key, "phone": phone, "text": text}, ensure_ascii=False)
        path = folder / f"{timezone.localtime():%Y-%m-%d}.jsonl"
        with os.fdopen(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "a", encoding="utf-8") as file:
            file.write(line + "\n")
        _log.info("sms.spooled", phone=mask_phone(phone), length=len(text))
        return Outcome.sent(f"spool-{hashlib.sha256(key.encode()).hexdigest()[:12]}")


@dataclass(frozen=True, slots=True)
class HttpGateway:
    """A gateway behind HTTP: POST of {"key", "phone", "text"}, signed; its answer {"receipt": "…"}.

    `X-Signature` is the hexadecimal HMAC-SHA256 of timestamp, dot and body, with the key of SMS_KEY. 4xx other than 408, 425
    and 429 says that the message itself is not taken; what else fails is tried again with the same key.
    """

    def send(self, *, phone: str, text: str, key: str) -> Outcome:
        """Call once."""
        body = json.dumps({"key": key, "phone": phone, "text": text}, ensure_ascii=False).encode()
        timestamp = str(int(timezone.now().timestamp()))
        mac = hmac.new(settings.SMS_KEY.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": key,
            "X-Timestamp": timestamp,
            "X-Signature": mac.hexdigest(),
        }
        try:
            answer = transport.post(settings.OUTBOX["sms_url"], body, headers, seconds=SECONDS, networks=None)
        except transport.Unreachable as error:
            return Outcome.failed(f"短信网关：{error.reason}")
        return _judge(answer)


def _judge(answer: transport.Answer) -> Outcome:
    if 200 <= answer.status < 300:
        try:
            receipt = str(json.loads(answer.body)["receipt"])[:120]
        except (ValueError, KeyError, TypeError):
            return Outcome.failed("短信网关没有给回执")
        return Outcome.sent(receipt)
    if 400 <= answer.status < 500 and answer.status not in (408, 425, 429):
        return Outcome.dead(f"短信网关不收（{answer.status}）")
    return Outcome.failed(f"短信网关应答 {answer.status}")


@lru_cache(maxsize=4)
def _gateway(path: str) -> Gateway:
    made: Gateway = import_string(path)()
    return made


def send(delivery: Delivery, *, at: datetime) -> Outcome:
    """Send one, if the rules still allow it: the case may have become confidential since, the number may have been erased."""
    message = Message.objects.select_related("case__applicant").get(deliveries=delivery)
    why = following.why_no_sms(message, message.at)
    if why:
        return Outcome.not_sent(why)
    until = None if delivery.urgent else rules.quiet_until(at, *following.sms_quiet())
    if until:
        return Outcome.later(until, rules.quiet_reason(until))
    text = rules.sms_text(
        message.text, signature=settings.OUTBOX["sms_signature"], most=settings.OUTBOX["sms_characters"]
    )
    return _gateway(settings.OUTBOX["sms_backend"]).send(
        phone=str(message.case.applicant.phone), text=text, key=delivery.key
    )
