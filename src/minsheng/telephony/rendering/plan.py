"""What is valid at a moment, read once; everything after it is text."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from minsheng.organisations.models import ReferenceRow
from minsheng.telephony.choices import PromptUse
from minsheng.telephony.models import OpeningHours, Prompt, Seat, SkillQueue, Trunk

_Row = TypeVar("_Row", bound=ReferenceRow)


@dataclass
class Plan:
    """All that is rendered."""

    trunks: list[Trunk]
    queues: list[SkillQueue]
    seats: list[Seat]
    hours: dict[int, list[OpeningHours]]
    recordings: dict[str, bytes]
    # What whoever renders ought to know, in Chinese.
    warnings: list[str] = field(default_factory=list)

    def overflow_of(self, queue: SkillQueue) -> SkillQueue | None:
        """Where a queue's callers go next, if that queue is in use."""
        return next((other for other in self.queues if other.pk == queue.overflow_id), None)


def plan_at(at: datetime) -> Plan:
    """Read it. Warns of what callers would notice: no trunk, no queue, a prompt without a recording."""
    hours: dict[int, list[OpeningHours]] = {}
    for row in _valid(list(OpeningHours.objects.order_by("first_day", "opens")), at):
        hours.setdefault(row.queue_id, []).append(row)
    recordings = {p.code: bytes(p.audio) for p in _valid(list(Prompt.objects.all()), at) if p.audio}
    plan = Plan(
        trunks=_valid(list(Trunk.objects.order_by("code")), at),
        queues=_valid(list(SkillQueue.objects.order_by("order", "code")), at),
        seats=_valid(list(Seat.objects.order_by("extension")), at),
        hours=hours,
        recordings=recordings,
    )
    if not plan.trunks:
        plan.warnings.append("没有中继，外线打不进来。")
    if not plan.queues:
        plan.warnings.append("没有技能组，来电无处可去。请先运行 minsheng load-reference。")
    plan.warnings += [f"提示语音“{use.label}”还没有录音，暂以提示音代替。" for use in PromptUse if use not in recordings]
    return plan


def _valid(rows: list[_Row], at: datetime) -> list[_Row]:
    return [row for row in rows if row.is_valid(at)]
