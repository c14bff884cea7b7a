"""The same action on several cases, or on a unit's own task in each, where that is safe: a preview with a line for each, and a
result for each.

Every case has a transaction of its own and the version that the preview was drawn from, so that one refusal harms no other, and
the same form sent again does nothing twice. A room registers what it offers:

    bulk.register(bulk.Bulk(code="urge", label="催办", prepare=…, perform=…, asks_reason=True))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from minsheng.cases import work, workflow
from minsheng.cases.guards import Situation
from minsheng.cases.models import Case, Task
from minsheng.errors import Refused

if TYPE_CHECKING:
    from minsheng.accounts.models import User

MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One case of the preview: what will be done with it, or why it must be done by itself."""

    case: Case
    choices: Sequence[tuple[str, str]] = ()  # value, label; the first is proposed
    said: str = ""
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """An action that several cases may undergo at once. `prepare(actor, case, at)` gives its line; `perform(actor=…, at=…, case=…,
    choice=…, reason=…, version=…, submission=…)` does it for one."""

    code: str
    label: str
    prepare: Callable[[Any, Case, datetime], Line]
    perform: Callable[..., Any]
    asks_reason: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one case."""

    number: str
    done: bool
    sentence: str


_registered: dict[str, Bulk] = {}


def register(bulk: Bulk) -> None:
    """Offer it; its code is a row's of the transition table."""
    if bulk.code not in workflow.BY_CODE:
        raise KeyError(f"no such action: {bulk.code}")
    _registered[bulk.code] = bulk


def of(code: str) -> Bulk:
    """Errors: not_found."""
    if code not in _registered:
        raise Refused("not_found")
    return _registered[code]


def may(user: Any, code: str) -> bool:
    """Whether any of the person's roles may do it at all."""
    return not workflow.BY_CODE[code].roles.isdisjoint(user.roles)


def offers(user: Any, *codes: str) -> list[Bulk]:
    """What a list offers this person, for its bar."""
    return [_registered[code] for code in codes if may(user, code)]


def lines(bulk: Bulk, user: User, cases: Sequence[Case], *, at: datetime) -> list[Line]:
    """The preview: first what the transition table says of each, then the action's own line."""
    row = workflow.BY_CODE[bulk.code]
    found = []
    for case in cases:
        situation = work.situation_of(case, actor=user, at=at)
        try:
            if row.subject is workflow.Subject.TASK:
                situation = replace(situation, task=own_task(user, situation))
            workflow.check(row, situation)
        except Refused as refused:
            found.append(Line(case=case, why_not=refused.sentence))
        else:
            found.append(bulk.prepare(user, case, at))
    return found


def own_task(user: User, situation: Situation) -> Task:
    """The newest task of the person's own unit that still runs, for actions on tasks. Errors: invalid."""
    mine = [task for task in situation.tasks if task.unit_id == user.unit_id and task.is_current]
    if not mine:
        raise Refused("invalid", message="本单位在这一件上没有在办的任务。")
    return mine[-1]


def perform(
    bulk: Bulk, *, actor: User, at: datetime, case: Case, choice: str, reason: str, version: int, submission: UUID
) -> Result:
    """Do it for one case, in a transaction of its own; a refusal is its result."""
    number = str(case.number)
    try:
        bulk.perform(
            actor=actor,
            at=at,
            case=case,
            choice=choice,
            reason=reason,
            version=version,
            submission=uuid5(submission, f"{bulk.code} {number}"),
        )
    except work.Repeated:
        return Result(number, True, "已完成。")
    except Refused as refused:
        return Result(number, False, refused.sentence)
    return Result(number, True, "已完成。")
