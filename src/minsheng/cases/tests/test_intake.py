"""受理: the agent's form, one case from however many presses; drafts, the caller's card, look-ups."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from minsheng.accounts.testing import sign_in
from minsheng.audit.models import AuditEntry
from minsheng.cases.actions.intake import query_code_of
from minsheng.cases.details import ApplicantDetails
from minsheng.cases.models import Case, Contact, Topic
from minsheng.cases.tests.world import World

NEW = "/cases/new/"
WORDS = "小区门口路灯不亮，老人晚上下楼差点摔倒。"


@pytest.fixture(autouse=True)
def fresh_counts() -> None:
    cache.clear()


@pytest.fixture
def agent(client: Client, world: World) -> Client:
    return sign_in(client, world["agent"])


def form(world: World, **fields: Any) -> dict[str, Any]:
    return {
        "submission": str(uuid4()),
        "channel": "phone",
        "phone": "138 0013 8000",
        "name": "林小满",
        "applicant_kind": "person",
        "text": WORDS,
        "kind": "help",
        "urgency": "normal",
        "topic": world.topics["夜间施工噪声"].pk,
        "place": world.places["建新镇"].pk,
        "address": "福湾路 1 号",
        "step": "accept",
    } | fields


def test_five_presses_make_one_accepted_case(agent: Client, world: World) -> None:
    posted = form(world)
    answers = [agent.post(NEW, posted) for _ in range(5)]
    case = Case.objects.get()
    assert {answer["Location"] for answer in answers} == {f"/cases/{case.number}/filed/"}
    assert (case.state, case.text, case.accepted_by) == ("to_dispatch", WORDS, world["agent"])
    assert Contact.objects.count() == 1
    assert [entry.code for entry in case.timeline.order_by("seq")] == ["submit", "accept"]


def test_the_code_is_shown_to_who_filed_it_and_to_nobody_else(agent: Client, world: World) -> None:
    agent.post(NEW, form(world))
    case = Case.objects.get()
    code = query_code_of(case)
    shown = agent.get(f"/cases/{case.number}/filed/").content.decode()
    assert case.number in shown
    assert f"{code[:4]} {code[4:]}" in shown
    other = sign_in(Client(), world["team_leader"]).get(f"/cases/{case.number}/filed/")
    assert other["Location"] == f"/cases/{case.number}/"


def test_answering_at_once_files_and_closes_in_one_step(agent: Client, world: World) -> None:
    assert agent.post(NEW, form(world, step="answer")).status_code == 422
    agent.post(NEW, form(world, step="answer", answer="路灯报修请拨打 968968，已为您登记。"))
    case = Case.objects.get()
    assert (case.state, case.ending) == ("closed", "answered")
    assert "968968" in case.messages.latest("id").text


def test_an_answer_is_neither_dropped_nor_told_half(agent: Client, world: World) -> None:
    page = agent.post(NEW, form(world, answer="请拨打 968968。"))
    assert page.status_code == 422 and "请先清空这一格" in page.text and "请拨打 968968。" in page.text
    page = agent.post(NEW, form(world, step="answer", answer="请到〔地点〕办理。"))
    assert page.status_code == 422 and "还有没填的空：〔地点〕" in page.text
    assert not Case.objects.exists()


def test_what_is_likely_is_offered_first(agent: Client, world: World) -> None:
    assert "data-near" not in agent.get(NEW).text
    cache.clear()
    agent.post(NEW, form(world, topic=world.topics["政策咨询"].pk))
    agent.post(NEW, form(world))
    agent.post(NEW, form(world))
    cache.clear()
    likely = f'data-near="{world.topics["夜间施工噪声"].pk},{world.topics["政策咨询"].pk}"'
    assert likely in agent.get(NEW).text


def test_filing_without_accepting_goes_to_the_case(agent: Client, world: World) -> None:
    answer = agent.post(NEW, form(world, step="submit", topic=""))
    case = Case.objects.get()
    assert (answer["Location"], case.state) == (f"/cases/{case.number}/", "to_accept")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"topic": ""}, "请先选定主题"),
        ({"topic": "99999999999999999999"}, "请从查到的结果里选一项"),
        ({"phone": "一二三"}, "这不像一个电话号码"),
        ({"text": " "}, "请填写诉求内容"),
        ({"text": "字" * 3000}, "2000"),
        ({"address": "福湾路\x00"}, "不允许"),
        ({"kind": "nonsense"}, "nonsense"),
        ({"occurred_at": "2999-01-01T00:00"}, "事发时间还没有到"),
        ({"applicant_kind": "enterprise"}, "请填写企业名称"),
    ],
)
def test_a_wrong_form_comes_back_whole(agent: Client, world: World, wrong: dict[str, Any], sentence: str) -> None:
    posted = form(world, title="门口路灯") | wrong
    answer = agent.post(NEW, posted)
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in shown
    assert "门口路灯" in shown
    assert posted["submission"] in shown
    assert not Case.objects.exists()


@pytest.mark.parametrize(
    "hidden", [{"anonymous": "on"}, {"confidential": "on"}, {"kind": "report"}, {"topic": "干部作风"}], ids=lambda it: next(iter(it))
)
def test_no_consent_is_taken_that_would_not_be_followed(agent: Client, world: World, hidden: dict[str, str]) -> None:
    if "topic" in hidden:
        hidden = {"topic": world.topics[hidden["topic"]].pk}
    wrong = agent.post(NEW, form(world, publishable="on", **hidden))
    assert wrong.status_code == 422 and wrong.text.count("匿名、保密、举报的诉求不公开") == 2, "beside the field and above the form"
    assert agent.post(NEW, form(world, publishable="on", step="draft", **hidden)).status_code == 302, "a draft may be anything"
    assert agent.post(NEW, form(world, **hidden)).status_code == 302
    assert not Case.objects.exclude(state="draft").get().publishable


def test_who_stays_unknown_is_not_asked_for_consent_when_put_right(agent: Client, world: World) -> None:
    case = world.submitted(applicant=ApplicantDetails(anonymous=True))
    shown = agent.get(f"/cases/{case.number}/correct/").text
    assert "匿名的诉求不公开" in shown and re.search(r'<input[^>]*name="publishable"[^>]*disabled', shown)


def test_a_wrong_file_gets_a_sentence_and_says_that_files_are_chosen_anew(agent: Client, world: World) -> None:
    answer = agent.post(NEW, form(world) | {"files": [SimpleUploadedFile("病毒.exe", b"MZ\x90\x00" + b"\x00\xff" * 300)]})
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert "病毒.exe" in shown
    assert "附件没有保留" in shown
    assert WORDS in shown


def test_what_a_topic_requires_is_asked_for_and_kept(agent: Client, world: World) -> None:
    topic = Topic.objects.get(name="夜间施工噪声")
    topic.required_fields = [{"name": "project", "label": "项目名称"}]
    topic.save()
    fragment = agent.get("/cases/new/topic/", {"topic": topic.pk}).content.decode()
    assert "项目名称" in fragment
    assert 'name="extra_project"' in fragment
    missing = agent.post(NEW, form(world))
    assert missing.status_code == 422
    assert "这类诉求须写明项目名称" in missing.content.decode()
    agent.post(NEW, form(world, extra_project="金山地铁站"))
    case = Case.objects.get()
    assert case.extra == {"project": "金山地铁站"}
    assert "金山地铁站" in agent.get(f"/cases/{case.number}/").content.decode()


@pytest.mark.parametrize("name", ["auditor", "analyst", "城管联络", "system_admin", "hotline_leader"])
def test_only_those_who_take_requests_in_have_the_form(client: Client, world: World, name: str) -> None:
    sign_in(client, world[name])
    assert client.get(NEW).status_code == 403
    assert client.post(NEW, form(world)).status_code == 403
    assert client.get("/cases/intake/").status_code == 403
    assert client.post("/cases/new/caller/", {"phone": "13800138000"}).status_code == 403
    assert not Case.objects.exists()


# --- drafts ------------------------------------------------------------------------------------------------------


def test_a_draft_needs_nothing_and_is_its_writers_alone(agent: Client, world: World) -> None:
    agent.post(NEW, {"step": "draft", "text": "说到一半", "submission": str(uuid4())})
    draft = Case.objects.get()
    assert draft.state == "draft"
    assert "说到一半" in agent.get("/cases/intake/?tab=drafts").content.decode()
    assert "说到一半" in agent.get(f"{NEW}?draft={draft.pk}").content.decode()
    other = sign_in(Client(), world["team_leader"])
    assert "说到一半" not in other.get(f"{NEW}?draft={draft.pk}").content.decode()
    assert other.post(f"/cases/new/discard/{draft.pk}/").status_code == 404


def test_a_draft_becomes_the_case(agent: Client, world: World) -> None:
    agent.post(NEW, form(world, step="draft"))
    draft = Case.objects.get()
    shown = agent.get(f"{NEW}?draft={draft.pk}").content.decode()
    assert "林小满" in shown
    assert "夜间施工噪声" in shown
    agent.post(f"{NEW}?draft={draft.pk}", form(world))
    case = Case.objects.get()
    assert (case.state, case.pk != draft.pk) == ("to_dispatch", True)


# --- the caller --------------------------------------------------------------------------------------------------


def test_the_callers_earlier_cases_appear_while_the_number_is_typed(agent: Client, world: World) -> None:
    open_case, told = world.dispatched(), world.submitted(text="<b>井盖</b>松动")
    card = agent.post("/cases/new/caller/", {"phone": "138 0013 8000"}, headers={"HX-Request": "true"}).content.decode()
    assert str(open_case.number) in card
    assert f"/cases/{open_case.number}/urge/" in card
    assert f"/cases/{told.number}/supplement/" in card
    assert "<b>井盖" not in card
    assert "没有以前的诉求" in agent.post("/cases/new/caller/", {"phone": "13911112222"}).content.decode()


def test_half_a_number_and_junk_bring_nothing(agent: Client, world: World) -> None:
    world.submitted()
    for phone in ("1380", "", "\x00", "x" * 9000):
        assert agent.post("/cases/new/caller/", {"phone": phone}).status_code == 200
    assert agent.get("/cases/new/caller/", {"phone": "13800138000"}).status_code == 405


def test_a_confidential_case_of_another_agent_is_not_on_the_card(client: Client, world: World) -> None:
    case = world.submitted(confidential=True)
    sign_in(client, world["agent2"])
    assert str(case.number) not in client.post("/cases/new/caller/", {"phone": "13800138000"}).content.decode()


def test_the_last_places_of_a_number_can_be_taken_over(agent: Client, world: World) -> None:
    for address in ("福湾路 1 号", "福湾路1号", "金山大道 618 号", "上三路 8 号", "则徐大道 2 号"):
        world.submitted(address=address)
        world.later(days=1)
    world.submitted(address="白马路 9 号", confidential=True)
    card = agent.post("/cases/new/caller/", {"phone": "13800138000"}).text
    places = [address for address in ("则徐大道 2 号", "上三路 8 号", "金山大道 618 号") if f'data-address="{address}"' in card]
    assert len(places) == 3 and card.count("data-take-address") == 3 and "白马路" not in card
    assert f'data-place="{world.places["建新镇"].pk}"' in card and 'data-key="Alt+3"' in card
    assert "林**" in card and "林小满" not in card


def test_the_name_is_taken_over_on_record_and_never_from_a_confidential_case(agent: Client, world: World) -> None:
    def ask(browser: Client, phone: str = "138 0013 8000") -> Any:
        return browser.post("/cases/new/caller/name/", {"phone": phone}, headers={"Accept": "application/json"})

    case = world.submitted()
    world.submitted(applicant=ApplicantDetails(name="郑重", phone="13900139000"), confidential=True)
    assert ask(agent).json() == {"name": "林小满"}
    entry = AuditEntry.objects.get(code="case.recall_caller")
    assert (entry.actor, entry.subject_id, "林小满" in str(entry.__dict__)) == (world["agent"], str(case.pk), False)
    assert [ask(agent, phone).status_code for phone in ("13900139000", "", "\x00", "9" * 99)] == [404] * 4
    assert ask(sign_in(Client(), world["城管联络"])).status_code == 403
    assert AuditEntry.objects.filter(code="case.recall_caller").count() == 1


# --- look-ups ----------------------------------------------------------------------------------------------------


def test_whole_lists_are_read_once_and_again_when_a_row_changed(agent: Client, world: World, django_assert_num_queries: Any) -> None:
    leaf = world.topics["夜间施工噪声"]
    url = "/cases/lookups/topics/"
    first = agent.get(url)
    row = next(row for row in first.json()["rows"] if row["value"] == leaf.pk)
    assert (row["path"], row["kind"], row["hints"]) == ("环境噪声 / 施工噪声 / 夜间施工噪声", "complaint", "通常为投诉。")
    assert agent.get(url, headers={"If-None-Match": first["ETag"]}).status_code == 304
    with django_assert_num_queries(3):  # session, person, stamp
        assert agent.get(url).content == first.content
    leaf.name, leaf.version = "夜间打桩", leaf.version + 1
    leaf.save()
    again = agent.get(url, headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 200 and "夜间打桩" in again.text


@pytest.mark.parametrize(
    ("which", "found"), [("places", "仓山区 建新镇"), ("units", "仓山区城市管理局"), ("all-units", "福州市人民政府")]
)
def test_lists_of_places_and_units(agent: Client, world: World, which: str, found: str) -> None:
    assert found in {row["path"] for row in agent.get(f"/cases/lookups/{which}/").json()["rows"]}
    assert agent.get("/cases/lookups/people/").status_code == 404


def test_an_own_field_of_a_topic_comes_with_the_list(agent: Client, world: World) -> None:
    leaf = world.topics["道路塌陷"]
    leaf.required_fields, leaf.version = [{"name": "depth", "label": "塌陷<深度>"}], 2
    leaf.save()
    rows = agent.get("/cases/lookups/topics/").json()["rows"]
    brings = next(row["brings"] for row in rows if row["value"] == leaf.pk)
    assert 'name="extra_depth"' in brings and "塌陷&lt;深度&gt;" in brings and "24 小时内" in brings


def test_without_scripts_the_selects_hold_everything(agent: Client, world: World) -> None:
    leaf = f'<option value="{world.topics["道路塌陷"].pk}"'
    assert leaf in agent.get(NEW, {"plain": "1"}).text
    assert leaf not in agent.get(NEW).text


def test_the_tree_of_topics_can_be_browsed(agent: Client, world: World) -> None:
    tree = agent.get("/cases/lookups/topics/tree/").content.decode()
    assert "环境噪声" in tree
    assert f'data-pick="{world.topics["道路塌陷"].pk}"' in tree
