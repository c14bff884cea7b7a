"""Who may know of which case and task: the one place where every list, page, export and statistic begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q, QuerySet

from minsheng.accounts.choices import CENTRE_ROLES, Role
from minsheng.cases.choices import ACTIVE_TASK_STATES, GONE_TASK_STATES, OPEN_STATES, CaseState
from minsheng.cases.rules import Disclosure, disclosure
from minsheng.organisations import queries as organisations

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from minsheng.accounts.models import User
    from minsheng.cases.models import Case, Task

_NONE = Q(pk__in=[])
# These see confidential cases because their work is on every case; the others only what they took themselves.
_TRUSTED_WITH_CONFIDENTIAL = frozenset(
    {
        Role.TEAM_LEADER,
        Role.DISPATCHER,
        Role.AUDITOR,
        Role.FOLLOW_UP,
        Role.SUPERVISOR,
        Role.HOTLINE_LEADER,
        Role.INSPECTOR,
    }
)
# The others of the centre read words without persons (domain.md §2.10).
SEE_PERSONS = CENTRE_ROLES - {Role.ANALYST, Role.KNOWLEDGE}
_MAY_CALL_THE_CITIZEN = frozenset({Role.TEAM_LEADER, Role.DISPATCHER, Role.AUDITOR, Role.FOLLOW_UP, Role.SUPERVISOR})


def visible_cases(user: User) -> Q:
    """Condition on Case. Administrators: none. Units: theirs and their lower units', while they have a task.

    Centre: every numbered case, and one's own drafts; confidential ones by role or when taken by oneself.
    """
    if not user.is_active:
        return _NONE
    if user.is_unit:
        units, kin = _reach_of(user)
        return Q(Exists(_tasks_of(units))) & ~Q(accused_unit_id__in=kin)
    if not user.is_centre:
        return _NONE
    condition = ~Q(state=CaseState.DRAFT) | Q(accepted_by=user)
    if user.has_any(_TRUSTED_WITH_CONFIDENTIAL):
        return condition
    return condition & (Q(confidential=False) | Q(accepted_by=user))


def visible_tasks(user: User) -> Q:
    """Condition on Task, agreeing with visible_cases."""
    if not user.is_active:
        return _NONE
    if user.is_unit:
        units, kin = _reach_of(user)
        return Q(unit_id__in=units) & ~Q(state__in=GONE_TASK_STATES) & ~Q(case__accused_unit_id__in=kin)
    if not user.is_centre:
        return _NONE
    if user.has_any(_TRUSTED_WITH_CONFIDENTIAL):
        return Q()
    return Q(case__confidential=False) | Q(case__accepted_by=user)


def alike(user: User) -> str:
    """People of one answer see the same cases and tasks, in the same words; "" where what they see hangs on themselves."""
    roles = ",".join(sorted(user.roles))
    if not user.is_active:
        return ""
    if user.is_unit:
        return f"unit {user.unit_id} {roles}"
    return f"centre {roles}" if user.is_centre and user.has_any(_TRUSTED_WITH_CONFIDENTIAL) else ""


def units_of(user: User) -> Collection[int]:
    """The units whose tasks bring a case before this person: their own and those below."""
    return _reach_of(user)[0]


def _reach_of(user: User) -> tuple[Collection[int], Collection[int]]:
    """The person's unit with those below it, and its relatives. What one of these is accused of reaches none of its kin: not
    through a neighbour's task (scenario 8), nor through a task of its own that was given before anybody was accused. Read
    once for each request, whose person is an object of its own."""
    if user.unit_id is None:
        return (), ()
    kept: tuple[int, set[int], set[int]] | None = user.__dict__.get("_reach")
    if kept is None or kept[0] != user.unit_id:
        below, kin = organisations.reach(user.unit_id)
        kept = user.__dict__["_reach"] = (user.unit_id, below, kin | below)
    return kept[1], kept[2]


def _tasks_of(units: Collection[int]) -> QuerySet[Task]:
    from minsheng.cases.models import Task

    return Task.objects.filter(case=OuterRef("pk"), unit_id__in=units).exclude(state__in=GONE_TASK_STATES)


def disclosure_for(user: User, case: Case, tasks: Iterable[Task]) -> Disclosure:
    """What of this case, which they may know of, the person may see. `tasks` are the case's."""
    if user.is_unit:
        units = set(_reach_of(user)[0])
        at_work = any(t.unit_id in units and t.state in ACTIVE_TASK_STATES for t in tasks)
        return disclosure(confidential=case.confidential, of_unit=True, needs_person=at_work)
    own = case.accepted_by_id == user.pk
    if user.has_any(SEE_PERSONS):
        is_open = case.state in OPEN_STATES or case.state == CaseState.DRAFT
        needs = (user.has_any(_MAY_CALL_THE_CITIZEN) or (user.has_role(Role.AGENT) and own)) and is_open
        return disclosure(confidential=case.confidential, of_unit=False, needs_person=needs)
    return disclosure(confidential=case.confidential, of_unit=False, needs_person=False, redacted=True)
