"""
Keyset pages: every list of the product, never OFFSET (design §3).

A page is found by the values of its first row's neighbour, so that it costs the same at any depth and rows that arrive meanwhile
neither repeat nor hide others. A cursor is plain text that anyone may damage: a damaged one clears to the first page.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import F, Field, Func, Model, Q, QuerySet, TextField, Value
from django.db.models.lookups import GreaterThan, LessThan

PAGE_SIZE = 50
LONGEST_CURSOR = 1000


@dataclass(frozen=True, slots=True)
class KeysetPage:
    """Rows, and the cursors of their neighbours: "" where there is none. `cleared` says a damaged cursor was given."""

    rows: list[Any] = field(default_factory=list)
    next: str = ""
    previous: str = ""
    cleared: bool = False

    def map(self, show: Callable[[Any], Any]) -> KeysetPage:
        """The same page with each row shown otherwise (a `Row` for a model)."""
        return replace(self, rows=[show(row) for row in self.rows])

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    descending: bool
    type: Field[Any, Any]
    nullable: bool = False


def keyset_page(queryset: QuerySet[Any], order: Sequence[str], cursor: str = "", size: int = PAGE_SIZE) -> KeysetPage:
    """
    One page of `queryset` in `order`: column or annotation names, "-" for descending, the last one unique.

    Only the first may be null; rows without a value then come last in either direction, so that turning a list round never
    begins with what has nothing to be sorted by. Where all directions agree PostgreSQL compares whole rows, so that one index
    on these columns finds the page at any depth; mixed directions are correct too, but read on through rows that tie on the
    first column.
    """
    columns = _columns(queryset, order)
    backwards, values = False, None
    cleared = False
    if cursor:
        try:
            backwards, values = _decode(cursor, columns)
        except (ValueError, TypeError, ValidationError, OverflowError):
            cleared = True
    found = _rows(queryset, columns, backwards, values, size + 1)
    more, rows = len(found) > size, found[:size]
    if backwards:
        rows.reverse()
    has_next = bool(rows) and (more if not backwards else True)
    has_previous = bool(rows) and (more if backwards else values is not None)
    return KeysetPage(
        rows=rows,
        next=_encode("n", rows[-1], columns) if has_next else "",
        previous=_encode("p", rows[0], columns) if has_previous else "",
        cleared=cleared,
    )


def start_of(queryset: QuerySet[Any], order: Sequence[str], cursor: str) -> tuple[bool, list[Any] | None]:
    """(backwards, the values next to which the page begins) of a cursor; None for none and for a damaged one."""
    try:
        return _decode(cursor, _columns(queryset, order)) if cursor else (False, None)
    except (ValueError, TypeError, ValidationError, OverflowError):
        return False, None


def _rows(
    queryset: QuerySet[Any], columns: list[_Column], backwards: bool, values: list[Any] | None, most: int
) -> list[Any]:
    """The rows after (before) these values, nearest first; a second query only where the page reaches over to rows without
    a value, so that each half is read along one index."""
    found: list[Any] = []
    for part, keys, start in _parts(queryset, columns, backwards, values):
        beyond = part.filter(_beyond(keys, start, backwards)) if start is not None else part
        names = [("-" if column.descending != backwards else "") + column.name for column in keys]
        found += beyond.order_by(*names)[: most - len(found)]
        if len(found) == most:
            break
    return found


def _parts(
    queryset: QuerySet[Any], columns: list[_Column], backwards: bool, values: list[Any] | None
) -> Iterator[tuple[QuerySet[Any], list[_Column], list[Any] | None]]:
    """The parts of the whole list still to be read, in reading order: (rows, their columns, where to begin)."""
    first = columns[0]
    if not first.nullable:
        yield queryset, columns, values
        return
    with_value = queryset.filter(**{f"{first.name}__isnull": False})
    without = queryset.filter(**{f"{first.name}__isnull": True})
    in_second = values is not None and values[0] is None
    parts: list[tuple[QuerySet[Any], list[_Column], list[Any] | None]] = [
        (with_value, columns, None if in_second else values),
        (without, columns[1:], values[1:] if values is not None and in_second else None),
    ]
    if in_second != backwards:  # forwards from the second, or backwards from the first: the other part lies behind
        parts = [parts[1] if in_second else parts[0]]
    yield from reversed(parts) if backwards else parts


def _columns(queryset: QuerySet[Any], order: Sequence[str]) -> list[_Column]:
    columns = [_column(queryset, n.lstrip("-"), n.startswith("-")) for n in order]
    for column in columns[1:]:
        if column.nullable:
            raise ValueError(f"{column.name} cannot order a keyset page: only its first column may be null")
    return columns


def _column(queryset: QuerySet[Any], name: str, descending: bool) -> _Column:
    annotation = queryset.query.annotations.get(name)
    if annotation is not None:
        return _Column(name, descending, annotation.output_field)
    model: type[Model] = queryset.model
    try:
        found = model._meta.pk if name == "pk" else model._meta.get_field(name)
    except FieldDoesNotExist as error:
        raise ValueError(f"{name} is neither a column nor an annotation of {model.__name__}") from error
    if not isinstance(found, Field):
        raise ValueError(f"{name} cannot order a keyset page: it must be a plain column")
    return _Column(name, descending, found, bool(found.null))


def _encode(direction: str, row: Any, columns: list[_Column]) -> str:
    values = [_plain(row[c.name] if isinstance(row, dict) else getattr(row, c.name)) for c in columns]
    return base64.urlsafe_b64encode(json.dumps([direction, *values], ensure_ascii=False).encode()).decode().rstrip("=")


def _plain(value: Any) -> Any:
    """What JSON can carry and the column's `to_python` reads back without loss."""
    if value is None or isinstance(value, str | int):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def _decode(cursor: str, columns: list[_Column]) -> tuple[bool, list[Any]]:
    """(backwards, values); ValueError, TypeError or ValidationError when it is not a cursor of this order."""
    if len(cursor) > LONGEST_CURSOR:
        raise ValueError("cursor too long")
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, UnicodeError, RecursionError) as error:
        raise ValueError("not a cursor") from error
    if not isinstance(parts, list) or len(parts) != len(columns) + 1 or parts[0] not in ("n", "p"):
        raise ValueError("not a cursor of this list")
    values = [column.type.to_python(part) for column, part in zip(columns, parts[1:], strict=True)]
    for column, value in zip(columns, values, strict=True):
        if value is None and column.nullable:
            continue
        if value is None or b"\x00" in str(value).encode():
            raise ValueError("not a value of this list")
        column.type.run_validators(value)
    return parts[0] == "p", values


def _beyond(columns: list[_Column], values: list[Any], backwards: bool) -> Q | GreaterThan | LessThan:
    """The rows after (before, when backwards) these values."""
    downwards = [column.descending != backwards for column in columns]
    typed = [Value(value, output_field=column.type) for column, value in zip(columns, values, strict=True)]
    if len(set(downwards)) == 1:
        here, there = _row([F(column.name) for column in columns]), _row(typed)
        return LessThan(here, there) if downwards[0] else GreaterThan(here, there)
    condition, equal = Q(), Q()
    for column, down, value in zip(columns, downwards, typed, strict=True):
        condition |= equal & Q(**{f"{column.name}__{'lt' if down else 'gt'}": value})
        equal &= Q(**{column.name: value})
    first = f"{columns[0].name}__{'lte' if downwards[0] else 'gte'}"  # implied; lets an index start there
    return Q(**{first: typed[0]}) & condition


def _row(expressions: list[Any]) -> Func:
    return Func(*expressions, function="ROW", output_field=TextField())
