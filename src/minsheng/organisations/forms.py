"""The field with which a place is picked on a map."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from minsheng.errors import Refused
from minsheng.organisations import coordinates, maps, shapes
from minsheng.organisations.coordinates import Point


class PointInput(forms.TextInput):
    """A hidden value and a button that opens a map; `where_url` answers which place a point or an address means. `own_place`: who
    fills it in may be where it happens, and may say so.

    Without JavaScript it is not there, and the form works by its other fields.
    """

    template_name = "organisations/point.html"

    def __init__(self, *, where_url: Any = "", own_place: bool = False, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs=attrs)
        self.where_url, self.own_place = where_url, own_place

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"] |= {"where_url": str(self.where_url), "map": maps.config(), "own_place": self.own_place}
        return context


class PointField(forms.Field):
    """“经度,纬度”, WGS 84, or nothing; in the city."""

    def __init__(self, *, where_url: Any = "", own_place: bool = False, **kwargs: Any) -> None:
        kwargs.setdefault("label", "地图上的位置")
        super().__init__(required=False, widget=PointInput(where_url=where_url, own_place=own_place), **kwargs)

    def to_python(self, value: Any) -> Point | None:
        if isinstance(value, Point):
            return value
        text = str(value or "").strip()
        if not text:
            return None
        try:
            return coordinates.read(text)
        except ValueError:
            raise ValidationError("看不出这是哪个位置，请在地图上重新选，或清除。") from None

    def validate(self, value: Any) -> None:
        if value is not None and not shapes.county_at(value):
            raise ValidationError(Refused("outside_city").sentence)
