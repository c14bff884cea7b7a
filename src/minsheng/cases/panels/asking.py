"""What a unit asks of the centre: return, extension, pause, termination, setting aside. Each says in one line what it will do."""

from __future__ import annotations

from typing import Any

from django import forms

from minsheng.cases import actions, panels
from minsheng.cases.actions.asking import room_for_extension
from minsheng.cases.choices import TaskRole
from minsheng.cases.forms import UnitField, hold_all
from minsheng.cases.models.reference import ReasonList
from minsheng.cases.panels import Panel
from minsheng.cases.panels.task_panel import PROOF_HELP, TaskPanel
from minsheng.cases.reference_queries import reason_choices
from minsheng.ui import times
from minsheng.ui.forms import DayInput, FilesField, MomentInput, words
from minsheng.worktime.moments import day_of


class AskPanel(TaskPanel):
    """An ask with its kind of reason."""

    reasons: ReasonList | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.reasons is not None:
            field: Any = self.fields["reason_code"]
            field.choices = [("", "请选择"), *reason_choices(self.reasons, at=self.at)]


class ReturnPanel(AskPanel):
    """申请退件."""

    icon = "arrow-back-up"
    reasons = ReasonList.RETURN
    reason_code = forms.ChoiceField(label="理由类型")
    reason = forms.CharField(label="理由", widget=words(3, "为什么不属本单位办理"), max_length=2000)
    basis = forms.CharField(label="依据", widget=words(2, "法规条款、“三定”规定或权责清单"), max_length=1000)
    proposed_unit = UnitField(label="建议承办单位")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hold_all(self, self.at)

    @property
    def consequence(self) -> str:
        """Once, and the clock goes on."""
        due = self.task.return_due_at
        until = f"（{times.due(due, self.at)}可以申请）" if due else ""
        return (
            f"申请后等热线审核{until}，期间时限照算。同意：退出本单位，计热线批转有误；"
            "不同意：继续办理，计入本单位，且不能再次申请。"
        )

    def perform(self, **stamp: Any) -> Any:
        """To audit."""
        return self.act(actions.request_return, **stamp)


class ExtensionPanel(AskPanel):
    """申请延期. What cannot be extended any more is refused on opening, before anybody fills in a form for nothing."""

    icon = "calendar-plus"
    reasons = ReasonList.EXTENSION
    until = forms.DateField(label="延至", widget=DayInput())
    reason_code = forms.ChoiceField(label="事由")
    reason = forms.CharField(label="理由", widget=words(3, "为什么不能按期办结，下一步怎么安排"), max_length=2000)
    citizen_told_at = forms.DateTimeField(
        label="何时告知诉求人",
        required=False,
        widget=MomentInput(past_only=True),
        help_text="延期须先告知诉求人。填写了，群众时限才随之顺延；不填则不变。",
    )
    files = FilesField(label="凭证", required=False, help_text=PROOF_HELP)  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        room = room_for_extension(self.situation)
        first, last = times.day(room.first, day_of(self.at)), times.day(room.last, day_of(self.at))
        span = f"可延至 {first}" if room.first == room.last else f"可延至 {first} 到 {last} 之间的工作日"
        self.fields["until"].help_text = f"{span}（一次最多 {room.most} 个工作日；已延期 {room.granted} 次，最多 2 次）。"
        self.fields["until"].widget.attrs |= {"min": room.first.isoformat(), "max": room.last.isoformat()}
        self.fields["until"].initial = room.last
        if self.task.role != TaskRole.LEAD:  # the lead answers the citizen, so only its date is theirs
            del self.fields["citizen_told_at"]

    @property
    def consequence(self) -> str:
        """Until decided nothing moves."""
        return f"提交后等热线审核，同意前仍须{times.due(self.task.due_at, self.at)}办结；逾期后不能再申请。"

    def perform(self, **stamp: Any) -> Any:
        """To audit."""
        self.cleaned_data.setdefault("citizen_told_at", None)
        return self.act(actions.request_extension, **stamp)


class PausePanel(AskPanel):
    """申请挂起."""

    icon = "player-pause"
    reasons = ReasonList.PAUSE
    reason_code = forms.ChoiceField(label="事由")
    reason = forms.CharField(label="理由", widget=words(3, "等什么、预计何时恢复"), max_length=2000)
    basis = forms.CharField(label="依据", widget=words(2, "法定程序的条款、文书号"), required=False, max_length=1000)
    files = FilesField(label="凭证", required=False, help_text="凭证和依据至少有一项。" + PROOF_HELP)  # type: ignore[assignment]
    consequence = "同意后：本单位时限停表，直到恢复办理；群众时限照算，并向诉求人说明原因。"

    def perform(self, **stamp: Any) -> Any:
        """To audit."""
        return self.act(actions.request_pause, **stamp)


class TerminationPanel(AskPanel):
    """申请终止办理."""

    icon = "ban"
    danger = True
    reasons = ReasonList.TERMINATION
    reason_code = forms.ChoiceField(label="事由")
    reason = forms.CharField(label="理由", widget=words(3), max_length=2000)
    basis = forms.CharField(label="依据", widget=words(2, "法规条款，或联系的时间、方式和次数"), max_length=1000)
    files = FilesField(label="凭证", required=False, help_text=PROOF_HELP)  # type: ignore[assignment]
    consequence = "同意后：诉求件终止办理，诉求人收到审核员写的说明；同意前时限照算。"

    def perform(self, **stamp: Any) -> Any:
        """To audit."""
        return self.act(actions.request_termination, **stamp)


class SetAsidePanel(AskPanel):
    """申请认定不合理诉求."""

    icon = "scale"
    reason = forms.CharField(label="理由", widget=words(3, "诉求哪里不合理，单位做了哪些工作"), max_length=2000)
    basis = forms.CharField(label="依据", widget=words(2, "法规条款或事实依据"), max_length=1000)
    files = FilesField(label="凭证", required=False, help_text=PROOF_HELP)  # type: ignore[assignment]
    consequence = "同意后：考核时不计这件；诉求人的原评价保留，照常显示。"

    def perform(self, **stamp: Any) -> Any:
        """To audit or the hotline's leader."""
        return self.act(actions.request_set_aside, **stamp)


PANELS: dict[str, type[Panel]] = {
    "request_return": ReturnPanel,
    "request_extension": ExtensionPanel,
    "request_pause": PausePanel,
    "request_termination": TerminationPanel,
    "request_set_aside": SetAsidePanel,
}

for _code, _panel in PANELS.items():
    panels.register(_code, _panel)
