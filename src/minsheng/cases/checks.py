"""What `minsheng check --deploy` asks of this room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Warning, register

from minsheng.cases.printing.typesetting import FONT, has_font


@register(deploy=True)
def check_font(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Without a Chinese font no PDF is made: people are told so, never given boxes."""
    if has_font():
        return []
    message = f"The font {FONT} is missing: nobody can print a case or a letter."
    return [Warning(message, hint="apt install fonts-noto-cjk", id="minsheng.W031")]
