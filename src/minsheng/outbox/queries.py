"""Every read of this room: the record of what was sent, as each may see it; systems; how a unit stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Count, Q, QuerySet, Sum

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.cases import queries as cases
from minsheng.cases.choices import TaskState
from minsheng.cases.models import Case
from minsheng.cases.rules import normalise_number
from minsheng.errors import Refused
from minsheng.outbox import rules, wording
from minsheng.outbox.choices import State, Way
from minsheng.outbox.models import Delivery, Endpoint, NoticePreference
from minsheng.secrecy import mask_phone
from minsheng.worktime.moments import day_of, end_of, midnight

ORDER = ("-made_at", "-id")
# They answer for what citizens were told.
_SEE_MESSAGES = frozenset({Role.TEAM_LEADER, Role.HOTLINE_LEADER})


def visible(user: User) -> QuerySet[Delivery]:
    """The record as this person may see it: the system administrator all of it (without persons), a unit's people what went to
    their unit, the centre's leaders what the citizens of their cases were told, everybody what went to themselves."""
    if not user.is_active:
        return Delivery.objects.none()
    if user.has_role(Role.SYSTEM_ADMIN):
        return Delivery.objects.all()
    own = Q(user=user)
    if user.is_unit:
        own |= Q(unit=user.unit_id)
    if user.has_any(_SEE_MESSAGES):
        own |= Q(channel=Way.SMS, case__in=Case.objects.visible_to(user))
    return Delivery.objects.filter(own)


# The tabs of the record: what is not settled is one of them, whatever it waits for.
STATES: Mapping[str, tuple[State, ...]] = {
    State.DEAD.value: (State.DEAD,),
    State.NOT_SENT.value: (State.NOT_SENT,),
    State.WAITING.value: (State.WAITING, State.FAILED, State.GATHERED),
    State.SENT.value: (State.SENT,),
}


def log(user: User, filters: Mapping[str, Any]) -> QuerySet[Delivery]:
    """The record, filtered, with what a line shows."""
    found = filtered(visible(user), filters)
    related = ("case__applicant", "user__notice_preference", "unit", "endpoint", "digest")
    return found.select_related(*related).defer("body", "case__text", "case__unit_text", "case__applicant__address")


def filtered(found: QuerySet[Delivery], filters: Mapping[str, Any]) -> QuerySet[Delivery]:
    """By state, channel, system, number, day."""
    if states := STATES.get(filters.get("state") or ""):
        found = found.filter(state__in=states)
    if filters.get("channel"):
        found = found.filter(channel=filters["channel"])
    if filters.get("endpoint"):
        found = found.filter(endpoint=filters["endpoint"])
    if filters.get("number"):
        found = found.filter(case__number=normalise_number(filters["number"]))
    if day := filters.get("day"):
        found = found.filter(made_at__gte=midnight(day), made_at__lt=end_of(day))
    return found


def delivery_for(user: User, pk: int) -> Delivery:
    """One of them. Errors: not_found."""
    found = visible(user).filter(pk=pk).first()
    if found is None:
        raise Refused("not_found")
    return found


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of the record as a person reads it."""

    delivery: Delivery
    what: str
    whom: str
    why: str
    number: str
    may_resend: bool


def shown(delivery: Delivery, user: User) -> Shown:
    """When, what, to whom, and if not, why not."""
    return Shown(
        delivery=delivery,
        what=wording.kind_label(delivery),
        whom=whom(delivery, user),
        why=why(delivery),
        number=str(delivery.case.number) if delivery.case else "",
        may_resend=delivery.state == State.DEAD,
    )


def whom(delivery: Delivery, user: User) -> str:
    """The receiver, masked; of citizens nothing to those who see no cases."""
    if delivery.endpoint:
        return f"{delivery.endpoint.name}（{urlsplit(delivery.endpoint.url).hostname or ''}）"
    if delivery.channel == Way.SMS:
        return _citizen(delivery, user)
    if delivery.user is None:
        return str(delivery.unit or "")
    preference: NoticePreference | None = getattr(delivery.user, "notice_preference", None)
    address = rules.mask_email(preference.email) if preference and preference.email else ""
    return rules.join([str(delivery.user), address])


def _citizen(delivery: Delivery, user: User) -> str:
    case = delivery.case
    if case is None or case.confidential or not user.has_any(_SEE_MESSAGES) or case.applicant.anonymous:
        return "诉求人"
    return rules.join(["诉求人", mask_phone(case.applicant.phone or "")])


def why(delivery: Delivery) -> str:
    """The reason of a state, and what is known of the attempts."""
    parts = [delivery.reason or delivery.last_error]
    if delivery.attempts > 1:
        parts.append(f"试了 {delivery.attempts} 次")
    if delivery.doubts:
        parts.append(f"可能重复 {delivery.doubts} 次")
    if delivery.receipt and delivery.channel == Way.SMS:
        parts.append(f"回执 {delivery.receipt}")
    return "，".join(part for part in parts if part)


def dead_count(user: User, at: datetime) -> tuple[int, str]:
    """How many wait for a person, for the rail. One query."""
    count = visible(user).filter(state=State.DEAD).count()
    return count, "red" if count else "none"


@dataclass(frozen=True, slots=True)
class Stuck:
    """What needs a person: stopped being tried; due for so long that nobody can be sending; systems we stopped calling."""

    dead: int
    late: int
    given_up: list[Endpoint]


# A queue may be long for a while in the morning; so long it is only without a sender.
LATE = timedelta(minutes=30)


def stuck(*, at: datetime) -> Stuck:
    """Two queries, over small partial indexes and a short table. What waits behind a system that fails is not ours to send."""
    late = Q(state=State.WAITING, next_at__lte=at - LATE, attempts=0, endpoint__failing_since=None)
    wanted = Delivery.objects.filter(Q(state=State.DEAD) | late)
    counted = wanted.aggregate(dead=Count("pk", filter=Q(state=State.DEAD)), late=Count("pk", filter=late))
    return Stuck(counted["dead"], counted["late"], list(Endpoint.objects.exclude(gave_up="").order_by("name")))


def repeated() -> int:
    """How many attempts may have been repetitions, because their sender died before it could record them."""
    return Delivery.objects.filter(doubts__gt=0).aggregate(sum=Sum("doubts"))["sum"] or 0


def endpoints() -> QuerySet[Endpoint]:
    """Systems with their accounts and how many of their calls wait for a person."""
    dead = Count("deliveries", filter=Q(deliveries__state=State.DEAD))
    return Endpoint.objects.select_related("user__unit").annotate(dead=dead).order_by("-is_active", "name")


def endpoint(pk: int) -> Endpoint:
    """One. Errors: not_found."""
    found = Endpoint.objects.select_related("user__unit").filter(pk=pk).first()
    if found is None:
        raise Refused("not_found")
    return found


def deliveries_to(endpoint: Endpoint) -> QuerySet[Delivery]:
    """What was called there, for its own system."""
    related = Delivery.objects.filter(endpoint=endpoint).select_related("case")
    return related.only(*_OF_A_CALL, "case__number")


_OF_A_CALL = ("key", "kind", "state", "reason", "last_error", "attempts", "made_at", "next_at", "sent_at", "case_id")


def endpoints_of(user: User) -> list[Endpoint]:
    """The systems that are told what this person's unit is told."""
    if user.unit_id is None:
        return []
    return list(Endpoint.objects.filter(user__unit=user.unit_id, is_active=True).order_by("name"))


def preference_of(user: User) -> NoticePreference | None:
    """What the person has chosen; None until they have."""
    return NoticePreference.objects.filter(user=user).first()


def last_letter(user: User) -> Delivery | None:
    """The last letter that was tried, or is to be, for this person: whether their address works."""
    tried = Delivery.objects.filter(user=user, state__in=[State.SENT, State.DEAD, State.FAILED, State.WAITING])
    return tried.order_by(*ORDER).first()


def standing(user: User, *, at: datetime) -> dict[str, int]:
    """How the unit stands now: what it owes, what of that is unread, late, or falls due today. One query."""
    today = Q(due_at__gt=at, due_at__lte=end_of(day_of(at)))
    told: dict[str, int] = (
        cases.active_tasks(user)
        .order_by()
        .aggregate(
            all=Count("pk"),
            unread=Count("pk", filter=Q(state=TaskState.TO_READ)),
            late=Count("pk", filter=Q(due_at__lte=at)),
            today=Count("pk", filter=today),
        )
    )
    return told
