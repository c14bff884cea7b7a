"""Every read of the audit room: following a growing table, searching the audit log; `verify` from `verification`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection, models

from minsheng.audit.chain import chained_models
from minsheng.audit.models import AuditEntry, Seal
from minsheng.audit.verification import verify

__all__ = [
    "HorizonBehind",
    "chained_models",
    "committed_since",
    "end_of_window",
    "entries",
    "last_verification",
    "safe_horizon",
    "seals",
    "verify",
]
M = TypeVar("M", bound=models.Model)


class HorizonBehind(RuntimeError):
    """The server's transaction ids are behind a cursor: the database was loaded from a dump into a new server.

    Rows written now would never be seen. Advance the new server's counter beyond the cursor with `pg_resetwal` (epoch
    and next transaction id), or restore from a physical backup, which keeps the counter.
    """


def safe_horizon() -> int:
    """Every transaction with a lower id has ended, and what it committed is visible (PostgreSQL: pg_snapshot_xmin)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return int(cursor.fetchone()[0])


def committed_since(
    queryset: models.QuerySet[M, M], cursor: int, *, limit: int | None = None
) -> tuple[models.QuerySet[M, M], int]:
    """Rows whose transaction lies in [cursor, horizon), in order, and the cursor to go on from (design §2).

    Neither skips a late commit nor repeats a row, whatever the ids say. The model has a `TransactionIdField` called
    `xid`. With a limit the window ends between two transactions, at about that many rows.
    """
    end = end_of_window([queryset.model], cursor, safe_horizon(), limit)
    return queryset.filter(xid__gte=cursor, xid__lt=end).order_by("xid", "pk"), end


def end_of_window(tables: Iterable[type[models.Model]], start: int, horizon: int, limit: int | None) -> int:
    """Where a window from `start` ends: the horizon, or earlier so that no table gives many more than `limit` rows.

    A transaction is never cut in two: one that alone exceeds the limit comes whole.
    """
    if horizon < start:
        raise HorizonBehind(f"transaction horizon {horizon} is behind the cursor {start}")
    ends = [horizon]
    for model in tables if limit is not None else ():
        window = model._base_manager.filter(xid__gte=start, xid__lt=horizon).order_by("xid", "pk")
        xids = window.values_list("xid", flat=True)
        over = xids[limit : limit + 1].first() if limit else None
        if over is not None:
            ends.append(over if over > (xids.first() or 0) else over + 1)
    return min(ends)


def entries(
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    actor_ids: Collection[int] | None = None,
    code: str = "",
    codes: Collection[str] | None = None,
    subject: tuple[str, Collection[str]] | None = None,
    outcome: str = "",
) -> models.QuerySet[AuditEntry]:
    """The audit log as filtered; its keyset order is ("-at", "-id"). A code that ends in "." finds all codes under it.

    `subject` is a model's label and the keys of its rows; an empty collection finds nothing.
    """
    given: dict[str, Any] = {
        "at__gte": since,
        "at__lt": until,
        "actor_id__in": actor_ids,
        "code__startswith" if code.endswith(".") else "code": code or None,
        "code__in": codes,
        "outcome": outcome or None,
        "subject_type": subject[0] if subject else None,
        "subject_id__in": subject[1] if subject else None,
    }
    return AuditEntry.objects.filter(**{name: value for name, value in given.items() if value is not None})


def seals() -> models.QuerySet[Seal]:
    """The seals without what they hold of each row; keyset order ("-number",)."""
    return Seal.objects.defer("audit_rows", "heads", "previous", "signature")


def last_verification() -> AuditEntry | None:
    """What the last verification that was asked for found (`actions.record_verification`)."""
    return AuditEntry.objects.filter(code="audit.verified").order_by("-at", "-id").first()
