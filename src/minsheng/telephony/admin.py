"""Configuration of the switch. Every save is an action; nothing is deleted, an end has a date. Rendered files follow by command."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.forms import FileField, ModelForm
from django.http import HttpRequest
from django.utils import timezone

from minsheng.organisations.admin import ReferenceAdmin, ReferenceForm
from minsheng.telephony import actions, sounds
from minsheng.telephony.models import OpeningHours, PauseCode, Prompt, Seat, Skill, SkillQueue, Trunk

_LONGEST_RECORDING = 5 * 1024 * 1024  # five minutes


class PromptForm(ReferenceForm):
    """With a recording to hand in."""

    recording = FileField(label="录音文件", required=False, help_text="8000 Hz、16 位、单声道 WAV；不选则保留原录音")

    def clean_recording(self) -> bytes | None:
        """As A-law."""
        given: UploadedFile | None = self.cleaned_data.get("recording")
        if given is None:
            return None
        if given.size is None or given.size > _LONGEST_RECORDING:
            raise ValidationError("录音太长。")
        try:
            return sounds.from_wave(given.read())
        except sounds.NotATelephoneRecording as error:
            raise ValidationError(str(error)) from error


class _PlainAdmin(ReferenceAdmin):
    search_help_text = "名称或代码"


@admin.register(Trunk)
class TrunkAdmin(_PlainAdmin):
    """中继."""

    list_display = ("code", "name", "lines", "host", "valid_to")
    search_fields = ("code", "name")
    ordering = ("code",)
    fields = (
        ("code", "name"), "addresses", ("host", "caller_number"), "lines", ("valid_from", "valid_to"), "source", "drawn_version",
    )  # fmt: skip


@admin.register(SkillQueue)
class SkillQueueAdmin(_PlainAdmin):
    """技能组."""

    list_display = ("order", "code", "name", "numbers", "strategy", "longest_wait_seconds", "overflow", "valid_to")
    list_display_links = ("name",)
    list_select_related = ("overflow",)
    search_fields = ("code", "name")
    ordering = ("order", "code")
    fields = (
        ("code", "name"),
        "order",
        "numbers",
        ("strategy", "weight"),
        ("ring_seconds", "wrap_up_seconds", "service_level_seconds"),
        ("longest_wait_seconds", "overflow"),
        ("valid_from", "valid_to"),
        "source",
        "drawn_version",
    )


@admin.register(OpeningHours)
class OpeningHoursAdmin(_PlainAdmin):
    """服务时间."""

    list_display = ("queue", "first_day", "last_day", "opens", "closes", "valid_to")
    list_select_related = ("queue",)
    list_filter = ("queue",)
    ordering = ("queue", "first_day", "opens")
    fixed = ("queue",)
    fields = ("queue", ("first_day", "last_day"), ("opens", "closes"), ("valid_from", "valid_to"), "source", "drawn_version")


@admin.register(Prompt)
class PromptAdmin(_PlainAdmin):
    """提示语音."""

    form = PromptForm
    list_display = ("code", "text", "valid_to")
    ordering = ("code",)
    fields = ("code", "text", "recording", ("valid_from", "valid_to"), "source", "drawn_version")

    def save_model(self, request: HttpRequest, obj: Prompt, form: ModelForm[Any], change: bool) -> None:  # type: ignore[override]
        """By `save_prompt`, with what was handed in."""
        obj.version = form.cleaned_data["drawn_version"] or obj.version
        actions.save_prompt(actor=request.user, at=timezone.now(), prompt=obj, audio=form.cleaned_data["recording"])


@admin.register(PauseCode)
class PauseCodeAdmin(_PlainAdmin):
    """示忙原因."""

    list_display = ("order", "code", "name", "productive", "longest_minutes", "valid_to")
    list_display_links = ("name",)
    search_fields = ("code", "name")
    ordering = ("order", "code")
    fields = (("code", "name", "order"), ("productive", "longest_minutes"), ("valid_from", "valid_to"), "source", "drawn_version")


@admin.register(Seat)
class SeatAdmin(_PlainAdmin):
    """座席."""

    list_display = ("extension", "place", "user", "browser", "phone_host", "valid_to")
    list_select_related = ("user",)
    search_fields = ("extension", "place", "user__display_name")
    search_help_text = "分机、位置或姓名"
    ordering = ("extension",)
    fixed = ("extension",)
    autocomplete_fields = ("user",)
    fields = (("extension", "place"), "user", ("browser", "phone_host"), ("valid_from", "valid_to"), "source", "drawn_version")

    def save_by_action(self, request: HttpRequest, obj: Any) -> None:
        """By `save_seat`."""
        actions.save_seat(actor=request.user, at=timezone.now(), seat=obj)


@admin.register(Skill)
class SkillAdmin(_PlainAdmin):
    """人员技能."""

    list_display = ("user", "queue", "level", "valid_to")
    list_select_related = ("user", "queue")
    list_filter = ("queue", "level")
    search_fields = ("user__display_name", "queue__name")
    search_help_text = "姓名或技能组"
    ordering = ("queue", "level", "user")
    fixed = ("user", "queue")
    autocomplete_fields = ("user",)
    fields = (("user", "queue"), "level", ("valid_from", "valid_to"), "source", "drawn_version")
