"""The demonstration has something to read for the public and something to review at the desk."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

from minsheng.accounts.models import User
from minsheng.cases.models import Case
from minsheng.cases.tests.world import World
from minsheng.channels.demo import published
from minsheng.channels.demo.people import People
from minsheng.publishing import queries
from minsheng.publishing.choices import PublicationState
from minsheng.publishing.models import Publication
from minsheng.publishing.tests.made import closed


def test_some_are_public_and_the_youngest_wait_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "PUBLIC", 3)
    monkeypatch.setattr(published, "WAITING", 2)
    for what in ("打桩", "切割", "装修", "卸货", "广场舞", "音响", "排风"):
        closed(world, text=f"半夜{what}很吵，睡不着。")
        world.later(hours=1)
    closed(world, text="3号楼半夜很吵。")  # names a door: an editor would have to write it anew
    closed(world, text="不同意公开的一件。", publishable=False)
    Case.objects.update(made_up=True)
    User.objects.update(is_demo=True)
    now = world.later(days=10)
    for _ in range(2):
        published.publish(now=now, people=People(now), random=Random(1))
    assert queries.public().count() == 3
    waiting = list(Publication.objects.filter(state=PublicationState.PROPOSED))
    assert len(waiting) == 2 and Publication.objects.count() == 5
    youngest = Case.objects.filter(publishable=True).exclude(text__contains="号楼").order_by("-closed_at")[:2]
    assert {one.case for one in waiting} == set(youngest)
    for one in Publication.objects.all():
        assert one.edited_by_id != one.reviewed_by_id and one.edited_at < (one.published_at or now) <= now
        assert "号楼" not in one.text and one.case.publishable
        moments = list(one.case.timeline.order_by("seq").values_list("at", flat=True))
        assert moments == sorted(moments), "nothing stands on the timeline before what came before it"
    assert all(one.published_at and one.published_at < now - timedelta(days=1) for one in queries.public())
