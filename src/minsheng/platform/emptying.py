"""How a test that committed leaves its database: emptied when the last page is answered, quickly where little was written."""

from __future__ import annotations

import threading
import time
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

# What follows from the code and not from a test. Django's emptying writes it anew each time.
_KEPT = frozenset({"django_content_type", "auth_permission", "django_site"})
# Rows in one table up to which deleting is quicker than new files for seventy tables and their indexes.
_FEW = 1000
_TRIES = 3
_answering: set[threading.Thread] = set()


def empty_patiently() -> None:
    """Have a test with a live server end only when its last page is answered, and empty its database again where that was in the way.

    A browser that is closed does not wait for its answers, but the server goes on with them; emptying the tables under a
    request that holds some of them is a deadlock, of which PostgreSQL may end either side.
    """
    from django.core.management import CommandError
    from django.core.signals import request_finished, request_started
    from django.test import TransactionTestCase

    request_started.connect(_begin, weak=False)
    request_finished.connect(_end, weak=False)
    case: Any = TransactionTestCase  # the emptying is a method that Django does not document
    emptied = case._fixture_teardown

    def empty(self: Any) -> None:
        for left in reversed(range(_TRIES)):
            _until_answered()
            try:
                if not _deleted():
                    emptied(self)
                return
            except (OperationalError, IntegrityError):  # a process of its own has written meanwhile
                if not left:
                    raise
            except CommandError as error:
                if not left or not isinstance(error.__cause__, OperationalError):
                    raise

    case._fixture_teardown = empty


def _deleted() -> bool:
    """Delete every row, where no table has many; else nothing, and False. Keys are looked at when all is gone."""
    tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - _KEPT
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{t}', count(*) FROM (SELECT FROM \"{t}\" LIMIT {_FEW + 1}) x" for t in tables))  # noqa: S608
        held = {table: count for table, count in cursor.fetchall() if count}
        if any(count > _FEW for count in held.values()):
            return False
        guarded = _guarded(cursor, held)
        for table in guarded:  # what may only be appended to refuses to be deleted, except by its owner, on purpose
            cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        for table in held:
            cursor.execute(f'DELETE FROM "{table}"')  # noqa: S608
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in guarded:
            cursor.execute(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')
    return True


def _guarded(cursor: CursorWrapper, tables: dict[str, int]) -> list[str]:
    """Of these, those with triggers of our own."""
    cursor.execute("SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal")
    return sorted({name.strip('"') for (name,) in cursor.fetchall()} & tables.keys())


def _begin(**_signal: Any) -> None:
    _answering.add(threading.current_thread())


def _end(**_signal: Any) -> None:
    _answering.discard(threading.current_thread())


def _until_answered(patience: float = 30) -> None:
    """Wait for the pages that other threads are still answering, `patience` seconds at most."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and any(t.is_alive() for t in _answering - {threading.current_thread()}):
        time.sleep(0.02)
    _answering.clear()
