"""What the switch may be told, and what became of calls and seats."""

from __future__ import annotations

from minsheng.ui.choices import ColouredChoices


class Strategy(ColouredChoices):
    """Who of the free agents is rung first, among those of the same skill level. The values are Asterisk's."""

    LEAST_RECENT = "leastrecent", "空闲最久者优先"
    FEWEST_CALLS = "fewestcalls", "接听最少者优先"
    IN_TURN = "rrmemory", "轮流"
    RANDOM = "random", "随机"


class PromptUse(ColouredChoices):
    """Where the dialplan plays a prompt."""

    GREETING = "greeting", "欢迎语（含录音与隐私告知）"
    CLOSED = "closed", "非服务时间"
    UNANSWERED = "unanswered", "久等未接，稍后回拨"


class Direction(ColouredChoices):
    """Who called whom."""

    IN = "in", "呼入", "azure"
    OUT = "out", "呼出", "purple"


class CallOutcome(ColouredChoices):
    """What became of an incoming call, as the indicators tell calls apart (domain.md §3.2). Empty while it goes on."""

    ANSWERED = "answered", "人工接起", "green"
    ABANDONED = "abandoned", "排队放弃", "orange"
    UNANSWERED = "unanswered", "久等未接", "red"
    BLOCKED = "blocked", "线路阻塞", "red"
    CLOSED = "closed", "非服务时间", "secondary"
    BEFORE_QUEUE = "before_queue", "排队前挂机", "secondary"
    # The switch itself ended without a word about the call.
    LOST = "lost", "中断", "red"


class VisitOutcome(ColouredChoices):
    """How a caller left one queue."""

    CONNECTED = "connected", "接起", "green"
    ABANDONED = "abandoned", "放弃", "orange"
    OVERFLOWED = "overflowed", "超时溢出", "azure"
    REFUSED = "refused", "无人值守或已满", "red"


class LegKind(ColouredChoices):
    """What a leg of a call is."""

    CITIZEN = "citizen", "诉求人"
    OFFER = "offer", "技能组派给座席"
    DIRECT = "direct", "直接呼叫"


class LegOutcome(ColouredChoices):
    """What became of ringing. Empty while it rings, and of the citizen's own leg."""

    CONNECTED = "connected", "接起", "green"
    NO_ANSWER = "no_answer", "未接", "red"
    CANCELLED = "cancelled", "对方先挂机", "secondary"
    FAILED = "failed", "未接通", "red"


class EndedBy(ColouredChoices):
    """Who ended the talk."""

    CALLER = "caller", "诉求人"
    AGENT = "agent", "座席"
    TRANSFER = "transfer", "转接"


class SeatState(ColouredChoices):
    """One row of a seat's states: 登录→就绪→振铃→通话→话后→示忙→离线 (domain.md §5.1)."""

    SIGNED_OUT = "signed_out", "签退", "secondary"
    READY = "ready", "就绪", "green"
    RINGING = "ringing", "振铃", "yellow"
    TALKING = "talking", "通话", "azure"
    WRAP_UP = "wrap_up", "话后处理", "purple"
    PAUSED = "paused", "示忙", "orange"
    OFFLINE = "offline", "话机离线", "red"


class MissedKind(ColouredChoices):
    """漏接 = 排队放弃、振铃未接或坐席全忙而久等未接 (domain.md §2.11), and what found no free line."""

    ABANDONED = "abandoned", "排队放弃", "orange"
    UNANSWERED = "unanswered", "久等未接", "red"
    BLOCKED = "blocked", "线路阻塞", "red"
    LOST = "lost", "中断", "red"
