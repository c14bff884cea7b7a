"""Which street an address means: rules alone, and by the real names of Fuzhou's streets."""

from __future__ import annotations

import csv
import gzip
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minsheng.organisations.addresses import Ground, Habit, Known, habits_of, landmarks, proposals

NAMES = {
    "仓山区": ["仓山镇", "建新镇", "城门镇", "金山街道", "三叉街街道"],
    "晋安区": ["鼓山镇", "新店镇"],
    "台江区": ["上海街道", "宁化街道"],
    "长乐区": ["湖南镇", "金峰镇"],
    "罗源县": ["霍口畲族乡", "白塔乡"],
    "闽清县": ["省璜镇", "白塔乡"],
}
PLACES: list[Known] = []
for _county, _streets in NAMES.items():
    PLACES.append(Known(len(PLACES), _county, None))
    _key = PLACES[-1].key
    for _street in _streets:
        PLACES.append(Known(len(PLACES), _street, _key))
_BY_KEY = {place.key: place.name for place in PLACES}


def told(address: str, habits: dict[str, Habit] | None = None) -> list[tuple[str, Ground, str]]:
    return [(_BY_KEY[one.place], one.ground, one.word) for one in proposals(address, PLACES, habits)]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("仓山区建新镇金山大道 618 号", ("建新镇", Ground.NAMED, "建新镇")),
        ("仓山区仓山镇先锋村", ("仓山镇", Ground.NAMED, "仓山镇")),
        ("仓山万达广场", ("仓山区", Ground.COUNTY, "仓山")),
        ("鼓山脚下", ("鼓山镇", Ground.SHORT, "鼓山")),
        ("金山大道618号附近", ("金山街道", Ground.SHORT, "金山")),
        ("长乐市金峰镇", ("金峰镇", Ground.NAMED, "金峰镇")),
        ("霍口乡福湖村", ("霍口畲族乡", Ground.NAMED, "霍口乡")),
        ("闽清县省璜镇", ("省璜镇", Ground.NAMED, "省璜镇")),
        ("闽清白塔", ("白塔乡", Ground.SHORT, "白塔")),
        ("三叉街新村", ("三叉街街道", Ground.SHORT, "三叉街")),
        ("ＪＩＡＮ　建 新 镇", ("建新镇", Ground.NAMED, "建新镇")),
    ],
)
def test_the_best_proposal(address: str, expected: tuple[str, Ground, str]) -> None:
    assert told(address)[0] == expected


@pytest.mark.parametrize("address", ["", "湖南省长沙市", "上海市浦东新区", "门口的路灯", "白塔", "\0" * 300])
def test_where_nothing_can_be_told_nothing_is_proposed(address: str) -> None:
    assert told(address) == []


def test_a_county_that_is_named_leaves_out_the_others() -> None:
    assert told("晋安区金山路") == [("晋安区", Ground.COUNTY, "晋安区")]
    assert [name for name, *_ in told("罗源县白塔乡")] == ["白塔乡"]


def test_what_is_a_road_comes_after_what_is_none() -> None:
    assert [word for *_, word in told("鼓山与金山大道之间")] == ["鼓山", "金山"]


def test_landmarks_have_neither_numbers_nor_places_nor_prepositions() -> None:
    assert landmarks("福州市仓山区建新镇金山大道618号金辉花园3号楼502室") == ["金山大道", "金辉花园"]
    assert landmarks("位于五四路与湖东路交叉口") == ["五四路", "湖东路"]
    assert landmarks("小区门口") == landmarks("") == landmarks("林女士家3-501") == []


@given(st.text(max_size=300))
def test_no_text_causes_an_error_or_teaches_a_number(text: str) -> None:
    proposals(text, PLACES)
    assert not [word for word in landmarks(text) if re.search(r"[0-9A-Za-z]", word)]


def test_a_landmark_teaches_only_when_often_and_mostly_in_one_street() -> None:
    taught = habits_of([("金山大道", 1, 8), ("金山大道", 2, 2), ("五四路", 1, 5), ("五四路", 2, 5), ("湖东路", 3, 4)])
    assert taught == {"金山大道": Habit(1, 8)}


def test_what_was_learned_stands_below_a_name_and_above_half_a_name() -> None:
    jianxin = next(place.key for place in PLACES if place.name == "建新镇")
    habits = {"金山大道": Habit(jianxin, 12)}
    assert [name for name, *_ in told("金山大道618号", habits)] == ["建新镇", "金山街道"]
    assert told("城门镇金山大道", habits)[0][0] == "城门镇"
    assert told("鼓山镇晋安区金山大道", habits) == [("鼓山镇", Ground.NAMED, "鼓山镇")]
    assert proposals("金山大道", PLACES, habits)[0].reason == "近一年地址里有“金山大道”的诉求多在这里（12 件）"


# --- real data: figures in docs/house.md --------------------------------------------------------------------------


@pytest.mark.realdata
def test_real_street_names_are_found_in_every_way_of_writing_them(real_data: Path) -> None:
    with (real_data / "fuzhou_streets.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if not row["code"].endswith(("400", "401", "500")) or row["code"] == "350122500"]
    counties = {name: -i for i, name in enumerate(dict.fromkeys(row["areaName"] for row in rows), start=1)}
    known = [Known(key, name, None) for name, key in counties.items()]
    known += [Known(i, row["name"], counties[row["areaName"]]) for i, row in enumerate(rows, start=1)]

    def right(written: list[str]) -> int:
        found = [proposals(address, known) for address in written]
        return sum(bool(them) and them[0].place == i for i, them in enumerate(found, start=1))

    assert right([f"福州市{row['areaName']}{row['name']}中山路12号" for row in rows]) == len(rows)
    assert right([f"{row['name']}幸福路12号" for row in rows]) >= len(rows) - 1
    stems = [re.sub("(街道|畲族乡|镇|乡)$", "", row["name"]) for row in rows]
    assert right([f"{stem}幸福小区3号楼" for stem in stems]) >= len(rows) - 3


@pytest.mark.realdata
def test_landmarks_of_earlier_real_messages_tell_the_district_of_later_ones(real_data: Path) -> None:
    """Another city's messages, its districts masked by letters: what stands behind 'A3区' is taken for the address."""
    told: dict[str, tuple[str, str, str]] = {}
    with gzip.open(real_data / "messages_unlabelled.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            text = f"{row['title']}，{row['text']}"
            match = re.search(r"(A\d[区县市])([^。！？\n]{4,30})", text)
            if match and len(set(re.findall(r"A\d[区县市]", text))) == 1:
                told[text] = (row["created_at"], match[1], match[2])
    rows = sorted(told.values())
    districts = {name: i for i, name in enumerate(sorted({district for _, district, _ in rows}))}
    earlier, later = rows[: len(rows) * 7 // 10], rows[len(rows) * 7 // 10 :]
    counted = Counter((word, districts[district]) for _, district, address in earlier for word in landmarks(address))
    taught = habits_of((word, place, cases) for (word, place), cases in counted.items())
    answers = [
        taught[word].place == districts[district]
        for _, district, address in later
        for word in landmarks(address)
        if word in taught
    ]
    assert len(answers) >= 5
    assert sum(answers) / len(answers) >= 0.95
