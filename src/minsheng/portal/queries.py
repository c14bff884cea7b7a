"""Reads of the citizen's side: how often somebody tried, and the files that wait."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.db.models import Count

from minsheng.portal.models import KEY_BYTES, Attempt, Filing, HeldFile, Purpose
from minsheng.secrecy import derive

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

WINDOW = timedelta(hours=1)
RECEIPT_KEPT = timedelta(hours=1)  # so long a second press, or Back, finds the receipt again


def subject_key(purpose: Purpose, subject: str) -> bytes:
    """Keyed, so that the table tells nobody which addresses there were."""
    key = derive(settings.HASH_KEY, "portal attempts")
    return hmac.digest(key, f"{purpose}\0{subject}".encode(), sha256)[:KEY_BYTES]


def too_many(*, at: datetime, purpose: Purpose, subjects: Iterable[str], limit: int) -> bool:
    """Whether any of these subjects has used up its tries of the last hour. One query."""
    keys = [subject_key(purpose, subject) for subject in subjects]
    counted = Attempt.objects.filter(purpose=purpose, subject__in=keys, at__gt=at - WINDOW)
    return counted.values("subject").annotate(times=Count("id")).filter(times__gte=limit).exists()


def filing_of(keys: Sequence[UUID], *, at: datetime) -> Filing | None:
    """The last of these forms that is still kept: under way, or filed a moment ago. One query."""
    kept = Filing.objects.in_bulk(keys, field_name="key") if keys else {}
    for key in reversed(keys):
        filing = kept.get(key)
        if filing and (filing.filed_at or filing.touched_at) > at - (RECEIPT_KEPT if filing.filed_at else _kept()):
            return filing
    return None


def given_of(filing: Filing | None) -> dict[str, Any]:
    """What was sent so far, by step."""
    return dict(json.loads(filing.given)) if filing and filing.given else {}


def _kept() -> timedelta:
    return timedelta(days=settings.HOTLINE["filing_days"])


def held_files(submission: UUID) -> list[HeldFile]:
    """What an earlier try of this form brought."""
    return list(HeldFile.objects.filter(submission=submission))


def as_upload(held: HeldFile) -> UploadedFile:
    """A held file in the shape of an upload, under the name that the citizen gave it."""
    return cast("UploadedFile", File(held.file.open("rb"), name=held.name))
