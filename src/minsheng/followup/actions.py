"""回访、二次办理、按评价办结、维持办结: the citizen's verdict and what follows from it (domain.md §2.7)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings

from minsheng.cases import clocks, messages, work
from minsheng.cases.actions.ending import close
from minsheng.cases.actors import CITIZEN, is_user, user_or_none
from minsheng.cases.assigning import assign, refuse_naming, refuse_unit
from minsheng.cases.choices import CaseState, Ending, Satisfaction, Solved, TaskRole
from minsheng.cases.guards import is_bad, rating_of_round
from minsheng.cases.models import Case, Task
from minsheng.cases.wording import day_words
from minsheng.errors import Refused
from minsheng.followup import rules
from minsheng.followup.choices import FollowUpMethod
from minsheng.followup.models import FollowUp
from minsheng.organisations import queries as organisations
from minsheng.organisations.models import Unit
from minsheng.worktime.moments import local

if TYPE_CHECKING:
    from minsheng.accounts.models import User

COMMENT_LENGTH = 1000


def record_follow_up(
    *,
    actor: User,
    at: datetime,
    case: Case,
    reached: bool,
    contacted: bool | None = None,
    truthful: bool | None = None,
    solved: str = "",
    satisfaction: str = "",
    comment: str = "",
    give_up: bool = False,
    version: int | None = None,
    submission: UUID | None = None,
) -> Case:
    """登记回访: one call. A good verdict closes the case; a bad one leaves it for judgement; unreached is tried again.

    `give_up`: close unrated after the set number of unreached tries, hours apart. Errors: invalid, try_too_soon, tries_left,
    rated_waiting.
    """
    with work.work_on(case, "follow_up", actor=actor, at=at, version=version, submission=submission) as w:
        if reached:
            _hear(w, FollowUpMethod.PHONE, contacted, truthful, solved, satisfaction, comment)
            return case
        _miss(w, comment)
        if give_up:
            _close_unrated(w)
    return case


def rate_case(
    *,
    at: datetime,
    case: Case,
    satisfaction: str,
    solved: str,
    contacted: bool | None = None,
    truthful: bool | None = None,
    comment: str = "",
    submission: UUID | None = None,
) -> Case:
    """评价 by the citizen, who showed number and code: a press of a button, never a mere look at a link.

    `contacted`, `truthful`: None where the citizen did not say (domain.md §2.7 names all four; none has a default). A bad
    rating of a case that is closed already waits for judgement as any other.
    """
    with work.work_on(case, "rate", actor=CITIZEN, at=at, submission=submission) as w:
        _hear(w, FollowUpMethod.LINK, contacted, truthful, solved, satisfaction, comment)
    return case


def start_second_handling(
    *,
    actor: User,
    at: datetime,
    case: Case,
    unit: Unit,
    reason: str,
    version: int | None = None,
    submission: UUID | None = None,
) -> Case:
    """二次办理 of what was left unsolved with good reason: once, at a higher level where there is one, with its own limit.

    The new round cannot be returned: the duty has been settled by the first. It gets a verdict of its own; the first one is
    kept. A case that was rated badly after it was closed is open again. Errors: reason_required, not_higher, refuse_unit's,
    unit_text_names.
    """
    _need(reason)
    with work.work_on(case, "second_handling", actor=actor, at=at, version=version, submission=submission) as w:
        refuse_unit(w.case, unit, at=at)
        refuse_naming(w.case, reason)  # which the unit reads as its instruction
        _refuse_not_higher(w, unit)
        w.case.round += 1
        w.case.final_satisfaction = w.case.final_solved = ""
        w.case.ending, w.case.closed_at = "", None
        w.case.second_handling = True
        w.case.dispatched_by = w.user
        made = clocks.task_clocks(w.case, at=at, second=True)
        assign(
            w,
            unit,
            role=TaskRole.LEAD,
            by=w.user,
            handling=made.handling,
            reading=made.read,
            first_measures=made.first_measures,
            instruction=reason,
            by_ruling=True,
        )
        clocks.set_citizen(w.case, made.handling)
        clocks.set_stage(w.case, None)
        w.move_case(CaseState.IN_HANDLING)
        w.note, w.facts = reason, {"unit": unit.code, "deadline": made.handling.to_json()}
        w.summary = f"二次办理，由{unit.name}承办，{day_words(made.handling.due_at, at)} 24:00 前办结"
        messages.tell_all(w.case, at=at, template="second", unit=unit.name, due=day_words(made.handling.due_at, at))
    return case


def close_after_rating(
    *, actor: User, at: datetime, case: Case, reason: str, version: int | None = None, submission: UUID | None = None
) -> Case:
    """按评价办结: the verdict was bad and nothing more follows; the rating stands, and why nothing follows is on record."""
    _need(reason)
    with work.work_on(case, "close_after_rating", actor=actor, at=at, version=version, submission=submission) as w:
        _close_rated(w)
        w.note = reason
        w.summary = "按评价办结：" + Satisfaction(w.case.final_satisfaction).label
    return case


def keep_closed(
    *, actor: User, at: datetime, case: Case, reason: str, version: int | None = None, submission: UUID | None = None
) -> Case:
    """维持办结: a bad rating that came after closing was judged, and nothing more follows. The rating stands; the citizen, who
    was promised that somebody looks again, is told why nothing follows. Errors: reason_required, unit_text_names."""
    _need(reason)
    with work.work_on(case, "keep_closed", actor=actor, at=at, version=version, submission=submission) as w:
        refuse_naming(w.case, reason)  # units read it on the timeline, and a text message carries it
        clocks.set_stage(w.case, None)
        w.note = reason
        w.summary = "办结后的评价已研判，维持办结：" + Satisfaction(w.case.final_satisfaction).label
        messages.tell(w.case, at=at, template="kept_closed", text=reason.strip())
    return case


def higher_unit(case: Case, *, at: datetime) -> Unit | None:
    """The nearest level above the last lead that may get the case, or the lead itself where there is none: then its leader
    answers for it (提级, domain.md §2.7)."""
    lead = _last_lead(case.tasks.select_related("unit").order_by("assigned_at", "id"))
    if lead is None:
        return None
    above = organisations.ancestor_ids(lead.unit_id)
    units = {unit.pk: unit for unit in Unit.objects.filter(pk__in=above)}
    kin = organisations.relatives(case.accused_unit_id) if case.accused_unit_id else set()
    free = (units[pk] for pk in above if pk not in kin and units[pk].dispatchable and units[pk].is_valid(at))
    return next(free, lead.unit)


# --- parts -------------------------------------------------------------------------------------------------------


def _last_lead(tasks: Iterable[Task]) -> Task | None:
    leads = [task for task in tasks if task.role == TaskRole.LEAD and task.is_current]
    return leads[-1] if leads else None


def _refuse_not_higher(w: work.Work, unit: Unit) -> None:
    """Nearer to the city than the unit that left it unsolved: its government, or a department of the city. The same unit only
    where nobody above it can be given the case."""
    lead, proposed = _last_lead(w.situation.tasks), higher_unit(w.case, at=w.at)
    if lead is None or proposed is None or unit.pk == proposed.pk:
        return
    if len(organisations.ancestor_ids(unit)) >= len(organisations.ancestor_ids(lead.unit_id)):
        raise Refused("not_higher", unit=unit.name, higher=proposed.name)


def _hear(
    w: work.Work,
    method: FollowUpMethod,
    contacted: bool | None,
    truthful: bool | None,
    solved: str,
    satisfaction: str,
    comment: str,
) -> None:
    if satisfaction not in Satisfaction.values or (solved and solved not in Solved.values):
        raise Refused("invalid", message="请选择是否满意和是否解决。")
    _check_words(comment)
    _write(w, method, True, contacted, truthful, solved, satisfaction, comment)
    case = w.case
    if not case.first_satisfaction:
        case.first_satisfaction, case.first_solved = satisfaction, solved
    if case.round > 1 or case.final_satisfaction:
        case.final_satisfaction, case.final_solved = satisfaction, solved
    w.note = comment
    w.summary = f"{'诉求人评价' if method == FollowUpMethod.LINK else '回访'}：{Satisfaction(satisfaction).label}"
    if solved:
        w.summary += f"，{Solved(solved).label}"
    good = not is_bad(satisfaction, solved)
    if case.state == CaseState.CLOSED:  # rated after it ended: an answer at once, or who was not reached
        case.final_satisfaction, case.final_solved = satisfaction, solved
        if not good:
            clocks.start_judging(case, at=w.at)
    elif good:
        case.final_satisfaction, case.final_solved = satisfaction, solved
        close(w, Ending.HANDLED)
        messages.tell(case, at=w.at, template="closed")


def _miss(w: work.Work, comment: str) -> None:
    """One try without an answer. Tries count only hours apart: three in a minute are one."""
    _check_words(comment)
    free_at = rules.next_try_at(_missed(w.case), hours=settings.HOTLINE["follow_up_hours_between"])
    if free_at is not None and w.at < free_at:
        raise Refused("try_too_soon", at=f"{local(free_at):%H:%M}")
    _write(w, FollowUpMethod.PHONE, False, None, None, "", "", comment)
    w.note, w.summary = comment, "回访未接通"


def _close_unrated(w: work.Work) -> None:
    """No default satisfaction: an unreached citizen leaves the case unrated (domain.md §11). Who rated is not unreached."""
    if rating_of_round(w.case)[0]:
        raise Refused("rated_waiting")
    tries = len(_missed(w.case))
    if tries < settings.HOTLINE["follow_up_tries"]:
        raise Refused("tries_left", tries=tries, needed=settings.HOTLINE["follow_up_tries"])
    close(w, Ending.HANDLED)
    w.summary = f"回访 {tries} 次未接通，办结，无评价"


def _close_rated(w: work.Work) -> None:
    case = w.case
    if not case.final_satisfaction:
        case.final_satisfaction, case.final_solved = case.first_satisfaction, case.first_solved
    close(w, Ending.HANDLED)
    messages.tell(case, at=w.at, template="closed")


def _missed(case: Case) -> list[datetime]:
    """When the citizen was not reached, in the round under way."""
    return list(FollowUp.objects.filter(case=case, round=case.round, reached=False).order_by("at").values_list("at", flat=True))


def _check_words(comment: str) -> None:
    if len(comment) > COMMENT_LENGTH or "\x00" in comment:
        raise Refused("invalid", message=f"意见最多 {COMMENT_LENGTH} 字，请精简后再提交。")


def _write(
    w: work.Work,
    method: FollowUpMethod,
    reached: bool,
    contacted: bool | None,
    truthful: bool | None,
    solved: str,
    satisfaction: str,
    comment: str,
) -> FollowUp:
    return FollowUp.objects.create(
        case=w.case,
        round=w.case.round,
        at=w.at,
        by=user_or_none(w.actor) if is_user(w.actor) else None,
        method=method,
        reached=reached,
        contacted=contacted,
        truthful=truthful,
        solved=solved,
        satisfaction=satisfaction,
        comment=comment.strip(),
    )


def _need(text: str) -> None:
    if not text.strip():
        raise Refused("reason_required")
