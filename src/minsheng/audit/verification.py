"""Is everything as it was written? Chains, their owners' rows, audit log, seals and their export (design §4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection, transaction

from minsheng.audit import exports, seals
from minsheng.audit.chain import START, chained_models
from minsheng.audit.checks import OwnHead, SealedHead, check_chain, check_notes
from minsheng.audit.findings import Finding, Report
from minsheng.audit.models import AuditEntry, ChainedEntry, Seal

T = TypeVar("T")
_CHUNK = 1000
_SEALED_HEADS = """
    SELECT (head ->> 0)::bigint, (head ->> 1)::int, head ->> 2, number
    FROM audit_seal, jsonb_array_elements(heads -> %s) AS head
    WHERE number <> ALL (%s)
    ORDER BY 1, 2
"""


def verify(*, export: Path | None = None, progress: Callable[[int], None] | None = None) -> Report:
    """Verify all, in one snapshot; nothing waits for it. `export`: also compare the seals with that folder.

    Memory holds one chain and one seal at a time. `progress` is called with the number of entries checked so far.
    """
    report = Report()
    with _one_snapshot():
        sealed_to, unsound = _check_seals(report)
        _check_audit_log(report, unsound)
        for model in chained_models():
            _check_chains(report, model, sealed_to, unsound, progress)
        if export is not None:
            _check_export(report, export)
    return report


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """Heads and entries must be of one moment. Inside a transaction of the caller's, that one's isolation counts."""
    inside = connection.in_atomic_block
    with transaction.atomic():
        if not inside:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


# --- seals and the audit log -----------------------------------------------------------------------------------------


def _check_seals(report: Report) -> tuple[int, set[int]]:
    """Each seal by itself and against the one before it.

    Returns the transaction id up to which is sealed, and the seals that are not what was signed: they bear no witness.
    """
    number, digest, end = 0, START, 0
    unsound: set[int] = set()
    for seal in Seal.objects.order_by("number").iterator(chunk_size=20):
        report.seals += 1
        report.last_sealed_at = seal.at
        if seal.number != number + 1:
            report.findings += [Finding("seal_missing", seal=gone) for gone in range(number + 1, seal.number)]
        elif bytes(seal.previous) != digest or seal.from_xid != end:
            report.findings.append(Finding("seal_broken", seal=seal.number))
        true_digest = seals.seal_digest(seal)
        if true_digest != bytes(seal.digest):
            unsound.add(seal.number)
            report.findings.append(Finding("seal_altered", seal=seal.number))
        elif not seals.is_signed(true_digest, seal.signature, settings.SEAL_KEY):
            unsound.add(seal.number)
            report.findings.append(Finding("seal_signature", seal=seal.number))
        number, digest, end = seal.number, bytes(seal.digest), seal.to_xid
    return end, unsound


def _check_audit_log(report: Report, unsound: set[int]) -> None:
    """Every audit entry against the seal of its window; rows and seals are both read in order of transaction."""
    rows = AuditEntry.objects.order_by("xid", "id").iterator(chunk_size=_CHUNK)
    row = next(rows, None)
    existing = AuditEntry.objects.values_list("id", flat=True).order_by("-id").first() or 0
    for seal in Seal.objects.order_by("to_xid").iterator(chunk_size=20):
        window: dict[int, bytes] = {}
        while row is not None and row.xid < seal.to_xid:
            report.audit_entries += 1
            if row.xid >= seal.from_xid:  # else a seal is missing, which has been said
                window[row.pk] = seals.audit_digest(row)
            row = next(rows, None)
        if seal.number not in unsound:
            report.findings += _compare_window(dict(seals.unpack_rows(bytes(seal.audit_rows))), window, seal, existing)
    while row is not None:
        report.audit_entries += 1
        report.audit_entries_not_yet_sealed += 1
        row = next(rows, None)


def _compare_window(sealed: dict[int, bytes], window: dict[int, bytes], seal: Seal, existing: int) -> Iterator[Finding]:
    """Entries sealed against entries there; those beyond the last one that exists were cut off."""
    elsewhere = set(AuditEntry.objects.filter(pk__in=sealed.keys() - window.keys()).values_list("pk", flat=True))
    gone = sorted(sealed.keys() - window.keys() - elsewhere)
    cut_off = [key for key in gone if key > existing]
    if cut_off:
        yield Finding("audit_cut_off", entry=cut_off[0], seal=seal.number)
    yield from (Finding("audit_missing", entry=key, seal=seal.number) for key in gone if key <= existing)
    yield from (Finding("audit_altered", entry=key, seal=seal.number) for key in sorted(elsewhere))
    for key, digest in window.items():
        if key not in sealed:
            yield Finding("audit_inserted", entry=key, seal=seal.number)
        elif sealed[key] != digest:
            yield Finding("audit_altered", entry=key, seal=seal.number)


# --- chains ----------------------------------------------------------------------------------------------------------


def _check_chains(
    report: Report,
    model: type[ChainedEntry],
    sealed_to: int,
    unsound: set[int],
    progress: Callable[[int], None] | None,
) -> None:
    """Every chain of one model: its rows, its owner's row and its sealed heads, merged in order of owner."""
    label = model._meta.label_lower
    recorded = _recorded_erasures(model)
    for owner, own, entries, sealed in _merged(_owners(model), _entries(model), _sealed_heads(label, unsound)):
        report.chains += 1
        report.entries += len(entries)
        report.entries_not_yet_sealed += sum(entry.xid >= sealed_to for entry in entries)
        if own:
            for problem in check_chain(entries, own[0], sealed):
                report.findings.append(Finding(model=label, owner=owner, **problem._asdict()))
        else:
            report.findings.append(Finding("owner_deleted", model=label, owner=owner))
        for entry, kind in check_notes(entries):
            if kind == "erased":
                report.notes_erased += 1
                if str(entry.pk) in recorded:
                    continue
                kind = "erased_unrecorded"
            report.findings.append(Finding(kind, model=label, owner=owner, seq=entry.seq))
        if progress and entries:
            progress(report.entries)


def _recorded_erasures(model: type[ChainedEntry]) -> set[str]:
    erased = AuditEntry.objects.filter(code="audit.note_erased", subject_type=model._meta.label_lower)
    return set(erased.values_list("subject_id", flat=True))


def _owners(model: type[ChainedEntry]) -> Iterator[tuple[int, list[OwnHead]]]:
    owners = model.owner_model()._base_manager.order_by("pk").values_list("pk", "timeline_length", "timeline_head")
    for key, length, head in owners.iterator(chunk_size=_CHUNK):
        yield key, [OwnHead(length, bytes(head))]


def _entries(model: type[ChainedEntry]) -> Iterator[tuple[int, list[ChainedEntry]]]:
    rows = model._base_manager.order_by(f"{model.OWNER}_id", "seq", "id").iterator(chunk_size=_CHUNK)
    for owner, group in groupby(rows, key=lambda row: row.owner_pk):
        yield owner, list(group)


def _sealed_heads(label: str, unsound: set[int]) -> Iterator[tuple[int, list[SealedHead]]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(_SEALED_HEADS, [label, sorted(unsound)])
        for owner, group in groupby(_fetched(cursor), key=lambda row: row[0]):
            yield owner, [SealedHead(length, bytes.fromhex(head), number) for _, length, head, number in group]


def _fetched(cursor: Any) -> Iterator[tuple[int, int, str, int]]:
    while rows := cursor.fetchmany(_CHUNK):
        yield from rows


def _merged(
    *streams: Iterable[tuple[int, list[Any]]],
) -> Iterator[tuple[int, Any, Any, Any]]:
    """(owner, what each stream has of it: perhaps nothing), from streams that are each in order of owner."""
    iterators = [iter(stream) for stream in streams]
    heads = [next(iterator, None) for iterator in iterators]
    while owners := [head[0] for head in heads if head]:
        owner = min(owners)
        having: list[Any] = []
        for place, head in enumerate(heads):
            if head and head[0] == owner:
                having.append(head[1])
                heads[place] = next(iterators[place], None)
            else:
                having.append([])
        yield owner, having[0], having[1], having[2]


# --- the export ------------------------------------------------------------------------------------------------------


def _check_export(report: Report, folder: Path) -> None:
    """Every exported seal must stand in the database as it was exported, and none up to the last may be left out."""
    kept = dict(Seal.objects.values_list("number", "digest"))
    last_kept = max(kept, default=0)
    exported: set[int] = set()
    cut_off: list[int] = []
    for path, place, seal in exports.lines(folder):
        if seal is None:
            report.findings.append(Finding("export_unreadable", where=f"{path.name}:{place}"))
            continue
        number = seal["number"]
        exported.add(number)
        if number > last_kept:
            cut_off.append(number)
        elif number in kept and bytes(kept[number]).hex() != seal.get("digest"):
            report.findings.append(Finding("export_differs", seal=number))
    if cut_off:
        report.findings.append(Finding("seal_cut_off", seal=min(cut_off)))
    left_out = set(range(1, max(exported, default=0) + 1)) - exported
    report.findings += [Finding("export_missing", seal=number) for number in sorted(left_out)]
    report.exported_seals = len(exported)
