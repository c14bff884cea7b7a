"""The citizen's part of a made-up life: rating, also after the case was closed, its judgement, second handling, reopening."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.cases import actions
from minsheng.cases.choices import CaseState, Ending, RequestKind
from minsheng.dispatching import actions as dispatching
from minsheng.followup import actions as followup
from minsheng.organisations.models import Unit

if TYPE_CHECKING:
    from minsheng.channels.demo.lives import Life


@dataclass
class Verdict:
    """The citizen's part: rating, judgement, second handling, reopening."""

    life: Life

    def __getattr__(self, name: str) -> Any:
        return getattr(self.life, name)

    def hear(self) -> None:
        """One round's end."""
        if self.chance(0.12):
            self._miss()
        if self.life.case.state == CaseState.CLOSED:
            self._think_again(0.5)
        if self.life.case.state != CaseState.TO_FOLLOW_UP:
            return
        bad = self.chance(0.12)
        self._rate(bad)
        if bad and self.life.case.state == CaseState.TO_FOLLOW_UP and self.chance(0.98):
            self._judge()
        elif self.life.case.state == CaseState.CLOSED and self.chance(0.02):
            words = self.voice.say("reopen")
            dispatching.reopen_case(actor=self.dispatcher, at=self.life.after(24, 200), case=self.case, reason=words)
            self.life.dispatch(self.lead, [])

    def of_answer(self) -> None:
        """Of what an agent answered at once: half are rated, most of them well."""
        if self.chance(0.5):
            words = self.voice.say("happy")
            followup.rate_case(at=self.life.after(1, 30), case=self.case, satisfaction="very", solved="yes", comment=words)
        elif self.life.plan.kind != RequestKind.PRAISE:
            self._think_again(0.25)

    def _officer(self) -> User:
        """Who did not dispatch this round."""
        return self.life.some(Role.FOLLOW_UP, but=self.life.case.dispatched_by_id)

    def _think_again(self, share: float) -> None:
        """That often a citizen rates badly what was closed without a rating; then somebody looks at it again."""
        if not self.chance(share):
            return
        solved, words = self.random.choice(["no", "partly"]), self.voice.say("unhappy")
        at = self.life.after(2, 100)
        followup.rate_case(at=at, case=self.case, satisfaction="unsatisfied", solved=solved, comment=words)
        case, at = self.life.case, self.life.after(1, 40)
        if self.chance(0.4):
            words = self.voice.say("close_rated")
            followup.keep_closed(actor=self._officer(), at=at, case=case, reason=words)
        elif case.ending == Ending.ANSWERED and self.life.plan.lead is not None:
            dispatching.reopen_case(actor=self._officer(), at=at, case=case, reason=self.voice.say("reopen"))
            self.life.dispatcher = self.life.some(Role.DISPATCHER)
            self.life.dispatch(self.life.plan.lead, [])
        elif (unit := self._above(at)) is not None:
            self._second(unit, at)

    def _miss(self) -> None:
        for turn in range(3):
            if self.life.case.state != CaseState.TO_FOLLOW_UP:
                return
            followup.record_follow_up(
                actor=self._officer(),
                at=self.life.after(2.2, 8),
                case=self.case,
                reached=False,
                comment=self.voice.say("missed"),
                give_up=turn == 2,
            )
            if self.chance(0.5):
                return

    def _rate(self, bad: bool) -> None:
        words = self.voice.say("unhappy" if bad else "happy")
        satisfaction = "unsatisfied" if bad else self.random.choice(["very", "satisfied", "satisfied", "basic"])
        solved = self.random.choice(["no", "partly"]) if bad else "yes"
        at = self.life.after(1, 40)
        if self.chance(0.4):
            followup.rate_case(at=at, case=self.case, satisfaction=satisfaction, solved=solved, comment=words)
            return
        followup.record_follow_up(
            actor=self._officer(),
            at=at + timedelta(0),
            case=self.case,
            reached=True,
            contacted=self.chance(0.9),
            truthful=not bad or self.chance(0.5),
            solved=solved,
            satisfaction=satisfaction,
            comment=words,
        )

    def _judge(self) -> None:
        case = self.life.case
        at = self.life.after(1, 20)
        unit = self._above(at)
        if unit is None or self.chance(0.4):
            words = self.voice.say("close_rated")
            followup.close_after_rating(actor=self._officer(), at=at, case=case, reason=words)
            return
        if self.chance(0.2):
            self._set_aside()
            return
        self._second(unit, at)

    def _above(self, at: datetime) -> Unit | None:
        """Who handles it a second time; None where nobody can."""
        case = self.life.case
        unit = followup.higher_unit(case, at=at)
        if unit is None or case.second_handling or (case.accused_unit_id and unit.pk != self.lead.pk):
            return None
        return unit

    def _second(self, unit: Unit, at: datetime) -> None:
        words = self.voice.say("second")
        followup.start_second_handling(actor=self._officer(), at=at, case=self.life.case, unit=unit, reason=words)
        self.life.handle_again(unit)

    def _set_aside(self) -> None:
        actions.request_set_aside(
            actor=self.people.liaison(self.lead),
            at=self.life.after(1, 10),
            task=self.life.task(self.lead),
            reason=self.voice.say("set_aside"),
            basis="《福州市12345便民服务平台运行管理办法》",
        )
        who = self.some(Role.AUDITOR, but=self.life.case.dispatched_by_id)
        words = self.voice.say("set_aside_ok")
        actions.decide_set_aside(
            actor=who, at=self.life.after(1, 10), task=self.life.task(self.lead), grant=True, note=words
        )
