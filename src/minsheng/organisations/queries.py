"""Every read of places and units.

The trees are small (some 190 places, 450 units), so a walk is one query of the parent map and a loop in Python:
always right within the transaction, with no cache to go stale across processes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from minsheng.organisations import rules
from minsheng.organisations.choices import PlaceLevel, UnitKind
from minsheng.organisations.models import Place, Unit

Key = int | None


def valid_at(at: datetime) -> Q:
    """Filter for rows of reference data that hold at that moment (half-open days in Fuzhou)."""
    day = rules.local_day(at)
    begun = Q(valid_from__isnull=True) | Q(valid_from__lte=day)
    return begun & (Q(valid_to__isnull=True) | Q(valid_to__gt=day))


def _unit_parents() -> dict[int, Key]:
    return dict(Unit.objects.order_by().values_list("pk", "parent_id"))


def _place_parents() -> dict[int, Key]:
    return dict(Place.objects.order_by().values_list("pk", "parent_id"))


def _key(row: Unit | Place | int) -> int:
    return row if isinstance(row, int) else row.pk


def subtree_ids(unit: Unit | int) -> set[int]:
    """The unit and all units below it."""
    return rules.subtree(_unit_parents(), _key(unit))


def hand_down_ids(unit: Unit, place: Place | None) -> set[int]:
    """Whom the unit may hand its task down to: all below it; and from a county's bureau the street where it happened.

    属地管理 (domain.md §1.3): streets stand under the county's government beside its bureaus. Only the street of the place, as a
    department's work is not to be pushed onto streets at large (国办66号, domain.md §1.1); any of the county where the street is not known.
    """
    below = subtree_ids(unit) - {unit.pk}
    parent = unit.parent
    if unit.kind != UnitKind.BUREAU or parent is None or parent.kind != UnitKind.COUNTY:
        return below
    streets = Unit.objects.filter(parent=parent, kind=UnitKind.STREET)
    if place is not None and place.level == PlaceLevel.STREET:
        streets = streets.filter(place=place)
    return below | set(streets.values_list("pk", flat=True))


def ancestor_ids(unit: Unit | int) -> list[int]:
    """The units above, nearest first, the city root last."""
    return rules.ancestors(_unit_parents(), _key(unit))


def relatives(unit: Unit | int) -> set[int]:
    """Self, all below, all above but the city root: none of them may be given a case against this unit (design §6).

    The root itself has no relatives but itself: a case against the city is not a reason to refuse every unit in it.
    """
    return reach(unit)[1]


def reach(unit: Unit | int) -> tuple[set[int], set[int]]:
    """The unit with all below it, and its relatives: both in one query."""
    rows = list(Unit.objects.order_by().values_list("pk", "parent_id", "kind"))
    roots = {pk for pk, _, kind in rows if kind == UnitKind.CITY}
    parents = {pk: parent for pk, parent, _ in rows}
    return rules.subtree(parents, _key(unit)), rules.kin(parents, _key(unit), roots=roots)


def place_subtree_ids(place: Place | int) -> set[int]:
    """The place and all places below it."""
    return rules.subtree(_place_parents(), _key(place))


def county_of(place: Place) -> Place:
    """The county of a street; a county is its own. No query when `parent` is loaded."""
    return place.parent if place.level == PlaceLevel.STREET and place.parent is not None else place


def units_serving(place: Place, *, kind: str = "", line: str = "", at: datetime) -> QuerySet[Unit]:
    """Dispatchable units of that kind or line that serve the place itself or its county, the place's own first."""
    chosen = Unit.objects.filter(valid_at(at), Q(place=place) | Q(place=place.parent_id or place.pk), dispatchable=True)
    if kind:
        chosen = chosen.filter(kind=kind)
    if line:
        chosen = chosen.filter(line=line)
    own_first = Case(When(place=place, then=Value(0)), default=Value(1), output_field=IntegerField())
    return chosen.order_by(own_first, "code")


def candidates(
    *, places: Iterable[int], codes: Iterable[str], keys: Iterable[int | None], at: datetime
) -> QuerySet[Unit]:
    """Dispatchable units that serve one of these places, or have one of these codes or keys."""
    wanted = Q(place__in=list(places)) | Q(code__in=list(codes)) | Q(pk__in=[key for key in keys if key])
    return dispatchable_units(at=at).filter(wanted)


def dispatchable_units(*, at: datetime) -> QuerySet[Unit]:
    """Every unit that cases may be sent to at that moment, in the order of their codes."""
    return Unit.objects.filter(valid_at(at), dispatchable=True).order_by("code")


def counties(*, at: datetime) -> list[Place]:
    """The counties, in the order of their codes."""
    return list(Place.objects.filter(valid_at(at), level=PlaceLevel.COUNTY).order_by("code"))


def streets_of(county: Place | int, *, at: datetime) -> list[Place]:
    """The streets and towns of a county, in the order of their codes."""
    return list(Place.objects.filter(valid_at(at), parent_id=_key(county)).order_by("code"))


def county_government(place: Place, *, at: datetime) -> Unit | None:
    """The county government that takes cases for this place, or None (Pingtan)."""
    return Unit.objects.filter(
        valid_at(at), kind=UnitKind.COUNTY, place=place.parent_id or place.pk, dispatchable=True
    ).first()


def successor_at(unit: Unit, *, at: datetime) -> Unit | None:
    """The unit that does this unit's work at that moment: itself while it holds, else down its chain of successors.

    Cases of a dissolved unit go to its successor (信访工作条例§24, domain.md §2.14); None where the chain ends.
    """
    chained = Q(successor__isnull=False) | Q(predecessors__isnull=False) | Q(pk=unit.pk)
    rows = {u.pk: u for u in Unit.objects.filter(chained).distinct()}
    seen: set[int] = set()
    current: Unit | None = rows.get(unit.pk)
    while current is not None and not current.is_valid(at):
        seen.add(current.pk)
        following = current.successor_id
        current = rows.get(following) if following and following not in seen else None
    return current
