"""Validity, search keys, assessment groups, walks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minsheng.organisations import rules
from minsheng.organisations.choices import AssessmentGroup, UnitKind

# City 1; county 2 with bureau 3 and street 4; department 5 with detachment 6.
TREE = {1: None, 2: 1, 3: 2, 4: 2, 5: 1, 6: 5}


@pytest.mark.parametrize(
    ("unit", "kin"), [(1, {1}), (2, {2, 3, 4}), (3, {2, 3}), (4, {2, 4}), (5, {5, 6}), (6, {5, 6}), (99, {99})]
)
def test_kin_are_those_above_and_below_but_never_the_city(unit: int, kin: set[int]) -> None:
    assert rules.kin(TREE, unit, roots={1}) == kin


def test_a_tree_without_a_city_keeps_its_top_among_the_kin() -> None:
    assert rules.kin({7: None, 8: 7}, 8, roots=set()) == {7, 8}


def test_a_loop_in_bad_data_ends() -> None:
    assert rules.ancestors({1: 2, 2: 1}, 1) == [2, 1]
    assert rules.subtree({1: 2, 2: 1}, 1) == {1, 2}


@given(st.dictionaries(st.integers(1, 30), st.integers(1, 30), max_size=30), st.integers(1, 30))
def test_a_unit_is_among_the_kin_of_all_its_kin_below(links: dict[int, int], node: int) -> None:
    tree = {key: (parent if parent < key else None) for key, parent in links.items()}  # parents are older: no loops
    for below in rules.subtree(tree, node):
        assert node in rules.kin(tree, below, roots=set())


def test_validity_is_half_open() -> None:
    first, end = date(2026, 1, 1), date(2026, 7, 1)
    assert [rules.holds(first, end, first + timedelta(days=d)) for d in (-1, 0, 180, 181)] == [False, True, True, False]
    assert rules.holds(None, None, first)


def test_the_day_is_fuzhous_and_a_naive_moment_is_refused() -> None:
    assert rules.local_day(datetime(2026, 6, 30, 16, 0, tzinfo=UTC)) == date(2026, 7, 1)
    with pytest.raises(ValueError, match="time zone"):
        rules.local_day(datetime(2026, 6, 30))


def test_search_key_has_name_pinyin_and_initials_once() -> None:
    lines = rules.search_key(["仓山区", "仓山区", " "]).split("\n")
    assert lines == ["仓山区", "cangshanqu", "csq"]


@given(st.text())
def test_normalised_text_is_safe_for_the_database(text: str) -> None:
    assert "\0" not in rules.normalised(text)
    assert not any(c.isspace() for c in rules.normalised(text))


def test_every_kind_has_a_group() -> None:
    assert rules.assessment_group(UnitKind.DEPARTMENT, enforcement=True) == AssessmentGroup.ENFORCEMENT
    assert rules.assessment_group(UnitKind.DEPARTMENT, enforcement=False) == AssessmentGroup.DEPARTMENTS
    assert rules.assessment_group(UnitKind.ZONE, enforcement=False) == AssessmentGroup.COUNTIES
    assert rules.assessment_group(UnitKind.CENTRE, enforcement=False) == AssessmentGroup.NONE
    assert all(rules.assessment_group(kind, enforcement=False) for kind in UnitKind)
