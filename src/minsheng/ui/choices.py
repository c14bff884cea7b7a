"""Enumerations with a Chinese label and a colour, so that no template decides either."""

from __future__ import annotations

from typing import Any, Self

from django.db import models


class ColouredChoices(models.TextChoices):
    """Members are written `NAME = "value", "中文", "tabler-colour"`; the colour is optional."""

    colour: str

    def __new__(cls, value: str, colour: str = "secondary") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.colour = colour
        return member

    @classmethod
    def colour_of(cls, value: Any) -> str:
        """Tabler colour name of a stored value; unknown values are plain."""
        try:
            return cls(value).colour
        except ValueError:
            return "secondary"
