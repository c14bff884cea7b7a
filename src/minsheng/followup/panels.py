"""Forms of follow-up: one call's answers, second handling, closing on a bad verdict."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings

from minsheng.cases import clocks, panels
from minsheng.cases.choices import Satisfaction, Solved
from minsheng.cases.forms import UnitField, hold_all
from minsheng.cases.models import Case
from minsheng.cases.panels import Panel, ReasonPanel
from minsheng.cases.wording import day_words
from minsheng.followup import queries, rules
from minsheng.followup.actions import (
    COMMENT_LENGTH,
    close_after_rating,
    higher_unit,
    keep_closed,
    record_follow_up,
    start_second_handling,
)
from minsheng.ui.forms import words
from minsheng.worktime import wording
from minsheng.worktime.moments import day_of

__all__ = ["CloseAfterRatingPanel", "FollowUpPanel", "KeepClosedPanel", "SecondHandlingPanel"]

REACHED, MISSED, GIVE_UP = "reached", "missed", "give_up"
YES_NO = [("", "未问到"), ("yes", "是"), ("no", "否")]


class FollowUpPanel(Panel):
    """登记回访: the script in the order of a call. What was not asked stays unsaid."""

    icon = "phone-call"
    template = "followup/panels/follow_up.html"
    submit_label = "登记"
    result = forms.ChoiceField(label="接通了吗", widget=forms.RadioSelect, initial=REACHED)
    contacted = forms.ChoiceField(label="承办单位联系过您吗？", choices=YES_NO, required=False, widget=forms.RadioSelect)
    truthful = forms.ChoiceField(label="答复的情况属实吗？", choices=YES_NO, required=False, widget=forms.RadioSelect)
    solved = forms.ChoiceField(
        label="问题解决了吗？", choices=Solved.choices, required=False, widget=forms.RadioSelect
    )
    satisfaction = forms.ChoiceField(
        label="您对这次办理满意吗？", choices=Satisfaction.choices, required=False, widget=forms.RadioSelect
    )
    comment = forms.CharField(
        label="诉求人的意见", required=False, max_length=COMMENT_LENGTH, widget=words(3, "照原话记，不替人下结论")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        missed = queries.missed(self.case)
        choices = [(REACHED, "接通"), (MISSED, "未接通，再约时间")]
        self.heard = queries.heard(self.case)
        if not self.heard and rules.may_give_up(len(missed), needed=settings.HOTLINE["follow_up_tries"]):
            choices.append((GIVE_UP, "仍未接通，不再回访（无评价办结）"))
        result: Any = self.fields["result"]
        result.choices = choices
        self.tries = len(missed)
        # A verdict is needed where the citizen was reached, and only there.
        needed = not self.is_bound or self.data.get("result") == REACHED
        for name, sentence in (("solved", "请记下是否解决。"), ("satisfaction", "请记下是否满意。")):
            self.fields[name].required = needed
            self.fields[name].error_messages["required"] = sentence
        self.next_at = rules.next_try_at(missed, hours=settings.HOTLINE["follow_up_hours_between"])

    @property
    def script(self) -> str:
        """How the call begins; plain, and blaming nobody."""
        return (
            f"您好，这里是福州 12345 热线。您{wording.day_words(day_of(self.case.received_at), year=day_of(self.at).year)}反映的"
            "问题已经办理，想花两分钟听听您的意见。为保证服务质量，通话会录音。"
        )

    @property
    def consequence(self) -> str:
        """What each answer leads to."""
        return "满意且已解决的随即办结；不满意或未解决的留待研判：二次办理，或按评价办结。"

    @property
    def done(self) -> str:
        """What came of the call."""
        if self.cleaned_data["result"] != REACHED:
            return f"{self.case.number} 已登记未接通。"
        return f"{self.case.number} 已登记回访：{Satisfaction(self.cleaned_data['satisfaction']).label}。"

    def perform(self, **stamp: Any) -> Case:
        """Record the call."""
        given = self.cleaned_data
        reached = given["result"] == REACHED
        answers: dict[str, Any] = (
            {
                "contacted": _yes(given["contacted"]),
                "truthful": _yes(given["truthful"]),
                "solved": given["solved"],
                "satisfaction": given["satisfaction"],
            }
            if reached
            else {"give_up": given["result"] == GIVE_UP}
        )
        return record_follow_up(
            actor=self.actor, at=self.at, case=self.case, reached=reached, comment=given["comment"], **answers, **stamp
        )


class SecondHandlingPanel(Panel):
    """二次办理: once, at a higher level where there is one, with its own limit."""

    icon = "rotate-clockwise-2"
    template = "followup/panels/judge.html"
    unit = UnitField(label="承办单位", help_text="默认为上一级；没有上一级的，由原单位主要领导负责")
    reason = forms.CharField(label="为什么有理", max_length=1000, widget=words(3, "诉求人哪些话有理，要办到什么程度"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound:
            higher = higher_unit(self.case, at=self.at)
            self.initial.setdefault("unit", higher.pk if higher else None)
        hold_all(self, self.at)
        self.heard = queries.heard(self.case)

    @property
    def consequence(self) -> str:
        """By when."""
        due = clocks.task_clocks(self.case, at=self.at, second=True).handling.due_at
        return f"启动后：承办单位 {day_words(due, self.at)} 24:00 前办结，群众会收到告知；只有一次，不能退件。"

    def perform(self, **stamp: Any) -> Case:
        """Start the second round."""
        given = self.cleaned_data
        return start_second_handling(
            actor=self.actor, at=self.at, case=self.case, unit=given["unit"], reason=given["reason"], **stamp
        )


class CloseAfterRatingPanel(ReasonPanel):
    """按评价办结: the bad verdict stands, and why nothing follows from it is on record."""

    icon = "check"
    template = "followup/panels/judge.html"
    action = staticmethod(close_after_rating)
    consequence = "评价原样保留并计入统计；认定为不合理诉求须另由承办单位申请、审核同意。"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.heard = queries.heard(self.case)


class KeepClosedPanel(ReasonPanel):
    """维持办结: nothing more follows from a bad rating that came after closing; its citizen reads why."""

    icon = "circle-check"
    template = "followup/panels/judge.html"
    action = staticmethod(keep_closed)
    reason = forms.CharField(label="为什么不再办理", max_length=1000, widget=words(3, "写给诉求人看：看过什么、为什么不再安排办理"))
    consequence = "评价原样保留并计入统计；您写的理由会原文告诉诉求人，并记入办理历程。"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.heard = queries.heard(self.case)


def _yes(value: str) -> bool | None:
    return {"yes": True, "no": False}.get(value)


panels.register("follow_up", FollowUpPanel)
panels.register("second_handling", SecondHandlingPanel)
panels.register("close_after_rating", CloseAfterRatingPanel)
panels.register("keep_closed", KeepClosedPanel)
