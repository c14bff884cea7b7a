"""How data files become rows of reference data, once and again.

Rule for rows that exist already: three values are compared, field by field: what the loader wrote last, what stands
now, what the file says. A value that still is what the loader wrote follows the file; one that an administrator has
changed stays as it is. Rows that only the database has are left alone: ending a row (valid_to) is the administrator's.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from minsheng.organisations import rules
from minsheng.organisations.models import ReferenceRow

BATCH = 500

Row = dict[str, Any]
Model = TypeVar("Model", bound=ReferenceRow)


@dataclass
class Count:
    """What one load did to one table; `kept` counts rows with a value that an administrator had changed."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: int = 0

    def __iadd__(self, other: Count) -> Count:
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.kept += other.kept
        return self

    def __str__(self) -> str:
        parts = [f"新增 {self.created}", f"更新 {self.updated}", f"未变 {self.unchanged}"]
        if self.kept:
            parts.append(f"保留管理员修改 {self.kept}")
        return "，".join(parts)


def read_csv(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a data file; a line with more or fewer cells than the header is an error, not a shifted row."""
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file, strict=True), start=2):
            if None in row or None in row.values():
                raise ValueError(f"{path.name} line {number}: wrong number of cells")
            yield {key: value.strip() for key, value in row.items()}


def cells(text: str) -> list[str]:
    """A cell with several values, divided by semicolons."""
    return [part for part in (p.strip() for p in text.split(";")) if part]


def upsert(model: type[Model], rows: Sequence[Row], *, key: Sequence[str] = ("code",)) -> Count:
    """Bring the table to the rows, by natural key, in a handful of statements. The caller holds the transaction."""
    existing = {tuple(getattr(o, k) for k in key): o for o in model._default_manager.select_for_update().order_by("pk")}
    count, fresh, changed = Count(), [], []
    touched: set[str] = set()
    for row in rows:
        standing = existing.get(tuple(row[k] for k in key))
        if standing is None:
            fresh.append(model(**row, loaded=row, **_derived(model, row)))
            continue
        fields, kept = _merge(standing, row)
        count.kept += kept
        if fields or standing.loaded != row:
            standing.loaded = row
            standing.version += bool(fields)
            for name, value in _derived(model, {f: getattr(standing, f) for f in row}).items():
                setattr(standing, name, value)
                fields.add(name)
            touched |= fields | {"loaded", "version"}
            changed.append(standing)
    model._default_manager.bulk_create(fresh, batch_size=BATCH)
    if changed:
        model._default_manager.bulk_update(changed, sorted(touched), batch_size=BATCH)
    count.created, count.updated = len(fresh), len(changed)
    count.unchanged = len(rows) - len(fresh) - len(changed)
    return count


def _merge(standing: ReferenceRow, row: Row) -> tuple[set[str], bool]:
    """Set each value that is still the loader's own to the file's. The fields set, and whether one was left alone."""
    written, kept = set(), False
    for name, value in row.items():
        now, before = getattr(standing, name), standing.loaded.get(name)
        if now == value:
            continue
        if name not in standing.loaded or now == before:
            setattr(standing, name, value)
            written.add(name)
        else:
            kept = True
    return written, kept


def _derived(model: type[ReferenceRow], row: Row) -> Row:
    if not any(f.name == "search_key" for f in model._meta.get_fields()):
        return {}
    return {"search_key": rules.search_key(names_of(row))}


def names_of(row: Mapping[str, Any]) -> list[str]:
    """All that a row is looked up by."""
    names = [row.get("short_name", ""), row.get("name", ""), *row.get("aliases", ()), *row.get("keywords", ())]
    return [str(name) for name in names if name]
