"""审核: the verdict on replies, and on what units ask for. Nobody audits their own dispatch (design §6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from minsheng.audit.actions import record
from minsheng.cases import clocks, messages, work
from minsheng.cases.actions.ending import close, end_tasks
from minsheng.cases.actions.handling import give_time
from minsheng.cases.assigning import refuse_naming
from minsheng.cases.choices import AskState, CaseState, Ending, ReplyState, TaskRole, TaskState
from minsheng.cases.models import Ask, Case, Reply, Task
from minsheng.cases.wording import day_words
from minsheng.errors import Refused
from minsheng.worktime import rules
from minsheng.worktime.moments import end_of

if TYPE_CHECKING:
    from minsheng.accounts.models import User


def pass_reply(
    *, actor: User, at: datetime, case: Case, note: str = "", version: int | None = None, submission: UUID | None = None
) -> Case:
    """审核通过（终审）: the citizen gets the reply and is asked to rate it."""
    with work.work_on(case, "pass_reply", actor=actor, at=at, version=version, submission=submission) as w:
        reply = _submitted(w)
        _judge(reply, ReplyState.ACCEPTED, w, note=note)
        for task in w.situation.tasks:
            if task.round == w.case.round and task.state == TaskState.REPLIED:
                task.state, task.finished_at = TaskState.ACCEPTED, at
                task.save(update_fields=["state", "finished_at"])
        end_tasks(w, TaskState.TERMINATED)  # excused reports: nobody waits for them any more
        w.move_case(CaseState.TO_FOLLOW_UP)
        clocks.start_stage(w.case, at=at)
        w.note, w.summary, w.facts = note, "审核通过", {"reply": reply.pk}
        messages.tell_all(w.case, at=at, template="replied", text=reply.text)
    return case


def send_back(
    *,
    actor: User,
    at: datetime,
    case: Case,
    reasons: Sequence[str],
    note: str = "",
    version: int | None = None,
    submission: UUID | None = None,
) -> Case:
    """退回重办 with reasons from the list (domain.md §2.5); the unit gets at least the rework time. Errors: reason_required."""
    if not reasons:
        raise Refused("reason_required")
    with work.work_on(case, "send_back", actor=actor, at=at, version=version, submission=submission) as w:
        reply = _submitted(w)
        refuse_naming(w.case, note)  # which the unit reads beside its reply
        _judge(reply, ReplyState.SENT_BACK, w, note=note, reasons=reasons)
        lead = next(t for t in w.situation.tasks if t.pk == reply.task_id)
        lead.state, lead.sent_back_times = TaskState.SENT_BACK, lead.sent_back_times + 1
        give_time(lead, at=at)
        lead.save()
        w.move_case(CaseState.IN_HANDLING)
        clocks.set_stage(w.case, None)
        w.note, w.facts = note, {"reply": reply.pk, "reasons": list(reasons)}
        w.summary = f"审核退回{lead.unit.name}重办，{day_words(lead.due_at, at)} 24:00 前再次回复"
    return case


def decide_return(
    *,
    actor: User,
    at: datetime,
    task: Task,
    grant: bool,
    note: str,
    version: int | None = None,
    submission: UUID | None = None,
) -> Ask:
    """审核退件. Upheld: back to dispatch, against the first dispatch; the citizen's clock goes on. Refused: stays, against the unit."""
    _need(note)
    with work.work_on(
        task.case, "decide_return", actor=actor, at=at, task=task, version=version, submission=submission
    ) as w:
        ask, it = _decide(w, grant, note), w.the_task
        it.state = TaskState.RETURNED if grant else TaskState.HANDLING
        if grant:
            it.finished_at = at
        if grant and it.role == TaskRole.LEAD:
            end_tasks(w, TaskState.RECALLED, but=it)
            w.case.first_dispatch_wrong = w.case.first_dispatch_wrong or w.case.round == 1
            w.move_case(CaseState.TO_DISPATCH)
            clocks.start_stage(w.case, at=at)
        w.summary = f"{'同意' if grant else '不同意'}{it.unit.name}退件"
    return ask


def decide_extension(
    *,
    actor: User,
    at: datetime,
    task: Task,
    grant: bool,
    note: str,
    version: int | None = None,
    submission: UUID | None = None,
) -> Ask:
    """审核延期. The task's limit moves; the citizen's only if the citizen has been told (design §5)."""
    _need(note)
    with work.work_on(
        task.case, "decide_extension", actor=actor, at=at, task=task, version=version, submission=submission
    ) as w:
        ask, it = _decide(w, grant, note), w.the_task
        w.summary = f"{'同意' if grant else '不同意'}{it.unit.name}延期"
        if not grant:
            return ask
        assert ask.until is not None
        derivation = clocks.of(it.derivation)
        assert derivation is not None
        if end_of(ask.until) <= derivation.due_at:  # the limit has moved since: a year's calendar was loaded
            raise Refused("extension_date")
        clocks.set_task(it, rules.with_extension(derivation, ask.until, granted_at=at))
        w.summary += f"至{day_words(it.due_at, at)} 24:00 前"
        if ask.citizen_told_at is not None and it.role == TaskRole.LEAD:  # the lead answers the citizen
            _move_citizen(w, ask, it)
    return ask


def _move_citizen(w: work.Work, ask: Ask, task: Task) -> None:
    derivation = clocks.of(w.case.citizen_derivation)
    assert derivation is not None and ask.until is not None
    if end_of(ask.until) <= derivation.due_at:
        return
    clocks.set_citizen(w.case, rules.with_extension(derivation, ask.until, granted_at=w.at))
    assert w.case.citizen_due_at is not None
    messages.tell_all(
        w.case,
        at=w.at,
        template="extended",
        unit=task.unit.name,
        due=day_words(w.case.citizen_due_at, w.at),
        text=ask.reason,
    )


def decide_pause(
    *,
    actor: User,
    at: datetime,
    task: Task,
    grant: bool,
    note: str,
    version: int | None = None,
    submission: UUID | None = None,
) -> Ask:
    """审核挂起. The task's clock stands still; the citizen's goes on and says why.

    It stands still from the grant, or from the ask where the limit ran out while the ask waited for its answer.
    """
    _need(note)
    with work.work_on(
        task.case, "decide_pause", actor=actor, at=at, task=task, version=version, submission=submission
    ) as w:
        ask, it = _decide(w, grant, note), w.the_task
        if grant:
            it.state, it.paused_at = TaskState.PAUSED, at if at < it.due_at else ask.asked_at
        w.summary = f"{'同意' if grant else '不同意'}{it.unit.name}挂起"
    return ask


def decide_termination(
    *,
    actor: User,
    at: datetime,
    task: Task,
    grant: bool,
    note: str,
    version: int | None = None,
    submission: UUID | None = None,
) -> Ask:
    """审核终止: the case ends without handling, and the citizen is told why (潍坊条例 §21)."""
    _need(note)
    with work.work_on(
        task.case, "decide_termination", actor=actor, at=at, task=task, version=version, submission=submission
    ) as w:
        ask, it = _decide(w, grant, note), w.the_task
        if grant:
            it.state, it.finished_at = TaskState.TERMINATED, at
            close(w, Ending.TERMINATED)
            messages.tell_all(w.case, at=at, template="terminated", text=note)
        w.summary = f"{'同意' if grant else '不同意'}{it.unit.name}终止办理"
    return ask


def decide_set_aside(
    *,
    actor: User,
    at: datetime,
    task: Task,
    grant: bool,
    note: str,
    version: int | None = None,
    submission: UUID | None = None,
) -> Ask:
    """审核不合理诉求认定: the rating is kept and shown; assessment leaves the case out."""
    _need(note)
    with work.work_on(
        task.case, "decide_set_aside", actor=actor, at=at, task=task, version=version, submission=submission
    ) as w:
        ask = _decide(w, grant, note)
        w.case.set_aside = grant
        w.summary = "认定为不合理诉求，保留原评价" if grant else "不认定为不合理诉求"
        record(actor=actor, at=at, code="case.set_aside", subject=w.case, subject_label=str(w.case), why=note)
    return ask


def _submitted(w: work.Work) -> Reply:
    waiting = {t.pk for t in w.situation.tasks if t.round == w.case.round and t.state == TaskState.REPLIED}
    reply = next((r for r in w.situation.replies if r.state == ReplyState.SUBMITTED and r.task_id in waiting), None)
    if reply is None:
        raise Refused("wrong_state", action=w.row.label, state=w.case.get_state_display())
    return reply


def _judge(reply: Reply, state: ReplyState, w: work.Work, *, note: str, reasons: Sequence[str] = ()) -> None:
    reply.state, reply.audited_at, reply.audited_by = state, w.at, w.user
    reply.audit_note, reply.audit_reasons = note, list(reasons)
    reply.save(update_fields=["state", "audited_at", "audited_by", "audit_note", "audit_reasons"])


def _decide(w: work.Work, grant: bool, note: str) -> Ask:
    ask = w.situation.pending(w.the_task)
    assert ask is not None  # the row's guard saw it
    refuse_naming(w.case, note)  # which the unit reads beside its ask
    ask.state = AskState.GRANTED if grant else AskState.REFUSED
    ask.decided_at, ask.decided_by, ask.decision_note = w.at, w.user, note
    ask.save(update_fields=["state", "decided_at", "decided_by", "decision_note"])
    w.note, w.facts = note, {"ask": ask.pk, "kind": ask.kind, "granted": grant}
    return ask


def _need(text: str) -> None:
    if not text.strip():
        raise Refused("reason_required")
