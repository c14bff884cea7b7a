"""Publications at each stage, for every room's tests."""

from __future__ import annotations

from typing import Any

from minsheng.cases.models import Case
from minsheng.cases.tests.world import World, fresh
from minsheng.followup.actions import rate_case
from minsheng.publishing import actions
from minsheng.publishing.models import Publication

VERSION = {"title": "夜间施工扰民", "text": "一处工地夜间施工，居民睡不好。", "reply": "已责令停止夜间施工，并约谈责任单位。"}
TEXT = "工地半夜打桩，吵得一家人睡不着。我叫林小满，电话 13800138000，住 3 号楼 501 室。"


def closed(world: World, **changes: Any) -> Case:
    """Handled, rated, closed; with consent."""
    case = world.audited(**{"publishable": True, "text": TEXT} | changes)
    return fresh(rate_case(at=world.later(minutes=5), case=case, satisfaction="very", solved="yes"))


def proposed(world: World, *, version: dict[str, str] | None = None, **changes: Any) -> Publication:
    """Written, waiting for another's eyes."""
    return actions.propose(actor=world["quality"], at=world.now, case=closed(world, **changes), **VERSION | (version or {}))


def published(world: World, **changes: Any) -> Publication:
    """Everybody reads it."""
    return actions.review(actor=world["team_leader"], at=world.later(minutes=5), publication=proposed(world, **changes), passes=True)
