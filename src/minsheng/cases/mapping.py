"""What the map of cases shows: points with their lights, and counts by county of what has none. Every read starts from visible_to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Coalesce

from minsheng.cases import queries, scope
from minsheng.cases.filters import Filters
from minsheng.cases.lights import LEVELS, light_by
from minsheng.cases.models import Case
from minsheng.organisations.choices import PlaceLevel
from minsheng.organisations.coordinates import Point
from minsheng.organisations.models import Place

if TYPE_CHECKING:
    from minsheng.accounts.models import User

MOST = 10_000  # points at once, the newest
MOST_ROWS = 30
_COLUMNS = (
    "longitude", "latitude", "number", "pressing_yellow_at", "pressing_orange_at", "pressing_due_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CountyCount:
    """How many cases of one county are on the map as points, and how many are known by county or street only."""

    place: Place
    points: int
    others: int

    @property
    def total(self) -> int:
        """Both."""
        return self.points + self.others


def found(user: User, filters: Filters) -> QuerySet[Case]:
    """The numbered cases that these filters mean and this person may know of."""
    return queries.every_case(user).filter(filters.on_cases())


def points(user: User, filters: Filters) -> tuple[list[list[Any]], bool]:
    """([longitude, latitude, light 0 to 3, number] newest first, whether there are more than that). One query.

    Exact only to whom the address is shown; rounded to about a kilometre where it is masked (presenting.shown_point).
    """
    rows = list(
        found(user, filters)
        .filter(_shown(user), longitude__isnull=False)
        .order_by("-received_at", "-id")
        .values_list(*_COLUMNS)[: MOST + 1]
    )
    whole = user.is_unit or user.has_any(scope.SEE_PERSONS)
    return [_point(row, filters.at, whole) for row in rows[:MOST]], len(rows) > MOST


def _shown(user: User) -> Q:
    """To a unit a confidential case has no address, so no point either."""
    return Q(confidential=False) if user.is_unit else Q()


def _point(row: Sequence[Any], at: datetime, whole: bool) -> list[Any]:
    east, north = row[:2]
    if not whole:
        near = Point(east, north).rounded()
        east, north = near.longitude, near.latitude
    yellow, orange, due = row[3:]
    return [float(east), float(north), LEVELS.index(light_by(at, yellow=yellow, orange=orange, due=due)), row[2]]


def by_county(user: User, filters: Filters) -> tuple[list[CountyCount], int]:
    """(each county with its cases, how many cases have no place at all). Two queries."""
    has_point = Q(longitude__isnull=False) & _shown(user)
    counted = (
        found(user, filters)
        .order_by()
        .values(county=Coalesce("place__parent_id", "place_id"))
        .annotate(points=Count("pk", filter=has_point), others=Count("pk", filter=~has_point))
    )
    counts = {row["county"]: (row["points"], row["others"]) for row in counted}
    counties = Place.objects.filter(level=PlaceLevel.COUNTY).order_by("code")
    return [CountyCount(county, *counts.get(county.pk, (0, 0))) for county in counties], sum(counts.get(None, (0, 0)))


def of_numbers(user: User, numbers: Sequence[str]) -> list[Case]:
    """These cases as far as they may be known, newest first. Two queries."""
    found = queries.every_case(user).filter(number__in=list(numbers)[:MOST_ROWS])
    return newest(found.prefetch_related(queries.current_tasks()))


def newest(cases: QuerySet[Case]) -> list[Case]:
    """The newest of some cases that come with `current_tasks`. Two queries."""
    return list(cases.order_by("-received_at", "-id")[:MOST_ROWS])
