"""The web form: what a citizen files or adds through the portal. No account stands behind it (design §1, channels)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from minsheng.cases import actions
from minsheng.cases.actors import CITIZEN
from minsheng.cases.choices import Channel, ContactPurpose
from minsheng.cases.models import Case, Contact

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from minsheng.cases.details import ApplicantDetails, CaseDetails


def contact_of(submission: UUID) -> Contact | None:
    """The case that this very form brought already: pressed twice, or sent again after a power cut, it is one."""
    return Contact.objects.select_related("case").filter(submission=submission, purpose=ContactPurpose.NEW).first()


def file_request(
    *,
    at: datetime,
    details: CaseDetails,
    applicant: ApplicantDetails,
    submission: UUID,
    files: Sequence[UploadedFile] = (),
) -> Case:
    """A citizen's form becomes a case waiting for acceptance. Errors: those of submit_case."""
    return actions.submit_case(
        actor=CITIZEN,
        at=at,
        channel=Channel.WEB,
        details=details,
        applicant=applicant,
        files=files,
        submission=submission,
    )


def add_words(
    *, at: datetime, case: Case, text: str, submission: UUID, files: Sequence[UploadedFile] = ()
) -> Case:
    """补充情况 through the portal. Errors: those of supplement_case."""
    return actions.supplement_case(
        actor=CITIZEN, at=at, case=case, channel=Channel.WEB, text=text, files=files, submission=submission
    )
