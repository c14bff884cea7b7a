"""What is shipped, and what loading again does."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from minsheng.organisations import reference
from minsheng.organisations.choices import UnitKind
from minsheng.organisations.loading import read_csv
from minsheng.organisations.models import Place, Unit

pytestmark = pytest.mark.usefixtures("fuzhou")

# domain.md §7.1, less the six that are no streets.
STREETS = {
    "鼓楼区": 10, "台江区": 10, "仓山区": 13, "马尾区": 4, "晋安区": 9, "长乐区": 18, "闽侯县": 15, "连江县": 22,
    "罗源县": 11, "闽清县": 16, "永泰县": 21, "平潭县": 7, "福清市": 24,
}  # fmt: skip


def test_counts_are_those_of_the_handbook() -> None:
    streets = Place.objects.filter(level="street")
    assert Counter(streets.values_list("parent__name", flat=True)) == STREETS
    assert streets.filter(dispatchable=True).count() == 173
    assert not Place.objects.filter(
        name__in=["红星农场", "江洋农场", "马祖乡", "罗源湾", "江镜华侨", "东阁华侨"]
    ).exists()


def test_pingtan_is_known_and_not_dispatchable() -> None:
    pingtan = Place.objects.filter(code__startswith="350128")
    assert pingtan.count() == 8
    assert all(not place.dispatchable and "平潭综合实验区" in place.reason for place in pingtan)
    assert not Unit.objects.filter(place__in=pingtan).exists()


@pytest.mark.realdata
def test_places_are_those_of_the_checked_list(real_data: Path) -> None:
    left_out, _ = reference.place_rules()
    with (real_data / "fuzhou_streets.csv").open(encoding="utf-8") as file:
        listed = {(row["code"], row["name"], row["areaCode"]) for row in csv.DictReader(file)}
    assert len(listed) == 186
    assert left_out.keys() <= {code for code, _, _ in listed}
    loaded = Place.objects.filter(level="street").values_list("code", "name", "parent__code")
    assert set(loaded) == {row for row in listed if row[0] not in left_out}


def test_rules_of_places_name_what_the_package_calls_so() -> None:
    names = {d["code"]: d["name"] for file in ("areas.json", "streets.json") for d in reference._divisions(file)}
    for row in read_csv(reference.DATA / "place_rules.csv"):
        assert names[row["code"]] == row["name"]
        assert row["reason"]
        assert row["source"]


def test_the_tree_has_one_root_and_no_orphan() -> None:
    roots = Unit.objects.filter(parent=None)
    assert [unit.kind for unit in roots] == [UnitKind.CITY]
    assert Unit.objects.filter(kind=UnitKind.STREET).count() == 173
    assert Unit.objects.filter(kind=UnitKind.COUNTY).count() == 12
    for unit in Unit.objects.filter(kind__in=[UnitKind.STREET, UnitKind.BUREAU]).select_related("parent", "place"):
        assert unit.parent is not None
        assert unit.place is not None
        assert unit.parent.kind == UnitKind.COUNTY
        assert unit.place_id == unit.parent.place_id or unit.place.parent_id == unit.parent.place_id


def test_every_unit_has_a_name_of_its_own_and_a_source_and_none_a_made_up_telephone() -> None:
    units = list(Unit.objects.all())
    names = Counter(name for unit in units for name in {unit.name, unit.short_name})
    assert [name for name, count in names.items() if count > 1] == []
    assert all(unit.source and not unit.duty_line for unit in units)


def test_loading_again_changes_nothing(at: datetime, django_assert_max_num_queries: object) -> None:
    before = list(Unit.objects.order_by("pk").values_list("pk", "version"))
    assert str(reference.load_places(actor=None, at=at)) == "新增 0，更新 0，未变 193"
    again = reference.load_units(actor=None, at=at)
    assert (again.created, again.updated, again.kept) == (0, 0, 0)
    assert list(Unit.objects.order_by("pk").values_list("pk", "version")) == before


def test_an_administrators_value_stays_and_the_others_follow_the_file(at: datetime) -> None:
    unit = Unit.objects.get(code="350104-CGJ")
    unit.duty_line, unit.short_name = "0591-12345678", "仓山城管"  # edited by hand
    unit.loaded = {**unit.loaded, "source": "旧来源"}  # and the file has changed since it was loaded
    unit.source = "旧来源"
    unit.save()
    count = reference.load_units(actor=None, at=at)
    unit.refresh_from_db()
    assert (unit.short_name, unit.duty_line) == ("仓山城管", "0591-12345678")
    assert unit.source.startswith("常识清单")
    assert unit.version == 2
    assert (count.updated, count.kept) == (1, 1)
    assert "csqcsglj" in unit.search_key
    assert reference.load_units(actor=None, at=at).updated == 0
