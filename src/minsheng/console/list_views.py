"""What persons keep for their lists: columns, saved views; and the spreadsheets they ask for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from minsheng.cases import lists
from minsheng.console import export_actions, exporting, list_actions
from minsheng.console.models import UNFINISHED, Export, ExportState, ListSetting, SavedView
from minsheng.errors import Refused
from minsheng.worktime.moments import local

SHOWN_DAYS = 30


def _list(code: str) -> lists.CaseList:
    spec = lists.by_code(code)
    if spec is None:
        raise Refused("not_found")
    return spec


def _back(request: HttpRequest, default: str) -> str:
    """The page of ours that the form stood on."""
    back = request.POST.get("back", "")
    return back if url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()) else default


def _key(given: str) -> int:
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0


# --- columns and views -----------------------------------------------------------------------------------------------


@login_required
@require_POST
def columns(request: HttpRequest, code: str) -> HttpResponse:
    """The columns ticked, for this list or the view in use. Errors: not_found, invalid (too many)."""
    user: Any = request.user
    spec, codes = _list(code), request.POST.getlist("column")
    list_actions.choose_columns(
        actor=user, at=timezone.now(), spec=spec, codes=codes, view=_key(request.POST.get("view", "")) or None
    )
    return redirect(_back(request, reverse(spec.url)))


@login_required
@require_POST
def save(request: HttpRequest, code: str) -> HttpResponse:
    """Keep the list as it stands under a name. Errors: not_found, invalid."""
    user: Any = request.user
    spec, at, query = _list(code), timezone.now(), request.POST.get("query", "")
    view = list_actions.save_view(
        actor=user,
        at=at,
        spec=spec,
        name=request.POST.get("name", ""),
        query=query,
        first=request.POST.get("first") == "1",
    )
    messages.success(request, f"视图“{view.name}”已保存。")
    return redirect(lists.asked_for(user, spec, QueryDict(query), at).view_url(view.pk, view.query))


@login_required
@require_GET
def views(request: HttpRequest) -> HttpResponse:
    """`/desk/views/`: one's own views and those shared with one."""
    user: Any = request.user
    firsts = set(ListSetting.objects.filter(user=user).values_list("first", flat=True))
    found = SavedView.objects.filter(list_actions.offered_to(user)).select_related("owner").order_by("list_code", "name", "id")
    rows = [
        {
            "view": view,
            "list": spec.title,
            "url": f"{reverse(spec.url)}?view={view.pk}" + (f"&{view.query}" if view.query else ""),
            "own": view.owner_id == user.pk,
            "first": view.pk in firsts,
            "search": bool(spec.carried),
        }
        for view in found
        if (spec := lists.by_code(view.list_code)) is not None
    ]
    context = {"desk_title": "我的视图", "rows": rows, "roles": list_actions.may_share_with(user)}
    return render(request, "console/views.html", context | {"most": settings.LISTS["views_per_person"]})


@login_required
@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename and share, open first or not, or delete one view. Errors: not_found, invalid, forbidden."""
    user: Any = request.user
    step = request.POST.get("step", "")
    if step == "delete":
        list_actions.delete_view(actor=user, key=pk)
        messages.success(request, "视图已删除。")
    elif step in ("first", "not_first"):
        list_actions.open_first(actor=user, key=pk, first=step == "first")
        messages.success(request, "已设为打开时先用。" if step == "first" else "打开时不再先用它。")
    else:
        name, role = request.POST.get("name", ""), request.POST.get("shared_role", "")
        list_actions.change_view(actor=user, at=timezone.now(), key=pk, name=name, shared_role=role)
        messages.success(request, "视图已更新。")
    return redirect("console:views")


# --- spreadsheets ----------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "POST"])
@never_cache
def export_new(request: HttpRequest, code: str) -> HttpResponse:
    """`/desk/exports/new/<list>/?<its parameters>`: how much it would be and what for; then in the background.

    Errors: not_found, reason_required, invalid, what the desk refuses.
    """
    user: Any = request.user
    at = timezone.now()
    shown = lists.opened(request, _list(code), at)
    if request.method == "POST":
        export_actions.ask_export(
            actor=user,
            at=at,
            shown=shown,
            reason=request.POST.get("reason", ""),
            whole=request.POST.get("whole") == "1",
            submission=_submission(request),
            request=request,
        )
        return redirect("console:exports")
    most = settings.LISTS["export_rows"]
    total = exporting.total_of(shown, most)
    context = {
        "desk_title": f"导出：{shown.spec.title}",
        "list": shown,
        "told": shown.spec.told(shown.params) if shown.spec.told else "",
        "total": min(total, most),
        "cut": total > most,
        "most": most,
        "headings": [part.heading.label for part in exporting.parts_of(shown, whole=False)],
        "may_name": exporting.may_name_persons(user),
        "hours": settings.LISTS["export_hours"],
        "back": shown.url(shown.query()),
    }
    return render(request, "console/export_new.html", context)


def _submission(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("submission", ""))
    except ValueError:
        raise Refused("invalid", message="页面缺少提交编号，请刷新后重试。您填写的内容没有丢失。") from None


@login_required
@require_GET
@never_cache
def exports(request: HttpRequest) -> HttpResponse:
    """`/desk/exports/`: what one asked for in the last days, the unfinished ones moving."""
    user: Any = request.user
    at = timezone.now()
    found = Export.objects.filter(user=user, asked_at__gte=at - timedelta(days=SHOWN_DAYS)).order_by("-asked_at")[:100]
    context = {"desk_title": "我的导出", "rows": [_line(export) for export in found], "hours": settings.LISTS["export_hours"]}
    return render(request, "console/exports.html", context)


def _line(export: Export) -> dict[str, Any]:
    spec = lists.by_code(export.list_code)
    over = export.finished_at + export_actions.kept_for() if export.finished_at else None
    return {
        "export": export,
        "title": spec.title if spec else export.list_code,
        "state": ExportState(export.state),
        "moving": export.state in UNFINISHED,
        "ready": export.state == ExportState.DONE and (over is None or timezone.now() < over),
        "until": over,
    }


@login_required
@require_GET
@never_cache
def progress(request: HttpRequest, key: UUID) -> HttpResponse:
    """One line of the list of exports, for who asked for it. Errors: not_found."""
    export = Export.objects.filter(pk=key, user=request.user).first()  # type: ignore[misc]
    if export is None:
        raise Refused("not_found")
    return render(request, "console/_export.html", {"row": _line(export), "hours": settings.LISTS["export_hours"]})


@login_required
@require_POST
def cancel(request: HttpRequest, key: UUID) -> HttpResponse:
    """Stop or delete one. Errors: not_found."""
    user: Any = request.user
    export_actions.cancel_export(actor=user, at=timezone.now(), key=key)
    return redirect("console:exports")


@login_required
@require_GET
@never_cache
def export_file(request: HttpRequest, key: UUID) -> FileResponse:
    """The file, to who asked for it, each time audited. Errors: not_found, forbidden, invalid."""
    user: Any = request.user
    export = export_actions.open_export(actor=user, at=timezone.now(), key=key, request=request)
    spec = lists.by_code(export.list_code)
    name = f"{spec.title if spec else '导出'}_{local(export.asked_at):%Y%m%d_%H%M}.xlsx"
    response = FileResponse(
        export.path.open("rb"),
        as_attachment=True,
        filename=name,
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )
    response["X-Content-Type-Options"] = "nosniff"
    return response
