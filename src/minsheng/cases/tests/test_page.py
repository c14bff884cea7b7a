"""The case page: who sees it, what it withholds, how much it costs."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from minsheng.accounts.testing import sign_in
from minsheng.cases.tests.world import World


@pytest.fixture(autouse=True)
def fresh_counts() -> None:
    cache.clear()


def get(client: Client, world: World, name: str, url: str) -> Any:
    return sign_in(client, world[name]).get(url)


@pytest.mark.parametrize("name", ["agent", "dispatcher", "auditor", "follow_up", "supervisor", "analyst", "城管联络", "城管领导"])
def test_those_who_work_on_it_see_the_page(client: Client, world: World, name: str) -> None:
    case = world.replied()
    answer = get(client, world, name, f"/cases/{case.number}/")
    assert answer.status_code == 200
    assert "工地半夜打桩" in answer.content.decode()
