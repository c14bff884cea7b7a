"""Intake by keyboard alone, in a real browser: no click from the first key to the number that is read out, and at most sixty
keystrokes beyond what is said. Counted: every key that is no character of the number, the name, the words, the address or
the answer; a chord counts each of its keys; what is typed to find a topic or to call a template counts too.
"""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from playwright.sync_api import Browser, expect

from minsheng.cases.models import Case, Phrase, Topic
from minsheng.cases.tests.world import World
from minsheng.organisations.rules import search_key

from .test_walk import Worker, city

__all__ = ["city"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
MOST_KEYS = 60


@pytest.fixture
def desk(city: World) -> World:
    """The small city, its topics findable, two templates of the centre."""
    cache.clear()
    said = {"夜间施工噪声": ["半夜打桩"], "道路塌陷": ["路面塌了"], "干部作风": [], "政策咨询": ["怎么办理"]}
    for name, words in said.items():
        Topic.objects.filter(pk=city.topics[name].pk).update(keywords=words, search_key=search_key([name, *words]))
    Phrase.objects.create(abbreviation="zx", text="市民咨询〔事项〕怎么办理。")
    Phrase.objects.create(abbreviation="fw", text="这项业务在〔地点〕办理，需要带〔材料〕。")
    return city


class Hands(Worker):
    """Somebody who never touches the mouse; counts keys."""

    keys = 0

    def press(self, *chords: str) -> None:
        for chord in chords:
            self.page.keyboard.press(chord)
            self.keys += len(chord.split("+"))

    def find(self, letters: str) -> None:
        """Typed to find something: every key counts."""
        self.page.keyboard.type(letters)
        self.keys += len(letters)

    def say(self, words: str) -> None:
        """What the citizen said, and what is answered: not counted."""
        self.page.keyboard.type(words)

    def focus(self) -> str:
        return str(self.page.evaluate("document.activeElement.name || document.activeElement.id"))

    def selected(self) -> str:
        return str(self.page.evaluate("document.activeElement.value.slice(document.activeElement.selectionStart, document.activeElement.selectionEnd)"))

    def begin(self) -> None:
        self.page.goto(f"{self.base}/cases/intake/")
        self.page.wait_for_load_state("networkidle")
        self.press("n")
        self.page.wait_for_url("**/cases/new/")
        self.page.wait_for_load_state("networkidle")  # a person takes longer to begin than the lists to arrive


@pytest.fixture
def agent(desk: World, browser: Browser, live_server: Any) -> Hands:
    hands = Hands(browser, live_server.url, name="agent")
    hands.sign_in(desk, "agent")
    return hands


def test_a_question_is_answered_at_once(desk: World, agent: Hands) -> None:
    agent.begin()
    assert agent.focus() == "phone"
    agent.say("13900139000")
    agent.press("Enter")
    agent.say("林女士")
    agent.press("Enter")
    agent.find(";zx")
    agent.press("Enter")
    assert agent.selected() == "〔事项〕"
    agent.say("异地就医备案")
    agent.press("Tab")  # no blank is left: on to the topic
    agent.find("zczx")
    agent.press("Enter", "Control+Shift+Enter")
    assert agent.focus() == "answer"
    agent.find(";fw")
    agent.press("Enter")
    agent.say("医保中心")
    agent.press("Tab")
    assert agent.selected() == "〔材料〕"
    agent.say("身份证和社保卡")
    agent.press("Control+Enter")
    agent.page.wait_for_url("**/filed/")
    case = Case.objects.get()
    assert (case.state, case.ending, case.kind, case.topic) == ("closed", "answered", "consultation", desk.topics["政策咨询"])
    assert case.text == "市民咨询异地就医备案怎么办理。" and case.applicant.name == "林女士"
    assert "这项业务在医保中心办理，需要带身份证和社保卡。" in case.messages.latest("id").text
    expect(agent.page.locator(".filed-ticket")).to_contain_text(str(case.number))
    assert not agent.errors, agent.errors
    print(f"\na question answered at once: {agent.keys} keystrokes beyond the text")
    assert agent.keys <= MOST_KEYS


def test_a_complaint_of_a_known_caller_is_accepted(desk: World, agent: Hands) -> None:
    desk.submitted(address="建新镇金山大道 618 号")
    agent.begin()
    agent.say("13800138000")
    expect(agent.page.locator("[data-take-address]")).to_be_visible()
    agent.press("Alt+0", "Alt+1", "Enter", "Enter")
    expect(agent.page.locator("[name=name]")).to_have_value("林小满")
    assert agent.focus() == "text"
    agent.say("工地又在半夜打桩，要求停工并答复。")
    agent.press("Tab", "ArrowDown")  # what is said in the words is offered first
    expect(agent.page.locator("[aria-selected=true]")).to_contain_text("夜间施工噪声")
    agent.press("Enter", "Control+Enter")
    agent.page.wait_for_url("**/filed/")
    case = Case.objects.latest("pk")
    assert (case.state, case.kind, case.topic) == ("to_dispatch", "complaint", desk.topics["夜间施工噪声"])
    assert (case.place, case.address) == (desk.places["建新镇"], "建新镇金山大道 618 号")
    agent.press("n")
    agent.page.wait_for_url("**/cases/new/")
    assert not agent.errors, agent.errors
    print(f"\na complaint of a known caller: {agent.keys} keystrokes beyond the text")
    assert agent.keys <= MOST_KEYS


def test_the_same_question_among_all_topics_and_templates_that_are_shipped(city: World, browser: Browser, live_server: Any) -> None:
    """Four hundred topics and as many units: what is typed still finds the one that is meant."""
    call_command("load_reference", stdout=StringIO())
    cache.clear()
    agent = Hands(browser, live_server.url, name="agent-shipped")
    agent.sign_in(city, "agent")
    agent.begin()
    agent.say("13900139000")
    agent.press("Enter")
    agent.say("林女士")
    agent.press("Enter")
    agent.find(";zx")
    agent.press("Enter")
    agent.say("异地就医备案")
    agent.press("Tab", "ArrowDown")  # what is said in the words is offered first
    expect(agent.page.locator("[id^=tree-][aria-selected=true]")).to_contain_text("医保报销与参保")
    agent.press("Control+A")
    agent.find("ybbx")
    expect(agent.page.locator("[id^=tree-][aria-selected=true]")).to_contain_text("医保报销与参保")
    agent.press("Enter", "Control+Shift+Enter")
    assert agent.focus() == "answer"
    agent.find(";fw")
    agent.press("Enter")
    for words in ("医保中心", "身份证和社保卡", "工作日"):
        agent.say(words)
        agent.press("Tab")
    agent.press("Control+Enter")
    agent.page.wait_for_url("**/filed/")
    case = Case.objects.get()
    assert (case.state, case.ending, str(case.topic)) == ("closed", "answered", "医保报销与参保")
    assert not agent.errors, agent.errors
    print(f"\namong {Topic.objects.count()} topics: {agent.keys} keystrokes beyond the text")
    assert agent.keys <= MOST_KEYS


def test_the_form_is_for_everybody(desk: World, agent: Hands) -> None:
    """axe finds nothing: on the empty form, with a list open, with errors, on the sheet of keys, on the page of templates."""
    agent.begin()
    agent.check_page("intake")
    agent.page.focus("#id_topic")
    agent.find("zc")
    expect(agent.page.locator(".tree-list [aria-selected=true]")).to_be_visible()
    agent.check_page("intake-topic")
    with agent.provoking(422):
        agent.press("Escape", "Control+Enter")
        expect(agent.page.locator(".error-summary")).to_be_focused()
    agent.check_page("intake-errors")
    agent.goto("/cases/phrases/")
    agent.check_page("phrases")
    agent.press("?")
    expect(agent.page.locator("#keys")).to_be_visible()
    agent.check_page("keys")


def test_the_sheet_tells_what_works_here(desk: World, agent: Hands) -> None:
    agent.page.goto(f"{agent.base}/cases/intake/")
    agent.page.wait_for_load_state("networkidle")
    agent.press("?")
    sheet = agent.page.locator("#keys")
    expect(sheet).to_contain_text("登记诉求")
    expect(sheet).not_to_contain_text("当场答复")
    agent.press("Escape", "g", "s")
    agent.page.wait_for_url("**/cases/intake/")
    agent.press("n")
    agent.page.wait_for_url("**/cases/new/")
    agent.page.keyboard.press("Escape")  # leaves the field
    agent.press("?")
    for words in ("当场答复", "插入常用语", "到搜索框", "暂存"):
        expect(sheet).to_contain_text(words)
    expect(sheet).not_to_contain_text("下一行")


def test_an_input_method_keeps_its_keys(desk: World, agent: Hands) -> None:
    agent.begin()
    agent.page.focus("#id_topic")
    agent.find("zczx")
    expect(agent.page.locator(".tree-list [aria-selected=true]")).to_be_visible()
    keys = agent.page.context.new_cdp_session(agent.page)
    keys.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229})
    assert agent.page.eval_on_selector("select[name=topic]", "select => select.value") == ""
    agent.page.focus("#id_text")
    keys.send("Input.imeSetComposition", {"text": ";zx", "selectionStart": 3, "selectionEnd": 3})
    expect(agent.page.locator(".phrase-list").first).to_be_hidden()
    keys.send("Input.insertText", {"text": "；zx"})
    expect(agent.page.locator(".phrase-list").first).to_be_visible()
    agent.press("Enter")
    expect(agent.page.locator("#id_text")).to_have_value("市民咨询〔事项〕怎么办理。")


def test_a_row_is_found_in_the_right_order(desk: World, agent: Hands) -> None:
    """The exact name, then beginnings of initials, of words and pinyin, then what lies inside; the likely ones first among equals."""
    leaf = desk.topics["夜间施工噪声"]
    for code, name in (("010105", "夜间施工"), ("010106", "铁路夜间施工"), ("010107", "野景"), ("010108", "夜间施工扬尘")):
        Topic.objects.create(code=code, name=name, level=3, parent=leaf.parent, lead_rule="street", search_key=search_key([name]))
    agent.begin()
    found = lambda typed: agent.page.evaluate(  # noqa: E731
        "async typed => (await minshengTree.matches(document.querySelector('.topic [data-tree]'), typed)).map(row => row.label)", typed
    )
    assert found("夜间施工") == ["夜间施工", "夜间施工噪声", "夜间施工扬尘", "铁路夜间施工"]
    assert found("yjsg") == ["夜间施工", "夜间施工噪声", "夜间施工扬尘", "铁路夜间施工"]
    assert found("yejian")[-1] == "铁路夜间施工" and found("yj")[-1] == "铁路夜间施工" and "野景" in found("yj")
    assert found("yjyc") == ["夜间施工扬尘"] and found("010106") == ["铁路夜间施工"] and found("半夜 打桩") == ["夜间施工噪声"]
    assert found("没有这件事") == [] and found("施工 扬尘") == ["夜间施工扬尘"]


def test_several_cases_are_dispatched_with_keys(desk: World, browser: Browser, live_server: Any) -> None:
    cases = [desk.accepted() for _ in range(3)]
    hands = Hands(browser, live_server.url, name="dispatcher")
    hands.sign_in(desk, "dispatcher")
    hands.goto("/dispatching/")
    hands.page.wait_for_load_state("networkidle")
    hands.press("j", "x", "j", "x")
    expect(hands.page.locator("[data-bulk-count]")).to_have_text("已选 2 件")
    hands.check_page("picked")
    hands.press("Alt+B")
    hands.page.wait_for_url("**/cases/bulk/dispatch/**")
    expect(hands.page.locator("select")).to_have_count(2)
    hands.check_page("bulk")
    hands.page.focus("select >> nth=0")
    hands.press("Control+Enter")
    expect(hands.page.get_by_role("status").first).to_contain_text("完成 2 件")
    hands.check_page("bulk-done")
    states = sorted(Case.objects.filter(pk__in=[case.pk for case in cases]).values_list("state", flat=True))
    assert states == ["in_handling", "in_handling", "to_dispatch"]
