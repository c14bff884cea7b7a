"""通知: what a person is told of their own work, and how much of it they have not looked at yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from minsheng.cases import answers, lists
from minsheng.console.actions import look_at_notices
from minsheng.console.models import Export, ExportState, NoticesSeen
from minsheng.errors import Refused
from minsheng.ui import notices

SHOWN = timedelta(days=14)


def register() -> None:
    """Called once, when the applications are ready."""
    notices.register("cases", answers.told)
    notices.register("exports", _exports)


@login_required
@require_GET
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """`/desk/notices/`: the last two weeks, the newest first; looking at them is having seen them. Errors: not_found for
    administrators, whose desks say what concerns them."""
    user: Any = request.user
    _refuse_administrators(user)
    at = timezone.now()
    told = notices.told(user, at - SHOWN)
    seen = look_at_notices(actor=user, at=at)
    rows = [{"notice": notice, "new": seen is None or notice.at > seen} for notice in told]
    return render(request, "console/notices.html", {"desk_title": "通知", "rows": rows, "days": SHOWN.days, "most": notices.MOST})


@login_required
@require_GET
@never_cache
def bell(request: HttpRequest) -> HttpResponse:
    """`/desk/notices/bell/`: the bell with how many are new. Errors: not_found for administrators."""
    user: Any = request.user
    _refuse_administrators(user)
    return render(request, "console/_bell.html", {"new": unseen(user, timezone.now())})


def unseen(user: Any, at: datetime) -> int:
    """How many since the last look, two weeks at most."""
    seen = NoticesSeen.objects.filter(pk=user.pk).values_list("at", flat=True).first()
    since = at - SHOWN
    return len(notices.told(user, max(seen, since) if seen else since))


def _refuse_administrators(user: Any) -> None:
    if not (user.is_centre or user.is_unit):
        raise Refused("not_found")


def _exports(user: Any, since: datetime) -> Iterator[notices.Notice]:
    """One's own spreadsheets that were made or failed; one query."""
    ended = Export.objects.filter(user=user, finished_at__gt=since, state__in=[ExportState.DONE, ExportState.FAILED])
    for export in ended.order_by("-finished_at")[: notices.MOST]:
        spec = lists.by_code(export.list_code)
        words = "导出已完成，可以下载" if export.state == ExportState.DONE else "导出没有完成"
        yield notices.Notice(
            at=export.finished_at or since,
            words=words,
            of=spec.title if spec else "",
            url=reverse("console:exports"),
            icon="file-spreadsheet",
        )
