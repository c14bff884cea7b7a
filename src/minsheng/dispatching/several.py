"""Dispatching several cases at once: only where one press would do for each, and nobody has to read the words first."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from minsheng.cases import bulk
from minsheng.cases.models import Case
from minsheng.dispatching.actions import dispatch_case
from minsheng.dispatching.proposals import assisting_for, propose
from minsheng.errors import Refused

if TYPE_CHECKING:
    from minsheng.accounts.models import User
    from minsheng.organisations.models import Unit

CONFIDENTIAL = "保密件须先核对给单位看的内容，请单独批转。"
CAUTIONED = "推荐单位须先看一看，请单独批转。"


def prepare(user: Any, case: Case, at: datetime) -> bulk.Line:
    """The proposed units of a case, the first one proposed; by itself where words must be checked or something speaks against it."""
    units = _proposed(case, at)
    if case.confidential:
        return bulk.Line(case=case, why_not=CONFIDENTIAL)
    if not units:
        return bulk.Line(case=case, why_not=CAUTIONED)
    helpers = [unit.name for unit, _ in assisting_for(case, units[0], at=at)]
    said = f"协办：{'、'.join(helpers)}" if helpers else ""
    return bulk.Line(case=case, choices=[(str(unit.pk), unit.name) for unit in units], said=said)


def _proposed(case: Case, at: datetime) -> list[Unit]:
    """None where the first proposal is refused or cautioned: then a person looks."""
    found = propose(case, at=at)
    if not found or found[0].unit is None or found[0].refused or found[0].caution:
        return []
    return [p.unit for p in found if p.unit is not None and not p.refused and not p.caution]


def perform(*, actor: User, at: datetime, case: Case, choice: str, reason: str, **stamp: Any) -> Case:
    """As the dispatching form does with its first settings. Errors: invalid (not among the proposals), those of dispatch_case."""
    del reason
    if case.confidential:
        raise Refused("invalid", message=CONFIDENTIAL)
    lead = next((unit for unit in _proposed(case, at) if str(unit.pk) == choice), None)
    if lead is None:
        raise Refused("invalid", message="推荐的承办单位已有变化，请单独批转。")
    assisting = [unit for unit, _ in assisting_for(case, lead, at=at)]
    return dispatch_case(actor=actor, at=at, case=case, lead=lead, assisting=assisting, **stamp)


bulk.register(bulk.Bulk(code="dispatch", label="批转", prepare=prepare, perform=perform))
