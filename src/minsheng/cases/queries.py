"""Reads of cases. Every one starts from `visible_to`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Min, Prefetch, Q, QuerySet

from minsheng.cases import rules, scope, work, workflow
from minsheng.cases.choices import ACTIVE_TASK_STATES, CaseState
from minsheng.cases.guards import Situation
from minsheng.cases.lights import light_by
from minsheng.cases.models import Case, Outreach, Reply, Task
from minsheng.cases.rules import Disclosure
from minsheng.errors import Refused
from minsheng.secrecy import normalise_phone, search_hash

if TYPE_CHECKING:
    from minsheng.accounts.models import User

DRAFTS_SHOWN = 50


def case_for(user: User, number: str) -> Case:
    """The case of this number, for who may know of it. Errors: not_found."""
    found = Case.objects.visible_to(user).select_related(
        "topic__parent__parent",
        "place__parent",
        "applicant",
        "accused_unit",
        "ending_ground",
        "accepted_by",
        "dispatched_by",
        "ruled_unit",
    )
    try:
        # Not first(): to put one row in order, Django compares some three hundred columns, which costs more than the query.
        return found.get(number=rules.normalise_number(number))
    except Case.DoesNotExist:
        raise Refused("not_found") from None


@dataclass(frozen=True)
class CaseView:
    """A case as one person sees it: everything the page needs, and nothing that it must not show."""

    case: Case
    disclosure: Disclosure
    situation: Situation
    replies: list[Reply]

    def actions(self) -> list[tuple[workflow.Transition, Task | None]]:
        """What this person may do now, in the order of the table: rows of the case, then of each task."""
        found: list[tuple[workflow.Transition, Task | None]] = []
        for row in workflow.TRANSITIONS:
            if row.subject is workflow.Subject.CASE:
                if workflow.allows(row, self.situation):
                    found.append((row, None))
                continue
            for task in self.situation.tasks:
                if workflow.allows(row, _with_task(self.situation, task)):
                    found.append((row, task))
        return found


def _with_task(situation: Situation, task: Task) -> Situation:
    from dataclasses import replace

    return replace(situation, task=task)


def view_case(user: User, case: Case, *, at: datetime) -> CaseView:
    """The case for its page. `case` comes from case_for."""
    situation = work.situation_of(case, actor=user, at=at)
    replies = list(
        Reply.objects.filter(task__case=case)
        .select_related("task__unit", "written_by", "signed_by", "audited_by")
        .prefetch_related("attachments")
        .order_by("-written_at", "-id")
    )
    return CaseView(case, scope.disclosure_for(user, case, situation.tasks), situation, replies)


def queue(user: User, *states: str) -> QuerySet[Case]:
    """Cases in these states that the person may see, most pressing and longest waiting first."""
    return (
        Case.objects.visible_to(user)
        .filter(state__in=states)
        .select_related("topic", "place__parent")
        .order_by("urgency_rank", "state_since", "id")
    )


def waiting(user: User, at: datetime, *states: str) -> tuple[int, str]:
    """How many cases wait in these states and the light of the most pressing: a desk's count on the rail. One query."""
    return tallied(Case.objects.visible_to(user).filter(state__in=states), at)


def tallied(cases: QuerySet[Case], at: datetime) -> tuple[int, str]:
    """How many of these cases there are and the light of the most pressing, of all that runs for each. One query."""
    told = cases.order_by().aggregate(
        count=Count("pk"), yellow=Min("pressing_yellow_at"), orange=Min("pressing_orange_at"), due=Min("pressing_due_at")
    )
    return told["count"], light_by(at, yellow=told["yellow"], orange=told["orange"], due=told["due"]).value


def alike_at_intake(user: User) -> str:
    """As scope.alike, of what waits for acceptance: all agents have the same queue before them, but for the confidential cases that
    one of them took in. Asked once for each request, whose person is an object of its own."""
    known: str | None = user.__dict__.get("_alike_at_intake")
    if known is None:
        known = scope.alike(user)
        if not known and user.is_active:
            own = Case.objects.filter(state=CaseState.TO_ACCEPT, confidential=True, accepted_by=user)
            known = "" if own.exists() else f"agents {','.join(sorted(user.roles))}"
        user.__dict__["_alike_at_intake"] = known
    return known


def every_case(user: User) -> QuerySet[Case]:
    """All numbered cases that the person may see, for the list of all; newest first by its keyset."""
    return Case.objects.visible_to(user).exclude(state=CaseState.DRAFT).select_related("topic", "place__parent")


def drafts_of(user: User) -> QuerySet[Case]:
    """A person's own unfinished forms, newest first."""
    found = Case.objects.filter(state=CaseState.DRAFT, accepted_by=user)
    return found.select_related("topic", "place__parent").order_by("-id")[:DRAFTS_SHOWN]


def taken_since(user: User, since: datetime) -> list[Case]:
    """What a person took in since a moment, for a quiet tally."""
    return list(
        Case.objects.filter(accepted_by=user, received_at__gte=since)
        .exclude(state=CaseState.DRAFT)
        .only("state", "ending")
        .order_by("-received_at")[:500]
    )


def lead_name(case: Any) -> str:
    """The unit in the lead as rows name it, of a case that came with `current_tasks`; "" while there is none."""
    lead = next((task.unit for task in case.current_tasks if task.role == "lead"), None)
    return (lead.short_name or lead.name) if lead else ""


def current_tasks() -> Prefetch[Any]:
    """Prefetch of the tasks that a list row names."""
    return Prefetch(
        "tasks",
        queryset=Task.objects.exclude(state__in=["returned", "recalled"]).select_related("unit").order_by("role", "id"),
        to_attr="current_tasks",
    )


def tasks_of(user: User, *states: str) -> QuerySet[Task]:
    """Tasks of the person's own unit in these states, whose case is being handled; by time left."""
    return (
        Task.objects.filter(
            scope.visible_tasks(user), unit=user.unit, state__in=states, case__state=CaseState.IN_HANDLING
        )
        .select_related("case__topic", "case__place__parent", "unit")
        .order_by("due_at", "id")
    )


def active_tasks(user: User) -> QuerySet[Task]:
    """What the person's unit still owes."""
    return tasks_of(user, *ACTIVE_TASK_STATES)


def earlier_of_phone(user: User, phone: str, *, limit: int = 10) -> list[Case]:
    """Earlier cases of a telephone number, newest first, that the person may see; by keyed hash."""
    number = normalise_phone(phone)
    if not number:
        return []
    return list(
        Case.objects.visible_to(user)
        .filter(applicant__phone_hash=search_hash("phone", number))
        .exclude(state=CaseState.DRAFT)
        .select_related("topic__parent__parent", "place__parent", "applicant")
        .order_by("-received_at", "-id")[:limit]
    )


def earlier_of_person(user: User, case: Case, seen: Disclosure, *, limit: int = 5) -> list[Case]:
    """Other cases from this case's telephone number, newest first, for those who may know the person.

    To a unit a confidential case is without a person, so none is ever shown beside a case that has one.
    """
    phone_hash = case.applicant.phone_hash
    if not seen.person or phone_hash is None:
        return []
    found = Case.objects.visible_to(user).filter(applicant__phone_hash=phone_hash).exclude(pk=case.pk)
    if user.is_unit:
        found = found.filter(confidential=False)
    return list(
        found.exclude(state=CaseState.DRAFT).select_related("topic", "place").order_by("-received_at", "-id")[:limit]
    )


def relations_of(user: User, case: Case) -> list[Case]:
    """Where this case came from or went, and what was split off it or merged into it; of these what the person may see.

    A confidential part and the case with a person that it was split off are never shown to a unit as one person's.
    """
    if user.is_unit and case.confidential:
        return []
    above = Q(pk__in=[key for key in (case.split_from_id, case.merged_into_id) if key])
    found = Case.objects.visible_to(user).filter(above | Q(split_from=case) | Q(merged_into=case))
    if user.is_unit:
        found = found.filter(confidential=False)
    return list(found.order_by("received_at", "id"))


def earlier_of_place(user: User, case: Case, *, limit: int = 5) -> list[Case]:
    """Other cases of the same topic at the same place, newest first."""
    if case.place_id is None or case.topic_id is None:
        return []
    return list(
        Case.objects.visible_to(user)
        .filter(place=case.place, topic=case.topic)
        .exclude(pk=case.pk)
        .exclude(state=CaseState.DRAFT)
        .select_related("topic", "place")
        .order_by("-received_at", "-id")[:limit]
    )


def outreaches(case: Case) -> QuerySet[Outreach]:
    """Who tried to reach the citizen, and whether they did."""
    return Outreach.objects.filter(task__case=case).select_related("task__unit", "by").order_by("-at", "-id")
