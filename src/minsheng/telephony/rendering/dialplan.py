"""extensions.conf: a call's way from the trunk to a queue, without a menu (GB/T 33358).

Rules: whatever the caller's side sends is reduced to digits before it is used once, and reaches no argument that a shell may see.
Arrival and end of each call stand in the journal (queue_log) beside the switch's own lines, so that the books can be made from it alone.
Nothing is announced inside a queue: while a prompt plays there, the switch offers the caller to nobody (measured: 5 to 8 s).
"""

from __future__ import annotations

from pathlib import Path

from minsheng.telephony.choices import PromptUse
from minsheng.telephony.models import OpeningHours, SkillQueue
from minsheng.telephony.names import queue_name
from minsheng.telephony.rendering.plan import Plan

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME_ZONE = "Asia/Shanghai"
NO_CIRCUIT = 34  # Q.850 cause: no circuit available


def dialplan(plan: Plan, sounds: Path) -> str:
    """The whole of it. `sounds`: the folder of the prompts as the switch sees it."""
    parts = ["[general]\nstatic=yes\nwriteprotect=yes\n", _from_trunk(plan), _arrive(sounds), _ENDED, _FROM_SEAT]
    parts += [_queue(plan, queue, sounds) for queue in plan.queues]
    return "\n".join(parts)


def _context(name: str, steps: list[str], extension: str = "s") -> str:
    first, *others = steps
    return "\n".join([f"[{name}]", f"exten => {extension},1,{first}", *(f" same => {_numbered(step)}" for step in others), ""])


def _numbered(step: str) -> str:
    """`(label)Application()` or `Application()`."""
    label, bracket, rest = step.partition(")") if step.startswith("(") else ("", "", step)
    return f"n{label}{bracket},{rest}"


def _from_trunk(plan: Plan) -> str:
    """By the number called; whatever other number the carrier sends comes to the first queue, never to nowhere."""
    if not plan.queues:
        return _context("from-trunk", ["Hangup(27)"], "_X.")
    lines = ["[from-trunk]"]
    for queue in plan.queues:
        for number in queue.numbers:
            lines += [f"exten => {number},1,Set(ENTRY={queue.code})", f" same => n,Set(DIALLED={number})", " same => n,Goto(arrive,s,1)"]
    for pattern in ("_X.", "_+X."):
        lines += [f"exten => {pattern},1,Set(ENTRY={plan.queues[0].code})", " same => n,Set(DIALLED=${FILTER(0-9+,${EXTEN})})"]
        lines += [" same => n,Goto(arrive,s,1)"]
    return "\n".join([*lines, ""])


def _arrive(sounds: Path) -> str:
    steps = [
        "Set(CALLERID(num)=${FILTER(0-9+,${CALLERID(num)})})",
        "Set(CALLERID(name)=)",
        "QueueLog(NONE,${UNIQUEID},NONE,ARRIVED,${CALLERID(num)}|${DIALLED}|${TRUNK})",
        "Set(CHANNEL(hangup_handler_push)=ended,s,1)",
        "Set(GROUP(lines)=${TRUNK})",
        "GotoIf($[${GROUP_COUNT(${TRUNK}@lines)} > ${LINES}]?blocked)",
        "Answer()",
        f"Playback({sounds / PromptUse.GREETING})",
        "Goto(queue-${ENTRY},s,1)",
        "(blocked)QueueLog(NONE,${UNIQUEID},NONE,BLOCKED,)",
        f"Hangup({NO_CIRCUIT})",
    ]
    return _context("arrive", steps)


_ENDED = _context("ended", ["QueueLog(NONE,${UNIQUEID},NONE,ENDED,${HANGUPCAUSE})", "Return()"])
# What a seat may dial by itself is nothing.
_FROM_SEAT = _context("from-seat", ["Hangup(21)"], "_X.")


def _queue(plan: Plan, queue: SkillQueue, sounds: Path) -> str:
    """Open or closed, then the queue, then where its callers go who found nobody."""
    beyond = plan.overflow_of(queue)
    hours = plan.hours.get(queue.pk, [])
    steps = [f"GotoIfTime({_span(row)}?open)" for row in hours]
    if hours:
        steps += _closed(queue, beyond, sounds)
    # Options by position differ between versions beyond the fifth: none is used.
    steps += [f"{'(open)' if hours else ''}Queue({queue_name(queue.code)},,,,{queue.longest_wait_seconds})"]
    # The switch writes nothing where it lets nobody into a queue.
    steps += ['ExecIf($["${QUEUESTATUS:0:4}" = "JOIN"]?QueueLog(' + queue_name(queue.code) + ",${UNIQUEID},NONE,REFUSED,${QUEUESTATUS}))"]
    if beyond is not None:
        steps += [f"Goto(queue-{beyond.code},s,1)"]
    else:
        steps += [f"QueueLog({queue_name(queue.code)},${{UNIQUEID}},NONE,UNANSWERED,${{QUEUESTATUS}})"]
        steps += [f"Playback({sounds / PromptUse.UNANSWERED})", "Hangup(19)"]
    return _context(f"queue-{queue.code}", steps)


def _closed(queue: SkillQueue, beyond: SkillQueue | None, sounds: Path) -> list[str]:
    if beyond is not None:
        return [f"Goto(queue-{beyond.code},s,1)"]
    return [f"QueueLog({queue_name(queue.code)},${{UNIQUEID}},NONE,CLOSED,)", f"Playback({sounds / PromptUse.CLOSED})", "Hangup(16)"]


def _span(row: OpeningHours) -> str:
    """The switch's hours include their last minute, ours do not."""
    last = row.closes.hour * 60 + row.closes.minute - 1
    days = f"{_DAYS[row.first_day - 1]}-{_DAYS[row.last_day - 1]}"
    return f"{row.opens:%H:%M}-{last // 60:02}:{last % 60:02},{days},*,*,{_TIME_ZONE}"
