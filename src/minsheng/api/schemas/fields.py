"""Kinds of values, bounded: what a schema is made of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field

from minsheng.cases.details import TYPED_LENGTH

_NO_NUL = r"^[^\x00]*$"
BIGGEST = 2**63 - 1
MOST_FILES = 9


def _near_moment(moment: datetime) -> datetime:
    """Moments at the edge of the calendar cannot be moved into another zone."""
    if not 2000 < moment.year < 2100:
        raise ValueError("a moment between 2001 and 2099")
    return moment


def _text(most: int, least: int = 0) -> Any:
    return Annotated[str, Field(min_length=least, max_length=most, pattern=_NO_NUL)]


Words = Annotated[str, Field(min_length=1, max_length=TYPED_LENGTH, pattern=_NO_NUL, description="不能只有空白。")]
Line = Annotated[str, Field(max_length=200, pattern=_NO_NUL)]
Code = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.-]+$")]
Number = Annotated[str, Field(pattern=r"^FZ[0-9]{16}[0-9A-Z]$", description="诉求件编号，如 FZ20261124010000010。")]
Id = Annotated[int, Field(ge=1, le=BIGGEST)]
Moment = Annotated[AwareDatetime, AfterValidator(_near_moment), Field(description="带时区的时刻（ISO 8601）。")]
Version = Annotated[
    int | None, Field(ge=0, le=2**31 - 1, description="您读到的 version。之后有变化时答 409（stale），不做任何事。")
]
Uploads = Annotated[list[UUID], Field(max_length=MOST_FILES, description="POST /uploads 得到的附件号，各用一次。")]


class Strict(Schema):
    """Input: what is not known is refused."""

    model_config = ConfigDict(extra="forbid")
