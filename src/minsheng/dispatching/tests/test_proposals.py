"""Whom a case is proposed to, and why."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minsheng.cases import actions
from minsheng.cases.models import Case, ReasonCode, RefusalGround, Topic
from minsheng.cases.queries import case_for
from minsheng.cases.rules import names_person
from minsheng.cases.tests.world import World, fresh
from minsheng.dispatching.actions import conclude_study, dispatch_case, send_to_study
from minsheng.dispatching.proposals import assisting_for, consequence, propose
from minsheng.dispatching.queries import mergeable


def seen(world: World, case: Case) -> Case:
    return case_for(world["dispatcher"], fresh(case).number or "")


def names(world: World, case: Case) -> list[tuple[str, str]]:
    return [(p.key, p.unit.short_name if p.unit else p.label) for p in propose(seen(world, case), at=world.now)]


def test_the_topics_bureau_comes_first_then_the_county_then_the_city(world: World) -> None:
    case = world.accepted()
    assert names(world, case) == [("1", "仓山城管"), ("2", "仓山区政府"), ("3", "生态环境")]
    first = propose(seen(world, case), at=world.now)[0]
    assert first.unit is not None
    assert "《噪声污染防治法》第四十三条" in first.reason and "夜间施工噪声" in first.reason
    assert consequence(seen(world, case), [first.unit], at=world.now) == (
        "批转后：仓山区城市管理局 11月25日 24:00 前查阅、11月27日 24:00 前办结，群众将收到短信。"
    )


def test_an_urgent_case_says_when_first_measures_are_due(world: World) -> None:
    case = world.accepted(urgency="urgent")
    assert "先行处置、11月27日 24:00 前办结" in consequence(seen(world, case), [], at=world.now)


def test_the_accused_unit_and_its_relatives_are_shown_but_have_no_key(world: World) -> None:
    case = world.accepted(accused_unit=world.units["仓山城管"])
    assert names(world, case) == [("", "仓山城管"), ("", "仓山区政府"), ("1", "生态环境")]
    assert all(p.refused for p in propose(seen(world, case), at=world.now)[:2])


def test_a_ruling_comes_before_all_else(world: World) -> None:
    case = world.accepted()
    send_to_study(actor=world["dispatcher"], at=world.now, case=case, reason="不清")
    conclude_study(
        actor=world["dispatcher"], at=world.now, case=case, conclusion="归水务", ruled_unit=world.units["水务"]
    )
    assert names(world, case)[0] == ("1", "水务")
    assert "研判指定" in propose(seen(world, case), at=world.now)[0].reason


def test_after_an_upheld_return_the_unit_it_named_comes_first_and_the_returner_with_a_caution(world: World) -> None:
    case = world.handling()
    task = world.lead(case)
    actions.request_return(
        actor=world["城管联络"],
        at=world.now,
        task=task,
        reason_code="duty",
        reason="井盖归水务",
        basis="三定方案",
        proposed_unit=world.units["水务"],
    )
    actions.decide_return(actor=world["auditor"], at=world.now, task=task, grant=True, note="属实")
    found = propose(seen(world, case), at=world.now)
    assert [p.unit.short_name for p in found if p.unit] == ["水务", "仓山城管", "仓山区政府"]
    assert "退过件" in found[1].caution and not found[0].caution


@pytest.mark.parametrize(("route", "label", "code"), [("110", "即时转接", "transfer"), ("litigation", "不予受理", "reject")])
def test_a_topic_with_a_route_is_not_dispatched(world: World, route: str, label: str, code: str) -> None:
    Topic.objects.filter(pk=world.topics["夜间施工噪声"].pk).update(route=route)
    (only,) = propose(seen(world, world.accepted()), at=world.now)
    assert only.unit is None and only.key == "1" and only.label.startswith(label) and "不派单" in only.reason
    known: Any = ReasonCode if code == "transfer" else RefusalGround
    assert f"/{code}/?" in only.url and str(known.objects.get(code=route).pk) in only.url


def test_without_a_topic_it_says_what_to_do_first(world: World) -> None:
    case = world.accepted()
    Case.objects.filter(pk=case.pk).update(topic=None)  # a correction may take it away again
    (only,) = propose(seen(world, case), at=world.now)
    assert only.unit is None and only.url.endswith("/correct/")


def test_assisting_units_are_neither_the_lead_nor_the_accused(world: World) -> None:
    case = seen(world, world.accepted())
    assert [unit.short_name for unit, _ in assisting_for(case, None, at=world.now)] == ["生态环境"]
    assert assisting_for(case, world.units["生态环境"], at=world.now) == []
    case.accused_unit = world.units["生态环境"]
    assert assisting_for(case, None, at=world.now) == []


def test_the_questions_asked_of_the_database_do_not_grow(world: World, django_assert_max_num_queries: Any) -> None:
    case = seen(world, world.accepted(accused_unit=world.units["鼓楼城管"]))
    with django_assert_max_num_queries(8):
        propose(case, at=world.now)


def test_candidates_for_a_merge_say_why(world: World) -> None:
    same_place = world.accepted(applicant=_somebody("13900001111"))
    same_both = world.accepted()
    elsewhere = world.accepted(place=world.places["鼓楼区"])
    world.accepted(confidential=True)
    case = world.accepted()
    found = {other.pk: why for other, why in mergeable(world["dispatcher"], seen(world, case), at=world.now)}
    assert found == {same_place.pk: "同地同类", same_both.pk: "同一电话、同地同类", elsewhere.pk: "同一电话"}


def _somebody(phone: str) -> Any:
    from minsheng.cases.details import ApplicantDetails

    return ApplicantDetails(name="陈某", phone=phone)


def test_a_dispatch_to_another_topics_unit_is_still_possible(world: World) -> None:
    dispatch_case(actor=world["dispatcher"], at=world.now, case=world.accepted(), lead=world.units["水务"])


# --- whom a text names -------------------------------------------------------------------------------------------


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.sampled_from(["", " ", "-"]), st.text(max_size=20))
def test_a_number_is_found_however_it_is_spaced(phone: str, gap: str, around: str) -> None:
    assert names_person(f"{around}{phone[:3]}{gap}{phone[3:7]}{gap}{phone[7:]}{around}", ["林小满", phone])


@pytest.mark.parametrize("text", ["有人反映", "", "一三八"])
def test_what_names_nobody_passes(text: str) -> None:
    assert not names_person(text, ["林小满", "13800138000", None, "", "满"])
