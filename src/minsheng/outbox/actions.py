"""Every write of this room that a person makes: how they want to be told, sending again, and the systems that listen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.audit.actions import record
from minsheng.errors import Refused
from minsheng.outbox import notices, queries, transport, webhooks, wording
from minsheng.outbox.choices import TEST, State, Timing, Way
from minsheng.outbox.models import Delivery, Endpoint, NoticePreference

MOST_DIGESTS = 4
# A page of the record twenty times over; more than that is pressed again.
MOST_RESENT = 1000
# What an account may register for itself over the API; the system administrator registers as many as there are.
MOST_OWN_ENDPOINTS = 5
BETWEEN_TESTS = timedelta(minutes=1)


# --- how one is told ---------------------------------------------------------------------------------------------


def save_preference(
    *,
    actor: User,
    at: datetime,
    email: str,
    timings: Mapping[str, str],
    digest_at: Sequence[time],
    quiet: tuple[time, time] | None,
) -> NoticePreference:
    """How a person of a unit, or an auditor, wants to be told; the address is neither audited nor logged, only that it changed.

    Errors: forbidden, invalid.
    """
    kinds = notices.kinds_for(actor)
    if not kinds:
        raise Refused("forbidden", action="设置通知")
    address = _checked_email(email)
    unknown = set(timings) - set(kinds)
    if unknown or not set(timings.values()) <= set(Timing.values):
        raise Refused("invalid", message="有不认识的通知事项。")
    digest = [kind.value for kind in kinds if timings.get(kind) == Timing.DIGEST]
    if digest and not digest_at:
        raise Refused("invalid", message="请至少设一个摘要时间，或不要选“并入摘要”。")
    if len(set(digest_at)) > MOST_DIGESTS:
        raise Refused("invalid", message=f"一天最多 {MOST_DIGESTS} 次摘要。")
    values = {
        "email": address or None,
        "at_once": [kind.value for kind in kinds if timings.get(kind) == Timing.AT_ONCE],
        "digest": digest,
        "digest_at": sorted(set(digest_at)),
        "quiet_from": quiet[0] if quiet else None,
        "quiet_to": quiet[1] if quiet else None,
        "changed_at": at,
    }
    with transaction.atomic():
        before = NoticePreference.objects.select_for_update().filter(user=actor).first()
        saved, _ = NoticePreference.objects.update_or_create(user=actor, defaults=values)
        changed = (before.email if before else None) != saved.email
        record(actor=actor, at=at, code="outbox.preference_saved", subject=saved, detail={"address_changed": changed})
    return saved


def _checked_email(email: str) -> str:
    address = email.strip()
    if not address:
        return ""
    try:
        validate_email(address)
    except ValidationError:
        raise Refused("invalid", message="邮箱格式不对，例如 name@fuzhou.gov.cn。") from None
    if len(address) > 200:
        raise Refused("invalid", message="邮箱最多 200 个字符。")
    return address


@transaction.atomic
def test_letter(*, actor: User, at: datetime) -> Delivery:
    """A letter that says nothing, so that a person sees whether their address is right; its fate stands in the record.

    Errors: forbidden, invalid (no address, or one a moment ago).
    """
    if not notices.kinds_for(actor):
        raise Refused("forbidden", action="发送测试邮件")
    preference = NoticePreference.objects.select_for_update().filter(user=actor).first()
    if preference is None or not preference.email:
        raise Refused("invalid", message="请先填写邮箱并保存。")
    if Delivery.objects.filter(user=actor, kind=TEST, made_at__gt=at - BETWEEN_TESTS).exists():
        raise Refused("invalid", message="刚发过一封，请稍等一分钟。")
    return Delivery.objects.create(
        key=f"{Way.EMAIL}:user{actor.pk}:{TEST}:{int(at.timestamp() * 1000)}",
        channel=Way.EMAIL,
        kind=TEST,
        urgent=True,
        user=actor,
        unit_id=actor.unit_id,
        made_at=at,
        next_at=at,
    )


# --- sending again -----------------------------------------------------------------------------------------------


@transaction.atomic
def resend(*, actor: User, at: datetime, delivery: Delivery) -> Delivery:
    """重发: what stopped is tried again, with the same key, as often as a new one. Pressed twice it is sent once.

    Errors: not_found (outside what the person may see), not_dead.
    """
    if not queries.visible(actor).filter(pk=delivery.pk).exists():
        raise Refused("not_found")
    locked = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if locked.state != State.DEAD:
        raise Refused("not_dead", state=locked.get_state_display())
    locked.state, locked.next_at, locked.attempts, locked.reason = State.WAITING, at, 0, ""
    locked.save(update_fields=["state", "next_at", "attempts", "reason"])
    if locked.endpoint_id:
        Endpoint.objects.filter(pk=locked.endpoint_id).update(rests_until=None)
    record(
        actor=actor,
        at=at,
        code="outbox.resent",
        subject=locked,
        subject_label=locked.key,
        detail={"kind": locked.kind, "channel": locked.channel},
    )
    return locked


def resend_all(*, actor: User, at: datetime, filters: Mapping[str, Any]) -> int:
    """重发 what stopped of the record so filtered, of what the person may see; the newest thousand at most. How many.

    They go out in the order in which they came about. One entry on the audit log.
    """
    detail = {name: str(value) for name, value in filters.items() if value and name != "state"}
    return _resend(queries.filtered(queries.visible(actor), filters), actor, at, detail)


def resend_to(*, actor: User, at: datetime, endpoint: Endpoint) -> int:
    """The same for one system, by its own account. Errors: forbidden."""
    _require(actor, "重发推送", endpoint.user_id)
    return _resend(Delivery.objects.filter(endpoint=endpoint), actor, at, {"endpoint": endpoint.name})


@transaction.atomic
def _resend(among: QuerySet[Delivery], actor: User, at: datetime, detail: dict[str, Any]) -> int:
    keys = list(among.filter(state=State.DEAD).order_by(*queries.ORDER).values_list("pk", flat=True)[:MOST_RESENT])
    locked = Delivery.objects.select_for_update().filter(pk__in=keys, state=State.DEAD).order_by("pk")
    rows = list(locked.values_list("pk", "endpoint_id"))
    if rows:
        again = Delivery.objects.filter(pk__in=[pk for pk, _ in rows])
        again.update(state=State.WAITING, next_at=at, attempts=0, reason="")
        Endpoint.objects.filter(pk__in={endpoint for _, endpoint in rows if endpoint}).update(rests_until=None)
        record(actor=actor, at=at, code="outbox.resent_many", detail={"count": len(rows)} | detail)
    return len(rows)


# --- systems that listen -----------------------------------------------------------------------------------------


def register_endpoint(
    *,
    actor: User,
    at: datetime,
    name: str,
    url: str,
    user: User,
    kinds: Collection[str] = (),
    source: str = "",
) -> tuple[Endpoint, str]:
    """A system that is to be told what the account `user` may know; the secret is answered once and never shown again.

    The system administrator registers any, an account its own. `kinds` empty: every event. `source`: only cases that this
    source brought. Errors: forbidden, invalid.
    """
    _require(actor, "登记接收系统", user.pk)
    values = _checked_endpoint(name, url, user, kinds, source)
    if actor.pk == user.pk and Endpoint.objects.filter(user=user).count() >= MOST_OWN_ENDPOINTS:
        raise Refused("invalid", message=f"一个账号最多自行登记 {MOST_OWN_ENDPOINTS} 个接收地址。")
    secret = webhooks.new_secret()
    try:
        with transaction.atomic():
            made = Endpoint.objects.create(secret=secret, made_at=at, **values)
            _record(actor, at, "outbox.endpoint_registered", made)
    except IntegrityError:
        raise Refused("invalid", message="已有同名的接收系统。") from None
    return made, secret


def change_endpoint(
    *,
    actor: User,
    at: datetime,
    endpoint: Endpoint,
    name: str,
    url: str,
    user: User,
    kinds: Collection[str] = (),
    source: str = "",
) -> Endpoint:
    """Name, address, account, events. What already waits goes to the new address, if the account may still know it."""
    _require(actor, "修改接收系统", endpoint.user_id)
    if user.pk != endpoint.user_id:
        _require(actor, "更换接收系统的账号")
    values = _checked_endpoint(name, url, user, kinds, source)
    try:
        with transaction.atomic():
            locked = _locked(endpoint)
            for field, value in values.items():
                setattr(locked, field, value)
            locked.rests_until = locked.failing_since = None
            locked.save(update_fields=[*values, "rests_until", "failing_since"])
            _record(actor, at, "outbox.endpoint_changed", locked)
    except IntegrityError:
        raise Refused("invalid", message="已有同名的接收系统。") from None
    return locked


@transaction.atomic
def rotate_secret(*, actor: User, at: datetime, endpoint: Endpoint) -> str:
    """A new secret, answered once. Both sign for `rotation_hours`, so that the other side changes when it can."""
    _require(actor, "更换密钥", endpoint.user_id)
    locked = _locked(endpoint)
    locked.old_secret, locked.secret = locked.secret, webhooks.new_secret()
    locked.old_secret_until = at + timedelta(hours=settings.OUTBOX["rotation_hours"])
    locked.save(update_fields=["secret", "old_secret", "old_secret_until"])
    _record(actor, at, "outbox.secret_rotated", locked)
    return str(locked.secret)


@transaction.atomic
def switch_endpoint(*, actor: User, at: datetime, endpoint: Endpoint, active: bool) -> Endpoint:
    """停用 or 启用. While stopped nothing is made for it; what waited is recorded as not sent, but where it stopped by itself
    stays for a person to send again. Stopping one that stopped by itself says that nobody wants it back: the alarm ends."""
    _require(actor, "启用或停用接收系统", endpoint.user_id)
    locked = _locked(endpoint)
    if locked.is_active != active or locked.gave_up:
        locked.is_active, locked.rests_until, locked.failing_since, locked.gave_up = active, None, None, ""
        locked.save(update_fields=["is_active", "rests_until", "failing_since", "gave_up"])
        _record(actor, at, "outbox.endpoint_started" if active else "outbox.endpoint_stopped", locked)
    return locked


@transaction.atomic
def test_endpoint(*, actor: User, at: datetime, endpoint: Endpoint) -> Delivery:
    """Queue a call that says nothing; its fate stands in the record."""
    _require(actor, "测试接收系统", endpoint.user_id)
    made = webhooks.test_delivery(endpoint, at=at)
    made.save(force_insert=True)
    Endpoint.objects.filter(pk=endpoint.pk).update(rests_until=None)
    return made


def _require(actor: User, action: str, owner: int | None = None) -> None:
    """The system administrator, or the account that the endpoint is of (over the API; no screen offers it)."""
    if not actor.is_active or not (actor.has_role(Role.SYSTEM_ADMIN) or actor.pk == owner):
        raise Refused("forbidden", action=action)


def _locked(endpoint: Endpoint) -> Endpoint:
    found = Endpoint.objects.select_for_update().filter(pk=endpoint.pk).first()
    if found is None:
        raise Refused("not_found")
    return found


def _checked_endpoint(name: str, url: str, user: User, kinds: Collection[str], source: str) -> dict[str, object]:
    """The values, or why they will not do. The address is judged now and again at every call."""
    name, url = name.strip(), url.strip()
    if not name or len(name) > 60:
        raise Refused("invalid", message="请填写系统名称，最多 60 字。")
    if set(kinds) - set(wording.event_labels()):
        raise Refused("invalid", message="有不认识的事项。")
    if not user.is_active or not (user.is_unit or user.is_centre):
        raise Refused("invalid", message="账号须是在用的单位账号或热线账号；管理员看不到诉求件。")
    try:
        transport.judged(transport.target_of(url), settings.OUTBOX["webhook_networks"])
    except transport.Unreachable as error:
        raise Refused("invalid", message=f"{error.reason}。") from None
    ordered = [code for code in wording.event_labels() if code in kinds]
    return {"name": name, "url": url, "user": user, "kinds": ordered, "source": source.strip()[:40]}


def _record(actor: User, at: datetime, code: str, endpoint: Endpoint) -> None:
    # The host alone: the rest of an address may be a secret of the other side's.
    host = urlsplit(endpoint.url).hostname
    detail = {"host": host, "account": endpoint.user.username, "kinds": endpoint.kinds, "source": endpoint.source}
    record(actor=actor, at=at, code=code, subject=endpoint, subject_label=endpoint.name, detail=detail)
