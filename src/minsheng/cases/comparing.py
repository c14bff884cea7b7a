"""The reply beside the citizen's words, requirement by requirement, for who judges it (screens.md, 审核; domain.md §2.5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from minsheng.cases import reply_rules
from minsheng.cases.choices import Finding, Outcome, ReplyState, Solved, TaskState
from minsheng.ui import times

if TYPE_CHECKING:
    from minsheng.cases.guards import Situation
    from minsheng.cases.models import Reply


@dataclass(frozen=True, slots=True)
class Check:
    """One requirement: `code` is the reason for which a reply is sent back, empty where there is none."""

    label: str
    passed: bool
    detail: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that the verdict needs."""

    reply: Reply
    unit: str
    verdict: str
    due_at: datetime
    sent_back_times: int
    checks: list[Check]

    @property
    def passed(self) -> int:
        """How many requirements the machine sees met."""
        return sum(check.passed for check in self.checks)


# What each reason of the list demands; whether the question was answered only people can tell, so it is not here.
_REQUIREMENTS = (
    ("no_process", "写明办理过程"),
    ("no_deadline", "承诺有时限"),
    ("no_basis", "写明依据"),
    ("no_outreach", "联系过诉求人"),
    ("privacy", "没有个人信息"),
    ("buck_passing", "没有推诿"),
    ("absolute_promise", "没有绝对化承诺"),
)


def is_contacted(situation: Situation) -> bool:
    """Some unit at work on this round has reached the citizen."""
    return any(t.first_contact_at for t in situation.tasks if t.round == situation.case.round and t.is_current)


def compare(situation: Situation) -> Comparison | None:
    """The reply that waits for audit, with its checks; None where none waits. No query."""
    waiting = {t.pk: t for t in situation.tasks if t.round == situation.case.round and t.state == TaskState.REPLIED}
    reply = next((r for r in situation.replies if r.state == ReplyState.SUBMITTED and r.task_id in waiting), None)
    if reply is None:
        return None
    task = waiting[reply.task_id]
    flaws = dict(reply_rules.reply_flaws(reply.text, basis=reply.basis, contacted=is_contacted(situation)))
    checks = [Check(label, code not in flaws, flaws.get(code, ""), code) for code, label in _REQUIREMENTS]
    in_time = reply.signed_at is None or reply.signed_at < task.due_at
    checks.append(Check("按时回复", in_time, "" if in_time else f"应于 {times.due(task.due_at, situation.at)}回复。"))
    missing = [t.unit.name for t in situation.tasks if t.round == task.round and t.excused_at and not t.replied_at and t.is_current]
    if missing:
        checks.append(Check("协办报送齐全", False, f"{'、'.join(missing)}免报，理由见经过。"))
    return Comparison(reply, task.unit.name, _verdict(reply), task.due_at, task.sent_back_times, checks)


def _verdict(reply: Reply) -> str:
    said = (
        Finding(reply.finding).label if reply.finding else "",
        Outcome(reply.outcome).label if reply.outcome else "",
        Solved(reply.solved).label if reply.solved else "",
    )
    return " · ".join(str(words) for words in said if words)
