"""Reads of the citizen's side: how often somebody tried, and the files that wait."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, cast
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.db.models import Count

from minsheng.portal.models import KEY_BYTES, Attempt, HeldFile, Purpose
from minsheng.secrecy import derive

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

WINDOW = timedelta(hours=1)


def subject_key(purpose: Purpose, subject: str) -> bytes:
    """Keyed, so that the table tells nobody which addresses there were."""
    key = derive(settings.HASH_KEY, "portal attempts")
    return hmac.digest(key, f"{purpose}\0{subject}".encode(), sha256)[:KEY_BYTES]


def too_many(*, at: datetime, purpose: Purpose, subjects: Iterable[str], limit: int) -> bool:
    """Whether any of these subjects has used up its tries of the last hour. One query."""
    keys = [subject_key(purpose, subject) for subject in subjects]
    counted = Attempt.objects.filter(purpose=purpose, subject__in=keys, at__gt=at - WINDOW)
    return counted.values("subject").annotate(times=Count("id")).filter(times__gte=limit).exists()


def held_files(submission: UUID) -> list[HeldFile]:
    """What an earlier try of this form brought."""
    return list(HeldFile.objects.filter(submission=submission))


def as_upload(held: HeldFile) -> UploadedFile:
    """A held file in the shape of an upload, under the name that the citizen gave it."""
    return cast("UploadedFile", File(held.file.open("rb"), name=held.name))
