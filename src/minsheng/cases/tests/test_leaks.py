"""Ways round secrecy: split parts, query codes, relatives of the accused, and what the centre writes to units (design §6)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from minsheng.accounts.testing import sign_in
from minsheng.cases import actions, queries
from minsheng.cases.actions.intake import query_code_of
from minsheng.cases.choices import RequestKind
from minsheng.cases.details import ApplicantDetails, CaseDetails
from minsheng.cases.models import Case
from minsheng.cases.tests.world import World, fresh
from minsheng.dispatching.actions import add_assisting, dispatch_case, reopen_case, split_case
from minsheng.errors import Refused
from minsheng.followup.actions import record_follow_up
from minsheng.portal.progress import progress_of


def split(world: World, **changes: Any) -> tuple[Case, Case]:
    """A case that its unit handles with its person, and a report in confidence by the same person, at the same unit."""
    origin = world.accepted()
    details = CaseDetails(kind=RequestKind.REPORT, text="工地给人送礼。", topic=world.topics["道路塌陷"], place=world.places["建新镇"])
    (part,) = split_case(actor=world["dispatcher"], at=world.later(minutes=1), case=origin, parts=[details])
    for case in (origin, part):
        words = "有人反映工地的问题。" if case.confidential else ""
        unit = world.units["仓山城管"]
        dispatch_case(actor=world["dispatcher"], at=world.later(minutes=1), case=case, lead=unit, unit_text=words)
    return fresh(origin), fresh(part)


@pytest.fixture
def halves(world: World) -> tuple[Case, Case]:
    return split(world)


def test_a_unit_cannot_tell_whose_a_confidential_part_is(world: World, client: Client, halves: tuple[Case, Case]) -> None:
    origin, part = halves
    assert part.confidential and not origin.confidential
    sign_in(client, world["城管联络"])
    pages = {case.number: client.get(f"/cases/{case.number}/").content.decode() for case in halves}
    assert str(origin.number) not in pages[part.number]
    assert str(part.number) not in pages[origin.number]


def test_the_centre_still_sees_the_two_together(world: World, client: Client, halves: tuple[Case, Case]) -> None:
    origin, part = halves
    assert [c.pk for c in queries.relations_of(world["dispatcher"], part)] == [origin.pk]
    sign_in(client, world["dispatcher"])
    assert f"由 {origin.number} 拆分" in client.get(f"/cases/{part.number}/").content.decode()


def test_the_query_code_of_a_part_stands_nowhere_but_on_the_citizens_own_page(
    world: World, client: Client, halves: tuple[Case, Case]
) -> None:
    origin, part = halves
    code = query_code_of(part)
    assert not any(code in message.text for message in origin.messages.all())
    for who in ("城管联络", "agent2", "analyst", "dispatcher"):
        sign_in(client, world[who])
        assert code not in client.get(f"/cases/{origin.number}/").content.decode()
    told = progress_of(queries.case_for(world["dispatcher"], str(origin.number)), at=world.now).told
    assert any(code in message.text for message in told)


@pytest.mark.parametrize("who", ["agent2", "analyst", "knowledge", "quality", "inspector", "城管联络"])
def test_who_may_not_see_the_person_whole_gives_no_query_code(world: World, who: str) -> None:
    case = world.handling()
    with pytest.raises(Refused) as caught:
        actions.reissue_query_code(actor=world[who], at=world.now, case=case)
    assert caught.value.code in ("forbidden", "not_found") and fresh(case).query_code_issue == 1


def test_a_unit_below_the_accused_loses_sight_of_what_it_handled_before(world: World) -> None:
    case = world.audited(kind=RequestKind.COMPLAINT)
    record_follow_up(
        actor=world["follow_up"], at=world.later(hours=1), case=case, reached=True, satisfaction="satisfied", solved="yes"
    )
    reopen_case(actor=world["dispatcher"], at=world.later(days=1), case=case, reason="又反映区政府包庇")
    below = world["城管联络"]
    assert Case.objects.visible_to(below).filter(pk=case.pk).exists()
    details = CaseDetails(
        kind=case.kind, text=case.text, topic=case.topic, place=case.place, accused_unit=world.units["仓山区政府"]
    )
    actions.correct_case(actor=world["dispatcher"], at=world.later(minutes=1), case=case, details=details)
    assert not Case.objects.visible_to(below).filter(pk=case.pk).exists()
    assert not queries.active_tasks(below).exists()


def test_no_instruction_of_the_centre_names_who_reported_in_confidence(world: World) -> None:
    case = world.handling(confidential=True)
    with pytest.raises(Refused) as caught:
        add_assisting(
            actor=world["dispatcher"], at=world.now, case=case, units=[world.units["生态环境"]], instruction="请联系林小满核实"
        )
    assert caught.value.code == "unit_text_names"
    world.draft(case)
    actions.sign_reply(actor=world["城管领导"], at=world.later(hours=1), task=world.lead(case))
    with pytest.raises(Refused) as caught:
        actions.send_back(
            actor=world["auditor"], at=world.now, case=case, reasons=["no_process"], note="请给 138-0013-8000 回电"
        )
    assert caught.value.code == "unit_text_names"


def test_a_case_made_confidential_late_withholds_words_that_name_the_person(world: World) -> None:
    case = world.handling(text="林小满家楼下工地半夜打桩。", applicant=ApplicantDetails(name="林小满", phone="13800138000"))
    actions.make_confidential(actor=world["dispatcher"], at=world.now, case=case, reason="怕被报复")
    assert "林小满" not in fresh(case).unit_text
