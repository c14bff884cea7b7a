"""A centre with a few seats, and a switch rendered from it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.telephony import actions, control, reference
from minsheng.telephony.layout import layout
from minsheng.telephony.models import Seat, Skill, SkillQueue, Trunk
from minsheng.telephony.tests.switch import CARRIER, TELEPHONES, Switch, scratch_switch

RING, WRAP_UP, WAIT = 3, 2, 60  # seconds; a test that waits for the end of WAIT makes it short


@pytest.fixture(scope="module")
def scratch() -> Iterator[Switch]:
    """A switch's folder and ports; what is rendered into it is the centre's."""
    with scratch_switch() as switch:
        yield switch


@transaction.atomic
def found_centre(switch: Switch) -> None:
    """Three seats at fixed telephones, each with a person who answers general calls; short clocks, so that tests are short.

    1001 and 1002 are answered, 1003 only rings.
    """
    reference.load_queues()
    reference.load_pause_codes()
    reference.load_prompts()
    SkillQueue.objects.update(ring_seconds=RING, wrap_up_seconds=WRAP_UP, longest_wait_seconds=WAIT)
    SkillQueue.objects.filter(code="enterprise").update(numbers=["12346"], longest_wait_seconds=5)
    general = SkillQueue.objects.get(code="general")
    Trunk.objects.create(code="carrier", name="运营商", addresses=[CARRIER], host=f"{CARRIER}:{switch.carrier_port}", lines=30)
    for extension in ("1001", "1002", "1003"):
        person = User.objects.create_user(f"agent{extension}", display_name=f"话务员{extension}", roles=[Role.AGENT])
        Skill.objects.create(user=person, queue=general)
        port = switch.silent_port if extension == "1003" else switch.seats_port
        Seat.objects.create(
            extension=extension, user=person, browser=False, phone_host=f"{TELEPHONES}:{port}", secret=actions.new_secret()
        )


@pytest.fixture
def centre(scratch: Switch, transactional_db: None, settings: Any) -> Iterator[Switch]:
    """The switch running on the centre's own rendering; ended with the test, so that the next begins with nobody signed in."""
    found_centre(scratch)
    settings.TELEPHONY = scratch.settings
    call_command("telephony_render")
    scratch.start()
    yield scratch
    scratch.end_calls()
    scratch.stop()
    scratch.forget()


def ask_switch(what: Any, *arguments: Any) -> Any:
    """One of `control`'s acts, on a connection of its own."""

    async def act() -> Any:
        ami = await control.connect(layout())
        try:
            return await what(ami, *arguments)
        finally:
            await ami.close()

    return asyncio.run(act())
