"""Every read of the follow-up desk. Each starts from `visible_to`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import (
    BooleanField,
    Count,
    Exists,
    ExpressionWrapper,
    IntegerField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models import Case as Switch
from django.db.models.functions import Coalesce

from minsheng.cases.choices import CaseState, Satisfaction, Solved
from minsheng.cases.desk_queries import own_dispatch
from minsheng.cases.models import Case, Contact
from minsheng.cases.queries import tallied
from minsheng.followup.models import FollowUp

if TYPE_CHECKING:
    from minsheng.accounts.models import User

ORDER = ("kind_of_wait", "waits_since", "id")
TO_JUDGE, ASKED, TO_RING, LATER = 0, 1, 2, 3

# What waits here: handled cases whose citizen is to be heard or was unsatisfied, and closed ones rated badly since
# (guards.awaits_judgement; the same in SQL).
HERE = Q(state=CaseState.TO_FOLLOW_UP) | Q(state=CaseState.CLOSED, stage_due_at__isnull=False)

# A bad verdict of the round under way: the first round's stands in the first rating, a later one's in the final.
_BAD = (
    Q(final_satisfaction=Satisfaction.UNSATISFIED)
    | Q(final_solved=Solved.NO)
    | Q(round=1, first_satisfaction=Satisfaction.UNSATISFIED)
    | Q(round=1, first_solved=Solved.NO)
)


def missed(case: Case) -> list[datetime]:
    """When this round's unreached tries were."""
    tries = FollowUp.objects.filter(case=case, round=case.round, reached=False).order_by("at")
    return list(tries.values_list("at", flat=True))


def heard(case: Case) -> list[FollowUp]:
    """What the citizen has said of this round already, by telephone or by their own rating, newest first."""
    found = FollowUp.objects.filter(case=case, round=case.round, reached=True)
    return list(found.select_related("by").order_by("-at", "-id"))


def waiting(user: User, *, at: datetime) -> QuerySet[Case]:
    """待回访: bad verdicts to judge first, of closed cases too, then who got in touch since the reply, then whom to ring, then
    who is to be rung later because they were not reached a moment ago; longest waiting first, a verdict since it was heard.

    `kind_of_wait` says which; `tries` and `last_try` count this round's unreached calls; `own`: somebody else must
    follow it up.
    """
    heard = FollowUp.objects.filter(case=OuterRef("pk"), round=OuterRef("round"), reached=True).order_by().values("case")
    tries = FollowUp.objects.filter(case=OuterRef("pk"), round=OuterRef("round"), reached=False).order_by().values("case")
    asked = Contact.objects.filter(case=OuterRef("pk"), received_at__gt=OuterRef("state_since"))
    free_before = at - timedelta(hours=settings.HOTLINE["follow_up_hours_between"])
    return (
        Case.objects.visible_to(user)
        .filter(HERE)
        .select_related("topic", "place__parent")
        .annotate(
            waits_since=Coalesce(Subquery(heard.annotate(last=Max("at")).values("last")), "state_since"),
            tries=Coalesce(Subquery(tries.annotate(n=Count("pk")).values("n")), 0),
            own=ExpressionWrapper(own_dispatch(user), output_field=BooleanField()),
            last_try=Subquery(tries.annotate(last=Max("at")).values("last")),
        )
        .annotate(
            kind_of_wait=Switch(
                When(_BAD, then=Value(TO_JUDGE)),
                When(Exists(asked), then=Value(ASKED)),
                When(last_try__gt=free_before, then=Value(LATER)),
                default=Value(TO_RING),
                output_field=IntegerField(),
            )
        )
        .order_by(*ORDER)
    )


def waiting_count(user: User, at: datetime) -> tuple[int, str]:
    """For the rail: how many wait, and the light of the most pressing. One query."""
    return tallied(Case.objects.visible_to(user).filter(HERE), at)


def of_case(case: Case) -> list[FollowUp]:
    """All tries of a case, newest first."""
    return list(FollowUp.objects.filter(case=case).select_related("by").order_by("-at", "-id"))
