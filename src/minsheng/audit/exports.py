"""Reading the folder into which seals are exported."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def files(folder: Path) -> list[Path]:
    """The export files, oldest day first."""
    return sorted(folder.glob("seals-*.jsonl"))


def lines(folder: Path) -> Iterator[tuple[Path, int, dict[str, Any] | None]]:
    """File, line number and exported seal; None for a line that is none."""
    for path in files(folder):
        with path.open(encoding="utf-8", errors="replace") as file:
            for place, line in enumerate(file, start=1):
                yield path, place, _parsed(line)


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        seal = json.loads(line)
    except ValueError:
        return None
    return seal if isinstance(seal, dict) and isinstance(seal.get("number"), int) else None


def mend(folder: Path) -> int:
    """Cut away a last line that a crash left unfinished; returns the highest number exported, 0 when none is."""
    for path in files(folder)[-1:]:
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(path, whole)
    return max((seal["number"] for _, _, seal in lines(folder) if seal), default=0)
