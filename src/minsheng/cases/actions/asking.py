"""What a unit asks the centre for: return, extension, pause, termination, setting aside; each with ground and proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings

from minsheng.cases import attachments, clocks, work
from minsheng.cases.choices import AskKind, AskState, TaskState
from minsheng.cases.guards import Situation
from minsheng.cases.models import Ask, Task
from minsheng.errors import Refused
from minsheng.worktime import queries as worktime
from minsheng.worktime.moments import day_of, last_day_before

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from minsheng.accounts.models import User
    from minsheng.organisations.models import Unit


def request_return(
    *,
    actor: User,
    at: datetime,
    task: Task,
    reason_code: str,
    reason: str,
    basis: str,
    proposed_unit: Unit,
    version: int | None = None,
    submission: UUID | None = None,
) -> Ask:
    """申请退件 with legal ground and another unit (domain.md §2.4); within the limit, once per unit and case, never after a ruling."""
    _need(reason, basis)
    with work.work_on(
        task.case, "request_return", actor=actor, at=at, task=task, version=version, submission=submission
    ) as w:
        if proposed_unit.pk == w.the_task.unit_id:
            raise Refused("invalid", message="建议承办单位不能是本单位。")
        ask = _ask(w, AskKind.RETURN, reason, reason_code=reason_code, basis=basis, proposed_unit=proposed_unit)
        w.the_task.state = TaskState.RETURN_REQUESTED
        w.summary = f"申请退件，建议由{proposed_unit.name}承办"
        w.facts["proposed_unit"] = proposed_unit.code
    return ask


def request_extension(
    *,
    actor: User,
    at: datetime,
    task: Task,
    until: date,
    reason_code: str,
    reason: str,
    citizen_told_at: datetime | None,
    files: Sequence[UploadedFile] = (),
    version: int | None = None,
    submission: UUID | None = None,
) -> Ask:
    """申请延期 (domain.md §2.6). Only when the citizen has been told does the citizen's clock move with it.

    Errors: extension_too_often, extension_too_late, extension_too_long, extension_date.
    """
    _need(reason)
    with work.work_on(
        task.case, "request_extension", actor=actor, at=at, task=task, version=version, submission=submission
    ) as w:
        _refuse_extension(w, until)
        if citizen_told_at and citizen_told_at > at:
            raise Refused("invalid", message="告知诉求人的时间不能晚于现在。")
        if citizen_told_at and citizen_told_at < w.the_task.assigned_at:
            raise Refused("invalid", message="告知诉求人的时间不能早于批转。")
        ask = _ask(
            w, AskKind.EXTENSION, reason, reason_code=reason_code, until=until, citizen_told_at=citizen_told_at, files=files
        )
        w.summary = f"申请延期至{until.month}月{until.day}日"
    return ask


@dataclass(frozen=True)
class Room:
    """Between which days one extension may end, and how many working days that is at most."""

    first: date
    last: date
    most: int
    granted: int


def room_for_extension(situation: Situation) -> Room:
    """What the task at hand may still be extended by (domain.md §2.6). Errors: extension_too_often, extension_too_late."""
    hotline, calendar, task = settings.HOTLINE, worktime.calendar(), situation.the_task
    due_day = last_day_before(task.due_at)
    granted = sum(a.task_id == task.pk and a.kind == AskKind.EXTENSION and a.state == AskState.GRANTED for a in situation.asks)
    if granted >= hotline["extension_times"]:
        raise Refused("extension_too_often", times=granted)
    if calendar.count(day_of(situation.at), due_day) < hotline["extension_lead_days"]:
        raise Refused("extension_too_late", days=hotline["extension_lead_days"])
    derivation = clocks.of(task.derivation)
    assert derivation is not None
    original = derivation.limit.amount if derivation.limit.in_days else 1
    most = min(original, clocks.most_extension(situation.case, at=situation.at))
    return Room(calendar.add(due_day, 1), calendar.add(due_day, most), most, granted)


def _refuse_extension(w: work.Work, until: date) -> None:
    room = room_for_extension(w.situation)
    if until < room.first or not worktime.calendar().is_working(until):
        raise Refused("extension_date")
    if until > room.last:
        raise Refused("extension_too_long", days=room.most)


def request_pause(
    *,
    actor: User,
    at: datetime,
    task: Task,
    reason_code: str,
    reason: str,
    basis: str = "",
    files: Sequence[UploadedFile] = (),
    version: int | None = None,
    submission: UUID | None = None,
) -> Ask:
    """申请挂起, with proof (domain.md §2.13). Errors: proof_required."""
    _need(reason)
    if not files and not basis.strip():
        raise Refused("proof_required")
    with work.work_on(
        task.case, "request_pause", actor=actor, at=at, task=task, version=version, submission=submission
    ) as w:
        ask = _ask(w, AskKind.PAUSE, reason, reason_code=reason_code, basis=basis, files=files)
        w.summary = "申请挂起"
    return ask


def request_termination(
    *,
    actor: User,
    at: datetime,
    task: Task,
    reason_code: str,
    reason: str,
    basis: str,
    files: Sequence[UploadedFile] = (),
    version: int | None = None,
    submission: UUID | None = None,
) -> Ask:
    """申请终止办理: it turned out not to be ours to handle, or the citizen refuses to take part (潍坊条例 §21)."""
    _need(reason, basis)
    with work.work_on(
        task.case, "request_termination", actor=actor, at=at, task=task, version=version, submission=submission
    ) as w:
        ask = _ask(w, AskKind.TERMINATION, reason, reason_code=reason_code, basis=basis, files=files)
        w.summary = "申请终止办理"
    return ask


def request_set_aside(
    *,
    actor: User,
    at: datetime,
    task: Task,
    reason: str,
    basis: str,
    files: Sequence[UploadedFile] = (),
    version: int | None = None,
    submission: UUID | None = None,
) -> Ask:
    """申请认定不合理诉求: the rating stays visible; only approval takes it out of the assessment (domain.md §2.7)."""
    _need(reason, basis)
    with work.work_on(
        task.case, "request_set_aside", actor=actor, at=at, task=task, version=version, submission=submission
    ) as w:
        ask = _ask(w, AskKind.SET_ASIDE, reason, basis=basis, files=files)
        w.summary = "申请认定为不合理诉求"
    return ask


def _ask(
    w: work.Work, kind: AskKind, reason: str, *, files: Sequence[UploadedFile] = (), **values: Any
) -> Ask:
    ask = Ask(task=w.the_task, kind=kind, asked_at=w.at, asked_by=w.user, reason=reason.strip(), **values)
    clocks.start_ask(ask, at=w.at)
    ask.save(force_insert=True)
    w.asks.append(ask)
    attachments.store_all(w.case, files, at=w.at, by=w.user, ask=ask)
    w.note, w.facts = reason, {"ask": ask.pk, "reason_code": ask.reason_code}
    return ask


def _need(*texts: str) -> None:
    if not all(text.strip() for text in texts):
        raise Refused("reason_required")


