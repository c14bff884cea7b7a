"""What the system administrator's desk says of the telephones: whether the switch is followed, and what callers would notice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse

from minsheng.telephony.choices import PromptUse
from minsheng.telephony.following import HEARD
from minsheng.telephony.layout import is_configured
from minsheng.telephony.models import FollowedTo, Prompt, Trunk
from minsheng.ui import times
from minsheng.ui.alarms import Alarm, Fact

# One beat may be missed while a large batch is written, or while the follower is started anew.
SILENT = HEARD * 3


def last_heard() -> datetime | None:
    """When the switch was last followed; None when never."""
    return FollowedTo.objects.order_by("-heard_at").values_list("heard_at", flat=True).exclude(heard_at=None).first()


def watched_alarms(at: datetime) -> Iterator[Alarm]:
    """Red: nobody follows the switch. Yellow: callers hear tones where words should be."""
    if not is_configured():
        return
    heard = last_heard()
    if heard is None or at - heard > SILENT:
        since = "从未接通" if heard is None else f"已 {times.span(at - heard)}没有消息"
        yield Alarm(
            light="red",
            title=f"电话交换机{since}",
            todo="请看交换机是否在运行，再看 minsheng up 输出里的 telephony；交换机在，通话照常，恢复后自动补记，不重不漏。",
        )
    silent = _prompts_without_words()
    if silent and any(trunk.is_valid(at) for trunk in Trunk.objects.all()):
        yield Alarm(
            light="yellow",
            title=f"{len(silent)} 条提示语音没有录音",
            todo=f"来电人听到的是提示音：{'、'.join(silent)}。上传录音后重新生成交换机配置。",
            url=reverse("admin:telephony_prompt_changelist"),
            link="提示语音",
        )


def watched_facts(at: datetime) -> Iterator[Fact]:
    """One line; also where there are no telephones, which is worth knowing."""
    if not is_configured():
        yield Fact(label="电话", value="未启用", note="设置 MINSHENG_TELEPHONY 后启用")
        return
    heard = last_heard()
    if heard is not None and at - heard <= SILENT:
        yield Fact(label="电话", value="已接通", note=f"{max(0, round((at - heard).total_seconds()))} 秒前有应答")
    else:
        yield Fact(label="电话", value="未接通")


def _prompts_without_words() -> list[str]:
    recorded = set(Prompt.objects.exclude(audio=None).values_list("code", flat=True))
    return [use.label for use in PromptUse if use not in recorded]
