"""What several cases may undergo at once: urging, and handing a unit's tasks down (dispatching has its own, on its floor)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from minsheng.cases import actions, bulk
from minsheng.cases.models import Case, Task
from minsheng.cases.panels.handling import units_below
from minsheng.cases.work import situation_of
from minsheng.errors import Refused
from minsheng.organisations.models import Unit

if TYPE_CHECKING:
    from minsheng.accounts.models import User


def hand_down_line(user: User, case: Case, at: datetime) -> bulk.Line:
    """Whom the person's own task may be handed to, the street where it happened first (属地)."""
    situation = situation_of(case, actor=user, at=at)
    below = units_below(situation, bulk.own_task(user, situation))
    units = sorted(below, key=lambda unit: unit.place_id is None or unit.place_id != case.place_id)
    if not units:
        return bulk.Line(case=case, why_not="没有可以转办的下级单位或属地乡镇街道。")
    return bulk.Line(case=case, choices=[(str(unit.pk), unit.name) for unit in units])


def hand_down(*, actor: User, at: datetime, case: Case, choice: str, reason: str, **stamp: Any) -> Task:
    """转办下级 of the actor's own task. Errors: invalid, those of sub_dispatch (not_below)."""
    del reason
    task = bulk.own_task(actor, situation_of(case, actor=actor, at=at))
    unit = Unit.objects.filter(pk=choice).first() if choice.isdecimal() else None
    if unit is None:
        raise Refused("invalid", message="请选择下级单位。")
    return actions.sub_dispatch(actor=actor, at=at, task=task, unit=unit, **stamp)


def urge(*, actor: User, at: datetime, case: Case, choice: str, reason: str, **stamp: Any) -> Case:
    """One of several that are urged with the same words."""
    del choice
    return actions.urge_case(actor=actor, at=at, case=case, reason=reason, **stamp)


bulk.register(bulk.Bulk(code="urge", label="催办", prepare=lambda user, case, at: bulk.Line(case=case), perform=urge, asks_reason=True))
bulk.register(bulk.Bulk(code="sub_dispatch", label="转办下级", prepare=hand_down_line, perform=hand_down))
