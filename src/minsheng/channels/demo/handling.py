"""The units' part of a made-up life: read, hand about, ask, reply, and the audit of what they say."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from minsheng.accounts.choices import Role
from minsheng.cases import actions
from minsheng.cases.choices import TaskState
from minsheng.channels.demo.verdicts import Verdict
from minsheng.errors import Refused
from minsheng.organisations.models import Unit
from minsheng.worktime import queries as worktime
from minsheng.worktime.moments import day_of

if TYPE_CHECKING:
    from minsheng.channels.demo.lives import Life


@dataclass
class Handling:
    """The units' part of a life, and what follows."""

    life: Life

    def __getattr__(self, name: str) -> Any:
        return getattr(self.life, name)

    def work(self) -> None:
        """Read, then whatever happens, then reply, audit, follow-up."""
        self._read(self.lead, slow=self.chance(0.08))
        if self.chance(0.05) and self._return():
            return
        if self.life.plan.topic.urgent and self.chance(0.9):
            self._try(actions.take_first_measures, self.lead, 0.3, 6, text=self.voice.say("measures"))
        if self.chance(0.85):
            self._reach()
        for unit in self.assisting:
            self._assist(unit)
        if self.chance(0.06):
            self._extend()
        elif self.chance(0.04):
            self._pause()
        elif self.chance(0.02) and self._terminate():
            return
        if self.chance(0.03):
            at = self.life.after(1, 8)
            who = self.some(Role.AGENT)
            if not self.life.case.confidential:
                actions.urge_case(actor=who, at=at, case=self.case, reason=self.voice.say("urge"))
        self._reply(first=True)

    def again(self) -> None:
        """The same, of the round after: what was left unsolved is read and answered."""
        self._read(self.lead)
        self._reply(first=False)

    def _read(self, unit: Unit, *, slow: bool = False) -> None:
        task = self.life.task(unit)
        hours = (26, 60) if slow else (0.2, 14)
        reading = self.life.at + timedelta(hours=self.random.uniform(*hours))
        if reading >= task.read_due_at:
            self.life.at = max(self.life.at, task.read_due_at)
            at = self.life.after(0.01, 0.02)
            actions.read_automatically(at=at, task=task)
            self.life.after(1, 20)
            return
        self.life.at = reading
        actions.read_task(actor=self.people.liaison(unit), at=self.life.after(0, 0.01), task=task)

    def _return(self) -> bool:
        """True where it was upheld and the case went elsewhere."""
        task, other = self.life.task(self.lead), self.lead.parent
        if other is None or not other.dispatchable or task.by_ruling:
            return False
        done = self._try(
            actions.request_return,
            self.lead,
            0.5,
            6,
            reason_code="duty",
            reason=self.voice.say("return_wrong"),
            basis=self.voice.say("return_basis"),
            proposed_unit=other,
        )
        if not done:
            return False
        grant = self.chance(0.5)
        words = self.voice.say("uphold" if grant else "refuse")
        self._decide(actions.decide_return, 1, 20, grant=grant, note=words)
        if grant:
            self.life.dispatch(other, [])
        return grant

    def _reach(self) -> None:
        at = self.life.after(0.5, 8)
        reached = self.chance(0.9)
        actions.reach_out(
            actor=self.people.liaison(self.lead),
            at=at,
            task=self.life.task(self.lead),
            reached_at=at - timedelta(minutes=10),
            method="phone",
            reached=reached,
            summary=self.voice.say("outreach"),
        )

    def _assist(self, unit: Unit) -> None:
        if self.chance(0.15):
            return  # the lead will have to excuse it
        task = self.life.task(unit)
        at = self.life.after(0.2, 6)
        if at < task.read_due_at:
            actions.read_task(actor=self.people.liaison(unit), at=at, task=task)
        else:
            actions.read_automatically(at=at, task=task)
        words = self.voice.say("report")
        actions.report_result(
            actor=self.people.liaison(unit), at=self.life.after(1, 10), task=self.life.task(unit), text=words
        )

    def _extend(self) -> None:
        task = self.life.task(self.lead)
        until = worktime.calendar().add(day_of(task.due_at - timedelta(microseconds=1)), 2)
        told = self.life.at if self.chance(0.7) else None
        asked = self._try(
            actions.request_extension,
            self.lead,
            0.5,
            5,
            until=until,
            reason_code="",
            reason=self.voice.say("extension"),
            citizen_told_at=told,
        )
        if asked:
            self._decide(actions.decide_extension, 1, 18, grant=self.chance(0.8), note="理由成立，请在延期内办结。")

    def _pause(self) -> None:
        asked = self._try(
            actions.request_pause,
            self.lead,
            0.5,
            5,
            reason_code="",
            reason=self.voice.say("pause"),
            basis=self.voice.say("pause_basis"),
        )
        if asked:
            self._decide(actions.decide_pause, 1, 12, grant=True, note="凭证齐全，同意。")
            self._try(actions.resume_task, self.lead, 20, 120)

    def _terminate(self) -> bool:
        asked = self._try(
            actions.request_termination,
            self.lead,
            2,
            10,
            reason_code="",
            reason=self.voice.say("terminate"),
            basis=self.voice.say("terminate_basis"),
        )
        if not asked:
            return False
        grant = self.chance(0.6)
        self._decide(
            actions.decide_termination,
            1,
            12,
            grant=grant,
            note="经核对材料，" + ("同意。" if grant else "请继续办理。"),
        )
        return grant

    def _reply(self, *, first: bool) -> None:
        """Draft, perhaps declined, sign, audit; some are late, some sent back."""
        late = first and self.chance(0.05)
        self.life.after(*((70, 200) if late else (3, 26)))
        liaison, leader = self.people.liaison(self.lead), self.people.leader(self.lead)
        for _ in range(2 if self.chance(0.04) else 1):
            actions.draft_reply(
                actor=liaison,
                at=self.life.after(0.1, 2),
                task=self.life.task(self.lead),
                text=self.voice.say("reply"),
                finding="partly" if self.chance(0.2) else "true",
                outcome="explained" if self.chance(0.15) else "supported",
                solved="partly" if self.chance(0.15) else "yes",
                basis=self.life.plan.topic.legal_basis or "《福州市12345便民服务平台运行管理办法》",
            )
            if _ == 0 and self.chance(0.03):
                words = self.voice.say("decline")
                actions.decline_to_sign(
                    actor=leader, at=self.life.after(0.2, 3), task=self.life.task(self.lead), reason=words
                )
                continue
            break
        self._excuse_others()
        with suppress(Refused):
            actions.sign_reply(actor=leader, at=self.life.after(0.2, 8), task=self.life.task(self.lead))
            self._audit(first)

    def _excuse_others(self) -> None:
        waits = (TaskState.TO_READ, TaskState.HANDLING, TaskState.SENT_BACK)
        for unit in self.assisting:
            task = self.life.task(unit)
            if task.state in waits and task.round == self.case.round:
                who, words = self.people.liaison(self.lead), self.voice.say("excuse")
                actions.excuse_report(actor=who, at=self.life.after(0.1, 1), task=task, reason=words)

    def _audit(self, first: bool) -> None:
        at, who = self.life.after(0.5, 16), self.some(Role.AUDITOR, but=self.life.case.dispatched_by_id)
        if first and self.chance(0.1):
            words = self.voice.say("send_back")
            actions.send_back(actor=who, at=at, case=self.case, reasons=["no_process"], note=words)
            self._reply(first=False)
            return
        actions.pass_reply(actor=who, at=at, case=self.case)
        Verdict(self.life).hear()

    # --- parts ---------------------------------------------------------------------------------------------------

    def _try(self, action: Callable[..., Any], unit: Unit, least: float, most: float, **values: Any) -> bool:
        """A unit's step that its rules may forbid at this moment; True when it was done."""
        at = self.life.after(least, most)
        with suppress(Refused):
            action(actor=self.people.liaison(unit), at=at, task=self.life.task(unit), **values)
            return True
        return False

    def _decide(self, action: Callable[..., Any], least: float, most: float, *, grant: bool, note: str) -> None:
        at, who = self.life.after(least, most), self.some(Role.AUDITOR, but=self.life.case.dispatched_by_id)
        action(actor=who, at=at, task=self.life.task(self.lead), grant=grant, note=note)
