"""The pure part of the chains: one form for one value, and a hash that every fact enters."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minsheng.audit import chain
from minsheng.audit.seals import pack_rows, unpack_rows

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
FACTS: dict[str, Any] = {
    "owner": "cases.case:1",
    "seq": 1,
    "at": AT,
    "code": "case.dispatched",
    "actor": 7,
    "actor_label": "王",
    "payload": {"before": {"state": "to_dispatch"}},
    "note_commitment": "",
    "more": {"task_id": 3},
}
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_a_value_has_one_form_however_json_brings_it_back(value: Any) -> None:
    assert chain.canonical(json.loads(json.dumps(value))) == chain.canonical(value)
    assert json.loads(chain.canonical(value)) == chain.plain(value)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("owner", "cases.case:2"),
        ("seq", 2),
        ("at", AT + timedelta(microseconds=1)),
        ("code", "case.closed"),
        ("actor", None),
        ("actor_label", "李"),
        ("payload", {}),
        ("note_commitment", "00"),
        ("more", {}),
    ],
)
def test_every_fact_enters_the_hash(name: str, other: Any) -> None:
    assert chain.digest(chain.START, **FACTS) != chain.digest(chain.START, **(FACTS | {name: other}))


def test_the_hash_before_enters_and_the_zone_of_a_clock_does_not() -> None:
    here = chain.digest(chain.START, **FACTS)
    assert chain.digest(b"\1" * 32, **FACTS) != here
    in_shanghai = AT.astimezone(timezone(timedelta(hours=8)))
    assert chain.digest(chain.START, **(FACTS | {"at": in_shanghai})) == here


def test_what_facts_become() -> None:
    number = UUID(int=1)
    assert chain.plain({1: (date(2026, 3, 2), Decimal("1.50"), number, AT), "b": {"y", "x"}, "c": "a\0b"}) == {
        "1": ["2026-03-02", "1.50", str(number), "2026-03-02T09:30:00.000000+00:00"],
        "b": ["x", "y"],
        "c": "ab",
    }


@pytest.mark.parametrize("value", [1.5, b"bytes", object()])
def test_what_cannot_be_a_fact(value: Any) -> None:
    with pytest.raises(TypeError):
        chain.plain({"a": value})


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        chain.plain(datetime(2026, 3, 2))


@given(st.lists(st.tuples(st.integers(0, 2**62), st.binary(min_size=16, max_size=16))), st.binary(max_size=23))
def test_rows_are_unpacked_as_they_were_packed(rows: list[tuple[int, bytes]], odd: bytes) -> None:
    assert list(unpack_rows(pack_rows(rows) + odd)) == rows
