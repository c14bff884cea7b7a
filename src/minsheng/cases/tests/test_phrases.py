"""常用语: whose they are, what may stand in them, and what the boxes of the form are offered."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from minsheng.accounts.testing import sign_in
from minsheng.audit.models import AuditEntry
from minsheng.cases import actions, phrases
from minsheng.cases.models import Phrase
from minsheng.cases.tests.world import World
from minsheng.errors import Refused

PAGE = "/cases/phrases/"


@pytest.fixture(autouse=True)
def fresh_counts() -> None:
    cache.clear()


def save(world: World, who: str, **changes: Any) -> Phrase:
    values: dict[str, Any] = {"phrase": None, "abbreviation": "tq", "text": "请到〔地点〕办理。", "topic": None, "shared": False}
    return actions.save_phrase(actor=world[who], at=world.now, **values | changes)


def offered(world: World, who: str) -> dict[str, str]:
    return {each["key"]: each["text"] for each in phrases.for_script(world[who])}


def test_ones_own_come_before_the_centres_and_nobody_sees_anothers(world: World) -> None:
    save(world, "team_leader", shared=True, text="全中心的话。")
    save(world, "team_leader", shared=True, abbreviation="wy", text="物业的话。")
    save(world, "agent", text="我的话。")
    assert offered(world, "agent") == {"tq": "我的话。", "wy": "物业的话。"}
    assert offered(world, "agent2") == {"tq": "全中心的话。", "wy": "物业的话。"}


def test_the_centres_are_the_team_leaders_and_on_record(world: World) -> None:
    with pytest.raises(Refused, match="forbidden"):
        save(world, "agent", shared=True)
    shared = save(world, "team_leader", shared=True)
    for refused in (lambda: save(world, "agent", phrase=shared), lambda: actions.remove_phrase(actor=world["agent"], at=world.now, phrase=shared)):
        with pytest.raises(Refused, match="forbidden"):
            refused()
    actions.remove_phrase(actor=world["team_leader"], at=world.now, phrase=shared)
    assert list(AuditEntry.objects.order_by("pk").values_list("code", flat=True)) == ["phrase.saved", "phrase.removed"]
    with pytest.raises(Refused, match="forbidden"):
        save(world, "城管联络")


def test_anothers_own_is_not_found_and_an_older_version_is_stale(world: World) -> None:
    own = save(world, "agent")
    with pytest.raises(Refused, match="not_found"):
        save(world, "agent2", phrase=own)
    read = Phrase.objects.get()
    save(world, "agent", phrase=own, text="改过的话。")
    with pytest.raises(Refused, match="stale"):
        save(world, "agent", phrase=read, text="后来的话。")
    assert Phrase.objects.get().text == "改过的话。"


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("请致电〔电话〕，由〔姓名〕答复。", True),
        ("请拨打 0591-83333333 咨询。", True),  # an office's
        ("请联系 13800138000。", False),
        ("联系人：林小满。", False),
        ("请到3号楼501室。", False),
    ],
)
def test_no_person_stands_in_a_template(world: World, text: str, fine: bool) -> None:
    if fine:
        assert save(world, "agent", text=text).text == text
        return
    with pytest.raises(Refused, match="phrase_personal"):
        save(world, "agent", text=text)


@pytest.mark.parametrize("wrong", [{"abbreviation": ""}, {"abbreviation": "天气"}, {"abbreviation": "a" * 13}, {"text": " "}, {"text": "字" * 501}])
def test_a_template_that_could_not_be_called_is_refused(world: World, wrong: dict[str, str]) -> None:
    with pytest.raises(Refused, match="invalid"):
        save(world, "agent", **wrong)


def test_the_page_keeps_what_was_typed_and_says_what_is_wrong(client: Client, world: World) -> None:
    agent = sign_in(client, world["agent"])
    save(world, "agent")
    for text, abbreviation, told in (("联系 13800138000", "bb", "不能有姓名、手机号"), ("别的话", "TQ", "已经用了")):
        page = agent.post(PAGE, {"text": text, "abbreviation": abbreviation})
        assert page.status_code == 422 and told in page.text and text in page.text
    assert agent.post(PAGE, {"text": "别的话", "abbreviation": "bb", "shared": "on"}).status_code == 302
    made = Phrase.objects.get(abbreviation="bb")
    assert made.owner == world["agent"]  # the box for the centre's is not the agent's to tick
    assert ";bb" in agent.get(PAGE).text
    assert agent.post(f"{PAGE}?edit={made.pk}", {"text": "改了", "abbreviation": "bb", "version": made.version}).status_code == 302
    assert agent.post(f"{PAGE}{made.pk}/remove/", {"version": "1"}).status_code == 409
    assert agent.post(f"{PAGE}{made.pk}/remove/", {"version": "2"}).status_code == 302
    assert [agent.get(f"{PAGE}?edit={key}").status_code for key in ("0", "x", "9" * 30)] == [404] * 3
    assert sign_in(Client(), world["auditor"]).get(PAGE).status_code == 403


def test_blanks_are_found() -> None:
    assert phrases.blanks("请到〔地点〕，带〔材料〕。") == ["〔地点〕", "〔材料〕"]
    assert phrases.blanks("（地点）〔\n〕") == []
