"""From what was committed to what is to be sent: follows the timeline and the messages, and makes the digests. Clocks: crossings.

Nothing here runs in a case's transaction, and nothing is skipped: the cursor counts transactions, and stands in the database
beside the deliveries that it made, so that both are written or neither (design §2).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from minsheng.audit.queries import end_of_window, safe_horizon
from minsheng.cases.models import Message, Task, TimelineEntry
from minsheng.outbox import notices, rules, webhooks
from minsheng.outbox.choices import DIGEST, State, Way
from minsheng.outbox.models import Crossing, Cursor, Delivery, Endpoint
from minsheng.outbox.notices import Notice

CURSOR = "timeline"
BATCH = 200
FORGOTTEN_AT_ONCE = 5000


@transaction.atomic
def follow(*, at: datetime) -> int:
    """Make the deliveries of what was committed since the last time; how many rows were looked at. About a batch at most.

    The cursor row is locked: a second follower would wait, and then find nothing.
    """
    cursor, _ = Cursor.objects.select_for_update().get_or_create(name=CURSOR, defaults={"xid": safe_horizon()})
    end = end_of_window([TimelineEntry, Message], cursor.xid, safe_horizon(), BATCH)
    window = {"xid__gte": cursor.xid, "xid__lt": end}
    messages = list(Message.objects.filter(**window).select_related("case__applicant").order_by("xid", "id"))
    entries = list(_entries().filter(**window).order_by("xid", "id"))
    if not messages and not entries:
        return 0  # the cursor stays: moving it would itself be a transaction, and so on for ever
    made = [sms_of(message, at) for message in messages]
    made += notices.deliveries(_noticed(entries), at=at)
    made += webhooks.of_entries(entries, endpoints(), at=at)
    Delivery.objects.bulk_create(made, ignore_conflicts=True)
    Cursor.objects.filter(pk=CURSOR).update(xid=end)
    return len(messages) + len(entries)


def _entries() -> QuerySet[TimelineEntry]:
    return webhooks.with_state(TimelineEntry.objects.select_related("case__topic"))


def _noticed(entries: Sequence[TimelineEntry]) -> list[Notice]:
    """What the entries tell units. One query for all tasks of all their cases."""
    tasks: dict[int, list[Task]] = defaultdict(list)
    found = Task.objects.filter(case__in={entry.case_id for entry in entries}).select_related("case__topic").order_by("id")
    for task in found if entries else ():
        tasks[task.case_id].append(task)
    return [notice for entry in entries for notice in notices.of_entry(entry, tasks[entry.case_id])]


def endpoints() -> list[Endpoint]:
    """The systems that are told."""
    return list(Endpoint.objects.filter(is_active=True).select_related("user__unit").order_by("id"))


def sms_of(message: Message, at: datetime) -> Delivery:
    """One text message, or why there is none; asked again at the moment of sending."""
    found = Delivery(
        key=f"{Way.SMS}:{message.pk}",
        channel=Way.SMS,
        kind=message.template,
        case=message.case,
        message=message,
        made_at=at,
        urgent=message.template in rules.AT_ANY_HOUR,
    )
    found.reason = why_no_sms(message, at)
    if found.reason:
        found.state = State.NOT_SENT
        return found
    until = None if found.urgent else rules.quiet_until(at, *sms_quiet())
    found.next_at = until or at
    found.reason = rules.quiet_reason(until) if until else ""
    return found


def why_no_sms(message: Message, at: datetime) -> str:
    """The rules over this message's case and its applicant as they stand now."""
    if rules.stale(at, message.at, settings.OUTBOX["stale_hours"]):
        return "已过时效，不再发送"
    case, who = message.case, message.case.applicant
    return rules.why_no_sms(made_up=case.made_up, anonymous=who.anonymous, confidential=case.confidential, phone=who.phone)


def sms_quiet() -> tuple[time, time]:
    """The hours in which citizens are left alone."""
    start, end = settings.OUTBOX["sms_quiet"]
    return rules.clock_time(start), rules.clock_time(end)


# --- digests -----------------------------------------------------------------------------------------------------


@transaction.atomic
def make_digests(*, at: datetime) -> int:
    """One message for each person whose gathered notices are due; each of its lines points to it. How many."""
    due = Delivery.objects.select_for_update(skip_locked=True).filter(state=State.GATHERED, next_at__lte=at)
    lines: dict[int, list[Delivery]] = defaultdict(list)
    for line in due.order_by("user_id", "next_at", "id")[: BATCH * 10]:
        lines[line.user_id or 0].append(line)
    for user_id, gathered in lines.items():
        _make_digest(user_id, gathered, at)
    return len(lines)


def _make_digest(user_id: int, gathered: list[Delivery], at: datetime) -> None:
    moment = max(line.next_at or at for line in gathered)
    key = f"{Way.EMAIL}:{DIGEST}:user{user_id}:{max(line.pk for line in gathered)}"
    made, _ = Delivery.objects.get_or_create(
        key=key,
        defaults={
            "channel": Way.EMAIL,
            "kind": DIGEST,
            "user_id": user_id,
            "unit_id": gathered[0].unit_id,
            "made_at": at,
            "next_at": at,
        },
    )
    Delivery.objects.filter(pk__in=[line.pk for line in gathered]).update(
        state=State.NOT_SENT, reason=f"已并入 {rules.clock_words(moment)} 的摘要", next_at=None, digest=made
    )


# --- upkeep ------------------------------------------------------------------------------------------------------


def forget(*, at: datetime) -> int:
    """Delete the record of what was settled longer ago than the set days; how many rows. What still waits is kept."""
    before = at - timedelta(days=settings.OUTBOX["kept_days"])
    settled = [State.SENT, State.NOT_SENT, State.DEAD]
    old = Delivery.objects.filter(state__in=settled, made_at__lt=before).order_by("made_at", "id")
    count, _ = Delivery.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])).delete()
    # A crossing is looked up only while its due moment is news.
    Crossing.objects.filter(at__lt=before, due_at__lt=before).delete()
    return count
