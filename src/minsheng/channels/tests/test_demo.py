"""The demonstration's made-up cases: in every state, at every end, of sixty days, with a record that verifies."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from minsheng.accounts import demo as logins
from minsheng.audit.queries import verify
from minsheng.cases.choices import CaseState, Ending
from minsheng.cases.models import Case, Contact, TimelineEntry
from minsheng.cases.reference import load_reference
from minsheng.cases.tests.world import moment
from minsheng.channels.demo.load import DAYS, load
from minsheng.errors import Refused

# Lives are drawn from the day and their number, so these are the same every time. When what lives do is changed, chance may leave
# out something else: then another day may show all of it.
NOW = moment("2026-11-08 15:00")
LIVES = 220
# A case in study is one of twenty-five and soon out again: of 220 on this day none stands there now. Made-up cases never merge.
NOT_SEEN = {CaseState.IN_STUDY, Ending.MERGED}


def made(**changes: Any) -> int:
    return load(**({"now": NOW, "cases": LIVES, "processes": 1, "say": lambda count: None} | changes))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_lives_stand_in_every_state_end_in_every_way_and_are_made_once(settings: Any) -> None:
    settings.DEMO = True
    load_reference(actor=None, at=NOW - timedelta(days=DAYS))
    logins.make(at=NOW - timedelta(days=DAYS))
    assert made() == LIVES
    cases = Case.objects.all()
    assert {case.state for case in cases} == set(CaseState) - NOT_SEEN
    assert {case.ending for case in cases} - {""} == set(Ending) - NOT_SEEN
    assert TimelineEntry.objects.filter(code="conclude_study").exists(), "studied, and out again"
    judged = TimelineEntry.objects.filter(case__in=cases, code__in=["keep_closed", "reopen", "second_handling"])
    assert judged.filter(code="keep_closed").exists(), "rated badly since it was closed, and it stays closed"
    again = judged.filter(payload__before__state="closed", actor__roles__contains=["follow_up"])
    assert again.exists(), "rated badly since it was closed, and it is handled again"
    assert cases.count() == LIVES and all(case.made_up for case in cases)

    first = NOW - timedelta(days=DAYS)
    moments = TimelineEntry.objects.filter(case__in=cases).values_list("at", flat=True)
    assert all(first <= at <= NOW for at in moments) and all(first <= case.received_at <= NOW for case in cases)
    assert max(case.received_at for case in cases) - min(case.received_at for case in cases) > timedelta(days=DAYS - 5)
    assert verify().findings == []

    written = TimelineEntry.objects.count(), Contact.objects.count()
    assert made() == 0, "run again, nothing is missing"
    assert (cases.count(), TimelineEntry.objects.count(), Contact.objects.count()) == (LIVES, *written)


def test_outside_a_demonstration_nothing_is_made_up(db: None) -> None:
    with pytest.raises(Refused, match="不是演示环境"):
        made()
    assert not Case.objects.exists()
