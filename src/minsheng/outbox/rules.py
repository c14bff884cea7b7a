"""Pure rules of sending: quiet hours, digests, retries, and what a citizen may be sent. No database, no clock."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta

from minsheng.outbox.choices import State, Way
from minsheng.secrecy import redact
from minsheng.worktime.moments import ONE_DAY, SHANGHAI, local

# Answers to what the citizen did a minute ago, or where to turn in danger: these come at any hour.
AT_ANY_HOUR = frozenset({"received", "transferred", "withdrawn"})
# How often before a person must look: a message is stale within hours, a system may be down over a night (unsourced).
MOST_ATTEMPTS = {Way.SMS: 8, Way.EMAIL: 10, Way.WEBHOOK: 12}
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=4)
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LINK = "全文请凭编号和查询码查看。"


def quiet_until(at: datetime, start: time | None, end: time | None) -> datetime | None:
    """The end of the quiet hours that `at` lies in, Shanghai time; None outside them. [start, end), perhaps over midnight;
    equal ends mean none."""
    if start is None or end is None or start == end:
        return None
    now = local(at)
    today = datetime.combine(now.date(), end, tzinfo=SHANGHAI)
    clock = now.time()
    if start < end:
        return today if start <= clock < end else None
    if clock >= start:
        return today + ONE_DAY
    return today if clock < end else None


def next_digest(at: datetime, times: Iterable[time]) -> datetime:
    """The first of a day's set times strictly after `at`, Shanghai time. Errors: ValueError without any."""
    day = local(at).date()
    moments = [datetime.combine(day + extra, each, tzinfo=SHANGHAI) for extra in (timedelta(0), ONE_DAY) for each in times]
    return min(moment for moment in moments if moment > at)


def pause_after(attempts: int, roll: float) -> timedelta:
    """How long to wait after so many failed attempts: doubling up to a cap, half of it by chance (`roll` in [0, 1)), so that
    what failed together is not tried again together."""
    whole = min(FIRST_PAUSE * 2 ** min(max(attempts - 1, 0), 20), LONGEST_PAUSE)
    return whole * (0.5 + roll / 2)


def after_failure(way: str, attempts: int) -> State:
    """Try again, or leave it to a person."""
    return State.DEAD if attempts >= MOST_ATTEMPTS[Way(way)] else State.FAILED


def why_no_sms(*, made_up: bool, anonymous: bool, confidential: bool, phone: str | None) -> str:
    """Why a citizen gets no text message; "" when they do (domain.md §2.10: who asked for secrecy is not named by a phone
    that others may pick up; they read on with number and code)."""
    if made_up:
        return "演示数据，不发送"
    if confidential:
        return "保密件，不发短信"
    if anonymous:
        return "匿名诉求，没有收件人"
    if not phone:
        return "未留号码"
    return "" if _MOBILE.fullmatch(phone) else "所留号码不能接收短信"


def sms_text(text: str, *, signature: str, most: int) -> str:
    """What travels: without personal data that a reply's words may hold (domain.md §11), signed, and cut with the way to the
    whole where it is too long."""
    words = redact(text).strip()
    room = most - len(signature)
    if len(words) > room:
        words = words[: max(room - len(_LINK) - 1, 0)] + "…" + _LINK
    return signature + words


def clock_time(text: str) -> time:
    """`22:00` of the settings."""
    return time.fromisoformat(text)


def clock_words(moment: datetime) -> str:
    """`07:30`, Shanghai."""
    return f"{local(moment):%H:%M}"


def quiet_reason(until: datetime) -> str:
    """Why something waits."""
    return f"静默时段，{clock_words(until)} 后发送"


def mask_email(address: str) -> str:
    """`li***@fuzhou.gov.cn`: enough to see that it is the right one."""
    name, _, host = address.rpartition("@")
    return f"{name[:2] if len(name) > 3 else name[:1]}***@{host}" if name else "***"


def stale(at: datetime, made_at: datetime, hours: int) -> bool:
    """News that is too old to be sent: nobody followed for so long, or it was brought in from elsewhere."""
    return at - made_at > timedelta(hours=hours)


def join(parts: Sequence[str]) -> str:
    """`咨询 · 路灯`, without what is empty."""
    return " · ".join(part for part in parts if part)
