"""Who is told of what: from an entry of the timeline, or a moment of a clock, to people and reasons. Units' people are told of what
is theirs, auditors of what waits for their answer, the hotline's leader of demands to be set aside as unreasonable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Q

from minsheng.accounts.choices import UNIT_ROLES, Role
from minsheng.accounts.models import User
from minsheng.cases import guards
from minsheng.cases.choices import AskKind, TaskRole, Urgency
from minsheng.cases.models import Ask, Task, TimelineEntry
from minsheng.organisations import queries as organisations
from minsheng.outbox import rules
from minsheng.outbox.choices import CLOCK_KINDS, NoticeKind, State, Timing, Way
from minsheng.outbox.models import Delivery, NoticePreference

_TO_ONE_TASK = {
    "send_report_back": NoticeKind.SENT_BACK,
    "decline_to_sign": NoticeKind.SENT_BACK,
    "draft_reply": NoticeKind.TO_SIGN,
    "decide_return": NoticeKind.DECIDED,
    "decide_extension": NoticeKind.DECIDED,
    "decide_pause": NoticeKind.DECIDED,
    "decide_termination": NoticeKind.DECIDED,
    "decide_set_aside": NoticeKind.DECIDED,
}
_TO_THE_ACTIVE = {"urge": NoticeKind.URGED, "supplement": NoticeKind.SUPPLEMENT}
_REPORTS = frozenset({"report", "return_to_parent"})
# They change what others owe: a unit whose task ended by them is told so. A reply that passed needs no such notice.
_ENDS = frozenset({"recall", "withdraw", "merge", "answer", "decide_return", "decide_termination", "return_to_parent", "send_back"})


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell the people of one unit. `entry` None: a moment of a clock, which ends at `due_at`; of the centre's answer
    to an `ask` those are told who may give it."""

    kind: NoticeKind
    task: Task
    at: datetime
    entry: TimelineEntry | None = None
    clock: str = ""
    due_at: datetime | None = None
    ask: Ask | None = None

    @property
    def key(self) -> str:
        """What makes it this notice and no other, for whomever it is."""
        if self.entry is not None:
            return f"{self.kind.value}:{self.entry.pk}:{self.task.pk}"
        subject = self.ask.pk if self.ask is not None else self.task.pk
        return f"{self.kind.value}:{self.clock}:{subject}:{int(self.ends.timestamp())}"

    @property
    def ends(self) -> datetime:
        """When the clock of a moment ends."""
        assert self.due_at is not None
        return self.due_at

    @property
    def urgent(self) -> bool:
        """特急: no digest, no quiet hours."""
        return self.task.case.urgency == Urgency.CRITICAL


def of_entry(entry: TimelineEntry, tasks: Sequence[Task]) -> Iterator[Notice]:
    """What an entry tells whom, of all the case's tasks."""
    for task in tasks:
        kind = _kind_for(entry, task, tasks)
        if kind is not None:
            yield Notice(kind, task, entry.at, entry)


def _kind_for(entry: TimelineEntry, task: Task, tasks: Sequence[Task]) -> NoticeKind | None:
    if task.assigned_at == entry.at and entry.code != "read_automatically":
        return NoticeKind.NEW_TASK
    own = entry.task_id == task.pk
    if own and entry.code in _TO_ONE_TASK:
        return _TO_ONE_TASK[entry.code]
    if entry.code in _ENDS and not own and task.finished_at == entry.at:
        return NoticeKind.ENDED
    if entry.code in _TO_THE_ACTIVE and task.is_active:
        return _TO_THE_ACTIVE[entry.code]
    if entry.code == "send_back" and task.role == TaskRole.LEAD and task.is_current and task.round == entry_round(tasks):
        return NoticeKind.SENT_BACK
    if entry.code in _REPORTS and task.pk == _waits_for(entry, tasks):
        return NoticeKind.REPORTED
    return None


def entry_round(tasks: Sequence[Task]) -> int:
    """The round under way."""
    return max((task.round for task in tasks), default=1)


def _waits_for(entry: TimelineEntry, tasks: Sequence[Task]) -> int | None:
    """The task that a report goes to: the one above, or the lead of its round."""
    reported = next((task for task in tasks if task.pk == entry.task_id), None)
    if reported is None:
        return None
    if reported.parent_id:
        return reported.parent_id
    leads = [t.pk for t in tasks if t.role == TaskRole.LEAD and t.is_current and t.round == reported.round]
    return leads[0] if leads else None


def deliveries(notices: Iterable[Notice], *, at: datetime) -> list[Delivery]:
    """A delivery for every person who is to be told, or the reason why not. Two queries, one more for each accused unit."""
    wanted = [notice for notice in notices if not _is_hidden(notice)]
    people = _people({notice.task.unit_id for notice in wanted})
    found: list[Delivery] = []
    for notice in wanted:
        found += _of_notice(notice, people[notice.task.unit_id], at)
    return found


def to_the_centre(notices: Sequence[Notice], *, at: datetime) -> list[Delivery]:
    """The same of asks that wait for the centre: everybody who may answer them. One query."""
    if not notices:
        return []
    chosen = User.objects.filter(is_active=True, roles__overlap=[Role.AUDITOR, Role.HOTLINE_LEADER])
    people, found = list(chosen.select_related("notice_preference").order_by("pk")), []
    for notice in notices:
        givers = guards.givers(notice.task.case, [notice.task])
        found += _of_notice(notice, [user for user in people if user.pk not in givers and _decides(user, notice.ask)], at)
    return found


def _decides(user: User, ask: Ask | None) -> bool:
    """The auditors answer every ask; the hotline's leader only what is to be set aside (workflow.py, decide_set_aside)."""
    return user.has_role(Role.AUDITOR) or (ask is not None and ask.kind == AskKind.SET_ASIDE)


def _is_hidden(notice: Notice) -> bool:
    """What a unit is accused of, it is not told of (scenario 8); nor of drafts and what is only made up."""
    case = notice.task.case
    if case.number is None:
        return True
    accused = case.accused_unit_id
    return accused is not None and accused in organisations.subtree_ids(notice.task.unit_id)


def _people(units: set[int]) -> dict[int, list[User]]:
    """The active people of units, each with the preference they have made, if any."""
    found: dict[int, list[User]] = defaultdict(list)
    chosen = Q(unit_id__in=units, is_active=True, roles__overlap=sorted(str(role) for role in UNIT_ROLES))
    for user in User.objects.filter(chosen).select_related("notice_preference").order_by("pk") if units else ():
        found[user.unit_id or 0].append(user)
    return found


def kinds_for(user: User) -> list[NoticeKind]:
    """What this person may be told of: units' people of everything, auditors and the hotline's leader of the clocks of what waits
    for their answer, others of nothing."""
    if not user.is_active:
        return []
    if user.is_unit:
        return list(NoticeKind)
    return list(CLOCK_KINDS) if user.has_any((Role.AUDITOR, Role.HOTLINE_LEADER)) else []


def preference_of(user: User) -> NoticePreference | None:
    """The preference of a user that was loaded with it."""
    return getattr(user, "notice_preference", None)


def _of_notice(notice: Notice, people: list[User], at: datetime) -> list[Delivery]:
    if notice.kind is NoticeKind.TO_SIGN:
        people = [user for user in people if user.has_role(Role.UNIT_LEADER)]
    actor = notice.entry.actor_id if notice.entry else None
    others = [user for user in people if user.pk != actor]
    if people and not others:
        return []
    reachable = [(user, p) for user in others if (p := preference_of(user)) is not None and p.email]
    if not reachable:
        if _is_stale(notice, at):
            return []
        if notice.ask is not None:
            return [_line(notice, "centre", at, state=State.NOT_SENT, reason="中心没有应审核的人登记通知邮箱")]
        return [_line(notice, f"unit{notice.task.unit_id}", at, state=State.NOT_SENT, reason="本单位没有人登记通知邮箱")]
    return [_for(notice, user, preference, at) for user, preference in reachable]


def _for(notice: Notice, user: User, preference: NoticePreference, at: datetime) -> Delivery:
    """At once, in the next digest, after the quiet hours, or not at all: as this person chose."""
    timing = preference.timing(notice.kind)
    receiver = f"user{user.pk}"
    if notice.task.case.made_up and not settings.DEMO:
        return _line(notice, receiver, at, user=user, state=State.NOT_SENT, reason="演示数据，不发送")
    if timing is Timing.NEVER:
        return _line(notice, receiver, at, user=user, state=State.NOT_SENT, reason="本人不要这类通知")
    if _is_stale(notice, at):
        return _line(notice, receiver, at, user=user, state=State.NOT_SENT, reason="已过时效，不再发送")
    if timing is Timing.DIGEST and not notice.urgent:
        moment = rules.next_digest(at, preference.digest_at)
        reason = f"并入 {rules.clock_words(moment)} 的摘要"
        return _line(notice, receiver, at, user=user, state=State.GATHERED, next_at=moment, reason=reason)
    until = None if notice.urgent else rules.quiet_until(at, preference.quiet_from, preference.quiet_to)
    reason = rules.quiet_reason(until) if until else ""
    return _line(notice, receiver, at, user=user, next_at=until or at, reason=reason)


def _is_stale(notice: Notice, at: datetime) -> bool:
    return rules.stale(at, notice.at, settings.OUTBOX["stale_hours"])


def _line(
    notice: Notice,
    receiver: str,
    at: datetime,
    *,
    user: User | None = None,
    state: State = State.WAITING,
    next_at: datetime | None = None,
    reason: str = "",
) -> Delivery:
    return Delivery(
        key=f"{Way.EMAIL}:{receiver}:{notice.key}",
        channel=Way.EMAIL,
        kind=notice.kind,
        clock=notice.clock,
        state=state,
        reason=reason,
        urgent=notice.urgent,
        case_id=notice.task.case_id,
        task=notice.task,
        ask=notice.ask,
        entry=notice.entry,
        user=user,
        unit_id=notice.task.unit_id if notice.ask is None else None,
        made_at=at,
        next_at=next_at,
    )
