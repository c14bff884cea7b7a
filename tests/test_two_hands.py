"""Scenario 12 at the screen: two people on one case, and one button pressed five times on a poor connection.

Each press is a request of its own on a connection of its own, all begun in the same instant.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.utils import timezone

from minsheng.accounts.testing import sign_in
from minsheng.audit.queries import verify
from minsheng.cases import actions
from minsheng.cases.actions.intake import query_code_of
from minsheng.cases.choices import CaseState, Ending
from minsheng.cases.models import Attachment, Case, Contact
from minsheng.cases.panels.intake import details_of
from minsheng.cases.tests.stories import at_once, form_on, words_of
from minsheng.cases.tests.world import World, build, fresh
from minsheng.portal.tests.citizen import Citizen
from minsheng.worktime.moments import local

PRESSES = 5
TYPED = "施工许可已经核对，请先制止，再约谈施工方。"
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/dispatching/?tab=study"}


@pytest.fixture
def city(transactional_db: None) -> World:
    """The small city, committed, at the present moment: screens tell the time themselves."""
    cache.clear()
    with transaction.atomic():
        world = build()
    world.now = timezone.now()
    return world


class Desk:
    """Somebody at a browser who has opened a form and typed into it."""

    def __init__(self, world: World, who: str | None, path: str, field: str, **typed: Any) -> None:
        self.who: Any = world[who] if who else None
        self.client = sign_in(Client(), world[who]) if who else Client()
        page = self.client.get(path)
        assert page.status_code == 200
        action, values = form_on(page.content.decode(), having=field)
        self.headers: dict[str, str] = {}
        self.path, self.values = action or path, {name: value for name, value in values.items() if value != ""} | typed

    def press(self, **more: Any) -> Any:
        """The button, once; a client of its own with the same cookies, because clients know of no threads."""
        browser = Client(headers=self.headers)
        browser.cookies = self.client.cookies
        return browser.post(self.path, self.values | more)

    def press_often(self, make: Callable[[], dict[str, Any]] = dict) -> list[Any]:
        """The same button five times at once; `make` gives each press files of its own."""
        return at_once(*[lambda: self.press(**make())] * PRESSES)


def act(case: Case, code: str) -> str:
    return f"/cases/{fresh(case).number}/{code}/"


def dispatcher(city: World, who: str, case: Case, unit: str, instruction: str) -> Desk:
    """Has opened the dispatch form, chosen a unit by search and typed an instruction."""
    chosen = {"lead": "other", "other": city.units[unit].pk, "another": city.units["鼓楼城管"].pk, "assisting": []}
    return Desk(city, who, act(case, "dispatch"), "instruction", **chosen, instruction=instruction)


# --- two hands ---------------------------------------------------------------------------------------------------


def test_the_second_of_two_dispatchers_is_told_by_whom_and_when_and_has_lost_nothing(city: World) -> None:
    case = city.accepted()
    typed = {"dispatcher": "甲：" + TYPED, "dispatcher2": "乙：" + TYPED}
    desks = [dispatcher(city, who, case, "水务", typed[who]) for who in typed]
    answers = at_once(*(desk.press for desk in desks))
    assert sorted(answer.status_code for answer in answers) == [302, 409]
    loser = next(desk for desk, answer in zip(desks, answers, strict=True) if answer.status_code == 409)
    page = next(answer.content.decode() for answer in answers if answer.status_code == 409)
    winner = next(desk for desk in desks if desk is not loser)
    assert fresh(case).dispatched_by == winner.who and city.lead(case).instruction == winner.values["instruction"]
    assert_told(page, winner.who.display_name, case)
    assert loser.values["instruction"] in words_of(page), "what was typed is there to be read"

    path, again = form_on(page, having="instruction")
    assert (path, again["version"]) == (loser.path, str(fresh(case).version))
    for name in ("lead", "other", "another", "instruction"):
        assert again[name] == str(loser.values[name]), f"{name} would be sent again as it was"
    refused = loser.client.post(path, again)
    assert refused.status_code == 409 and loser.values["instruction"] in words_of(refused.content.decode()), "nor by pressing on"
    assert case.tasks.count() == 2 and not verify().findings


def assert_told(page: str, who: str, case: Case) -> None:
    """Who did what, and when, since the form was opened."""
    entry = case.timeline.get(code="dispatch")
    words = words_of(page)
    assert f"{local(entry.at):%H:%M} {who} {entry.payload['summary']}" in words


def test_beside_an_open_form_the_answer_leaves_the_form_alone(city: World) -> None:
    """With JavaScript the refusal is a fragment that is put beside the form; the form itself is not drawn anew."""
    case = city.accepted()
    first = dispatcher(city, "dispatcher", case, "仓山城管", TYPED)
    second = dispatcher(city, "dispatcher2", case, "水务", TYPED)
    first.headers = second.headers = HTMX
    assert first.press().status_code == 204
    answer = second.press()
    page = answer.content.decode()
    assert answer.status_code == 409 and answer.headers["X-Refusal"] == "stale"
    assert_told(page, city["dispatcher"].display_name, case)
    assert "<form" not in page and "<textarea" not in page and f'data-fresh-version="{fresh(case).version}"' in page


def test_what_is_still_possible_goes_through_with_what_was_typed(city: World) -> None:
    """A conflict is shown before it is overruled: a citizen's word came in between, and the dispatcher presses on."""
    case = city.accepted()
    desk = dispatcher(city, "dispatcher", case, "水务", TYPED)
    actions.correct_case(actor=city["agent"], at=city.later(minutes=1), case=case, details=details_of(fresh(case), address="620 号"))
    answer = desk.press()
    assert answer.status_code == 409 and not case.tasks.exists()
    path, again = form_on(answer.content.decode(), having="instruction")
    assert desk.client.post(path, again).status_code == 302
    task = city.lead(case)
    assert (task.unit, task.instruction) == (city.units["水务"], TYPED)


# --- one button, five times --------------------------------------------------------------------------------------


def same_place(answers: list[Any], status: int = 302) -> str:
    """All five answers are of one kind and lead to one place; returns it."""
    assert [getattr(answer, "status_code", answer) for answer in answers] == [status] * PRESSES
    (place,) = {answer.headers.get("Location") or answer.headers.get("HX-Redirect") for answer in answers}
    return str(place)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["without JavaScript", "with"])
def test_dispatch_pressed_five_times(city: World, headers: dict[str, str]) -> None:
    case = city.accepted()
    desk = dispatcher(city, "dispatcher", case, "水务", TYPED)
    desk.headers = headers
    place = same_place(desk.press_often(), 204 if headers else 302)
    assert desk.client.get(place).status_code == 200
    assert sorted(task.unit.short_name for task in case.tasks.all()) == ["水务", "鼓楼城管"]
    assert list(case.timeline.values_list("code", flat=True)).count("dispatch") == 1
    assert case.messages.filter(template="dispatched").count() == 1
    assert not verify().findings


def test_dispatch_that_puts_right_what_was_missing_pressed_five_times(city: World) -> None:
    """Two actions from one form: both once."""
    case = city.accepted(place=None)
    desk = dispatcher(city, "dispatcher", case, "水务", TYPED)
    desk.values["place"] = city.places["建新镇"].pk
    same_place(desk.press_often())
    codes = list(case.timeline.order_by("seq").values_list("code", flat=True))
    assert codes == ["submit", "accept", "correct", "dispatch"] and fresh(case).place == city.places["建新镇"]


def test_a_unit_reply_pressed_five_times(city: World) -> None:
    case = city.handling()
    path = act(case, "draft_reply") + f"?task={city.lead(case).pk}"
    verdict = {"finding": "true", "outcome": "supported", "solved": "yes", "basis": "条例"}
    desk = Desk(city, "城管联络", path, "basis", text="已责令停工。", **verdict)
    same_place(desk.press_often(lambda: {"files": photograph()}))
    reply = city.lead(case).replies.get()
    assert (reply.text, reply.attachments.count(), Attachment.objects.count()) == ("已责令停工。", 1, 1)


def photograph() -> SimpleUploadedFile:
    return SimpleUploadedFile("现场.png", b"\x89PNG\r\n\x1a\n" + bytes(64), "image/png")


def test_a_citizen_files_with_five_presses(city: World) -> None:
    """Five times the same receipt of one case, with one photograph."""
    citizen = Citizen().fill(files=photograph())

    def press() -> Any:
        browser = Citizen()
        browser.key, browser.client.cookies = citizen.key, citizen.client.cookies
        return browser.send()

    answers = at_once(*[press] * PRESSES)
    assert [getattr(answer, "status_code", answer) for answer in answers] == [200] * PRESSES
    case = Case.objects.get()
    for answer in answers:
        words = words_of(answer.content.decode()).replace(" ", "")
        assert str(case.number) in words and query_code_of(case) in words
    assert (Contact.objects.count(), Attachment.objects.count(), case.messages.count()) == (1, 1, 1)
    assert list(case.timeline.values_list("code", flat=True)) == ["submit"]
    assert not verify().findings


@pytest.mark.parametrize(
    ("step", "state", "codes"),
    [
        ("accept", CaseState.TO_DISPATCH, ["submit", "accept"]),
        ("answer", CaseState.CLOSED, ["submit", "answer"]),
        ("submit", CaseState.TO_ACCEPT, ["submit"]),
    ],
)
def test_an_agent_takes_a_call_with_five_presses(city: World, step: str, state: str, codes: list[str]) -> None:
    """Registering, and the step asked for with it: each once, and the same page after every press."""
    topic = city.topics["夜间施工噪声"]
    typed = {"text": "工地半夜打桩。", "topic": topic.pk, "phone": "13800138000", "step": step}
    if step == "answer":
        typed["answer"] = "已为您查询。"
    desk = Desk(city, "agent", "/cases/new/", "phone", kind="complaint", **typed)
    place = same_place(desk.press_often(lambda: {"files": photograph()}))
    case = Case.objects.get()
    assert (case.state, case.ending) == (state, Ending.ANSWERED if step == "answer" else "")
    assert list(case.timeline.order_by("seq").values_list("code", flat=True)) == codes
    assert place == f"/cases/{case.number}/" + ("" if step == "submit" else "filed/")
    assert desk.client.get(place).status_code == 200
    assert (Contact.objects.count(), Attachment.objects.count()) == (1, 1)
    assert not verify().findings
