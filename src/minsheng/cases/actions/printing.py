"""Paper leaves the house: that it was made is on record, and whether it bears the person whole."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from minsheng.audit.actions import record
from minsheng.cases.models import Case

if TYPE_CHECKING:
    from django.http import HttpRequest

    from minsheng.accounts.models import User


def note_printed(
    *,
    actor: User,
    at: datetime,
    case: Case,
    what: str,
    whole: bool = False,
    reason: str = "",
    request: HttpRequest | None = None,
) -> None:
    """`what` is sheet, letter or refusal. Uncovering the person is recorded beside it, by `uncover_applicant`."""
    record(
        actor=actor,
        at=at,
        code="case.printed",
        subject=case,
        subject_label=str(case),
        why=reason,
        detail={"paper": what, "uncovered": whole},
        request=request,
    )
