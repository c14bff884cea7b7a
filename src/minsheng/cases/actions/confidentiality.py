"""Who may be known: confidentiality on and off, and uncovering a masked person (domain.md §2.10, §8.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from minsheng.accounts.choices import Role
from minsheng.audit.actions import record
from minsheng.cases import scope, work
from minsheng.cases.models import Case, Task
from minsheng.cases.rules import names_person
from minsheng.errors import Refused
from minsheng.secrecy import normalise_phone, redact, search_hash

if TYPE_CHECKING:
    from django.http import HttpRequest

    from minsheng.accounts.models import User


_TAKE_CALLS = frozenset({Role.AGENT, Role.TEAM_LEADER, Role.DISPATCHER})


@dataclass(frozen=True)
class Person:
    """The applicant whole, for one look."""

    name: str
    phone: str
    id_number: str
    address: str


def make_confidential(
    *, actor: User, at: datetime, case: Case, reason: str, version: int | None = None, submission: UUID | None = None
) -> Case:
    """设为保密. Units at work see the redacted words from now on; none where redaction leaves the person's name in them."""
    _need(reason)
    with work.work_on(case, "make_confidential", actor=actor, at=at, version=version, submission=submission) as w:
        w.case.confidential = True
        w.case.unit_text = w.case.unit_text or _for_units(w.case)
        w.note, w.summary = reason, "设为保密"
    return case


def _for_units(case: Case) -> str:
    """The words without what can be found of the person; none at all where they name the person all the same."""
    text, who = redact(case.text), case.applicant
    return "" if names_person(text, [who.name, who.phone, who.id_number, who.address]) else text


def lift_confidentiality(
    *, actor: User, at: datetime, case: Case, reason: str, version: int | None = None, submission: UUID | None = None
) -> Case:
    """取消保密: the hotline's leader only, with a reason."""
    _need(reason)
    with work.work_on(case, "lift_confidentiality", actor=actor, at=at, version=version, submission=submission) as w:
        w.case.confidential = False
        w.note, w.summary = reason, "取消保密"
        record(actor=actor, at=at, code="case.lift_confidentiality", subject=w.case, subject_label=str(w.case), why=reason)
    return case


def uncover_applicant(
    *, actor: User, at: datetime, case: Case, reason: str, request: HttpRequest | None = None
) -> Person:
    """Show the person whole to who needs it for the task in hand; each look is audited with its reason.

    Errors: not_found, reason_required, forbidden.
    """
    _need(reason)
    seen = Case.objects.visible_to(actor).select_related("applicant").filter(pk=case.pk).first()
    if seen is None:
        raise Refused("not_found")
    if not scope.disclosure_for(actor, seen, Task.objects.filter(case=seen)).uncover:
        raise Refused("forbidden", action="查看诉求人信息")
    record(
        actor=actor, at=at, code="case.uncover_applicant", subject=seen, subject_label=str(seen), why=reason, request=request
    )
    who = seen.applicant
    return Person(who.name or "", who.phone or "", who.id_number or "", who.address or "")


def recall_caller(*, actor: User, at: datetime, phone: str, request: HttpRequest | None = None) -> str:
    """The name last given with this number, for the agent who has its owner on the line: each look is audited like any other.

    Never from a confidential case, nor from one without a name. Errors: forbidden, not_found.
    """
    if not actor.has_any(_TAKE_CALLS):
        raise Refused("forbidden", action="沿用来电人姓名")
    number = normalise_phone(phone)
    known = (
        Case.objects.visible_to(actor)
        .filter(applicant__phone_hash=search_hash("phone", number), applicant__name_hash__isnull=False, confidential=False)
        .select_related("applicant")
        .order_by("-received_at", "-id")
    )
    case = known.first() if number else None
    if case is None:
        raise Refused("not_found")
    record(
        actor=actor, at=at, code="case.recall_caller", subject=case, subject_label=str(case), why="接听同一号码来电", request=request
    )
    return case.applicant.name or ""


def _need(reason: str) -> None:
    if not reason.strip():
        raise Refused("reason_required")
