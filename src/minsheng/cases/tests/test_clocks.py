"""Which limit a clock runs on, and that the deadline says which: a topic's own limit is a policy like any other."""

from __future__ import annotations

from datetime import date

import pytest

from minsheng.cases import clocks, reference
from minsheng.cases.choices import RequestKind
from minsheng.cases.models import Topic
from minsheng.cases.tests.world import World
from minsheng.organisations.loading import read_csv
from minsheng.worktime import reference as worktime_reference
from minsheng.worktime.actions import publish_policy
from minsheng.worktime.choices import Clock, LimitUnit
from minsheng.worktime.queries import covers_topic
from minsheng.worktime.rules import Limit

pytestmark = pytest.mark.django_db


def test_a_topics_own_limit_is_recorded_with_its_own_basis_and_version(world: World) -> None:
    topic = Topic.objects.create(code="080103", name="网购纠纷", level=3, parent=Topic.objects.get(level=2))
    handling = clocks.task_clocks(world.accepted(topic=topic), at=world.now).handling
    assert (handling.limit, handling.policy, handling.version) == (Limit(7), "handling.topic.0801", 1)
    assert "市场监督管理投诉举报处理暂行办法" in handling.legal_basis
    publish_policy(
        actor=None, at=world.now, code="handling.topic.0801", name="消费纠纷", clock=Clock.HANDLING, topic_code="0801",
        amount=6, unit=LimitUnit.WORKING_DAYS, effective_from=date(2026, 11, 24), legal_basis="新办法",
    )  # fmt: skip
    citizens = clocks.citizen_clock(world.accepted(topic=topic), at=world.now)
    assert (citizens.limit, citizens.version, citizens.legal_basis) == (Limit(6), 2, "新办法")
    asked = clocks.task_clocks(world.accepted(topic=topic, kind=RequestKind.CONSULTATION), at=world.now).handling
    assert (asked.limit, asked.policy) == (Limit(2), "handling.topic.0801.consultation"), "a question is answered as any other"


def test_every_shipped_limit_of_a_topic_means_a_topic() -> None:
    codes = [row["code"] for row in read_csv(reference.DATA / "topics.csv") if reference.level_of(row["code"]) == 3]
    named = {row["topic_code"] for row in worktime_reference._rows("limit_policies.csv") if row["topic_code"]}
    assert len(named) == 7
    assert all(any(covers_topic(name, code) for code in codes) for name in named)
