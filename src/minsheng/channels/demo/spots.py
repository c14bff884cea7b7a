"""Where made-up cases happen: around a made-up middle of the street, always inside the right county."""

from __future__ import annotations

from functools import cache
from random import Random

from minsheng.organisations import shapes
from minsheng.organisations.coordinates import Point, to_wgs84
from minsheng.organisations.models import Place

_SPREAD = 0.008  # degrees, some 800 m
_TRIES = 200


def spot(place: Place, random: Random) -> Point | None:
    """A point near the street's middle; None where chance finds none in the county."""
    county = (place.parent or place).code
    middle = _middle(place.code, county)
    for _ in range(20):
        if middle is None:
            break
        point = Point.of(f"{random.gauss(middle[0], _SPREAD):.6f}", f"{random.gauss(middle[1], _SPREAD):.6f}")
        if shapes.county_at(point) == county:
            return point
    return None


@cache
def _middle(street: str, county: str) -> tuple[float, float] | None:
    """The same for a street each time: we know no outlines of streets, so a point of the county stands for each."""
    random = Random(street)  # noqa: S311 - chance, not secrecy
    outline = next((one for one in shapes.counties() if one.code == county), None)
    if outline is None:
        return None
    west, south, east, north = max(outline.boxes, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
    for _ in range(_TRIES):
        x, y = random.uniform(west, east), random.uniform(south, north)
        if outline.holds(x, y):
            return to_wgs84(x, y)
    return None
