"""Everybody lands somewhere, and overseers see what is late first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from minsheng.accounts.choices import Role
from minsheng.accounts.testing import sign_in
from minsheng.cases.models import Case
from minsheng.cases.tests.world import build
from minsheng.ui.desks import desks_of


@pytest.mark.parametrize("role", Role.values)
def test_no_role_is_without_a_desk(role: str) -> None:
    assert desks_of([role])


@pytest.mark.parametrize(("who", "path"), [("supervisor", "/desk/overview/"), ("dispatcher", "/dispatching/"), ("analyst", "/cases/"), ("follow_up", "/followup/"), ("auditor", "/cases/audits/"), ("agent", "/cases/intake/")])
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
