"""The link for rating: what it holds, what it opens, and what it never does by itself."""

from __future__ import annotations

import base64
import re

import pytest

from minsheng.cases.models import Case
from minsheng.cases.tests.world import World, fresh
from minsheng.errors import Refused
from minsheng.followup.links import case_of, make_token


def refused(code: str) -> pytest.RaisesExc[Refused]:
    return pytest.RaisesExc(Refused, match=f"^{code}:")


def test_a_link_leads_to_its_case_and_reading_it_changes_nothing(world: World) -> None:
    case = world.audited()
    token = make_token(case)
    assert re.fullmatch(r"[A-Za-z0-9:_-]+", token)
    for _ in range(3):
        assert case_of(token) == case
    assert fresh(case).version == case.version and not case.follow_ups.exists()


def test_a_link_holds_number_and_round_only(world: World) -> None:
    case = world.audited()
    payload = make_token(case).split(":")[0]
    text = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()
    assert text == f'["{case.number}",1]'


@pytest.mark.parametrize("broken", ["", "x", "a:b:c", "{token}x", "W10:1abc:xyz", "会:员"])
def test_a_forged_link_leads_nowhere(world: World, broken: str) -> None:
    token = make_token(world.audited())
    with refused("not_found"):
        case_of(broken.replace("{token}", token))


def test_a_link_ends_with_its_days_or_its_round(world: World, settings) -> None:
    case = world.audited()
    token = make_token(case)
    Case.objects.filter(pk=case.pk).update(round=2)
    with refused("link_over"):
        case_of(token)
    Case.objects.filter(pk=case.pk).update(round=1)
    settings.HOTLINE = settings.HOTLINE | {"rating_link_days": -1}
    with refused("link_over"):
        case_of(token)
