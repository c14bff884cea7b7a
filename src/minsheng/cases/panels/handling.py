"""What a unit presses to work on its task: read, reach out, take first measures, hand down or back, go on after a pause. Each says
in one line what it will do."""

from __future__ import annotations

import copy
from typing import Any

from django import forms
from django.db.models import QuerySet

from minsheng.cases import actions, clocks, panels
from minsheng.cases.actions.handling import least_day
from minsheng.cases.choices import OutreachMethod, TaskRole
from minsheng.cases.guards import Situation
from minsheng.cases.models import Task
from minsheng.cases.panels import Panel, ReasonPanel
from minsheng.cases.panels.task_panel import TaskPanel, Unversioned, choose
from minsheng.cases.unit_choices import unit_choices
from minsheng.organisations import queries as organisations
from minsheng.organisations.models import Unit
from minsheng.ui import times
from minsheng.ui.forms import MomentInput, TreeSelect, words
from minsheng.worktime import queries as worktime
from minsheng.worktime import rules
from minsheng.worktime.moments import end_of


class ReadPanel(TaskPanel):
    """查阅."""

    icon = "eye-check"

    @property
    def consequence(self) -> str:
        """Until when a return may be asked for, and the reply is due."""
        task = self.task
        until = times.due(task.due_at, self.at) + ("回复" if task.role == TaskRole.LEAD else "报送结果")
        if task.role == TaskRole.SUB or task.by_ruling:
            return f"查阅后：{until}。"
        preview = copy.copy(task)
        clocks.start_returning(preview, at=self.at)
        assert preview.return_due_at is not None
        return f"查阅后：{until}；不属本单位职责的，{times.due(preview.return_due_at, self.at)}申请退件。"

    @property
    def done(self) -> str:
        """Which one, as the next stands open by then."""
        return f"{self.case.number} 已查阅，{times.due(self.task.due_at, self.at)}{'办结' if self.task.role == TaskRole.LEAD else '报送'}。"

    def perform(self, **stamp: Any) -> Any:
        """One press."""
        return self.act(actions.read_task, **stamp)


class ReachOutPanel(Unversioned):
    """记联系."""

    icon = "phone-outgoing"
    method = choose("方式", OutreachMethod.choices, initial=OutreachMethod.PHONE.value)
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
        return f"紧急件须{times.due(due, self.at)}登记先行处置；登记后办理时限不变。" if due else ""

    def perform(self, **stamp: Any) -> Any:
        """Once."""
        return self.act(actions.take_first_measures, **stamp)


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
            f"转办后：下级单位{times.due(read.due_at, self.at)}查阅、{times.due(handling.due_at, self.at)}向本单位报送；"
            f"本单位仍须{times.due(self.task.due_at, self.at)}{'回复' if self.task.role == TaskRole.LEAD else '报送'}。"
        )

    def perform(self, **stamp: Any) -> Any:
        """To one unit; press again for another."""
        return self.act(actions.sub_dispatch, **stamp)


class ReturnToParentPanel(ReasonPanel):
    """退回上级."""

    icon = "arrow-back-up"
    consequence = "退回后：由上级单位继续办理或另行转办，本单位不再看到这件诉求；本单位再转下去的一并收回。"
    action = staticmethod(actions.return_to_parent)


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
        return f"恢复后：挂起 {moved.pauses[-1].days} 个工作日顺延，{times.due(moved.due_at, self.at)}办结；群众时限不变。"

    def perform(self, **stamp: Any) -> Any:
        """The clock goes on."""
        return self.act(actions.resume_task, **stamp)


PANELS: dict[str, type[Panel]] = {
    "read": ReadPanel,
    "reach_out": ReachOutPanel,
    "take_first_measures": FirstMeasuresPanel,
    "sub_dispatch": SubDispatchPanel,
    "return_to_parent": ReturnToParentPanel,
    "resume": ResumePanel,
}

for _code, _panel in PANELS.items():
    panels.register(_code, _panel)
