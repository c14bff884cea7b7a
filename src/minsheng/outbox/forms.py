"""Forms of this room; the actions write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any

from django import forms
from django.conf import settings

from minsheng.accounts.models import User
from minsheng.cases.rules import normalise_number
from minsheng.outbox import rules, wording
from minsheng.outbox.choices import AT_ONCE, NoticeKind, State, Timing, Way
from minsheng.outbox.models import Endpoint, NoticePreference
from minsheng.ui.forms import DayInput, Form

_CLOCK = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


@dataclass(frozen=True, slots=True)
class KindRow:
    """One kind of notice and its three choices."""

    label: str
    field: forms.BoundField


class PreferenceForm(Form):
    """How one is told: where, what at once, what in a digest, and when not."""

    email = forms.CharField(
        label="邮箱", required=False, max_length=200, help_text="留空则不发邮件。只用来发通知，加密保存，别人只看到隐去的样子。",
        widget=forms.EmailInput(attrs={"autocomplete": "email", "placeholder": "name@fuzhou.gov.cn"}),
    )  # fmt: skip
    digest_1 = forms.TimeField(label="第一次", required=False, widget=_CLOCK)
    digest_2 = forms.TimeField(label="第二次", required=False, widget=_CLOCK)
    quiet_from = forms.TimeField(label="自", required=False, widget=_CLOCK)
    quiet_to = forms.TimeField(label="至", required=False, widget=_CLOCK)

    def __init__(self, *args: Any, kinds: Sequence[NoticeKind], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kinds = kinds
        for kind in kinds:
            self.fields[f"kind_{kind.value}"] = forms.ChoiceField(
                label=str(kind.label), choices=Timing.choices, widget=forms.RadioSelect
            )

    def kind_rows(self) -> Iterator[KindRow]:
        """The kinds in their order, for the table."""
        for kind in self.kinds:
            yield KindRow(str(kind.label), self[f"kind_{kind.value}"])

    def clean(self) -> dict[str, Any]:
        """Quiet hours have two ends or none."""
        data = super().clean() or {}
        if (data.get("quiet_from") is None) != (data.get("quiet_to") is None):
            self.add_error("quiet_to", "静默时段要填起止两个时间，或都留空。")
        return data

    def values(self) -> dict[str, Any]:
        """What the action takes."""
        data = self.cleaned_data
        quiet = (data["quiet_from"], data["quiet_to"]) if data["quiet_from"] is not None else None
        return {
            "email": data["email"],
            "timings": {kind.value: data[f"kind_{kind.value}"] for kind in self.kinds},
            "digest_at": [each for each in (data["digest_1"], data["digest_2"]) if each is not None],
            "quiet": quiet,
        }


def preference_initial(preference: NoticePreference | None) -> dict[str, Any]:
    """What the person chose, or what would be sensible."""
    if preference is None:
        start, end = (rules.clock_time(text) for text in settings.OUTBOX["notice_quiet"])
        digests = [rules.clock_time(text) for text in settings.OUTBOX["digest_at"]]
        kinds = {kind.value: Timing.AT_ONCE if kind in AT_ONCE else Timing.DIGEST for kind in NoticeKind}
        return _initial("", digests, start, end, kinds)
    kinds = {kind.value: preference.timing(kind) for kind in NoticeKind}
    return _initial(preference.email or "", preference.digest_at, preference.quiet_from, preference.quiet_to, kinds)


def _initial(
    email: str, digests: list[time], start: time | None, end: time | None, kinds: dict[str, Timing]
) -> dict[str, Any]:
    first, second = [*digests, None, None][:2]
    timings = {f"kind_{kind}": timing.value for kind, timing in kinds.items()}
    return {"email": email, "digest_1": first, "digest_2": second, "quiet_from": start, "quiet_to": end, **timings}


class LogForm(Form):
    """Filters of the record; what is not understood is left out."""

    channel = forms.ChoiceField(label="方式", required=False, choices=[("", "全部"), *Way.choices])
    number = forms.CharField(label="诉求编号", required=False, max_length=40)
    day = forms.DateField(label="日期", required=False, widget=DayInput)
    endpoint = forms.ModelChoiceField(
        label="接收系统", required=False, queryset=Endpoint.objects.order_by("name"), empty_label="全部"
    )

    def __init__(self, *args: Any, systems: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not systems:
            del self.fields["endpoint"]

    def clean_number(self) -> str:
        """As stored."""
        return normalise_number(self.cleaned_data["number"].replace("\x00", ""))


# What queries.STATES tells apart.
TABS = {"": "全部", State.DEAD.value: "停止重试", State.NOT_SENT.value: "未发送", State.WAITING.value: "待发送", State.SENT.value: "已发送"}


class EndpointForm(Form):
    """A system that listens."""

    name = forms.CharField(label="系统名称", max_length=60)
    url = forms.CharField(
        label="接收地址", max_length=300, help_text="https 地址。指向内部网络的，须先由运维在设置中放行。",
        widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"}),
    )  # fmt: skip
    account = forms.CharField(
        label="账号（用户名）", max_length=60, help_text="只推送这个账号看得到的诉求件：单位账号只有本单位及下级的，热线账号按角色。"
    )
    source = forms.CharField(
        label="只推送来源", max_length=40, required=False, help_text="接入系统的代码。填了，就只推送由它提交的诉求件。"
    )
    kinds = forms.MultipleChoiceField(
        label="事项", required=False, widget=forms.CheckboxSelectMultiple, help_text="都不勾选，就是全部事项。"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kinds"].choices = list(wording.event_labels().items())  # type: ignore[attr-defined]

    def clean_account(self) -> User:
        """The person or system of that name."""
        name = self.cleaned_data["account"].strip().lower().replace("\x00", "")
        found = User.objects.filter(username=name, is_active=True).first()
        if found is None:
            raise forms.ValidationError("没有这个账号，或已停用。")
        return found

    def values(self) -> dict[str, Any]:
        """What the actions take."""
        data = self.cleaned_data
        return {**{name: data[name] for name in ("name", "url", "source", "kinds")}, "user": data["account"]}


def endpoint_initial(endpoint: Endpoint) -> dict[str, Any]:
    """As it stands."""
    return {
        "name": endpoint.name,
        "url": endpoint.url,
        "account": endpoint.user.username,
        "source": endpoint.source,
        "kinds": endpoint.kinds,
    }
