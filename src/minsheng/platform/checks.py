"""What `minsheng check --deploy` asks beyond Django's own questions."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from minsheng.platform.postgres_binaries import OLDEST

KEYS = ("django", "data", "hash", "seal")
_KEY_LENGTH = 32
@register(Tags.security, deploy=True)
def check_keys(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """A key made up on first use is lost with the machine, and with it every encrypted column and the audit's seals."""
    names = {key: f"MINSHENG_{key.upper()}_KEY" for key in KEYS}
    given = {key: os.environ.get(name, "") for key, name in names.items()}
    problems: list[CheckMessage] = [
        Error(f"{names[key]} is not given.", hint="Make one with: openssl rand -base64 48", id="minsheng.E001")
        for key, value in given.items()
        if not value
    ]
    problems += [
        Error(f"{names[key]} is shorter than {_KEY_LENGTH} characters.", id="minsheng.E002")
        for key, value in given.items()
        if value and len(value) < _KEY_LENGTH
    ]
    values = [value for value in given.values() if value]
    if len(set(values)) < len(values):
        problems.append(Error("Two keys are the same; each purpose needs its own.", id="minsheng.E003"))
    return problems


@register(Tags.security, deploy=True)
def check_mode(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Neither tests nor plain HTTP, and a database that is kept; accounts asks about demonstration and people."""
    problems: list[CheckMessage] = []
    if settings.TESTING:
        problems.append(Error("MINSHENG_TESTING is set: passwords would be kept in a fast hash.", id="minsheng.E011"))
    if not settings.SECURE:
        problems.append(Error("MINSHENG_SECURE=1 is not set: cookies would travel in plain HTTP.", id="minsheng.E012"))
    if not set(settings.ALLOWED_HOSTS) - {"127.0.0.1", "localhost", "[::1]"}:
        problems.append(Warning("MINSHENG_HOSTS names no host that others can reach.", id="minsheng.W014"))
    if not os.environ.get("DATABASE_URL"):
        problems.append(
            Error(
                "DATABASE_URL is not given: the embedded server has neither backup nor stand-by.",
                hint=f"Any PostgreSQL from {OLDEST} on will do.",
                id="minsheng.E015",
            )
        )
    return problems


@register(Tags.database, deploy=True)
def check_database(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """The server's version and encoding, and a role that an append-only table binds."""
    problems: list[CheckMessage] = []
    for alias in databases or []:
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding'),"
                " rolsuper FROM pg_roles WHERE rolname = current_user"
            )
            version, encoding, is_superuser = cursor.fetchone()
        if version < OLDEST:
            problems.append(Error(f"PostgreSQL {version} is too old; {OLDEST} is the oldest.", id="minsheng.E020"))
        if encoding != "UTF8":
            problems.append(Error(f"The database is encoded in {encoding}; it must be UTF8.", id="minsheng.E021"))
        if is_superuser:
            problems.append(
                Error(
                    "The product signs in to PostgreSQL as a superuser, whom no append-only table binds.",
                    hint="CREATE ROLE minsheng LOGIN PASSWORD '...'; and make it the database's owner.",
                    id="minsheng.E022",
                )
            )
    return problems
