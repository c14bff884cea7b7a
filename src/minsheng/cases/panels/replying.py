"""What a unit answers: reports to the unit that answers the citizen, its reply, and its leader's signature. Each says in one line
what it will do."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.functional import cached_property

from minsheng.cases import actions, clocks, panels, reply_rules, template_queries
from minsheng.cases.actions.handling import least_day, refuse_blanks
from minsheng.cases.choices import Finding, Outcome, ReplyKind, ReplyState, Solved, TaskRole
from minsheng.cases.comparing import is_contacted
from minsheng.cases.models import Reply
from minsheng.cases.models.reference import ReasonList
from minsheng.cases.panels import Panel, ReasonPanel
from minsheng.cases.panels.task_panel import PROOF_HELP, TaskPanel, choose
from minsheng.cases.reference_queries import reason_choices
from minsheng.errors import Refused
from minsheng.ui import times
from minsheng.ui.forms import FilesField, words
from minsheng.worktime.choices import Clock
from minsheng.worktime.moments import end_of


class ReportPanel(TaskPanel):
    """报送结果."""

    icon = "send"
    text = forms.CharField(label="办理情况", widget=words(6, "何时、何人、到何处、查了什么、结果如何"), max_length=10000)
    finding = choose("是否属实", [("", "不填"), *Finding.choices], required=False)
    files = FilesField(label="附件", required=False, help_text=PROOF_HELP)  # type: ignore[assignment]
    consequence = "报送后：由主办（上级）单位汇总答复；诉求人看不到这份报送，主办（上级）单位可以退回重报。"

    def clean(self) -> dict[str, Any]:
        """No blank of a template left."""
        return _no_blanks(super().clean() or self.cleaned_data, self)

    def perform(self, **stamp: Any) -> Any:
        """To the unit above."""
        return self.act(actions.report_result, **stamp)


class SendReportBackPanel(ReasonPanel):
    """退回报送."""

    icon = "arrow-back-up"
    action = staticmethod(actions.send_report_back)

    @property
    def consequence(self) -> str:
        """The other unit's time."""
        due = max(self.task.due_at, end_of(least_day(self.at)))
        return f"退回后：{self.task.unit.name} {times.due(due, self.at)}重新报送；本单位时限不变。"


class ExcusePanel(ReasonPanel):
    """免报说明."""

    icon = "user-off"
    action = staticmethod(actions.excuse_report)

    @property
    def consequence(self) -> str:
        """What no longer holds the reply back."""
        return f"说明后：不再等{self.task.unit.name}报送，回复可以先行；理由记入办理历程，审核员看得到。"


class DraftReplyPanel(TaskPanel):
    """拟写回复. What was sent back comes filled in again, so that only what was wrong is written anew."""

    icon = "writing"
    template = "cases/units/draft.html"
    submit_label = "送签发"
    text = forms.CharField(
        label="回复内容",
        max_length=10000,
        widget=words(9, "先回应诉求，再写何时何人到何处查了什么、依据什么、怎么处理、何时完成"),
    )
    basis = forms.CharField(label="依据", widget=words(2, "政策名称和文号、条款，或所依据的事实"), required=False, max_length=2000)
    finding = choose("是否属实", Finding.choices)
    outcome = choose("处理结论", Outcome.choices)
    solved = choose("是否解决", Solved.choices)
    files = FilesField(label="附件", required=False, help_text=PROOF_HELP)  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.before = last_reply(self)
        for name in ("text", "basis", "finding", "outcome", "solved"):
            if self.before:
                self.fields[name].initial = getattr(self.before, name)
        self._begin_with(str(self.initial.pop("template", "")))
        watch = {
            "hx-post": reverse("cases:reply_hints", args=[self.case.number]),
            "hx-trigger": "input changed delay:700ms",
            "hx-target": "#reply-hints",
            "hx-swap": "innerHTML",
            "hx-include": "#id_text, #id_basis",
            "hx-params": "text,basis",
        }
        self.fields["text"].widget.attrs |= watch
        self.fields["basis"].widget.attrs |= watch

    def _begin_with(self, key: str) -> None:
        """A template chosen without JavaScript comes by its key."""
        chosen = next((it.template for it in self.templates if str(it.template.pk) == key), None) if key else None
        if chosen is not None:
            self.initial.update(text=chosen.text, basis=chosen.basis)

    @property
    def hints(self) -> list[str]:
        """Of what stands in the form as it opens."""
        text, basis = str(self["text"].value() or ""), str(self["basis"].value() or "")
        return reply_rules.reply_hints(text, basis=basis, contacted=is_contacted(self.situation))

    @property
    def why_back(self) -> list[str]:
        """What the auditor or the leader said of the reply before."""
        if self.before is None:
            return []
        labels = dict(reason_choices(ReasonList.REPLY_REFUSAL, at=self.at))
        said = [labels.get(code, code) for code in self.before.audit_reasons]
        return [*said, self.before.audit_note] if self.before.audit_note else said

    @property
    def consequence(self) -> str:
        """Who signs by when."""
        return f"送本单位领导签发；{times.due(self.task.due_at, self.at)}须签发送审。审核通过后，诉求人收到回复内容和依据。"

    @cached_property
    def templates(self) -> list[template_queries.Offered]:
        """The unit's words for such matters."""
        return template_queries.offered(self.actor, self.case.topic)

    def clean(self) -> dict[str, Any]:
        """No blank of a template left."""
        return _no_blanks(super().clean() or self.cleaned_data, self)

    def perform(self, **stamp: Any) -> Any:
        """To the leader."""
        return self.act(actions.draft_reply, **stamp)


class SignReplyPanel(TaskPanel):
    """签发."""

    icon = "signature"
    template = "cases/units/sign.html"
    note = forms.CharField(label="签发意见", widget=words(2), required=False, max_length=1000)

    @property
    def reply(self) -> Reply | None:
        """What waits for the signature."""
        return next((r for r in self.situation.replies if r.task_id == self.task.pk and r.state == ReplyState.TO_SIGN), None)

    @property
    def hints(self) -> list[str]:
        """The machine's view of it."""
        reply = self.reply
        return reply_rules.reply_hints(reply.text, basis=reply.basis, contacted=is_contacted(self.situation)) if reply else []

    @property
    def reports(self) -> list[tuple[str, str, str]]:
        """(unit, part, words) of each assisting or lower unit; words are empty where it was excused."""
        latest = {r.task_id: r for r in self.situation.replies if r.kind == ReplyKind.REPORT}
        return [
            (t.unit.name, TaskRole(t.role).label, latest[t.pk].text if t.pk in latest else "")
            for t in self.situation.tasks
            if t.role != TaskRole.LEAD and t.round == self.case.round and t.is_current
        ]

    @property
    def consequence(self) -> str:
        """To whom it goes, and when they answer."""
        preview = clocks.derive_now(Clock.AUDIT, self.case, at=self.at)
        late = "本次回复已逾期；" if self.at >= self.task.due_at else ""
        return f"签发后：{late}热线{times.due(preview.due_at, self.at)}审核，通过后发给诉求人。"

    @property
    def done(self) -> str:
        """Which one, as the next stands open by then."""
        return f"{self.case.number} 已签发，送热线审核。"

    def perform(self, **stamp: Any) -> Any:
        """To audit."""
        return self.act(actions.sign_reply, **stamp)


class DeclineToSignPanel(ReasonPanel):
    """不签发."""

    icon = "arrow-back-up"
    action = staticmethod(actions.decline_to_sign)

    @property
    def consequence(self) -> str:
        """The limit does not wait."""
        return f"退回联络员修改；时限不变，仍须{times.due(self.task.due_at, self.at)}签发送审。"


def _no_blanks(cleaned: dict[str, Any], panel: Panel) -> dict[str, Any]:
    for name in ("text", "basis"):
        try:
            refuse_blanks(cleaned.get(name) or "")
        except Refused as refusal:
            panel.add_error(name, refusal.sentence)
    return cleaned


def last_reply(panel: Panel) -> Reply | None:
    """The unit's reply before this one, of the round under way."""
    mine = [r for r in panel.situation.replies if r.task_id == panel.task.pk and r.kind == ReplyKind.FINAL]
    return mine[-1] if mine else None


PANELS: dict[str, type[Panel]] = {
    "report": ReportPanel,
    "send_report_back": SendReportBackPanel,
    "excuse_report": ExcusePanel,
    "draft_reply": DraftReplyPanel,
    "sign_reply": SignReplyPanel,
    "decline_to_sign": DeclineToSignPanel,
}

for _code, _panel in PANELS.items():
    panels.register(_code, _panel)
