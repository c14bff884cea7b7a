"""Files with a case: the type is what the content says, the size is limited, and a wrong file gets a clear sentence."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import filetype
from django.conf import settings
from django.core.files.storage import default_storage

from minsheng.cases.models import Ask, Attachment, Case, Reply
from minsheng.cases.models.case import attachment_path
from minsheng.errors import Refused

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from minsheng.accounts.models import User

# What citizens and units send: pictures, sound and video of the scene, documents (domain.md §2.2: a list of suffixes, ≤ 30 MB).
ALLOWED = {
    "image/jpeg": "图片",
    "image/png": "图片",
    "image/gif": "图片",
    "image/webp": "图片",
    "image/heic": "图片",
    "image/bmp": "图片",
    "video/mp4": "视频",
    "video/quicktime": "视频",
    "video/3gpp": "视频",
    "audio/mpeg": "录音",
    "audio/mp4": "录音",
    "audio/x-wav": "录音",
    "audio/amr": "录音",
    "audio/ogg": "录音",
    "application/pdf": "PDF 文件",
    "application/msword": "Word 文件",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word 文件",
    "application/vnd.ms-excel": "Excel 文件",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel 文件",
}
MOST_AT_ONCE = 9


def media_type_of(upload: UploadedFile) -> str:
    """The media type by content; "text/plain" for decodable text; "" when unknown."""
    upload.seek(0)
    head = upload.read(8192)
    upload.seek(0)
    kind = filetype.guess(head)
    if kind is not None:
        return str(kind.mime)
    try:
        text = head.decode("utf-8") if len(head) < 8192 else head[:8000].decode("utf-8", "ignore")
    except UnicodeDecodeError:
        return ""
    return "text/plain" if text and "\x00" not in text else ""


def refuse_wrong(upload: UploadedFile) -> str:
    """The media type of an acceptable file. Errors: file_empty, file_too_large, file_type."""
    name, size = upload.name or "", upload.size or 0
    if size == 0:
        raise Refused("file_empty", name=name)
    if size > settings.HOTLINE["attachment_megabytes"] * 1024 * 1024:
        raise Refused("file_too_large", name=name, limit=settings.HOTLINE["attachment_megabytes"])
    media_type = media_type_of(upload)
    if media_type not in ALLOWED and media_type != "text/plain":
        raise Refused("file_type", name=name)
    return media_type


def store_all(
    case: Case,
    files: Sequence[UploadedFile],
    *,
    at: datetime,
    by: User | None,
    reply: Reply | None = None,
    ask: Ask | None = None,
) -> list[Attachment]:
    """Keep the files with the case (and the reply or ask they belong to). Checked before any is kept."""
    if len(files) > MOST_AT_ONCE:
        raise Refused("too_many_files", limit=MOST_AT_ONCE)
    types = [refuse_wrong(upload) for upload in files]
    return [
        _store(case, upload, media_type, at=at, by=by, reply=reply, ask=ask)
        for upload, media_type in zip(files, types, strict=True)
    ]


def _store(
    case: Case,
    upload: UploadedFile,
    media_type: str,
    *,
    at: datetime,
    by: User | None,
    reply: Reply | None,
    ask: Ask | None,
) -> Attachment:
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    attachment = Attachment(
        case=case,
        reply=reply,
        ask=ask,
        name=(upload.name or "附件").replace("/", "_").replace("\\", "_").replace("\x00", "")[-120:],
        media_type=media_type,
        size=upload.size or 0,
        sha256=digest.hexdigest(),
        at=at,
        by=by,
    )
    path = attachment_path(attachment)
    if _kept_whole(path, attachment.size):  # the same photograph sent twice is kept once
        attachment.file.name = path
    else:
        upload.seek(0)
        attachment.file.save("", upload, save=False)
    attachment.save(force_insert=True)
    return attachment


def _kept_whole(path: str, size: int) -> bool:
    """Whether the file is there to its last byte: one that is shorter is still being written, or its writer was killed. It is
    left alone, and storage gives the new one a name of its own."""
    try:
        return default_storage.size(path) == size
    except FileNotFoundError:
        return False
