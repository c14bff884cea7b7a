"""Taking what is due, sending it, and recording what came of it.

A sender takes a delivery by moving its next moment a lease ahead, in a transaction of its own, and sends without holding any.
While the lease runs nobody else takes it; every way of sending ends long before. If the sender dies between sending and
recording, the lease runs out and it is sent again with the same key: at least once, and what may be a repetition is counted.
"""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Min
from django.utils import timezone

from minsheng.audit.actions import record
from minsheng.outbox import mail, rules, sms, webhooks
from minsheng.outbox.choices import DUE_STATES, State, Way
from minsheng.outbox.models import Delivery, Endpoint
from minsheng.outbox.outcomes import Outcome

# Far beyond the longest attempt: ten seconds of HTTP, or some commands of SMTP with ten seconds each.
LEASE = timedelta(minutes=5)
_SENDERS = {Way.SMS: sms.send, Way.EMAIL: mail.send, Way.WEBHOOK: webhooks.send}
_log = structlog.get_logger(__name__)


@transaction.atomic
def claim(channel: str, *, at: datetime) -> Delivery | None:
    """Take the delivery that has waited longest; None when none is due. What another sender holds is passed over."""
    due = Delivery.objects.filter(channel=channel, state__in=sorted(DUE_STATES), next_at__lte=at)
    if channel == Way.WEBHOOK:
        resting = Endpoint.objects.filter(rests_until__gt=at).values("pk")
        due = due.exclude(endpoint__in=resting)
    found = due.select_for_update(skip_locked=True, of=("self",)).order_by("next_at", "id").first()
    if found is None:
        return None
    if found.claimed_at is not None:
        found.doubts += 1
        _log.warning("outbox.outcome_unknown", delivery=found.key)
    found.claimed_at, found.next_at, found.attempts = at, at + LEASE, found.attempts + 1
    found.save(update_fields=["claimed_at", "next_at", "attempts", "doubts"])
    return found


def conclude(delivery: Delivery, outcome: Outcome, *, at: datetime, roll: float) -> bool:
    """Record what came of an attempt; False when the lease ran out meanwhile and another sender's word counts."""
    state, next_at = outcome.state, None
    if state is State.FAILED:
        state = rules.after_failure(delivery.channel, delivery.attempts)
        pause = max(rules.pause_after(delivery.attempts, roll), timedelta(seconds=outcome.wait_seconds))
        next_at = at + min(pause, rules.LONGEST_PAUSE) if state is State.FAILED else None
    elif state is State.WAITING:
        next_at = outcome.until
    failed = outcome.state in (State.FAILED, State.DEAD)
    changed = Delivery.objects.filter(pk=delivery.pk, claimed_at=delivery.claimed_at, state__in=sorted(DUE_STATES)).update(
        state=state,
        reason="" if state is State.SENT else outcome.reason[:200],
        last_error=outcome.reason[:200] if failed else delivery.last_error,
        receipt=outcome.receipt,
        claimed_at=None,
        attempts=delivery.attempts - (state is State.WAITING),
        next_at=next_at,
        sent_at=at if state is State.SENT else None,
    )
    if changed and delivery.endpoint_id:
        _judge_system(delivery.endpoint_id, outcome, next_at, at)
    return bool(changed)


def _judge_system(endpoint: int, outcome: Outcome, next_at: datetime | None, at: datetime) -> None:
    """What an attempt says of the system it went to. A success ends its rest and its run of failures; a failure lets it rest
    until the next try, half an hour at most for the others' sake; a run of failures without end, or its own word, stops it."""
    rows = Endpoint.objects.filter(pk=endpoint)
    if outcome.state is State.SENT:
        rows.exclude(rests_until=None, failing_since=None).update(rests_until=None, failing_since=None)
    elif outcome.state in (State.FAILED, State.DEAD):
        rows.filter(failing_since=None).update(failing_since=at)
        if next_at is not None:
            rows.update(rests_until=min(next_at, at + timedelta(minutes=30)))
        _give_up(endpoint, outcome, at)


@transaction.atomic
def _give_up(endpoint: int, outcome: Outcome, at: datetime) -> None:
    """Stop a system that wants nothing more, or that has answered nothing well for the set hours; an alarm says so, and what
    waits for it is left to a person."""
    hours = settings.OUTBOX["webhook_gives_up_hours"]
    found = Endpoint.objects.select_for_update().filter(pk=endpoint, is_active=True).first()
    if found is None or found.failing_since is None:
        return
    if not outcome.unwanted and at - found.failing_since < timedelta(hours=hours):
        return
    found.gave_up = outcome.reason[:60] if outcome.unwanted else f"连续 {hours} 小时没有一次成功"
    found.is_active, found.rests_until = False, None
    found.save(update_fields=["gave_up", "is_active", "rests_until"])
    record(actor=None, at=at, code="outbox.endpoint_gave_up", subject=found, subject_label=found.name, why=found.gave_up)


def send_one(channel: str, *, now: Callable[[], datetime] = timezone.now, roll: Callable[[], float] = random.random) -> bool:
    """Take, send and record one delivery; False when none was due."""
    delivery = claim(channel, at=now())
    if delivery is None:
        return False
    conclude(delivery, attempt(delivery, at=now()), at=now(), roll=roll())
    return True


def attempt(delivery: Delivery, *, at: datetime) -> Outcome:
    """Send outside any transaction. A mistake of ours is a failure like any other: the rest of the queue goes on."""
    try:
        return _SENDERS[Way(delivery.channel)](delivery, at=at)
    except Exception as error:
        # No traceback: its lines may hold a number or an address.
        _log.error("outbox.sender_failed", delivery=delivery.key, error=type(error).__name__, where=_where(error))
        return Outcome.failed(f"系统内部错误（{type(error).__name__}）")


def _where(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.name}:{frame.lineno}"


def due_channels(*, at: datetime) -> dict[str, datetime]:
    """The ways by which something is due, each with since when. One query."""
    rows = Delivery.objects.filter(state__in=sorted(DUE_STATES), next_at__lte=at).exclude(
        endpoint__in=Endpoint.objects.filter(rests_until__gt=at), endpoint__isnull=False
    )
    found = rows.order_by().values_list("channel").annotate(since=Min(F("next_at")))
    return dict(found)
