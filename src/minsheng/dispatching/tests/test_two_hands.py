"""Two connections at once: one wins, nobody waits for another case, nothing happens twice (scenario 12; design §2)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from minsheng.audit.queries import verify
from minsheng.cases import work
from minsheng.cases.choices import CaseState
from minsheng.cases.models import Case
from minsheng.cases.tests.stories import at_once
from minsheng.cases.tests.world import World, build, fresh
from minsheng.cases.work import Repeated
from minsheng.dispatching.actions import dispatch_case, merge_case
from minsheng.errors import Refused


@pytest.fixture
def city(transactional_db: None) -> World:
    """The small city, committed."""
    with transaction.atomic():
        return build()


def test_of_two_dispatchers_one_succeeds_and_the_other_is_told_by_whom_and_when(city: World) -> None:
    case = city.accepted()
    version, at = fresh(case).version, city.later(minutes=3)

    def press(who: str, unit: str) -> Callable[[], Any]:
        return lambda: dispatch_case(
            actor=city[who], at=at, case=case, lead=city.units[unit], version=version, submission=uuid4()
        )

    answers = at_once(press("dispatcher", "仓山城管"), press("dispatcher2", "水务"))
    (refusal,) = [answer for answer in answers if isinstance(answer, Exception)]
    assert isinstance(refusal, Refused) and refusal.code == "stale"
    winner = fresh(case).dispatched_by
    (change,) = refusal.details["changes"]
    assert winner is not None and change["actor"] == winner.display_name and change["at"] == at
    assert case.tasks.count() == 1 and not verify().findings


def test_one_button_pressed_five_times_at_once_dispatches_once(city: World) -> None:
    case, key = city.accepted(), uuid4()
    version, at = fresh(case).version, city.later(minutes=3)

    def press() -> Any:
        return dispatch_case(
            actor=city["dispatcher"], at=at, case=case, lead=city.units["仓山城管"], version=version, submission=key
        )

    answers = at_once(*[press] * 5)
    assert sum(isinstance(answer, Case) for answer in answers) == 1
    assert sum(isinstance(answer, Repeated) for answer in answers) == 4
    assert case.tasks.count() == 1 and case.messages.filter(template="dispatched").count() == 1


def test_two_cases_merged_into_each_other_at_once_never_both_end(city: World) -> None:
    for _ in range(5):
        first, second = city.accepted(), city.accepted()
        at = city.later(minutes=3)

        def merge(case: Case, into: Case, at: Any = at) -> Callable[[], Any]:
            return lambda: merge_case(actor=city["dispatcher"], at=at, case=case, into=into)

        answers = at_once(merge(first, second), merge(second, first))
        assert all(isinstance(answer, Case | Refused) for answer in answers), answers
        open_ones = [case for case in (first, second) if fresh(case).state == CaseState.TO_DISPATCH]
        assert len(open_ones) >= 1
        city.now += timedelta(minutes=1)


def test_a_merge_waits_for_nobody_who_writes_the_other_case(city: World) -> None:
    survivor, duplicate = city.accepted(), city.accepted()
    at = city.later(minutes=3)

    def merge() -> Any:
        return merge_case(actor=city["dispatcher"], at=at, case=duplicate, into=survivor)

    with work.locked(survivor):
        (answer,) = at_once(merge)
    assert isinstance(answer, Refused) and answer.code == "cannot_merge" and "稍后再试" in answer.sentence
    assert isinstance(merge(), Case)
