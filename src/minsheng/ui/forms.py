"""
Forms of staff and citizens: one set of templates and widgets for both, the style sheet of each side gives the size.

A form works without JavaScript; scripts only make it faster (`data-tree` for the tree select, `data-files` for the file list).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.forms.renderers import TemplatesSetting
from django.utils import timezone


class Renderer(TemplatesSetting):
    """Our own templates for forms and fields, which leaves the administrator's pages and libraries their own."""

    form_template_name = "ui/forms/form.html"
    field_template_name = "ui/forms/field.html"


class _Plain(forms.BaseForm):
    """What every form of ours has: our templates, and messages that name what is missing."""

    default_renderer = Renderer()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if field.label and field.error_messages.get("required") == forms.Field.default_error_messages["required"]:
                verb = "选择" if isinstance(field, forms.ChoiceField | forms.ModelChoiceField) else "填写"
                field.error_messages["required"] = f"请{verb}{field.label}。"


class Form(_Plain, forms.Form):
    """Every form of ours: `{{ form }}` is the error summary and its fields; wrap it in ui/drawer.html or a <form data-keep>."""


class ModelForm(_Plain, forms.ModelForm):
    """As Form, for what an administrator edits; the action writes, never `save()`."""


class TreeLabel(str):
    """
    An option of a tree select: the label, how deep it lies, its whole path, and what else finds it (aliases, pinyin initials).

    `TreeLabel("路灯", depth=2, path="城市管理 / 市政设施 / 路灯", search="ld ludeng 不亮")`; as label in choices or from
    `label_from_instance`.
    """

    depth: int
    path: str
    search: str

    def __new__(cls, label: str, *, depth: int = 0, path: str = "", search: str = "") -> TreeLabel:
        self = super().__new__(cls, label)
        self.depth, self.path, self.search = depth, path or label, search
        return self


class TreeSelect(forms.Select):
    """
    One of a tree (topic, unit, place). Without JavaScript a plain select, indented; with it, a box to type in.

    With `list_url` the options come from there, once a page: JSON `{"rows": [{value, label, path, code, search}]}`, `search` being
    lines as `organisations.rules.search_key` makes them; the select then need hold only the chosen one. `near`: values that an
    empty box offers, the likeliest first; `said_in`: the id of a box of words whose topics it offers before these.
    """

    template_name = "ui/forms/tree_select.html"

    def __init__(self, *, list_url: str = "", placeholder: str = "输入几个字查找", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.list_url, self.placeholder = list_url, placeholder
        self.near: Sequence[int] = ()
        self.said_in = ""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        near = ",".join(map(str, self.near))
        context["widget"] |= {"list_url": self.list_url, "placeholder": self.placeholder, "near": near, "said_in": self.said_in}
        return context

    def create_option(self, name: str, value: Any, label: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, label, *args, **kwargs)
        if isinstance(label, TreeLabel):
            option["label"] = "\u3000" * label.depth + label
            option["attrs"] |= {"data-path": label.path, "data-search": label.search}
        return option


class MomentInput(forms.DateTimeInput):
    """A local moment to the minute; `past_only` stops the picker at now."""

    input_type = "datetime-local"

    def __init__(self, *, past_only: bool = False, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs=attrs, format="%Y-%m-%dT%H:%M")
        self.past_only = past_only

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        if self.past_only:
            # a minute's grace: the browser's clock and ours differ
            latest = timezone.localtime() + timedelta(minutes=1)
            context["widget"]["attrs"]["max"] = latest.strftime("%Y-%m-%dT%H:%M")
        return context


class DayInput(forms.DateInput):
    """A day."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs=attrs, format="%Y-%m-%d")


class FilesInput(forms.ClearableFileInput):
    """Several files; the chosen ones are listed with their sizes."""

    allow_multiple_selected = True
    template_name = "ui/forms/files.html"


class FilesField(forms.FileField):
    """A list of uploads, perhaps empty. Type and size are judged by the action that stores them."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        given: Iterable[Any] = data if isinstance(data, list | tuple) else [data] if data else []
        files = [file for file in given if file]
        if not files:
            super().clean(None, initial)
            return []
        return [super(FilesField, self).clean(file, initial) for file in files]


def words(rows: int = 4, placeholder: str = "", **attrs: Any) -> forms.Textarea:
    """A box for several lines, which grows with what is typed."""
    return forms.Textarea(attrs={"rows": rows, "placeholder": placeholder, **attrs})
