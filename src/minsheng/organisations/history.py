"""The history of one row of reference data, from what the database's triggers kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model

from minsheng.organisations.models import ReferenceRow

_NOT_SHOWN = frozenset({"id", "version"})


@dataclass(frozen=True)
class Change:
    """One value, before and after."""

    label: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Version:
    """One state of the row: since when, set by whom (None: the loader), and what that changed."""

    at: datetime
    who: str
    changes: tuple[Change, ...]


def versions(row: ReferenceRow) -> list[Version]:
    """All states of the row, newest first; the first has no changes. Two queries."""
    events = list(row.events.select_related("pgh_context").order_by("pgh_id"))  # type: ignore[attr-defined]
    people = _names(event.pgh_context.metadata.get("user") for event in events if event.pgh_context)
    found, before = [], None
    for event in events:
        user = event.pgh_context.metadata.get("user") if event.pgh_context else None
        who = people.get(user, "已停用的账号") if user else "系统装入"
        found.append(Version(event.pgh_created_at, who, _changes(row, before, event)))
        before = event
    return found[::-1]


def _names(keys: Any) -> dict[Any, str]:
    people = get_user_model()._default_manager.filter(pk__in={key for key in keys if key})
    return {person.pk: str(person) for person in people}


def _changes(row: ReferenceRow, before: Any, after: Any) -> tuple[Change, ...]:
    if before is None:
        return ()
    kept = {field.attname for field in after._meta.concrete_fields}
    return tuple(
        Change(str(field.verbose_name), old, new)
        for field in row._meta.concrete_fields
        if field.attname in kept - _NOT_SHOWN
        and (old := getattr(before, field.attname)) != (new := getattr(after, field.attname))
    )
