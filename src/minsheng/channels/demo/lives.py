"""One made-up case's life: steps with time between them, done by the real actions until the present moment stops it.

Because a life simply stops at now, the youngest cases stand wherever a centre's cases stand on an ordinary day.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.cases import actions
from minsheng.cases.actors import CITIZEN
from minsheng.cases.choices import CaseState, Channel, RequestKind, TaskState
from minsheng.cases.details import CaseDetails
from minsheng.cases.models import Case, ReasonCode, RefusalGround, Task, Topic
from minsheng.channels.demo.people import People
from minsheng.channels.demo.spots import spot
from minsheng.channels.demo.words import Voice
from minsheng.dispatching import actions as dispatching
from minsheng.errors import Refused
from minsheng.followup import actions as followup
from minsheng.organisations.models import Place, Unit
from minsheng.worktime import queries as worktime
from minsheng.worktime.moments import day_of

SOURCE = "demo"
_CHANNELS = [Channel.PHONE] * 60 + [Channel.WEB] * 15 + [Channel.APP] * 8 + [Channel.WECHAT] * 8
_CHANNELS += [Channel.WALK_IN] * 3 + [Channel.QQ] * 2 + [Channel.WEIBO] * 2 + [Channel.REFERRAL] * 2
# How many of each kind an agent answers at once.
_ANSWERED: dict[str, float] = {RequestKind.CONSULTATION: 0.85, RequestKind.PRAISE: 1.0, RequestKind.HELP: 0.3, RequestKind.SUGGESTION: 0.3}


class Now(Exception):
    """The next step lies in the future: the life stands where it stands."""


@dataclass(frozen=True)
class Plan:
    """What a case will be about, and the units that its topic and place point to."""

    index: int
    begins: datetime
    topic: Topic
    place: Place
    kind: str
    lead: Unit | None
    assisting: list[Unit]


@dataclass(frozen=True)
class Reference:
    """Rows that every life needs."""

    grounds: list[RefusalGround]
    lines: list[ReasonCode]


@dataclass
class Life:
    """One case on its way. `at` is its own present; `now` is ours."""

    plan: Plan
    random: Random
    people: People
    reference: Reference
    now: datetime
    voice: Voice = field(init=False)
    case: Case = field(init=False)

    def __post_init__(self) -> None:
        self.at = self.plan.begins
        self.voice = Voice(self.random, self.plan.place, self.at)

    # --- time and chance -----------------------------------------------------------------------------------------

    def chance(self, share: float) -> bool:
        """True that often."""
        return self.random.random() < share

    def after(self, least: float, most: float) -> datetime:
        """Let so many hours pass; stops the life when that lies ahead of us."""
        self.at += timedelta(hours=self.random.uniform(least, most))
        if self.at >= self.now:
            raise Now
        return self.at

    def some(self, role: Role, *, but: int | None = None) -> User:
        """Somebody of the centre."""
        return self.people.any(role, self.random, but=but)

    def task(self, unit: Unit) -> Task:
        """The unit's newest task. Its case is this life's own object, which every action keeps as it stands."""
        task = Task.objects.filter(case=self.case, unit=unit).latest("id")
        task.case, task.unit = self.case, unit
        return task

    # --- the life ------------------------------------------------------------------------------------------------

    def live(self) -> None:
        """From the first words to where time stops it."""
        with suppress(Now):
            self._begin()
            if not self._end_early():
                self._accept_and_dispatch()

    def _begin(self) -> None:
        plan, urgent = self.plan, self.plan.topic.urgent
        channel = self.random.choice(_CHANNELS)
        by_staff = channel in (Channel.PHONE, Channel.WALK_IN, Channel.REFERRAL)
        details = CaseDetails(
            kind=plan.kind,
            text=self.voice.request(plan.topic, plan.kind, urgent=urgent),
            topic=plan.topic,
            urgency="critical" if urgent and self.chance(0.1) else "normal",
            place=plan.place,
            address=self.voice.road,
            point=spot(plan.place, self.random) if self.chance(0.6) else None,
            occurred_at=self.at - timedelta(hours=self.random.uniform(0.5, 30)),
            publishable=self.chance(0.3),
            accused_unit=plan.assisting[0] if plan.kind == RequestKind.REPORT and plan.assisting else None,
            confidential=plan.kind != RequestKind.REPORT and self.chance(0.02),
        )
        # What citizens send in confidence waits for a team leader, not for whichever agent is free.
        confidential = details.confidential or plan.kind == RequestKind.REPORT or plan.topic.confidential_by_default
        self.agent = self.some(Role.TEAM_LEADER if confidential and not by_staff else Role.AGENT)
        applicant = self.voice.applicant(plan.kind)
        if by_staff and self.at > self.now - timedelta(hours=12) and self.chance(0.06):
            # No contact names the source of a draft: its own plan does, where no form asks for it.
            details = replace(details, extra={SOURCE: str(plan.index)})
            actions.save_draft(
                actor=self.agent, at=self.at, channel=channel, details=details, applicant=applicant, made_up=True
            )
            raise Now
        self.case = actions.submit_case(
            actor=self.agent if by_staff else CITIZEN,
            at=self.at,
            channel=channel,
            details=details,
            applicant=applicant,
            source=SOURCE,
            source_id=str(plan.index),
            made_up=True,
        )
        self.waited = (0.05, 0.4) if by_staff else (0.3, 9)

    def _end_early(self) -> bool:
        """Half of a hotline's requests and more are answered at once (domain.md §2.2); here fewer, for there is more to see."""
        at, who, case = self.after(*self.waited), self.agent, self.case
        draw = self.random.random()
        if self.plan.topic.route or self.plan.lead is None:
            self._route(at)
        elif draw < _ANSWERED.get(RequestKind(self.plan.kind), 0):
            actions.answer_case(actor=who, at=at, case=case, text=self.voice.say("answer"))
            self._rate_answer()
        elif draw > 0.98:
            actions.mark_invalid(actor=who, at=at, case=case, reason=self.voice.say("invalid"))
        elif draw > 0.95:
            ground = self.random.choice(self.reference.grounds)
            actions.reject_case(actor=self.some(Role.DISPATCHER), at=at, case=case, ground=ground)
        elif draw > 0.93:
            actions.withdraw_case(actor=CITIZEN, at=at, case=case, reason=self.voice.say("withdraw"))
        else:
            return False
        return True

    def _route(self, at: datetime) -> None:
        who, route = self.some(Role.DISPATCHER), self.plan.topic.route
        line = next((line for line in self.reference.lines if line.code == route), None)
        if line is not None:
            actions.transfer_case(actor=who, at=at, case=self.case, target=line)
            return
        ground = next((g for g in self.reference.grounds if g.code == route), self.reference.grounds[0])
        actions.reject_case(actor=who, at=at, case=self.case, ground=ground)

    def _rate_answer(self) -> None:
        if self.chance(0.5):
            words = self.voice.say("happy")
            at = self.after(1, 30)
            followup.rate_case(at=at, case=self.case, satisfaction="very", solved="yes", comment=words)

    def _accept_and_dispatch(self) -> None:
        assert self.plan.lead is not None
        actions.accept_case(actor=self.agent, at=self.at, case=self.case)
        if self.chance(0.05):
            at = self.after(0.1, 2)
            channel = self.case.channel
            actions.supplement_case(
                actor=CITIZEN, at=at, case=self.case, channel=channel, text=self.voice.say("supplement")
            )
        self.dispatcher = self.some(Role.DISPATCHER)
        if self.chance(0.04):
            self._study(self.plan.lead)
        self._dispatch(self.plan.lead, self.plan.assisting if self.chance(0.5) else [])

    def _study(self, unit: Unit) -> None:
        who = self.dispatcher
        dispatching.send_to_study(actor=who, at=self.after(0.2, 2), case=self.case, reason=self.voice.say("study"))
        at = self.after(4, 40)
        ruled = unit if self.case.accused_unit_id is None else None
        words = self.voice.say("conclude")
        dispatching.conclude_study(actor=who, at=at, case=self.case, conclusion=words, ruled_unit=ruled)

    def _dispatch(self, lead: Unit, assisting: list[Unit]) -> None:
        at = self.after(0.1, 5 if not self.plan.topic.urgent else 0.6)
        case = self.case
        others = [unit for unit in assisting if unit.pk not in (lead.pk, case.accused_unit_id)]
        words = "有群众反映该处存在违规行为，请依法核查。" if case.confidential else ""
        try:
            dispatching.dispatch_case(
                actor=self.dispatcher,
                at=at,
                case=case,
                lead=lead,
                assisting=others[:2],
                instruction=self.voice.say("instruction"),
                unit_text=words,
            )
        except Refused as refusal:  # the accused unit's relative: it stays with the dispatcher, as it would
            if refusal.code not in ("accused_unit", "unit_not_dispatchable"):
                raise
            raise Now from refusal
        self.lead, self.assisting = lead, others[:2]
        if self.chance(0.02):
            at = self.after(0.2, 3)
            dispatching.recall_case(actor=self.dispatcher, at=at, case=self.case, reason=self.voice.say("recall"))
            self._dispatch(lead, assisting)
            return
        Handling(self).work()


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
            self.life._dispatch(other, [])
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
        if self.life.case.state != CaseState.TO_FOLLOW_UP:
            return
        bad = self.chance(0.12)
        self._rate(bad)
        if bad and self.life.case.state == CaseState.TO_FOLLOW_UP and self.chance(0.98):
            self._judge()
        elif self.life.case.state == CaseState.CLOSED and self.chance(0.02):
            words = self.voice.say("reopen")
            dispatching.reopen_case(actor=self.dispatcher, at=self.life.after(24, 200), case=self.case, reason=words)
            self.life._dispatch(self.lead, [])

    def _officer(self) -> User:
        return self.life.some(Role.FOLLOW_UP)

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
        unit = followup.higher_unit(case, at=at)
        if unit is None or case.second_handling or (case.accused_unit_id and unit.pk != self.lead.pk) or self.chance(0.4):
            words = self.voice.say("close_rated")
            followup.close_after_rating(actor=self._officer(), at=at, case=case, reason=words)
            return
        if self.chance(0.2):
            self._set_aside()
            return
        words = self.voice.say("second")
        followup.start_second_handling(actor=self._officer(), at=at, case=case, unit=unit, reason=words)
        self.life.lead, self.life.assisting = unit, []
        handling = Handling(self.life)
        handling._read(unit)
        handling._reply(first=False)

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
