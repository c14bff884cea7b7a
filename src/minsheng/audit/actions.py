"""Every write of the audit room: records, erasure of a note, seals and their export."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from ipaddress import ip_address
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import connection, models, transaction
from django.http import HttpRequest

from minsheng.audit import exports, seals
from minsheng.audit.chain import START, chained_models, label_of, plain
from minsheng.audit.choices import Outcome
from minsheng.audit.findings import Report
from minsheng.audit.models import AuditEntry, ChainedEntry, Seal
from minsheng.audit.queries import end_of_window, safe_horizon
from minsheng.errors import Refused

_SEALING = 0x6D735EA1  # key of the advisory lock: one seal at a time
_SHANGHAI = ZoneInfo("Asia/Shanghai")
NOTE_ERASED = "audit.note_erased"
VERIFIED = "audit.verified"
_FINDINGS_KEPT = 50


def record(
    *,
    actor: Any,
    at: datetime,
    code: str,
    subject: models.Model | None = None,
    subject_label: str = "",
    why: str = "",
    detail: Mapping[str, Any] | None = None,
    outcome: str = Outcome.DONE,
    request: HttpRequest | None = None,
) -> AuditEntry:
    """Append to the audit log, in the caller's transaction (`domain.md` §8.3: who, when, where, what, why, result).

    `actor` may be None, anonymous or an outsider with a `label`. `subject_label` and `detail` carry no personal value
    of a citizen. After a roll-back use `record_refusal`, as what was recorded before is gone with the rest.
    """
    return AuditEntry.objects.create(
        at=at,
        actor_id=getattr(actor, "pk", None),
        actor_label=label_of(actor),
        role=",".join(getattr(actor, "roles", ()))[:100],
        code=code,
        subject_type=subject._meta.label_lower if subject is not None else "",
        subject_id=str(subject.pk) if subject is not None else "",
        subject_label=plain(subject_label)[:200],
        why=plain(why),
        detail=plain(detail or {}),
        outcome=outcome,
        **_whence(request),
    )


def record_refusal(
    *,
    actor: Any,
    at: datetime,
    code: str,
    refused: Refused | None = None,
    subject: models.Model | None = None,
    subject_label: str = "",
    request: HttpRequest | None = None,
) -> AuditEntry:
    """An attempt that was refused, or failed for another reason (`refused` is None), recorded after its roll-back.

    In a transaction of its own: call it where the action's transaction has ended (a middleware's `process_exception`).
    """
    if connection.needs_rollback:
        raise transaction.TransactionManagementError("a refusal is recorded after the roll-back, not before it")
    with transaction.atomic():
        return record(
            actor=actor,
            at=at,
            code=code,
            subject=subject,
            subject_label=subject_label,
            detail={"refusal": refused.code} if refused else {},
            outcome=Outcome.REFUSED if refused else Outcome.FAILED,
            request=request,
        )


def _whence(request: HttpRequest | None) -> dict[str, Any]:
    """Address, session and terminal of a request. Never the session key itself: whoever reads the log could use it."""
    trace = str(structlog.contextvars.get_contextvars().get("request_id", ""))[:64]
    if request is None:
        return {"trace_id": trace}
    try:
        address = str(ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:  # a Unix socket has none
        address = None
    key = getattr(getattr(request, "session", None), "session_key", None)
    return {
        "ip": address,
        "session": sha256(key.encode()).hexdigest()[:16] if key else "",
        "terminal": plain(request.META.get("HTTP_USER_AGENT", ""))[:200],
        "trace_id": trace,
    }


def record_verification(*, actor: Any, at: datetime, report: Report) -> AuditEntry:
    """What a verification found, as an entry of the audit log: so it is sealed itself, and a bad one cannot be made good.

    The first findings are kept whole; `minsheng audit verify` names all.
    """
    told = report.as_dict()
    told["count"] = len(told["findings"])
    told["findings"] = told["findings"][:_FINDINGS_KEPT]
    outcome = Outcome.DONE if report.ok else Outcome.FAILED
    return record(actor=actor, at=at, code=VERIFIED, subject_label="全部记录", detail=told, outcome=outcome)


@transaction.atomic
def erase_note(*, actor: Any, at: datetime, entry: ChainedEntry, why: str, request: HttpRequest | None = None) -> None:
    """Erase the words of a chained entry by law (`domain.md` §8.1, 个保法 §47); the chain still verifies.

    Refused without a reason. Whether the actor may is the caller's to check; that it was done is recorded here.
    """
    if not why.strip():
        raise Refused("reason_required")
    type(entry)._base_manager.filter(pk=entry.pk).update(note="", note_salt="")
    entry.note = entry.note_salt = ""
    record(
        actor=actor,
        at=at,
        code=NOTE_ERASED,
        subject=entry,
        subject_label=f"{entry.owner_pk}-{entry.seq}",
        why=why,
        request=request,
    )


@transaction.atomic
def seal(*, at: datetime, limit: int = 20_000) -> Seal | None:
    """Seal what was committed since the last seal; None when nothing was. One at a time, by an advisory lock.

    About `limit` entries at most, ending between two transactions: call again until None.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SEALING])
    last = Seal.objects.order_by("-number").only("number", "digest", "to_xid").first()
    start = last.to_xid if last else 0
    tables: list[type[models.Model]] = [AuditEntry, *chained_models()]
    end = end_of_window(tables, start, safe_horizon(), limit)
    if end <= start:
        return None
    rows = _audit_rows(start, end)
    timeline_count, heads = _heads(start, end)
    if not rows and not timeline_count:
        return None
    made = Seal(
        number=last.number + 1 if last else 1,
        at=at,
        previous=bytes(last.digest) if last else START,
        from_xid=start,
        to_xid=end,
        audit_count=len(rows),
        audit_rows=seals.pack_rows(rows),
        timeline_count=timeline_count,
        heads=heads,
    )
    made.digest = seals.seal_digest(made)
    made.signature = seals.sign(made.digest, settings.SEAL_KEY)
    made.save(force_insert=True)
    return made


def _audit_rows(start: int, end: int) -> list[tuple[int, bytes]]:
    window = AuditEntry.objects.filter(xid__gte=start, xid__lt=end).order_by("id")
    return [(entry.pk, seals.audit_digest(entry)) for entry in window.iterator(chunk_size=2000)]


def _heads(start: int, end: int) -> tuple[int, dict[str, list[list[Any]]]]:
    """How many chained entries the window holds, and for each chain touched [owner, length, head], by model."""
    count, heads = 0, {}
    for model in chained_models():
        window = model._base_manager.filter(xid__gte=start, xid__lt=end)
        owner = f"{model.OWNER}_id"
        touched = window.order_by(owner, "-seq").distinct(owner).values_list(owner, "seq", "hash")
        found = [[key, length, bytes(head).hex()] for key, length, head in touched]
        if found:
            heads[model._meta.label_lower] = found
            count += window.count()
    return count, heads


def export_seals(*, folder: Path) -> int:
    """Append the seals that the folder does not have yet to one file a day (Shanghai); returns how many.

    What was exported once is never written again, so that a database altered later cannot alter the export. A line left
    unfinished by a crash is cut away first. Keep the folder outside the database's machine.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    last = exports.mend(folder)
    new = Seal.objects.filter(number__gt=last).order_by("number").iterator(chunk_size=200)
    written = 0
    while chunk := list(islice(new, 200)):
        for path, lines in _by_day(folder, chunk):
            with os.fdopen(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "a") as file:
                file.write("".join(f"{line}\n" for line in lines))
                file.flush()
                os.fsync(file.fileno())
        written += len(chunk)
    return written


def _by_day(folder: Path, chunk: list[Seal]) -> Iterator[tuple[Path, list[str]]]:
    days: dict[str, list[str]] = {}
    for one in chunk:
        days.setdefault(f"{one.at.astimezone(_SHANGHAI):%Y-%m-%d}", []).append(seals.to_line(one))
    for day, lines in days.items():
        yield folder / f"seals-{day}.jsonl", lines
