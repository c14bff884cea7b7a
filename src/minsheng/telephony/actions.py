"""Every write of what the switch is told. The books are written by the follower alone (`following.py`)."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from django.db import transaction

from minsheng.organisations.actions import save_reference_row
from minsheng.telephony.models import Prompt, Seat


@transaction.atomic
def save_seat(*, actor: Any, at: datetime, seat: Seat) -> Seat:
    """Write a seat as an administrator has it in hand; a new one gets a secret that nobody types. Refused as `save_reference_row`."""
    if not seat.secret:
        seat.secret = new_secret()
    return save_reference_row(actor=actor, at=at, row=seat)


@transaction.atomic
def save_prompt(*, actor: Any, at: datetime, prompt: Prompt, audio: bytes | None = None) -> Prompt:
    """Write a prompt; `audio` is raw A-law at 8 kHz and takes the place of its recording. Refused as `save_reference_row`."""
    if audio is not None:
        prompt.audio = audio
    return save_reference_row(actor=actor, at=at, row=prompt)


def new_secret() -> str:
    """128 random bits, in letters that mean nothing to the switch's files."""
    return secrets.token_hex(16)
