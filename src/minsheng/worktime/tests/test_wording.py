"""Time left reads like speech, and never promises time that is not there."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minsheng.worktime.moments import day_of
from minsheng.worktime.rules import remaining
from minsheng.worktime.tests.test_rules import SHIPPED, at, days, due, moments
from minsheng.worktime.wording import due_words

MONDAY = "2026-12-01T00:00"  # 24:00 of Monday 30 November


@pytest.mark.parametrize(
    ("now", "deadline", "words"),
    [
        # working days left
        ("2026-11-27T18:00", MONDAY, "剩 1 个工作日 6 小时"),
        ("2026-11-27T17:01", MONDAY, "剩 1 个工作日 6 小时"),
        ("2026-11-27T23:30", MONDAY, "剩 1 个工作日"),
        ("2026-11-28T12:00", MONDAY, "剩 1 个工作日"),
        ("2026-11-29T23:59:59", MONDAY, "剩 1 个工作日"),
        ("2026-11-27T00:00", MONDAY, "剩 2 个工作日"),
        ("2026-09-30T15:00", "2026-10-09T00:00", "剩 1 个工作日 9 小时"),
        # the last day
        ("2026-11-30T00:00", MONDAY, "今天 24:00 前"),
        ("2026-11-30T23:00", MONDAY, "今天 24:00 前"),
        ("2026-11-30T23:00:01", MONDAY, "剩 59 分钟"),
        ("2026-11-30T23:20", MONDAY, "剩 40 分钟"),
        ("2026-11-30T23:59:30", MONDAY, "剩不到 1 分钟"),
        # over
        ("2026-12-01T00:00", MONDAY, "刚刚超期"),
        ("2026-12-01T00:20", MONDAY, "已超 20 分钟"),
        ("2026-12-01T03:00", MONDAY, "已超 3 小时"),
        ("2026-12-03T03:30", MONDAY, "已超 2 个工作日 3 小时"),
        ("2026-12-03T00:30", MONDAY, "已超 2 个工作日"),
        ("2026-11-28T10:00", "2026-11-28T00:00", "已超 10 小时"),
        ("2026-11-30T03:00", "2026-11-28T00:00", "已超 2 天 3 小时"),
        ("2026-12-05T12:00", "2026-12-04T00:00", "已超 1 个工作日"),
        # hours, and a date that does not work, are plain time
        ("2026-11-24T23:52", "2026-11-25T23:52", "剩 1 天"),
        ("2026-11-25T00:22", "2026-11-25T23:52", "今天 23:52 前"),
        ("2026-11-27T23:30", "2026-11-28T01:30", "剩 2 小时"),
        ("2026-11-28T03:45", "2026-11-28T01:30", "已超 2 小时 15 分钟"),
        ("2026-11-27T12:00", "2026-11-30T00:00", "剩 2 天 12 小时"),
    ],
)
def test_time_left(now: str, deadline: str, words: str) -> None:
    assert remaining(at(now), at(deadline), SHIPPED) == words


def test_when_it_is_due() -> None:
    assert due_words(at(MONDAY), year=2026) == "11月30日（周一）24:00 前"
    assert due_words(at(MONDAY), year=2026, weekday=False) == "11月30日 24:00 前"
    assert due_words(at("2026-11-25T23:52"), year=2025) == "2026年11月25日（周三）23:52 前"


@given(moments, st.integers(1, 20), st.floats(0, 0.999))
def test_no_more_working_days_are_promised_than_there_are(start, n, share) -> None:
    deadline = due(start, days(n))
    now = start + (deadline - start) * share
    words = remaining(now, deadline, SHIPPED)
    promised = re.match(r"剩 (\d+) 个工作日", words)
    if promised:
        # Today counts as one only while it is whole, which is at its first moment.
        yesterday = day_of(now) - timedelta(days=1)
        assert int(promised[1]) <= SHIPPED.count(yesterday, day_of(deadline - timedelta(seconds=1))) <= n + 1
    else:
        assert deadline - now <= timedelta(days=1)
    assert remaining(deadline, deadline, SHIPPED) == "刚刚超期"
