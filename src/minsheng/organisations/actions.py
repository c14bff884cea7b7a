"""Every write of places and units by a person; the loader has its own rule (`organisations.loading`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction

from minsheng.audit.actions import record
from minsheng.errors import Refused
from minsheng.organisations import rules
from minsheng.organisations.loading import names_of
from minsheng.organisations.models import ReferenceRow

Row = TypeVar("Row", bound=ReferenceRow)
_OWN = frozenset({"id", "version", "loaded", "search_key"})


@transaction.atomic
def save_reference_row(*, actor: Any, at: datetime, row: Row) -> Row:
    """Write a row of reference data as an administrator has it in hand: next version, new search key, audited.

    `row.version` is the version that the form was drawn from. Refused: forbidden; not_found; stale, where somebody has
    saved it since; invalid, where it contradicts itself or its tree. Locks the row. History is kept by trigger, with
    who and when as its context.
    """
    options = row._meta
    verb = "change" if row.pk else "add"
    if not actor.has_perm(f"{options.app_label}.{verb}_{options.model_name}"):
        raise Refused("forbidden", action=f"修改{options.verbose_name}")
    before = _locked(row)
    if hasattr(row, "search_key"):
        row.search_key = rules.search_key(names_of(vars(row)))
    try:
        row.full_clean()
    except ValidationError as error:
        raise Refused("invalid", message="；".join(error.messages)) from error
    with pghistory.context(user=actor.pk, at=at.isoformat()):
        row.save()
    record(
        actor=actor, at=at, code="reference.saved", subject=row, subject_label=str(row), detail=_changes(before, row)
    )
    return row


def _locked(row: ReferenceRow) -> ReferenceRow | None:
    """The row as it stands, locked; None for a new one. Sets the next version."""
    if not row.pk:
        return None
    standing = type(row)._default_manager.select_for_update().filter(pk=row.pk).first()
    if standing is None:
        raise Refused("not_found")
    if standing.version != row.version:
        raise Refused("stale")
    row.version += 1
    return standing


def _changes(before: ReferenceRow | None, after: ReferenceRow) -> dict[str, list[Any]]:
    """Field → [before, after], in words that JSON can hold. Of bytes (a sound, an encrypted secret) nothing is told."""
    told = [field for field in after._meta.concrete_fields if field.get_internal_type() != "BinaryField"]
    names = [field.attname for field in told if field.attname not in _OWN]
    pairs = {name: [_plain(getattr(before, name, None)), _plain(getattr(after, name))] for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, str, list)) else str(value)
