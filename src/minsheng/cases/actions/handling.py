"""What units do with a task: read, reach out, hand down, report, reply, sign (domain.md §2.4, §2.5; 首接责任)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings

from minsheng.accounts.choices import Role
from minsheng.cases import attachments, clocks, reply_rules, work
from minsheng.cases.assigning import assign
from minsheng.cases.choices import UNFINISHED_TASK_STATES, CaseState, ReplyKind, ReplyState, TaskRole, TaskState
from minsheng.cases.models import Case, Outreach, Reply, Task
from minsheng.cases.wording import day_words
from minsheng.errors import Refused
from minsheng.organisations import queries as organisations
from minsheng.secrecy import commitment, new_salt
from minsheng.worktime import queries as worktime
from minsheng.worktime import rules
from minsheng.worktime.moments import day_of, end_of

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from minsheng.accounts.models import User
    from minsheng.organisations.models import Unit


def read_task(
    *, actor: User, at: datetime, task: Task, version: int | None = None, submission: UUID | None = None
) -> Task:
    """查阅: the unit has seen it; the time for asking for return begins."""
    with work.work_on(task.case, "read", actor=actor, at=at, task=task, version=version, submission=submission) as w:
        it = w.the_task
        it.state, it.read_at, it.read_by = TaskState.HANDLING, at, w.user
        clocks.start_returning(it, at=at)
        timely = at < it.read_due_at
        w.summary = "查阅" + ("" if timely else "（逾期）")
        w.facts = {"timely": timely}
    return it


def reach_out(
    *,
    actor: User,
    at: datetime,
    task: Task,
    reached_at: datetime,
    method: str,
    reached: bool,
    summary: str,
    submission: UUID | None = None,
) -> Outreach:
    """联系: one try to reach the citizen, recorded whether or not it succeeded."""
    _need(summary)
    if reached_at > at:
        raise Refused("invalid", message="联系时间不能晚于现在。")
    if reached_at < task.case.received_at:
        raise Refused("invalid", message="联系时间不能早于诉求提交的时间。")
    with work.work_on(task.case, "reach_out", actor=actor, at=at, task=task, submission=submission) as w:
        outreach = Outreach.objects.create(
            task=w.the_task, at=reached_at, recorded_at=at, by=w.user, method=method, reached=reached, summary=summary
        )
        it = w.the_task
        if reached and (it.first_contact_at is None or reached_at < it.first_contact_at):
            it.first_contact_at = reached_at  # an earlier try may be recorded after a later one
        w.note = summary
        w.summary = f"联系诉求人：{'已联系上' if reached else '未联系上'}"
    return outreach


def take_first_measures(
    *, actor: User, at: datetime, task: Task, text: str, submission: UUID | None = None
) -> Task:
    """先行处置: an urgent case's first measures, due within 24 hours beside the limit."""
    _need(text)
    with work.work_on(task.case, "take_first_measures", actor=actor, at=at, task=task, submission=submission) as w:
        it = w.the_task
        it.first_measures_at = at
        timely = it.first_measures_due_at is None or at < it.first_measures_due_at
        w.note, w.facts = text, {"timely": timely}
        w.summary = "先行处置" + ("" if timely else "（逾期）")
    return it


def sub_dispatch(
    *,
    actor: User,
    at: datetime,
    task: Task,
    unit: Unit,
    instruction: str = "",
    version: int | None = None,
    submission: UUID | None = None,
) -> Task:
    """转办下级: city → county → township, each level with its own task and clock; the lower one never outlasts the upper,
    unless that one is late already. A county's bureau may also turn to the street where it happened (属地).

    Errors: not_below, and those of assigning.refuse_unit.
    """
    with work.work_on(task.case, "sub_dispatch", actor=actor, at=at, task=task, version=version, submission=submission) as w:
        it = w.the_task
        if unit.pk not in organisations.hand_down_ids(it.unit, w.case.place):
            raise Refused("not_below", unit=unit.name)
        made = clocks.task_clocks(w.case, at=at)
        # What comes down late is not late at once: the lower unit gets the least time that rework gets too.
        latest = it.due_at if at < it.due_at else end_of(least_day(at))
        child = assign(
            w,
            unit,
            role=TaskRole.SUB,
            by=w.user,
            parent=it,
            instruction=instruction,
            reading=rules.with_cap(made.read, latest),
            handling=rules.with_cap(made.handling, latest),
        )
        w.note = instruction
        w.facts = {"unit": unit.code, "deadline": child.derivation}
        w.summary = f"转办{unit.name}，{day_words(child.due_at, at)} 24:00 前报送"
    return child


def return_to_parent(
    *, actor: User, at: datetime, task: Task, reason: str, version: int | None = None, submission: UUID | None = None
) -> Task:
    """退回上级: a lower unit gives its task back to the unit that handed it down; what it handed on ends with it."""
    _need(reason)
    with work.work_on(
        task.case, "return_to_parent", actor=actor, at=at, task=task, version=version, submission=submission
    ) as w:
        it = w.the_task
        it.state, it.finished_at = TaskState.RETURNED, at
        _recall_below(w, it)
        w.note, w.summary = reason, "退回上级单位"
    return it


def report_result(
    *,
    actor: User,
    at: datetime,
    task: Task,
    text: str,
    finding: str = "",
    files: Sequence[UploadedFile] = (),
    version: int | None = None,
    submission: UUID | None = None,
) -> Reply:
    """报送结果: an assisting or lower unit reports to the one that answers the citizen."""
    _need(text)
    refuse_blanks(text)
    with work.work_on(task.case, "report", actor=actor, at=at, task=task, version=version, submission=submission) as w:
        it = w.the_task
        reply = _write(w, text, ReplyKind.REPORT, ReplyState.ACCEPTED, finding=finding)
        attachments.store_all(w.case, files, at=at, by=w.user, reply=reply)
        it.state, it.replied_at = TaskState.REPLIED, at
        w.summary = f"报送{'协办' if it.role == TaskRole.ASSIST else '办理'}结果"
    return reply


def send_report_back(
    *, actor: User, at: datetime, task: Task, reason: str, version: int | None = None, submission: UUID | None = None
) -> Task:
    """退回报送: the lead (or upper unit) wants a better report."""
    _need(reason)
    with work.work_on(
        task.case, "send_report_back", actor=actor, at=at, task=task, version=version, submission=submission
    ) as w:
        it = w.the_task
        it.state, it.sent_back_times = TaskState.SENT_BACK, it.sent_back_times + 1
        give_time(it, at=at)
        w.note, w.summary = reason, f"退回{it.unit.name}的报送"
    return it


def excuse_report(
    *, actor: User, at: datetime, task: Task, reason: str, version: int | None = None, submission: UUID | None = None
) -> Task:
    """免报说明: the lead goes on without this unit's report, and says why, on record."""
    _need(reason)
    with work.work_on(
        task.case, "excuse_report", actor=actor, at=at, task=task, version=version, submission=submission
    ) as w:
        w.the_task.excused_at = at
        w.note, w.summary = reason, f"不再等候{w.the_task.unit.name}报送"
    return w.the_task


def draft_reply(
    *,
    actor: User,
    at: datetime,
    task: Task,
    text: str,
    finding: str,
    outcome: str,
    solved: str,
    basis: str = "",
    files: Sequence[UploadedFile] = (),
    version: int | None = None,
    submission: UUID | None = None,
) -> Reply:
    """拟写回复: the lead unit's words, waiting for its leader's signature. A reply not signed before is rewritten.

    Where sign-off is switched off by setting, or the writer is the unit's leader, it still takes the separate act of signing.
    """
    _need(text)
    refuse_blanks(text, basis)
    with work.work_on(task.case, "draft_reply", actor=actor, at=at, task=task, version=version, submission=submission) as w:
        Reply.objects.filter(task=w.the_task, state=ReplyState.NOT_SIGNED).update(state=ReplyState.SENT_BACK)
        reply = _write(
            w, text, ReplyKind.FINAL, ReplyState.TO_SIGN, finding=finding, outcome=outcome, solved=solved, basis=basis
        )
        attachments.store_all(w.case, files, at=at, by=w.user, reply=reply)
        w.summary = "拟写回复，待签发"
    return reply


def sign_reply(
    *, actor: User, at: datetime, task: Task, note: str = "", version: int | None = None, submission: UUID | None = None
) -> Reply:
    """签发: the unit's leader sends the reply to audit. Errors: nothing_to_sign, reports_missing (首接责任)."""
    with work.work_on(task.case, "sign_reply", actor=actor, at=at, task=task, version=version, submission=submission) as w:
        it = w.the_task
        reply = next(r for r in w.situation.replies if r.task_id == it.pk and r.state == ReplyState.TO_SIGN)
        reply.state, reply.signed_at, reply.signed_by = ReplyState.SUBMITTED, at, w.user
        reply.save(update_fields=["state", "signed_at", "signed_by"])
        it.state, it.replied_at = TaskState.REPLIED, at
        w.case.replied_at = w.case.replied_at or at
        w.move_case(CaseState.TO_AUDIT)
        clocks.start_stage(w.case, at=at)
        timely = at < it.due_at
        w.note, w.facts = note, {"timely": timely, "reply": reply.pk}
        w.summary = "回复" + ("" if timely else "（逾期）")
    return reply


def decline_to_sign(
    *, actor: User, at: datetime, task: Task, reason: str, version: int | None = None, submission: UUID | None = None
) -> Reply:
    """不签发: back to the liaison with the leader's reason."""
    _need(reason)
    with work.work_on(
        task.case, "decline_to_sign", actor=actor, at=at, task=task, version=version, submission=submission
    ) as w:
        reply = next(r for r in w.situation.replies if r.task_id == w.the_task.pk and r.state == ReplyState.TO_SIGN)
        reply.state, reply.audit_note = ReplyState.NOT_SIGNED, reason
        reply.save(update_fields=["state", "audit_note"])
        w.note, w.summary = reason, "退回拟稿"
    return reply


def resume_task(
    *, actor: User, at: datetime, task: Task, note: str = "", version: int | None = None, submission: UUID | None = None
) -> Task:
    """恢复办理: the pause moves the task's limit, and that of first measures still owed; the citizen's clock never stood still (design §5).

    What had been sent back is sent back still: it returns to the stack that says why.
    """
    with work.work_on(task.case, "resume", actor=actor, at=at, task=task, version=version, submission=submission) as w:
        it = w.the_task
        derivation = clocks.of(it.derivation)
        assert derivation is not None and it.paused_at is not None
        clocks.set_task(it, rules.with_pause(derivation, it.paused_at, at, worktime.calendar()))
        measures = clocks.of(it.first_measures_derivation)
        if measures and not it.first_measures_at and it.paused_at < measures.due_at:
            clocks.set_first_measures(it, rules.with_pause(measures, it.paused_at, at, worktime.calendar()))
        it.state, it.paused_at = (TaskState.SENT_BACK if it.sent_back_times else TaskState.HANDLING), None
        w.note, w.summary = note, f"{it.unit.name}恢复办理，时限至{day_words(it.due_at, at)} 24:00 前"
    return it


def urge_case(
    *, actor: User, at: datetime, case: Case, reason: str, version: int | None = None, submission: UUID | None = None
) -> Case:
    """催办: the units at work see it at the top of their case."""
    _need(reason)
    with work.work_on(case, "urge", actor=actor, at=at, version=version, submission=submission) as w:
        w.note, w.summary = reason, "催办"
    return case


def give_time(task: Task, *, at: datetime) -> None:
    """Work sent back is never late at once: at least `rework_days` working days, on record (a known fault of peers)."""
    derivation = clocks.of(task.derivation)
    assert derivation is not None
    clocks.set_task(
        task, rules.with_rework(derivation, settings.HOTLINE["rework_days"], worktime.calendar(), given_at=at)
    )


def least_day(at: datetime) -> date:
    """The earliest last day that work given at this moment may have."""
    return worktime.calendar().add(day_of(at), settings.HOTLINE["rework_days"])


def _recall_below(w: work.Work, task: Task) -> None:
    """End what hangs on a task, however deep: nobody waits for it any more."""
    gone = {task.pk}
    for each in w.situation.tasks:  # in the order in which they were given, so parents come first
        if each.parent_id in gone:
            gone.add(each.pk)
            if each.state in UNFINISHED_TASK_STATES:
                each.state, each.finished_at = TaskState.RECALLED, w.at
                each.save(update_fields=["state", "finished_at"])


def _write(
    w: work.Work,
    text: str,
    kind: ReplyKind,
    state: ReplyState,
    *,
    finding: str = "",
    outcome: str = "",
    solved: str = "",
    basis: str = "",
) -> Reply:
    salt = new_salt()
    reply = Reply(
        task=w.the_task,
        kind=kind,
        state=state,
        text=text.strip(),
        text_salt=salt,
        finding=finding,
        outcome=outcome,
        solved=solved,
        basis=basis.strip(),
        written_at=w.at,
        written_by=w.user,
    )
    if kind is ReplyKind.REPORT and w.user.has_role(Role.UNIT_LEADER):
        reply.signed_at, reply.signed_by = w.at, w.user
    reply.save(force_insert=True)
    w.facts = {"reply": reply.pk, "text": commitment(salt, reply.text)}
    return reply


def refuse_blanks(*texts: str) -> None:
    """A template's blank that nobody filled must not reach the citizen. Errors: blanks_left."""
    left = reply_rules.blanks(*texts)
    if left:
        raise Refused("blanks_left", blanks="、".join(left[:5]) + (f"等 {len(left)} 处" if len(left) > 5 else ""))


def _need(text: str) -> None:
    if not text.strip():
        raise Refused("reason_required")
