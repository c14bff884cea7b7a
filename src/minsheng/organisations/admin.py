"""Configuration of places and units. Every save is an action; nothing is deleted, an end has a date."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.forms import HiddenInput, IntegerField, ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.admin import ModelAdmin

from minsheng.organisations import actions, history
from minsheng.organisations.models import Place, ReferenceRow, Unit


class ReferenceForm(ModelForm):
    """Carries the version that it was drawn from, so that nobody's save is lost under another's."""

    drawn_version = IntegerField(widget=HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["drawn_version"].initial = self.instance.version


class ReferenceAdmin(ModelAdmin):
    """One table of reference data: search by name, pinyin or code; the history is the database's own."""

    form = ReferenceForm
    show_full_result_count = False
    search_help_text = "名称、别名、拼音、首字母或代码"
    fixed: ClassVar[tuple[str, ...]] = ("code",)  # other rows and other systems know it by this

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: cases of years ago point here. Give it a last day instead."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Codes do not change."""
        return self.fixed if obj else ()

    def save_model(self, request: HttpRequest, obj: ReferenceRow, form: ModelForm[Any], change: bool) -> None:
        """By the room's action."""
        obj.version = form.cleaned_data["drawn_version"] or obj.version
        self.save_by_action(request, obj)

    def save_by_action(self, request: HttpRequest, obj: ReferenceRow) -> None:
        """The action of this table; a room with rules of its own overrides it."""
        actions.save_reference_row(actor=request.user, at=timezone.now(), row=obj)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Every version that the database's triggers kept: when, by whom, what from and to."""
        row = get_object_or_404(self.model, pk=object_id)
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": f"变更历史：{row}",
            "opts": self.opts,
            "object": row,
            "versions": history.versions(row),
        }
        return TemplateResponse(request, "organisations/history.html", context)


@admin.register(Place)
class PlaceAdmin(ReferenceAdmin):
    """地点."""

    list_display = ("code", "name", "level", "parent", "dispatchable", "reason", "valid_from", "valid_to")
    list_filter = ("level", "dispatchable")
    list_select_related = ("parent",)
    search_fields = ("code", "search_key")
    ordering = ("code",)
    autocomplete_fields = ("parent",)
    fields = (
        ("code", "name"),
        ("level", "parent"),
        ("dispatchable", "reason"),
        ("valid_from", "valid_to"),
        "source",
        "drawn_version",
    )


@admin.register(Unit)
class UnitAdmin(ReferenceAdmin):
    """承办单位."""

    list_display = ("code", "short_name", "name", "kind", "line", "parent", "dispatchable", "valid_to")
    list_filter = ("kind", "line", "enforcement", "dispatchable")
    list_select_related = ("parent",)
    search_fields = ("code", "search_key")
    ordering = ("code",)
    autocomplete_fields = ("parent", "place", "successor")
    fields = (
        ("code", "kind"),
        ("name", "short_name"),
        "aliases",
        ("parent", "place"),
        ("line", "enforcement"),
        ("dispatchable", "duty_line"),
        ("valid_from", "valid_to"),
        "successor",
        "source",
        "drawn_version",
    )
