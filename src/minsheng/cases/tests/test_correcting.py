"""更正要素: another topic brings its own fields, and drops those of the topic that was wrong."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

from django.test import Client

from minsheng.accounts.testing import sign_in
from minsheng.cases import clocks
from minsheng.cases.actions import correct_case
from minsheng.cases.choices import RequestKind
from minsheng.cases.details import CaseDetails
from minsheng.cases.models import Case, Topic
from minsheng.cases.tests.test_asking import ask_extension, decide
from minsheng.cases.tests.world import World, fresh, moment
from minsheng.dispatching.actions import recall_case, split_case


def _topics() -> tuple[Topic, Topic]:
    """Two that ask for fields of their own, one of them in common (用人单位)."""
    parent = Topic.objects.get(level=2)
    asked = [{"name": "employer", "label": "用人单位"}, {"name": "headcount", "label": "涉及人数"}, {"name": "amount", "label": "拖欠金额"}]
    wages = Topic.objects.create(code="010198", name="一般欠薪", level=3, parent=parent, required_fields=asked)
    return wages, Topic.objects.create(code="010199", name="合同与离职", level=3, parent=parent, required_fields=asked[:1])


def _form(case: Case, topic: Topic, **fields: Any) -> dict[str, Any]:
    values = {"title": case.title, "text": case.text, "kind": case.kind, "topic": topic.pk, "urgency": case.urgency}
    return values | {"version": case.version, "submission": str(uuid4())} | fields


def test_the_form_asks_what_the_posted_topic_asks(client: Client, world: World) -> None:
    wages, contract = _topics()
    case = world.submitted(topic=wages, extra={"employer": "某公司", "amount": "三万"})
    sign_in(client, world["agent"])
    url = f"/cases/{case.number}/correct/"
    shown = client.get(url).content.decode()
    assert 'name="extra_amount"' in shown and "三万" in shown

    client.post(url, _form(case, contract, extra_employer="另一公司", extra_amount="三万"))
    case = fresh(case)
    assert (case.topic, case.extra) == (contract, {"employer": "另一公司"})

    client.post(url, _form(case, wages, extra_employer="另一公司", extra_amount="五万", extra_headcount="3"))
    assert fresh(case).extra == {"employer": "另一公司", "amount": "五万", "headcount": "3"}


def test_accepting_under_another_topic_keeps_what_both_ask_for(client: Client, world: World) -> None:
    wages, contract = _topics()
    case = world.submitted(topic=wages, extra={"employer": "某公司", "amount": "三万"})
    sign_in(client, world["agent"]).post(f"/cases/{case.number}/accept/", _form(case, contract))
    case = fresh(case)
    assert (case.state, case.topic, case.extra) == ("to_dispatch", contract, {"employer": "某公司"})


def test_an_extension_that_the_citizen_was_told_of_outlives_correction_and_splitting(world: World) -> None:
    """The citizen's clock is counted anew, the date that they were given stays (design §5)."""
    case = world.handling(kind=RequestKind.HELP)
    decide(world, ask_extension(world, world.lead(case), date(2026, 12, 2), told=world.now), grant=True)
    assert fresh(case).citizen_due_at == moment("2026-12-03 00:00")
    recall_case(actor=world["dispatcher"], at=world.later(minutes=5), case=fresh(case), reason="改派")
    details = CaseDetails(kind=RequestKind.CONSULTATION, text=case.text, topic=case.topic, place=case.place)
    told = case.messages.count()
    correct_case(actor=world["dispatcher"], at=world.later(minutes=5), case=fresh(case), details=details)
    case = fresh(case)
    assert case.citizen_due_at == moment("2026-12-03 00:00")
    derivation = clocks.of(case.citizen_derivation)
    assert derivation is not None and derivation.name == "咨询" and len(derivation.extensions) == 1
    assert case.messages.count() == told, "the date is the one that they know"
    part = split_case(actor=world["dispatcher"], at=world.later(minutes=5), case=case, parts=[details])[0]
    assert fresh(part).citizen_due_at == moment("2026-12-03 00:00")
    longer = CaseDetails(kind=RequestKind.COMPLAINT, text=case.text, topic=world.topics["政策咨询"], place=case.place)
    correct_case(actor=world["dispatcher"], at=world.later(minutes=5), case=fresh(case), details=longer)
    assert fresh(case).citizen_due_at == moment("2026-12-10 00:00"), "where the limit alone now gives more, that stands"
    assert case.messages.count() > told
