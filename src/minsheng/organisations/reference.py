"""Loads places and units: from the package of administrative divisions and from our own data files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from minsheng.organisations.choices import PlaceLevel, UnitKind
from minsheng.organisations.loading import Count, Row, cells, read_csv, upsert
from minsheng.organisations.models import Place, Unit

DATA = Path(__file__).parent / "data"
FUZHOU = "3501"


@transaction.atomic
def load_places(*, actor: Any, at: datetime) -> Count:
    """Counties and streets of Fuzhou from npm's china-division, without the units of `place_rules.csv` that are none.

    The rules are data with reasons (domain.md §7.1): six entries are farms or statistical items and left out; Pingtan
    and all below it stay, marked as not dispatchable with the words that say where to go.
    """
    del actor, at  # history is written by trigger
    left_out, refused = place_rules()
    counties = [a for a in _divisions("areas.json") if a["cityCode"] == FUZHOU]
    count = upsert(Place, [_place_row(c, PlaceLevel.COUNTY, None, refused.get(c["code"], "")) for c in counties])
    keys = dict(Place.objects.filter(level=PlaceLevel.COUNTY).values_list("code", "pk"))
    streets = [s for s in _divisions("streets.json") if s["cityCode"] == FUZHOU and s["code"] not in left_out]
    count += upsert(
        Place, [_place_row(s, PlaceLevel.STREET, keys[s["areaCode"]], refused.get(s["areaCode"], "")) for s in streets]
    )
    return count


def place_rules() -> tuple[dict[str, str], dict[str, str]]:
    """Codes left out, and codes not dispatchable, each with the reason."""
    chosen: dict[str, dict[str, str]] = {"leave_out": {}, "not_dispatchable": {}}
    for row in read_csv(DATA / "place_rules.csv"):
        chosen[row["rule"]][row["code"]] = row["reason"]
    return chosen["leave_out"], chosen["not_dispatchable"]


def _divisions(name: str) -> list[dict[str, str]]:
    path = Path(settings.CHINA_DIVISION) / name
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: run `npm ci` first (package china-division)")
    loaded: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def _place_row(division: Mapping[str, str], level: PlaceLevel, parent: int | None, reason: str) -> Row:
    return {
        "code": division["code"],
        "name": division["name"],
        "level": level.value,
        "parent_id": parent,
        "dispatchable": not reason,
        "reason": reason,
        "source": "npm china-division",
    }


@transaction.atomic
def load_units(*, actor: Any, at: datetime) -> Count:
    """The tree of units: city, its departments, each dispatchable county's government, its bureaus and its streets."""
    del actor, at
    counties = list(Place.objects.filter(level=PlaceLevel.COUNTY, dispatchable=True).order_by("code"))
    streets = list(Place.objects.filter(level=PlaceLevel.STREET, dispatchable=True).select_related("parent"))
    rows = [*_listed_units(), *map(_county_unit, counties), *_bureaus(counties), *map(_street_unit, streets)]
    count = Count()
    for level in _by_depth(rows):  # parents first: a child needs its parent's key
        keys = dict(Unit.objects.values_list("code", "pk"))
        count += upsert(Unit, [_with_parent(row, keys) for row in level])
    return count


def _by_depth(rows: Sequence[Row]) -> list[list[Row]]:
    parents = {row["code"]: row["parent"] for row in rows}
    levels: dict[int, list[Row]] = {}
    for row in rows:
        depth, above = 0, row["parent"]
        while above:
            depth, above = depth + 1, parents[above]
        levels.setdefault(depth, []).append(row)
    return [levels[depth] for depth in sorted(levels)]


def _with_parent(row: Row, keys: Mapping[str, int]) -> Row:
    kept = {name: value for name, value in row.items() if name != "parent"}
    return {**kept, "parent_id": keys[row["parent"]] if row["parent"] else None}


def _unit_row(code: str, name: str, short_name: str, kind: str, **others: Any) -> Row:
    given = {"aliases": [], "line": "", "enforcement": False, "parent": FUZHOU, "place_id": None, "dispatchable": True}
    return {"code": code, "name": name, "short_name": short_name, "kind": UnitKind(kind).value, **given, **others}


def _listed_units() -> list[Row]:
    return [
        _unit_row(
            row["code"],
            row["name"],
            row["short_name"],
            row["kind"],
            aliases=cells(row["aliases"]),
            line=row["line"],
            enforcement=row["enforcement"] == "1",
            parent="" if row["code"] == FUZHOU else row["parent"] or FUZHOU,
            dispatchable=row["dispatchable"] == "1",
            source=row["source"],
        )
        for row in read_csv(DATA / "units.csv")
    ]


def _county_unit(county: Place) -> Row:
    return _unit_row(
        county.code,
        f"{county.name}人民政府",
        f"{county.name}政府",
        UnitKind.COUNTY,
        aliases=[county.name],
        place_id=county.pk,
        source="domain.md §7.1（县区派件对象，由地点生成）",
    )


def _bureaus(counties: Sequence[Place]) -> list[Row]:
    """The bureaus of each county by the patterns of `county_bureaus.csv`: {full} is 仓山区, {stem} is 仓山."""
    return [
        _bureau(pattern, county)
        for pattern in read_csv(DATA / "county_bureaus.csv")
        for county in counties
        if county.code not in cells(pattern["not_in"])
    ]


def _bureau(pattern: Mapping[str, str], county: Place) -> Row:
    sort = "district" if county.name.endswith("区") else "county"

    def named(text: str) -> str:
        return text.format(full=county.name, stem=county.name[:-1])

    return _unit_row(
        f"{county.code}-{pattern['suffix']}",
        named(pattern[f"{sort}_name"]),
        named(pattern[f"{sort}_short"]),
        UnitKind.BUREAU,
        aliases=cells(named(pattern["aliases"])),
        line=pattern["line"],
        enforcement=pattern["enforcement"] == "1",
        parent=county.code,
        place_id=county.pk,
        source=pattern["source"],
    )


def _street_unit(street: Place) -> Row:
    assert street.parent is not None
    office = "办事处" if street.name.endswith("街道") else "人民政府"
    return _unit_row(
        street.code,
        f"{street.parent.name}{street.name}{office}",
        street.name,
        UnitKind.STREET,
        aliases=[f"{street.parent.name}{street.name}"],
        parent=street.parent.code,
        place_id=street.pk,
        source="npm china-division（由地点生成）",
    )
