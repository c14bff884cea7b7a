"""What the switch tells, from its events and from its journal, in one form. Pure: no ORM, no clock.

A call is known by the Uniqueid of its caller's channel, which is its Linkedid as well; a caller keeps it through every transfer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto

from minsheng.telephony.ami import Message
from minsheng.telephony.names import extension_of, queue_code

INCOMING = "from-trunk"


class Kind(Enum):
    """What happened to a call or one of its legs."""

    ARRIVED = auto()
    JOINED = auto()
    RANG = auto()
    CONNECTED = auto()
    NO_ANSWER = auto()
    CANCELLED = auto()
    ABANDONED = auto()
    OVERFLOWED = auto()
    REFUSED = auto()
    COMPLETED = auto()
    BLOCKED = auto()
    CLOSED = auto()
    UNANSWERED = auto()
    LEG_ENDED = auto()
    ENDED = auto()


@dataclass(frozen=True)
class Fact:
    """One thing about one call. `exact`: from an event, to the microsecond; else from the journal, whose seconds are cut off."""

    kind: Kind
    at: datetime
    call: str
    exact: bool
    queue: str = ""
    seat: str = ""
    channel: str = ""
    number: str = ""
    dialled: str = ""
    trunk: str = ""
    position: int | None = None
    seconds: int = 0  # waited, or rung
    cause: int | None = None
    by: str = ""


class SeatKind(Enum):
    """What happened to a seat."""

    ADDED = auto()
    REMOVED = auto()
    PAUSED = auto()
    UNPAUSED = auto()
    DEVICE = auto()
    CONNECTED = auto()
    COMPLETED = auto()


@dataclass(frozen=True)
class SeatFact:
    """One thing about one seat."""

    kind: SeatKind
    at: datetime
    seat: str
    queue: str = ""
    reason: str = ""
    device: int = 0


# --- events ----------------------------------------------------------------------------------------------------------

_ENDED_BY = {"agent": "agent", "caller": "caller", "transfer": "transfer"}


# The events that say anything to us; the others are not kept while they wait.
TELLING = frozenset(
    {
        *("Newchannel", "Hangup", "DialEnd", "QueueCallerJoin", "QueueCallerAbandon"),
        *("AgentCalled", "AgentConnect", "AgentRingNoAnswer", "AgentComplete"),
        *("QueueMemberAdded", "QueueMemberRemoved", "QueueMemberPause", "QueueMemberStatus"),
    }
)


def moment(message: Message) -> datetime | None:
    """When the switch sent an event."""
    try:
        return datetime.fromtimestamp(float(message["Timestamp"]), UTC)
    except (KeyError, ValueError):
        return None


def digits(text: str) -> str:
    """A number as the dialplan reduces it."""
    return re.sub(r"[^0-9+]", "", text)


def of_event(m: Message) -> Fact | None:
    """What an event says of a call."""
    at = moment(m)
    if at is None:
        return None
    call, queue = m.get("Uniqueid", ""), queue_code(m.get("Queue", ""))
    seat = extension_of(m.get("Interface", ""))
    match m.get("Event"):
        case "Newchannel" if m.get("Context") == INCOMING and call == m.get("Linkedid"):
            return Fact(Kind.ARRIVED, at, call, True, number=digits(m.get("CallerIDNum", "")), dialled=digits(m.get("Exten", "")))
        case "QueueCallerJoin" if queue:
            number = digits(m.get("CallerIDNum", ""))
            return Fact(Kind.JOINED, at, call, True, queue=queue, number=number, position=_whole(m.get("Position")))
        case "AgentCalled" if queue:
            return Fact(Kind.RANG, at, call, True, queue=queue, seat=seat, channel=m.get("DestUniqueid", ""))
        case "AgentConnect" if queue:
            ring = _whole(m.get("RingTime")) or 0
            return Fact(Kind.CONNECTED, at, call, True, queue=queue, seat=seat, channel=m.get("DestUniqueid", ""), seconds=ring)
        case "AgentRingNoAnswer" if queue:
            return Fact(Kind.NO_ANSWER, at, call, True, queue=queue, seat=seat, channel=m.get("DestUniqueid", ""))
        case "DialEnd" if m.get("DialStatus") == "CANCEL":
            return Fact(Kind.CANCELLED, at, m.get("Uniqueid", ""), True, channel=m.get("DestUniqueid", ""))
        case "QueueCallerAbandon" if queue:
            return Fact(Kind.ABANDONED, at, call, True, queue=queue, seconds=_whole(m.get("HoldTime")) or 0)
        case "AgentComplete" if queue:
            by = _ENDED_BY.get(m.get("Reason", ""), "")
            return Fact(Kind.COMPLETED, at, call, True, queue=queue, seat=seat, channel=m.get("DestUniqueid", ""), by=by)
        case "Hangup":
            kind = Kind.ENDED if call == m.get("Linkedid") else Kind.LEG_ENDED
            return Fact(kind, at, m.get("Linkedid", ""), True, channel=call, cause=_whole(m.get("Cause")))
    return None


def of_event_on_seat(m: Message) -> list[SeatFact]:
    """What an event says of a seat."""
    at, seat, queue = moment(m), extension_of(m.get("Interface", "")), queue_code(m.get("Queue", ""))
    if at is None or not seat or not queue:
        return []
    match m.get("Event"):
        case "QueueMemberAdded":
            return _standing(m, at, seat, queue)
        case "QueueMemberRemoved":
            return [SeatFact(SeatKind.REMOVED, at, seat, queue)]
        case "QueueMemberPause" | "QueueMemberStatus":
            return _standing(m, at, seat, queue)
        case "AgentConnect":
            return [SeatFact(SeatKind.CONNECTED, at, seat, queue)]
        case "AgentComplete":
            return [SeatFact(SeatKind.COMPLETED, at, seat, queue)]
    return []


def of_member(m: Message, at: datetime) -> list[SeatFact]:
    """What the list of members (QueueStatus) says of a seat at this moment."""
    seat, queue = extension_of(m.get("Location") or m.get("Interface") or ""), queue_code(m.get("Queue", ""))
    return _standing(m, at, seat, queue) if seat and queue else []


def _standing(m: Message, at: datetime, seat: str, queue: str) -> list[SeatFact]:
    """Membership, pause and device, which every such event carries whole."""
    paused = m.get("Paused") == "1"
    pause = SeatFact(SeatKind.PAUSED if paused else SeatKind.UNPAUSED, at, seat, queue, reason=m.get("PausedReason", ""))
    device = SeatFact(SeatKind.DEVICE, at, seat, queue, device=_whole(m.get("Status")) or 0)
    return [SeatFact(SeatKind.ADDED, at, seat, queue), pause, device]


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


# --- the journal -----------------------------------------------------------------------------------------------------

_LEFT = {
    "ABANDON": Kind.ABANDONED, "EXITWITHTIMEOUT": Kind.OVERFLOWED, "EXITEMPTY": Kind.OVERFLOWED, "EXITWITHKEY": Kind.OVERFLOWED
}  # fmt: skip
_COMPLETE = {"COMPLETEAGENT": "agent", "COMPLETECALLER": "caller", "BLINDTRANSFER": "transfer", "ATTENDEDTRANSFER": "transfer"}
_OWN = {"BLOCKED": Kind.BLOCKED, "CLOSED": Kind.CLOSED, "UNANSWERED": Kind.UNANSWERED, "REFUSED": Kind.REFUSED}


def of_line(line: str) -> tuple[Fact | None, list[SeatFact]]:
    """What one line of the journal says. Lines that are none, or of nothing of ours, say nothing."""
    cells = line.split("|")
    if len(cells) < 5 or not cells[0].isascii() or not cells[0].isdigit():
        return None, []
    at = datetime.fromtimestamp(int(cells[0]), UTC)
    # A member is told by its device in some lines and by its name in others; our members' name is their extension.
    seat = cells[3] if cells[3].isascii() and cells[3].isdigit() else extension_of(cells[3])
    call, queue, event, *data = cells[1], queue_code(cells[2]), *cells[4:]
    return _fact(at, call, queue, seat, event, [*data, "", "", ""]), _seat_facts(at, queue, seat, event, [*data, ""])


def _fact(at: datetime, call: str, queue: str, seat: str, event: str, data: list[str]) -> Fact | None:
    if event == "ARRIVED":
        return Fact(Kind.ARRIVED, at, call, False, number=digits(data[0]), dialled=digits(data[1]), trunk=data[2])
    if event == "ENDED":
        return Fact(Kind.ENDED, at, call, False, channel=call, cause=_whole(data[0]))
    if event in _OWN:
        return Fact(_OWN[event], at, call, False, queue=queue)
    if not queue:
        return None
    if event == "ENTERQUEUE":
        return Fact(Kind.JOINED, at, call, False, queue=queue, number=digits(data[1]), position=_whole(data[2]))
    if event == "CONNECT":
        return Fact(Kind.CONNECTED, at, call, False, queue=queue, seat=seat, channel=data[1], seconds=_whole(data[2]) or 0)
    if event in ("RINGNOANSWER", "RINGCANCELED"):
        kind = Kind.NO_ANSWER if event == "RINGNOANSWER" else Kind.CANCELLED
        return Fact(kind, at, call, False, queue=queue, seat=seat, seconds=(_whole(data[0]) or 0) // 1000)
    if event in _LEFT:
        return Fact(_LEFT[event], at, call, False, queue=queue, seconds=_whole(data[2]) or 0)
    if event in _COMPLETE:
        return Fact(Kind.COMPLETED, at, call, False, queue=queue, seat=seat, by=_COMPLETE[event])
    return None


_SEAT_EVENTS = {
    "ADDMEMBER": SeatKind.ADDED, "REMOVEMEMBER": SeatKind.REMOVED, "PAUSE": SeatKind.PAUSED, "UNPAUSE": SeatKind.UNPAUSED,
    "CONNECT": SeatKind.CONNECTED,
}  # fmt: skip


def _seat_facts(at: datetime, queue: str, seat: str, event: str, data: list[str]) -> list[SeatFact]:
    if not seat or not queue:
        return []
    if event in _COMPLETE:
        return [SeatFact(SeatKind.COMPLETED, at, seat, queue), SeatFact(SeatKind.DEVICE, at, seat, queue, device=1)]
    if event not in _SEAT_EVENTS:
        return []
    kind = _SEAT_EVENTS[event]
    found = [SeatFact(kind, at, seat, queue, reason=data[0] if kind is SeatKind.PAUSED else "")]
    if kind is SeatKind.CONNECTED:
        found.append(SeatFact(SeatKind.DEVICE, at, seat, queue, device=2))
    return found
