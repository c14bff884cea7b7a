"""Configuration of calendar and limits. Every save is an action; a published version is never edited, only followed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin

from minsheng.worktime import actions
from minsheng.worktime.forms import NoticeForm
from minsheng.worktime.models import CalendarDay, CalendarYear, LimitPolicy
from minsheng.worktime.moments import day_of

_NEXT_VERSION = ("code", "name", "clock", "kind", "topic_code", "urgency", "amount", "unit", "legal_basis", "source")


class _ActionAdmin(ModelAdmin):
    """Nothing is deleted here: history stays, and an end has a date."""

    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


@admin.register(CalendarYear)
class CalendarYearAdmin(_ActionAdmin):
    """A year's notice, typed in whole."""

    form = NoticeForm
    list_display = ("year", "notice", "loaded_at", "loaded_by")
    list_select_related = ("loaded_by",)
    ordering = ("-year",)

    def get_readonly_fields(self, request: HttpRequest, obj: CalendarYear | None = None) -> tuple[str, ...]:
        """Which year a notice is for does not change."""
        return ("year",) if obj else ()

    def save_model(self, request: HttpRequest, obj: CalendarYear, form: ModelForm[CalendarYear], change: bool) -> None:
        """By `load_year`."""
        saved = actions.load_year(
            actor=request.user, at=timezone.now(), year=obj.year, days=form.cleaned_data["days"], notice=obj.notice
        )
        obj.pk = saved.pk


@admin.register(CalendarDay)
class CalendarDayAdmin(_ActionAdmin):
    """Single days: to look at, and to set by hand."""

    list_display = ("date", "working", "name", "kind", "edited_at", "edited_by")
    list_filter = ("kind", "working")
    list_select_related = ("edited_by",)
    date_hierarchy = "date"
    ordering = ("-date",)
    fields = ("date", "working", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: CalendarDay | None = None) -> tuple[str, ...]:
        """Another date is another day."""
        return ("date",) if obj else ()

    def save_model(self, request: HttpRequest, obj: CalendarDay, form: ModelForm[CalendarDay], change: bool) -> None:
        """By `set_day`."""
        saved = actions.set_day(actor=request.user, at=timezone.now(), day=obj.date, working=obj.working, name=obj.name)
        obj.pk = saved.pk


@admin.register(LimitPolicy)
class LimitPolicyAdmin(_ActionAdmin):
    """Limits in all their versions; a new one is published beside the old."""

    list_display = ("name", "code", "version", "words", "effective_from", "effective_to", "is_sourced", "next_version")
    list_filter = ("clock", "kind", "urgency", "is_sourced")
    search_fields = ("code", "name", "legal_basis")
    ordering = ("clock", "code", "-version")
    actions = ("end_tomorrow",)
    fields = (
        ("code", "name"),
        ("clock", "topic_code"),
        ("kind", "urgency"),
        ("on_convenience_list", "effective_from"),
        ("amount", "unit"),
        "legal_basis",
        "source",
        "is_sourced",
    )

    def has_change_permission(self, request: HttpRequest, obj: LimitPolicy | None = None) -> bool:
        """The list's actions yes, a published version no."""
        return obj is None and super().has_change_permission(request, obj)

    @admin.display(description="时限")
    def words(self, policy: LimitPolicy) -> str:
        """“3 个工作日”."""
        return str(policy.limit)

    @admin.display(description="")
    def next_version(self, policy: LimitPolicy) -> str:
        """The form for the next version, filled with this one."""
        values = {field: getattr(policy, field) for field in _NEXT_VERSION}
        if policy.on_convenience_list is not None:
            values["on_convenience_list"] = str(policy.on_convenience_list).lower()
        if policy.is_sourced:
            values["is_sourced"] = "on"
        address = f"{reverse('admin:worktime_limitpolicy_add')}?{urlencode(values)}"
        return format_html('<a href="{}">发布新版</a>', address)

    @admin.action(description="明天起停用", permissions=["add"])
    def end_tomorrow(self, request: HttpRequest, queryset: QuerySet[LimitPolicy]) -> None:
        """By `end_policy`."""
        now = timezone.now()
        for policy in queryset.filter(effective_to=None):
            actions.end_policy(
                actor=request.user, at=now, code=policy.code, effective_to=day_of(now) + timedelta(days=1)
            )

    def save_model(self, request: HttpRequest, obj: LimitPolicy, form: ModelForm[LimitPolicy], change: bool) -> None:
        """By `publish_policy`."""
        saved = actions.publish_policy(
            actor=request.user,
            at=timezone.now(),
            code=obj.code,
            name=obj.name,
            clock=obj.clock,
            kind=obj.kind,
            topic_code=obj.topic_code,
            on_convenience_list=obj.on_convenience_list,
            urgency=obj.urgency,
            amount=obj.amount,
            unit=obj.unit,
            effective_from=obj.effective_from,
            legal_basis=obj.legal_basis,
            source=obj.source,
            is_sourced=obj.is_sourced,
        )
        obj.pk = saved.pk
