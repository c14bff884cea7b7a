"""What a person had filled in, in the words of the form they filled in: choices by their labels, never by their codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.http import HttpRequest

from minsheng.cases import panels
from minsheng.cases.forms import IntakeForm
from minsheng.cases.reference_queries import reason_labels

LONGEST_SHOWN = 5000


def in_words(request: HttpRequest, posted: Iterable[tuple[str, str]]) -> list[str]:
    """One line each: “类型：投诉”, or the words themselves where the form is not one of a case's. Ticks and keys say nothing."""
    fields = _fields_of(request)
    given = [(name, value[:LONGEST_SHOWN]) for name, value in posted if len(value) > 1 and not value.isdigit()]
    reasons = {code: label for (_, code), label in reason_labels().items()} if any(_is_code(value) for _, value in given) else {}
    return [_line(fields.get(name), value, reasons) for name, value in given]


def _fields_of(request: HttpRequest) -> Mapping[str, forms.Field]:
    """The fields of the action's form, or of intake's; none where the address has another."""
    match = request.resolver_match
    if match is None:
        return {}
    if match.view_name == "cases:act":
        panel: Any = panels.panel_for(match.kwargs.get("code", ""))
        return panel.base_fields if panel else {}
    return IntakeForm.base_fields if match.view_name == "cases:new" else {}


def _is_code(value: str) -> bool:
    return value.isascii() and value.replace("_", "").isalnum() and value == value.lower()


def _line(field: forms.Field | None, value: str, reasons: Mapping[str, str]) -> str:
    chosen = _chosen(field, value) or (reasons.get(value) if _is_code(value) else None)
    words = chosen or value
    label = field.label if field is not None else None
    return f"{label}：{words}" if label else words


def _chosen(field: Any, value: str) -> str | None:
    choices = getattr(field, "choices", ()) if isinstance(field, forms.ChoiceField) else ()
    for code, label in choices:
        if isinstance(label, list | tuple):  # a group of choices
            for inner, words in label:
                if str(inner) == value:
                    return str(words)
        elif str(code) == value:
            return str(label)
    return None
