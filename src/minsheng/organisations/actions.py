"""Every write of places and units by a person; the loader has its own rule (`organisations.loading`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction

from minsheng.errors import Refused
from minsheng.organisations import rules
from minsheng.organisations.loading import names_of
from minsheng.organisations.models import ReferenceRow

Row = TypeVar("Row", bound=ReferenceRow)


@transaction.atomic
def save_reference_row(*, actor: Any, at: datetime, row: Row) -> Row:
    """Write a row of reference data as an administrator has it in hand: next version, new search key.

    History is kept by trigger, with who and when as its context. Refused("invalid") where the row contradicts itself or its tree; Refused("stale") where
    somebody else has saved it since it was read. Locks the row.
    """
    if row.pk:
        standing = type(row)._default_manager.select_for_update().get(pk=row.pk)
        if standing.version != row.version:
            raise Refused("stale")
        row.version += 1
    if hasattr(row, "search_key"):
        row.search_key = rules.search_key(names_of(vars(row)))
    try:
        row.full_clean()
    except ValidationError as error:
        raise Refused("invalid", message="；".join(error.messages)) from error
    with pghistory.context(user=actor.pk, at=at.isoformat()):
        row.save()
    return row
