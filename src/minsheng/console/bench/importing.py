"""`minsheng bench import FILE`: how long the messages of a file take to become cases, beside the floor of the same run.

The very command is measured: reading the file, judging each row, and each case with its contact, first entry, message and words.
The floor is what the server takes to write the very same rows by COPY into bare tables: no index, no key, no Python.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from minsheng.cases.models import Applicant, Case, CaseWords, Contact, Message, TimelineEntry
from minsheng.cases.reference import load_reference
from minsheng.console.bench.scratch import scratch_database

DATABASE = "minsheng_bench_import"
WRITTEN = (Applicant, Case, Contact, TimelineEntry, Message, CaseWords)  # what an import leaves of each message

Say = Callable[[str], None]


def bench(file: Path, *, say: Say) -> dict[str, Any]:
    """Make the database, import once, copy the same once more. Errors: CommandError, as import-messages."""
    with scratch_database(DATABASE):
        load_reference(actor=None, at=timezone.now())
        say("reference data")
        return measure(file)


def measure(file: Path) -> dict[str, Any]:
    """Into the database at hand, which has no case yet."""
    began = time.perf_counter()
    call_command("import_messages", str(file), stdout=StringIO())
    seconds = time.perf_counter() - began
    rows = Case.objects.count()
    copied, floor = _copy_bare()
    return {
        "rows": rows,
        "seconds": round(seconds, 2),
        "rows_per_second": round(rows / seconds, 1),
        "floor": {
            "what": "the same rows by COPY into bare tables",
            "rows_of_all_tables": copied,
            "seconds": round(floor, 3),
            "rows_per_second": round(rows / floor, 1),
        },
        "times_the_floor": round(seconds / floor, 1),
    }


def as_json(told: dict[str, Any]) -> str:
    """For machines."""
    return json.dumps(told, ensure_ascii=False, indent=2)


def as_table(told: dict[str, Any]) -> str:
    """For people."""
    floor = told["floor"]
    return "\n".join([
        f"import  {told['rows']} rows in {told['seconds']} s: {told['rows_per_second']} rows/s",
        f"floor   {floor['what']}, {floor['rows_of_all_tables']} of all tables, in {floor['seconds']} s: {floor['rows_per_second']} rows/s",
        f"{told['times_the_floor']} times the floor",
    ])  # fmt: skip


def _copy_bare() -> tuple[int, float]:
    """(rows of all tables, seconds that writing them took); what was written goes again."""
    rows, seconds = 0, 0.0
    with connection.cursor() as cursor:
        for model in WRITTEN:
            table = model._meta.db_table
            with cursor.copy(f'COPY "{table}" TO STDOUT') as out:
                data = b"".join(out)
            cursor.execute(f'CREATE TABLE "bare_{table}" (LIKE "{table}")')
            began = time.perf_counter()
            with transaction.atomic(), cursor.copy(f'COPY "bare_{table}" FROM STDIN') as into:
                into.write(data)
            seconds += time.perf_counter() - began
            rows += model._default_manager.count()
            cursor.execute(f'DROP TABLE "bare_{table}"')
    return rows, seconds
