"""The transition table: what may be done to a case or a task, in which state, by whom, on which conditions.

Buttons, API errors, the permission matrix and the diagram in docs/workflow.md are all derived from TRANSITIONS.
Rooms above (dispatching, followup) write their actions under rows of this table; they add none of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from minsheng.accounts.choices import CENTRE_ROLES, Role
from minsheng.cases import guards
from minsheng.cases.actors import CITIZEN_ROLE, SYSTEM_ROLE
from minsheng.cases.choices import ACTIVE_TASK_STATES, OPEN_STATES, UNFINISHED_TASK_STATES, CaseState, TaskState
from minsheng.errors import Refused

if TYPE_CHECKING:
    from minsheng.cases.guards import Situation

Guard = Callable[["Situation"], Refused | None]
Cascade = tuple[tuple[frozenset[str], str], ...]  # from any of these states to that one

S, T = CaseState, TaskState


class Subject(StrEnum):
    """What an action acts on."""

    CASE = "case"
    TASK = "task"


class Place(StrEnum):
    """Where its button stands on the case page."""

    USUAL = "usual"  # filled: the next step of the flow
    OTHER = "other"  # outlined
    MORE = "more"  # behind “更多”: refusals and endings


@dataclass(frozen=True)
class Transition:
    """One row. `sources` are states of the subject; a task's row also needs its case in `case_states`."""

    code: str
    label: str
    subject: Subject
    sources: frozenset[str]
    target: str | None  # None: the state stays, or the action's words decide (then `targets` names them)
    roles: frozenset[str]
    guards: tuple[Guard, ...] = ()
    place: Place = Place.OTHER
    needs_reason: bool = False
    case_states: frozenset[str] = frozenset()
    case_target: str | None = None  # where a task's row can lead its case
    targets: tuple[str, ...] = field(default=())
    tasks_then: Cascade = ()  # what can become of the case's (other) tasks alongside

    @property
    def ends_in(self) -> tuple[str, ...]:
        """Every state this row can lead to; empty where the state stays."""
        return self.targets or ((self.target,) if self.target else ())


def _case(
    code: str,
    label: str,
    sources: Iterable[str],
    target: str | None,
    roles: Iterable[str],
    *conditions: Guard,
    place: Place = Place.OTHER,
    reason: bool = False,
    targets: Sequence[str] = (),
    tasks: Cascade = (),
) -> Transition:
    return Transition(
        code,
        label,
        Subject.CASE,
        frozenset(sources),
        target,
        frozenset(roles),
        conditions,
        place,
        reason,
        targets=tuple(targets),
        tasks_then=tasks,
    )


def _task(
    code: str,
    label: str,
    sources: Iterable[str],
    target: str | None,
    roles: Iterable[str],
    *conditions: Guard,
    place: Place = Place.OTHER,
    reason: bool = False,
    case_states: Iterable[str] = (S.IN_HANDLING,),
    case_target: str | None = None,
    targets: Sequence[str] = (),
    tasks: Cascade = (),
) -> Transition:
    return Transition(
        code,
        label,
        Subject.TASK,
        frozenset(sources),
        target,
        frozenset(roles),
        conditions,
        place,
        reason,
        frozenset(case_states),
        case_target,
        tuple(targets),
        tasks,
    )


_INTAKE = (Role.AGENT, Role.TEAM_LEADER, Role.DISPATCHER)
_UNIT = (Role.UNIT_LIAISON, Role.UNIT_LEADER)
_BEFORE_HANDLING = (S.TO_ACCEPT, S.TO_DISPATCH, S.IN_STUDY)
_AT_WORK = (T.HANDLING, T.SENT_BACK)
_ALL_RECALLED: Cascade = ((UNFINISHED_TASK_STATES, T.RECALLED),)
_ALL_TERMINATED: Cascade = ((UNFINISHED_TASK_STATES, T.TERMINATED),)
_REPLIED = frozenset({T.REPLIED})

TRANSITIONS: tuple[Transition, ...] = (
    # --- intake ---------------------------------------------------------------------------------------------------
    _case("submit", "提交", (S.DRAFT,), S.TO_ACCEPT, (*_INTAKE, CITIZEN_ROLE), guards.own_draft, place=Place.USUAL),
    _case("discard", "删除暂存", (S.DRAFT,), None, _INTAKE, guards.own_draft, place=Place.MORE),
    _case("accept", "受理", (S.TO_ACCEPT,), S.TO_DISPATCH, _INTAKE, place=Place.USUAL),
    _case("correct", "更正要素", _BEFORE_HANDLING, None, _INTAKE, guards.may_see_confidential),
    _case("answer", "直接解答", _BEFORE_HANDLING, S.CLOSED, _INTAKE, guards.may_see_confidential),
    _case("reject", "不予受理", _BEFORE_HANDLING, S.CLOSED, _INTAKE, guards.may_see_confidential, place=Place.MORE),
    _case("transfer", "即时转接", _BEFORE_HANDLING, S.CLOSED, _INTAKE, guards.may_see_confidential, place=Place.MORE),
    _case("mark_invalid", "标为无效", _BEFORE_HANDLING, S.CLOSED, _INTAKE, guards.may_see_confidential, place=Place.MORE, reason=True),
    _case("withdraw", "撤回", OPEN_STATES - {S.TO_FOLLOW_UP}, S.CLOSED, (CITIZEN_ROLE, *_INTAKE), guards.citizen_asked, place=Place.MORE, reason=True, tasks=_ALL_TERMINATED),
    _case("supplement", "补充情况", OPEN_STATES, None, (CITIZEN_ROLE, *_INTAKE)),
    _case("make_confidential", "设为保密", OPEN_STATES | {S.CLOSED}, None, (*_INTAKE, Role.HOTLINE_LEADER), guards.not_confidential, place=Place.MORE, reason=True),
    _case("lift_confidentiality", "取消保密", OPEN_STATES | {S.CLOSED}, None, (Role.HOTLINE_LEADER,), guards.is_confidential, place=Place.MORE, reason=True),
    # --- dispatch -------------------------------------------------------------------------------------------------
    _case("dispatch", "批转", (S.TO_DISPATCH,), S.IN_HANDLING, (Role.DISPATCHER,), place=Place.USUAL),
    _case("send_to_study", "送研判", (S.TO_DISPATCH,), S.IN_STUDY, (Role.DISPATCHER,), reason=True),
    _case("conclude_study", "研判结论", (S.IN_STUDY,), S.TO_DISPATCH, (Role.DISPATCHER, Role.HOTLINE_LEADER), place=Place.USUAL),
    _case("split", "拆分", (S.TO_DISPATCH,), None, (Role.DISPATCHER,), place=Place.MORE),
    _case("merge", "并案", _BEFORE_HANDLING, S.CLOSED, (Role.DISPATCHER,), place=Place.MORE),
    _case("recall", "收回改派", (S.IN_HANDLING,), S.TO_DISPATCH, (Role.DISPATCHER,), guards.no_pending_ask, place=Place.MORE, reason=True, tasks=_ALL_RECALLED),
    _case("add_assisting", "增派协办", (S.IN_HANDLING,), None, (Role.DISPATCHER,), place=Place.MORE),
    _case("urge", "催办", (S.IN_HANDLING,), None, CENTRE_ROLES - {Role.ANALYST, Role.QUALITY, Role.KNOWLEDGE}, reason=True),
    # --- units ----------------------------------------------------------------------------------------------------
    _task("read", "查阅", (T.TO_READ,), T.HANDLING, _UNIT, guards.own_unit, place=Place.USUAL),
    _task("read_automatically", "逾期自动查阅", (T.TO_READ,), T.HANDLING, (SYSTEM_ROLE,), guards.reading_overdue),
    _task("reach_out", "记联系", (*_AT_WORK, T.PAUSED), None, _UNIT, guards.own_unit),
    _task("take_first_measures", "先行处置", _AT_WORK, None, _UNIT, guards.own_unit, guards.first_measures_owed),
    _task("sub_dispatch", "转办下级", _AT_WORK, None, _UNIT, guards.own_unit, guards.not_assisting),
    _task("request_return", "申请退件", (T.HANDLING,), T.RETURN_REQUESTED, _UNIT, guards.own_unit, guards.not_sub, guards.not_by_ruling, guards.first_return, guards.within_return_limit, guards.no_pending_ask_on_task, place=Place.MORE),
    _task("return_to_parent", "退回上级", (T.HANDLING,), T.RETURNED, _UNIT, guards.own_unit, guards.is_sub, place=Place.MORE, reason=True, tasks=_ALL_RECALLED),
    _task("request_extension", "申请延期", _AT_WORK, None, _UNIT, guards.own_unit, guards.not_sub, guards.not_overdue, guards.no_pending_ask_on_task),
    _task("request_pause", "申请挂起", _AT_WORK, None, _UNIT, guards.own_unit, guards.not_sub, guards.not_overdue, guards.no_pending_ask_on_task, place=Place.MORE),
    _task("resume", "恢复办理", (T.PAUSED,), None, (*_UNIT, Role.AUDITOR), guards.own_unit_or_centre, place=Place.USUAL, targets=_AT_WORK),
    _task("request_termination", "申请终止办理", _AT_WORK, None, _UNIT, guards.own_unit, guards.is_lead, guards.no_pending_ask_on_task, place=Place.MORE),
    _task("request_set_aside", "申请认定不合理诉求", (*_AT_WORK, T.ACCEPTED), None, _UNIT, guards.own_unit, guards.is_lead, guards.this_round, guards.rated_unsatisfied, guards.not_set_aside, guards.no_pending_ask_on_task, place=Place.MORE, case_states=(S.IN_HANDLING, S.TO_FOLLOW_UP, S.CLOSED)),
    _task("report", "报送结果", _AT_WORK, T.REPLIED, _UNIT, guards.own_unit, guards.not_lead, guards.reports_in, guards.no_pending_ask_on_task, place=Place.USUAL),
    _task("send_report_back", "退回报送", (T.REPLIED,), T.SENT_BACK, _UNIT, guards.own_lead_or_parent, guards.not_lead, reason=True),
    _task("excuse_report", "免报说明", (T.TO_READ, T.HANDLING, T.PAUSED, T.SENT_BACK), None, _UNIT, guards.own_lead_or_parent, guards.not_lead, guards.not_excused, reason=True),
    _task("draft_reply", "拟写回复", _AT_WORK, None, _UNIT, guards.own_unit, guards.is_lead, guards.no_pending_ask_on_task, guards.no_reply_to_sign, place=Place.USUAL),
    _task("sign_reply", "签发", _AT_WORK, T.REPLIED, (Role.UNIT_LEADER,), guards.own_unit, guards.is_lead, guards.reply_to_sign, guards.reports_in, guards.no_pending_ask_on_task, place=Place.USUAL, case_target=S.TO_AUDIT),
    _task("decline_to_sign", "不签发", _AT_WORK, None, (Role.UNIT_LEADER,), guards.own_unit, guards.is_lead, guards.reply_to_sign, reason=True),
    # --- audit ----------------------------------------------------------------------------------------------------
    _case("pass_reply", "审核通过", (S.TO_AUDIT,), S.TO_FOLLOW_UP, (Role.AUDITOR,), guards.not_own_dispatch, place=Place.USUAL, tasks=((_REPLIED, T.ACCEPTED), (ACTIVE_TASK_STATES, T.TERMINATED))),
    _case("send_back", "退回重办", (S.TO_AUDIT,), S.IN_HANDLING, (Role.AUDITOR,), guards.not_own_dispatch, tasks=((_REPLIED, T.SENT_BACK),)),
    _task("decide_return", "审核退件", (T.RETURN_REQUESTED,), None, (Role.AUDITOR,), guards.not_own_dispatch, guards.return_pending, place=Place.USUAL, targets=(T.RETURNED, T.HANDLING), case_target=S.TO_DISPATCH, tasks=_ALL_RECALLED),
    _task("decide_extension", "审核延期", _AT_WORK, None, (Role.AUDITOR,), guards.not_own_dispatch, guards.extension_pending, place=Place.USUAL),
    _task("decide_pause", "审核挂起", _AT_WORK, None, (Role.AUDITOR,), guards.not_own_dispatch, guards.pause_pending, place=Place.USUAL, targets=(T.PAUSED,)),
    _task("decide_termination", "审核终止", _AT_WORK, None, (Role.AUDITOR,), guards.not_own_dispatch, guards.termination_pending, place=Place.USUAL, targets=(T.TERMINATED,), case_target=S.CLOSED, tasks=_ALL_TERMINATED),
    _task("decide_set_aside", "审核不合理认定", (*_AT_WORK, T.ACCEPTED), None, (Role.AUDITOR, Role.HOTLINE_LEADER), guards.not_own_dispatch, guards.set_aside_pending, place=Place.USUAL, case_states=(S.IN_HANDLING, S.TO_FOLLOW_UP, S.CLOSED)),
    # --- follow-up and ending -------------------------------------------------------------------------------------
    _case("follow_up", "登记回访", (S.TO_FOLLOW_UP,), None, (Role.FOLLOW_UP,), guards.not_own_dispatch, place=Place.USUAL, targets=(S.CLOSED,)),
    _case("rate", "评价", (S.TO_FOLLOW_UP, S.CLOSED), None, (CITIZEN_ROLE,), guards.rateable, targets=(S.CLOSED,)),
    _case("second_handling", "二次办理", (S.TO_FOLLOW_UP, S.CLOSED), S.IN_HANDLING, (Role.FOLLOW_UP,), guards.not_own_dispatch, guards.unsatisfied_waiting, guards.was_handled, guards.second_handling_free, guards.not_set_aside, guards.no_pending_ask, reason=True),
    _case("close_after_rating", "按评价办结", (S.TO_FOLLOW_UP,), S.CLOSED, (Role.FOLLOW_UP,), guards.not_own_dispatch, guards.unsatisfied_waiting, reason=True),
    _case("keep_closed", "维持办结", (S.CLOSED,), None, (Role.FOLLOW_UP,), guards.not_own_dispatch, guards.unsatisfied_waiting, reason=True),
    _case("reopen", "重新办理", (S.CLOSED,), S.TO_DISPATCH, (Role.TEAM_LEADER, Role.DISPATCHER, Role.FOLLOW_UP), guards.reopens_for_dispatch, guards.reopenable, place=Place.MORE, reason=True),
    _case("archive", "归档", (S.CLOSED,), S.ARCHIVED, (SYSTEM_ROLE,), guards.nothing_to_judge),
)

BY_CODE: dict[str, Transition] = {row.code: row for row in TRANSITIONS}


def check(row: Transition, situation: Situation) -> None:
    """Raise the first reason why this row does not apply: role, then state, then conditions.

    Errors: forbidden, wrong_state, and whatever the row's guards raise.
    """
    if row.roles.isdisjoint(situation.actor.roles):
        raise Refused("forbidden", action=row.label)
    _check_state(row, situation)
    for guard in row.guards:
        refusal = guard(situation)
        if refusal is not None:
            refusal.details.setdefault("action", row.label)
            raise refusal


def _check_state(row: Transition, situation: Situation) -> None:
    case = situation.case
    if row.subject is Subject.CASE:
        if case.state not in row.sources:
            raise Refused("wrong_state", action=row.label, state=case.get_state_display())
        return
    task = situation.task
    if task is None:
        raise Refused("not_found")
    if case.state not in row.case_states:
        raise Refused("wrong_state", action=row.label, state=case.get_state_display())
    if task.state not in row.sources:
        raise Refused("wrong_task_state", action=row.label, state=task.get_state_display())


def allows(row: Transition, situation: Situation) -> bool:
    """As `check`, for buttons."""
    try:
        check(row, situation)
    except Refused:
        return False
    return True
