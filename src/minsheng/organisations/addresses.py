"""Which street an address names: pure rules over the names of places and the landmarks that earlier addresses shared.

A proposal is never a choice: it is shown with its reason, and a person takes it or leaves it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

LONGEST = 200
MOST = 3  # proposals shown
# A landmark teaches a street when so many cases of a year name it and so many of these lie there (docs/house.md has the figures).
LEAST_CASES, LEAST_SHARE = 5, 0.6

_ENDS = re.compile(r"(?:街道办事处|街道办|街道|民族乡|畲族乡|镇|乡)$")
_COUNTY_END = re.compile(r"[市区县]$")
# What makes a place's name a part of a road's or a bridge's: 金山大道 begins in 金山 and may end elsewhere.
_ROAD_FOLLOWS = re.compile(r"(?:[东南西北中]|[一二三四五六七八九十])?(?:大道|路|街(?!道)|桥|高速|隧道|立交)")
_LANDMARK = re.compile(
    r"[\u4e00-\u9fff]{1,8}?"
    r"(?:大道|公路|[东南西北中一二三四五六七八九十]?路|步行街|[东南西北中]?街(?!道)|巷|弄|新村|花园|小区|新城|名城|雅苑|佳园|家园|嘉园|公寓|大厦|广场"
    r"|公馆|花苑|新苑|小镇|工业区|工业园|产业园|市场|医院|学校|小学|中学|大学|学院|公园|村(?!民|委)|社区|桥)"
)
_LEADING = re.compile(r"^(?:.*(?:位于|住在|靠近|附近|对面|旁边|交叉口|路口)|[在于从到往和与及跟的请将把是就、，。])+")
_ELSEWHERE = re.compile(r"湖南省|上海市|南海区|宁化县|同安区|□")  # their namesakes are Fuzhou's, these are not
_TOO_COMMON = frozenset({"这条路", "那条路", "本小区", "我小区", "十字路", "人行路"})


class Ground(IntEnum):
    """Why a place is proposed, the strongest first."""

    NAMED = 3  # its whole name stands there
    LEARNED = 2  # earlier cases with the same landmark lie there
    SHORT = 1  # its name without 街道, 镇, 乡
    COUNTY = 0  # only the county is named


@dataclass(frozen=True, slots=True)
class Known:
    """A place that may be proposed. `county` is None for a county."""

    key: int
    name: str
    county: int | None


@dataclass(frozen=True, slots=True)
class Habit:
    """What earlier addresses teach: so many of the cases that named a landmark lay in this place."""

    place: int
    cases: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """One place and the words of the address that point to it."""

    place: int
    ground: Ground
    word: str
    cases: int = 0

    @property
    def reason(self) -> str:
        """For the screen: “地址里有‘鼓山’”."""
        if self.ground is Ground.LEARNED:
            return f"近一年地址里有“{self.word}”的诉求多在这里（{self.cases} 件）"
        return f"地址里有“{self.word}”"


def plain(address: str) -> str:
    """Half-width, without blanks, cut to what an address may hold."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", address.replace("\0", "")))[:LONGEST]


def proposals(address: str, places: Sequence[Known], habits: Mapping[str, Habit] | None = None) -> list[Proposal]:
    """The places that an address points to, best first; empty where it says nothing."""
    text = plain(address)
    all_counties = [place for place in places if place.county is None]
    all_streets = [place for place in places if place.county is not None]
    # 仓山区 before 仓山镇, and that before 仓山, which alone is the county's.
    whole, rest = _matches(_ELSEWHERE.sub("□", text), _whole_names(all_counties))
    named, rest = _matches(rest, _spoken(all_streets))
    short, rest = _matches(rest, {_COUNTY_END.sub("", county.name): [county] for county in all_counties})
    counties = {county.key: word for word, owners in [*whole, *short] for county in owners}
    streets = [street for street in all_streets if not counties or street.county in counties]
    found = [Proposal(one.key, Ground.NAMED, word) for word, owners in named for one in owners if one in streets]
    within = {street.key for street in streets} | set(counties)
    for word in landmarks(text):
        habit = (habits or {}).get(word)
        if habit and habit.place in within:
            found.append(Proposal(habit.place, Ground.LEARNED, word, habit.cases))
    found += _short(rest, streets)
    found += [Proposal(key, Ground.COUNTY, word) for key, word in counties.items()]
    best: dict[int, Proposal] = {}
    for proposal in found:
        best.setdefault(proposal.place, proposal)
    ordered = sorted(best.values(), key=lambda proposal: -proposal.ground)
    if ordered and ordered[0].ground is not Ground.COUNTY:
        ordered = [proposal for proposal in ordered if proposal.ground is not Ground.COUNTY]
    return ordered[:MOST]


def _whole_names(counties: Iterable[Known]) -> dict[str, list[Known]]:
    """仓山区; and 长乐市, as people still say."""
    return {_COUNTY_END.sub("", county.name) + end: [county] for county in counties for end in "市区县"}


def _spoken(streets: Iterable[Known]) -> dict[str, list[Known]]:
    """Whole names, with 霍口乡 for 霍口畲族乡; one name may be several streets'."""
    found: dict[str, list[Known]] = {}
    for street in streets:
        for name in {street.name, street.name.replace("畲族", "")}:
            found.setdefault(name, []).append(street)
    return found


def _short(rest: str, streets: Iterable[Known]) -> list[Proposal]:
    """By the name without its end, where only one street has it; what is only part of a road's name comes last."""
    stems: dict[str, list[Known]] = {}
    for street in streets:
        stem = _ENDS.sub("", street.name)
        if len(stem) >= 2:
            stems.setdefault(stem, []).append(street)
    found, _ = _matches(rest, {stem: owners for stem, owners in stems.items() if len(owners) == 1})

    def in_a_road(pair: tuple[str, list[Known]]) -> bool:
        return bool(_ROAD_FOLLOWS.match(rest[rest.index(pair[0]) + len(pair[0]) :]))

    return [Proposal(owners[0].key, Ground.SHORT, word) for word, owners in sorted(found, key=in_a_road)]


def _matches(text: str, names: Mapping[str, list[Known]]) -> tuple[list[tuple[str, list[Known]]], str]:
    """Names inside a text, each once, the longest first where they overlap, else the earlier; and the text with them blotted out."""
    found = []
    for name in sorted(names, key=lambda name: (-len(name), text.find(name))):
        if name in text:
            found.append((name, names[name]))
            text = text.replace(name, "□" * len(name))
    return found, text


def landmarks(address: str) -> list[str]:
    """Roads, estates and the like that an address names, without house numbers: 金山大道, 金辉花园. Each once, in order."""
    text = re.sub(r"[A-Za-z0-9０-９#＃\-－]+(?:号楼|号|栋|幢|座|单元|层|楼|室|户|期|区)?", "，", plain(address))
    text = re.sub(r"(?:福建省|福州市?|[\u4e00-\u9fff]{2}[区县]|[\u4e00-\u9fff]{2,3}(?:街道(?:办事处)?|镇|畲族乡|乡)(?![路村]))", "，", text)
    found: dict[str, None] = {}
    for match in _LANDMARK.finditer(text):
        word = _LEADING.sub("", match[0])
        if 3 <= len(word) <= 10 and word not in _TOO_COMMON:
            found[word] = None
    return list(found)


def habits_of(counted: Iterable[tuple[str, int, int]]) -> dict[str, Habit]:
    """(landmark, place, cases) to what they teach: the place where most of a landmark's cases lie, if they are enough."""
    total: dict[str, int] = {}
    most: dict[str, tuple[int, int]] = {}
    for word, place, cases in counted:
        total[word] = total.get(word, 0) + cases
        most[word] = max(most.get(word, (0, 0)), (cases, place))
    return {
        word: Habit(place, cases)
        for word, (cases, place) in most.items()
        if cases >= LEAST_CASES and cases >= LEAST_SHARE * total[word]
    }
