"""A database for measuring, beside the product's own on the same server, which it never touches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection


@contextmanager
def scratch_database(name: str, *, keep: bool = False) -> Iterator[bool]:
    """Everything inside speaks to the database of this name; yields True where it is new and its tables are empty.

    Dropped before and after, except with `keep`.
    """
    usual = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        if not keep:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        new = cursor.fetchone() is None
        if new:
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    try:
        _turn_to(name)
        if new:
            call_command("migrate", verbosity=0, interactive=False)
        yield new
    finally:
        _turn_to(usual)
        if not keep:
            with connection.cursor() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _turn_to(name: str) -> None:
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    connection.settings_dict["NAME"] = name
