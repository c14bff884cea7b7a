"""Giving a unit its task: shared by dispatch, sub-dispatch and second handling, so that no way past the rules exists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from minsheng.cases import clocks, work
from minsheng.cases.choices import TaskRole
from minsheng.cases.models import Case, Task
from minsheng.cases.rules import names_person
from minsheng.errors import Refused
from minsheng.organisations import queries as organisations
from minsheng.organisations.models import Unit

if TYPE_CHECKING:
    from minsheng.accounts.models import User
    from minsheng.worktime.rules import Derivation


def refuse_unit(case: Case, unit: Unit, *, at: datetime, known: Iterable[Task] = ()) -> None:
    """Whether this unit may get a task of this case.

    Errors: unit_not_dispatchable; accused_unit, the accused unit, its parents and its children (domain.md §11); unit_twice.
    """
    if not unit.dispatchable:
        raise Refused("unit_not_dispatchable", unit=unit.name, why="")
    if not unit.is_valid(at):
        raise Refused("unit_not_dispatchable", unit=unit.name, why="，已经撤销或尚未设立")
    if case.accused_unit_id and unit.pk in organisations.relatives(case.accused_unit_id):
        raise Refused("accused_unit", unit=unit.name)
    if any(t.unit_id == unit.pk and t.round == case.round and t.is_current for t in known):
        raise Refused("unit_twice", unit=unit.name)


def refuse_naming(case: Case, *texts: str) -> None:
    """Whether what the centre writes to units keeps the person behind a confidential case out (domain.md §2.10).

    For the centre's own words only: a unit that were told so could try names until one is refused. Errors: unit_text_names.
    """
    if not case.confidential:
        return
    who = case.applicant
    if names_person("\n".join(texts), [who.name, who.phone, who.id_number, who.address]):
        raise Refused("unit_text_names")


def assign(
    w: work.Work,
    unit: Unit,
    *,
    role: TaskRole,
    by: User,
    handling: Derivation,
    reading: Derivation,
    first_measures: Derivation | None = None,
    parent: Task | None = None,
    instruction: str = "",
    by_ruling: bool = False,
) -> Task:
    """Create the unit's task with its clocks. The caller has the case locked by `work_on`. Errors: as refuse_unit."""
    refuse_unit(w.case, unit, at=w.at, known=w.situation.tasks)
    task = Task(
        case=w.case,
        unit=unit,
        role=role,
        parent=parent,
        round=w.case.round,
        instruction=instruction.strip(),
        by_ruling=by_ruling,
        assigned_at=w.at,
        assigned_by=by,
    )
    clocks.set_reading(task, reading)
    clocks.set_task(task, handling)
    if first_measures:
        clocks.set_first_measures(task, first_measures)
    task.save(force_insert=True)
    w.tasks.append(task)
    return task
