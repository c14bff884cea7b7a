"""A seat's state from what the switch tells of it. Pure: no ORM, no clock.

The switch has no event for the end of wrap-up (it only offers nothing before), so that end is counted here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from minsheng.telephony.choices import SeatState
from minsheng.telephony.facts import SeatFact, SeatKind

# Asterisk's device states.
_TALKING, _GONE, _RINGING = frozenset({2, 3, 7, 8}), frozenset({4, 5}), 6
_LEAST = timedelta(microseconds=1)
AUTO_PAUSE, NO_ANSWER = "Auto-Pause", "no_answer"  # the switch's word for a pause after a missed ringing, and our code


@dataclass(frozen=True)
class Turn:
    """From `at` on a seat is in this state."""

    seat: str
    at: datetime
    state: SeatState
    reason: str = ""


@dataclass
class _Seat:
    queues: set[str] = field(default_factory=set)
    paused: bool = False
    reason: str = ""
    device: int = 0
    in_queue_call: bool = False
    wrap_up_queue: str = ""
    wrap_until: datetime | None = None
    state: str = SeatState.SIGNED_OUT
    shown_reason: str = ""
    since: datetime | None = None

    def now(self) -> tuple[SeatState, str]:
        if self.device in _TALKING:
            return SeatState.TALKING, ""
        if not self.queues:
            return SeatState.SIGNED_OUT, ""
        if self.device == _RINGING:
            return SeatState.RINGING, ""
        if self.device in _GONE:
            return SeatState.OFFLINE, ""
        if self.wrap_until is not None:
            return SeatState.WRAP_UP, ""
        if self.paused:
            return SeatState.PAUSED, self.reason
        return SeatState.READY, ""


class Tracker:
    """All seats, between one batch and the next kept as plain values beside what was written of them."""

    def __init__(self, kept: Mapping[str, Any], wrap_up: Mapping[str, int]) -> None:
        """`wrap_up`: queue code → seconds."""
        self._wrap_up = wrap_up
        self._seats = {extension: _opened(values) for extension, values in kept.items()}

    def kept(self) -> dict[str, Any]:
        """For the next batch."""
        return {extension: _closed(seat) for extension, seat in self._seats.items()}

    def apply(self, facts: Iterable[SeatFact]) -> Iterator[Turn]:
        """The turns that these facts are, in order; wrap-ups that ended before one come before it."""
        for fact in facts:
            yield from self.pass_until(fact.at)
            seat = self._seats.setdefault(fact.seat, _Seat())
            self._take(seat, fact)
            yield from self._turn(fact.seat, seat, fact.at)

    def pass_until(self, at: datetime) -> Iterator[Turn]:
        """Wrap-ups that are over by then."""
        over = [(seat.wrap_until, name) for name, seat in self._seats.items() if seat.wrap_until and seat.wrap_until <= at]
        for until, name in sorted(over):
            self._seats[name].wrap_until = None
            yield from self._turn(name, self._seats[name], until)

    def resume(self, members: Iterable[SeatFact], at: datetime, unsure: Iterable[SeatFact] = ()) -> Iterator[Turn]:
        """What the switch says now, whole: memberships that it does not tell have ended while nobody looked.

        `unsure`: what the journal, whose seconds are cut off, tells of this very second. It came before, or will be told by an
        event too: it counts where it agrees with what the switch says now.
        """
        found = list(members)
        devices = {fact.seat: fact.device for fact in found if fact.kind is SeatKind.DEVICE}
        yield from self.apply(fact for fact in unsure if _agrees(fact, devices.get(fact.seat, 0)))
        here = {(fact.seat, fact.queue) for fact in found}
        gone = [
            SeatFact(SeatKind.REMOVED, at, name, queue)
            for name, seat in self._seats.items()
            for queue in sorted(seat.queues)
            if (name, queue) not in here
        ]
        told = {fact.seat for fact in found}
        for name, seat in self._seats.items():
            if name not in told:
                seat.device = 0
        yield from self.apply([*gone, *found])

    def _take(self, seat: _Seat, fact: SeatFact) -> None:
        match fact.kind:
            case SeatKind.ADDED:
                seat.queues.add(fact.queue)
            case SeatKind.REMOVED:
                seat.queues.discard(fact.queue)
                if not seat.queues:
                    seat.paused, seat.reason, seat.wrap_until = False, "", None
            case SeatKind.PAUSED:
                seat.paused, seat.reason = True, NO_ANSWER if fact.reason == AUTO_PAUSE else fact.reason[:20]
            case SeatKind.UNPAUSED:
                seat.paused, seat.reason = False, ""
            case SeatKind.CONNECTED:
                seat.in_queue_call, seat.wrap_up_queue, seat.wrap_until = True, fact.queue, None
            case SeatKind.COMPLETED:
                self._wrap(seat, fact.at)
            case SeatKind.DEVICE:
                # The telephone is free a moment before the queue says that the call is complete: one end, not two.
                if seat.device in _TALKING and fact.device not in _TALKING:
                    self._wrap(seat, fact.at)
                seat.device = fact.device

    def _wrap(self, seat: _Seat, at: datetime) -> None:
        if seat.in_queue_call:
            seat.in_queue_call = False
            seconds = self._wrap_up.get(seat.wrap_up_queue, 0)
            seat.wrap_until = at + timedelta(seconds=seconds) if seconds else None

    def _turn(self, name: str, seat: _Seat, at: datetime) -> Iterator[Turn]:
        state, reason = seat.now()
        if (state, reason) == (seat.state, seat.shown_reason):
            return
        if seat.since is not None and at <= seat.since:
            at = seat.since + _LEAST  # the journal tells several things of one second
        seat.state, seat.shown_reason, seat.since = state, reason, at
        yield Turn(name, at, state, reason)


def _agrees(fact: SeatFact, device: int) -> bool:
    """Membership and pause are in the switch's own word; a talk that began or ended shows in the seat's device."""
    if fact.kind is SeatKind.CONNECTED:
        return device in _TALKING
    return fact.kind is SeatKind.COMPLETED and device not in _TALKING


def _opened(values: Mapping[str, Any]) -> _Seat:
    times = {name: datetime.fromisoformat(values[name]) if values[name] else None for name in ("wrap_until", "since")}
    return _Seat(**{**values, "queues": set(values["queues"]), **times})


def _closed(seat: _Seat) -> dict[str, Any]:
    times = {name: at.isoformat() if at else None for name, at in (("wrap_until", seat.wrap_until), ("since", seat.since))}
    return {**vars(seat), "queues": sorted(seat.queues), "state": str(seat.state), **times}
