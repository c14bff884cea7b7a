"""Attachments: sent ahead and then attached by the call that needs them; read where their case may be."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import File, Path, Router, UploadedFile
from ninja.responses import Status

from minsheng.api import actions, queries
from minsheng.api.calls import caller_of
from minsheng.api.choices import Scope
from minsheng.api.once import once
from minsheng.api.schemas import answers, fields
from minsheng.api.v1.common import Key, acting, answered, reading
from minsheng.cases.models import Attachment
from minsheng.cases.views.files import hand_over
from minsheng.errors import Refused

router = Router(tags=["附件"])


@router.post("/uploads", **acting("upload_file", answers.UploadOut, Scope.ATTACHMENTS_WRITE, 201))
def upload_file(request: HttpRequest, key: Key, file: File[UploadedFile]) -> Status[Any]:
    """A file for a later call, which names its id under `uploads`; unused it is deleted after a day. Its type is what its
    content says."""
    caller = caller_of(request)

    def keep(submission: object) -> answers.UploadOut:
        kept = actions.keep_upload(system=caller.system, at=caller.at, upload=file)
        return answers.UploadOut(
            id=kept.pk, name=kept.name, media_type=kept.media_type, size=kept.size, sha256=kept.sha256
        )

    sent = b"".join([(file.name or "").encode("utf-8", "replace"), b"\0", actions.digest_of_file(file).encode()])
    return answered(201, once(request, key, keep, sent=sent))


@router.get("/attachments/{attachment}", **reading("download_attachment", None, Scope.ATTACHMENTS_READ, one=True))
def download_attachment(request: HttpRequest, attachment: Path[fields.Id]) -> HttpResponseBase:
    """The content, under the rules of the case page; of a confidential case each reading is audited.
    """
    caller = caller_of(request)
    found = Attachment.objects.select_related("case").filter(pk=attachment).first()
    if found is None or found.case.number is None:
        raise Refused("not_found")
    case = queries.case_of(caller.system, found.case.number)
    return hand_over(caller.account, case, attachment, at=caller.at, request=request)
