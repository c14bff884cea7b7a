"""A case as its citizen sees it: who does what by when, what they were told, the reply, what they may do now (screens.md).

Whatever stands here is meant for the citizen: no staff, no notes, no returns and quarrels between units, nobody else's words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from minsheng.cases import clocks, work, workflow
from minsheng.cases.actions.intake import query_code_of
from minsheng.cases.actors import CITIZEN
from minsheng.cases.choices import (
    AskKind,
    AskState,
    CaseState,
    ContactPurpose,
    Ending,
    ReplyKind,
    ReplyState,
    TaskRole,
    TaskState,
)
from minsheng.cases.guards import Situation, awaits_judgement
from minsheng.cases.messages import number_told
from minsheng.cases.models import Attachment, Case, Contact, Message, Reply, Task
from minsheng.cases.models.reference import ReasonList
from minsheng.cases.reference_queries import reason_labels
from minsheng.portal.rules import by_when, why_words

MAY = ("rate", "supplement", "withdraw")  # rows of the transition table that are the citizen's
_OWN_WORDS = (ContactPurpose.NEW, ContactPurpose.SUPPLEMENT, ContactPurpose.URGING)

_WAY = ("收到", "受理", "办理", "答复", "办结")
_HOW_FAR = {
    CaseState.TO_ACCEPT: 0,
    CaseState.TO_DISPATCH: 1,
    CaseState.IN_STUDY: 1,
    CaseState.IN_HANDLING: 2,
    CaseState.TO_AUDIT: 2,
    CaseState.TO_FOLLOW_UP: 3,
    CaseState.CLOSED: 5,
    CaseState.ARCHIVED: 5,
}

_ENDED = {
    Ending.HANDLED: ("已经办结。", "感谢您的反映。"),
    Ending.ANSWERED: ("已经答复。", "答复在下面。"),
    Ending.REJECTED: ("这件事不由 12345 受理。", "该找谁、怎么办，在下面告诉您了。"),
    Ending.TRANSFERRED: ("已经转给负责的服务电话。", "请与对方保持联系。"),
    Ending.MERGED: ("和已经在办的另一件是同一件事，合在一起办。", ""),
    Ending.INVALID: ("没有找到可以办的事情，已经结束。", "如果写漏了什么，请重新提交，或拨打 12345。"),
    Ending.WITHDRAWN: ("已经按您的要求撤回。", "以后还需要，可以随时再提交。"),
    Ending.TERMINATED: ("已经终止办理。", "原因在下面告诉您了。"),
}


@dataclass(frozen=True)
class Status:
    """Where it stands in one sentence, and a second one where it helps."""

    words: str
    more: str = ""


@dataclass(frozen=True)
class ShownReply:
    """One reply that passed the audit."""

    unit: str
    at: datetime | None
    text: str
    again: bool  # of a second handling or a reopened round
    files: list[Attachment] = field(default_factory=list)


@dataclass(frozen=True)
class Progress:
    """All that the progress page shows."""

    case: Case
    status: Status
    due: str
    why: str
    moved: bool
    replies: list[ShownReply]
    told: list[Message]
    own: list[Contact]
    files: list[Attachment]
    may: list[str]

    @property
    def way(self) -> list[tuple[str, str]]:
        """(label, "done", "now" or ""): the usual way of a case, and how far it has come. None where it ended otherwise."""
        if self.case.ending and self.case.ending != Ending.HANDLED:
            return []
        at = _HOW_FAR[CaseState(self.case.state)]
        return [(label, "done" if i < at else "now" if i == at else "") for i, label in enumerate(_WAY)]

    @property
    def open(self) -> bool:
        """Somebody still works on it."""
        return self.case.state not in (CaseState.CLOSED, CaseState.ARCHIVED)


def progress_of(case: Case, *, at: datetime) -> Progress:
    """The page of one case; the number of queries does not grow with its history. `case` comes with applicant, merged_into."""
    situation = work.situation_of(case, actor=CITIZEN, at=at)
    replies = shown_replies(situation)
    told = list(Message.objects.filter(case=case).order_by("-at", "-id"))
    derivation = clocks.of(case.citizen_derivation)
    is_open = case.state not in (CaseState.CLOSED, CaseState.ARCHIVED)
    return Progress(
        case=case,
        status=status_of(case, situation, at=at),
        due=by_when(case.citizen_due_at, at) if is_open and case.citizen_due_at else "",
        why=why_words(derivation, at) if derivation and is_open else "",
        moved=bool(derivation and derivation.extensions and is_open),
        replies=replies,
        told=_with_codes([m for m in told if not (m.template == "replied" and replies)]),
        own=_own_words(case),
        files=list(Attachment.objects.filter(case=case, reply=None, ask=None, by=None).order_by("at", "id")),
        may=may_now(situation),
    )


def _with_codes(told: list[Message]) -> list[Message]:
    """Where a part was split off, its query code of now: shown to the citizen here and stored nowhere. One query, if any was."""
    parts = {m.pk: number_told(m) for m in told if m.template == "split"}
    cases = {case.number: case for case in Case.objects.filter(number__in=parts.values())} if parts else {}
    for message in told:
        part = cases.get(parts.get(message.pk, ""))
        if part is not None:
            message.text += f"查询码 {query_code_of(part)}。"
    return told


def may_now(situation: Situation) -> list[str]:
    """Which of the citizen's actions the transition table allows now; buttons and pages ask nothing else."""
    return [code for code in MAY if workflow.allows(workflow.BY_CODE[code], situation)]


def shown_replies(situation: Situation) -> list[ShownReply]:
    """The lead's replies that passed the audit, newest first, with their papers. One query, if there is any."""
    passed = [r for r in situation.replies if r.kind == ReplyKind.FINAL and r.state == ReplyState.ACCEPTED]
    if not passed:
        return []
    papers: dict[int | None, list[Attachment]] = {}
    for paper in Attachment.objects.filter(reply__in=passed).order_by("at", "id"):
        papers.setdefault(paper.reply_id, []).append(paper)
    tasks = {task.pk: task for task in situation.tasks}
    return [_shown(reply, tasks[reply.task_id], papers.get(reply.pk, [])) for reply in reversed(passed)]


def _shown(reply: Reply, task: Task, papers: list[Attachment]) -> ShownReply:
    return ShownReply(task.unit.name, reply.audited_at or reply.signed_at, reply.text, task.round > 1, papers)


def may_open(case: Case, pk: int) -> Attachment | None:
    """A paper of a reply that the citizen was given, or a file of their own."""
    found = Attachment.objects.select_related("reply").filter(case=case, pk=pk, ask=None).first()
    if found is None:
        return None
    reply = found.reply
    if reply is None:
        return found if found.by_id is None else None
    return found if reply.kind == ReplyKind.FINAL and reply.state == ReplyState.ACCEPTED else None


def _own_words(case: Case) -> list[Contact]:
    """What this citizen said, and nobody whose case was joined to it."""
    own = Contact.objects.filter(case=case, applicant=case.applicant_id, purpose__in=_OWN_WORDS)
    return list(own.order_by("received_at", "id"))


# --- in one sentence ---------------------------------------------------------------------------------------------


def status_of(case: Case, situation: Situation, *, at: datetime) -> Status:
    """Who does what by when."""
    if case.ending == Ending.MERGED and case.merged_into is not None:
        return _of_survivor(case.merged_into, at=at)
    if awaits_judgement(case):
        return Status(_ENDED[Ending(case.ending)][0], _after_rating(case))
    if case.state in (CaseState.CLOSED, CaseState.ARCHIVED):
        return Status(*_ENDED[Ending(case.ending)])
    by = _by(case, at)
    if case.state == CaseState.TO_ACCEPT:
        due = by_when(case.stage_due_at, at) if case.stage_due_at and case.stage_due_at > at else "很快"
        return Status(f"已经收到，{due}受理。", "受理后会在这里告诉您由谁办理、什么时候答复。")
    if case.state in (CaseState.TO_DISPATCH, CaseState.IN_STUDY):
        return Status(f"已经受理，正在确定由哪个单位办理，{by}。", _late(case, at))
    lead = _lead(case, situation.tasks)
    unit = lead.unit.name if lead else "负责的单位"
    if case.state == CaseState.IN_HANDLING:
        again = "再次" if case.second_handling else ""
        return Status(f"正在由{unit}{again}办理，{by}。", _paused(situation, lead) or _late(case, at))
    if case.state == CaseState.TO_AUDIT:
        return Status(f"{unit}已经办理，我们正在核对办理结果，{by}。", _late(case, at))
    return Status("已经有办理结果，请看下面的答复。", "办得怎么样，请您评价。" if not case.first_satisfaction else _after_rating(case))


def _by(case: Case, at: datetime) -> str:
    if case.citizen_due_at is None:
        return "会尽快答复您"
    if case.citizen_due_at <= at:
        return f"原定{by_when(case.citizen_due_at, at)}答复您"
    return f"{by_when(case.citizen_due_at, at)}答复您"


def _late(case: Case, at: datetime) -> str:
    if case.citizen_due_at is None or case.citizen_due_at > at:
        return ""
    return "已经超过答复日期，非常抱歉。您可以在这里补充情况，也可以拨打 12345 催办。"


def _after_rating(case: Case) -> str:
    return "您的评价已经收到。对没有解决或不满意的地方，我们会再看一遍，结果在这里告诉您。"


def _lead(case: Case, tasks: Sequence[Task]) -> Task | None:
    return next((t for t in tasks if t.role == TaskRole.LEAD and t.round == case.round and t.is_current), None)


def _paused(situation: Situation, lead: Task | None) -> str:
    """A pause stops the unit's clock, never the citizen's, and the citizen is told why (design §5)."""
    if lead is None or lead.state != TaskState.PAUSED:
        return ""
    granted = [a for a in situation.asks if a.task_id == lead.pk and a.kind == AskKind.PAUSE and a.state == AskState.GRANTED]
    why = reason_labels().get((ReasonList.PAUSE, granted[-1].reason_code), "") if granted else ""
    return f"办理暂时停下了{f'：{why}' if why else ''}。答复您的日期不变。"


def _of_survivor(survivor: Case, *, at: datetime) -> Status:
    """The other's progress in words; nothing else of it."""
    tasks = list(Task.objects.filter(case=survivor).select_related("unit").order_by("assigned_at", "id"))
    words = status_of(survivor, Situation(actor=CITIZEN, at=at, case=survivor, tasks=tasks), at=at).words
    if survivor.state in (CaseState.CLOSED, CaseState.ARCHIVED) and survivor.ending not in (Ending.HANDLED, Ending.ANSWERED):
        words = "那一件已经结束，没有办理结果。您的问题还在的话，请再提交一次，或拨打 12345。"
    elif survivor.state in (CaseState.TO_FOLLOW_UP, CaseState.CLOSED, CaseState.ARCHIVED):
        words = "已经有办理结果，在下面告诉您了。"
    return Status(_ENDED[Ending.MERGED][0], words)
