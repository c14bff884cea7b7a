"""Every write of the citizen's side that is no case: counted tries, held files, and their purging."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from django.core.files.storage import default_storage
from django.db import transaction

from minsheng.portal.models import Attempt, HeldFile, Purpose
from minsheng.portal.queries import subject_key

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

ATTEMPTS_KEPT = timedelta(days=1)
FILES_HELD = timedelta(hours=6)


def count_attempt(*, at: datetime, purpose: Purpose, subjects: Iterable[str]) -> None:
    """Count one try against each subject (a number, an address)."""
    Attempt.objects.bulk_create(Attempt(purpose=purpose, subject=subject_key(purpose, s), at=at) for s in subjects)


def hold_files(*, at: datetime, submission: UUID, files: Sequence[UploadedFile]) -> None:
    """Keep acceptable files of a form that comes back with an error; the caller has checked each."""
    for upload in files:
        upload.seek(0)
        path = default_storage.save(f"held/{uuid4().hex}", upload)
        HeldFile.objects.create(submission=submission, file=path, name=_plain(upload.name), size=upload.size or 0, at=at)


def drop_files(*, files: Iterable[HeldFile]) -> None:
    """Forget held files, from the disk too."""
    gone = list(files)
    HeldFile.objects.filter(pk__in=[held.pk for held in gone]).delete()
    transaction.on_commit(lambda: _drop(held.file.name or "" for held in gone))


def _drop(names: Iterable[str]) -> None:
    for name in names:
        default_storage.delete(name)


def purge(*, at: datetime) -> tuple[int, int]:
    """Delete counted tries of more than a day, and files whose form was never put right; how many of each."""
    counted, _ = Attempt.objects.filter(at__lt=at - ATTEMPTS_KEPT).delete()
    stale = list(HeldFile.objects.filter(at__lt=at - FILES_HELD))
    drop_files(files=stale)
    return counted, len(stale)


def _plain(name: str | None) -> str:
    return (name or "附件").replace("/", "_").replace("\\", "_").replace("\x00", "")[-120:]
