"""Choosing units: the proposed ones at hand, any other by search."""

from __future__ import annotations

from typing import Any

from django import forms

from minsheng.cases.forms import UnitField, hold_all
from minsheng.cases.panels import Panel
from minsheng.dispatching.proposals import Proposal, assisting_for, propose
from minsheng.organisations.models import Unit

OTHER = "other"
OTHERS = ("another", "yet_another")


class LeadPanel(Panel):
    """One unit: a proposed one by radio, or another by search. Subclasses declare `lead` and `other`; `unit` is the answer."""

    lead_required = True
    proposals: list[Proposal]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.proposals = [p for p in propose(self.case, at=self.at) if p.unit is not None]
        hold_all(self, self.at)
        open_to = [p.unit for p in self.proposals if p.unit is not None and not p.refused]
        lead: Any = self.fields["lead"]
        lead.choices = [*((str(unit.pk), unit.name) for unit in open_to), (OTHER, "其他单位")]
        lead.required = False
        self._begin_with(str(self.initial.get("lead", "")), [str(unit.pk) for unit in open_to])

    def _begin_with(self, wanted: str, offered: list[str]) -> None:
        """What was pressed, else the first; a unit from elsewhere stands in the search box."""
        if wanted in offered:
            self.initial["lead"] = wanted
        elif wanted.isdecimal() and len(wanted) < 19:
            self.initial.update(lead=OTHER, other=int(wanted))
        elif self.lead_required:
            self.initial["lead"] = offered[0] if offered else OTHER
        else:
            self.initial.pop("lead", None)

    @property
    def lead_options(self) -> list[dict[str, Any]]:
        """Every proposal with its radio, the refused ones without; then the search."""
        boxes = {str(box.data["value"]): box for box in self["lead"]}
        for box in boxes.values():
            if box.data["selected"]:
                box.data["attrs"]["data-focus"] = True  # arrows go on from the one chosen, Ctrl+Enter sends
        shown = [{"proposal": p, "box": boxes.get(str(p.unit.pk))} for p in self.proposals if p.unit is not None]
        return [*shown, {"proposal": None, "box": boxes[OTHER]}]

    def clean(self) -> dict[str, Any]:
        """Resolve the choice to a unit."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        wanted, other = cleaned.get("lead", ""), cleaned.get("other")
        if wanted == OTHER or (other and not wanted):
            if other is None and "other" not in self.errors:
                self.add_error("other", "请查找并选定单位。")
            cleaned["unit"] = other
        elif wanted:
            cleaned["unit"] = next(p.unit for p in self.proposals if p.unit and str(p.unit.pk) == wanted)
        else:
            cleaned["unit"] = None
            if self.lead_required:
                self.add_error("lead", "请选择单位。")
        return cleaned


class AssistingMixin(Panel):
    """Several units: the proposed ones by checkbox, two others by search. `chosen_assisting` is the answer."""

    def offer_assisting(self, *, lead: Unit | None, taken: set[int]) -> None:
        """Tick what the topic names, without those that have a task already."""
        found = [(unit, why) for unit, why in assisting_for(self.case, lead, at=self.at) if unit.pk not in taken]
        self.assisting_units = {str(unit.pk): unit for unit, _ in found}
        field: Any = self.fields["assisting"]
        field.choices = [(str(unit.pk), f"{unit.name}　{why}") for unit, why in found]
        self.initial.setdefault("assisting", list(self.assisting_units))
        if not found:
            del self.fields["assisting"]

    def chosen_assisting(self, *, lead: Unit | None = None) -> list[Unit]:
        """In the order chosen, none twice, never the lead."""
        given = self.cleaned_data
        units = [self.assisting_units[key] for key in given.get("assisting", ())]
        units += [given[name] for name in OTHERS if given.get(name)]
        unique = {unit.pk: unit for unit in units if unit != lead}
        return list(unique.values())


def lead_field(label: str) -> forms.ChoiceField:
    """The radio of proposals."""
    return forms.ChoiceField(label=label, widget=forms.RadioSelect)


def other_field(label: str = "其他单位") -> UnitField:
    """The search for any other."""
    return UnitField(label=label, required=False)


def assisting_field() -> forms.MultipleChoiceField:
    """The checkboxes of proposed assisting units."""
    return forms.MultipleChoiceField(label="协办单位", widget=forms.CheckboxSelectMultiple, required=False)
