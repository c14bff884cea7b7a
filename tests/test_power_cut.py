"""Scenario 13: the power fails while a form is being saved. Afterwards it is wholly there, once, or not at all and can be sent again.

Each form is sent over and over; the n-th time its database connection is killed at the n-th statement, for every n up to the last,
COMMIT itself included: killed before it, and after it but before its answer. A statement is cut off for real: the server ends the
backend (pg_terminate_backend), as it would if the machine went down; what was not committed is gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection, connections, transaction
from django.test import Client
from django.utils import timezone

from minsheng.accounts.testing import sign_in
from minsheng.audit.queries import verify
from minsheng.cases.choices import CaseState
from minsheng.cases.models import Attachment, Case, Task
from minsheng.cases.tests.world import World, build, fresh
from minsheng.portal.tests.citizen import Citizen, photograph

PHOTOGRAPH = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
ROOMS = ("audit", "cases", "followup")
MOST = 200  # statements of one form; far more than any has

# --- cutting -----------------------------------------------------------------------------------------------------


class PowerCut:
    """Counts the statements of a request and, at one of them, takes its database away."""

    def __init__(self, at: int, second: psycopg.Connection[Any]) -> None:
        self.at, self.second = at, second
        self.count, self.fell_at = 0, ""

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self._pass(sql[:60])
        return execute(sql, params, many, context)

    def _pass(self, what: str) -> bool:
        self.count += 1
        if self.count != self.at:
            return False
        self.fell_at = what
        pid = connection.connection.info.backend_pid
        assert self.second.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)
        return True

    @contextmanager
    def over(self) -> Iterator[None]:
        """While this lasts, statements and commits are counted, and one is cut."""
        wrapped: Any = connections["default"]  # its _commit is nowhere declared
        commit = wrapped._commit

        def counted() -> None:
            self._pass("COMMIT")
            commit()
            if self._pass("the answer to COMMIT"):
                raise OperationalError("it was committed, but nobody heard so")

        wrapped._commit = counted
        try:
            with connection.execute_wrapper(self):
                yield
        finally:
            del wrapped._commit
            wrapped.close()


@pytest.fixture
def second(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    """Somebody beside the request's own connection, who can end it."""
    given = connection.get_connection_params()
    with psycopg.connect(
        **{name: given[name] for name in ("dbname", "user", "password", "host", "port") if given.get(name)}, autocommit=True
    ) as other:
        yield other


# --- what is there -----------------------------------------------------------------------------------------------


def census() -> Counter[str]:
    """How many rows each table of cases and their record has, and how many cases and tasks stand where."""
    found = Counter({model._meta.label: model._default_manager.count() for room in ROOMS for model in models_of(room)})
    found.update(f"a case is {state}" for state in Case.objects.values_list("state", flat=True))
    found.update(f"a task is {state}" for state in Task.objects.values_list("state", flat=True))
    found["entries that cases know of"] = sum(Case.objects.values_list("timeline_length", flat=True))
    return found


def models_of(room: str) -> list[Any]:
    return list(apps.get_app_config(room).get_models())


def grown(before: Counter[str], after: Counter[str]) -> dict[str, int]:
    """What a form has changed."""
    return {name: after[name] - before[name] for name in before | after if after[name] != before[name]}


# --- the forms ---------------------------------------------------------------------------------------------------


class Form:
    """A filled-in form in somebody's browser; however often it is sent, with the same key."""

    def __init__(self, who: Any, path: str, case: Case | None = None, **values: Any) -> None:
        self.client = Client(raise_request_exception=False)
        if who is not None:
            sign_in(self.client, who)
        self.path = path
        self.values = values | {"submission": str(uuid4())} | ({"version": fresh(case).version} if case else {})

    def send(self) -> int:
        """Press the button; the status that the browser gets."""
        with_file = {"files": SimpleUploadedFile("现场.png", PHOTOGRAPH, "image/png")} if self.values.get("files") else {}
        answer = self.client.post(self.path, self.values | with_file)
        assert "login" not in answer.headers.get("Location", "")
        return answer.status_code


def filing(world: World) -> Form:
    """The last step of a citizen's request with a photograph."""
    citizen = Citizen().fill(files=photograph(PHOTOGRAPH))
    form = Form(None, "/file/check/")
    form.client.cookies, form.values["submission"] = citizen.client.cookies, str(citizen.key)
    return form


def intake(world: World) -> Form:
    """A call that an agent registers and accepts at once."""
    topic = world.topics["夜间施工噪声"].pk
    return Form(
        world["agent"], "/cases/new/", channel="phone", kind="complaint", urgency="normal", applicant_kind="person",
        text="工地半夜打桩。", topic=topic, phone="13800138000", step="accept", files=True,
    )  # fmt: skip


def dispatch(world: World) -> Form:
    """To a lead and an assisting unit; the place that was missing is put right with it."""
    case = world.accepted(place=None)
    return Form(
        world["dispatcher"], f"/cases/{case.number}/dispatch/", case,
        lead="other", other=world.units["水务"].pk, another=world.units["鼓楼城管"].pk, place=world.places["建新镇"].pk,
    )  # fmt: skip


def reply(world: World) -> Form:
    """A unit's reply with a photograph."""
    case = world.handling()
    return Form(
        world["城管联络"], f"/cases/{case.number}/draft_reply/?task={world.lead(case).pk}", case,
        text="已责令停工。", finding="true", outcome="supported", solved="yes", basis="条例", files=True,
    )  # fmt: skip


FORMS: dict[str, tuple[Callable[[World], Form], int]] = {
    "a citizen files": (filing, 200),
    "an agent takes a call": (intake, 302),
    "a dispatcher dispatches": (dispatch, 302),
    "a unit replies": (reply, 302),
}


@pytest.fixture
def city(transactional_db: None) -> World:
    """The small city, committed, at the present moment: screens tell the time themselves."""
    with transaction.atomic():
        world = build()
    world.now = timezone.now()
    return world


@pytest.fixture(autouse=True)
def no_hourly_limit(settings: Any) -> None:
    """All presses come from one address."""
    settings.HOTLINE = settings.HOTLINE | {"submissions_per_hour": 10_000}


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMS)
def test_wherever_the_power_fails(city: World, second: psycopg.Connection[Any], name: str) -> None:
    prepare, good = FORMS[name]
    form, before = prepare(city), census()
    assert form.send() == good
    whole = grown(before, census())
    assert whole["cases.TimelineEntry"] >= 1, "a form that changes nothing proves nothing"

    survived: Counter[bool] = Counter()
    for at in range(1, MOST):
        form = prepare(city)
        before, cut = census(), PowerCut(at, second)
        with cut.over():
            status = form.send()
        if not cut.fell_at:
            assert status == good
            break
        where = f"cut at statement {at}, {cut.fell_at}"
        assert status >= 400, f"somebody was told that all is well: {where}"
        left = grown(before, census())
        assert left in ({}, whole), f"half of it is there: {where}"
        survived[bool(left)] += 1
        assert form.send() == good, f"sent again: {where}"
        assert grown(before, census()) == whole, f"not exactly once: {where}"
    assert survived[False] > 5 and survived[True] >= 1, "both before and after the commit was cut"
    assert not verify().findings
    for attachment in Attachment.objects.all():
        assert attachment.file.open().read() == PHOTOGRAPH
    assert not Case.objects.filter(state=CaseState.DRAFT).exists()
