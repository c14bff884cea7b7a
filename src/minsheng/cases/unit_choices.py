"""Units as options of a tree select, found by name, alias, pinyin and initials."""

from __future__ import annotations

from collections.abc import Sequence

from minsheng.organisations.models import Unit
from minsheng.ui.forms import TreeLabel

Option = tuple[int | str, str]


def unit_choices(units: Sequence[Unit]) -> list[Option]:
    """An empty option, then each unit under the nearest of those above it that is offered too. No query."""
    offered = {unit.pk: unit for unit in units}
    children: dict[int | None, list[Unit]] = {}
    for unit in units:
        children.setdefault(unit.parent_id if unit.parent_id in offered else None, []).append(unit)
    return [("", ""), *_below(None, children, depth=0, path="")]


def _below(parent: int | None, children: dict[int | None, list[Unit]], *, depth: int, path: str) -> list[Option]:
    options: list[Option] = []
    for unit in children.get(parent, ()):
        whole = f"{path} / {unit.name}" if path else unit.name
        label = TreeLabel(unit.name, depth=depth, path=whole, search=unit.search_key.replace("\n", " "))
        options += [(unit.pk, label), *_below(unit.pk, children, depth=depth + 1, path=whole)]
    return options
