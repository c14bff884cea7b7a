"""A form's own key: the same form is done once, and a key that did something else is refused, never taken for done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from minsheng.cases import actions
from minsheng.cases.actors import CITIZEN
from minsheng.cases.choices import CaseState, Channel, RequestKind
from minsheng.cases.details import ApplicantDetails, CaseDetails
from minsheng.cases.models import Case
from minsheng.cases.tests.world import World, build, fresh
from minsheng.cases.work import Repeated
from minsheng.errors import Refused

OTHER = CaseDetails(kind=RequestKind.HELP, text="路灯不亮。")


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.code


def submit(actor: Any, world: World, key: Any) -> Case:
    return actions.submit_case(
        actor=actor, at=world.now, channel=Channel.WEB, details=OTHER, applicant=ApplicantDetails(), submission=key
    )


def test_the_same_key_on_another_case_is_not_taken_for_done(world: World) -> None:
    first, second, key = world.submitted(), world.submitted(), uuid4()
    actions.accept_case(actor=world["agent"], at=world.now, case=first, submission=key)
    with pytest.raises(Repeated):
        actions.accept_case(actor=world["agent"], at=world.now, case=first, submission=key)
    code = refusal(lambda: actions.accept_case(actor=world["agent"], at=world.now, case=second, submission=key))
    assert code == "submission_used" and fresh(second).state == CaseState.TO_ACCEPT


def test_nor_by_another_action_another_person_or_on_another_task(world: World) -> None:
    case, key = world.dispatched("生态环境"), uuid4()
    actions.read_task(actor=world["城管联络"], at=world.now, task=world.lead(case), submission=key)
    others = [
        lambda: actions.urge_case(actor=world["dispatcher"], at=world.now, case=case, reason="请快办", submission=key),
        lambda: actions.read_task(actor=world["城管领导"], at=world.now, task=world.lead(case), submission=key),
        lambda: actions.read_task(actor=world["环境联络"], at=world.now, task=world.task_of(case, "生态环境"), submission=key),
    ]
    assert {refusal(other) for other in others} == {"submission_used"}


def test_words_added_to_a_case_are_no_answer_to_a_new_form(world: World) -> None:
    case, key = world.submitted(), uuid4()
    actions.supplement_case(actor=CITIZEN, at=world.now, case=case, channel=Channel.WEB, text="又吵了一夜。", submission=key)
    assert refusal(lambda: submit(CITIZEN, world, key)) == "submission_used"
    assert Case.objects.count() == 1


def test_nobody_is_given_another_persons_case_for_their_own_form(world: World) -> None:
    key = uuid4()
    case = submit(world["agent"], world, key)
    assert submit(world["agent"], world, key).pk == case.pk
    assert refusal(lambda: submit(CITIZEN, world, key)) == "submission_used"


def test_one_key_on_two_cases_at_once_is_done_once_and_refused_once(transactional_db: None) -> None:
    with transaction.atomic():
        world = build()
    cases, key, gate = [world.submitted(), world.submitted()], uuid4(), Barrier(2)

    def press(case: Case) -> Any:
        gate.wait(timeout=10)
        try:
            return actions.accept_case(actor=world["agent"], at=world.now, case=case, submission=key)
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(press, cases))
    (refused,) = [answer for answer in answers if not isinstance(answer, Case)]
    assert isinstance(refused, Refused) and refused.code == "submission_used"


def test_the_callers_object_forgets_the_row_that_it_no_longer_refers_to(world: World) -> None:
    case = world.submitted()
    assert case.topic == world.topics["夜间施工噪声"]
    details = CaseDetails(kind=case.kind, text=case.text, topic=world.topics["道路塌陷"], place=case.place)
    actions.correct_case(actor=world["dispatcher"], at=world.now, case=case, details=details)
    assert case.topic == world.topics["道路塌陷"]
