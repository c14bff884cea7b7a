"""Enumerations with a Chinese label and a colour, so that no template decides either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models

if TYPE_CHECKING:  # the stubs give TextChoices a metaclass of its own, which ours must then descend from
    from django.db.models.enums import _TextChoicesType as ChoicesType
else:
    from django.db.models.enums import ChoicesType


class _ColouredType(ChoicesType):
    """Lets members be written value, label, colour: Django takes the last of a tuple for the label."""

    def __new__(metacls, name: str, bases: tuple[type, ...], classdict: Any, **kwargs: Any) -> Any:
        for member in classdict._member_names:
            given = classdict[member]
            if isinstance(given, tuple) and len(given) == 3:
                value, label, colour = given
                dict.__setitem__(
                    classdict, member, (value, colour, label)
                )  # an enumeration's own dict refuses a second time
        return super().__new__(metacls, name, bases, classdict, **kwargs)


class ColouredChoices(models.TextChoices, metaclass=_ColouredType):
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
