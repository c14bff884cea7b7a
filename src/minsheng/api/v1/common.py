"""What the operations share: documented answers, scopes, the Idempotency-Key, keyset pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from django.db.models import QuerySet
from ninja import Header
from ninja.responses import Status

from minsheng.api.calls import TokenAuth
from minsheng.api.choices import Scope
from minsheng.api.problems import Problem
from minsheng.api.schemas.answers import ProblemOut
from minsheng.api.wording import WORDS
from minsheng.ui.pages import KeysetPage, keyset_page

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[A-Za-z0-9_.:-]{8,80}$",
        description="每件事一个新键，如 UUID；没有收到答复时用原来的键再发一次，不会办两次。",
    ),
]
PAGE, MOST = 50, 200
CURSOR = r"^[A-Za-z0-9_-]{0,1000}$"
_READ = (400, 401, 403, 405, 422, 429)
_ONE = (*_READ, 404)
_ACT = (*_ONE, 409, 411, 413, 415)


def _header(words: str, kind: str) -> dict[str, Any]:
    return {"description": words, "schema": {"type": kind}}


# What stands in the head of an answer beside its body.
_HEADERS = {
    401: {"WWW-Authenticate": _header("Bearer", "string")},
    405: {"Allow": _header("这个地址接受的方法", "string")},
    429: {"Retry-After": _header("多少秒后再试", "integer")},
}


def reading(name: str, answer: Any, scope: Scope | None, *, one: bool = False) -> dict[str, Any]:
    """Arguments of an operation that reads: its name and words, its scope, and every answer it can give."""
    return _told(name, scope) | _answers(answer, 200, _ONE if one else _READ)


def acting(name: str, answer: Any, scope: Scope | None, status: int = 200) -> dict[str, Any]:
    """Arguments of an operation that writes."""
    return _told(name, scope) | _answers(answer, status, _ACT)


def _told(name: str, scope: Scope | None) -> dict[str, Any]:
    summary, words = WORDS[name]
    needed = f"需要权限 `{scope.value}`。" if scope else "任何有效的令牌都可以读。"
    return {"operation_id": name, "summary": summary, "description": words + needed, "auth": TokenAuth(scope)}


def _answers(answer: Any, status: int, problems: Sequence[int]) -> dict[str, Any]:
    heads = {each: {"headers": _HEADERS[each]} for each in problems if each in _HEADERS}
    if answer is None:  # a file
        heads[status] = {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
    return {"response": {status: answer, **dict.fromkeys(sorted(problems), ProblemOut)}, "openapi_extra": {"responses": heads}}


def answered(status: int, body: Any) -> Status[Any]:
    """A body with its status."""
    return Status(status, body)


def page_of(rows: QuerySet[Any], order: Sequence[str], cursor: str, limit: int) -> KeysetPage:
    """One keyset page. Errors: invalid_fields, for a cursor that no page of this list gave."""
    page = keyset_page(rows, order, cursor, limit)
    if page.cleared or (cursor and page.previous == "" and page.rows):
        raise Problem("invalid_fields", errors=[{"field": "query.cursor", "why": "not a cursor of this list"}])
    return page
