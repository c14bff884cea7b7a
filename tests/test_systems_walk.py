"""In a real browser: a system is connected and cut off, a receiver registered and its dead sent again, a person chooses how to be told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from minsheng.accounts.choices import Role
from minsheng.accounts.testing import sign_in
from minsheng.api.models import System
from minsheng.cases.tests.world import World, build
from minsheng.outbox.choices import State
from minsheng.outbox.models import Delivery, Endpoint
from minsheng.platform.browsing import Person, violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def city(transactional_db: None) -> World:
    """The small city, committed."""
    return build()


@pytest.fixture
def who() -> str:
    """Whose browser it is; a test may say another."""
    return "system_admin"


@pytest.fixture
def person(browser: Browser, live_server: Any, city: World, who: str) -> Iterator[Person]:
    """Somebody's browser; a console error or a broken page fails the walk."""
    client = sign_in(Client(), city[who])
    person = Person(browser, live_server.url, name=who, base_url=live_server.url)
    person.context.add_cookies([{"name": name, "value": morsel.value, "url": live_server.url} for name, morsel in client.cookies.items()])
    yield person
    person.close()
    assert not person.errors, person.errors


@pytest.fixture
def page(person: Person) -> Page:
    """Their window."""
    return person.page


def accessible(page: Page) -> None:
    """No violation of WCAG 2.2 AA that axe finds."""
    assert not violations(page)


def test_a_system_is_connected_and_cut_off(page: Page, city: World) -> None:
    page.goto("/api/systems/")
    expect(page.get_by_text("还没有接入的系统")).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="登记系统").click()
    page.fill("[name=name]", "城管案件系统")
    page.fill("[name=code]", "cg")
    page.fill("[name=contact]", "张工 0591-8888")
    page.get_by_role("button", name="登记").click()
    expect(page.get_by_text("请安全管理员给账号 system.cg 授予角色")).to_be_visible()
    System.objects.get(code="cg")
    account = System.objects.get(code="cg").account
    account.roles, account.unit = [Role.UNIT_LIAISON], city.units["仓山城管"]
    account.save()
    page.get_by_label("读承办任务").check()
    accessible(page)
    page.get_by_role("button", name="签发").click()
    first = page.locator(".clear-token").inner_text()
    accessible(page)
    called = page.request.get("/api/v1/tasks", headers={"Authorization": f"Bearer {first}"})
    assert called.status == 200
    page.get_by_role("link", name="已经交给对方").click()
    expect(page.locator(".clear-token")).to_have_count(0)
    assert first not in page.content()
    page.get_by_text("轮换", exact=True).click()
    page.get_by_role("button", name="换发新令牌").click()
    second = page.locator(".clear-token").inner_text()
    for clear in (first, second):
        assert page.request.get("/api/v1/tasks", headers={"Authorization": f"Bearer {clear}"}).status == 200
    page.get_by_role("link", name="已经交给对方").click()
    expect(page.get_by_text("轮换中")).to_be_visible()
    row = page.locator("tr", has_text="轮换中")
    row.locator("summary", has_text="吊销").click()
    row.locator("[name=why]").fill("对方已换用新令牌")
    row.get_by_role("button", name="立即吊销").click()
    expect(page.get_by_text("已吊销，立即失效")).to_be_visible()
    assert page.request.get("/api/v1/tasks", headers={"Authorization": f"Bearer {first}"}).status == 401
    accessible(page)
    page.goto("/api/systems/")
    expect(page.get_by_text("正常")).to_be_visible()


@pytest.mark.parametrize("width", [1366, 375])
def test_the_description_reads_without_a_script_or_another_host(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 768})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/api/v1/docs")
    expect(page.get_by_role("heading", name="提交诉求件")).to_be_visible()
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert not [url for url in asked if not url.startswith(page.url.split("/api")[0])]


def fits(page: Page) -> None:
    """Nothing sticks out at either width, and axe has nothing to say."""
    for width in (375, 1366):
        page.set_viewport_size({"width": width, "height": 768})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width
        accessible(page)


def test_a_receiver_is_registered_and_its_dead_are_sent_again(page: Page, city: World) -> None:
    page.goto("/outbox/systems/")
    expect(page.get_by_text("还没有接收系统")).to_be_visible()
    page.get_by_role("link", name="登记第一个").click()
    page.fill("[name=name]", "城管案件系统")
    page.fill("[name=url]", "https://93.184.215.14/hook")
    page.fill("[name=account]", city["城管联络"].username)
    page.get_by_label("批转", exact=True).check()
    fits(page)
    page.get_by_role("button", name="登记并生成密钥").click()
    secret = page.locator(".secret code").inner_text()
    assert secret.startswith("whsec_")
    fits(page)
    page.get_by_role("link", name="已交给对方").click()
    expect(page.locator(".secret")).to_have_count(0)
    assert secret not in page.content()
    made = Endpoint.objects.get()
    for _ in range(2):
        page.get_by_role("button", name="发送测试").click()
        expect(page.get_by_text("测试已排入发送")).to_be_visible()
        page.goto(f"/outbox/systems/{made.pk}/")
    Delivery.objects.update(state=State.DEAD, reason="对方不再接收（410）", next_at=None)
    Endpoint.objects.update(is_active=False, gave_up="对方不再接收（410）")
    page.goto("/desk/system/")
    expect(page.get_by_text("接收系统“城管案件系统”已自动停用")).to_be_visible()
    page.goto(f"/outbox/systems/{made.pk}/")
    fits(page)
    page.get_by_role("button", name="重新启用").click()
    expect(page.get_by_text("已启用。")).to_be_visible()
    page.goto("/outbox/systems/")
    fits(page)
    page.get_by_role("link", name="2", exact=True).click()
    page.wait_for_url("**/outbox/?*")
    fits(page)
    page.get_by_role("button", name="全部重发").click()
    expect(page.get_by_text("已把 2 条排入重发")).to_be_visible()
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.WAITING}


@pytest.mark.parametrize("who", ["城管联络"])
def test_a_person_chooses_how_to_be_told(page: Page, person: Person, city: World) -> None:
    page.goto("/outbox/settings/")
    expect(page.get_by_text("还没有登记邮箱")).to_be_visible()
    fits(page)
    page.fill("[name=email]", "nobody")
    with person.provoking(422):
        page.get_by_role("button", name="保存").click()
        expect(page.get_by_text("邮箱格式不对").first).to_be_visible()
    assert page.input_value("[name=email]") == "nobody"
    page.fill("[name=email]", "li.na@fuzhou.gov.cn")
    page.get_by_label("新任务：立即").check()
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("已保存。")).to_be_visible()
    page.get_by_role("button", name="给自己发一封测试邮件").click()
    expect(page.get_by_text("测试邮件已排入发送")).to_be_visible()
    expect(page.get_by_text("待发送")).to_be_visible()
    page.get_by_role("link", name="发送记录").click()
    expect(page.get_by_role("cell", name="测试", exact=True)).to_be_visible()
    fits(page)
