"""Real citizens' messages become cases, once, and their record verifies."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from minsheng.audit.queries import verify
from minsheng.cases import actions
from minsheng.cases.choices import CaseState
from minsheng.cases.models import Case, Contact, RefusalGround
from minsheng.cases.tests.world import World, fresh

pytestmark = [pytest.mark.realdata, pytest.mark.slow]


def test_the_real_messages_come_in_once_and_their_record_verifies(world: World, real_data: Path) -> None:
    file = str(real_data / "messages_unlabelled.csv.gz")
    call_command("import_messages", file)
    assert Case.objects.count() == Contact.objects.count() == 4326
    call_command("import_messages", file)
    assert Case.objects.count() == 4326, "run twice, the same cases"
    ground = RefusalGround.objects.get(code="out_of_city")
    for index, case in enumerate(Case.objects.order_by("id")[:40]):
        who, at = world["dispatcher"], world.later(minutes=1)
        if index % 4 == 0:
            actions.answer_case(actor=who, at=at, case=case, text="请带身份证到属地窗口办理。")
        elif index % 4 == 1:
            actions.reject_case(actor=who, at=at, case=case, ground=ground)
        elif index % 4 == 2:
            actions.mark_invalid(actor=who, at=at, case=case, reason="没有可以办理的事项")
        else:
            actions.withdraw_case(actor=world["team_leader"], at=at, case=case, reason="诉求人来电撤回")
        assert fresh(case).state == CaseState.CLOSED
    report = verify()
    assert not report.findings
