"""In a real browser: a follow-up officer rings and starts a second handling; the administrators make an account, let somebody in again,
verify the record and look up who saw a citizen's number. Each page on the way is axe clean and quiet."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from minsheng.accounts.models import User
from minsheng.accounts.testing import sign_in
from minsheng.audit.actions import seal
from minsheng.cases.choices import CaseState
from minsheng.cases.models import Case
from minsheng.cases.tests.world import World, fresh
from minsheng.console.tests.test_administrators import lock, no_jobs_left, work
from minsheng.platform.browsing import Person

from .test_walk import Worker, city, pick

__all__ = ["city", "no_jobs_left"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def closing(city: World) -> World:
    """The small city, yesterday."""
    city.now = timezone.now() - timedelta(days=1)
    return city


def at_both_widths(person: Person, title: str) -> None:
    """Axe clean, nothing cut off, quiet."""
    for width, height in ((375, 740), (1366, 768)):
        person.page.set_viewport_size({"width": width, "height": height})
        person.width = width
        person.check_page(title)


@contextmanager
def desk_of(browser: Browser, base: str, user: User) -> Iterator[Person]:
    """An administrator at work; the second factor has been shown (how: accounts/tests/test_sign_in.py)."""
    person = Person(browser, base, name=user.roles[0])
    cookie = sign_in(Client(), user).cookies[settings.SESSION_COOKIE_NAME].value
    person.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": base}])
    person.goto("/desk/")
    yield person
    person.close()
    assert not person.errors, person.errors


# --- follow-up ---------------------------------------------------------------------------------------------------


def test_a_call_ends_in_second_handling(closing: World, browser: Browser, live_server: Any) -> None:
    case = closing.audited()
    officer = Worker(browser, live_server.url, name="follow_up").sign_in(closing, "follow_up")
    officer.page.locator(f"#row-{case.number} a").first.click()
    officer.page.wait_for_selector("#pane article.case")
    at_both_widths(officer, "to-ring")
    officer.act("登记回访")
    expect(officer.page.locator("#drawer")).to_contain_text("您好，这里是福州 12345 热线")
    at_both_widths(officer, "call")
    for field, value in (("contacted", "yes"), ("truthful", "no"), ("solved", "no"), ("satisfaction", "unsatisfied")):
        pick(officer, field, value)
    officer.page.fill("#drawer [name=comment]", "昨夜又打桩到一点，没有人管。")
    officer.send()
    expect(officer.page.locator(f"#row-{case.number}")).to_contain_text("不满意，待研判")
    officer.act("二次办理")  # it stays open, as it waits for judgement now
    expect(officer.page.locator("#drawer")).to_contain_text("昨夜又打桩到一点")
    expect(officer.page.locator("#drawer select[name=unit]")).to_have_value(str(closing.units["仓山区政府"].pk))
    at_both_widths(officer, "second-handling")
    officer.page.fill("#drawer [name=reason]", "夜间施工没有停，诉求人说的有理，须停工并答复。")
    officer.send()
    expect(officer.page.locator("main")).to_contain_text("没有等待回访的诉求件")
    at_both_widths(officer, "nobody-to-ring")
    case = fresh(case)
    assert (case.state, closing.lead(case).unit) == (CaseState.IN_HANDLING, closing.units["仓山区政府"])
    officer.close()


def test_nobody_answers_and_the_next_try_is_planned(closing: World, browser: Browser, live_server: Any) -> None:
    case = closing.audited()
    officer = Worker(browser, live_server.url, name="follow_up").sign_in(closing, "follow_up")
    officer.open_case(str(case.number))
    officer.page.keyboard.press("e")
    officer.page.wait_for_selector("#drawer form")
    pick(officer, "result", "missed")
    officer.send()
    officer.goto("/followup/")
    expect(officer.page.locator(f"#row-{case.number}")).to_contain_text("第 2 次")
    at_both_widths(officer, "second-try")
    assert fresh(case).state == CaseState.TO_FOLLOW_UP
    officer.close()


# --- administrators ----------------------------------------------------------------------------------------------


def test_one_makes_an_account_and_another_gives_it_a_role(city: World, browser: Browser, live_server: Any) -> None:
    with desk_of(browser, live_server.url, city["system_admin"]) as maker:
        page = maker.page
        maker.goto("/admin/accounts/user/add/")
        page.fill("[name=username]", "lin.wanqing")
        page.fill("[name=display_name]", "林晚晴")
        page.fill("[name=password]", "Ku-miao-9-liang-hua")
        save(page)
        assert User.objects.get(username="lin.wanqing").roles == []
    with desk_of(browser, live_server.url, city["security_admin"]) as giver:
        page = giver.page
        page.get_by_role("link", name="全部人员").click()
        page.get_by_role("link", name="lin.wanqing").click()
        page.locator("[name=roles][value=agent]").check()
        page.fill("[name=why]", "新入职话务员")
        save(page)
        assert User.objects.get(username="lin.wanqing").roles == ["agent"]
        giver.goto("/desk/security/?tab=changes")
        expect(page.locator("tbody tr").first).to_contain_text("林晚晴")
        expect(page.locator("tbody tr").first).to_contain_text("新入职话务员")
        at_both_widths(giver, "role-given")


def save(page: Page) -> None:
    """As the configuration screens have it; back on the list."""
    page.locator("[name=_save]").first.click()
    page.wait_for_url("**/admin/accounts/user/")


def test_who_locked_themselves_out_is_let_in_again(city: World, browser: Browser, live_server: Any) -> None:
    lock(city["agent"].username)
    with desk_of(browser, live_server.url, city["security_admin"]) as admin:
        row = admin.page.locator("tr", has_text=city["agent"].username)
        expect(row).to_contain_text("5 次")
        row.locator("summary").click()
        at_both_widths(admin, "locked")
        row.get_by_role("button", name="确认解除").click()
        expect(admin.page.get_by_text("的锁定已解除，现在可以重新登录")).to_be_visible()
        expect(admin.page.locator("tr", has_text=city["agent"].username)).to_have_count(0)
        at_both_widths(admin, "let-in")
    Worker(browser, live_server.url).sign_in(city, "agent").close()


def test_the_record_is_verified_and_looked_up(no_jobs_left: None, closing: World, browser: Browser, live_server: Any) -> None:
    case = closing.handling()
    uncover(closing, case, "核对来电号码")
    seal(at=timezone.now())
    with desk_of(browser, live_server.url, closing["audit_admin"]) as admin:
        page = admin.page
        page.get_by_role("link", name="校验", exact=True).click()
        page.get_by_role("button", name="校验").click()
        expect(page.get_by_text("正在后台校验")).to_be_visible()
        at_both_widths(admin, "verifying")
        runner = threading.Thread(target=work)  # the browser's own loop holds this thread
        runner.start()
        runner.join()
        page.get_by_role("link", name="看结果").click()
        expect(page.get_by_text("没有发现改动")).to_be_visible()
        at_both_widths(admin, "verified")
        page.get_by_role("link", name="记录", exact=True).click()
        page.get_by_label("对什么").fill(str(case.number))
        page.get_by_label("只看“查看诉求人”").check()
        page.get_by_role("button", name="查找").click()
        row = page.locator("tbody tr")
        expect(row).to_have_count(1)
        expect(row).to_contain_text("核对来电号码")
        row.locator("summary").click()
        expect(row.locator(".log-facts")).to_be_visible()
        at_both_widths(admin, "looked-up")
        page.get_by_role("link", name="封存", exact=True).click()
        expect(page.locator(".digest").first).to_be_visible()


def uncover(world: World, case: Case, reason: str) -> None:
    """A dispatcher looks at a citizen's number."""
    answer = sign_in(Client(), world["dispatcher"]).post(f"/cases/{case.number}/reveal/", {"reason": reason})
    assert answer.status_code == 200
