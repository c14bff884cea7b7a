"""Who was merged into another's case waits for its result: it is told however that case ends, and is not ended with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from minsheng.cases import actions
from minsheng.cases.actors import CITIZEN
from minsheng.cases.models import Case, ReasonCode, RefusalGround
from minsheng.cases.tests.world import World, fresh
from minsheng.cases.wording import day_words
from minsheng.dispatching.actions import merge_case, reopen_case
from minsheng.errors import Refused
from minsheng.followup.actions import rate_case, start_second_handling


@pytest.fixture
def joined(world: World) -> tuple[Case, Case]:
    survivor, duplicate = world.accepted(), world.accepted()
    merge_case(actor=world["dispatcher"], at=world.later(minutes=1), case=duplicate, into=survivor)
    return survivor, duplicate


def test_one_citizen_does_not_withdraw_what_another_waits_for(world: World, joined: tuple[Case, Case]) -> None:
    survivor, _ = joined
    endings: list[Callable[[], Any]] = [
        lambda: actions.withdraw_case(actor=CITIZEN, at=world.now, case=survivor, reason="不想办了"),
        lambda: actions.mark_invalid(actor=world["dispatcher"], at=world.now, case=survivor, reason="没有内容"),
    ]
    for end in endings:
        with pytest.raises(Refused) as caught:
            end()
        assert caught.value.code == "others_joined"
    assert fresh(survivor).state == "to_dispatch"


@pytest.mark.parametrize("ending", ["answered", "rejected", "transferred"])
def test_every_ending_is_told_to_who_was_joined(world: World, joined: tuple[Case, Case], ending: str) -> None:
    survivor, duplicate = joined
    stamp: dict[str, Any] = {"actor": world["dispatcher"], "at": world.later(hours=1), "case": survivor}
    if ending == "answered":
        actions.answer_case(text="夜间施工已获许可，至本月底结束。", **stamp)
    elif ending == "rejected":
        actions.reject_case(ground=RefusalGround.objects.get(code="out_of_city"), **stamp)
    else:
        actions.transfer_case(target=ReasonCode.objects.get(list="transfer"), **stamp)
    (told,) = duplicate.messages.filter(template=ending)
    assert str(survivor.number) in told.text


def test_a_later_acceptance_is_told_to_who_was_joined(world: World) -> None:
    """Merged into a case that nobody had accepted yet: by when it will be answered is both citizens' to know."""
    survivor = world.submitted()
    duplicate = world.accepted()
    merge_case(actor=world["dispatcher"], at=world.later(minutes=1), case=duplicate, into=survivor)
    actions.accept_case(actor=world["agent"], at=world.later(minutes=5), case=survivor)
    own, told = survivor.messages.get(template="accepted"), duplicate.messages.filter(template="accepted").latest("id")
    assert told.text == own.text and str(survivor.number) in told.text


def test_an_extension_is_told_to_who_was_joined_without_persons(world: World) -> None:
    survivor, duplicate = world.handling(), world.accepted()
    merge_case(actor=world["dispatcher"], at=world.later(minutes=1), case=duplicate, into=survivor)
    reason = "需等第三方检测，联系人 13800138000"
    ask = actions.request_extension(
        actor=world["城管联络"],
        at=world.now,
        task=world.lead(survivor),
        until=date(2026, 12, 1),
        reason_code="",
        reason=reason,
        citizen_told_at=world.now,
    )
    actions.decide_extension(actor=world["auditor"], at=world.later(hours=1), task=ask.task, grant=True, note="同意")
    own, told = survivor.messages.get(template="extended"), duplicate.messages.get(template="extended")
    assert "13800138000" in own.text
    assert "12月1日" in told.text and "第三方检测" in told.text and "13800138000" not in told.text


def test_a_new_round_is_told_to_who_was_joined(world: World) -> None:
    """Reopened, its result is open again for everybody who waits for it, and so is the day by which it comes."""
    survivor, duplicate = world.drafted(), world.accepted()
    merge_case(actor=world["dispatcher"], at=world.later(minutes=1), case=duplicate, into=survivor)
    actions.sign_reply(actor=world["城管领导"], at=world.later(hours=1), task=world.lead(survivor))
    actions.pass_reply(actor=world["auditor"], at=world.later(hours=1), case=survivor)
    rate_case(at=world.later(hours=1), case=survivor, satisfaction="very", solved="yes")
    reopen_case(actor=world["dispatcher"], at=world.later(days=1), case=survivor, reason="又出现了")
    own, told = survivor.messages.get(template="reopened"), duplicate.messages.get(template="reopened")
    assert told.text == own.text and str(survivor.number) in told.text


def test_second_handling_is_told_to_who_was_joined_and_is_not_said_to_be_their_wish(world: World) -> None:
    survivor, duplicate = world.drafted(), world.accepted()
    merge_case(actor=world["dispatcher"], at=world.later(minutes=1), case=duplicate, into=survivor)
    actions.sign_reply(actor=world["城管领导"], at=world.later(hours=1), task=world.lead(survivor))
    actions.pass_reply(actor=world["auditor"], at=world.later(hours=1), case=survivor)
    rate_case(at=world.later(hours=1), case=survivor, satisfaction="unsatisfied", solved="no")
    unit = world.units["仓山区政府"]
    start_second_handling(actor=world["follow_up"], at=world.later(hours=1), case=survivor, unit=unit, reason="确未解决")
    own, told = survivor.messages.get(template="second"), duplicate.messages.get(template="second")
    assert "您对" in own.text and "您对" not in told.text
    for word in (str(survivor.number), unit.name, day_words(fresh(survivor).citizen_due_at, world.now)):
        assert word in own.text and word in told.text
