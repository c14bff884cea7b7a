"""Facts become rows: once, whichever of event and journal tells them, in whatever order, however often.

One batch is one transaction of the follower's (`following.py`), whose lock keeps any other writer out. Rows are found by the switch's
own keys; what the journal tells without one (a ringing that nobody answered) is matched to one row of the same seat and time.
An event's time takes the place of the journal's, whose seconds are cut off.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from django.db import models

from minsheng.secrecy import normalise_phone, search_hash
from minsheng.telephony.choices import CallOutcome, EndedBy, LegKind, LegOutcome, MissedKind, VisitOutcome
from minsheng.telephony.facts import Fact, Kind
from minsheng.telephony.models import Call, CallLeg, MissedCall, QueueVisit, Seat, SkillQueue, Trunk

_log = structlog.get_logger(__name__)
_Row = TypeVar("_Row", bound=models.Model)
# The journal's second is the event's or the one before or after.
_SAME = timedelta(seconds=2)
# A caller cannot be back in the same queue sooner.
_SAME_VISIT = timedelta(seconds=4)
_MISSED = {
    CallOutcome.ABANDONED: MissedKind.ABANDONED,
    CallOutcome.UNANSWERED: MissedKind.UNANSWERED,
    CallOutcome.BLOCKED: MissedKind.BLOCKED,
    CallOutcome.LOST: MissedKind.LOST,
}
_VERDICTS = {Kind.BLOCKED: CallOutcome.BLOCKED, Kind.CLOSED: CallOutcome.CLOSED, Kind.UNANSWERED: CallOutcome.UNANSWERED}
_OPENS = frozenset(Kind) - {Kind.ENDED, Kind.LEG_ENDED, Kind.CANCELLED}


class Books:
    """The calls that one batch touches. Call `apply`, then `save`."""

    def __init__(self, facts: Iterable[Fact], *, with_open: bool = False) -> None:
        """Loads what stands of these calls; `with_open`: and of all that have not ended."""
        self._facts = list(facts)
        ids = {fact.call for fact in self._facts}
        if with_open:
            ids |= set(Call.objects.filter(ended_at__isnull=True).values_list("linkedid", flat=True))
        self._queues = {queue.code: queue for queue in SkillQueue.objects.all()}
        self._seats = {seat.extension: seat for seat in Seat.objects.defer("secret")}
        self._trunks = {trunk.code: trunk for trunk in Trunk.objects.all()}
        self._calls = {call.linkedid: call for call in Call.objects.filter(linkedid__in=ids)}
        self._visits: dict[str, list[QueueVisit]] = {}
        self._legs: dict[str, list[CallLeg]] = {}
        for visit in QueueVisit.objects.filter(call__in=self._calls.values()).select_related("call", "queue").order_by("joined_at"):
            self._visits.setdefault(visit.call.linkedid, []).append(visit)
        for leg in CallLeg.objects.filter(call__in=self._calls.values()).select_related("call").order_by("rung_at"):
            self._legs.setdefault(leg.call.linkedid, []).append(leg)
        self._touched: dict[str, Call] = {}
        self._superfluous: list[CallLeg] = []

    def apply(self) -> None:
        """All facts, in the order given."""
        for fact in self._facts:
            call = self._calls.get(fact.call)
            if call is None:
                if fact.kind not in _OPENS:
                    continue  # of a channel that is no incoming call's
                call = self._calls[fact.call] = Call(linkedid=fact.call, began_at=fact.at)
            self._touched[fact.call] = call
            self._take(call, fact)

    def lose(self, *, alive: Container[str], at: datetime) -> None:
        """End the calls of which the switch knew nothing any more by then, and of whose end it said nothing: it broke down itself."""
        for key, call in self._calls.items():
            if call.ended_at is None and call.began_at < at and key not in alive:
                call.ended_at, call.outcome = at, call.outcome or CallOutcome.LOST
                self._touched[key] = call

    def save(self) -> None:
        """Write everything touched, and a missed call for each that ended as one."""
        calls = list(self._touched.values())
        for call in calls:
            self._settle(call)
        _write(Call, calls)
        of_calls = {call.linkedid for call in calls}
        _write(QueueVisit, [visit for key in of_calls for visit in self._visits.get(key, [])])
        for leg in self._superfluous:
            if leg.pk:
                leg.delete()
        _write(CallLeg, [leg for key in of_calls for leg in self._legs.get(key, [])])
        self._record_missed([call for call in calls if call.ended_at and call.outcome in _MISSED])

    # --- one fact -----------------------------------------------------------------------------------------------------

    def _take(self, call: Call, fact: Fact) -> None:
        if fact.kind in (Kind.ARRIVED, Kind.JOINED):
            self._come(call, fact)
        if fact.kind is Kind.JOINED:
            call.joined_at = _time(call.joined_at, fact)
            self._visit(call, fact)
        elif fact.kind in (Kind.RANG, Kind.CONNECTED, Kind.COMPLETED):
            self._talk(call, fact)
        elif fact.kind in (Kind.NO_ANSWER, Kind.CANCELLED):
            self._unanswered_ringing(call, fact)
        elif fact.kind in (Kind.ABANDONED, Kind.OVERFLOWED, Kind.REFUSED):
            self._leave(call, fact)
        elif fact.kind in _VERDICTS:
            if not call.answered_at:
                call.outcome = _VERDICTS[fact.kind]
        elif fact.kind in (Kind.LEG_ENDED, Kind.ENDED):
            self._end(call, fact)

    def _come(self, call: Call, fact: Fact) -> None:
        if fact.kind is Kind.ARRIVED:
            call.began_at = _time(call.began_at, fact)
        if fact.number and not call.number:
            call.number = fact.number
            call.number_hash = search_hash("phone", normalise_phone(fact.number))
        call.dialled = call.dialled or fact.dialled[:20]
        if fact.trunk in self._trunks:
            call.trunk = self._trunks[fact.trunk]
        if not any(leg.uniqueid == call.linkedid for leg in self._legs.get(call.linkedid, [])):
            self._add_leg(CallLeg(call=call, uniqueid=call.linkedid, kind=LegKind.CITIZEN, rung_at=fact.at))

    def _visit(self, call: Call, fact: Fact) -> QueueVisit | None:
        """The visit that a fact of a queue belongs to; made where nobody told of its beginning."""
        queue = self._queues.get(fact.queue)
        if queue is None:
            _log.warning("telephony.unknown_queue", queue=fact.queue)
            return None
        visits = self._visits.setdefault(call.linkedid, [])
        mine = [visit for visit in visits if visit.queue_id == queue.pk]
        if fact.kind is Kind.JOINED:
            found = next((visit for visit in mine if abs(visit.joined_at - fact.at) <= _SAME_VISIT), None)
        else:
            found = next((visit for visit in reversed(mine) if visit.joined_at <= fact.at + _SAME), None)
        if found is None:
            found = QueueVisit(call=call, queue=queue, joined_at=fact.at - timedelta(seconds=fact.seconds))
            visits.append(found)
        elif fact.kind is Kind.JOINED:
            found.joined_at = _time(found.joined_at, fact)
        if fact.kind is Kind.JOINED and fact.position is not None:
            found.position = fact.position
        return found

    def _talk(self, call: Call, fact: Fact) -> None:
        seat = self._seats.get(fact.seat)
        if seat is None:
            _log.warning("telephony.unknown_seat", seat=fact.seat)
            return
        visit = self._visit(call, fact)
        leg = self._leg(call, fact, seat)
        if fact.kind is Kind.CONNECTED:
            call.answered_at = _time(call.answered_at, fact)
            call.seat, call.outcome = call.seat or seat, CallOutcome.ANSWERED
            if visit is not None:
                visit.left_at, visit.outcome, visit.seat = _time(visit.left_at, fact), VisitOutcome.CONNECTED, seat
            leg.answered_at, leg.outcome = _time(leg.answered_at, fact), LegOutcome.CONNECTED
        elif fact.kind is Kind.COMPLETED:
            leg.ended_at = _time(leg.ended_at, fact)
            leg.ended_by = call.ended_by = EndedBy(fact.by) if fact.by else EndedBy.CALLER
            call.transferred |= fact.by == EndedBy.TRANSFER

    def _leg(self, call: Call, fact: Fact, seat: Seat) -> CallLeg:
        """By its channel; of a completed talk also by its seat, as the journal's line names no channel."""
        legs = self._legs.setdefault(call.linkedid, [])
        found = next((leg for leg in legs if leg.uniqueid and leg.uniqueid == fact.channel), None)
        if found is None and fact.kind is Kind.COMPLETED:
            found = next((leg for leg in reversed(legs) if leg.seat_id == seat.pk and leg.answered_at), None)
        if found is not None:
            return found
        rung = fact.at - timedelta(seconds=fact.seconds)
        made = CallLeg(call=call, uniqueid=fact.channel or None, kind=LegKind.OFFER, seat=seat, rung_at=rung)
        made.queue = self._queues.get(fact.queue)
        return self._add_leg(made)

    def _unanswered_ringing(self, call: Call, fact: Fact) -> None:
        outcome = LegOutcome.NO_ANSWER if fact.kind is Kind.NO_ANSWER else LegOutcome.CANCELLED
        legs = self._legs.setdefault(call.linkedid, [])
        if fact.exact:
            leg = next((leg for leg in legs if leg.uniqueid == fact.channel), None)
            if leg is None or leg.outcome == LegOutcome.CONNECTED:
                return
            # One that only the journal told of so far was this one.
            twin = next((one for one in legs if one.uniqueid is None and _is_that(one, leg.seat_id, fact.at)), None)
            if twin is not None and not leg.journal_key:
                legs.remove(twin)
                self._superfluous.append(twin)
                leg.journal_key = twin.journal_key
        else:
            seat = self._seats.get(fact.seat)
            if seat is None:
                return
            key = f"{fact.at.timestamp():.0f}/{fact.seat}/{fact.seconds}"
            if any(one.journal_key == key for one in legs):
                return
            leg = next((one for one in legs if not one.journal_key and _is_that(one, seat.pk, fact.at)), None)
            if leg is None:
                rung = fact.at - timedelta(seconds=fact.seconds)
                leg = self._add_leg(CallLeg(call=call, kind=LegKind.OFFER, seat=seat, rung_at=rung))
                leg.queue = self._queues.get(fact.queue)
            leg.journal_key = key
        leg.ended_at = _time(leg.ended_at, fact)
        if leg.outcome != LegOutcome.NO_ANSWER:
            leg.outcome = outcome

    def _leave(self, call: Call, fact: Fact) -> None:
        visit = self._visit(call, fact)
        if visit is None:
            return
        outcomes = {Kind.ABANDONED: VisitOutcome.ABANDONED, Kind.OVERFLOWED: VisitOutcome.OVERFLOWED, Kind.REFUSED: VisitOutcome.REFUSED}
        visit.left_at, visit.outcome = _time(visit.left_at, fact), outcomes[fact.kind]

    def _end(self, call: Call, fact: Fact) -> None:
        for leg in self._legs.get(call.linkedid, []):
            if leg.uniqueid == fact.channel:
                leg.ended_at = _time(leg.ended_at, fact)
        if fact.kind is Kind.ENDED:
            call.ended_at = _time(call.ended_at, fact)
            call.cause = fact.cause if call.cause is None else call.cause

    def _add_leg(self, leg: CallLeg) -> CallLeg:
        self._legs.setdefault(leg.call.linkedid, []).append(leg)
        return leg

    # --- at the end of a batch ----------------------------------------------------------------------------------------

    def _settle(self, call: Call) -> None:
        """What became of a call that has ended without a word about it, and of what it left open."""
        if call.ended_at is None:
            return
        visits, legs = self._visits.get(call.linkedid, []), self._legs.get(call.linkedid, [])
        for visit in visits:
            if visit.left_at is None:
                visit.left_at, visit.outcome = call.ended_at, VisitOutcome.ABANDONED
        for leg in legs:
            leg.ended_at = leg.ended_at or call.ended_at
            if leg.kind == LegKind.OFFER and not leg.outcome:
                leg.outcome = LegOutcome.CANCELLED
        if call.outcome in ("", CallOutcome.BEFORE_QUEUE, CallOutcome.ABANDONED):
            call.outcome = _ended_as(visits)

    def _record_missed(self, calls: list[Call]) -> None:
        known = set(MissedCall.objects.filter(call__in=calls).values_list("call_id", flat=True))
        rows = []
        for call in calls:
            visits = self._visits.get(call.linkedid, [])
            if call.pk not in known and call.ended_at is not None and (visits or call.outcome != CallOutcome.LOST):
                rows.append(
                    MissedCall(
                        call=call,
                        kind=_MISSED[CallOutcome(call.outcome)],
                        queue=visits[-1].queue if visits else None,
                        number_hash=call.number_hash,
                        joined_at=call.joined_at or call.began_at,
                        missed_at=(visits[-1].left_at if visits else None) or call.ended_at,
                    )
                )
        MissedCall.objects.bulk_create(rows)


def _ended_as(visits: list[QueueVisit]) -> CallOutcome:
    if not visits:
        return CallOutcome.BEFORE_QUEUE
    return CallOutcome.ABANDONED if visits[-1].outcome == VisitOutcome.ABANDONED else CallOutcome.UNANSWERED


def _is_that(leg: CallLeg, seat: int | None, at: datetime) -> bool:
    """An unanswered ringing of that seat that ended then."""
    return leg.seat_id == seat and leg.ended_at is not None and not leg.answered_at and abs(leg.ended_at - at) <= _SAME


def _time(standing: datetime | None, fact: Fact) -> datetime:
    """The first time told; an event's in place of the journal's for the same moment."""
    if standing is None or (fact.exact and abs(standing - fact.at) <= _SAME):
        return fact.at
    return standing


def _write(model: type[_Row], rows: list[_Row]) -> None:
    fields = [field.name for field in model._meta.concrete_fields if not field.primary_key]
    model._default_manager.bulk_create([row for row in rows if row.pk is None])
    model._default_manager.bulk_update([row for row in rows if row.pk is not None], fields, batch_size=200)
