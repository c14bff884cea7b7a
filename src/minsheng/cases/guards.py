"""Conditions of the transition table: pure functions of a situation. Each returns a refusal, or None to let pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from minsheng.accounts.choices import CENTRE_ROLES, Role
from minsheng.cases.actors import CITIZEN_ROLE
from minsheng.cases.choices import (
    AskKind,
    AskState,
    CaseState,
    Ending,
    ReplyState,
    Satisfaction,
    Solved,
    TaskRole,
)
from minsheng.errors import Refused

if TYPE_CHECKING:
    from minsheng.cases.models import Ask, Case, Reply, Task

# A closed case may be taken up again, and a rating given, this long (unsourced: domain.md §2.8 speaks of 30 days).
REOPEN_DAYS = 30


@dataclass(frozen=True)
class Situation:
    """All that a guard may look at. `tasks`, `asks` and `replies` are those of the case, already loaded."""

    actor: Any
    at: datetime
    case: Case
    task: Task | None = None
    tasks: Sequence[Task] = ()
    asks: Sequence[Ask] = ()
    replies: Sequence[Reply] = ()

    def has(self, *roles: str) -> bool:
        """The actor holds one of these roles."""
        return not set(self.actor.roles).isdisjoint(roles)

    @property
    def the_task(self) -> Task:
        """The task at hand, for guards of task rows only."""
        if self.task is None:
            raise Refused("not_found")
        return self.task

    def pending(self, task: Task | None = None) -> Ask | None:
        """The ask that waits for an answer: of one task, or of any."""
        for ask in self.asks:
            if ask.state == AskState.PENDING and (task is None or ask.task_id == task.pk):
                return ask
        return None


# --- whose -------------------------------------------------------------------------------------------------------


def own_draft(s: Situation) -> Refused | None:
    """A draft is its writer's."""
    return None if s.has(CITIZEN_ROLE) or s.case.accepted_by_id == s.actor.pk else Refused("not_found")


def may_see_confidential(s: Situation) -> Refused | None:
    """An agent acts on a confidential case only when they took it themselves (domain.md §2.10)."""
    if not s.case.confidential or s.has(*(CENTRE_ROLES - {Role.AGENT})) or s.case.accepted_by_id in (None, s.actor.pk):
        return None
    return Refused("forbidden")


def citizen_asked(s: Situation) -> Refused | None:
    """Staff withdraw only on the citizen's word, so never a case that they dispatched themselves."""
    return None if s.has(CITIZEN_ROLE) else not_own_dispatch(s)


def own_unit(s: Situation) -> Refused | None:
    """A task is its own unit's."""
    return None if getattr(s.actor, "unit_id", None) == s.the_task.unit_id else Refused("not_your_unit")


def own_unit_or_centre(s: Situation) -> Refused | None:
    """The unit's people, or the centre's."""
    return None if s.has(*CENTRE_ROLES) else own_unit(s)


def own_lead_or_parent(s: Situation) -> Refused | None:
    """首接责任: an assisting unit answers to the lead, a lower unit to the one that handed the task down."""
    task = s.the_task
    above = next((t for t in s.tasks if t.pk == task.parent_id), None) if task.parent_id else _lead(s)
    return None if above and above.unit_id == getattr(s.actor, "unit_id", None) else Refused("not_your_unit")


def not_own_dispatch(s: Situation) -> Refused | None:
    """Nobody audits or follows up their own dispatch (design §6): on a task, neither who dispatched the case nor who added this
    unit; on the case, whose reply rests on what all its units did, nobody who gave any of them its task."""
    return Refused("same_person") if s.actor.pk in givers(s.case, s.tasks if s.task is None else [s.task]) else None


def givers(case: Case, tasks: Iterable[Task]) -> set[int | None]:
    """Who dispatched the round under way, and who gave its units these tasks."""
    return {case.dispatched_by_id, *(t.assigned_by_id for t in tasks if t.round == case.round and t.is_current)}


# --- which part --------------------------------------------------------------------------------------------------


def _lead(s: Situation) -> Task | None:
    return next((t for t in s.tasks if t.role == TaskRole.LEAD and t.round == s.case.round and t.is_current), None)


def is_lead(s: Situation) -> Refused | None:
    """Only the lead unit answers the citizen."""
    return None if s.the_task.role == TaskRole.LEAD else Refused("only_lead")


def this_round(s: Situation) -> Refused | None:
    """Only who handles the round under way: what came of an earlier one is another unit's now (second handling, reopening)."""
    return None if s.the_task.round == s.case.round else Refused("earlier_round")


def not_lead(s: Situation) -> Refused | None:
    """The lead replies; the others report."""
    return Refused("lead_replies") if s.the_task.role == TaskRole.LEAD else None


def is_sub(s: Situation) -> Refused | None:
    """Handed down by a higher unit."""
    return None if s.the_task.role == TaskRole.SUB else Refused("not_sub")


def not_sub(s: Situation) -> Refused | None:
    """A lower unit turns to the unit above it, not to the centre."""
    return Refused("ask_parent") if s.the_task.role == TaskRole.SUB else None


def not_assisting(s: Situation) -> Refused | None:
    """An assisting unit does its own share."""
    return Refused("only_lead") if s.the_task.role == TaskRole.ASSIST else None


# --- limits ------------------------------------------------------------------------------------------------------


def reading_overdue(s: Situation) -> Refused | None:
    """The system reads only once the limit has passed."""
    return None if s.at >= s.the_task.read_due_at else Refused("not_due_yet")


def within_return_limit(s: Situation) -> Refused | None:
    """A return is asked for within the limit that began with reading (domain.md §2.4)."""
    due = s.the_task.return_due_at
    return None if due is None or s.at < due else Refused("return_too_late")


def not_overdue(s: Situation) -> Refused | None:
    """What is overdue can be neither extended nor paused (domain.md §2.6)."""
    return None if s.at < s.the_task.due_at else Refused("already_overdue")


def not_by_ruling(s: Situation) -> Refused | None:
    """After a ruling no return (潍坊条例 §22)."""
    return Refused("assigned_by_ruling") if s.the_task.by_ruling else None


def first_return(s: Situation) -> Refused | None:
    """Once per unit and case (domain.md §2.4). What lapsed before anybody answered it was not decided, and is not counted."""
    unit = s.the_task.unit_id
    of_unit = {t.pk for t in s.tasks if t.unit_id == unit}
    asked = any(a.kind == AskKind.RETURN and a.state != AskState.LAPSED and a.task_id in of_unit for a in s.asks)
    return Refused("returned_before") if asked else None


def first_measures_owed(s: Situation) -> Refused | None:
    """Only urgent tasks owe first measures, once."""
    task = s.the_task
    return None if task.first_measures_due_at and not task.first_measures_at else Refused("no_first_measures")


# --- asks --------------------------------------------------------------------------------------------------------


def no_pending_ask(s: Situation) -> Refused | None:
    """An open ask is answered first."""
    return Refused("ask_pending") if s.pending() else None


def no_pending_ask_on_task(s: Situation) -> Refused | None:
    """One ask at a time."""
    return Refused("ask_pending") if s.pending(s.the_task) else None


def _pending_of(s: Situation, kind: AskKind) -> Refused | None:
    ask = s.pending(s.the_task)
    return None if ask and ask.kind == kind else Refused("no_such_ask")


def return_pending(s: Situation) -> Refused | None:
    """There is a return to decide on."""
    return _pending_of(s, AskKind.RETURN)


def extension_pending(s: Situation) -> Refused | None:
    """There is an extension to decide on."""
    return _pending_of(s, AskKind.EXTENSION)


def pause_pending(s: Situation) -> Refused | None:
    """There is a pause to decide on."""
    return _pending_of(s, AskKind.PAUSE)


def termination_pending(s: Situation) -> Refused | None:
    """There is a termination to decide on."""
    return _pending_of(s, AskKind.TERMINATION)


def set_aside_pending(s: Situation) -> Refused | None:
    """There is a set-aside to decide on."""
    return _pending_of(s, AskKind.SET_ASIDE)


# --- replies -----------------------------------------------------------------------------------------------------


def _to_sign(s: Situation) -> bool:
    return any(r.task_id == s.the_task.pk and r.state == ReplyState.TO_SIGN for r in s.replies)


def reply_to_sign(s: Situation) -> Refused | None:
    """The leader signs what the liaison wrote."""
    return None if _to_sign(s) else Refused("nothing_to_sign")


def no_reply_to_sign(s: Situation) -> Refused | None:
    """What waits for the signature is not overwritten."""
    return Refused("waits_for_signature") if _to_sign(s) else None


def reports_in(s: Situation) -> Refused | None:
    """A unit answers when the units that answer to it have, or are excused on record (design §4).

    Assisting units and those handed down to answer to the lead; a unit further down answers to the one above it, which
    holds its own report back for it.
    """
    task = s.the_task
    missing = [
        t
        for t in s.tasks
        if (t.parent_id == task.pk or (t.role == TaskRole.ASSIST and task.role == TaskRole.LEAD))
        and t.round == task.round
        and t.is_active
        and t.excused_at is None
    ]
    return Refused("reports_missing", units="、".join(t.unit.name for t in missing)) if missing else None


def not_excused(s: Situation) -> Refused | None:
    """Excused once is enough."""
    return Refused("already_excused") if s.the_task.excused_at else None


# --- the citizen's verdict ---------------------------------------------------------------------------------------


def _unsatisfied(case: Case) -> bool:
    latest = case.final_satisfaction or case.first_satisfaction
    return latest == Satisfaction.UNSATISFIED or (case.final_solved or case.first_solved) == Solved.NO


def rated_unsatisfied(s: Situation) -> Refused | None:
    """Only a bad rating can be argued to be unreasonable."""
    return None if _unsatisfied(s.case) else Refused("not_rated_unsatisfied")


def rating_of_round(case: Case) -> tuple[str, str]:
    """(satisfaction, solved) as heard in the round under way, empty until it was: an earlier round's verdict is not this one's."""
    if case.final_satisfaction:
        return case.final_satisfaction, case.final_solved
    return (case.first_satisfaction, case.first_solved) if case.round == 1 else ("", "")


def is_bad(satisfaction: str, solved: str) -> bool:
    """Whether a verdict asks somebody to judge it: not satisfied, or not solved (domain.md §2.7)."""
    return satisfaction == Satisfaction.UNSATISFIED or solved == Solved.NO


def awaits_judgement(case: Case) -> bool:
    """A closed case was rated badly since it closed. The only clock of ours that runs on a closed case is the one that such a
    rating starts (clocks.start_judging), and judging stops it."""
    return case.state == CaseState.CLOSED and case.stage_due_at is not None


def unsatisfied_waiting(s: Situation) -> Refused | None:
    """A rating of this round came in that somebody must judge; of a closed case only one that came after it was closed."""
    if s.case.state == CaseState.CLOSED:
        return None if awaits_judgement(s.case) else Refused("nothing_to_judge")
    return None if is_bad(*rating_of_round(s.case)) else Refused("not_rated_unsatisfied")


def was_handled(s: Situation) -> Refused | None:
    """A second handling follows a first: what the hotline answered by itself goes to dispatch, as a new round."""
    return Refused("not_handled_yet") if s.case.ending == Ending.ANSWERED else None


def nothing_to_judge(s: Situation) -> Refused | None:
    """What waits for judgement is not archived."""
    return Refused("judgement_owed") if awaits_judgement(s.case) else None


def second_handling_free(s: Situation) -> Refused | None:
    """Second handling comes once (domain.md §2.7)."""
    return Refused("second_handling_used") if s.case.second_handling else None


def not_set_aside(s: Situation) -> Refused | None:
    """Set aside once is enough."""
    return Refused("already_set_aside") if s.case.set_aside else None


def rateable(s: Situation) -> Refused | None:
    """Handled or answered cases are rated, until they were or the time is over; default satisfaction does not exist."""
    case = s.case
    if rating_of_round(case)[0]:
        return Refused("already_rated")
    if case.state == CaseState.TO_FOLLOW_UP:
        return None
    if case.ending not in (Ending.HANDLED, Ending.ANSWERED):
        return Refused("not_rateable")
    return _within_days(s)


def reopens_for_dispatch(s: Situation) -> Refused | None:
    """Reopening is the dispatchers' and their leaders'. A follow-up officer reopens what was answered at once and rated badly
    since: it has had no unit that a second handling could be above."""
    if s.has(Role.TEAM_LEADER, Role.DISPATCHER):
        return None
    return None if awaits_judgement(s.case) and s.case.ending == Ending.ANSWERED else Refused("forbidden")


def reopenable(s: Situation) -> Refused | None:
    """Within thirty days of closing, or while a rating given within them waits for judgement; a withdrawn case is taken up
    under its own number too."""
    if s.case.ending == Ending.MERGED:
        return Refused("not_reopenable")
    return None if awaits_judgement(s.case) else _within_days(s)


def _within_days(s: Situation) -> Refused | None:
    closed = s.case.closed_at
    return None if closed and s.at - closed <= timedelta(days=REOPEN_DAYS) else Refused("closed_too_long")


def is_confidential(s: Situation) -> Refused | None:
    """Only what is confidential can cease to be."""
    return None if s.case.confidential else Refused("not_confidential")


def not_confidential(s: Situation) -> Refused | None:
    """Already confidential."""
    return Refused("already_confidential") if s.case.confidential else None


