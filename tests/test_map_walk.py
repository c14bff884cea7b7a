"""Maps in a real browser that can reach nobody but us: outlines are drawn, a place is picked in both forms, cases are found on a map."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect

from minsheng.cases.models import Case
from minsheng.cases.tests.world import World, build
from minsheng.organisations.coordinates import Point
from minsheng.platform.browsing import Listener

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PASSWORD = "Walk-the-whole-2026"
JIANXIN = {"longitude": 119.271149, "latitude": 26.041351}


@pytest.fixture
def city(transactional_db: None) -> World:
    world = build()
    for name in ("agent", "dispatcher"):
        world[name].set_password(PASSWORD)
        world[name].save()
    return world


@pytest.fixture
def here(browser: Browser, live_server: Any) -> Iterator[BrowserContext]:
    """A browser for which every other server is out of reach, and that fails the test when it asks one, or complains."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN", permissions=["geolocation"], geolocation=JIANXIN)
    context.set_default_timeout(30_000)
    wrong = Listener(context).errors

    def answer(route: Any) -> None:
        if route.request.url.startswith((live_server.url, "data:")):
            route.continue_()
        else:
            wrong.append(f"asked {route.request.url}")
            route.abort()

    context.route("**/*", answer)
    yield context
    context.close()
    # The stream of ticks has a server of its own, which does not run here.
    assert not [line for line in wrong if "/events" not in line and ":8001" not in line]


def signed_in(context: BrowserContext, base: str, world: World, name: str) -> Page:
    page = context.new_page()
    page.goto(f"{base}/accounts/login/")
    page.fill("[name=login]", world[name].username)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".rail")
    return page


def test_an_agent_takes_the_proposed_street_and_picks_the_place(city: World, here: BrowserContext, live_server: Any) -> None:
    page = signed_in(here, live_server.url, city, "agent")
    page.goto(f"{live_server.url}/cases/new/")
    page.fill("[name=text]", "路灯不亮。")
    page.fill("[name=address]", "仓山区建新镇金山大道 618 号")
    proposal = page.locator(".proposal")
    expect(proposal).to_contain_text("建新镇")
    expect(page.locator("[data-proposals]")).to_contain_text("地址里有“建新镇”")
    proposal.click()
    expect(page.locator("select[name=place]")).to_have_value(str(city.places["建新镇"].pk))
    expect(page.locator("select[name=place] ~ input")).to_have_value("仓山区 建新镇")
    expect(proposal).to_have_count(0)  # what is chosen is proposed no more
    page.click("[data-point-open]")
    expect(page.locator(".point-panel path.county")).to_have_count(13)
    page.locator(".point-panel .map").click(position={"x": 170, "y": 170})
    expect(page.locator("[data-point-said]")).to_contain_text("已选位置：仓山区")
    page.click("button[value=submit]")
    page.wait_for_url(re.compile(r"/cases/FZ"))
    case = Case.objects.get()
    assert case.place == city.places["建新镇"] and case.point is not None
    assert page.locator(".place-map").get_attribute("data-at") == str(case.point)


def test_a_citizen_tells_where_they_are_or_picks_by_keyboard(city: World, here: BrowserContext, live_server: Any) -> None:
    page = here.new_page()
    page.set_viewport_size({"width": 375, "height": 740})
    page.goto(f"{live_server.url}/file/?kind=help")
    page.fill("[name=text]", "门口的路灯坏了。")
    page.locator("form[data-draft] button.btn-primary").click()
    page.fill("[name=address]", "金山")
    page.click("[data-point-open]")
    page.wait_for_selector(".point-panel path.county")
    page.get_by_role("button", name="用我的位置").click()
    expect(page.locator("[data-point-said]")).to_contain_text("已选位置：仓山区")
    assert page.input_value("[name=point]") == "119.271149,26.041351"
    page.click(".proposal:has-text('仓山区')")
    expect(page.locator("[name=county]")).to_have_value("350104")
    page.get_by_role("button", name="清除位置").click()
    assert page.input_value("[name=point]") == ""
    page.get_by_role("button", name="选中间这一点").press("Enter")
    expect(page.locator("[name=point]")).to_have_value(re.compile(r"^119\.\d{6},2[56]\.\d{6}$"))
    page.locator("form[data-draft] button.btn-primary").click()
    page.wait_for_url("**/file/who/")


def test_without_javascript_the_form_is_as_before(city: World, browser: Browser, live_server: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{live_server.url}/file/?kind=help")
    page.fill("[name=text]", "门口的路灯坏了。")
    page.locator("form[data-draft] button.btn-primary").click()
    page.wait_for_url("**/file/where/")
    expect(page.locator(".point")).to_be_hidden()
    page.fill("[name=address]", "金山大道")
    page.locator("form[data-draft] button.btn-primary").click()
    page.wait_for_url("**/file/who/")
    context.close()


def test_cases_are_found_on_the_map(city: World, here: BrowserContext, live_server: Any) -> None:
    city.now = timezone.now()
    cases = [city.submitted(point=Point.of(f"119.{270 + 3 * n}000", "26.041000")) for n in range(3)]
    city.submitted()  # without a point: counted for its county
    page = signed_in(here, live_server.url, city, "dispatcher")
    page.goto(f"{live_server.url}/cases/map/")
    page.wait_for_selector("#case-map[data-drawn='3']")
    assert page.locator("#case-map path.county").count() == 13
    expect(page.locator("#map-in-sight")).to_contain_text("这一片有 3 件")
    label = page.locator(".county-name", has_text="仓山区")
    expect(label).to_contain_text("4")
    mark = page.locator(f".case-mark[title^='{cases[0].number}']")
    mark.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#map-rows > li").first).to_have_id(f"row-{cases[0].number}")
    expect(page.locator(f"#row-{cases[0].number} a")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{cases[0].number}/")
    page.locator(".place-map summary").click()
    expect(page.locator(".place-map path.county")).to_have_count(13)
