"""Reply templates: whose, for what, without persons; and blanks that must be filled before a reply goes out."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from minsheng.accounts.testing import sign_in
from minsheng.audit.models import AuditEntry
from minsheng.cases import actions, template_queries
from minsheng.cases.models import Reply, ReplyTemplate
from minsheng.cases.reply_rules import blanks
from minsheng.cases.tests.stories import clock_at, refused
from minsheng.cases.tests.test_handling import REPLY
from minsheng.cases.tests.world import World, fresh

pytestmark = pytest.mark.django_db
WORDS = "〔时间〕，我局到〔地点〕核查，依据榕政办〔2026〕12号处理。"


def save(world: World, who: str = "城管联络", **changes: Any) -> ReplyTemplate:
    values: dict[str, Any] = {"name": "夜间施工", "text": WORDS, "basis": "《噪声污染防治法》"} | changes
    return actions.save_template(actor=world[who], at=world.now, **values)


def names(world: World, who: str, topic: str | None = "夜间施工噪声") -> list[str]:
    return [it.template.name for it in template_queries.offered(world[who], world.topics[topic] if topic else None)]


def test_blanks_are_those_to_fill_and_a_documents_year_is_none() -> None:
    assert blanks(WORDS, "见〔依据〕、〔时间〕") == ["〔时间〕", "〔地点〕", "〔依据〕"]
    assert blanks("榕政办〔2026〕12号") == [] and blanks("〔〕") == ["〔〕"]


@given(st.text())
def test_any_text_has_its_blanks_found_or_none(text: str) -> None:
    assert all(found in text for found in blanks(text))


def test_the_nearest_topic_comes_first_and_others_topics_are_not_offered(world: World) -> None:
    noise = world.topics["夜间施工噪声"]
    save(world, name="任何", topic=None)
    save(world, name="施工", topic=noise.parent)
    save(world, name="夜间", topic=noise)
    save(world, name="塌陷", topic=world.topics["道路塌陷"])
    assert names(world, "城管联络") == ["夜间", "施工", "任何"]
    assert names(world, "城管联络", None) == ["任何"]


def test_units_above_and_below_share_and_strangers_do_not(world: World) -> None:
    template = save(world)
    assert names(world, "中队联络") == names(world, "区政府联络") == ["夜间施工"]
    assert names(world, "环境联络") == names(world, "鼓楼城管联络") == []
    with refused("not_your_unit"):
        save(world, "中队联络", template=template)
    with refused("not_your_unit"):
        actions.remove_template(actor=world["区政府领导"], at=world.now, template=template)
    with refused("forbidden"):
        save(world, "dispatcher")


@pytest.mark.parametrize("text", ["请联系13800138000。", "姓名：林小满。", "家住8号楼302室", "闽A12345"])
def test_nobody_stands_in_a_template(world: World, text: str) -> None:
    with refused("template_names"):
        save(world, text=text)
    with refused("template_names"):
        save(world, basis=text)
    assert not ReplyTemplate.objects.exists()


def test_each_change_is_on_record(world: World) -> None:
    template = save(world)
    template = save(world, "城管领导", template=template, name="改名")
    actions.remove_template(actor=world["城管联络"], at=world.now, template=template)
    assert list(AuditEntry.objects.filter(code__startswith="unit.").order_by("id").values_list("code", "subject_label")) == [
        ("unit.template_saved", "夜间施工"),
        ("unit.template_saved", "改名"),
        ("unit.template_removed", "改名"),
    ]


def test_a_blank_left_is_refused_in_words(world: World) -> None:
    case = world.handling()
    with refused("blanks_left") as refusal:
        actions.draft_reply(actor=world["城管联络"], at=world.now, task=world.lead(case), **REPLY | {"text": WORDS})
    assert "〔时间〕、〔地点〕" in refusal.value.sentence
    filled = "11月24日，我局到金山大道核查，依据榕政办〔2026〕12号处理。"
    actions.draft_reply(actor=world["城管联络"], at=world.now, task=world.lead(case), **REPLY | {"text": filled})


def test_the_form_offers_them_and_refuses_beside_the_field(world: World) -> None:
    save(world)
    case = world.handling()
    url = f"/cases/{case.number}/draft_reply/?task={world.lead(case).pk}"
    with clock_at(world.now):
        client = sign_in(Client(), world["城管联络"])
        page = client.get(url, headers={"HX-Request": "true"}).content.decode()
        assert 'data-fill="〔时间〕' in page
        chosen = client.get(f"{url}&template={ReplyTemplate.objects.get().pk}").content.decode()
        assert "我局到〔地点〕核查" in chosen.split("<textarea", 1)[1].split("</textarea>")[0], "without JavaScript too"
        version = page.split('name="version" value="')[1].split('"')[0]
        key = page.split('name="submission" value="')[1].split('"')[0]
        answer = client.post(url, {"version": version, "submission": key, **REPLY, "text": WORDS}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert "还有没填的空：〔时间〕、〔地点〕" in answer.content.decode() and "我局到〔地点〕" in answer.content.decode()


def test_a_good_reply_becomes_one_without_its_person(world: World) -> None:
    case = world.audited()
    reply = Reply.objects.get(task__case=case)
    Reply.objects.filter(pk=reply.pk).update(text="已回电13800138000告知。")
    client = sign_in(Client(), world["城管联络"])
    page = client.get(f"/cases/templates/new/?reply={reply.pk}").content.decode()
    assert "已回电〔电话〕告知。" in page and "13800138000" not in page
    posted = {"name": "回电", "text": "已回电13800138000告知。", "topic": "", "basis": ""}
    refusal = client.post("/cases/templates/new/", posted)
    assert refusal.status_code == 422 and "模板里不能有个人信息（电话）" in refusal.content.decode()
    assert client.post("/cases/templates/new/", posted | {"text": "已回电〔电话〕告知。"}).status_code == 302
    assert "存为模板" in client.get(f"/cases/{case.number}/").content.decode()
    assert sign_in(Client(), world["环境联络"]).get(f"/cases/templates/new/?reply={reply.pk}").status_code == 404


def test_none_is_made_of_a_confidential_reply(world: World) -> None:
    case = world.audited()
    actions.make_confidential(actor=world["dispatcher"], at=world.now, case=fresh(case), reason="诉求人要求")
    reply = Reply.objects.get(task__case=case)
    assert sign_in(Client(), world["城管联络"]).get(f"/cases/templates/new/?reply={reply.pk}").status_code == 409


def test_anothers_template_is_not_found(world: World) -> None:
    template = save(world)
    for who, status in (("城管联络", 200), ("城管领导", 200), ("中队联络", 404), ("环境联络", 404), ("dispatcher", 403)):
        assert sign_in(Client(), world[who]).get(f"/cases/templates/{template.pk}/").status_code == status, who


def test_what_was_changed_meanwhile_is_shown_and_nothing_typed_is_lost(world: World) -> None:
    template = save(world)
    client = sign_in(Client(), world["城管联络"])
    url = f"/cases/templates/{template.pk}/"
    shown = re.search(r'name="seen" value="([^"]+)"', client.get(url).text)
    assert shown is not None
    mine = {"name": "我的", "text": "我写的〔时间〕。", "topic": "", "basis": "", "seen": shown[1]}
    world.later(minutes=1)
    save(world, "城管领导", template=template, text="领导写的〔地点〕。")
    refusal = client.post(url, mine)
    assert refusal.status_code == 409
    assert all(words in refusal.text for words in ("城管领导改过这个模板", "我写的〔时间〕。", "领导写的〔地点〕。"))
    assert ReplyTemplate.objects.get().text == "领导写的〔地点〕。"
    again = re.search(r'name="seen" value="([^"]+)"', refusal.text)
    assert again is not None and client.post(url, mine | {"seen": again[1]}).status_code == 302
    assert ReplyTemplate.objects.get().text == "我写的〔时间〕。"
    assert client.post(url, mine | {"seen": "nonsense"}).status_code == 409
