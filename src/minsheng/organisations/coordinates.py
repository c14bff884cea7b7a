"""Points on the ground. What is stored, sent and received is WGS 84; only Chinese map data come in GCJ-02. Pure.

GCJ-02 moves a point by some 300 to 700 metres. The formula below is the one that public implementations agree on (eviltransform,
coordtransform); within some metres it is the official, unpublished one. CGCS2000 (天地图) differs from WGS 84 by centimetres and is
taken for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

_AXIS, _ECCENTRICITY = 6378245.0, 0.00669342162296594323  # Krasovsky 1940, which GCJ-02 is defined on
_METRES_PER_DEGREE = 111_320.0
_PLACES = Decimal("0.000001")  # 0.1 m
_COARSE = Decimal("0.01")  # about a kilometre
Ring = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Point:
    """WGS 84, degrees with six decimals."""

    longitude: Decimal
    latitude: Decimal

    @classmethod
    def of(cls, longitude: object, latitude: object) -> Point:
        """From numbers or their texts. Errors: ValueError for what is no position on the earth."""
        try:
            east, north = (Decimal(str(value)).quantize(_PLACES) for value in (longitude, latitude))
            on_earth = -180 <= east <= 180 and -90 <= north <= 90
        except InvalidOperation:  # words, infinity, and at the comparison what is not a number
            on_earth = False
        if not on_earth:
            raise ValueError("not a position")
        return cls(east, north)

    def rounded(self) -> Point:
        """To about a kilometre: for who may know the neighbourhood and not the house."""
        return Point(self.longitude.quantize(_COARSE), self.latitude.quantize(_COARSE))

    def __str__(self) -> str:
        """“119.296500,26.074500”, as a form's field and `read` have it."""
        return f"{self.longitude},{self.latitude}"


def read(text: str) -> Point:
    """The opposite of `str(point)`. Errors: ValueError."""
    parts = text.replace("，", ",").split(",")
    if len(parts) != 2 or len(text) > 60:
        raise ValueError("not a position")
    return Point.of(parts[0].strip(), parts[1].strip())


def to_gcj02(longitude: float, latitude: float) -> tuple[float, float]:
    """WGS 84 to GCJ-02. Only meant for points in mainland China."""
    x, y = longitude - 105.0, latitude - 35.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    north += _waves(x, (20.0, 6.0), (20.0, 2.0)) + _waves(y, (20.0, 1.0), (40.0, 1 / 3)) + _waves(y, (160.0, 1 / 12), (320.0, 1 / 30))
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    east += _waves(x, (20.0, 6.0), (20.0, 2.0)) + _waves(x, (20.0, 1.0), (40.0, 1 / 3)) + _waves(x, (150.0, 1 / 12), (300.0, 1 / 30))
    radians = math.radians(latitude)
    magic = 1 - _ECCENTRICITY * math.sin(radians) ** 2
    north = north * 180.0 / ((_AXIS * (1 - _ECCENTRICITY)) / (magic * math.sqrt(magic)) * math.pi)
    east = east * 180.0 / (_AXIS / math.sqrt(magic) * math.cos(radians) * math.pi)
    return longitude + east, latitude + north


def _waves(value: float, *terms: tuple[float, float]) -> float:
    return sum(height * math.sin(value * pace * math.pi) for height, pace in terms) * 2.0 / 3.0


def to_wgs84(longitude: float, latitude: float) -> tuple[float, float]:
    """GCJ-02 to WGS 84, by going back what the forward formula moves; exact to a millimetre."""
    east, north = longitude, latitude
    for _ in range(4):
        moved = to_gcj02(east, north)
        east, north = east - (moved[0] - longitude), north - (moved[1] - latitude)
    return east, north


def metres_between(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Distance of two (longitude, latitude) some kilometres apart, to a percent."""
    east = (a[0] - b[0]) * math.cos(math.radians((a[1] + b[1]) / 2))
    return math.hypot(east, a[1] - b[1]) * _METRES_PER_DEGREE


def inside(longitude: float, latitude: float, rings: Sequence[Ring]) -> bool:
    """Whether a point lies in a polygon with holes, by the even-odd rule; on an edge it may be either."""
    odd = False
    for ring in rings:
        x1, y1 = ring[-1]
        for x2, y2 in ring:
            if (y1 > latitude) != (y2 > latitude) and longitude < (x2 - x1) * (latitude - y1) / (y2 - y1) + x1:
                odd = not odd
            x1, y1 = x2, y2
    return odd


def simplified(ring: Ring, tolerance: float) -> list[tuple[float, float]]:
    """A closed ring with fewer corners, none further than `tolerance` degrees from where it was (Douglas and Peucker)."""
    if len(ring) < 5:
        return list(ring)
    half = max(range(len(ring)), key=lambda i: _squared(ring[0], ring[i]))
    if half == 0:
        return [ring[0]]
    return _thinned(ring[: half + 1], tolerance)[:-1] + _thinned(ring[half:], tolerance)


def _squared(a: tuple[float, float], b: tuple[float, float]) -> float:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2


def _thinned(line: Ring, tolerance: float) -> list[tuple[float, float]]:
    keep, waiting = {0, len(line) - 1}, [(0, len(line) - 1)]
    while waiting:
        first, last = waiting.pop()
        far, at = 0.0, 0
        (x1, y1), (x2, y2) = line[first], line[last]
        length = math.hypot(x2 - x1, y2 - y1) or 1.0
        for i in range(first + 1, last):
            off = abs((x2 - x1) * (y1 - line[i][1]) - (x1 - line[i][0]) * (y2 - y1)) / length
            if off > far:
                far, at = off, i
        if far > tolerance:
            keep.add(at)
            waiting += [(first, at), (at, last)]
    return [line[i] for i in sorted(keep)]
