"""Points, GCJ-02, point in polygon: pure, against published points."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minsheng.organisations import coordinates, shapes
from minsheng.organisations.coordinates import Point, inside, metres_between, simplified, to_gcj02, to_wgs84

# (WGS 84, GCJ-02) as longitude, latitude: the points by which eviltransform's implementations in many languages are checked.
PUBLISHED = [
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
]
IN_FUZHOU = st.tuples(st.floats(118.4, 120.0), st.floats(25.3, 26.6))


@pytest.mark.parametrize(("real", "moved"), PUBLISHED)
def test_published_points_are_moved_as_published(real: tuple[float, float], moved: tuple[float, float]) -> None:
    assert to_gcj02(*real) == pytest.approx(moved, abs=1e-9)
    assert to_wgs84(*moved) == pytest.approx(real, abs=1e-8)


@given(IN_FUZHOU)
def test_there_and_back_is_the_same_place_and_the_way_is_some_hundred_metres(point: tuple[float, float]) -> None:
    moved = to_gcj02(*point)
    assert 300 < metres_between(point, moved) < 700
    assert metres_between(point, to_wgs84(*moved)) < 0.01


@pytest.mark.parametrize("wrong", ["", "119", "119,26,1", "north,south", "181,26", "119,91", "nan,26", "119,inf", "1" * 70 + ",26"])
def test_what_is_no_position_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="not a position"):
        coordinates.read(wrong)


def test_a_position_is_read_as_it_is_written() -> None:
    point = Point.of(119.2965004, "26.07450049")
    assert str(point) == "119.296500,26.074500"
    assert coordinates.read(str(point)) == coordinates.read("119.2965，26.0745") == point
    assert str(point.rounded()) == "119.30,26.07"


def test_inside_is_inside_and_a_hole_is_outside() -> None:
    square = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0), (0.0, 0.0)]
    hole = [(1.0, 1.0), (2.0, 1.0), (2.0, 2.0), (1.0, 2.0), (1.0, 1.0)]
    assert inside(3, 3, [square, hole]) and inside(0.5, 0.5, [square, hole])
    assert not inside(1.5, 1.5, [square, hole]) and not inside(5, 1, [square, hole]) and not inside(-1, 2, [square, hole])


def test_a_simplified_ring_keeps_its_corners_and_loses_what_lies_between() -> None:
    ring = [(0.0, 0.0), (1.0, 0.001), (2.0, 0.0), (2.0, 2.0), (1.0, 2.001), (0.0, 2.0), (0.0, 0.0)]
    assert simplified(ring, 0.01) == [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0), (0.0, 0.0)]
    assert simplified(ring, 0.0001) == ring


# --- the counties as installed -----------------------------------------------------------------------------------

KNOWN = [
    ("三坊七巷", 119.2925, 26.0855, "350102"),
    ("福州南站", 119.3855, 25.9860, "350104"),
    ("鼓山涌泉寺", 119.3830, 26.0605, "350111"),
    ("长乐国际机场", 119.6600, 25.9300, "350112"),
    ("福清市区", 119.3790, 25.7230, "350181"),
    ("平潭城关", 119.7880, 25.5030, "350128"),
    ("永泰城关", 118.9340, 25.8690, "350125"),
    ("罗源城关", 119.5480, 26.4900, "350123"),
]


@pytest.mark.parametrize(("name", "longitude", "latitude", "code"), KNOWN)
def test_known_places_lie_in_their_county(name: str, longitude: float, latitude: float, code: str) -> None:
    assert shapes.county_at(Point.of(longitude, latitude)) == code, name


@pytest.mark.parametrize(
    ("longitude", "latitude"), [(118.08, 24.48), (121.50, 25.05), (116.39, 39.91), (0, 0), (119.9, 26.9), (-119.3, -26.07)]
)
def test_other_cities_and_the_sea_are_no_county(longitude: float, latitude: float) -> None:
    assert shapes.county_at(Point.of(longitude, latitude)) == ""


def test_just_off_the_shore_is_still_the_city() -> None:
    assert shapes.county_at(Point.of("119.70", "25.93")) == "350112"


def test_what_is_drawn_is_small_and_of_wgs84() -> None:
    drawn = shapes.drawn()
    assert set(drawn) == {county.code for county in shapes.counties()} and len(drawn) == 13
    assert sum(len(ring) for polygons in drawn.values() for rings in polygons for ring in rings) < 15_000
    gulou = drawn["350102"][0][0]
    west = min(corner[0] for corner in gulou)
    given = min(x for x, _ in next(county for county in shapes.counties() if county.code == "350102").polygons[0][0])
    assert 0.004 < given - west < 0.0056  # GCJ-02 lies so much to the east here
    x, y = shapes.middle(drawn["350102"])
    assert shapes.county_at(Point.of(x, y)) == "350102"
