"""Which street an address or a point on the map means: proposals with their reasons, for the forms of staff and citizens."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from minsheng.cases.choices import CaseState
from minsheng.cases.models import Case, StreetWord
from minsheng.organisations import addresses, coordinates, shapes
from minsheng.organisations.addresses import Habit, Known
from minsheng.organisations.choices import PlaceLevel
from minsheng.organisations.coordinates import Point
from minsheng.organisations.models import Place
from minsheng.organisations.queries import valid_at

LEARNED_FROM = timedelta(days=365)
_CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Proposed:
    """A place and why."""

    place: Place
    reason: str


def learn_streets(*, at: datetime) -> int:
    """Count the year's landmarks and keep what they teach; returns how many. One pass over the addresses, nothing locked."""
    seen = (
        Case.objects.filter(received_at__gte=at - LEARNED_FROM, place__level=PlaceLevel.STREET, confidential=False)
        .exclude(state=CaseState.DRAFT)
        .exclude(address="")
        .order_by()
        .values_list("address", "place_id")
    )
    counted: Counter[tuple[str, int]] = Counter()
    for address, place in seen.iterator(chunk_size=_CHUNK):
        counted.update((word, place) for word in addresses.landmarks(address))
    taught = addresses.habits_of((word, place, cases) for (word, place), cases in counted.items())
    rows = [StreetWord(word=word, place_id=habit.place, cases=habit.cases) for word, habit in taught.items()]
    with transaction.atomic():
        StreetWord.objects.all().delete()
        StreetWord.objects.bulk_create(rows, batch_size=_CHUNK)
    return len(rows)


def proposed(address: str, point: Point | None, *, at: datetime) -> list[Proposed]:
    """What the address says, then where the point lies; of several the best first. Two queries at most."""
    places = {place.pk: place for place in Place.objects.filter(valid_at(at)).select_related("parent").order_by("code")}
    known = [Known(place.pk, place.name, place.parent_id) for place in places.values()]
    words = addresses.landmarks(address)
    habits = {
        row.word: Habit(row.place_id, row.cases) for row in (StreetWord.objects.filter(word__in=words) if words else ())
    }
    found = [Proposed(places[one.place], one.reason) for one in addresses.proposals(address, known, habits)]
    county = _county_of(point, list(places.values()))
    if county is not None and county.pk not in {it for one in found for it in (one.place.pk, one.place.parent_id)}:
        found.append(Proposed(county, "地图上的位置在这里"))
    return found


def _county_of(point: Point | None, places: list[Place]) -> Place | None:
    code = shapes.county_at(point) if point is not None else ""
    return next((place for place in places if place.code == code), None)


def answer(address: str, point: str, *, at: datetime) -> dict[str, Any]:
    """For the script beside a form (organisations/where.js): the proposals, the point's county, whether it is outside the city."""
    try:
        where = coordinates.read(point) if point else None
    except ValueError:
        where = None
    found = proposed(address[: addresses.LONGEST], where, at=at)
    code = shapes.county_at(where) if where else ""
    county = Place.objects.filter(code=code).values_list("name", flat=True).first() if code else ""
    return {
        "proposals": [_shown(one) for one in found],
        "county": county or "",
        "outside": bool(where) and not code,
        "unreadable": bool(point) and where is None,
    }


def _shown(one: Proposed) -> dict[str, Any]:
    place, county = one.place, one.place.parent
    return {
        "key": place.pk,
        "name": place.name,
        "county": county.name if county else "",
        "county_code": county.code if county else place.code,
        "street_code": place.code if county else "",
        "reason": one.reason + (f"；{place.reason}" if place.reason else ""),
    }
