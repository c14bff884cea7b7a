"""Every read of the dispatch desk. Each starts from `visible_to`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from minsheng.cases import queries as cases
from minsheng.cases.choices import GONE_TASK_STATES, OPEN_STATES, CaseState, TaskRole
from minsheng.cases.models import Case, Task
from minsheng.dispatching.proposals import Proposal, propose

if TYPE_CHECKING:
    from minsheng.accounts.models import User

__all__ = ["DISPATCH_STATES", "ORDER", "Proposal", "disputed", "mergeable", "propose", "tallies", "waiting", "waiting_count"]

ORDER = ("urgency_rank", "state_since", "id")
DISPATCH_STATES = (CaseState.TO_DISPATCH, CaseState.IN_STUDY)
MOST_CANDIDATES = 8


def _came_back() -> Exists:
    """An earlier dispatch of this round was returned or recalled."""
    gone = Task.objects.filter(case=OuterRef("pk"), round=OuterRef("round"), state__in=GONE_TASK_STATES)
    return Exists(gone.filter(role=TaskRole.LEAD))


def _listed(user: User) -> QuerySet[Case]:
    return Case.objects.visible_to(user).select_related("topic", "place__parent")


def waiting(user: User) -> QuerySet[Case]:
    """待批转: never dispatched in this round, most pressing and longest waiting first."""
    return _listed(user).filter(~_came_back(), state=CaseState.TO_DISPATCH).order_by(*ORDER)


def disputed(user: User) -> QuerySet[Case]:
    """研判与退件: under study, or back from a return that was upheld or a recall (`came_back`)."""
    back = Q(state=CaseState.TO_DISPATCH, came_back=True)
    found = _listed(user).filter(state__in=DISPATCH_STATES).annotate(came_back=_came_back())
    return found.filter(Q(state=CaseState.IN_STUDY) | back).order_by(*ORDER)


def tallies(user: User) -> tuple[int, int]:
    """How many stand in each of the two tabs: one query."""
    rows = Case.objects.visible_to(user).filter(state__in=DISPATCH_STATES).annotate(came_back=_came_back())
    counted = rows.aggregate(
        fresh=Count("pk", filter=Q(state=CaseState.TO_DISPATCH, came_back=False)), every=Count("pk")
    )
    return counted["fresh"], counted["every"] - counted["fresh"]


def waiting_count(user: User, at: datetime) -> tuple[int, str]:
    """For the rail: how many wait for a dispatcher, and the light of the most pressing. One query."""
    return cases.waiting(user, at, *DISPATCH_STATES)


def mergeable(user: User, case: Case, *, at: datetime) -> list[tuple[Case, str]]:
    """Open cases that may be about the same thing, with the reason: of the same telephone, or of the same topic at the same
    place (domain.md §2.8). Two queries, each on an index of its own."""
    ways = []
    if case.applicant.phone_hash:
        ways.append(("同一电话", Q(applicant__phone_hash=case.applicant.phone_hash)))
    if case.topic_id and case.place_id:
        ways.append(("同地同类", Q(topic=case.topic_id, place=case.place_id)))
    found: dict[int, tuple[Case, str]] = {}
    for words, same in ways:
        open_now = _listed(user).filter(same, state__in=OPEN_STATES - {CaseState.TO_FOLLOW_UP}, confidential=False)
        rows = open_now.exclude(pk=case.pk).exclude(citizen_due_at__lte=at).order_by("received_at", "id")
        for other in rows[:MOST_CANDIDATES]:
            known = found.get(other.pk)
            found[other.pk] = (other, f"{known[1]}、{words}" if known else words)
    return sorted(found.values(), key=lambda pair: (-len(pair[1]), pair[0].received_at))[:MOST_CANDIDATES]
