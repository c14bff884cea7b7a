"""What the switch tells, without a switch: its journal's file, its messages, a seat's turns, and facts that come twice or late."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

import pytest

from minsheng.telephony import facts, journal
from minsheng.telephony.ami import Ami, AmiError, AmiLost, compose, parse
from minsheng.telephony.books import Books
from minsheng.telephony.choices import CallOutcome, LegOutcome, SeatState, VisitOutcome
from minsheng.telephony.facts import SeatFact, SeatKind
from minsheng.telephony.models import AgentState, Call, CallLeg, MissedCall, QueueVisit
from minsheng.telephony.seats import Tracker
from minsheng.telephony.tests.conftest import found_centre

AT = datetime(2026, 11, 27, 1, 0, 0, 400_000, tzinfo=UTC)


# --- the journal's file ----------------------------------------------------------------------------------------------


def test_the_journal_is_read_from_where_it_was_left_whole_lines_only(tmp_path):
    file = tmp_path / "queue_log"
    assert journal.read_whole(file, journal.Place()) == ([], journal.Place()), "there is none yet"
    file.write_text("one\ntwo\nthr")
    lines, place = journal.read_whole(file, journal.Place())
    assert lines == ["one", "two"]
    with file.open("a") as handle:
        handle.write("ee\n")
    lines, place = journal.read_whole(file, place)
    assert lines == ["three"]
    assert journal.read_whole(file, place)[0] == []


def test_a_journal_that_was_renamed_is_read_to_its_end_before_the_new_one(tmp_path):
    file = tmp_path / "queue_log"
    file.write_text("one\n")
    _, place = journal.read_whole(file, journal.Place())
    with file.open("a") as handle:
        handle.write("two\n")
    file.rename(tmp_path / "queue_log.0")
    assert journal.read_whole(file, place)[0] == ["two"], "before there is a new one"
    file.write_text("three\n")
    assert journal.read_whole(file, place)[0] == ["two", "three"]
    (tmp_path / "queue_log.0").unlink()
    assert journal.read_whole(file, place)[0] == ["three"]


def test_a_journal_that_was_cut_off_is_begun_anew(tmp_path):
    file = tmp_path / "queue_log"
    file.write_text("a long line of yesterday\n")
    _, place = journal.read_whole(file, journal.Place())
    file.write_text("new\n")
    assert journal.read_whole(file, place)[0] == ["new"]


@pytest.mark.parametrize("line", ["", "x", "1|2|3", "abc|1|skill-general|1001|CONNECT|1|2|3", "1|2|foreign|1001|CONNECT|1|2|3"])
def test_lines_that_say_nothing_of_ours(line):
    assert facts.of_line(line) == (None, [])


# --- the management interface ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["a\r\nAction: Command", "a\nb", "a\0b"])
def test_a_value_is_one_line(value):
    with pytest.raises(ValueError, match="one line"):
        compose({"Action": "QueueAdd", "MemberName": value})


def test_a_message_is_its_headers():
    assert parse(b"Event: Hangup\r\nCause-txt: Normal: Clearing\r\nnonsense\r\n\r\n") == {"Event": "Hangup", "Cause-txt": "Normal: Clearing"}


def _talk_with(serve, use):
    """A listener that behaves as `serve`, and `use` with a client signed in at it."""

    async def both():
        async def each(reader, writer):
            writer.write(b"Asterisk Call Manager/5.0\r\n")
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"Response: Success\r\nActionID: 1\r\n\r\n")
            await serve(reader, writer)
            writer.close()

        server = await asyncio.start_server(each, "127.0.0.1", 0)
        ami = await Ami.connect(port=server.sockets[0].getsockname()[1], user="u", secret="s")
        try:
            return await use(ami)
        finally:
            await ami.close()
            server.close()

    return asyncio.run(both())


def test_a_list_is_kept_apart_from_the_stream_and_an_end_of_the_line_is_told():
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"Response: Success\r\nActionID: 2\r\nEventList: start\r\n\r\n")
        writer.write(b"Event: QueueMember\r\nActionID: 2\r\n\r\nEvent: Hangup\r\n\r\nEvent: Done\r\nActionID: 2\r\nEventList: Complete\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"Response: Error\r\nActionID: 3\r\nMessage: no such queue\r\n\r\n")
        await writer.drain()

    async def use(ami):
        assert [m["Event"] for m in await ami.listing("QueueStatus")] == ["QueueMember"]
        with pytest.raises(AmiError, match="no such queue"):
            await ami.action("QueueAdd", Queue="x")
        assert [m["Event"] for m in ami.taken()] == ["Hangup"]
        with pytest.raises(AmiLost):
            await ami.action("Ping")
        with pytest.raises(AmiLost):
            ami.taken()

    _talk_with(serve, use)


# --- a seat's turns --------------------------------------------------------------------------------------------------


def _at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def _seat(kind: SeatKind, seconds: float, **values) -> SeatFact:
    return SeatFact(kind, _at(seconds), "1001", **{"queue": "general", **values})


def test_a_talk_ends_once_and_its_wrap_up_by_the_clock():
    tracker = Tracker({}, {"general": 30})
    day = [
        _seat(SeatKind.ADDED, 0), _seat(SeatKind.DEVICE, 0, device=1), _seat(SeatKind.DEVICE, 5, device=6), _seat(SeatKind.CONNECTED, 8),
        _seat(SeatKind.DEVICE, 8, device=2), _seat(SeatKind.DEVICE, 60, device=1), _seat(SeatKind.COMPLETED, 60.1),
        _seat(SeatKind.PAUSED, 70, reason="rest"), _seat(SeatKind.UNPAUSED, 100), _seat(SeatKind.REMOVED, 110),
    ]  # fmt: skip
    turns = [((turn.at - AT).total_seconds(), turn.state, turn.reason) for turn in tracker.apply(day)]
    assert turns == [
        (0, SeatState.READY, ""), (5, SeatState.RINGING, ""), (8, SeatState.TALKING, ""), (60, SeatState.WRAP_UP, ""),
        (90, SeatState.PAUSED, "rest"), (100, SeatState.READY, ""), (110, SeatState.SIGNED_OUT, ""),
    ]  # fmt: skip


def test_what_is_kept_between_batches_is_all_that_a_seat_is():
    whole, parts = Tracker({}, {"general": 30}), {}
    day = [_seat(SeatKind.ADDED, 0), _seat(SeatKind.CONNECTED, 1), _seat(SeatKind.DEVICE, 1, device=2), _seat(SeatKind.DEVICE, 9, device=1)]
    turns = []
    for fact in day:
        tracker = Tracker(parts, {"general": 30})
        turns += tracker.apply([fact])
        parts = tracker.kept()
    assert turns == list(whole.apply(day)) and parts == whole.kept()
    assert [turn.at for turn in Tracker(parts, {}).pass_until(_at(100))] == [_at(39)]


def test_who_left_while_nobody_looked_has_left():
    tracker = Tracker({}, {})
    list(tracker.apply([_seat(SeatKind.ADDED, 0), _seat(SeatKind.ADDED, 0, queue="risk")]))
    assert not list(tracker.resume([_seat(SeatKind.ADDED, 50)], _at(50))), "of one queue only"
    assert [turn.state for turn in tracker.resume([], _at(60))] == [SeatState.SIGNED_OUT]


@pytest.mark.parametrize("device", [2, 1], ids=["it ends after the resume", "it has ended"])
def test_a_talk_that_ends_in_the_second_of_the_resume_ends_once(device):
    """The journal says that it ended in that second; an event says so too where it was after the switch was asked."""
    tracker = Tracker({}, {"general": 2})
    turns = list(tracker.apply([_seat(SeatKind.ADDED, 0), _seat(SeatKind.CONNECTED, 1), _seat(SeatKind.DEVICE, 1, device=2)]))
    now = [_seat(SeatKind.ADDED, 5.3), _seat(SeatKind.DEVICE, 5.3, device=device)]
    turns += tracker.resume(now, _at(5.3), [_seat(SeatKind.COMPLETED, 5), _seat(SeatKind.DEVICE, 5, device=1)])
    if device == 2:
        turns += tracker.apply([_seat(SeatKind.DEVICE, 5.7, device=1), _seat(SeatKind.COMPLETED, 5.7)])
    turns += tracker.pass_until(_at(9))
    assert [turn.state for turn in turns] == [SeatState.READY, SeatState.TALKING, SeatState.WRAP_UP, SeatState.READY]


def test_a_talk_that_began_in_the_second_of_the_resume_has_its_wrap_up():
    tracker = Tracker({}, {"general": 2})
    list(tracker.apply([_seat(SeatKind.ADDED, 0)]))
    now = [_seat(SeatKind.ADDED, 5.3), _seat(SeatKind.DEVICE, 5.3, device=2)]
    turns = list(tracker.resume(now, _at(5.3), [_seat(SeatKind.CONNECTED, 5), _seat(SeatKind.DEVICE, 5, device=2)]))
    turns += tracker.apply([_seat(SeatKind.DEVICE, 7, device=1), _seat(SeatKind.COMPLETED, 7)])
    assert [turn.state for turn in turns] == [SeatState.TALKING, SeatState.WRAP_UP]


def test_several_things_of_one_second_stay_in_order():
    tracker = Tracker({}, {})
    turns = list(tracker.apply([_seat(SeatKind.ADDED, 0), _seat(SeatKind.PAUSED, 0, reason="rest"), _seat(SeatKind.UNPAUSED, 0)]))
    assert [turn.state for turn in turns] == [SeatState.READY, SeatState.PAUSED, SeatState.READY]
    assert len({turn.at for turn in turns}) == 3 and turns[-1].at - AT < timedelta(milliseconds=1)


# --- facts that come twice, late, or from one side only --------------------------------------------------------------

CALL, FIRST, SECOND = "minsheng1-1795771503.0", "minsheng1-1795771504.1", "minsheng1-1795771510.2"


def _events() -> list[facts.Fact]:
    """1003 does not answer, 1001 does, and the citizen hangs up."""
    told = [
        (0.0, {"Event": "Newchannel", "Context": "from-trunk", "CallerIDNum": "13800000001", "Exten": "12345", "Uniqueid": CALL}),
        (1.1, {"Event": "QueueCallerJoin", "CallerIDNum": "13800000001", "Position": "1", "Uniqueid": CALL}),
        (1.2, {"Event": "AgentCalled", "Interface": "PJSIP/1003", "Uniqueid": CALL, "DestUniqueid": FIRST}),
        (4.3, {"Event": "AgentRingNoAnswer", "Interface": "PJSIP/1003", "Uniqueid": CALL, "DestUniqueid": FIRST}),
        (5.4, {"Event": "AgentCalled", "Interface": "PJSIP/1001", "Uniqueid": CALL, "DestUniqueid": SECOND}),
        (6.5, {"Event": "AgentConnect", "Interface": "PJSIP/1001", "Uniqueid": CALL, "DestUniqueid": SECOND, "RingTime": "1"}),
        (9.6, {"Event": "AgentComplete", "Interface": "PJSIP/1001", "Uniqueid": CALL, "DestUniqueid": SECOND, "Reason": "caller"}),
        (9.7, {"Event": "Hangup", "Uniqueid": SECOND}),
        (9.8, {"Event": "Hangup", "Uniqueid": CALL, "Cause": "16"}),
    ]
    common = {"Queue": "skill-general", "Linkedid": CALL}
    found = [facts.of_event({**common, **event, "Timestamp": f"{_at(seconds).timestamp():.6f}"}) for seconds, event in told]
    assert all(found)
    return [fact for fact in found if fact]


def _lines() -> list[facts.Fact]:
    second = int(AT.timestamp())
    told = [
        f"{second}|{CALL}|NONE|NONE|ARRIVED|13800000001|12345|carrier",
        f"{second + 1}|{CALL}|skill-general|NONE|ENTERQUEUE||13800000001|1",
        f"{second + 4}|{CALL}|skill-general|1003|RINGNOANSWER|3000",
        f"{second + 6}|{CALL}|skill-general|1001|CONNECT|5|{SECOND}|1",
        f"{second + 10}|{CALL}|skill-general|1001|COMPLETECALLER|5|3|1",
        f"{second + 10}|{CALL}|NONE|NONE|ENDED|16",
    ]
    found = [facts.of_line(line)[0] for line in told]
    assert all(found)
    return [fact for fact in found if fact]


def _write(told: list[facts.Fact]) -> None:
    books = Books(told)
    books.apply()
    books.save()


ORDERS = {
    "events, then journal": lambda e, j: [e + j],
    "journal, then events": lambda e, j: [j + e],
    "each in a batch of its own": lambda e, j: [[fact] for pair in itertools.zip_longest(e, j) for fact in pair if fact],
    "everything twice": lambda e, j: [e, j, e, j],
    "the journal only": lambda e, j: [j],
    "half of the events": lambda e, j: [e[:4], j, e[7:]],
    "the other half": lambda e, j: [j[:3], e[3:], j],
}


@pytest.mark.django_db
@pytest.mark.parametrize("order", ORDERS)
def test_however_it_is_told_it_is_one_call(order, scratch):
    found_centre(scratch)
    for batch in ORDERS[order](_events(), _lines()):
        _write(batch)
    call = Call.objects.get()
    assert (call.number, call.dialled, call.outcome, call.ended_by, call.cause) == ("13800000001", "12345", CallOutcome.ANSWERED, "caller", 16)
    assert call.seat.extension == "1001" and call.trunk.code == "carrier"
    visit = QueueVisit.objects.get()
    assert (visit.outcome, visit.position, visit.seat.extension) == (VisitOutcome.CONNECTED, 1, "1001")
    offers = CallLeg.objects.filter(kind="offer").order_by("rung_at")
    assert [(leg.seat.extension, leg.outcome, bool(leg.ended_at)) for leg in offers] == [
        ("1003", LegOutcome.NO_ANSWER, True), ("1001", LegOutcome.CONNECTED, True)
    ]  # fmt: skip
    assert not MissedCall.objects.exists()
    for time, seconds in ((call.began_at, 0), (call.joined_at, 1.1), (call.answered_at, 6.5), (call.ended_at, 9.8)):
        assert abs((time - _at(seconds)).total_seconds()) < 1


@pytest.mark.django_db
def test_a_number_with_what_a_caller_likes_in_it_is_digits(scratch):
    found_centre(scratch)
    event = {"Event": "Newchannel", "Context": "from-trunk", "CallerIDNum": "1380|000;0001' --", "Exten": "12345", "Uniqueid": CALL}
    _write([facts.of_event({**event, "Linkedid": CALL, "Timestamp": str(AT.timestamp())})])
    assert Call.objects.get().number == "13800000001"


@pytest.mark.django_db
def test_a_row_of_a_seats_states_is_never_changed(scratch):
    from django.db import DatabaseError, transaction

    from minsheng.telephony.models import Seat

    found_centre(scratch)
    AgentState.objects.create(seat=Seat.objects.get(extension="1001"), state=SeatState.READY, at=AT)
    for change in (lambda: AgentState.objects.update(state=SeatState.TALKING), lambda: AgentState.objects.all().delete()):
        with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
            change()
