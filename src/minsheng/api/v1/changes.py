"""What has changed since a cursor, for systems that keep a copy."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from minsheng.api import queries, showing
from minsheng.api.calls import caller_of
from minsheng.api.choices import Scope
from minsheng.api.problems import Problem
from minsheng.api.schemas import answers
from minsheng.api.v1.common import reading
from minsheng.audit.queries import HorizonBehind, safe_horizon

router = Router(tags=["变化"])


class Since(Schema):
    """From where, and how much at a time."""

    cursor: Annotated[
        str | None, Field(pattern=r"^[0-9]{1,18}$", description="上次答复里的 cursor；没有则从现在开始，0 为从头。")
    ] = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


@router.get("/changes", **reading("list_changes", answers.Changes, Scope.CHANGES_READ))
def list_changes(request: HttpRequest, since: Query[Since]) -> answers.Changes:
    """Timeline entries of the cases that the caller may see, in the order in which they were committed; none is skipped when a
    longer transaction ends late, and none comes twice. Without a cursor: no entries, and the cursor to begin with.
    """
    caller = caller_of(request)
    if since.cursor is None:
        return answers.Changes(changes=[], cursor=str(safe_horizon()), more=False)
    try:
        window = queries.changes_since(caller.system, int(since.cursor), limit=since.limit)
    except HorizonBehind:
        raise Problem("invalid_fields", errors=[{"field": "query.cursor", "why": "not a cursor of this server"}]) from None
    entries = [showing.change(entry, caller.account) for entry in window.entries]
    return answers.Changes(changes=entries, cursor=str(window.cursor), more=window.more)
