"""What deliveries say: labels for the record, and the words of notices. No name, number or word of a citizen in any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from minsheng.cases import workflow
from minsheng.outbox.choices import CLOCK_EVENTS, DIGEST, TEST, NoticeClock, NoticeKind, Way
from minsheng.outbox.rules import join

if TYPE_CHECKING:
    from minsheng.cases.models import Case
    from minsheng.outbox.models import Delivery

TEMPLATE_LABELS: Mapping[str, str] = {
    "received": "已收到",
    "accepted": "已受理",
    "answered": "直接解答",
    "rejected": "不予受理",
    "transferred": "即时转接",
    "merged": "并案",
    "invalid": "无效",
    "withdrawn": "撤回",
    "split": "拆分",
    "dispatched": "已批转",
    "extended": "延期",
    "replied": "办理结果",
    "second": "二次办理",
    "terminated": "终止办理",
    "closed": "已办结",
    "kept_closed": "维持办结",
    "reopened": "重新办理",
}
_CLOCK_LABELS = {CLOCK_EVENTS[kind]: str(kind.label) for kind in CLOCK_EVENTS}
# Entries that no row of the transition table writes.
_OTHER_EVENTS = {"split_off": "拆出", "recount": "重算时限"}


def event_labels() -> dict[str, str]:
    """Every event another system can be told of, with its label, in the order of the flow."""
    rows = {row.code: row.label for row in workflow.TRANSITIONS if row.code != "discard"}
    return rows | _OTHER_EVENTS | _CLOCK_LABELS


def kind_label(delivery: Delivery) -> str:
    """What was to be said."""
    if delivery.kind == TEST:
        return "测试"
    if delivery.kind == DIGEST:
        return "摘要"
    if delivery.channel == Way.SMS:
        return TEMPLATE_LABELS.get(delivery.kind, delivery.kind)
    if delivery.channel == Way.WEBHOOK:
        return event_labels().get(delivery.kind, delivery.kind)
    label = str(NoticeKind(delivery.kind).label) if delivery.kind in NoticeKind.values else delivery.kind
    return f"{NoticeClock(delivery.clock).label}{label}" if delivery.clock else label


def about(case: Case) -> str:
    """A case in a notice: its number and what it is about; of a confidential one the number alone (scenario 8)."""
    if case.confidential:
        return join([str(case.number), "保密件"])
    return join([str(case.number), case.get_kind_display(), case.topic.name if case.topic else ""])
