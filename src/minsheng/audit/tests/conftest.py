"""Fixtures of the audit room: a chained model with real tables, and a hand that writes past the triggers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from minsheng.audit import actions, chain, verification
from minsheng.audit.tests.chained import Meeting, Minute

NOW = datetime(2026, 3, 2, 1, 2, 3, 456789, tzinfo=UTC)


@pytest.fixture
def meetings(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Meeting]]:
    """The tables of Meeting and Minute with their triggers; the rooms' own chains are set aside."""
    for module in (actions, verification):
        monkeypatch.setattr(module, "chained_models", lambda: [Minute])
    with connection.schema_editor() as editor:
        editor.create_model(Meeting)
        editor.create_model(Minute)
    for trigger in Minute._meta.triggers:  # type: ignore[attr-defined]
        trigger.install(Minute)
    yield Meeting
    with connection.schema_editor() as editor:
        editor.delete_model(Minute)
        editor.delete_model(Meeting)


@pytest.fixture
def hold(meetings: type[Meeting]) -> Callable[..., Meeting]:
    """Make a meeting with so many minutes."""

    def make(length: int = 5, *, note: str = "") -> Meeting:
        with transaction.atomic():
            meeting = meetings.objects.create(title="会")
            for step in range(length):
                write(meeting, step=step, note=note)
        return meeting

    return make


def write(meeting: Meeting, *, step: int = 0, note: str = "") -> Minute:
    """Append one entry and save both."""
    entry = chain.append(
        Minute,
        owner=meeting,
        at=NOW + timedelta(minutes=step),
        code="meeting.said",
        payload={"before": {"state": step}, "after": {"state": step + 1}, "summary": f"第{step}步"},
        note=note,
        room="一楼",
        held_on=NOW.date(),
    )
    entry.save(force_insert=True)
    meeting.save(update_fields=["timeline_head", "timeline_length"])
    return entry


@pytest.fixture
def other() -> Iterator[psycopg.Connection[Any]]:
    """A second connection to the test's database, of its own transaction."""
    with psycopg.connect(**_parameters()) as second:
        yield second


@pytest.fixture
def by_hand(transactional_db: None) -> Callable[..., int]:
    """Run SQL as somebody with all power over the database: no trigger, no foreign key stops it."""

    def run(statement: str, *values: Any) -> int:
        superuser = _parameters() | {"user": "postgres"}
        with psycopg.connect(**superuser) as hand:
            hand.execute("SET session_replication_role = replica")
            return hand.execute(statement, values).rowcount

    return run


def _parameters() -> dict[str, Any]:
    given = connection.get_connection_params()
    return {name: given[name] for name in ("dbname", "user", "password", "host", "port") if given.get(name)}
