"""Pure: what is wrong with one chain, given its rows, what its owner's row says, and what the seals say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from minsheng.audit.chain import START, digest_of
from minsheng.audit.models import ChainedEntry
from minsheng.secrecy import commitment

_SEARCH = 1000  # places tried for a moved entry, and missing entries named in one gap


class Problem(NamedTuple):
    """Kind (see `findings.SENTENCES`), the entry's place, the place it had, the seal that tells."""

    kind: str
    seq: int
    was: int | None = None
    seal: int | None = None


class SealedHead(NamedTuple):
    """A chain was this long and had this head when that seal was made."""

    length: int
    head: bytes
    seal: int


class OwnHead(NamedTuple):
    """What the owner's row says of its chain."""

    length: int
    head: bytes


@dataclass(slots=True)
class _Row:
    """An entry, the place that its own hash vouches for (None: none does), and whether a neighbour or head names it."""

    entry: ChainedEntry
    place: int | None
    hash: bytes
    prev: bytes
    inserted: bool = False
    faulty: bool = False


def check_chain(entries: Sequence[ChainedEntry], own: OwnHead, sealed: Sequence[SealedHead]) -> list[Problem]:
    """Every fault of one chain whose owner exists. `entries` in order of seq."""
    rows = [_Row(entry, _place(entry, len(entries)), bytes(entry.hash), bytes(entry.prev_hash)) for entry in entries]
    named = {row.prev for row in rows} | {own.head} | {head.head for head in sealed}
    _mark_inserted(rows, named)
    problems = [*_own_faults(rows), *_links(rows, named), *_ends(rows, own, sealed)]
    if not problems:
        problems = [*_sealed_faults(rows, sealed)]
    return sorted(set(problems), key=lambda problem: (problem.seq, problem.kind))


def check_notes(entries: Iterable[ChainedEntry]) -> Iterator[tuple[ChainedEntry, str]]:
    """Entries whose note is not what was committed to ("note_altered"), and those erased ("erased")."""
    for entry in entries:
        if entry.note_commitment and entry.note_salt:
            if commitment(entry.note_salt, entry.note) != entry.note_commitment:
                yield entry, "note_altered"
        elif entry.note or entry.note_salt:
            yield entry, "note_altered"
        elif entry.note_commitment:
            yield entry, "erased"


def _place(entry: ChainedEntry, length: int) -> int | None:
    """Where in the chain the entry's hash says it stood; None when its content is not what was hashed."""
    stored = bytes(entry.hash)
    if digest_of(entry) == stored:
        return entry.seq
    places = range(1, min(length + 50, _SEARCH) + 1)  # some more, as entries may be missing too
    return next((seq for seq in places if digest_of(entry, seq=seq) == stored), None)


def _mark_inserted(rows: list[_Row], named: set[bytes]) -> None:
    """A row is inserted when nothing names its hash and its successor follows its predecessor."""
    before = START
    for row, after in pairwise(rows):
        if row.hash not in named and after.prev == before:
            row.inserted = True
        else:
            before = row.hash


def _own_faults(rows: list[_Row]) -> Iterator[Problem]:
    """Altered, inserted, missing and moved entries, as far as each row's own hash tells."""
    inserted = 0
    expected: list[tuple[_Row, int]] = []  # row, and the place it would have were nothing missing before it
    for row in rows:
        if row.inserted:
            inserted += 1
            yield Problem("inserted", row.entry.seq)
            continue
        if row.place is None:
            row.faulty = True
            yield Problem("altered", row.entry.seq)
        expected.append((row, inserted))
    missing = _gaps({row.entry.seq - shift if row.place is None else row.place for row, shift in expected})
    yield from (Problem("missing", seq) for seq in missing)
    for row, shift in expected:
        if row.place is not None:
            open_place = row.place + shift
            closed_up = open_place - sum(seq < row.place for seq in missing)
            if row.entry.seq not in (open_place, closed_up):
                row.faulty = True
                yield Problem("reordered", row.entry.seq, was=row.place)


def _gaps(present: set[int]) -> list[int]:
    """Places from 1 on that nobody has; of a gap that a forged number tears open only the first ones."""
    return [seq for before, after in pairwise([0, *sorted(present)]) for seq in range(before + 1, after)[:_SEARCH]]


def _links(rows: list[_Row], named: set[bytes]) -> Iterator[Problem]:
    """An entry altered together with its own hash no longer fits its neighbours."""
    true = sorted((row for row in rows if not row.inserted and row.place is not None), key=lambda row: row.place or 0)
    if true and true[0].place == 1 and true[0].prev != START:
        yield Problem("altered", true[0].entry.seq)
    for row, after in pairwise(true):
        if after.place != (row.place or 0) + 1 or after.prev == row.hash or row.faulty or after.faulty:
            continue
        # Of two that do not fit, the one whose hash nobody else names was rewritten.
        culprit = after if after.hash not in named and row.hash in named else row
        culprit.faulty = True
        yield Problem("altered", culprit.entry.seq)


def _ends(rows: list[_Row], own: OwnHead, sealed: Sequence[SealedHead]) -> Iterator[Problem]:
    """Where the chain ends, against what its owner and the seals say."""
    kept = [row for row in rows if not row.inserted]
    last = max(kept, key=lambda row: row.place or row.entry.seq, default=None)
    end = (last.place or last.entry.seq) if last else 0
    sealed_length = max((head.length for head in sealed), default=0)
    if end < max(own.length, sealed_length):
        yield Problem("cut_off", end + 1)
    if end > own.length:
        at_own_end = next((row.hash for row in kept if row.place == own.length), START if own.length == 0 else b"")
        if own.length >= sealed_length and at_own_end == (own.head or START):
            yield from (Problem("inserted", row.entry.seq) for row in kept if (row.place or row.entry.seq) > own.length)
        else:
            yield Problem("head_mismatch", end)
    elif last and end == own.length and last.hash != own.head and not last.faulty:
        yield Problem("head_mismatch", end)


def _sealed_faults(rows: list[_Row], sealed: Sequence[SealedHead]) -> Iterator[Problem]:
    """A chain that fits itself but not its seals was rewritten from some entry on, hashes and all."""
    by_place = {row.place: row.hash for row in rows}
    for head in sorted(sealed):
        if by_place.get(head.length) != head.head:
            yield Problem("rewritten", head.length, seal=head.seal)
            return
