"""批转, 增派协办, 收回改派: whom a case goes to. Two hundred times a day, so that three keys are enough."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from django import forms
from django.db import transaction

from minsheng.cases import actions, panels, presenting
from minsheng.cases.details import TEXT_LENGTH
from minsheng.cases.forms import PlaceField, TopicField, hold_all
from minsheng.cases.models import Case
from minsheng.cases.panels import ReasonPanel
from minsheng.cases.panels.intake import details_of
from minsheng.cases.rules import names_person
from minsheng.cases.wording import unit_names
from minsheng.dispatching.actions import add_assisting, dispatch_case, recall_case
from minsheng.dispatching.panels.units import AssistingMixin, LeadPanel, assisting_field, lead_field, other_field
from minsheng.dispatching.proposals import consequence, nobody_reads
from minsheng.errors import Refused
from minsheng.secrecy import redact
from minsheng.ui.forms import words

INSTRUCTION_LENGTH = 1000


class DispatchPanel(AssistingMixin, LeadPanel):
    """批转. What the case lacks (topic, place) is asked first; a confidential case brings the words for units."""

    icon = "route"
    template = "dispatching/panels/dispatch.html"
    topic = TopicField(label="主题", error_messages={"required": "请先选定主题，再批转。"})
    place = PlaceField(label="事发地", required=False)
    lead = lead_field("主办单位")
    other = other_field()
    assisting = assisting_field()
    another = other_field("再加协办")
    yet_another = other_field("再加协办")
    unit_text = forms.CharField(
        label="给承办单位看的内容", max_length=TEXT_LENGTH, widget=words(5), help_text="单位看不到原话、诉求人和附件，只看到这里写的。"
    )
    checked = forms.BooleanField(
        label="已核对，看不出是谁反映的", error_messages={"required": "请核对给承办单位看的内容后勾选。"}
    )
    instruction = forms.CharField(
        label="批转意见", required=False, max_length=INSTRUCTION_LENGTH, widget=words(2, "写给承办单位；可留空")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.missing = [name for name in ("topic", "place") if getattr(self.case, name) is None]
        for name in {"topic", "place"} - set(self.missing):
            del self.fields[name]
        if self.case.confidential:
            self.initial.setdefault("unit_text", self.case.unit_text or redact(self.case.text))
        else:
            del self.fields["unit_text"], self.fields["checked"]
        first = next((p.unit for p in self.proposals if str(getattr(p.unit, "pk", "")) == self.initial.get("lead")), None)
        self.offer_assisting(lead=first, taken=set())

    @property
    def consequence(self) -> str:
        """By when which unit reads and handles; the same for any unit."""
        if self.case.topic is None:
            return "选定主题后算出时限。批转后承办单位开始计时，群众将收到短信。"
        return consequence(self.case, [], at=self.at)

    @property
    def words_spans(self) -> list[tuple[int, int, str]]:
        """Personal data in the citizen's own words, marked beside the editor."""
        return presenting.personal_spans(self.case.text)

    def clean(self) -> dict[str, Any]:
        """Nothing of the person in what units of a confidential case get to read."""
        cleaned = super().clean()
        if self.case.confidential:
            who = self.case.applicant
            values = [who.name, who.phone, who.id_number, who.address]
            for name in ("unit_text", "instruction"):
                if names_person(cleaned.get(name) or "", values):
                    self.add_error(name, Refused("unit_text_names").sentence)
        return cleaned

    @property
    def done(self) -> str:
        """Which case went where."""
        lead = self.cleaned_data["unit"]
        warning = nobody_reads([lead, *self.chosen_assisting(lead=lead)])
        return f"{self.case.number} 已批转给{lead.name}，群众会收到短信。{warning}"

    def perform(self, **stamp: Any) -> Case:
        """Put right what was missing, then dispatch: both or neither."""
        with transaction.atomic():
            if self.missing:
                self._put_right(stamp)
            lead = self.cleaned_data["unit"]
            return dispatch_case(
                actor=self.actor,
                at=self.at,
                case=self.case,
                lead=lead,
                assisting=self.chosen_assisting(lead=lead),
                instruction=self.cleaned_data["instruction"],
                unit_text=self.cleaned_data.get("unit_text", ""),
                **stamp,
            )

    def _put_right(self, stamp: dict[str, Any]) -> None:
        """What was missing; the row is held from then on, so that the version has done its work."""
        submission: UUID | None = stamp.get("submission")
        actions.correct_case(
            actor=self.actor,
            at=self.at,
            case=self.case,
            details=details_of(self.case, **{name: self.cleaned_data[name] for name in self.missing}),
            version=stamp.pop("version", None),
            submission=uuid5(submission, "correct") if submission else None,
        )


class AddAssistingPanel(AssistingMixin):
    """增派协办."""

    icon = "users-plus"
    assisting = assisting_field()
    another = other_field("协办单位")
    yet_another = other_field("再加一个")
    instruction = forms.CharField(
        label="批转意见", required=False, max_length=INSTRUCTION_LENGTH, widget=words(2, "写给协办单位；可留空")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hold_all(self, self.at)
        now = [t for t in self.situation.tasks if t.is_current and t.round == self.case.round]
        self.offer_assisting(lead=None, taken={t.unit_id for t in now})

    @property
    def consequence(self) -> str:
        """Their own clocks."""
        return consequence(self.case, [], at=self.at, verb="增派", part="协办单位", told="向主办单位报送", lead=False)

    def clean(self) -> dict[str, Any]:
        """At least one."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not self.chosen_assisting():
            self.add_error("another", "请选择协办单位。")
        return cleaned

    @property
    def done(self) -> str:
        """Who was added."""
        units = self.chosen_assisting()
        return f"已增派{unit_names(units)}协办。{nobody_reads(units)}"

    def perform(self, **stamp: Any) -> Case:
        """Add them."""
        return add_assisting(
            actor=self.actor,
            at=self.at,
            case=self.case,
            units=self.chosen_assisting(),
            instruction=self.cleaned_data["instruction"],
            **stamp,
        )


class RecallPanel(ReasonPanel):
    """收回改派."""

    icon = "arrow-back-up"
    danger = True
    submit_label = "收回，重新批转"
    action = staticmethod(recall_case)

    @property
    def consequence(self) -> str:
        """What ends, and what goes on."""
        units = unit_names(t.unit for t in self.situation.tasks if t.is_active)
        blame = "并计入首次批转差错，" if self.case.round == 1 and not self.case.first_dispatch_wrong else ""
        return f"收回后：{units}不再承办，也不再看到此件；{blame}群众的时限照走。"


panels.register("dispatch", DispatchPanel)
panels.register("add_assisting", AddAssistingPanel)
panels.register("recall", RecallPanel)
