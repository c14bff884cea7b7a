"""What an auditor presses: pass or send back a reply, and answer what units ask for. The reply stands beside the words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms

from minsheng.cases import actions, clocks, panels, presenting
from minsheng.cases.actions.handling import least_day
from minsheng.cases.choices import AskKind, TaskRole
from minsheng.cases.comparing import Comparison, compare
from minsheng.cases.models import Ask, Attachment
from minsheng.cases.models.reference import ReasonList
from minsheng.cases.panels import Panel
from minsheng.cases.panels.task_panel import TaskPanel
from minsheng.cases.reference_queries import reason_choices
from minsheng.ui import times
from minsheng.ui.forms import words
from minsheng.worktime.choices import Clock
from minsheng.worktime.moments import end_of


class VerdictPanel(Panel):
    """A verdict on the reply that waits."""

    comparison: Comparison | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.comparison = compare(self.situation)


class PassReplyPanel(VerdictPanel):
    """审核通过."""

    icon = "check"
    template = "cases/audits/pass.html"
    note = forms.CharField(label="审核意见", widget=words(2), required=False, max_length=1000)

    @property
    def consequence(self) -> str:
        """What the citizen gets, and who rings them by when."""
        due = clocks.derive_now(Clock.FOLLOW_UP, self.case, at=self.at).due_at
        return f"通过后：诉求人收到回复全文并受邀评价，回访员{times.due(due, self.at)}回访。"

    def perform(self, **stamp: Any) -> Any:
        """The final audit."""
        return actions.pass_reply(actor=self.actor, at=self.at, case=self.case, note=self.cleaned_data["note"], **stamp)


class SendBackPanel(VerdictPanel):
    """退回重办. Reasons carry the keys 1 to 9; those that the machine sees are marked, none is ticked for the auditor."""

    icon = "arrow-back-up"
    template = "cases/audits/send_back.html"
    reasons = forms.MultipleChoiceField(
        label="退回原因", widget=forms.CheckboxSelectMultiple, error_messages={"required": "请至少选一项退回原因。"}
    )
    note = forms.CharField(
        label="需要补正什么", widget=words(3, "写给承办单位：哪里不行，要补什么"), required=False, max_length=2000
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["reasons"]
        field.choices = reason_choices(ReasonList.REPLY_REFUSAL, at=self.at)

    @property
    def options(self) -> list[dict[str, Any]]:
        """Each reason with its key and the machine's mark."""
        seen = {check.code for check in self.comparison.checks if not check.passed} if self.comparison else set()
        return [
            {"box": box, "key": str(place) if place < 10 else "", "seen": box.data["value"] in seen}
            for place, box in enumerate(self["reasons"], start=1)
        ]

    @property
    def consequence(self) -> str:
        """The unit's new time; the citizen's clock goes on."""
        if self.comparison is None:
            return ""
        due = max(self.comparison.due_at, end_of(least_day(self.at)))
        return f"退回后：{self.comparison.unit} {times.due(due, self.at)}再次回复；群众时限不变。"

    def perform(self, **stamp: Any) -> Any:
        """To the lead."""
        given = self.cleaned_data
        return actions.send_back(
            actor=self.actor, at=self.at, case=self.case, reasons=given["reasons"], note=given["note"], **stamp
        )


# --- asks --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ShownAsk:
    """What was asked, why, with what proof."""

    ask: Ask
    unit: str
    kind: str
    ground: str
    files: list[presenting.ShownFile]


class DecidePanel(TaskPanel):
    """Grant or refuse, with a note. What each would do to both clocks stands above the button."""

    icon = "gavel"
    template = "cases/audits/decide.html"
    submit_label = "作出决定"
    kind: AskKind
    action: Any
    grant = forms.TypedChoiceField(
        label="决定",
        choices=[("yes", "同意"), ("no", "不同意")],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    note = forms.CharField(label="审核意见", widget=words(3, "承办单位看得到"), max_length=2000)

    @property
    def ask(self) -> Ask:
        """What waits for an answer: the row's guard saw it."""
        ask = self.situation.pending(self.task)
        assert ask is not None
        return ask

    @property
    def shown(self) -> ShownAsk:
        """The ask with its ground and proof."""
        ask = self.ask
        grounds = dict(reason_choices(ask.kind, at=self.at))
        files = Attachment.objects.filter(ask=ask).order_by("at", "id")
        return ShownAsk(
            ask=ask,
            unit=self.task.unit.name,
            kind=AskKind(ask.kind).label,
            ground=grounds.get(ask.reason_code, ""),
            files=[presenting.shown_file(self.case, file) for file in files],
        )

    @property
    def if_granted(self) -> str:
        """In one line."""
        raise NotImplementedError

    @property
    def if_refused(self) -> str:
        """In one line."""
        return f"时限不变，仍须{times.due(self.task.due_at, self.at)}办结。"

    def perform(self, **stamp: Any) -> Any:
        """The centre's answer."""
        return self.act(type(self).action, **stamp)


class DecideReturnPanel(DecidePanel):
    """审核退件."""

    kind = AskKind.RETURN
    action = staticmethod(actions.decide_return)

    @property
    def if_granted(self) -> str:
        """The first dispatch was wrong."""
        if self.task.role != TaskRole.LEAD:
            return "该单位不再协办，其他单位继续办理；两个时限都不变。"
        others = [t for t in self.situation.tasks if t.is_active and t.pk != self.task.pk]
        ended = f"，其余 {len(others)} 个单位的任务一并收回" if others else ""
        wrong = "计首次批转有误；" if self.case.round == 1 else ""
        return f"退回待批转{ended}；{wrong}新单位时限重新起算，群众时限不变。"

    @property
    def if_refused(self) -> str:
        """It counts against the unit."""
        return f"该单位继续办理，{times.due(self.task.due_at, self.at)}办结；计入该单位，且不能再次申请退件。"


class DecideExtensionPanel(DecidePanel):
    """审核延期."""

    kind = AskKind.EXTENSION
    action = staticmethod(actions.decide_extension)

    @property
    def if_granted(self) -> str:
        """Both clocks."""
        ask = self.ask
        assert ask.until is not None
        until = times.due(end_of(ask.until), self.at)
        return f"承办时限至 {until}；{self._citizen(until)}"

    def _citizen(self, until: str) -> str:
        ask, due = self.ask, self.case.citizen_due_at
        assert ask.until is not None
        if self.task.role != TaskRole.LEAD:
            return "群众时限不变（协办延期不影响答复）。"
        if ask.citizen_told_at is None:
            return "群众时限不变（未告知诉求人）。"
        if due is not None and end_of(ask.until) <= due:
            return "群众时限不变（不早于承办时限）。"
        return f"群众时限随之至 {until}，诉求人会收到告知。"


class DecidePausePanel(DecidePanel):
    """审核挂起."""

    kind = AskKind.PAUSE
    action = staticmethod(actions.decide_pause)

    @property
    def if_granted(self) -> str:
        """One clock stands still."""
        since = "从现在起" if self.at < self.task.due_at else f"从申请时（{times.moment(self.ask.asked_at, self.at)}）起"
        return f"承办时限{since}停表，恢复办理后按工作日顺延；群众时限照算，并说明原因。"


class DecideTerminationPanel(DecidePanel):
    """审核终止."""

    kind = AskKind.TERMINATION
    action = staticmethod(actions.decide_termination)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["note"].help_text = "同意的，这段话会发给诉求人：请写清为什么终止、可以走什么途径。"

    @property
    def if_granted(self) -> str:
        """The case ends."""
        return "诉求件终止办理，两个时限都结束；诉求人收到下面写的审核意见。"


class DecideSetAsidePanel(DecidePanel):
    """审核不合理认定."""

    kind = AskKind.SET_ASIDE
    action = staticmethod(actions.decide_set_aside)

    @property
    def if_granted(self) -> str:
        """The rating stays."""
        return "考核时不计这件；诉求人的原评价保留，照常显示。时限不变。"

    @property
    def if_refused(self) -> str:
        """Nothing changes."""
        return "照常计入考核；时限不变。"


PANELS: dict[str, type[Panel]] = {
    "pass_reply": PassReplyPanel,
    "send_back": SendBackPanel,
    "decide_return": DecideReturnPanel,
    "decide_extension": DecideExtensionPanel,
    "decide_pause": DecidePausePanel,
    "decide_termination": DecideTerminationPanel,
    "decide_set_aside": DecideSetAsidePanel,
}

for _code, _panel in PANELS.items():
    panels.register(_code, _panel)
