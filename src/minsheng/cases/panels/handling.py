"""What a unit presses: read, reach out, hand down, ask for, report, write, sign. Each says in one line what it will do."""

from __future__ import annotations

import copy
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property

from minsheng.cases import actions, clocks, panels, reply_rules, template_queries
from minsheng.cases.actions.asking import room_for_extension
from minsheng.cases.actions.handling import least_day, refuse_blanks
from minsheng.cases.choices import Finding, Outcome, OutreachMethod, ReplyKind, ReplyState, Solved, TaskRole
from minsheng.cases.comparing import is_contacted
from minsheng.cases.forms import UnitField, hold_all
from minsheng.cases.guards import Situation
from minsheng.cases.models import Reply, Task
from minsheng.cases.models.reference import ReasonList
from minsheng.cases.panels import Panel, ReasonPanel
from minsheng.cases.reference_queries import reason_choices
from minsheng.cases.unit_choices import unit_choices
from minsheng.errors import Refused
from minsheng.organisations import queries as organisations
from minsheng.organisations.models import Unit
from minsheng.ui import times
from minsheng.ui.forms import DayInput, FilesField, MomentInput, TreeSelect, words
from minsheng.worktime import queries as worktime
from minsheng.worktime import rules
from minsheng.worktime.choices import Clock
from minsheng.worktime.moments import day_of, end_of

PROOF_HELP = "如照片、通知书、检测报告；每个文件不超过 30 MB。"


def _due(moment: datetime, at: datetime) -> str:
    return times.due(moment, at)


def _choose(label: str, options: Any, **more: Any) -> forms.ChoiceField:
    """A handful of answers, all in sight."""
    return forms.ChoiceField(label=label, choices=options, widget=forms.RadioSelect, **more)


class TaskPanel(Panel):
    """A form about a unit's task."""

    def act(self, action: Any, **stamp: Any) -> Any:
        """Call the action with what was filled in, under the same names."""
        return action(actor=self.actor, at=self.at, task=self.task, **self.cleaned_data, **stamp)


class Unversioned(TaskPanel):
    """Notes that add to the record and overwrite nothing: two people may write them at once."""

    def act(self, action: Any, **stamp: Any) -> Any:
        """As above, whatever happened to the case since the screen was drawn."""
        stamp.pop("version", None)
        return super().act(action, **stamp)


# --- reading and reaching out ------------------------------------------------------------------------------------


class ReadPanel(TaskPanel):
    """查阅."""

    icon = "eye-check"

    @property
    def consequence(self) -> str:
        """Until when a return may be asked for, and the reply is due."""
        task = self.task
        until = _due(task.due_at, self.at) + ("回复" if task.role == TaskRole.LEAD else "报送结果")
        if task.role == TaskRole.SUB or task.by_ruling:
            return f"查阅后：{until}。"
        preview = copy.copy(task)
        clocks.start_returning(preview, at=self.at)
        assert preview.return_due_at is not None
        return f"查阅后：{until}；不属本单位职责的，{_due(preview.return_due_at, self.at)}申请退件。"

    @property
    def done(self) -> str:
        """Which one, as the next stands open by then."""
        return f"{self.case.number} 已查阅，{_due(self.task.due_at, self.at)}{'办结' if self.task.role == TaskRole.LEAD else '报送'}。"

    def perform(self, **stamp: Any) -> Any:
        """One press."""
        return self.act(actions.read_task, **stamp)


class ReachOutPanel(Unversioned):
    """记联系."""

    icon = "phone-outgoing"
    method = _choose("方式", OutreachMethod.choices, initial=OutreachMethod.PHONE.value)
    reached_at = forms.DateTimeField(label="联系时间", widget=MomentInput(past_only=True))
    reached = forms.TypedChoiceField(
        label="结果",
        choices=[("yes", "联系上了"), ("no", "没有联系上")],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    summary = forms.CharField(label="情况", widget=words(3, "说了什么、诉求人有什么要求；没联系上的写明原因"), max_length=2000)
    consequence = "记入办理历程，审核员审回复时看得到；诉求人看不到。"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reached_at"].initial = self.at

    def perform(self, **stamp: Any) -> Any:
        """One try."""
        return self.act(actions.reach_out, **stamp)


class FirstMeasuresPanel(Unversioned):
    """先行处置."""

    icon = "urgent"
    text = forms.CharField(label="已经采取的措施", widget=words(4, "何时、何人、到何处、做了什么"), max_length=4000)

    @property
    def consequence(self) -> str:
        """The limit beside the limit."""
        due = self.task.first_measures_due_at
        return f"紧急件须{_due(due, self.at)}登记先行处置；登记后办理时限不变。" if due else ""

    def perform(self, **stamp: Any) -> Any:
        """Once."""
        return self.act(actions.take_first_measures, **stamp)


# --- down the tree -----------------------------------------------------------------------------------------------


def units_below(situation: Situation, task: Task) -> QuerySet[Unit]:
    """Whom a unit may hand its task down to: below it in the tree, or the street where it happened; none that has it already."""
    case = situation.case
    held = {t.unit_id for t in situation.tasks if t.round == case.round and t.is_current}
    below = organisations.hand_down_ids(task.unit, case.place) - held
    return Unit.objects.filter(organisations.valid_at(situation.at), pk__in=below, dispatchable=True).order_by("code")


class SubDispatchPanel(TaskPanel):
    """转办下级."""

    icon = "arrow-down-right"
    unit = forms.ModelChoiceField(label="下级单位或属地乡镇街道", queryset=Unit.objects.none(), widget=TreeSelect())
    instruction = forms.CharField(label="转办意见", widget=words(3, "请下级单位做什么"), required=False, max_length=2000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units = units_below(self.situation, self.task)
        field: Any = self.fields["unit"]
        field.queryset = units
        field.choices = choices = unit_choices(list(units))
        if len(choices) == 1:
            field.help_text = "本单位没有可以转办的下级单位或属地乡镇街道。"

    @property
    def consequence(self) -> str:
        """The lower unit's limits; ours do not move."""
        made = clocks.task_clocks(self.case, at=self.at)
        due = self.task.due_at if self.at < self.task.due_at else end_of(least_day(self.at))
        read, handling = rules.with_cap(made.read, due), rules.with_cap(made.handling, due)
        return (
            f"转办后：下级单位{_due(read.due_at, self.at)}查阅、{_due(handling.due_at, self.at)}向本单位报送；"
            f"本单位仍须{_due(self.task.due_at, self.at)}{'回复' if self.task.role == TaskRole.LEAD else '报送'}。"
        )

    def perform(self, **stamp: Any) -> Any:
        """To one unit; press again for another."""
        return self.act(actions.sub_dispatch, **stamp)


class ReturnToParentPanel(ReasonPanel):
    """退回上级."""

    icon = "arrow-back-up"
    consequence = "退回后：由上级单位继续办理或另行转办，本单位不再看到这件诉求；本单位再转下去的一并收回。"
    action = staticmethod(actions.return_to_parent)


class SendReportBackPanel(ReasonPanel):
    """退回报送."""

    icon = "arrow-back-up"
    action = staticmethod(actions.send_report_back)

    @property
    def consequence(self) -> str:
        """The other unit's time."""
        due = max(self.task.due_at, end_of(least_day(self.at)))
        return f"退回后：{self.task.unit.name}{_due(due, self.at)}重新报送；本单位时限不变。"


class ExcusePanel(ReasonPanel):
    """免报说明."""

    icon = "user-off"
    action = staticmethod(actions.excuse_report)

    @property
    def consequence(self) -> str:
        """What no longer holds the reply back."""
        return f"说明后：不再等{self.task.unit.name}报送，回复可以先行；理由记入办理历程，审核员看得到。"


class ReportPanel(TaskPanel):
    """报送结果."""

    icon = "send"
    text = forms.CharField(label="办理情况", widget=words(6, "何时、何人、到何处、查了什么、结果如何"), max_length=10000)
    finding = _choose("是否属实", [("", "不填"), *Finding.choices], required=False)
    files = FilesField(label="附件", required=False, help_text=PROOF_HELP)  # type: ignore[assignment]
    consequence = "报送后：由主办（上级）单位汇总答复；诉求人看不到这份报送，主办（上级）单位可以退回重报。"

    def clean(self) -> dict[str, Any]:
        """No blank of a template left."""
        return _no_blanks(super().clean() or self.cleaned_data, self)

    def perform(self, **stamp: Any) -> Any:
        """To the unit above."""
        return self.act(actions.report_result, **stamp)


# --- what is asked of the centre ---------------------------------------------------------------------------------


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
        until = f"（{_due(due, self.at)}可以申请）" if due else ""
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
        return f"提交后等热线审核，同意前仍须{_due(self.task.due_at, self.at)}办结；逾期后不能再申请。"

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


class ResumePanel(TaskPanel):
    """恢复办理."""

    icon = "player-play"
    note = forms.CharField(label="说明", widget=words(2), required=False, max_length=1000)

    @property
    def consequence(self) -> str:
        """How far the pause moved the limit."""
        derivation = clocks.of(self.task.derivation)
        if derivation is None or self.task.paused_at is None:
            return ""
        moved = rules.with_pause(derivation, self.task.paused_at, self.at, worktime.calendar())
        return f"恢复后：挂起 {moved.pauses[-1].days} 个工作日顺延，{_due(moved.due_at, self.at)}办结；群众时限不变。"

    def perform(self, **stamp: Any) -> Any:
        """The clock goes on."""
        return self.act(actions.resume_task, **stamp)


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


# --- the reply ---------------------------------------------------------------------------------------------------


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
    finding = _choose("是否属实", Finding.choices)
    outcome = _choose("处理结论", Outcome.choices)
    solved = _choose("是否解决", Solved.choices)
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
        return f"送本单位领导签发；{_due(self.task.due_at, self.at)}须签发送审。审核通过后，诉求人收到回复内容和依据。"

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
        return f"签发后：{late}热线{_due(preview.due_at, self.at)}审核，通过后发给诉求人。"

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
        return f"退回联络员修改；时限不变，仍须{_due(self.task.due_at, self.at)}签发送审。"


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
    "read": ReadPanel,
    "reach_out": ReachOutPanel,
    "take_first_measures": FirstMeasuresPanel,
    "sub_dispatch": SubDispatchPanel,
    "request_return": ReturnPanel,
    "return_to_parent": ReturnToParentPanel,
    "request_extension": ExtensionPanel,
    "request_pause": PausePanel,
    "resume": ResumePanel,
    "request_termination": TerminationPanel,
    "request_set_aside": SetAsidePanel,
    "report": ReportPanel,
    "send_report_back": SendReportBackPanel,
    "excuse_report": ExcusePanel,
    "draft_reply": DraftReplyPanel,
    "sign_reply": SignReplyPanel,
    "decline_to_sign": DeclineToSignPanel,
}

for _code, _panel in PANELS.items():
    panels.register(_code, _panel)
