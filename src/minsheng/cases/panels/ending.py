"""Forms of the ways to end a case without handling; each shows what the citizen will be told."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse_lazy

from minsheng.cases import actions, panels
from minsheng.cases.details import TYPED_LENGTH
from minsheng.cases.models import Case, ReasonCode, RefusalGround
from minsheng.cases.models.reference import ReasonList
from minsheng.cases.panels import Panel, ReasonPanel
from minsheng.organisations.queries import valid_at
from minsheng.ui.forms import words


class AnswerPanel(Panel):
    """直接解答."""

    icon = "message-2"
    text = forms.CharField(label="答复诉求人的话", max_length=TYPED_LENGTH, widget=words(6, "写明是什么、怎么办、找谁"))
    submit_label = "答复并办结"
    consequence = "诉求人会收到这段话，诉求件随即办结，不再派单。"

    def perform(self, **stamp: Any) -> Case:
        """Answer at once."""
        return actions.answer_case(actor=self.actor, at=self.at, case=self.case, text=self.cleaned_data["text"], **stamp)


class RejectPanel(Panel):
    """不予受理: the ground brings its legal route and the words for the citizen, which may be put more kindly."""

    icon = "ban"
    danger = True
    template = "cases/panels/reject.html"
    ground = forms.ModelChoiceField(
        label="情形",
        queryset=RefusalGround.objects.none(),
        empty_label="请选择",
        widget=forms.Select(attrs={"hx-get": reverse_lazy("cases:ground"), "hx-target": "#ground-told"}),
    )
    text = forms.CharField(
        label="告知诉求人的话", max_length=TYPED_LENGTH, required=False, widget=words(5, "留空则用该情形的规定文字")
    )
    consequence = "诉求人会收到告知，诉求件办结。"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ground"].queryset = RefusalGround.objects.filter(valid_at(self.at))  # type: ignore[attr-defined]

    @property
    def chosen(self) -> RefusalGround | None:
        """The ground already chosen, when the form comes back."""
        ground = self.cleaned_data.get("ground") if self.is_bound and hasattr(self, "cleaned_data") else None
        return ground if isinstance(ground, RefusalGround) else None

    def perform(self, **stamp: Any) -> Case:
        """Refuse on this ground."""
        return actions.reject_case(actor=self.actor, at=self.at, case=self.case, **self.cleaned_data, **stamp)


class TransferPanel(Panel):
    """即时转接."""

    icon = "phone-call"
    target = forms.ModelChoiceField(
        label="转接到", queryset=ReasonCode.objects.none(), empty_label=None, widget=forms.RadioSelect
    )
    text = forms.CharField(label="另外告诉诉求人", max_length=500, required=False, widget=words(3, "留空则用规定文字"))
    submit_label = "已转接，办结"
    consequence = "诉求人会收到转接去向，诉求件办结。"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = ReasonCode.objects.filter(valid_at(self.at), list=ReasonList.TRANSFER)
        self.fields["target"].queryset = found  # type: ignore[attr-defined]

    def perform(self, **stamp: Any) -> Case:
        """Connected, on record."""
        return actions.transfer_case(actor=self.actor, at=self.at, case=self.case, **self.cleaned_data, **stamp)


class MarkInvalidPanel(Panel):
    """标为无效, for a coded reason."""

    icon = "trash-x"
    danger = True
    reason = forms.ModelChoiceField(label="原因", queryset=ReasonCode.objects.none(), empty_label=None, widget=forms.RadioSelect)
    note = forms.CharField(label="说明", max_length=500, required=False, widget=words(3))
    consequence = "诉求人会被告知没有可以办理的事项，诉求件办结。"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = ReasonCode.objects.filter(valid_at(self.at), list=ReasonList.INVALID)
        self.fields["reason"].queryset = found  # type: ignore[attr-defined]

    def perform(self, **stamp: Any) -> Case:
        """The label and the words beside it are the reason on record."""
        given = self.cleaned_data
        reason = "：".join(part for part in (given["reason"].label, given["note"].strip()) if part)
        return actions.mark_invalid(actor=self.actor, at=self.at, case=self.case, reason=reason, **stamp)


class WithdrawPanel(ReasonPanel):
    """撤回 on the citizen's word."""

    icon = "arrow-back-up"
    danger = True
    action = staticmethod(actions.withdraw_case)
    consequence = "只在诉求人本人要求撤回时用。承办任务随即终止，诉求人会收到告知；理由会被抽查。"


panels.register("answer", AnswerPanel)
panels.register("reject", RejectPanel)
panels.register("transfer", TransferPanel)
panels.register("mark_invalid", MarkInvalidPanel)
panels.register("withdraw", WithdrawPanel)
