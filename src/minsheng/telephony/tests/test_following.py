"""The books of a day on a real switch, held against its own journal: every call once, whatever happened to us meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection

from minsheng.platform.postgres_user import end_with_parent
from minsheng.secrecy import search_hash
from minsheng.telephony import control
from minsheng.telephony.choices import CallOutcome, EndedBy, LegKind, LegOutcome, MissedKind, SeatState, VisitOutcome
from minsheng.telephony.models import AgentState, Call, CallLeg, FollowedTo, MissedCall, QueueVisit, SkillQueue, Trunk
from minsheng.telephony.tests.conftest import WAIT, WRAP_UP, ask_switch
from minsheng.telephony.tests.switch import Switch, until

pytestmark = [pytest.mark.telephony, pytest.mark.slow]
GENERAL = {"general": 1}


class FollowerProcess:
    """`minsheng telephony run`, as the supervisor starts it."""

    def __init__(self, switch: Switch) -> None:
        database: Any = connection.settings_dict
        self._environment = {
            **os.environ,
            "DATABASE_URL": f"host={database['HOST']} user={database['USER']} dbname={database['NAME']}",
            "MINSHENG_HOME": str(django_settings.HOME),
            "MINSHENG_TELEPHONY": json.dumps(switch.settings),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "minsheng.platform.cli", "telephony", "run"]
        self._process = subprocess.Popen(command, env=self._environment, start_new_session=True, preexec_fn=end_with_parent)

    def end(self, how: int = signal.SIGTERM) -> int:
        assert self._process is not None
        self._process.send_signal(how)
        code = self._process.wait(timeout=20)
        self._process = None
        return code

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None


@contextmanager
def following(switch: Switch) -> Iterator[FollowerProcess]:
    made = FollowerProcess(switch)
    made.start()
    until(lambda: FollowedTo.objects.exists())
    try:
        yield made
    finally:
        if made.running:
            made.end(signal.SIGKILL)


def told(switch: Switch, event: str, count: int = 1) -> list[list[str]]:
    """The journal's lines of that event, once there are so many: the switch itself, not we, says that it happened."""
    return until(lambda: lines if len(lines := [c for c in switch.journal() if c[4] == event]) >= count else None)


def ended(count: int) -> None:
    until(lambda: Call.objects.filter(ended_at__isnull=False).count() >= count)


def states(extension: str) -> list[tuple[str, str]]:
    return list(AgentState.objects.filter(seat__extension=extension).order_by("at").values_list("state", "reason"))


def agree(switch):
    """The books and the journal say the same, call by call."""
    journal = switch.journal()
    of = {event: Counter(cells[1] for cells in journal if cells[4] == event) for event in {cells[4] for cells in journal}}
    none = Counter()
    calls = {call.linkedid: call for call in Call.objects.all()}
    assert sorted(calls) == sorted(of["ARRIVED"].elements()), "every call once"
    assert {key for key, call in calls.items() if call.ended_at} == set(of.get("ENDED", none))
    visits = Counter(QueueVisit.objects.values_list("call__linkedid", flat=True))
    assert visits - Counter(cells[1] for cells in journal if cells[4] == "REFUSED") == of.get("ENTERQUEUE", none)
    for event, outcome in (("CONNECT", VisitOutcome.CONNECTED), ("ABANDON", VisitOutcome.ABANDONED), ("EXITWITHTIMEOUT", VisitOutcome.OVERFLOWED)):
        assert Counter(QueueVisit.objects.filter(outcome=outcome).values_list("call__linkedid", flat=True)) == of.get(event, none), event
    answered = {cells[6]: cells for cells in journal if cells[4] == "CONNECT"}
    legs = CallLeg.objects.filter(outcome=LegOutcome.CONNECTED, kind=LegKind.OFFER)
    assert sorted(leg.uniqueid for leg in legs) == sorted(answered)
    assert all(leg.seat.extension == answered[leg.uniqueid][3] for leg in legs.select_related("seat"))
    missed_rings = Counter(cells[1] for cells in journal if cells[4] == "RINGNOANSWER")
    assert Counter(CallLeg.objects.filter(outcome=LegOutcome.NO_ANSWER).values_list("call__linkedid", flat=True)) == missed_rings
    by = {cells[1]: cells[4].removeprefix("COMPLETE").lower() for cells in journal if cells[4].startswith("COMPLETE")}
    assert {key: call.ended_by for key, call in calls.items() if call.ended_by} == by
    assert {key for key, call in calls.items() if call.answered_at} == set(of.get("CONNECT", none))
    lost = {*of.get("ABANDON", none), *of.get("UNANSWERED", none), *of.get("BLOCKED", none)} - set(of.get("CONNECT", none))
    assert sorted(MissedCall.objects.values_list("call__linkedid", flat=True)) == sorted(lost), "every one that nobody answered"


def test_a_morning_at_one_seat(centre):
    centre.telephones(port=centre.seats_port, talk=1200)
    with following(centre) as follower:
        ask_switch(control.sign_in, "1001", GENERAL)
        centre.citizen("13800000001")
        told(centre, "COMPLETEAGENT")
        until(lambda: states("1001")[-1:] == [(SeatState.READY, "")] and len(states("1001")) > 4)
        ask_switch(control.pause, "1001", "rest")
        centre.citizen("13800000002", leaves=2500)
        told(centre, "ABANDON")
        ask_switch(control.unpause, "1001")
        centre.citizen("13800000003", leaves=2200)
        told(centre, "COMPLETECALLER")
        ended(3)
        ask_switch(control.sign_out, "1001")
        until(lambda: states("1001")[-1][0] == SeatState.SIGNED_OUT)
        assert follower.end() == 0
    agree(centre)
    first, second, third = Call.objects.order_by("began_at")
    assert (first.number, first.dialled, first.trunk.code) == ("13800000001", "12345", "carrier")
    assert bytes(first.number_hash) == search_hash("phone", "13800000001")
    assert (first.outcome, first.ended_by, first.seat.extension) == (CallOutcome.ANSWERED, EndedBy.AGENT, "1001")
    assert first.began_at < first.joined_at < first.answered_at < first.ended_at
    assert (third.outcome, third.ended_by) == (CallOutcome.ANSWERED, EndedBy.CALLER)
    missed = MissedCall.objects.get()
    assert (missed.call, missed.kind, missed.joined_at) == (second, MissedKind.ABANDONED, second.joined_at)
    talk = [SeatState.RINGING, SeatState.TALKING, SeatState.WRAP_UP]
    shown = [state for state, _ in states("1001")]
    assert shown[:6] == [SeatState.READY, *talk, SeatState.READY, SeatState.PAUSED]
    assert shown[6] in (SeatState.READY, SeatState.RINGING) and shown[-4:-1] in (talk, [*talk[1:], SeatState.READY])
    assert [reason for state, reason in states("1001") if state == SeatState.PAUSED] == ["rest"]
    wrapped, ready = AgentState.objects.order_by("at")[3:5]
    assert 0 < (ready.at - wrapped.at).total_seconds() <= WRAP_UP, "counted from the talk's end"


def test_nobody_answers(centre):
    """No answer, overflow at once where nobody sits, waited to the end, and no free line."""
    centre.telephones(port=centre.silent_port, talk=0, answer=False)
    centre.telephones(port=centre.seats_port, talk=1000)
    SkillQueue.objects.filter(code="general").update(longest_wait_seconds=12)
    call_command("telephony_render", reload=True)
    with following(centre):
        centre.citizen("13800000011")
        centre.citizen("13800000012", dial="12346", leaves=4000)
        told(centre, "ENTERQUEUE", 2)
        Trunk.objects.update(lines=2)
        call_command("telephony_render", reload=True)
        centre.citizen("13800000013")
        told(centre, "BLOCKED")
        told(centre, "UNANSWERED")
        ended(3)
        SkillQueue.objects.filter(code="general").update(longest_wait_seconds=WAIT)
        call_command("telephony_render", reload=True)
        ask_switch(control.sign_in, "1003", GENERAL)
        centre.citizen("13800000014")
        told(centre, "RINGNOANSWER")
        until(lambda: states("1003")[-1:] == [(SeatState.PAUSED, "no_answer")])
        ask_switch(control.sign_in, "1002", GENERAL)
        told(centre, "COMPLETEAGENT")
        ended(4)
    agree(centre)
    outcomes = {call.number: call.outcome for call in Call.objects.all()}
    assert outcomes == {
        "13800000011": CallOutcome.UNANSWERED, "13800000012": CallOutcome.ABANDONED, "13800000013": CallOutcome.BLOCKED,
        "13800000014": CallOutcome.ANSWERED,
    }  # fmt: skip
    visits = QueueVisit.objects.filter(call__dialled="12346").order_by("joined_at").values_list("queue__code", "outcome")
    assert list(visits) == [("enterprise", VisitOutcome.REFUSED), ("general", VisitOutcome.ABANDONED)]
    assert MissedCall.objects.get(kind=MissedKind.BLOCKED).queue is None


def test_the_follower_is_killed_in_mid_call_and_two_of_them_double_nothing(centre):
    centre.telephones(port=centre.seats_port, talk=4000)
    with following(centre) as first:
        ask_switch(control.sign_in, "1001", GENERAL)
        centre.citizen("13800000021")
        told(centre, "CONNECT")
        until(lambda: Call.objects.filter(answered_at__isnull=False).exists())
        first.end(signal.SIGKILL)
        # Meanwhile: one gives up, another seat comes and answers, the first talk ends.
        centre.citizen("13800000022", leaves=2000)
        told(centre, "ABANDON")
        ask_switch(control.sign_in, "1002", GENERAL)
        centre.citizen("13800000023")
        told(centre, "CONNECT", 2)
        told(centre, "COMPLETEAGENT", 1)
        assert Call.objects.count() == 1
        with following(centre) as second, following(centre) as third:
            until(lambda: Call.objects.count() == 3)
            told(centre, "COMPLETEAGENT", 2)
            ended(3)
            until(lambda: states("1002")[-1][0] == SeatState.READY)
            assert second.running and third.running, "one stands by"
            second.end(signal.SIGKILL)
            third.end(signal.SIGKILL)
    agree(centre)
    assert MissedCall.objects.get().call.number == "13800000022"
    for extension in ("1001", "1002"):
        shown = [state for state, _ in states(extension) if state != SeatState.RINGING]
        assert shown == [SeatState.READY, SeatState.TALKING, SeatState.WRAP_UP, SeatState.READY], extension


def test_calls_go_on_while_the_database_is_away_and_the_switch_itself_breaks_down(centre):
    centre.telephones(port=centre.seats_port, talk=1000)
    name = connection.settings_dict["NAME"]
    with following(centre) as follower:
        ask_switch(control.sign_in, "1001", GENERAL)
        until(lambda: states("1001"))
        with database_away(name):
            for number in range(3):
                centre.citizen(f"1380000003{number}")
            centre.citizen("13800000039", leaves=2000)
            told(centre, "COMPLETEAGENT", 1)
            told(centre, "ABANDON")
        told(centre, "COMPLETEAGENT", 3)
        ended(4)
        agree(centre)
        until(lambda: states("1001")[-1][0] == SeatState.READY)
        ask_switch(control.pause, "1001", "meal")
        centre.citizen("13800000040")
        told(centre, "ENTERQUEUE", 5)
        until(lambda: Call.objects.filter(joined_at__isnull=False).count() == 5)
        centre.stop(signal.SIGKILL)
        centre.start()
        ended(5)
        assert follower.running
    broken = Call.objects.get(outcome=CallOutcome.LOST)
    assert (broken.number, broken.missed.kind) == ("13800000040", MissedKind.LOST), "whoever waited is called back"
    assert states("1001")[-1] == (SeatState.PAUSED, "meal"), "the switch remembers its members through its own restart"


@contextmanager
def database_away(name: str) -> Iterator[None]:
    """Nobody but this test's own open connection can reach it: the follower's is cut, and a new one refused."""
    address = f"host={connection.settings_dict['HOST']} user={connection.settings_dict['USER']} dbname=postgres"
    mine = connection.connection.info.backend_pid
    with psycopg.connect(address, autocommit=True) as outside:
        outside.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        outside.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s", [name, mine])
        try:
            yield
        finally:
            outside.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
