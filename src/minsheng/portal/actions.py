"""Every write of the citizen's side that is no case: counted tries, forms under way, held files, and their purging."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import file_digest
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction

from minsheng.portal.models import Attempt, Filing, HeldFile, Purpose
from minsheng.portal.queries import given_of, subject_key

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

ATTEMPTS_KEPT = timedelta(days=1)
FILES_HELD = timedelta(hours=6)


def count_attempt(*, at: datetime, purpose: Purpose, subjects: Iterable[str]) -> None:
    """Count one try against each subject (a number, an address)."""
    Attempt.objects.bulk_create(Attempt(purpose=purpose, subject=subject_key(purpose, s), at=at) for s in subjects)


def save_step(*, at: datetime, key: UUID, step: str, given: Mapping[str, Sequence[str]]) -> Filing:
    """Keep what was sent of one step, right or wrong; the others stay. A form that was filed meanwhile stays as it is."""
    with transaction.atomic():
        filing, _ = Filing.objects.select_for_update().get_or_create(key=key, defaults={"touched_at": at})
        if filing.filed_at is None:
            steps = given_of(filing) | {step: {name: list(values) for name, values in given.items()}}
            filing.given, filing.touched_at = json.dumps(steps, ensure_ascii=False), at
            filing.save(update_fields=["given", "touched_at"])
    return filing


def finish_filing(*, at: datetime, key: UUID) -> None:
    """It is a case now: the words and files kept for it go; what remains tells a second press that it was filed."""
    Filing.objects.filter(key=key, filed_at=None).update(given=None, filed_at=at, touched_at=at)
    drop_files(files=HeldFile.objects.filter(submission=key))


def forget_filing(*, key: UUID) -> None:
    """清除: the citizen takes back what was kept."""
    Filing.objects.filter(key=key).delete()
    drop_files(files=HeldFile.objects.filter(submission=key))


def hold_files(*, at: datetime, submission: UUID, files: Sequence[UploadedFile]) -> None:
    """Keep acceptable files of a form that is not sent yet; the caller has checked each. The same content is kept once."""
    for upload in files:
        upload.seek(0)
        digest = file_digest(upload, "sha256").hexdigest()
        if HeldFile.objects.filter(submission=submission, sha256=digest).exists():
            continue
        upload.seek(0)
        path = default_storage.save(f"held/{uuid4().hex}", upload)
        values = {"file": path, "name": _plain(upload.name), "size": upload.size or 0, "at": at}
        _, created = HeldFile.objects.get_or_create(submission=submission, sha256=digest, defaults=values)
        if not created:
            _drop([path])


def drop_files(*, files: Iterable[HeldFile]) -> None:
    """Forget held files, from the disk too."""
    gone = list(files)
    HeldFile.objects.filter(pk__in=[held.pk for held in gone]).delete()
    transaction.on_commit(lambda: _drop(held.file.name or "" for held in gone))


def _drop(names: Iterable[str]) -> None:
    for name in names:
        default_storage.delete(name)


def purge(*, at: datetime) -> tuple[int, int]:
    """Delete counted tries of more than a day, forms that nobody went on with, and files of no form; how many tries and files."""
    counted, _ = Attempt.objects.filter(at__lt=at - ATTEMPTS_KEPT).delete()
    Filing.objects.filter(touched_at__lt=at - timedelta(days=settings.HOTLINE["filing_days"])).delete()
    under_way = Filing.objects.filter(filed_at=None).values("key")
    stale = list(HeldFile.objects.filter(at__lt=at - FILES_HELD).exclude(submission__in=under_way))
    drop_files(files=stale)
    return counted, len(stale)


def _plain(name: str | None) -> str:
    return (name or "附件").replace("/", "_").replace("\\", "_").replace("\x00", "")[-120:]
