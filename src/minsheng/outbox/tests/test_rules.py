"""Pure rules: hours, digests, pauses, what a citizen may be sent, which addresses may be called."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minsheng.outbox import rules, transport
from minsheng.outbox.choices import State, Way
from minsheng.outbox.rules import next_digest, pause_after, quiet_until, sms_text, why_no_sms
from minsheng.secrecy import find_personal
from minsheng.worktime.moments import SHANGHAI, local

moments = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)).map(lambda m: m.replace(tzinfo=SHANGHAI))
clocks = st.times().map(lambda t: t.replace(second=0, microsecond=0))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-24 {text}").replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("now", "until"),
    [("21:59", None), ("22:00", "2026-11-25 07:00"), ("23:59", "2026-11-25 07:00"), ("00:00", "2026-11-24 07:00"),
     ("06:59", "2026-11-24 07:00"), ("07:00", None), ("12:00", None)],
)  # fmt: skip
def test_the_night(now: str, until: str | None) -> None:
    found = quiet_until(at(now), time(22), time(7))
    assert (f"{local(found):%Y-%m-%d %H:%M}" if found else None) == until


@given(moments, clocks, clocks)
def test_quiet_hours_end_within_a_day_and_outside_themselves(now: datetime, start: time, end: time) -> None:
    until = quiet_until(now, start, end)
    if start == end:
        assert until is None
    if until is not None:
        assert timedelta(0) < until - now <= timedelta(days=1)
        assert local(until).time() == end
        assert quiet_until(until, start, end) is None, "what waited is not made to wait again"


@given(moments, clocks, clocks)
def test_every_moment_is_quiet_in_one_of_two_complements(now: datetime, start: time, end: time) -> None:
    if start != end:
        assert (quiet_until(now, start, end) is None) != (quiet_until(now, end, start) is None)


@given(moments, st.lists(clocks, min_size=1, max_size=4))
def test_the_next_digest_is_the_first_set_time_after(now: datetime, times: list[time]) -> None:
    found = next_digest(now, times)
    assert now < found <= now + timedelta(days=1)
    assert local(found).time() in times
    between = [t for t in times if now < datetime.combine(local(now).date(), t, tzinfo=SHANGHAI) < found]
    assert not between


@given(st.integers(1, 40), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_to_a_cap_and_never_vanish(attempts: int, roll: float) -> None:
    pause = pause_after(attempts, roll)
    assert rules.FIRST_PAUSE / 2 <= pause <= rules.LONGEST_PAUSE
    assert pause_after(attempts + 1, roll) >= pause


def test_what_fails_for_long_enough_is_left_to_a_person() -> None:
    assert [rules.after_failure(Way.SMS, n) for n in (1, 7, 8)] == [State.FAILED, State.FAILED, State.DEAD]
    whole = sum((pause_after(n, 0.999) for n in range(1, rules.MOST_ATTEMPTS[Way.WEBHOOK])), timedelta())
    assert timedelta(hours=8) < whole < timedelta(days=1), "a system that is down over a night is reached in the morning"


@pytest.mark.parametrize(
    ("phone", "why"),
    [("13800138000", ""), ("", "未留号码"), (None, "未留号码"), ("059187654321", "所留号码不能接收短信"),
     ("12800138000", "所留号码不能接收短信"), ("+85291234567", "所留号码不能接收短信"), ("138001380001", "所留号码不能接收短信")],
)  # fmt: skip
def test_which_numbers_take_a_message(phone: str | None, why: str) -> None:
    assert why_no_sms(made_up=False, anonymous=False, confidential=False, phone=phone) == why


@given(st.booleans(), st.booleans(), st.booleans())
def test_a_reason_of_the_person_outweighs_the_number(made_up: bool, anonymous: bool, confidential: bool) -> None:
    why = why_no_sms(made_up=made_up, anonymous=anonymous, confidential=confidential, phone="13800138000")
    assert bool(why) == (made_up or anonymous or confidential)


@given(st.text(max_size=900), st.integers(80, 400))
def test_a_message_is_never_longer_than_set(text: str, most: int) -> None:
    assert len(sms_text(text, signature="【民声12345】", most=most)) <= most


def test_a_replys_words_leave_no_person_in_the_message() -> None:
    text = sms_text("已联系林先生，电话 13911112222，家住金山大道 618 号 3 栋 501 室，问题已解决。", signature="【民声】", most=300)
    assert not find_personal(text) and "13911112222" not in text and "问题已解决" in text


@given(st.text(st.characters(exclude_characters="@"), max_size=30), st.sampled_from(["example.gov.cn", "fz.cn"]))
def test_a_masked_address_does_not_give_the_name(name: str, host: str) -> None:
    masked = rules.mask_email(f"{name}@{host}")
    assert masked == (name[: 2 if len(name) > 3 else 1] + "***@" + host if name else "***")


ALLOWED = [
    ("8.8.8.8", True), ("2400:3200::1", True),
    ("127.0.0.1", False), ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.1.1", False), ("169.254.169.254", False),
    ("100.64.0.1", False), ("0.0.0.0", False), ("255.255.255.255", False), ("224.0.0.1", False), ("240.0.0.1", False),
    ("::1", False), ("::", False), ("fe80::1", False), ("fd00::1", False), ("ff02::1", False),
    ("::ffff:10.0.0.1", False), ("::ffff:127.0.0.1", False), ("64:ff9b::a00:1", False), ("2002:a00:1::", False),
    ("2001:db8::1", False),
]  # fmt: skip


@pytest.mark.parametrize(("address", "may"), ALLOWED)
def test_which_addresses_may_be_called(address: str, may: bool) -> None:
    assert transport.may_call(ip_address(address), []) is may


def test_a_setting_lets_the_citys_own_network_in_and_nothing_beside_it() -> None:
    assert transport.may_call(ip_address("10.20.3.4"), ["10.20.0.0/16"])
    assert transport.may_call(ip_address("::ffff:10.20.3.4"), ["10.20.0.0/16"])
    assert not transport.may_call(ip_address("10.21.0.1"), ["10.20.0.0/16"])


@pytest.mark.parametrize(
    "url",
    ["", "ftp://a.cn/", "https://", "https://user:pw@a.cn/", "https://user@a.cn/", "https://a.cn/\r\nX: y", "https://a.cn/ b",
     "https://a.cn:99999/", "https://a.cn:x/", "//a.cn/", "https://[::1", "javascript:alert(1)", "https://例子.cn/",
     "https://a.cn/#x", "file:///etc/passwd", "https://a.cn/" + "x" * 400],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(transport.Unreachable) as refused:
        transport.target_of(url)
    assert refused.value.permanent


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        target = transport.target_of(text)
    except transport.Unreachable:
        return
    assert target.host and target.path.startswith(("/", "?"))


def test_plain_http_stays_within_this_machine() -> None:
    with pytest.raises(transport.Unreachable, match="https"):
        transport.judged(transport.target_of("http://8.8.8.8/"), [])
    assert transport.judged(transport.target_of("http://127.0.0.1/"), ["127.0.0.0/8"]) == ["127.0.0.1"]
