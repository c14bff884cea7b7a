"""A reader that follows a growing table neither skips a late commit nor reads a row twice (design §2)."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, transaction

from minsheng.audit import actions, queries
from minsheng.audit.models import AuditEntry
from minsheng.audit.tests.conftest import NOW
from minsheng.errors import Refused

pytestmark = pytest.mark.django_db(transaction=True)

INSERT = """
    INSERT INTO audit_auditentry (at, actor_label, role, code, subject_type, subject_id, subject_label, why, detail,
                                  outcome, session, terminal, trace_id)
    VALUES (now(), '', '', %s, '', '', '', '', '{}', 'done', '', '', '')
"""


def note(code: str) -> AuditEntry:
    return actions.record(actor=None, at=NOW, code=code)


def read(cursor: int, **options: Any) -> tuple[list[str], int]:
    rows, cursor = queries.committed_since(AuditEntry.objects.all(), cursor, **options)
    return [row.code for row in rows], cursor


def test_a_transaction_that_began_earlier_and_commits_later_is_not_skipped(other: psycopg.Connection[Any]) -> None:
    other.execute(INSERT, ["slow"])  # it has its transaction id now, and stays open
    note("quick")
    codes, cursor = read(0)
    assert codes == [], "what was written after an open transaction waits for it"
    other.commit()
    codes, cursor = read(cursor)
    assert codes == ["slow", "quick"]
    assert read(cursor)[0] == [], "nothing is read twice"


def test_rolled_back_rows_hold_nothing_up(other: psycopg.Connection[Any]) -> None:
    other.execute(INSERT, ["gone"])
    note("kept")
    other.rollback()
    assert read(0)[0] == ["kept"]


def test_a_limit_ends_between_two_transactions() -> None:
    for number in range(3):
        with transaction.atomic():
            note(f"{number}a")
            note(f"{number}b")
    seen: list[str] = []
    cursor, rounds = 0, 0
    while rounds < 10:
        codes, cursor = read(cursor, limit=3)
        seen += codes
        rounds += 1
        assert len(codes) in (0, 2), "a transaction of two is never cut"
    assert seen == ["0a", "0b", "1a", "1b", "2a", "2b"]


def test_a_transaction_above_the_limit_comes_whole() -> None:
    with transaction.atomic():
        for number in range(5):
            note(str(number))
    assert read(0, limit=2)[0] == list("01234")


def test_a_database_loaded_into_a_new_server_is_noticed() -> None:
    with pytest.raises(queries.HorizonBehind):
        read(queries.safe_horizon() + 1_000_000)


def test_the_audit_log_cannot_be_changed() -> None:
    entry = note("kept")
    for change in (
        lambda: AuditEntry.objects.filter(pk=entry.pk).update(code="other"),
        lambda: AuditEntry.objects.filter(pk=entry.pk).delete(),
    ):
        with pytest.raises(DatabaseError, match="Cannot update or delete"):
            change()


def test_a_refusal_outlives_the_roll_back() -> None:
    with pytest.raises(Refused) as caught, transaction.atomic():
        note("rolled.back")
        raise Refused("forbidden", action="批转")
    actions.record_refusal(actor=None, at=NOW, code="cases.dispatch", refused=caught.value)
    entry = AuditEntry.objects.get()
    assert (entry.code, entry.outcome, entry.detail) == ("cases.dispatch", "refused", {"refusal": "forbidden"})


def test_a_refusal_recorded_too_early_says_so() -> None:
    with pytest.raises(transaction.TransactionManagementError), transaction.atomic():
        transaction.set_rollback(True)
        actions.record_refusal(actor=None, at=NOW, code="cases.dispatch")
