"""送研判, 研判结论: whose duty it is when nobody says so."""

from __future__ import annotations

from typing import Any

from django import forms

from minsheng.cases import clocks, panels
from minsheng.cases.choices import CaseState
from minsheng.cases.models import Case
from minsheng.cases.panels import ReasonPanel
from minsheng.dispatching.actions import conclude_study, send_to_study
from minsheng.dispatching.panels.units import LeadPanel, lead_field, other_field
from minsheng.ui import times
from minsheng.ui.forms import words

MINUTES_LENGTH = 4000


class SendToStudyPanel(ReasonPanel):
    """送研判."""

    icon = "scale"
    action = staticmethod(send_to_study)

    @property
    def consequence(self) -> str:
        """Until when, and what goes on."""
        due = clocks.derive_now(clocks.STAGE_CLOCKS[CaseState.IN_STUDY], self.case, at=self.at).due_at
        return f"送研判后：{times.due(due, self.at)}得出结论，群众的时限照走。"


class ConcludeStudyPanel(LeadPanel):
    """研判结论, with minutes, and the unit that a ruling names if there is one."""

    icon = "gavel"
    lead_required = False
    template = "dispatching/panels/conclude.html"
    submit_label = "记下结论，转待批转"
    conclusion = forms.CharField(
        label="结论和纪要",
        max_length=MINUTES_LENGTH,
        widget=words(5, "哪些单位参加、各自意见、依据、结论"),
        error_messages={"required": "请写明研判结论。"},
    )
    lead = lead_field("指定承办单位")
    other = other_field()
    consequence = "记下后回到待批转。指定了单位的，该单位承办后不能再退件。"

    def perform(self, **stamp: Any) -> Case:
        """Minutes and ruling on record."""
        given = self.cleaned_data
        return conclude_study(
            actor=self.actor, at=self.at, case=self.case, conclusion=given["conclusion"], ruled_unit=given["unit"], **stamp
        )


panels.register("send_to_study", SendToStudyPanel)
panels.register("conclude_study", ConcludeStudyPanel)
