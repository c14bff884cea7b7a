"""The light of a row, by the moments stored beside each deadline: in SQL the same as rows show (shown_clocks), at every edge.

A row shows the light of the most pressing of its running clocks, so it has reached an edge as soon as one of them has.

    tasks.annotate(level=level(task_reached(at)))     # for tallies
    tasks.filter(shines("red", task_reached(at)))     # for filters
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import models
from django.db.models import IntegerField, Q, Value, When

from minsheng.cases.choices import ACTIVE_TASK_STATES, OPEN_STATES, AskState, CaseState, TaskState
from minsheng.worktime.choices import Light

LEVELS = (Light.NONE, Light.YELLOW, Light.ORANGE, Light.RED)
Reached = Callable[[str], Q]  # of “yellow”, “orange” or “due”: whether that moment has come

_WAITING = sorted(OPEN_STATES - {CaseState.TO_FOLLOW_UP})
_RUNNING = sorted(ACTIVE_TASK_STATES - {TaskState.PAUSED})


def shines(light: str, reached: Reached) -> Q:
    """Exactly this light, none included."""
    due, orange = reached("due"), reached("orange")
    if light == Light.RED:
        return due
    if light == Light.ORANGE:
        return orange & ~due
    if light == Light.YELLOW:
        return reached("yellow") & ~orange & ~due
    return ~(reached("yellow") | orange | due)


def level(reached: Reached) -> models.Case:
    """The light as its place in LEVELS, so that the most pressing is the greatest."""
    return models.Case(
        When(reached("due"), then=Value(3)),
        When(reached("orange"), then=Value(2)),
        When(reached("yellow"), then=Value(1)),
        default=Value(0),
        output_field=IntegerField(),
    )


def task_reached(at: datetime, prefix: str = "") -> Reached:
    """Of a task: reading while it is unread, first measures while they are owed, handling (clocks.running). What is paused stands
    still, and what has ended owes nothing."""

    def reached(edge: str) -> Q:
        handling = Q(**{f"{prefix}{edge}_at__lte": at})
        reading = Q(**{f"{prefix}state": TaskState.TO_READ, f"{prefix}read_{edge}_at__lte": at})
        measures = Q(**{f"{prefix}first_measures_at__isnull": True, f"{prefix}first_measures_{edge}_at__lte": at})
        return Q(**{f"{prefix}state__in": _RUNNING}) & (handling | reading | measures)

    return reached


def ask_reached(at: datetime) -> Reached:
    """Of an ask that waits for the centre: the limit of its decision."""
    return lambda edge: Q(**{"state": AskState.PENDING, f"{edge}_at__lte": at})


def asking_reached(at: datetime) -> Reached:
    """Of an ask that waits, for the unit that asks: the clocks of its own task, which run on."""
    own = task_reached(at, "task__")
    return lambda edge: Q(state=AskState.PENDING) & own(edge)


def case_reached(at: datetime, prefix: str = "", clock: str = "row") -> Reached:
    """Of a case: all that presses on it, as its row shows, or the citizen's clock alone (`on_case_clock`)."""
    return lambda edge: on_case_clock(lambda stem: Q(**{f"{stem}{edge}_at__lte": at}), prefix, clock)


def on_case_clock(of: Callable[[str], Q], prefix: str, clock: str) -> Q:
    """A condition on the clocks meant: "row" is the first of all that run (pressing.running); or the "citizen"'s while they wait.
    `of` makes it for the columns of one stem (“pressing_”, “citizen_”)."""
    if clock == "citizen":
        return Q(**{f"{prefix}state__in": _WAITING}) & of(f"{prefix}citizen_")
    return of(f"{prefix}pressing_")


def light_by(at: datetime, *, yellow: datetime | None, orange: datetime | None, due: datetime | None) -> Light:
    """The light by a deadline's stored moments: the same as worktime.rules.light, without its derivation."""
    if due is None:
        return Light.NONE
    if at >= due:
        return Light.RED
    if orange and at >= orange:
        return Light.ORANGE
    return Light.YELLOW if yellow and at >= yellow else Light.NONE
