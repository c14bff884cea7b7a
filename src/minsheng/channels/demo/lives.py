"""One made-up case's life: steps with time between them, done by the real actions until the present moment stops it.

Because a life simply stops at now, the youngest cases stand wherever a centre's cases stand on an ordinary day.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.cases import actions
from minsheng.cases.actors import CITIZEN
from minsheng.cases.choices import Channel, RequestKind
from minsheng.cases.details import CaseDetails
from minsheng.cases.models import Case, ReasonCode, RefusalGround, Task, Topic
from minsheng.channels.demo.handling import Handling
from minsheng.channels.demo.people import People
from minsheng.channels.demo.spots import spot
from minsheng.channels.demo.verdicts import Verdict
from minsheng.channels.demo.words import Voice
from minsheng.dispatching import actions as dispatching
from minsheng.errors import Refused
from minsheng.organisations.models import Place, Unit

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
            Verdict(self).of_answer()
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
        self.dispatch(self.plan.lead, self.plan.assisting if self.chance(0.5) else [])

    def _study(self, unit: Unit) -> None:
        who = self.dispatcher
        dispatching.send_to_study(actor=who, at=self.after(0.2, 2), case=self.case, reason=self.voice.say("study"))
        at = self.after(4, 40)
        ruled = unit if self.case.accused_unit_id is None else None
        words = self.voice.say("conclude")
        dispatching.conclude_study(actor=who, at=at, case=self.case, conclusion=words, ruled_unit=ruled)

    # --- what its parts come back to ------------------------------------------------------------------------------

    def dispatch(self, lead: Unit, assisting: list[Unit]) -> None:
        """To the units of this round, who then handle it."""
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
            self.dispatch(lead, assisting)
            return
        Handling(self).work()

    def handle_again(self, unit: Unit) -> None:
        """Second handling, by the unit above: it reads and replies."""
        self.lead, self.assisting = unit, []
        Handling(self).again()
