"""What one attempt came to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from minsheng.outbox.choices import State


@dataclass(frozen=True, slots=True)
class Outcome:
    """SENT with the receiver's receipt; NOT_SENT, as a rule forbids it now; WAITING until a moment, as it was not the hour;
    FAILED, to be tried again; DEAD, for a person.

    `reason` is Chinese, for the record, and names no person. `wait_seconds`: how long the receiver asked to be left alone.
    """

    state: State
    reason: str = ""
    receipt: str = ""
    wait_seconds: int = 0
    until: datetime | None = None
    # The receiver wants nothing more at all, not only not this.
    unwanted: bool = False

    @classmethod
    def sent(cls, receipt: str = "") -> Outcome:
        """It was taken."""
        return cls(State.SENT, receipt=receipt)

    @classmethod
    def failed(cls, reason: str, *, wait_seconds: int = 0) -> Outcome:
        """It was not taken, and may be another time."""
        return cls(State.FAILED, reason, wait_seconds=wait_seconds)

    @classmethod
    def dead(cls, reason: str) -> Outcome:
        """It was not taken, and will not be."""
        return cls(State.DEAD, reason)

    @classmethod
    def not_sent(cls, reason: str) -> Outcome:
        """It was not tried."""
        return cls(State.NOT_SENT, reason)

    @classmethod
    def later(cls, until: datetime, reason: str) -> Outcome:
        """It was not tried, as it is not the hour for it."""
        return cls(State.WAITING, reason, until=until)
