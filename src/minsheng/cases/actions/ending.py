"""Ways to end a case without handling, each with a reason that the citizen is told (design §4; domain.md §2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from minsheng.accounts.choices import Role
from minsheng.cases import messages, work
from minsheng.cases.actors import Outsider, is_user
from minsheng.cases.choices import UNFINISHED_TASK_STATES, AskState, CaseState, Ending, TaskState
from minsheng.cases.models import Case, ReasonCode, RefusalGround, Task
from minsheng.errors import Refused

if TYPE_CHECKING:
    from minsheng.accounts.models import User


def close(w: work.Work, ending: Ending) -> None:
    """Close the case of an action under way: no clock of ours runs on, no unit owes anything more."""
    w.case.ending = ending
    w.case.closed_at = w.at
    w.move_case(CaseState.CLOSED)
    w.case.stage_due_at = w.case.stage_yellow_at = w.case.stage_orange_at = w.case.stage_derivation = None
    if is_user(w.actor) and w.case.accepted_at is None:
        w.case.accepted_by = w.actor
    end_tasks(w, TaskState.TERMINATED)


def end_tasks(w: work.Work, state: TaskState, *, but: Task | None = None) -> list[Task]:
    """End every task that is still active or waits with its reply, and what it asks for; returns those ended."""
    ended = [
        t
        for t in w.situation.tasks
        if t.state in UNFINISHED_TASK_STATES and (but is None or t.pk != but.pk)
    ]
    for task in ended:
        task.state, task.finished_at = state, w.at
        if w.task is None or task.pk != w.task.pk:
            task.save(update_fields=["state", "finished_at"])
    lapse_asks(w, ended)
    return ended


def lapse_asks(w: work.Work, tasks: Sequence[Task]) -> None:
    """What these tasks ask for is answered by nobody any more; the timeline tells the unit so."""
    units = {task.pk: task.unit.name for task in tasks}
    for ask in w.situation.asks:
        if ask.task_id in units and ask.state == AskState.PENDING:
            ask.state = AskState.LAPSED
            ask.save(update_fields=["state"])
            w.also.append(f"{units[ask.task_id]}的{ask.get_kind_display()}申请随之失效")


def answer_case(
    *, actor: User, at: datetime, case: Case, text: str, version: int | None = None, submission: UUID | None = None
) -> Case:
    """直接解答: answered at once from what the centre knows. Errors: reason_required."""
    if not text.strip():
        raise Refused("reason_required")
    with work.work_on(case, "answer", actor=actor, at=at, version=version, submission=submission) as w:
        close(w, Ending.ANSWERED)
        w.case.replied_at = w.case.replied_at or at
        w.note, w.summary = text, "直接解答"
        messages.tell_all(w.case, at=at, template="answered", text=text)
    return case


def reject_case(
    *,
    actor: User,
    at: datetime,
    case: Case,
    ground: RefusalGround,
    text: str = "",
    version: int | None = None,
    submission: UUID | None = None,
) -> Case:
    """不予受理 on a listed ground; the citizen is told the proper legal route in the ground's words, or in those given.

    Errors: leader_review where the ground asks for a team leader's or dispatcher's own judgement (domain.md §2.2).
    """
    with work.work_on(case, "reject", actor=actor, at=at, version=version, submission=submission) as w:
        if ground.requires_leader_review and not w.situation.has(Role.TEAM_LEADER, Role.DISPATCHER):
            raise Refused("leader_review", ground=ground.name)
        close(w, Ending.REJECTED)
        w.case.ending_ground = ground
        told = text.strip() or ground.text
        w.note, w.summary = told, f"不予受理：{ground.name}"
        w.facts = {"ground": ground.code, "version": ground.version}
        messages.tell_all(w.case, at=at, template="rejected", text=told)
    return case


def transfer_case(
    *,
    actor: User,
    at: datetime,
    case: Case,
    target: ReasonCode,
    text: str = "",
    version: int | None = None,
    submission: UUID | None = None,
) -> Case:
    """即时转接 to 110, 119, 120, 122 or another line at once (domain.md §1.1)."""
    with work.work_on(case, "transfer", actor=actor, at=at, version=version, submission=submission) as w:
        close(w, Ending.TRANSFERRED)
        w.note, w.summary = text, f"即时转接：{target.label}"
        w.facts = {"target": target.code}
        messages.tell_all(w.case, at=at, template="transferred", target=target.label, text=text.strip() or target.text)
    return case


def mark_invalid(
    *, actor: User, at: datetime, case: Case, reason: str, version: int | None = None, submission: UUID | None = None
) -> Case:
    """无效: nothing in it that anybody could act upon. Errors: reason_required, others_joined."""
    if not reason.strip():
        raise Refused("reason_required")
    with work.work_on(case, "mark_invalid", actor=actor, at=at, version=version, submission=submission) as w:
        _refuse_joined(w)
        close(w, Ending.INVALID)
        w.note, w.summary = reason, "标为无效"
        messages.tell(w.case, at=at, template="invalid")
    return case


def withdraw_case(
    *,
    actor: User | Outsider,
    at: datetime,
    case: Case,
    reason: str,
    version: int | None = None,
    submission: UUID | None = None,
) -> Case:
    """撤回 on the citizen's wish; the reason is kept, because withdrawals under pressure are looked for (domain.md §2.11).

    Errors: reason_required, others_joined.
    """
    if not reason.strip():
        raise Refused("reason_required")
    with work.work_on(case, "withdraw", actor=actor, at=at, version=version, submission=submission) as w:
        _refuse_joined(w)
        close(w, Ending.WITHDRAWN)
        w.note, w.summary = reason, "诉求人撤回"
        messages.tell(w.case, at=at, template="withdrawn")
    return case


def _refuse_joined(w: work.Work) -> None:
    """Whose case was merged into this one still waits for its result: one citizen's wish does not end another's request."""
    if w.case.merged.exists():
        raise Refused("others_joined", action=w.row.label)
