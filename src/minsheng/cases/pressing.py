"""
What presses on a case: all the clocks that run for it, and the moments at which the first of them turns each light.

    pressing.keep(case, tasks, asks)    # at the end of every write: work.work_on does it
    pressing.running(case)              # for a row, without a query

It is kept with the case (`pressing_due_at` and its like, `task_clocks`), because a list of cases shows, filters, counts and
sorts by it, and asking each case's tasks and asks again would cost every list what one write costs once. `running` is the one
definition: rows choose among its clocks, and SQL compares the stored moments, which are the earliest of the same clocks
(lights.case_reached).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from minsheng.cases import clocks
from minsheng.cases.choices import OPEN_STATES, AskKind, AskState, CaseState
from minsheng.cases.clocks import RunningClock
from minsheng.cases.lights import LEVELS, light_by
from minsheng.worktime.moments import local

if TYPE_CHECKING:
    from minsheng.cases.models import Ask, Case, Task

# The citizen waits: once answered their clock no longer runs.
WAITING = OPEN_STATES - {CaseState.TO_FOLLOW_UP}
CITIZEN = "答复"


def keep(case: Case, tasks: Iterable[Task] = (), asks: Iterable[Ask] = ()) -> None:
    """Write the case's columns of what presses on it. `tasks` and `asks` are all of the case's, as they stand after the write,
    each task with its unit. The caller holds the case and saves it."""
    below = [*_of_tasks(case, tasks), *_of_asks(case, asks)]
    case.task_clocks = [_plain(unit, clock) for unit, clock in below] or None
    every = [*own(case), *(clock for _, clock in below)]
    case.pressing_yellow_at = min((clock.yellow_at for clock in every), default=None)
    case.pressing_orange_at = min((clock.orange_at for clock in every), default=None)
    case.pressing_due_at = min((clock.due_at for clock in every), default=None)


def running(case: Case) -> list[RunningClock]:
    """The centre's clock of the stage; the citizen's while they wait; of every task at work while the case is handled reading,
    first measures and handling (clocks.running); the centre's answer to whatever is asked for. The centre's own comes first."""
    return [*own(case), *(_read(each) for each in case.task_clocks or ())]


def most_pressing(running: Iterable[RunningClock], at: datetime) -> RunningClock | None:
    """The one with the gravest light; of two with the same light the one that ends first. None where nothing runs."""

    def pressing(each: RunningClock) -> tuple[int, float]:
        shone = light_by(at, yellow=each.yellow_at, orange=each.orange_at, due=each.due_at)
        return -LEVELS.index(shone), each.due_at.timestamp()

    return min(running, key=pressing, default=None)


def own(case: Case) -> list[RunningClock]:
    """Of these, what stands in the case's own columns: the stage's and the citizen's."""
    found = []
    due, yellow, orange = case.stage_due_at, case.stage_yellow_at, case.stage_orange_at
    if due and yellow and orange:
        name = clocks.STAGE_CLOCKS[CaseState(case.state)].label
        found.append(RunningClock(name, due, yellow, orange, case.stage_derivation))
    due, yellow, orange = case.citizen_due_at, case.citizen_yellow_at, case.citizen_orange_at
    if due and yellow and orange and case.state in WAITING:
        found.append(RunningClock(CITIZEN, due, yellow, orange, case.citizen_derivation))
    return found


def _of_tasks(case: Case, tasks: Iterable[Task]) -> list[tuple[str, RunningClock]]:
    """(unit, clock): while the case waits for its audit, units owe nothing; and nobody waits for a unit that was excused."""
    if case.state != CaseState.IN_HANDLING:
        return []
    return [(task.unit.name, clock) for task in tasks if task.excused_at is None for clock in clocks.running(task)]


def _of_asks(case: Case, asks: Iterable[Ask]) -> list[tuple[str, RunningClock]]:
    """(unit, clock) of what can still be answered (the transition table's rows); the same in SQL: desk_queries.asks_to_decide."""
    setting_aside = case.state in (CaseState.TO_FOLLOW_UP, CaseState.CLOSED)
    return [
        (ask.task.unit.name, clocks.of_ask(ask))
        for ask in asks
        if ask.state == AskState.PENDING
        and (case.state == CaseState.IN_HANDLING or (setting_aside and ask.kind == AskKind.SET_ASIDE))
    ]


def _plain(unit: str, clock: RunningClock) -> dict[str, Any]:
    """A clock of a task or an ask as the case keeps it: only what a row shows."""
    return {
        "name": clock.name,
        "due": local(clock.due_at).isoformat(),
        "yellow": local(clock.yellow_at).isoformat(),
        "orange": local(clock.orange_at).isoformat(),
        "why": f"{unit}{clock.name}：{clock.why}",
    }


def _read(kept: dict[str, Any]) -> RunningClock:
    due, yellow, orange = (datetime.fromisoformat(kept[name]) for name in ("due", "yellow", "orange"))
    return RunningClock(kept["name"], due, yellow, orange, said=kept["why"])
