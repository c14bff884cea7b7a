"""The bell: what others did with a person's own work, what of it is new, and what nobody else is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from minsheng.accounts.testing import sign_in
from minsheng.cases import actions, answers, workflow
from minsheng.cases.tests.stories import words_of
from minsheng.cases.tests.test_asking import ask_pause, decide
from minsheng.cases.tests.world import World, build
from minsheng.console import bell
from minsheng.console.models import Export
from minsheng.publishing import actions as publishing
from minsheng.publishing.tests.made import VERSION, closed

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    """The small city, yesterday: screens tell the time themselves."""
    world = build()
    world.now = timezone.now() - timedelta(days=1)
    return world


def told(world: World, who: str) -> str:
    return words_of(sign_in(Client(), world[who]).get("/desk/notices/").content.decode())


def new(world: World, who: str) -> int:
    return bell.unseen(world[who], timezone.now())


def sent_back(world: World) -> Any:
    case = world.replied()
    return actions.send_back(actor=world["auditor"], at=world.later(minutes=5), case=case, reasons=["no_process"])


def test_who_wrote_and_who_signed_are_told_that_it_came_back_and_nobody_else(world: World) -> None:
    case = sent_back(world)
    for who in ("城管联络", "城管领导"):
        assert new(world, who) == 1
        assert f"退回重办 {case.number}" in told(world, who)
    for who in ("auditor", "auditor2", "dispatcher", "agent", "中队联络", "鼓楼城管联络"):
        assert new(world, who) == 0 and str(case.number) not in told(world, who)


def test_what_was_looked_at_is_not_new_and_stays(world: World) -> None:
    case = sent_back(world)
    assert "1 条新的" in sign_in(Client(), world["城管联络"]).get("/desk/notices/bell/").content.decode()
    assert "新" in told(world, "城管联络").split("通知", 2)[-1]
    assert new(world, "城管联络") == 0 and str(case.number) in told(world, "城管联络")
    world.now = timezone.now()
    actions.draft_reply(
        actor=world["城管联络"], at=world.now, task=world.lead(case), text="已停工，写明经过。", finding="true", outcome="supported",
        solved="yes", basis="条例",
    )  # fmt: skip
    actions.decline_to_sign(actor=world["城管领导"], at=world.later(seconds=1), task=world.lead(case), reason="再核实")
    assert new(world, "城管联络") == 1


def test_an_application_is_answered(world: World) -> None:
    ask = ask_pause(world, world.lead(world.handling()))
    assert new(world, "城管联络") == 0
    decide(world, ask, grant=False)
    assert "审核挂起" in told(world, "城管联络")


def test_an_editor_is_told_what_became_of_the_version(world: World) -> None:
    publication = publishing.propose(actor=world["quality"], at=world.now, case=closed(world), **VERSION)
    publishing.review(actor=world["team_leader"], at=world.later(minutes=5), publication=publication, passes=True)
    assert "复核通过" in told(world, "quality") and new(world, "team_leader") == 0


def test_a_unit_is_told_nothing_of_a_confidential_case_but_what_it_may_read(world: World) -> None:
    case = world.replied(text="我是隔壁三楼的，工地半夜打桩。", title="隔壁三楼的来信")
    actions.make_confidential(actor=world["team_leader"], at=world.later(minutes=1), case=case, reason="诉求人要求")
    actions.send_back(actor=world["auditor"], at=world.later(minutes=5), case=case, reasons=["no_process"])
    assert "退回重办" in told(world, "城管联络") and "来信" not in told(world, "城管联络")


@pytest.mark.parametrize(("state", "words"), [("done", "导出已完成，可以下载"), ("failed", "导出没有完成"), ("running", "")])
def test_ones_own_spreadsheet(world: World, state: str, words: str) -> None:
    at = timezone.now()
    Export.objects.create(
        user=world["dispatcher"], list_code="all", submission=uuid4(), state=state, asked_at=at, touched_at=at,
        finished_at=at if words else None,
    )  # fmt: skip
    assert new(world, "dispatcher") == bool(words) and words in told(world, "dispatcher")
    assert new(world, "dispatcher2") == 0


def test_administrators_have_desks_instead(world: World) -> None:
    for who in ("system_admin", "security_admin", "audit_admin"):
        browser = sign_in(Client(), world[who])
        assert [browser.get(path).status_code for path in ("/desk/notices/", "/desk/notices/bell/")] == [404, 404]
        assert "notices" not in browser.get("/desk/", follow=True).content.decode().split("<main")[0]


def test_every_act_that_is_told_exists() -> None:
    known = set(workflow.BY_CODE) | set(answers._labels)
    assert set(answers.ANSWERS) <= known and set().union(*answers.ANSWERS.values()) <= known | {"propose_publication"}
