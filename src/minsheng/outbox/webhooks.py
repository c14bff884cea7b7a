"""Which system is told of which event, and the call that tells it (Standard Webhooks: id, timestamp, signature)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KT

from minsheng.accounts.models import User
from minsheng.cases.models import Case, Contact, Task, TimelineEntry
from minsheng.organisations import queries as organisations
from minsheng.outbox import transport
from minsheng.outbox.choices import CLOCK_EVENTS, State, Way
from minsheng.outbox.models import Delivery, Endpoint
from minsheng.outbox.notices import Notice
from minsheng.outbox.outcomes import Outcome

_PREFIX = "whsec_"
GONE = 410
# Rooms above that know of accounts which may see only what one source brought register here, in their AppConfig.ready.
narrowed_by: list[Callable[[User], str]] = []


# --- what is told to whom ----------------------------------------------------------------------------------------


def with_state(entries: QuerySet[TimelineEntry]) -> QuerySet[TimelineEntry]:
    """Entries annotated with the state that the case had after each: states move by entries, and a case has few."""
    before = TimelineEntry.objects.filter(
        case=OuterRef("case"), seq__lte=OuterRef("seq"), payload__after__has_key="state"
    ).order_by("-seq")
    return entries.annotate(state_then=Subquery(before.values_list(KT("payload__after__state"), flat=True)[:1]))


def of_entries(entries: Sequence[TimelineEntry], endpoints: Sequence[Endpoint], *, at: datetime) -> list[Delivery]:
    """A delivery for each entry and each system that may know of it. One query a system, two for a unit's."""
    found: list[Delivery] = []
    for endpoint in endpoints:
        chosen = [e for e in entries if not endpoint.kinds or e.code in endpoint.kinds]
        seen = _seen(endpoint, {e.case_id for e in chosen}) if chosen else set()
        left = _left_by(endpoint, chosen)
        for entry in chosen:
            if entry.case.number and (entry.case_id in seen or (entry.case_id, entry.at) in left):
                state = getattr(entry, "state_then", None) or entry.case.state
                body = payload(entry.code, entry.case, version=entry.seq, state=state, at=entry.at)
                found.append(_delivery(endpoint, f"{entry.pk}", body, entry.case, at=at, entry=entry))
    return found


def of_moments(notices: Sequence[Notice], endpoints: Sequence[Endpoint], *, at: datetime) -> list[Delivery]:
    """The same for moments of tasks' clocks, which say of which; a unit's system hears of its own unit's tasks only, and of those
    below."""
    found: list[Delivery] = []
    for endpoint in endpoints:
        chosen = [n for n in notices if not endpoint.kinds or CLOCK_EVENTS[n.kind] in endpoint.kinds]
        seen = _seen(endpoint, {n.task.case_id for n in chosen}) if chosen else set()
        own = organisations.subtree_ids(endpoint.user.unit_id) if chosen and endpoint.user.unit_id else None
        for notice in chosen:
            task = notice.task
            if task.case_id in seen and (own is None or task.unit_id in own):
                case, event = task.case, CLOCK_EVENTS[notice.kind]
                body = payload(event, case, version=case.version, state=case.state, at=notice.at) | {"task": task.pk, "clock": notice.clock}
                found.append(_delivery(endpoint, notice.key, body, task.case, at=at))
    return found


def payload(event: str, case: Case, *, version: int, state: str, at: datetime) -> dict[str, Any]:
    """Codes, a number and a moment: who wants more asks the API, which knows what they may see.

    `version` is the length of the case's timeline at the event. Calls may overtake each other: of two about one case, the one
    with the higher version is the later.
    """
    moment = at.isoformat(timespec="milliseconds")
    return {"event": event, "case": case.number, "version": version, "state": state, "at": moment}


def _delivery(
    endpoint: Endpoint, what: str, body: dict[str, Any], case: Case | None, *, at: datetime, entry: TimelineEntry | None = None
) -> Delivery:
    key = f"{Way.WEBHOOK}:{endpoint.pk}:{what}"
    return Delivery(
        key=key,
        channel=Way.WEBHOOK,
        kind=body["event"],
        case=case,
        entry=entry,
        endpoint=endpoint,
        unit_id=endpoint.user.unit_id,
        body={"id": key, **body},
        made_at=at,
        next_at=at,
    )


def test_delivery(endpoint: Endpoint, *, at: datetime) -> Delivery:
    """A call that says nothing, for trying whether the other side hears and checks."""
    body = {"event": "test", "case": None, "version": None, "state": None, "at": at.isoformat(timespec="milliseconds")}
    return _delivery(endpoint, f"test:{int(at.timestamp() * 1000)}", body, None, at=at)


def _seen(endpoint: Endpoint, cases: Iterable[int]) -> set[int]:
    """Which of these cases the account may see now."""
    found = Case.objects.visible_to(endpoint.user).filter(pk__in=list(cases)).filter(_brought_by(endpoint))
    return set(found.values_list("pk", flat=True))


def source_of(endpoint: Endpoint) -> str:
    """The source whose cases alone it is told of: its own setting, or what its account may never look beyond; "" for all."""
    return endpoint.source or next(filter(None, (narrows(endpoint.user) for narrows in narrowed_by)), "")


def _brought_by(endpoint: Endpoint) -> Q:
    source = source_of(endpoint)
    if not source:
        return Q()
    return Q(Exists(Contact.objects.filter(case=OuterRef("pk"), source=source).exclude(source_id="")))


def _left_by(endpoint: Endpoint, entries: Sequence[TimelineEntry]) -> set[tuple[int, datetime]]:
    """Cases that the unit lost by these very entries: its system must learn that the task is gone, or would go on with it."""
    if not endpoint.user.is_unit or not entries or source_of(endpoint):
        return set()
    units = organisations.subtree_ids(endpoint.user.unit_id or 0)
    ended = Task.objects.filter(case__in={e.case_id for e in entries}, unit_id__in=units, finished_at__in={e.at for e in entries})
    rows = ended.exclude(case__accused_unit_id__in=units).values_list("case_id", "finished_at")
    return {(case, finished) for case, finished in rows if finished}


# --- the call ----------------------------------------------------------------------------------------------------


def new_secret() -> str:
    """A fresh secret, as Standard Webhooks writes it: 32 random bytes in base64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, *, key: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the HMAC-SHA256 of id, timestamp and body."""
    signed = f"{key}.{timestamp}.".encode() + body
    mac = hmac.digest(base64.b64decode(secret.removeprefix(_PREFIX)), signed, hashlib.sha256)
    return "v1," + base64.b64encode(mac).decode()


def signatures(endpoint: Endpoint, *, at: datetime, key: str, body: bytes) -> str:
    """One signature, or two while a changed secret and the one before it both hold."""
    held = [endpoint.secret]
    if endpoint.old_secret and endpoint.old_secret_until and at < endpoint.old_secret_until:
        held.append(endpoint.old_secret)
    timestamp = int(at.timestamp())
    return " ".join(signature(str(secret), key=key, timestamp=timestamp, body=body) for secret in held)


def send(delivery: Delivery, *, at: datetime) -> Outcome:
    """Call the system once. Anything but 2xx is a failure; 410 says that it wants no more of this."""
    endpoint = delivery.endpoint
    assert endpoint is not None
    if endpoint.gave_up:
        return Outcome.dead(f"已自动停用：{endpoint.gave_up}")
    refusal = _refusal(delivery, endpoint)
    if refusal:
        return Outcome(State.NOT_SENT, reason=refusal)
    body = json.dumps(delivery.body, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Minsheng-Webhooks/1",
        "webhook-id": delivery.key,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signatures(endpoint, at=at, key=delivery.key, body=body),
    }
    try:
        answer = transport.post(
            endpoint.url,
            body,
            headers,
            seconds=settings.OUTBOX["webhook_seconds"],
            networks=settings.OUTBOX["webhook_networks"],
        )
    except transport.Unreachable as error:
        return Outcome.dead(error.reason) if error.permanent else Outcome.failed(error.reason)
    return judge(answer)


def _refusal(delivery: Delivery, endpoint: Endpoint) -> str:
    """Why it no longer goes out: what the account may not see any more it is not told, however long the event waited."""
    if not endpoint.is_active:
        return "接收系统已停用"
    if not endpoint.user.is_active:
        return "接收系统的账号已停用"
    if delivery.case_id is None:
        return ""
    entries = [delivery.entry] if delivery.entry else []
    seen = delivery.case_id in _seen(endpoint, [delivery.case_id]) or bool(_left_by(endpoint, entries))
    return "" if seen else "该系统已无权知道这件诉求"


def judge(answer: transport.Answer) -> Outcome:
    """What an answer means."""
    if 200 <= answer.status < 300:
        return Outcome.sent(answer.headers.get("x-receipt", "")[:120])
    if 300 <= answer.status < 400:
        return Outcome.failed(f"对方要求跳转（{answer.status}），不跟随")
    if answer.status == GONE:
        return Outcome(State.DEAD, "对方不再接收（410）", unwanted=True)
    return Outcome.failed(f"对方应答 {answer.status}", wait_seconds=_seconds(answer.headers.get("retry-after", "")))


def _seconds(text: str) -> int:
    """Of a Retry-After in seconds; a date, or what is neither, counts as nothing."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
