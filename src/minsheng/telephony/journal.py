"""The switch's journal (queue_log), read from where it was left. A file that was renamed meanwhile is read to its end first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_MOST = 4 * 1024 * 1024  # at once; the rest at the next look


@dataclass(frozen=True)
class Place:
    """Which file, and how many bytes of it were read."""

    inode: int = 0
    offset: int = 0


def read_on(journal: Path, place: Place) -> tuple[list[str], Place]:
    """Whole lines since then, and the new place. A line still being written waits. OSError where it cannot be read.

    The first place of all is the journal's beginning: what was there before us is told too, once.
    """
    current = journal.stat().st_ino if journal.exists() else 0
    path: Path | None = journal
    if place.inode and place.inode != current:
        path = _renamed(journal, place.inode)
        if path is None:  # removed by somebody: nothing to be read of it any more
            place, path = Place(), journal
    if path is None or not path.exists():
        return [], place
    with path.open("rb") as file:
        inode = path.stat().st_ino
        offset = place.offset if place.inode == inode else 0
        if file.seek(0, 2) < offset:  # cut off, and begun anew
            offset = 0
        file.seek(offset)
        read = file.read(_MOST)
    whole = read[: read.rfind(b"\n") + 1]
    place = Place(inode, offset + len(whole))
    lines = whole.decode("utf-8", "replace").splitlines()
    if inode != current and not lines:  # the renamed one is done
        return read_on(journal, Place())
    return lines, place


def read_whole(journal: Path, place: Place) -> tuple[list[str], Place]:
    """All whole lines since then. OSError as `read_on`."""
    found: list[str] = []
    while True:
        lines, place = read_on(journal, place)
        if not lines:
            return found, place
        found += lines


def _renamed(journal: Path, inode: int) -> Path | None:
    return next((path for path in journal.parent.glob(f"{journal.name}.*") if path.stat().st_ino == inode), None)
