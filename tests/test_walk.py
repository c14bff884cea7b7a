"""One whole case in a real browser: a citizen files, an agent accepts, a dispatcher dispatches, a unit reads and replies, an auditor
passes, the citizen rates. Each person signs in and works on the screen of their own."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from minsheng.cases.models import Case
from minsheng.cases.tests.world import World, build
from minsheng.platform.browsing import Person

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PASSWORD = "Walk-the-whole-2026"


@pytest.fixture
def city(transactional_db: None) -> World:
    """The small city, committed, its people able to sign in."""
    world = build()
    for user in world.people.values():
        user.set_password(PASSWORD)
        user.save()
    return world


class Worker(Person):
    """Somebody who signs in and acts on cases; any console error or server error fails the walk."""

    def sign_in(self, world: World, name: str) -> Worker:
        self.page.goto(f"{self.base}/accounts/login/")
        self.page.fill("[name=login]", world[name].username)
        self.page.fill("[name=password]", PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector(".rail")
        return self

    def open_case(self, number: str) -> None:
        self.page.goto(f"{self.base}/cases/{number}/")

    def act(self, label: str) -> None:
        """Press one of the buttons of what may be done now; its form opens beside the case."""
        self.page.locator("[data-actions] a", has_text=label).first.click()
        self.page.wait_for_selector("#drawer form")

    def send(self) -> None:
        """Submit the open form and wait until the page has been drawn anew."""
        with self.page.expect_navigation():
            self.page.locator("#drawer button[type=submit]").last.click()
        assert not self.errors, self.errors


def test_a_whole_case_in_the_browser(city: World, browser: Browser, live_server: Any) -> None:
    base = live_server.url
    citizen = Person(browser, base, width=375)
    number, code = files(citizen)
    case = Case.objects.get(number=number)

    agent = Worker(browser, base).sign_in(city, "agent")
    agent.open_case(number)
    agent.act("受理")
    choose_topic(agent, city)
    agent.send()

    dispatcher = Worker(browser, base).sign_in(city, "dispatcher")
    expect(dispatcher.page.locator("[data-row]", has_text=number)).to_be_visible()
    dispatcher.open_case(number)
    dispatcher.act("批转")
    dispatcher.send()
    case.refresh_from_db()
    assert case.state == "in_handling" and city.lead(case).unit == city.units["仓山城管"]
    for other in case.tasks.exclude(pk=city.lead(case).pk):
        other.delete()  # the story has one unit

    liaison = Worker(browser, base).sign_in(city, "城管联络")
    liaison.open_case(number)
    liaison.act("查阅")
    liaison.send()
    liaison.act("拟写回复")
    liaison.page.fill("#drawer [name=text]", "经现场核查，该工地夜间施工属实，已责令停止夜间施工，并约谈责任单位。")
    for field, value in (("finding", "true"), ("outcome", "supported"), ("solved", "yes")):
        pick(liaison, field, value)
    liaison.page.fill("#drawer [name=basis]", "《噪声污染防治法》第四十三条")
    liaison.send()

    leader = Worker(browser, base).sign_in(city, "城管领导")
    leader.open_case(number)
    leader.act("签发")
    leader.send()

    auditor = Worker(browser, base).sign_in(city, "auditor")
    auditor.open_case(number)
    auditor.act("审核通过")
    auditor.send()

    rates(citizen, number, code)
    case.refresh_from_db()
    assert (case.state, case.first_satisfaction, case.final_satisfaction) == ("closed", "very", "very")
    assert [e.code for e in case.timeline.order_by("seq")][-1] == "rate"


def files(citizen: Person) -> tuple[str, str]:
    """At 375 px in four steps: what, where, who, send; then number and code."""
    page = citizen.page
    page.goto(f"{citizen.base}/file/")
    page.fill("[name=text]", "建新镇一处工地每天夜里十一点以后还在打桩，老人孩子都睡不着，请管一管。")
    page.check("[name=kind][value=complaint]", force=True)
    go_on(citizen)
    page.select_option("[name=county]", label="仓山区")
    page.select_option("[name=street]", label="建新镇")
    page.fill("[name=address]", "建新镇金山大道 618 号旁")
    go_on(citizen)
    page.fill("[name=name]", "林小满")
    page.fill("[name=phone]", "13800138000")
    go_on(citizen)
    go_on(citizen)
    page.wait_for_selector("[data-filed]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    number = "".join((page.locator(".ticket-number").text_content() or "").split())
    code = "".join((page.locator(".ticket-code").text_content() or "").split())
    return number, code


def go_on(citizen: Person) -> None:
    """Press the step's one filled button."""
    with citizen.page.expect_navigation():
        citizen.page.locator("form[data-draft] .btn-primary").click()


def rates(citizen: Person, number: str, code: str) -> None:
    """With number and code: two presses and a button."""
    page = citizen.page
    page.goto(f"{citizen.base}/progress/")
    page.fill("[name=number]", number)
    page.fill("[name=code]", code)
    page.get_by_role("button", name="查进展").click()
    page.wait_for_url("**/mine/")
    page.goto(f"{citizen.base}/mine/rate/")
    page.locator("button[name=s][value=very]").click()
    page.locator("button[name=solved][value=yes]").click()
    page.wait_for_url("**/mine/")
    assert not citizen.errors, citizen.errors


def choose_topic(agent: Worker, city: World) -> None:
    """The accepting form carries the topic; the script sets it as the tree select does."""
    topic = city.topics["夜间施工噪声"]
    agent.page.evaluate(
        """([value, label]) => {
            const select = document.querySelector('#drawer select[name=topic]')
            if (![...select.options].some((o) => o.value === value)) select.add(new Option(label, value))
            select.value = value
        }""",
        [str(topic.pk), topic.name],
    )


def pick(person: Worker, field: str, value: str) -> None:
    """Choose in a radio group or a select, whichever the form has."""
    radio = person.page.locator(f"#drawer input[type=radio][name={field}][value={value}]")
    if radio.count():
        radio.first.check(force=True)
    else:
        person.page.select_option(f"#drawer select[name={field}]", value)
