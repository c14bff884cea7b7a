"""Kin, validity and succession on Fuzhou's own tree."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from minsheng.organisations import queries
from minsheng.organisations.choices import Line, UnitKind
from minsheng.organisations.models import Place, Unit

pytestmark = pytest.mark.usefixtures("fuzhou")


def unit(code: str) -> Unit:
    return Unit.objects.get(code=code)


def test_relatives_are_parents_and_children_but_not_neighbours(django_assert_num_queries: Any) -> None:
    bureau, county, street = unit("350104-CGJ"), unit("350104"), unit("350104008")
    with django_assert_num_queries(1):
        assert queries.relatives(bureau) == {bureau.pk, county.pk}
    assert {bureau.pk, county.pk, street.pk} <= queries.relatives(county)
    assert unit("3501").pk not in queries.relatives(county)
    assert queries.relatives(unit("3501-JJZD")) == {unit("3501-JJZD").pk, unit("3501-GAJ").pk}
    assert queries.relatives(unit("3501").pk) == {unit("3501").pk}


def test_subtree_and_ancestors() -> None:
    county = unit("350104")
    assert queries.subtree_ids(county) == set(
        Unit.objects.filter(code__startswith="350104").values_list("pk", flat=True)
    )
    assert queries.ancestor_ids(unit("350104008")) == [county.pk, unit("3501").pk]
    place = Place.objects.get(code="350104")
    assert len(queries.place_subtree_ids(place)) == 14


def test_county_of() -> None:
    street = Place.objects.select_related("parent").get(code="350104008")
    assert queries.county_of(street).code == "350104"
    assert queries.county_of(Place.objects.get(code="350104")).code == "350104"


def test_units_serving_a_place(at: datetime) -> None:
    street = Place.objects.get(code="350104008")
    assert [u.code for u in queries.units_serving(street, line=Line.CITY_MANAGEMENT, at=at)] == ["350104-CGJ"]
    assert queries.units_serving(street, at=at)[0].code == "350104008"
    assert [u.code for u in queries.units_serving(street, kind=UnitKind.STREET, at=at)] == ["350104008"]
    government = queries.county_government(street, at=at)
    assert government is not None
    assert government.code == "350104"
    assert queries.county_government(Place.objects.get(code="350128"), at=at) is None


def test_a_dissolved_unit_hands_on_to_its_successor_on_the_day(at: datetime) -> None:
    old, middle, new = unit("3501-YLZX"), unit("3501-LYJ"), unit("3501-CGW")
    Unit.objects.filter(pk=old.pk).update(successor=middle, valid_to=date(2026, 7, 1))
    Unit.objects.filter(pk=middle.pk).update(successor=new, valid_to=date(2026, 9, 1))
    old.refresh_from_db()
    june = at.replace(month=6, day=30)
    assert queries.successor_at(old, at=june) == old
    assert queries.successor_at(old, at=june + timedelta(days=1)) == middle
    assert queries.successor_at(old, at=at) == new


def test_a_chain_of_successors_that_ends_or_loops_gives_none(at: datetime) -> None:
    one, two = unit("3501-YLZX"), unit("3501-LYJ")
    Unit.objects.filter(pk=one.pk).update(successor=two, valid_to=date(2026, 7, 1))
    Unit.objects.filter(pk=two.pk).update(successor=one, valid_to=date(2026, 7, 1))
    one.refresh_from_db()
    assert queries.successor_at(one, at=at) is None
