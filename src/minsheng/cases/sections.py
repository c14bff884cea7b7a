"""Parts that higher rooms add to the case page, so that this room need not know them.

    sections.register(Section(code="follow_up", title="回访", template="followup/section.html", context=follow_up_section))

`context(view)` answers what the template finds under `data`, or None where there is nothing to show. It runs once a page with
the CaseView of the person who looks: whatever it reads, it shows no more than `view.disclosure` allows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minsheng.cases.queries import CaseView


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part, shown between replies and timeline, in the order registered."""

    code: str
    title: str
    template: str
    context: Callable[[CaseView], Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """A section that has something to show to this person."""

    title: str
    template: str
    data: Any


_sections: dict[str, Section] = {}


def register(section: Section) -> None:
    """Add a part to the case page; a second one of the same code is a mistake."""
    if _sections.get(section.code, section) != section:
        raise ValueError(f"section {section.code!r} is registered already")
    _sections[section.code] = section


def shown_for(view: CaseView) -> list[Shown]:
    """What each registered part has to show."""
    answers = ((section, section.context(view)) for section in _sections.values())
    return [Shown(section.title, section.template, data) for section, data in answers if data is not None]
