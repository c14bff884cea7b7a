"""Ways out of the house, where each delivery stands, and what units may be told of."""

from __future__ import annotations

from minsheng.ui.choices import ColouredChoices


class Way(ColouredChoices):
    """How it travels."""

    SMS = "sms", "短信", "azure"
    EMAIL = "email", "邮件", "blue"
    WEBHOOK = "webhook", "接口推送", "purple"


class State(ColouredChoices):
    """Where a delivery stands."""

    WAITING = "waiting", "待发送", "azure"
    GATHERED = "gathered", "等待摘要", "secondary"
    FAILED = "failed", "稍后重试", "orange"
    SENT = "sent", "已发送", "green"
    NOT_SENT = "not_sent", "未发送", "secondary"
    DEAD = "dead", "停止重试", "red"


# What a sender may take up.
DUE_STATES = frozenset({State.WAITING, State.FAILED})


class NoticeKind(ColouredChoices):
    """What a unit's people are told of."""

    NEW_TASK = "new_task", "新任务"
    SENT_BACK = "sent_back", "退回重办"
    URGED = "urged", "催办"
    SUPPLEMENT = "supplement", "诉求人补充"
    DECIDED = "decided", "申请已审核"
    TO_SIGN = "to_sign", "待签发"
    REPORTED = "reported", "协办、下级已报送"
    ENDED = "ended", "不再由本单位办理"
    YELLOW = "yellow", "临近时限（黄灯）"
    ORANGE = "orange", "即将到期（橙灯）"
    OVERDUE = "overdue", "已逾期（红灯）"


class NoticeClock(ColouredChoices):
    """Of which clock a moment is told: a unit's own three, and the centre's for answering what a unit asks for."""

    READING = "read", "查阅"
    FIRST_MEASURES = "first_measures", "先行处置"
    HANDLING = "handling", "办理"
    ASK = "ask", "申请审核"


DIGEST = "digest"
TEST = "test"
# Moments of a clock, which no action marks; as events for other systems they carry these codes.
CLOCK_KINDS = (NoticeKind.YELLOW, NoticeKind.ORANGE, NoticeKind.OVERDUE)
CLOCK_EVENTS = {kind: f"task_{kind.value}" for kind in CLOCK_KINDS}
# Until a person chooses: what cannot wait for the next digest.
AT_ONCE = (NoticeKind.SENT_BACK, NoticeKind.URGED, NoticeKind.ORANGE, NoticeKind.OVERDUE)


class Timing(ColouredChoices):
    """When a person wants a kind of notice."""

    AT_ONCE = "at_once", "立即"
    DIGEST = "digest", "并入摘要"
    NEVER = "never", "不要"
