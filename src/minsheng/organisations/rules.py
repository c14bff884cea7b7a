"""Pure rules about places and units: validity, search keys, assessment groups, walks over a parent map."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pypinyin import Style, lazy_pinyin

from minsheng.organisations.choices import AssessmentGroup, UnitKind

SHANGHAI = ZoneInfo("Asia/Shanghai")

_GROUPS = {
    UnitKind.COUNTY: AssessmentGroup.COUNTIES,
    UnitKind.ZONE: AssessmentGroup.COUNTIES,
    UnitKind.DEPARTMENT: AssessmentGroup.DEPARTMENTS,
    UnitKind.INSTITUTION: AssessmentGroup.DEPARTMENTS,
    UnitKind.UTILITY: AssessmentGroup.UTILITIES,
    UnitKind.VERTICAL: AssessmentGroup.VERTICAL,
    UnitKind.BUREAU: AssessmentGroup.BUREAUS,
    UnitKind.STREET: AssessmentGroup.STREETS,
}


def local_day(at: datetime) -> date:
    """The day in Fuzhou at that moment; a moment without a zone is a programming error."""
    if at.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return at.astimezone(SHANGHAI).date()


def holds(valid_from: date | None, valid_to: date | None, day: date) -> bool:
    """Validity is half open: from the first day, up to but not including the day it ends."""
    return (valid_from is None or valid_from <= day) and (valid_to is None or day < valid_to)


def assessment_group(kind: str, *, enforcement: bool) -> AssessmentGroup:
    """Units are assessed among their like: 分组分档 (domain.md §3.4; 国办66号(八))."""
    if kind == UnitKind.DEPARTMENT and enforcement:
        return AssessmentGroup.ENFORCEMENT
    return _GROUPS.get(UnitKind(kind), AssessmentGroup.NONE)


def search_key(names: Iterable[str]) -> str:
    """What a search looks in: each name, its whole pinyin and its initials, lower case, one per line, none twice."""
    lines: dict[str, None] = {}
    for name in filter(None, (n.strip().lower() for n in names)):
        lines[name] = None
        lines["".join(lazy_pinyin(name))] = None
        lines["".join(lazy_pinyin(name, style=Style.FIRST_LETTER))] = None
    return "\n".join(lines)


def normalised(text: str) -> str:
    """A search text as typed: without spaces, lower case, without the NUL that PostgreSQL refuses."""
    return "".join(text.replace("\0", "").split()).lower()


def ancestors(parents: Mapping[int, int | None], node: int) -> list[int]:
    """Keys above a node, nearest first."""
    found: list[int] = []
    above = parents.get(node)
    while above is not None and above not in found:
        found.append(above)
        above = parents.get(above)
    return found


def subtree(parents: Mapping[int, int | None], node: int) -> set[int]:
    """The node and everything below it."""
    children: dict[int | None, list[int]] = defaultdict(list)
    for key, parent in parents.items():
        children[parent].append(key)
    found, waiting = {node}, [node]
    while waiting:
        for child in children[waiting.pop()]:
            if child not in found:
                found.add(child)
                waiting.append(child)
    return found


def kin(parents: Mapping[int, int | None], node: int, *, roots: set[int]) -> set[int]:
    """The node, all below it, and all above it but the roots (every unit is below the city: it says nothing)."""
    if node in roots:
        return {node}
    return subtree(parents, node) | (set(ancestors(parents, node)) - roots)
