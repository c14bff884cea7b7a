"""The leader's page: right numbers, no words and no persons, for the leader only, at a cost that does not grow."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.accounts.testing import sign_in
from minsheng.cases import actions as cases
from minsheng.cases.models import Case, Contact, Task
from minsheng.cases.tests.world import World, build
from minsheng.console import day_queries as queries
from minsheng.followup.actions import rate_case
from minsheng.worktime.moments import day_of, midnight

pytestmark = pytest.mark.django_db
PATH = "/desk/day/"
BASELINE = 14


@pytest.fixture
def world() -> World:
    """Everything happens just now, so that it is today's."""
    cache.clear()
    world = build()
    world.now = timezone.now() - timedelta(days=3)
    return world


def page(world: World) -> str:
    cache.clear()
    answer = sign_in(Client(), world["hotline_leader"]).get(PATH)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_only_the_leader_sees_it_and_lands_there(world: World) -> None:
    for user in world.people.values():
        allowed = user.has_role(Role.HOTLINE_LEADER)
        assert sign_in(Client(), user).get(PATH).status_code == (200 if allowed else 403), user.roles
    assert sign_in(Client(), world["hotline_leader"]).get("/desk/").headers["Location"] == PATH
    admin = User.objects.create_user("xitong", display_name="系统", roles=[Role.SYSTEM_ADMIN])
    assert sign_in(Client(), admin).get(PATH).status_code == 403
    assert Client().get(PATH).status_code == 302


def test_an_empty_city_has_an_empty_day(world: World) -> None:
    shown = page(world)
    for words in ("今天还没有来件", "没有逾期的承办任务", "还没有评价"):
        assert words in shown


def test_no_words_and_no_person_of_any_citizen(world: World) -> None:
    case = world.dispatched()
    Task.objects.filter(case=case).update(due_at=timezone.now() - timedelta(days=2))
    shown = page(world)
    assert str(case.number) in shown
    for secret in (case.title, case.text, case.address, "林小满", "13800138000", "138****8000"):
        assert secret not in shown, secret


def test_what_came_in_by_channel_against_the_same_time_yesterday(world: World) -> None:
    at = midnight(day_of(timezone.now())) + timedelta(hours=10)
    case = world.submitted()
    Contact.objects.all().delete()
    for channel, hours in (("phone", 9), ("phone", 1), ("web", 8), ("web", -15), ("web", -13), ("phone", -30), ("web", 11)):
        Contact.objects.create(
            case=case, applicant=case.applicant, channel=channel, text="…", received_at=at.replace(hour=0) + timedelta(hours=hours)
        )
    told = {one.channel.value: (one.today, one.yesterday) for one in queries.came_in(at)}
    # Yesterday until ten: 9:00 (-15 h) counts, 11:00 (-13 h) and the day before do not; what is to come today neither.
    assert told == {"phone": (2, 0), "web": (1, 1)}


def test_what_waits_at_each_stage_and_how_its_citizens_clocks_stand(world: World) -> None:
    at = timezone.now()
    made = {name: [getattr(world, name)() for _ in range(n)] for name, n in (("submitted", 2), ("accepted", 1), ("dispatched", 3), ("audited", 1))}
    Case.objects.update(citizen_due_at=None, citizen_yellow_at=None, citizen_orange_at=None)
    clocks = {"red": (-3, -2, -1), "orange": (-2, -1, 1), "yellow": (-1, 1, 2)}
    for case, (yellow, orange, due) in zip(made["dispatched"], clocks.values(), strict=True):
        moments = {"citizen_yellow_at": yellow, "citizen_orange_at": orange, "citizen_due_at": due}
        Case.objects.filter(pk=case.pk).update(**{name: at + timedelta(hours=h) for name, h in moments.items()})
    # Answered, though late: this citizen waits no longer.
    Case.objects.filter(pk=made["audited"][0].pk).update(citizen_due_at=at - timedelta(days=1))
    found = {stage.state.value: (stage.count, stage.red, stage.orange, stage.yellow) for stage in queries.stages(world["hotline_leader"], at)}
    assert found == {
        "to_accept": (2, 0, 0, 0), "to_dispatch": (1, 0, 0, 0), "in_study": (0, 0, 0, 0),
        "in_handling": (3, 1, 1, 1), "to_audit": (0, 0, 0, 0), "to_follow_up": (1, 0, 0, 0),
    }  # fmt: skip


def test_the_oldest_ten_stand_under_their_units(world: World) -> None:
    at = timezone.now()
    for number in range(12):
        case = world.dispatched(lead=("仓山城管", "水务")[number % 2])
        Task.objects.filter(case=case).update(due_at=at - timedelta(days=20 - number))
    paused = world.dispatched()
    Task.objects.filter(case=paused).update(due_at=at - timedelta(days=99), state="paused")
    units = queries.overdue_by_unit(world["hotline_leader"], at)
    assert [(unit.name, unit.count, len(unit.tasks)) for unit in units] == [
        (world.units["仓山城管"].short_name, 6, 5), (world.units["水务"].short_name, 6, 5),
    ]  # fmt: skip
    assert units[0].tasks[0].late.days == 20  # type: ignore[attr-defined]
    assert str(paused.number) not in page(world)


def test_what_went_back_and_what_citizens_said(world: World) -> None:
    week = midnight(day_of(timezone.now())) - timedelta(days=6)
    case = world.replied()
    world.now = timezone.now()
    reasons = ["no_process"]
    cases.send_back(actor=world["auditor"], at=world.now, case=case, reasons=reasons, note="没有写何时去的现场。")
    assert queries.sent_back(timezone.now(), since=week) == {"today": 1, "since": 1}
    rated = [world.audited() for _ in range(3)]
    world.now = timezone.now()
    for each, said in zip(rated, ("very", "unsatisfied", "very"), strict=True):
        rate_case(at=timezone.now(), case=each, satisfaction=said, solved="yes" if said == "very" else "no")
    assert queries.ratings(since=week) == {"very": 2, "unsatisfied": 1}
    assert queries.ratings(since=timezone.now() + timedelta(hours=1)) == {}
    shown = re.sub(r"\s+", " ", page(world))
    assert "3 人次" in shown and "67 %" in shown and "33 %" in shown


def test_a_full_day_costs_no_more_than_an_empty_one(world: World) -> None:
    browser = sign_in(Client(), world["hotline_leader"])
    browser.get(PATH)
    counts = []
    for more in (3, 12):
        for number in range(more):
            case = world.dispatched(lead=("仓山城管", "水务")[number % 2])
            Task.objects.filter(case=case).update(due_at=timezone.now() - timedelta(days=number + 1))
            rate_case(at=timezone.now(), case=world.audited(), satisfaction="basic", solved="no")
        cache.clear()
        with CaptureQueriesContext(connection) as counted:
            assert browser.get(PATH).status_code == 200
        counts.append(len(counted))
    assert counts == [BASELINE, BASELINE], [query["sql"][:150] for query in counted.captured_queries]
