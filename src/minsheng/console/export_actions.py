"""Asking for a spreadsheet of a list, making it in the background, giving it to who asked, and forgetting it."""

from __future__ import annotations

import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from minsheng.accounts.models import User
from minsheng.audit.actions import record
from minsheng.cases.lists import Shown
from minsheng.console import exporting, workbooks
from minsheng.console.models import UNFINISHED, Export, ExportState
from minsheng.errors import Refused
from minsheng.worktime.moments import local

LONGEST_REASON = 100
# A job that has said nothing for so long is dead: it says something every 500 rows.
SILENCE = timedelta(minutes=10)


class Cancelled(Exception):
    """The asker wants it no more."""


def standing_of(user: User) -> str:
    """What a person is: with other roles, or at another unit, a file made for them before is theirs no more."""
    return ",".join([*sorted(user.roles), f"unit:{user.unit_id or ''}"])


@transaction.atomic
def ask_export(
    *, actor: User, at: datetime, shown: Shown, reason: str, whole: bool, submission: UUID, request: HttpRequest | None = None
) -> Export:
    """Have the list as it stands made into a spreadsheet; pressed twice, it is asked once. Audited with the reason.

    `whole`: with the whole telephone numbers of those whom the actor may call now, else masked.
    Errors: reason_required, invalid (too long a reason, or too many unfinished), what the desk refuses.
    """
    from minsheng.console import tasks

    reason = " ".join(reason.replace("\0", "").split())
    if not reason:
        raise Refused("reason_required")
    if len(reason) > LONGEST_REASON:
        raise Refused("invalid", message=f"用途最多 {LONGEST_REASON} 字，请写得简短些。")
    shown.rows()  # who may not open the desk may not export it
    User.objects.select_for_update().get(pk=actor.pk)
    again = Export.objects.filter(submission=submission, user=actor).first()
    if again is not None:
        return again
    if Export.objects.filter(user=actor, state__in=UNFINISHED).count() >= settings.LISTS["exports_at_once"]:
        raise Refused("invalid", message="您还有导出没有完成。请等它们完成，或先取消。")
    export = Export.objects.create(
        user=actor,
        list_code=shown.code,
        query=shown.whole_query(),
        columns=[column.code for column in shown.columns],
        whole=whole and exporting.may_name_persons(actor),
        reason=reason,
        standing=standing_of(actor),
        submission=submission,
        asked_at=at,
        touched_at=at,
    )
    detail = {"list": shown.spec.title, "filters": filters_words(shown), "whole": export.whole}
    record(
        actor=actor, at=at, code="console.export_asked", subject=export, subject_label=shown.spec.title, why=reason,
        detail=detail, request=request,
    )  # fmt: skip
    transaction.on_commit(lambda: tasks.export.defer(key=str(export.pk)))
    return export


def filters_words(shown: Shown) -> str:
    """What was listed, in words, for the record and the file's foot."""
    return shown.in_words() or "无筛选"


def run_export(key: UUID, *, at: datetime) -> None:
    """The background job. A file is offered when it is whole and its making is on record, and not before; what a crash left
    half written is never offered. An export that was cancelled, or has been made already, is left alone."""
    with transaction.atomic():
        export = Export.objects.select_for_update().filter(pk=key).first()
        if export is None or export.state not in UNFINISHED:
            return
        export.state, export.touched_at, export.rows = ExportState.RUNNING, at, 0
        export.save(update_fields=["state", "touched_at", "rows"])
    room = export.path.with_suffix(".part")  # a folder, for the writer keeps rows in files of its own meanwhile
    try:
        _make(export, room, at=at)
    except Cancelled:
        return
    except Refused as error:
        _fail(export, error.sentence)
    except Exception:
        _fail(export, "系统出错了，没有完成。请再导出一次；仍不行请联系系统管理员。")
        raise
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _make(export: Export, room: Path, *, at: datetime) -> None:
    asker = User.objects.get(pk=export.user_id)
    _refuse_changed(asker, export)
    shown = exporting.asked_again(asker, export.list_code, export.query or "", tuple(export.columns), at)
    if shown is None:
        raise Refused("not_found")
    most = settings.LISTS["export_rows"]
    total = exporting.total_of(shown, most)
    Export.objects.filter(pk=export.pk).update(total=min(total, most), cut=total > most)
    folder(room.parent)
    shutil.rmtree(room, ignore_errors=True)
    folder(room)
    parts = exporting.parts_of(shown, whole=export.whole)
    note = f"{asker.display_name} {local(at):%Y-%m-%d %H:%M} 导出，用途：{export.reason}；{filters_words(shown)}"
    rows = exporting.rows_of(shown, parts, most, lambda count: _progress(export, count))
    old = os.umask(0o077)
    try:
        count = workbooks.write(room / "sheet.xlsx", shown.spec.title, [part.heading for part in parts], rows, note)
    finally:
        os.umask(old)
    _finish(export, asker, shown, room / "sheet.xlsx", count)


def _refuse_changed(asker: User, export: Export) -> None:
    if not asker.is_active or standing_of(asker) != export.standing:
        raise Refused("forbidden", action="导出：您的角色或单位已有变化")


def _progress(export: Export, rows: int) -> None:
    moved = Export.objects.filter(pk=export.pk, state=ExportState.RUNNING).update(rows=rows, touched_at=timezone.now())
    if not moved:
        raise Cancelled


def _finish(export: Export, asker: User, shown: Shown, draft: Path, count: int) -> None:
    with transaction.atomic():
        kept = Export.objects.select_for_update().get(pk=export.pk)
        if kept.state != ExportState.RUNNING:
            raise Cancelled
        now = timezone.now()
        kept.state, kept.rows, kept.total, kept.finished_at = ExportState.DONE, count, max(count, kept.total), now
        kept.save(update_fields=["state", "rows", "total", "finished_at"])
        record(
            actor=asker, at=now, code="console.exported", subject=kept, subject_label=shown.spec.title, why=kept.reason,
            detail={"list": shown.spec.title, "rows": count, "whole": kept.whole, "filters": filters_words(shown)},
        )  # fmt: skip
        draft.replace(kept.path)  # last: where it fails, nothing of the above stays


def _fail(export: Export, sentence: str) -> None:
    now = timezone.now()
    Export.objects.filter(pk=export.pk, state__in=UNFINISHED).update(
        state=ExportState.FAILED, problem=sentence[:200], finished_at=now
    )


def folder(path: Path) -> None:
    """Files of persons lie where only this system's own user reads."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


@transaction.atomic
def cancel_export(*, actor: User, at: datetime, key: UUID) -> Export:
    """Stop an export of one's own; one that is done is deleted. Errors: not_found."""
    export = Export.objects.select_for_update().filter(pk=key, user=actor).first()
    if export is None:
        raise Refused("not_found")
    if export.state in UNFINISHED | {ExportState.DONE}:
        export.state, export.finished_at = ExportState.CANCELLED, at
        export.save(update_fields=["state", "finished_at"])
        transaction.on_commit(lambda: export.path.unlink(missing_ok=True))
    return export


def open_export(*, actor: User, at: datetime, key: UUID, request: HttpRequest | None = None) -> Export:
    """Give the file to who asked for it, while it is there; each time audited. Errors: not_found, forbidden, invalid."""
    export = Export.objects.filter(pk=key, user=actor).first()
    if export is None:
        raise Refused("not_found")
    _refuse_changed(actor, export)
    over = export.finished_at is not None and at >= export.finished_at + kept_for()
    if export.state != ExportState.DONE or over or not export.path.exists():
        raise Refused("invalid", message="这份表格不在了：可能已过期删除。请再导出一次。")
    record(
        actor=actor, at=at, code="console.export_opened", subject=export, subject_label=export.list_code, why=export.reason,
        detail={"rows": export.rows, "whole": export.whole}, request=request,
    )  # fmt: skip
    return export


def kept_for() -> timedelta:
    """How long a file is there."""
    return timedelta(hours=settings.LISTS["export_hours"])


def forget_exports(*, at: datetime) -> int:
    """Delete what is over, and what nobody made or asked for; jobs that died are said to have failed. Returns how many files."""
    Export.objects.filter(state=ExportState.RUNNING, touched_at__lt=at - SILENCE).update(
        state=ExportState.FAILED, problem="中途停止，没有完成。请再导出一次。", finished_at=at
    )
    over = Export.objects.filter(state=ExportState.DONE, finished_at__lte=at - kept_for())
    over.update(state=ExportState.GONE)
    wanted = {export.path.name for export in Export.objects.filter(state=ExportState.DONE).only("pk")}
    busy = {f"{key}.part" for key in Export.objects.filter(state=ExportState.RUNNING).values_list("pk", flat=True)}
    deleted = 0
    for file in Path(settings.LISTS["export_folder"]).glob("*"):
        young = at.timestamp() - file.stat().st_mtime < SILENCE.total_seconds()
        if file.name in wanted or file.name in busy or young:
            continue
        shutil.rmtree(file, ignore_errors=True) if file.is_dir() else file.unlink(missing_ok=True)
        deleted += 1
    return deleted
