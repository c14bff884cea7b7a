"""Forms of the system administrator's page of other systems."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings

from minsheng.api.choices import Scope
from minsheng.api.models import System
from minsheng.cases.choices import Channel
from minsheng.organisations.models import Unit
from minsheng.organisations.queries import valid_at
from minsheng.ui.forms import Form, TreeSelect

_DAYS = [(30, "30 天"), (90, "90 天"), (180, "180 天"), (365, "一年")]
_HOURS = [(0, "立即停用旧令牌"), (1, "1 小时"), (24, "24 小时"), (72, "3 天"), (168, "7 天")]


def _days() -> list[tuple[int, str]]:
    """The usual span stands among the choices."""
    usual: int = settings.API["token_days"]
    return _DAYS if usual in dict(_DAYS) else sorted([*_DAYS, (usual, f"{usual} 天")])


class SystemForm(Form):
    """Which system, whose, and who answers for it."""

    name = forms.CharField(label="系统名称", max_length=40, help_text="办理历程里以这个名称署名，如“城管案件系统”。")
    code = forms.RegexField(
        r"^[a-z0-9][a-z0-9-]{1,38}\Z",
        label="代码",
        max_length=39,
        help_text="小写字母、数字和 -，登记后不能改。",
        error_messages={"invalid": "代码用小写字母、数字和 -，2 至 39 个字符。"},
    )
    unit = forms.ModelChoiceField(
        Unit.objects.none(), label="所属单位", required=False, empty_label="热线中心", widget=TreeSelect
    )
    contact = forms.CharField(label="对方联系人", max_length=100, help_text="出问题时找谁：姓名和办公电话。")
    channel = forms.ChoiceField(label="提交的诉求算作", choices=Channel.choices, initial=Channel.APP)
    own_only = forms.BooleanField(label="只看得到自己提交的诉求件", required=False)

    def __init__(self, *args: Any, at: datetime, system: System | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if system is not None:  # what it is stays; who answers for it may change
            del self.fields["code"], self.fields["unit"]
            return
        unit = self.fields["unit"]
        assert isinstance(unit, forms.ModelChoiceField)
        unit.queryset = Unit.objects.filter(valid_at(at)).order_by("code")


class IssueForm(Form):
    """What a token may be used for, and how long."""

    scopes = forms.MultipleChoiceField(
        label="权限",
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="只选用得到的。权限不会超出账号角色允许的范围。",
    )
    days = forms.TypedChoiceField(label="有效期", coerce=int, choices=_days)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["days"].initial = settings.API["token_days"]


class RotateForm(Form):
    """How long the old token goes on beside the new one."""

    overlap = forms.TypedChoiceField(label="旧令牌再用", coerce=int, choices=_HOURS)
    days = forms.TypedChoiceField(label="新令牌有效期", coerce=int, choices=_days)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["overlap"].initial = settings.API["overlap_hours"]
        self.fields["days"].initial = settings.API["token_days"]


class RevokeForm(Form):
    """Why."""

    why = forms.CharField(label="理由", max_length=200, help_text="写入审计记录。")
