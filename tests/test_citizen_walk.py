"""Scenario 14: a citizen with an old phone, 375 px, a slow line: files with a photograph of 8 MB, gets number and code, asks the
progress the next day, adds a line, rates; without JavaScript, and with it. Every page in every state is axe-clean and fit for a thumb."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect

from minsheng.cases import actions
from minsheng.cases.models import Attachment, Case
from minsheng.cases.tests.world import World, build, fresh
from minsheng.dispatching.actions import dispatch_case
from minsheng.followup.links import make_token
from minsheng.platform.browsing import OF_WIDTH, THUMB, Person, overflow, small_targets
from minsheng.publishing.models import Publication
from minsheng.publishing.tests.made import published
from minsheng.ui import times

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WORDS = "建新镇一处工地每天夜里十一点以后还在打桩，老人孩子都睡不着，请管一管。"
MEGABYTES = 8


@pytest.fixture
def city(transactional_db: None) -> World:
    """The small city, committed, some days ago: screens tell the time themselves."""
    world = build()
    world.now = timezone.now() - timedelta(days=2)
    return world


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """Eight megabytes that begin as a photograph does."""
    path = tmp_path / "工地.jpg"
    path.write_bytes(bytes.fromhex("ffd8ffe000104a46494600010100000100010000") + bytes(MEGABYTES * 1024 * 1024))
    return path


@dataclass
class Days:
    """The server's clock: the true one, and the days that a test has let pass."""

    passed: timedelta = timedelta()

    def next(self) -> None:
        self.passed += timedelta(days=1)


@pytest.fixture
def days(monkeypatch: pytest.MonkeyPatch) -> Days:
    """The pages of the live server ask `timezone.now` in this very process."""
    clock, true_now = Days(), timezone.now
    monkeypatch.setattr(timezone, "now", lambda: true_now() + clock.passed)
    return clock


class Citizen(Person):
    """At 375 px, on a line of 12 Mbit/s each way with 300 ms there and back."""

    def slow_down(self) -> None:
        line = {"offline": False, "latency": 300, "downloadThroughput": 1_500_000, "uploadThroughput": 1_500_000}
        self.context.new_cdp_session(self.page).send("Network.emulateNetworkConditions", line)

    def press(self, label: str) -> None:
        """One button, and wait for the page that follows."""
        with self.page.expect_navigation(timeout=60_000):
            self.page.get_by_role("button", name=label, exact=True).click()

    def follow(self, label: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=label, exact=True).first.click()

    def fits(self, title: str) -> None:
        """Nothing wider than the window, no target smaller than a thumb; also measured where scripts are off."""
        self.picture(title)
        assert overflow(self.page) <= 0, title
        assert not (small := small_targets(self.page, THUMB)), f"{title}: {small}"
        assert not self.errors


class AtBothWidths(Citizen):
    """Looks at each page on a wide screen and on a telephone, and goes on with the telephone."""

    def check_page(self, title: str, *, thumbs: bool = False, only: Sequence[str] = ()) -> None:
        for self.width, height, rules in ((1366, 768, only), (375, 667, OF_WIDTH)):
            self.page.set_viewport_size({"width": self.width, "height": height})
            super().check_page(title, thumbs=thumbs, only=rules)


@pytest.fixture(params=[False, True], ids=["without JavaScript", "with"])
def citizen(browser: Browser, live_server: Any, request: pytest.FixtureRequest) -> Iterator[Citizen]:
    scripts = bool(request.param)
    person = Citizen(
        browser, live_server.url, width=375, height=667, name=f"citizen-{'js' if scripts else 'nojs'}", java_script_enabled=scripts,
        has_touch=True,
    )  # fmt: skip
    yield person
    person.close()


def test_a_citizen_with_an_old_phone(city: World, citizen: Citizen, photograph: Path, days: Days) -> None:
    number, code = files(citizen, photograph)
    case = Case.objects.get(number=number)
    assert (case.text, case.place, Attachment.objects.get().size) == (WORDS, city.places["建新镇"], photograph.stat().st_size)

    accept_and_dispatch(city, case, case.received_at + timedelta(hours=1))
    days.next()
    asks_again(citizen, number, code)
    expect(citizen.page.locator(".status")).to_contain_text("仓山区城市管理局")
    citizen.fits("mine-handling")
    citizen.follow("补充情况")
    citizen.page.fill("[name=text]", "昨晚又打到凌晨两点。")
    citizen.fits("supplement")
    citizen.press("提交补充")
    expect(citizen.page.locator("main")).to_contain_text("昨晚又打到凌晨两点。")
    first, second = case.contacts.order_by("received_at").values_list("received_at", flat=True)
    assert second - first > timedelta(days=1)
    expect(citizen.page.locator("main")).to_contain_text(times.moment(first, second))
    expect(citizen.page.locator("main")).to_contain_text(times.moment(second, second))

    reply_and_audit(city, case, timezone.now())
    days.next()
    asks_again(citizen, number, code)
    expect(citizen.page.locator(".reply")).to_contain_text("已停止夜间施工")
    citizen.fits("mine-replied")
    citizen.follow("评价")
    citizen.fits("rate-1")
    citizen.press("满意")
    citizen.fits("rate-2")
    with citizen.page.expect_navigation():
        citizen.page.locator("button[name=solved][value=yes]").click()
    assert (fresh(case).first_satisfaction, fresh(case).first_solved) == ("satisfied", "yes")
    citizen.fits("mine-rated")
    citizen.press("退出查询")
    citizen.goto("/mine/")
    expect(citizen.page).to_have_url(re.compile("/progress/$"))


def files(citizen: Citizen, photograph: Path) -> tuple[str, str]:
    """Four steps on a slow line."""
    page = citizen.page
    citizen.goto("/")
    citizen.fits("landing")
    with page.expect_navigation():
        page.locator(".kinds a", has_text="投诉").click()
    expect(page.locator("[name=kind][value=complaint]")).to_be_checked()
    citizen.fits("file-1")
    citizen.press("下一步")
    expect(page.locator(".error-summary")).to_contain_text("请写一写发生了什么")
    citizen.fits("file-1-errors")
    page.fill("[name=text]", WORDS)
    page.set_input_files("[name=files]", str(photograph))
    citizen.slow_down()
    citizen.press("下一步")
    citizen.fits("file-2")
    page.go_back()
    expect(page.locator("[name=text]")).to_have_value(WORDS)
    citizen.press("下一步")
    page.select_option("[name=county]", label="仓山区")
    page.select_option("[name=street]", label="建新镇")
    page.fill("[name=address]", "金山大道 618 号旁")
    citizen.press("下一步")
    page.fill("[name=name]", "林小满")
    page.fill("[name=phone]", "13800138000")
    citizen.fits("file-3")
    citizen.press("下一步")
    for said in (WORDS, "工地.jpg", "金山大道 618 号旁", "林小满"):
        expect(page.locator("main")).to_contain_text(said)
    citizen.fits("file-4")
    citizen.press("提交")
    expect(page.locator("[data-filed]")).to_be_visible()
    citizen.fits("receipt")
    return told(citizen, ".ticket-number"), told(citizen, ".ticket-code")


def told(citizen: Citizen, where: str) -> str:
    return "".join((citizen.page.locator(where).text_content() or "").split())


def looks_up(citizen: Citizen, number: str, code: str) -> None:
    citizen.goto("/progress/")
    citizen.fits("look-up")
    citizen.page.fill("[name=number]", number)
    citizen.page.fill("[name=code]", code)
    citizen.press("查进展")


def asks_again(citizen: Citizen, number: str, code: str) -> None:
    """The day after, in the same browser: an earlier visit is over, and shows nothing any more."""
    citizen.goto("/mine/")
    expect(citizen.page).to_have_url(re.compile("/progress/$"))
    looks_up(citizen, number, code)


def accept_and_dispatch(city: World, case: Case, at: datetime) -> None:
    """The centre's part."""
    Case.objects.filter(pk=case.pk).update(topic=city.topics["夜间施工噪声"])
    actions.accept_case(actor=city["agent"], at=at, case=case)
    dispatch_case(actor=city["dispatcher"], at=at, case=fresh(case), lead=city.units["仓山城管"], assisting=[])


def reply_and_audit(city: World, case: Case, at: datetime) -> None:
    """The unit's part and the auditor's, within three hours."""
    city.now = at
    actions.read_task(actor=city["城管联络"], at=at, task=city.lead(case))
    city.draft(fresh(case))
    actions.sign_reply(actor=city["城管领导"], at=city.now, task=city.lead(case))
    actions.pass_reply(actor=city["auditor"], at=city.now, case=fresh(case))


# --- every page, axe-clean ---------------------------------------------------------------------------------------


def test_every_page_in_every_state_is_accessible(city: World, browser: Browser, live_server: Any, photograph: Path) -> None:
    citizen = AtBothWidths(browser, live_server.url, width=375, name="axe")
    page = citizen.page
    see = citizen.check_page
    one = published(city, version={"text": "一处工地每天夜里十一点以后还在打桩，老人孩子都睡不着。"})
    citizen.goto("/")
    see("landing")
    reads_what_is_published(citizen, one)
    citizen.goto("/privacy/")
    see("privacy")
    citizen.goto("/file/where/")
    see("nothing-kept")
    citizen.goto("/file/")
    citizen.press("下一步")
    see("file-1-errors", thumbs=True)
    page.fill("[name=text]", WORDS + "再没人管我就不想活了。")
    page.check("[name=kind][value=help]", force=True)
    page.set_input_files("[name=files]", str(photograph))
    page.locator(".more-fields summary").click()
    see("file-1-open", thumbs=True)
    citizen.press("下一步")
    page.fill("[name=occurred_at]", "2099-01-01T10:00")
    citizen.press("下一步")
    see("file-2-errors-danger", thumbs=True)
    page.fill("[name=occurred_at]", "")
    page.select_option("[name=county]", label="仓山区")
    page.select_option("[name=street]", label="建新镇")
    citizen.press("下一步")
    see("similar", thumbs=True)
    page.locator(".published-list summary").click()
    expect(page.locator(".published-list")).to_contain_text(one.reply)
    see("similar-open", thumbs=True)
    citizen.follow("继续填写")
    page.locator(".more-fields summary").click()
    page.fill("[name=phone]", "123")
    citizen.press("下一步")
    see("file-3-errors", thumbs=True)
    page.fill("[name=name]", "林小满")
    page.fill("[name=phone]", "13800138000")
    citizen.press("下一步")
    see("file-4", thumbs=True)
    citizen.goto("/")
    see("landing-begun", thumbs=True)
    citizen.follow("接着写")
    citizen.press("提交")
    see("receipt", thumbs=True)
    number, code = told(citizen, ".ticket-number"), told(citizen, ".ticket-code")
    prints(citizen)
    citizen.goto("/file/")
    see("already", thumbs=True)
    citizen.goto("/progress/")
    page.fill("[name=number]", "FZ1")
    with citizen.provoking(422):
        citizen.press("查进展")
    see("look-up-errors", thumbs=True)
    looks_up(citizen, number, code)
    see("mine-received", thumbs=True)
    changes_their_mind(citizen)
    citizen.goto("/mine/withdraw/")
    with citizen.provoking(422):
        citizen.press("撤回")
    see("withdraw-errors", thumbs=True)
    case = Case.objects.get(number=number)
    accept_and_dispatch(city, case, case.received_at)
    reply_and_audit(city, case, case.received_at)
    citizen.goto("/mine/")
    see("mine-replied", thumbs=True)
    citizen.goto("/mine/supplement/")
    with citizen.provoking(422):
        citizen.press("提交补充")
    see("supplement-errors", thumbs=True)
    citizen.goto(f"/rate/{make_token(fresh(case))}/")
    see("rate-by-link-1", thumbs=True)
    citizen.press("不满意")
    see("rate-by-link-2", thumbs=True)
    page.locator("button[name=solved][value=no]").click()
    page.wait_for_load_state()
    see("rated", thumbs=True)
    with citizen.provoking(409, 404):
        citizen.goto(f"/rate/{make_token(fresh(case))}/")
        see("rated-before", thumbs=True)
        citizen.goto("/rate/nonsense/")
        see("no-such-link", thumbs=True)
        citizen.goto("/nothing-here/")
        see("not-found", thumbs=True)
    citizen.close()


def reads_what_is_published(citizen: Citizen, one: Publication) -> None:
    """The public's list and search, found, not found and refused; and one of them."""
    for query, title in (("", "published"), ("?q=灯", "published-none"), ("?q=？", "published-nothing"), ("?q=13800138000", "published-refused")):
        citizen.goto(f"/published/{query}")
        citizen.check_page(title, thumbs=True)
    citizen.goto("/published/?q=打桩")
    citizen.follow(one.title)
    expect(citizen.page.locator(".reply")).to_contain_text(one.reply)
    citizen.check_page("published-case", thumbs=True)


def prints(citizen: Citizen) -> None:
    """On paper number and code stand, and no button."""
    citizen.page.emulate_media(media="print")
    for kept in (".ticket-number", ".ticket-code"):
        expect(citizen.page.locator(kept)).to_be_visible()
    assert not citizen.page.locator("main button:visible").count()
    citizen.picture("receipt-printed")
    citizen.page.emulate_media(media="screen")


def changes_their_mind(citizen: Citizen) -> None:
    """Consent is offered, and taken back, on one's own page."""
    citizen.press("同意隐去个人信息后公开")
    citizen.check_page("mine-consented", thumbs=True)
    citizen.press("不再同意公开")
    citizen.check_page("mine-consent-taken-back", thumbs=True)


def test_what_identifies_a_person_does_not_stay_in_the_browser(city: World, browser: Browser, live_server: Any) -> None:
    """Words are kept for a lost line; a name, a number, an address or a firm are not: the next at this computer would read them."""
    citizen = Citizen(browser, live_server.url, width=375, name="kept")
    page, kept = citizen.page, lambda: str(citizen.page.evaluate("JSON.stringify(Object.assign({}, sessionStorage))"))
    citizen.goto("/file/")
    page.check("[name=kind][value=help]", force=True)
    page.fill("[name=text]", "路灯不亮。")
    assert "路灯不亮" in kept()
    citizen.press("下一步")
    page.fill("[name=address]", "金山大道 618 号旁")
    assert "618" not in kept()
    citizen.press("下一步")
    page.locator(".more-fields summary").click()
    private = {"name": "林小满", "phone": "13800138000", "organisation": "小满食品店", "credit_code": "91350100M000100Y43"}
    for name, value in private.items():
        page.fill(f"[name={name}]", value)
    assert not [value for value in private.values() if value in kept()], kept()
    citizen.close()


def test_text_at_twice_its_size_breaks_nothing(city: World, browser: Browser, live_server: Any) -> None:
    """1.4.4: larger letters, the same window."""
    citizen = Citizen(browser, live_server.url, width=375, name="zoom")
    for path in ("/", "/file/", "/progress/", "/privacy/"):
        citizen.goto(path)
        citizen.page.evaluate("document.documentElement.style.fontSize = '200%'")
        citizen.picture(f"twice{path.replace('/', '-')}")
        assert overflow(citizen.page) <= 0, path
    citizen.close()


def test_the_keyboard_reaches_everything_and_the_focus_is_seen(city: World, browser: Browser, live_server: Any) -> None:
    """2.4.7, 2.4.11: tab through the first step; each stop has an outline and lies in the window."""
    citizen = Citizen(browser, live_server.url, width=375, name="keyboard")
    citizen.goto("/file/")
    stops = set()
    for _ in range(40):
        citizen.page.keyboard.press("Tab")
        stop = citizen.page.evaluate(
            """() => { const e = document.activeElement, b = e.getBoundingClientRect(), s = getComputedStyle(e)
            return [e.name || e.innerText.slice(0, 12), s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2,
                    b.bottom > 0 && b.top < innerHeight] }"""
        )
        if citizen.page.evaluate("document.activeElement === document.body"):
            break  # past the last stop
        stops.add(stop[0])
        assert stop[1] and stop[2], stop
    assert {"text", "kind", "files"} <= stops and any(s.startswith("下一步") for s in stops)
    citizen.close()
