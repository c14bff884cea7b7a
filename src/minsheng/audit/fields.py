"""The column by which a growing table is followed without skipping a late commit (design §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    _BigInteger = models.BigIntegerField[int, int]
else:  # Django's own class takes no type arguments at run time
    _BigInteger = models.BigIntegerField


class CurrentTransaction(models.Func):
    """The id of the transaction that writes the row; never reused, as it carries the epoch (PostgreSQL's xid8)."""

    template = "pg_current_xact_id()::text::bigint"
    arity = 0

    def __init__(self) -> None:
        super().__init__(output_field=models.BigIntegerField())


class TransactionIdField(_BigInteger):
    """Filled by the database. Declare an index on (xid, id) beside it; read with `queries.committed_since`."""

    description = "Id of the transaction that wrote the row"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.update(db_default=CurrentTransaction(), editable=False)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("db_default", None)
        kwargs.pop("editable", None)
        return name, path, args, kwargs
