"""Folding, pairs, signs and the words of a search: every part of a text finds it, and what it does not say does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minsheng.cases import search_rules
from minsheng.cases.rules import check_character, is_number
from minsheng.cases.search_rules import both, fold, grams, parse, sign, snippet

# Characters of every kind but digits, which a person's number could be made of.
WRITING = st.text(
    st.one_of(
        st.sampled_from("路灯不亮的小区有人，。！ＡＢｃａb İßΣς　 \n\t·𠮷👍\ufeff\u0301"),
        st.characters(exclude_categories=("Nd", "Cs", "Co")),
    ),
    max_size=60,
)


@given(WRITING, st.data())
def test_a_part_of_a_text_folds_to_a_part_of_it(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    part = fold(text[start : data.draw(st.integers(start, len(text)))])
    assert part in fold(text)
    assert grams(part) <= grams(fold(text))
    assert fold(part) == part


@given(st.lists(st.sampled_from(["电话13800138000", "我叫林小满，", "3栋502室", "闽A12345", "路灯 不亮", "abc", "，", "微信abcdef12"])))
def test_who_reads_without_persons_is_answered_from_pairs_of_the_whole_text(parts: list[str]) -> None:
    whole, without = both("，".join(parts))
    assert grams(without) <= grams(whole)
    assert "138" not in whole + without and "林小满" not in without


def test_pairs_never_span_two_lines_or_a_person_taken_out() -> None:
    assert grams("路灯\n不亮") == grams("路灯") | grams("不亮")
    whole, without = both("请找电话13800138000问")
    assert "话问" not in without and sign("phone", "13800138000") in whole


@pytest.mark.parametrize(
    ("typed", "number", "phrases", "personal"),
    [
        ("路灯 不亮", "", ["路灯", "不亮"], False),
        ("“路灯 不亮” 小区", "", ["路灯不亮", "小区"], False),
        ("狗 小区", "", ["狗", "小区"], False),
        ("狗", "", [], False),
        ("ＬＥＤ灯", "", ["led灯"], False),
        ("fz 2026 1124 01", "FZ2026112401", [], False),
        ("12345", "", ["12345"], False),
        ("", "", [], False),
    ],
)
def test_what_was_typed_is_understood(typed: str, number: str, phrases: list[str], personal: bool) -> None:
    search = parse(typed)
    assert (search.number, [term.phrase for term in search.terms], search.personal) == (number, phrases, personal)


@pytest.mark.parametrize("typed", ["13800138000", "138-0013-8000 路灯", "350102198001010011", "a.b@example.cn", "0591-87654321"])
def test_a_persons_number_is_known_and_never_a_phrase(typed: str) -> None:
    search = parse(typed)
    assert search.personal
    assert not any(character.isdigit() for term in search.terms for character in term.phrase)


def test_too_many_words_are_named() -> None:
    search = parse(" ".join(f"词语{letter}" for letter in "abcdefghij"))
    assert len(search.terms) == search_rules.MOST_TERMS and search.dropped == ("词语i", "词语j")


def test_a_slip_in_a_number_is_found_again() -> None:
    payload = "FZ2026112401000123"
    number = payload + check_character(payload)
    for wrong in (number.replace("0123", "0132"), number.replace("1124", "1125")):
        assert parse(wrong).mistyped and number in search_rules.near_numbers(wrong)
    assert not parse(number).mistyped and is_number(number)


def test_a_snippet_shows_where_it_is_said() -> None:
    text = "前面还有很长的一段话，说了许多别的事情，后来才讲到小区的路灯不亮，已经三天了。"
    assert snippet([text], ["路灯"]) == "…了许多别的事情,后来才讲到小区的路灯不亮，已经三天了。".replace(",", "，")
    assert snippet(["甲", text], ["没有"]) == ""
    assert snippet(["只说路灯", text], ["路灯", "三天"]).endswith("已经三天了。")
