"""Who may be known: confidentiality on and off, and uncovering a masked person (domain.md §2.10, §8.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from minsheng.audit.actions import record
from minsheng.cases import scope, work
from minsheng.cases.models import Case, Task
from minsheng.errors import Refused
from minsheng.secrecy import redact

if TYPE_CHECKING:
    from django.http import HttpRequest

    from minsheng.accounts.models import User


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
    """设为保密. Units at work see the redacted words from now on."""
    _need(reason)
    with work.work_on(case, "make_confidential", actor=actor, at=at, version=version, submission=submission) as w:
        w.case.confidential = True
        w.case.unit_text = w.case.unit_text or redact(w.case.text)
        w.note, w.summary = reason, "设为保密"
    return case


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


def _need(reason: str) -> None:
    if not reason.strip():
        raise Refused("reason_required")
