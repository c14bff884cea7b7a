"""Desks that follow by themselves, in real browsers on real processes: one person acts, another's screen changes and loses nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect

from minsheng.cases.actions import accept_case, supplement_case
from minsheng.cases.models import Case, Reply
from minsheng.cases.tests.world import World, build, press_anew
from minsheng.console.models import Draft
from minsheng.organisations.coordinates import Point
from minsheng.publishing.actions import propose
from minsheng.publishing.tests.made import VERSION, closed

from .live_city import Served, served

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PASSWORD = "Live-desks-2026"
REPLY = "已到场核查，责令停工。"
NEWS = "本件刚有变化"


@pytest.fixture
def city(transactional_db: None) -> World:
    """The small city, committed, at the present moment, its people able to sign in."""
    with transaction.atomic():
        world = build()
        for user in world.people.values():
            user.set_password(PASSWORD)
            user.save()
    world.now = timezone.now() - timedelta(hours=2)
    return world


@pytest.fixture(scope="module")
def running(django_db_setup: None, django_db_blocker: Any) -> Iterator[Served]:
    """The processes, for all of this file: each takes seconds to start."""
    with django_db_blocker.unblock(), served() as running:
        yield running


@pytest.fixture
def house(city: World, running: Served) -> Iterator[Served]:
    yield running
    running.start()  # what a test has killed


@pytest.fixture
def browser(browser: Browser) -> Iterator[Browser]:
    """Whose windows are closed before the city goes."""
    yield browser
    for context in browser.contexts:
        context.close()


def sign_in(browser: Browser | BrowserContext, house: Served, world: World, name: str) -> Page:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN") if isinstance(browser, Browser) else browser
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(f"{house.url}/accounts/login/")
    page.fill("[name=login]", world[name].username)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".rail")
    page.evaluate("window.notReloaded = true")
    return page


def open_at(page: Page, house: Served, path: str) -> Page:
    """An address of ours, once its stream is open; what is written into the window shows later that it was not loaded anew."""
    page.goto(house.url + path)
    page.wait_for_selector("main[data-stream=open]")
    page.evaluate("window.notReloaded = true")
    return page


def still_there(page: Page) -> bool:
    return bool(page.evaluate("window.notReloaded === true"))


def until(page: Page, condition: str) -> None:
    """Wait for what no element shows; the page's own policy lets nothing be evaluated inside it."""
    deadline = time.monotonic() + 20
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(50)


def act(page: Page, label: str) -> None:
    page.locator("[data-actions] a", has_text=label).first.click()
    page.wait_for_selector("#drawer form")


def send(page: Page) -> None:
    with page.expect_navigation():
        page.locator("#drawer .drawer-foot button[type=submit]").click()


def accept(world: World, case: Case) -> None:
    accept_case(actor=world["agent"], at=timezone.now(), case=case)


# --- what changes by itself --------------------------------------------------------------------------------------


def test_a_list_and_its_count_follow_while_a_row_keeps_the_focus_and_the_page_stands(city: World, house: Served, browser: Browser) -> None:
    first, second = city.accepted(), city.submitted()
    dispatcher = open_at(sign_in(browser, house, city, "dispatcher"), house, "/dispatching/")
    expect(dispatcher.locator("[data-row]")).to_have_count(1)
    expect(dispatcher.locator("#rail-dispatch .rail-count b")).to_have_text("1")
    dispatcher.keyboard.press("j")
    accept(city, second)
    expect(dispatcher.locator(f"#row-{second.number}")).to_be_visible()
    expect(dispatcher.locator("#rail-dispatch .rail-count b")).to_have_text("2")
    expect(dispatcher.locator(".tabs a[aria-current] .num")).to_have_text("2")
    assert dispatcher.evaluate("document.activeElement.closest('[data-row]').id") == f"row-{first.number}"
    assert still_there(dispatcher)


def test_the_map_follows_too(city: World, house: Served, browser: Browser) -> None:
    city.submitted(point=Point.of("119.270000", "26.041000"))
    page = open_at(sign_in(browser, house, city, "dispatcher"), house, "/cases/map/")
    page.wait_for_selector("#case-map[data-drawn='1']")
    accept(city, city.submitted(point=Point.of("119.290000", "26.051000")))
    page.wait_for_selector("#case-map[data-drawn='2']")
    expect(page.locator("#map-in-sight")).to_contain_text("这一片有")
    assert still_there(page)


def test_what_is_written_for_the_public_reaches_who_reviews_it(city: World, house: Served, browser: Browser) -> None:
    city.now = timezone.now() - timedelta(days=1)
    cases = closed(city), closed(city)
    leader = open_at(sign_in(browser, house, city, "hotline_leader"), house, "/publishing/?tab=review")
    expect(leader.locator("[data-row]")).to_have_count(0)
    for count, case in enumerate(cases, start=1):  # a page looks once by itself after its stream began: the second tells
        propose(actor=city["quality"], at=timezone.now(), case=case, **VERSION)
        expect(leader.locator("[data-row]")).to_have_count(count)
    expect(leader.locator("#rail-publishing .rail-count b")).to_have_text("2")
    assert still_there(leader)


def test_an_open_case_follows_and_says_who_else_is_there(city: World, house: Served, browser: Browser) -> None:
    case = city.accepted()
    reader = open_at(sign_in(browser, house, city, "team_leader"), house, f"/cases/{case.number}/")
    dispatcher = open_at(sign_in(browser, house, city, "dispatcher"), house, f"/dispatching/?open={case.number}")
    expect(reader.locator("[data-present]")).to_contain_text(f"{city['dispatcher']}（批转员）正在看")
    lister = open_at(sign_in(browser, house, city, "team_leader"), house, "/dispatching/")
    expect(lister.locator(f"#row-{case.number} .case-row-who")).to_contain_text(str(city["dispatcher"]))
    act(dispatcher, "送研判")
    expect(reader.locator("[data-present]")).to_contain_text("正在填写“送研判”")
    dispatcher.fill("#drawer [name=reason]", "职责不清")
    send(dispatcher)
    expect(reader.locator(".case-number")).to_contain_text("研判中")
    expect(reader.locator(".history")).to_contain_text("研判")
    expect(reader.locator("[data-present]")).not_to_contain_text("正在填写")
    assert still_there(reader)
    dispatcher.close()
    expect(reader.locator("[data-present]")).to_be_hidden(timeout=30_000)
    expect(lister.locator(f"#row-{case.number}")).to_have_count(0)  # it waits elsewhere now


def test_an_open_form_is_never_touched_and_says_what_changed_beside_it(city: World, house: Served, browser: Browser) -> None:
    case = city.handling()
    liaison = open_at(sign_in(browser, house, city, "城管联络"), house, f"/cases/{case.number}/")
    act(liaison, "拟写回复")
    liaison.fill("#drawer [name=text]", REPLY)
    supplement_case(actor=city["agent"], at=timezone.now(), case=case, channel="phone", text="昨夜又打桩了")
    news = liaison.locator("#drawer .news")
    expect(news).to_contain_text(NEWS)
    expect(liaison.locator("#drawer [name=text]")).to_have_value(REPLY)
    before = liaison.input_value("#drawer [name=version]")
    news.locator("summary").click()
    expect(news.locator(".changes li")).to_have_count(1)
    assert int(liaison.input_value("#drawer [name=version]")) == int(before) + 1, "what was looked at is known"
    assert still_there(liaison)


def test_what_turns_red_by_time_alone_turns_on_the_screen(city: World, house: Served, browser: Browser) -> None:
    case = city.accepted()
    soon = timezone.now() + timedelta(seconds=25)
    Case.objects.filter(pk=case.pk).update(stage_due_at=soon, stage_yellow_at=soon - timedelta(hours=1), stage_orange_at=soon - timedelta(minutes=1))
    press_anew(case)
    dispatcher = open_at(sign_in(browser, house, city, "dispatcher"), house, "/dispatching/")
    row = dispatcher.locator(f"#row-{case.number}")
    expect(row.locator(".light-orange")).to_have_count(1)
    house.web.kill()  # nobody tells it: the page knows
    expect(row.locator(".light-red")).to_have_count(1, timeout=40_000)
    assert still_there(dispatcher)


def test_who_was_cut_off_says_so_and_catches_up(city: World, house: Served, browser: Browser) -> None:
    case = city.submitted()
    dispatcher = open_at(sign_in(browser, house, city, "dispatcher"), house, "/dispatching/")
    house.events.kill()
    expect(dispatcher.locator("#live-lost")).to_be_visible(timeout=20_000)
    accept(city, case)
    house.events.start()
    expect(dispatcher.locator(f"#row-{case.number}")).to_be_visible(timeout=30_000)
    expect(dispatcher.locator("#live-lost")).to_be_hidden()
    assert still_there(dispatcher)


# --- two at once -------------------------------------------------------------------------------------------------


def test_a_stale_save_shows_before_and_after_and_keeps_words_and_files(city: World, house: Served, browser: Browser, tmp_path: Any) -> None:
    photograph = tmp_path / "现场.png"
    photograph.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    case = city.handling()
    liaison = sign_in(browser, house, city, "城管联络")
    liaison.goto(f"{house.url}/cases/{case.number}/")
    act(liaison, "拟写回复")
    fill_reply(liaison)
    liaison.set_input_files("#drawer input[type=file]", photograph)
    house.events.kill()  # else the quiet line would have said it before
    city.now = timezone.now()
    task = city.lead(case)
    Case.objects.filter(pk=case.pk).update(urgency="urgent")
    supplement_case(actor=city["agent"], at=timezone.now(), case=Case.objects.get(pk=case.pk), channel="phone", text="昨夜又打桩了")
    liaison.locator("#drawer .drawer-foot button[type=submit]").click()
    conflict = liaison.locator("#drawer .conflict")
    expect(conflict.locator(".changes li")).to_have_count(1)
    expect(conflict).to_contain_text("补充")
    expect(liaison.locator("#drawer [name=text]")).to_have_value(REPLY)
    assert liaison.evaluate("document.querySelector('#drawer input[type=file]').files.length") == 1
    with liaison.expect_navigation():
        conflict.get_by_text("仍然提交").click()
    reply = Reply.objects.get(task=task)
    assert reply.text == REPLY and reply.attachments.count() == 1


def fill_reply(page: Page) -> None:
    page.fill("#drawer [name=text]", REPLY)
    for field, value in (("finding", "true"), ("outcome", "supported"), ("solved", "yes")):
        control = page.locator(f"#drawer [name={field}]").first
        if control.evaluate("field => field.tagName") == "SELECT":
            control.select_option(value)
        else:
            page.check(f"#drawer [name={field}][value={value}]")
    page.fill("#drawer [name=basis]", "《噪声污染防治法》第四十三条")


# --- drafts ------------------------------------------------------------------------------------------------------


def test_a_reply_survives_a_closed_browser_and_is_forgotten_when_sent(city: World, house: Served, browser: Browser) -> None:
    case = city.handling()
    liaison = sign_in(browser, house, city, "城管联络")
    liaison.goto(f"{house.url}/cases/{case.number}/")
    act(liaison, "拟写回复")
    fill_reply(liaison)
    expect(liaison.locator("#drawer [data-draft-state]")).to_contain_text("草稿已保存")
    liaison.context.close()

    again = sign_in(browser, house, city, "城管联络")
    again.goto(f"{house.url}/cases/{case.number}/")
    act(again, "拟写回复")
    expect(again.locator("#drawer .draft-note")).to_contain_text("已恢复")
    expect(again.locator("#drawer [name=text]")).to_have_value(REPLY)
    send(again)
    assert Reply.objects.get(task=city.lead(case)).text == REPLY
    assert not Draft.objects.exists()


def test_a_draft_that_is_not_wanted_is_gone(city: World, house: Served, browser: Browser) -> None:
    case = city.handling()
    liaison = sign_in(browser, house, city, "城管联络")
    for expected in (None, "", "second"):
        liaison.goto(f"{house.url}/cases/{case.number}/")
        act(liaison, "拟写回复")
        text = liaison.locator("#drawer [name=text]")
        if expected == "":
            expect(text).to_have_value("first")
            liaison.get_by_text("不用它").click()
            expect(liaison.locator("#drawer .draft-note")).to_have_count(0)
            expect(text).to_have_value("")
        if expected == "second":
            expect(text).to_have_value("second")
            return
        text.fill("first" if expected is None else "second")
        expect(liaison.locator("#drawer [data-draft-state]")).to_contain_text("草稿已保存")


def test_the_server_dies_while_somebody_types_and_the_words_are_sent_when_it_is_back(city: World, house: Served, browser: Browser) -> None:
    case = city.handling()
    liaison = sign_in(browser, house, city, "城管联络")
    liaison.goto(f"{house.url}/cases/{case.number}/")
    act(liaison, "拟写回复")
    house.web.kill()
    fill_reply(liaison)
    expect(liaison.locator("#drawer [data-draft-state]")).to_contain_text("暂存在这台电脑上")
    kept = liaison.evaluate("JSON.stringify(localStorage)")
    assert "minsheng.draft." in kept and "核查" not in kept, "kept, and not for others to read"
    liaison.close()  # and the browser too: its store remains

    house.web.start()
    page = liaison.context.new_page()
    page.goto(f"{house.url}/cases/{case.number}/")
    until(page, "!JSON.stringify(localStorage).includes('minsheng.draft.')")
    assert Draft.objects.get().fields is not None
    act(page, "拟写回复")
    expect(page.locator("#drawer [name=text]")).to_have_value(REPLY)
    send(page)
    assert Reply.objects.filter(task=city.lead(case), text=REPLY).count() == 1
    assert not Draft.objects.exists()


def test_a_form_in_hand_is_sent_after_the_server_came_back(city: World, house: Served, browser: Browser) -> None:
    case = city.handling()
    liaison = sign_in(browser, house, city, "城管联络")
    liaison.goto(f"{house.url}/cases/{case.number}/")
    act(liaison, "拟写回复")
    fill_reply(liaison)
    house.web.kill()
    liaison.locator("#drawer .drawer-foot button[type=submit]").click()
    expect(liaison.locator("#drawer [data-notice]")).to_contain_text("还没有送出")
    house.web.start()
    send(liaison)
    assert Reply.objects.get(task=city.lead(case)).text == REPLY


def test_a_callers_words_and_number_survive_and_are_nobody_elses(city: World, house: Served, browser: Browser) -> None:
    agent = sign_in(browser, house, city, "agent")
    agent.goto(f"{house.url}/cases/new/")
    agent.fill("[name=phone]", "13800138000")
    agent.fill("[name=text]", "门前路灯三天不亮。")
    expect(agent.locator("[data-draft-state]")).to_contain_text("草稿已保存")
    (draft,) = Draft.objects.all()
    assert draft.person == city["agent"]
    window = agent.context.new_page()  # a second call, while the first form is still open
    window.goto(f"{house.url}/cases/new/")
    window.wait_for_load_state("networkidle")
    expect(window.locator(".draft-note")).to_have_count(0)
    window.close()
    agent.context.close()

    other = sign_in(browser, house, city, "agent2")
    other.goto(f"{house.url}/cases/new/")
    other.wait_for_load_state("networkidle")
    expect(other.locator("[name=phone]")).to_have_value("")

    again = sign_in(browser, house, city, "agent")
    again.goto(f"{house.url}/cases/new/")
    expect(again.locator("[name=phone]")).to_have_value("13800138000")
    expect(again.locator("[name=text]")).to_have_value("门前路灯三天不亮。")


def test_signing_out_takes_what_this_browser_kept(city: World, house: Served, browser: Browser) -> None:
    agent = sign_in(browser, house, city, "agent")
    agent.goto(f"{house.url}/cases/new/")
    agent.route("**/desk/drafts/**", lambda route: route.abort())
    agent.fill("[name=text]", "门前路灯三天不亮。")
    until(agent, "JSON.stringify(localStorage).includes('minsheng.draft.')")
    agent.locator(".topbar details.menu summary").click()
    agent.on("dialog", lambda dialog: dialog.accept())
    agent.get_by_text("退出登录").click()
    agent.wait_for_url(lambda url: "/cases/new/" not in url)
    assert "minsheng.draft." not in agent.evaluate("JSON.stringify(localStorage)")
