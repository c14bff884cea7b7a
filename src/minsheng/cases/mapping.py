"""What the map of cases shows: points with their lights, and counts by county of what has none. Every read starts from visible_to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Coalesce

from minsheng.cases import presenting, queries, scope
from minsheng.cases.choices import OPEN_STATES
from minsheng.cases.filters import Filters
from minsheng.cases.models import Case
from minsheng.cases.presenting import light_by
from minsheng.organisations.choices import PlaceLevel
from minsheng.organisations.coordinates import Point
from minsheng.organisations.models import Place
from minsheng.worktime.choices import Light

if TYPE_CHECKING:
    from minsheng.accounts.models import User

MOST = 10_000  # points at once, the newest
MOST_ROWS = 30
_LIGHTS = [Light.NONE.value, Light.YELLOW.value, Light.ORANGE.value, Light.RED.value]
_COLUMNS = (
    "longitude", "latitude", "number", "state", "stage_yellow_at", "stage_orange_at", "stage_due_at",
    "citizen_yellow_at", "citizen_orange_at", "citizen_due_at",
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


def points(user: User, filters: Filters) -> list[list[Any]]:
    """[longitude, latitude, light 0 to 3, number], the newest first, MOST at most. One query.

    Exact only to whom the address is shown; rounded to about a kilometre where it is masked (presenting.shown_point).
    """
    rows = found(user, filters).filter(_shown(user), longitude__isnull=False).order_by("-received_at", "-id").values_list(*_COLUMNS)
    whole = user.is_unit or user.has_any(scope.SEE_PERSONS)
    return [_point(row, filters.at, whole) for row in rows[:MOST]]


def _shown(user: User) -> Q:
    """To a unit a confidential case has no address, so no point either."""
    return Q(confidential=False) if user.is_unit else Q()


def _point(row: Sequence[Any], at: datetime, whole: bool) -> list[Any]:
    east, north = row[:2]
    if not whole:
        near = Point(east, north).rounded()
        east, north = near.longitude, near.latitude
    return [float(east), float(north), _LIGHTS.index(_light(at, row[3], *row[4:])), row[2]]


def _light(at: datetime, state: str, *moments: datetime | None) -> str:
    """As a list's row shows it: the stage's clock, else the citizen's while they wait."""
    if state not in OPEN_STATES:
        return Light.NONE.value
    yellow, orange, due = moments[:3]
    if due is None and state not in presenting.ANSWERED:
        yellow, orange, due = moments[3:]
    return light_by(at, yellow=yellow, orange=orange, due=due).value if due else Light.NONE.value


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
