"""What administrators set going from their desks, each audited; and the drafts of what people type."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.audit import tasks as audit
from minsheng.audit.actions import record
from minsheng.cases.models import TimelineEntry
from minsheng.console import condition
from minsheng.console.models import Draft, NoticesSeen
from minsheng.console.words import task_words
from minsheng.errors import Refused


@transaction.atomic
def retry_job(*, actor: User, at: datetime, job: int, request: HttpRequest | None = None) -> str:
    """Run a bad job again; returns what its task does. One that is no longer bad is left alone: somebody was faster.

    Errors: forbidden, not_found.
    """
    if not actor.is_active or not actor.has_role(Role.SYSTEM_ADMIN):
        raise Refused("forbidden", action="重新运行后台任务")
    standing = ProcrastinateJob.objects.filter(pk=job).first()
    if standing is None:
        raise Refused("not_found")
    words = task_words(standing.task_name)
    if job not in {bad.last for bad in condition.bad_jobs(at)}:
        return words
    try:
        with transaction.atomic():
            app.job_manager.retry_job_by_id(job_id=job, retry_at=at)
    except ConnectorException:
        return words  # another of its kind waits already, or was just taken up
    record(
        actor=actor,
        at=at,
        code="console.job_retried",
        subject_label=words,
        detail={"task": standing.task_name, "job": job},
        request=request,
    )
    return words


def request_verification(*, actor: User, at: datetime) -> bool:
    """Have everything verified in the background; the result goes on the audit log under the actor's name.

    False where one waits or runs already: pressed twice, it is done once. Errors: forbidden.
    """
    if not actor.is_active or not actor.has_role(Role.AUDIT_ADMIN):
        raise Refused("forbidden", action="校验记录")
    if verifying(at):
        return False
    try:
        with transaction.atomic():
            audit.verify.defer(asked_by=actor.pk)
    except AlreadyEnqueued:
        return False
    return True


def verifying(at: datetime) -> bool:
    """Whether a verification waits or runs; one whose worker is gone does neither."""
    jobs = ProcrastinateJob.objects.filter(task_name=audit.VERIFY)
    alive = jobs.filter(status="doing", worker__last_heartbeat__gte=at - condition.HEARTBEAT)
    return (jobs.filter(status="todo") | alive).exists()


def look_at_notices(*, actor: User, at: datetime) -> datetime | None:
    """Note that somebody has looked at their notices; returns when they did before, None the first time. Not audited: one's own."""
    with transaction.atomic():
        seen, made = NoticesSeen.objects.select_for_update(no_key=True).get_or_create(user=actor, defaults={"at": at})
        before = None if made else seen.at
        if not made:
            seen.at = at
            seen.save(update_fields=["at"])
    return before


# --- drafts: one's own words, told to nobody; the record of acts has nothing to say of them ----------------------------


def drafts_of(person: User, form: str) -> list[Draft]:
    """What a person has begun of this form, newest first. One that was sent, though the server died before saying so, is gone."""
    found = list(Draft.objects.filter(person=person, form=form).order_by("-saved_at", "-id"))
    keys = [draft.submission for draft in found]
    sent = set(TimelineEntry.objects.filter(submission__in=keys).values_list("submission", flat=True)) if keys else set()
    return [draft for draft in found if draft.submission not in sent]


def keep_draft(
    *, actor: User, at: datetime, form: str, submission: UUID, version: int | None, fields: list[list[str]], had_files: bool
) -> None:
    """Keep what stands in a form now. Older words than those kept, which a browser held while nobody answered, change nothing."""
    values = {"version": version, "fields": json.dumps(fields, ensure_ascii=False), "had_files": had_files, "saved_at": at}
    draft, created = Draft.objects.get_or_create(person=actor, form=form, submission=submission, defaults=values)
    if not created:
        Draft.objects.filter(pk=draft.pk, saved_at__lt=at).update(**values)


def drop_draft(*, actor: User, form: str, submission: UUID) -> None:
    """The form was sent, or its person wants none of it."""
    Draft.objects.filter(person=actor, form=form, submission=submission).delete()


def forget_drafts(*, at: datetime) -> int:
    """What nobody went back to for some days; answers how many."""
    old = Draft.objects.filter(saved_at__lt=at - timedelta(days=settings.HOTLINE["drafts_kept_days"]))
    return old.delete()[0]
