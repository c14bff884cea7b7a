"""Scenario 13 in a real browser: the server fails while it saves a form, or after it has. What was typed is still there; pressed
again, it is there once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect, sync_playwright

from minsheng.audit.queries import verify
from minsheng.cases import attachments
from minsheng.cases.models import Case, Reply
from minsheng.cases.tests.world import World, build, fresh
from minsheng.cases.views import act
from minsheng.portal.views import filing

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PASSWORD = "Sent-again-2026"
WORDS = "建新镇一处工地每天夜里十一点以后还在打桩，老人孩子都睡不着，请管一管。"
REPLY = "11月25日凌晨到场核查属实，当场责令停工，次日约谈施工方。"


@pytest.fixture
def city(transactional_db: None) -> World:
    """The small city, committed, at the present moment, its people able to sign in."""
    with transaction.atomic():
        world = build()
        for user in world.people.values():
            user.set_password(PASSWORD)
            user.save()
    world.now = timezone.now()
    return world


@pytest.fixture
def page(chromium: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking", "--disable-gpu", "--disable-sync"]
        browser: Browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        opened = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN").new_page()
        opened.set_default_timeout(15_000)
        yield opened
        browser.close()


Fails = Callable[[str, Any, str], list[str]]


@pytest.fixture
def fails_once(monkeypatch: pytest.MonkeyPatch) -> Fails:
    """Let the server fail once: “while” it saves (its database connection is killed), or “after” it has (no answer is made)."""

    def prepare(when: str, answering: Any, name: str) -> list[str]:
        failed: list[str] = []
        store_all, answer = attachments.store_all, getattr(answering, name)

        def storing(*given: Any, **named: Any) -> Any:
            if when == "while" and not failed:
                failed.append(when)
                with psycopg.connect(**_parameters(), autocommit=True) as other:
                    other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
            return store_all(*given, **named)

        def answered(*given: Any, **named: Any) -> Any:
            if when == "after" and not failed:
                failed.append(when)
                raise RuntimeError("the machine went down before the answer was sent")
            return answer(*given, **named)

        monkeypatch.setattr(attachments, "store_all", storing)
        monkeypatch.setattr(answering, name, answered)
        return failed

    return prepare


def _parameters() -> dict[str, Any]:
    given = connection.get_connection_params()
    return {name: given[name] for name in ("dbname", "user", "password", "host", "port") if given.get(name)}


@pytest.mark.parametrize("when", ["while", "after"])
def test_a_citizen_finds_the_words_again(city: World, page: Page, live_server: Any, fails_once: Fails, when: str) -> None:
    failed = fails_once(when, filing, "receipt")
    send = page.locator("form[data-draft] .btn-primary")
    page.goto(f"{live_server.url}/file/")
    page.check("[name=kind][value=complaint]", force=True)
    page.fill("[name=text]", WORDS)
    send.click()
    page.wait_for_url("**/file/where/")
    send.click()
    page.fill("[name=name]", "林小满")
    page.fill("[name=phone]", "13800138000")
    send.click()
    page.wait_for_url("**/file/check/")
    with page.expect_navigation() as answer:
        send.click()
    assert (failed, answer.value.status) == ([when], 500)
    assert Case.objects.count() == (when == "after")

    page.go_back()
    if when == "while":  # after it was filed, Back may meet the page that says so: either way nothing is asked twice
        expect(page.locator("main")).to_contain_text(WORDS)
        expect(page.locator("main")).to_contain_text("13800138000")
    page.locator("main .btn-primary").click()
    page.wait_for_selector("[data-filed]")
    shown = "".join((page.locator(".ticket-number").text_content() or "").split())
    assert shown == Case.objects.get().number and Case.objects.get().text == WORDS
    assert not verify().findings


@pytest.mark.parametrize("when", ["while", "after"])
def test_a_unit_finds_its_reply_again(city: World, page: Page, live_server: Any, fails_once: Fails, when: str) -> None:
    case = fresh(city.handling())
    page.goto(f"{live_server.url}/accounts/login/")
    page.fill("[name=login]", city["城管联络"].username)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".rail")
    page.goto(f"{live_server.url}/cases/{case.number}/")
    page.locator("[data-actions] a", has_text="拟写回复").first.click()
    page.fill("#drawer [name=text]", REPLY)
    for name, value in (("finding", "true"), ("outcome", "supported"), ("solved", "yes")):
        choose(page, name, value)
    page.fill("#drawer [name=basis]", "《噪声污染防治法》第四十三条")

    failed = fails_once(when, act, "_done")
    send = page.locator("#drawer button[type=submit]").last
    send.click()
    expect(page.locator("#drawer")).to_contain_text("系统出错了，这一步没有完成。您填写的内容还在")
    assert failed == [when] and Reply.objects.count() == (when == "after")
    expect(page.locator("#drawer [name=text]")).to_have_value(REPLY)
    with page.expect_navigation():
        send.click()
    assert Reply.objects.get().text == REPLY
    assert list(case.timeline.values_list("code", flat=True)).count("draft_reply") == 1
    assert not verify().findings


def choose(page: Page, name: str, value: str) -> None:
    """In a radio group or a select, whichever the form has."""
    radio = page.locator(f"#drawer input[type=radio][name={name}][value={value}]")
    if radio.count():
        radio.first.check(force=True)
    else:
        page.select_option(f"#drawer select[name={name}]", value)
