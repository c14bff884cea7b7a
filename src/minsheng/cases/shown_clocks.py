"""Clocks as screens show them: the light, how long is left, why, and when the light will turn. Reads no rows of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from minsheng.cases import clocks, pressing
from minsheng.cases.choices import AskKind, AskState, CaseState, Ending, TaskState
from minsheng.cases.clocks import RunningClock
from minsheng.cases.lights import light_by
from minsheng.ui import times
from minsheng.worktime.choices import Light
from minsheng.worktime.rules import Calendar, remaining

if TYPE_CHECKING:
    from minsheng.cases.models import Ask, Case, Task

# What the citizen waited for has been given: their clock no longer runs.
ANSWERED = frozenset({CaseState.TO_FOLLOW_UP, CaseState.CLOSED, CaseState.ARCHIVED})


@dataclass(frozen=True, slots=True)
class ShownClock:
    """One clock of the right-hand third (ui/clock.html)."""

    name: str
    text: str
    light: str = Light.NONE.value
    sentence: str = ""
    due: datetime | None = None
    provisional: bool = False
    turns: str = ""


NO_CLOCK = ShownClock("", "")


def why(derivation: Mapping[str, Any] | None) -> str:
    """The derivation kept beside a deadline, as a sentence."""
    made = clocks.of(dict(derivation)) if derivation else None
    return made.sentence() if made else ""


def _running(clock: RunningClock, at: datetime, calendar: Calendar, name: str = "") -> ShownClock:
    """A clock that runs, under its own name or another."""
    made = clocks.of(clock.derivation)
    return ShownClock(
        name or clock.name,
        remaining(at, clock.due_at, calendar),
        light_by(at, yellow=clock.yellow_at, orange=clock.orange_at, due=clock.due_at).value,
        clock.why,
        clock.due_at,
        made is not None and made.is_provisional,
        times.turns(at, yellow=clock.yellow_at, orange=clock.orange_at, red=clock.due_at),
    )


# --- one clock ---------------------------------------------------------------------------------------------------


def citizen_clock(case: Case, *, at: datetime, calendar: Calendar) -> ShownClock | None:
    """群众的时限: running until the citizen was answered, then whether it was kept; the unanswered endings say nothing."""
    due, yellow, orange = case.citizen_due_at, case.citizen_yellow_at, case.citizen_orange_at
    if due is None:
        return None
    if case.state in ANSWERED:
        done = case.closed_at if case.ending and case.ending != Ending.HANDLED else case.replied_at or case.closed_at
        kept = done is not None and done < due
        words = "已按时答复" if kept else "已超时限答复"
        return ShownClock("群众的时限", words, sentence=why(case.citizen_derivation), due=due)
    return _running(RunningClock("群众的时限", due, yellow or due, orange or due, case.citizen_derivation), at, calendar)


def stage_clock(case: Case, *, at: datetime, calendar: Calendar) -> ShownClock | None:
    """The centre's own clock for the stage under way."""
    due, yellow, orange = case.stage_due_at, case.stage_yellow_at, case.stage_orange_at
    if due is None:
        return None
    name = f"{clocks.STAGE_CLOCKS[CaseState(case.state)].label}时限"
    return _running(RunningClock(name, due, yellow or due, orange or due, case.stage_derivation), at, calendar)


def ask_clock(ask: Ask, *, at: datetime, calendar: Calendar) -> ShownClock:
    """The time within which the centre answers an ask; none once it is answered, or nobody will answer it."""
    if ask.state != AskState.PENDING:
        return NO_CLOCK
    return _running(clocks.of_ask(ask), at, calendar, f"{AskKind(ask.kind).label}申请审核时限")


def task_clocks(task: Task, *, at: datetime, calendar: Calendar) -> list[ShownClock]:
    """What one unit owes now: to read, first measures, to handle."""
    if task.state == TaskState.PAUSED:
        return [
            ShownClock(f"{each.name}时限", "挂起中，时限暂停", sentence=each.why, due=each.due_at)
            for each in clocks.of_task(task)
        ]
    return [_running(each, at, calendar, f"{each.name}时限") for each in clocks.running(task)]


# --- the most pressing of several --------------------------------------------------------------------------------


def task_clock(task: Task, *, at: datetime, calendar: Calendar) -> ShownClock:
    """The most pressing of a task's running clocks, as its row shows it; the same in SQL: lights.task_reached. Any but that of
    handling says its name."""
    if task.state == TaskState.PAUSED:
        return ShownClock(clocks.HANDLING, "时限暂停", sentence=why(task.derivation))
    return _most_pressing(clocks.running(task), at, calendar, unnamed=clocks.HANDLING)


def case_clock(case: Case, *, at: datetime, calendar: Calendar) -> ShownClock:
    """The most pressing of all that runs for a case, as its row shows it; the same in SQL: lights.case_reached. Any but the
    centre's own for the stage, or where it has none the citizen's, says its name. Where nothing runs: how it ended."""
    running = pressing.running(case)
    if running:
        own = pressing.own(case)
        return _most_pressing(running, at, calendar, unnamed=own[0].name if own else "")
    if case.ending:
        return ShownClock("", Ending(case.ending).label)
    return citizen_clock(case, at=at, calendar=calendar) or NO_CLOCK


def _most_pressing(running: Sequence[RunningClock], at: datetime, calendar: Calendar, *, unnamed: str) -> ShownClock:
    """The light turns with whichever of them turns first: of the same moments SQL makes it."""
    most = pressing.most_pressing(running, at)
    if most is None:
        return NO_CLOCK
    shown = _running(most, at, calendar)
    turns = times.turns(
        at,
        yellow=min(each.yellow_at for each in running),
        orange=min(each.orange_at for each in running),
        red=min(each.due_at for each in running),
    )
    return replace(shown, text=shown.text if most.name == unnamed else most.name + shown.text, turns=turns)
