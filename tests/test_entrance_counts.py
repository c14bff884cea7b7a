"""What the ways in and the administration ask of the database: the sign-in pages, the admin's index and one of its lists.

The desks' numbers are in cases/tests/test_query_counts.py, the citizen's in portal/tests/test_query_counts.py.
"""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from minsheng.accounts.testing import sign_in
from minsheng.cases.models import Topic
from minsheng.cases.tests.world import World

ENTRANCES = (
    ("account_login", "", 0),
    ("mfa_index", "system_admin", 4),
    ("admin:index", "system_admin", 3),
    ("admin:cases_topic_changelist", "system_admin", 4),
)


def queries_of(client: Client, name: str) -> int:
    client.get(reverse(name))
    cache.clear()
    with CaptureQueriesContext(connection) as counted:
        assert client.get(reverse(name)).status_code == 200
    return len(counted)


@pytest.mark.parametrize(("name", "who", "queries"), ENTRANCES)
def test_it_costs_its_baseline_with_few_rows_and_with_many(world: World, name: str, who: str, queries: int) -> None:
    client = sign_in(Client(), world[who]) if who else Client()
    few = queries_of(client, name)
    parent = Topic.objects.get(code="010100")
    for n in range(40):
        Topic.objects.create(code=f"0109{n:02d}", name=f"主题{n}", level=3, parent=parent)
    assert (few, queries_of(client, name)) == (queries, queries)
