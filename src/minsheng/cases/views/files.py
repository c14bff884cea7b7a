"""Attachments, to those who may read them: the citizen's by disclosure, a unit's own papers to the unit and to its lead."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest
from django.utils import timezone
from django.views.decorators.http import require_GET

from minsheng.audit.actions import record
from minsheng.cases import queries, scope
from minsheng.cases.models import Attachment, Case, Task
from minsheng.errors import Refused
from minsheng.organisations.queries import subtree_ids

# Shown in the browser; everything else is handed over as a file. SVG is not accepted at all (minsheng.cases.attachments).
_INLINE = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp"})


@login_required
@require_GET
def download(request: HttpRequest, number: str, pk: int) -> FileResponse:
    """One file of one case. Errors: not_found, also for a file that is there but not for this person."""
    user: Any = request.user
    return hand_over(user, queries.case_for(user, number), pk, at=timezone.now(), request=request)


def hand_over(user: Any, case: Case, pk: int, *, at: datetime, request: HttpRequest) -> FileResponse:
    """The content of one file of a case that this person may know of; of a confidential case each reading is audited.
    Errors: not_found."""
    attachment = Attachment.objects.select_related("reply__task", "ask__task").filter(pk=pk, case=case).first()
    if attachment is None or not may_read(user, case, attachment):
        raise Refused("not_found")
    if case.confidential:
        record(
            actor=user,
            at=at,
            code="case.read_file",
            subject=case,
            subject_label=str(case),
            detail={"attachment": attachment.pk},
            request=request,
        )
    try:
        content = attachment.file.open("rb")
    except FileNotFoundError:
        raise Refused("not_found") from None
    inline = attachment.media_type in _INLINE
    response = FileResponse(content, as_attachment=not inline, filename=attachment.name, content_type=attachment.media_type)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    # Whatever the file holds, it runs nothing, loads nothing and frames nothing.
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def may_read(user: Any, case: Case, attachment: Attachment) -> bool:
    """The citizen's files: by disclosure. A unit's: the centre's people who see persons, that unit and those above it, the lead,
    and where nothing is confidential all who see the case."""
    tasks = list(Task.objects.filter(case=case))
    seen = scope.disclosure_for(user, case, tasks)
    if seen.files:
        return True
    paper = attachment.reply or attachment.ask
    if paper is None or not user.is_unit:
        return False
    leads = {task.unit_id for task in tasks if task.role == "lead" and task.is_current}
    handed_down = {task.pk for task in tasks if task.unit_id == user.unit_id and task.is_current}
    its = paper.task
    return its.unit_id in subtree_ids(user.unit_id) or its.parent_id in handed_down or user.unit_id in leads
