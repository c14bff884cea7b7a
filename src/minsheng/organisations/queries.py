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


def ancestor_ids(unit: Unit | int) -> list[int]:
    """The units above, nearest first, the city root last."""
    return rules.ancestors(_unit_parents(), _key(unit))


def relatives(unit: Unit | int) -> set[int]:
    """Self, all below, all above but the city root: none of them may be given a case against this unit (design §6).

    The root itself has no relatives but itself: a case against the city is not a reason to refuse every unit in it.
    """
    rows = list(Unit.objects.order_by().values_list("pk", "parent_id", "kind"))
    roots = {pk for pk, _, kind in rows if kind == UnitKind.CITY}
    return rules.kin({pk: parent for pk, parent, _ in rows}, _key(unit), roots=roots)


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
    return Unit.objects.filter(valid_at(at), wanted, dispatchable=True).order_by("code")


def find_units(text: str, *, at: datetime, limit: int = 20, dispatchable: bool | None = True) -> list[Unit]:
    """Units whose name, short name, alias, pinyin or initials contain the text; exact names first, then beginnings.

    `dispatchable=None` finds also those that take no cases. An empty text finds the first of the list.
    """
    units = Unit.objects.filter(valid_at(at)).select_related("parent", "place")
    if dispatchable is not None:
        units = units.filter(dispatchable=dispatchable)
    typed = rules.normalised(text)
    if typed:
        units = units.filter(search_key__contains=typed)
    rank = Case(
        When(Q(short_name__iexact=typed) | Q(name__iexact=typed) | Q(aliases__contains=[typed]), then=Value(0)),
        When(Q(short_name__istartswith=typed) | Q(name__istartswith=typed), then=Value(1)),
        When(search_key__contains="\n" + typed, then=Value(2)),
        default=Value(3),
        output_field=IntegerField(),
    )
    return list(units.order_by(rank, "code")[:limit])


def find_places(text: str, *, at: datetime, limit: int = 20) -> list[Place]:
    """Places whose name, pinyin or initials contain the text, also those not dispatchable (the screen says why)."""
    places = Place.objects.filter(valid_at(at)).select_related("parent")
    typed = rules.normalised(text)
    if typed:
        places = places.filter(search_key__contains=typed)
    rank = Case(
        When(name__iexact=typed, then=Value(0)),
        When(Q(name__istartswith=typed) | Q(search_key__contains="\n" + typed), then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return list(places.order_by(rank, "code")[:limit])


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
