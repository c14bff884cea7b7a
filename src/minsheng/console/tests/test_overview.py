"""Everybody lands somewhere, and overseers see what is late first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from minsheng.accounts.choices import Role
from minsheng.accounts.testing import sign_in
from minsheng.cases.models import Case
from minsheng.cases.tests.world import World, build
from minsheng.ui.desks import desks_of


@pytest.mark.parametrize("role", Role.values)
def test_no_role_is_without_a_desk(role: str) -> None:
    assert desks_of([role])


@pytest.mark.parametrize(("who", "path"), [("supervisor", "/desk/overview/"), ("inspector", "/desk/overview/"), ("hotline_leader", "/desk/day/"), ("quality", "/cases/"), ("knowledge", "/cases/"), ("dispatcher", "/dispatching/"), ("analyst", "/cases/"), ("follow_up", "/followup/"), ("auditor", "/cases/audits/"), ("agent", "/cases/intake/")])
def test_where_a_day_begins(client: Client, db: None, who: str, path: str) -> None:
    sign_in(client, build()[who])
    assert client.get("/desk/").headers["Location"] == path
    assert client.get(path).status_code == 200


def test_the_late_ones_first(client: Client, db: None) -> None:
    world = build()
    late, later, fine = world.dispatched(), world.dispatched(), world.dispatched()
    now = timezone.now()
    for case, days in ((late, -3), (later, -1), (fine, 5)):
        Case.objects.filter(pk=case.pk).update(citizen_due_at=now + timedelta(days=days))
    sign_in(client, world["supervisor"])
    shown = client.get("/desk/overview/").content.decode()
    assert shown.index(str(late.number)) < shown.index(str(later.number))
    assert str(fine.number) not in shown
    assert str(fine.number) in client.get("/desk/overview/?tab=all").content.decode()
    assert client.get(f"/desk/overview/?open={late.number}").status_code == 200


def late_cases(world: World, count: int) -> list[Case]:
    made = [world.dispatched(lead=("仓山城管", "水务")[number % 2]) for number in range(count)]
    for number, case in enumerate(made):
        Case.objects.filter(pk=case.pk).update(citizen_due_at=timezone.now() - timedelta(days=number + 1))
    return made


def test_each_row_names_the_unit_and_one_press_leaves_only_its_rows(client: Client, db: None) -> None:
    world = build()
    ours, others = late_cases(world, 2)
    sign_in(client, world["inspector"])
    shown = client.get("/desk/overview/").context
    assert {row.unit for row in shown["page"].rows} == {world.units["仓山城管"].short_name, world.units["水务"].short_name}
    [chip] = [unit for unit in shown["units"] if unit["label"] == world.units["水务"].short_name]
    narrowed = client.get(chip["url"]).context["page"].rows
    assert [row.number for row in narrowed] == [others.number] and ours.number
    for damaged in ("abc", "-1", "9" * 30, "²"):
        assert client.get("/desk/overview/", {"unit": damaged}).status_code == 200


def test_who_was_answered_waits_no_longer(client: Client, db: None) -> None:
    world = build()
    answered = world.audited()
    Case.objects.filter(pk=answered.pk).update(citizen_due_at=timezone.now() - timedelta(days=1))
    sign_in(client, world["supervisor"])
    assert str(answered.number) not in client.get("/desk/overview/").content.decode()
    assert str(answered.number) not in client.get("/desk/overview/?tab=all").content.decode()


def test_the_light_is_that_of_the_clock_the_list_is_ordered_by(client: Client, db: None) -> None:
    world = build()
    now = timezone.now()
    Case.objects.filter(pk=world.accepted().pk).update(citizen_due_at=now - timedelta(days=1), stage_due_at=now + timedelta(days=9))
    sign_in(client, world["supervisor"])
    [row] = client.get("/desk/overview/").context["page"].rows
    assert row.light == "red" and row.left.startswith("已超")


def test_the_list_costs_the_same_however_long(client: Client, db: None) -> None:
    world = build()
    sign_in(client, world["supervisor"])
    client.get("/desk/overview/")
    counts = []
    for more in (3, 12):
        late_cases(world, more)
        cache.clear()
        with CaptureQueriesContext(connection) as counted:
            assert client.get("/desk/overview/").status_code == 200
        counts.append(len(counted))
    assert counts == [8, 8], [query["sql"][:150] for query in counted.captured_queries]
