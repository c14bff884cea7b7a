"""States and kinds of cases and tasks, in the words of Fuzhou (design §4, §9)."""

from __future__ import annotations

from django.db import models

from minsheng.ui.choices import ColouredChoices


class RequestKind(ColouredChoices):
    """诉求类型 (domain.md §4.1)."""

    CONSULTATION = "consultation", "咨询", "azure"
    HELP = "help", "求助", "teal"
    COMPLAINT = "complaint", "投诉", "orange"
    REPORT = "report", "举报", "purple"
    SUGGESTION = "suggestion", "建议", "lime"
    PRAISE = "praise", "表扬", "pink"
    OTHER = "other", "其他", "secondary"


class Urgency(ColouredChoices):
    """紧急程度 (domain.md §2.9, unsourced grades)."""

    NORMAL = "normal", "一般", "secondary"
    URGENT = "urgent", "紧急", "orange"
    CRITICAL = "critical", "特急", "red"


URGENCY_ORDER = {Urgency.CRITICAL: 0, Urgency.URGENT: 1, Urgency.NORMAL: 2}


class Channel(ColouredChoices):
    """How a contact reached the centre; each has the two digits that stand in the case number."""

    PHONE = "phone", "电话"
    WEB = "web", "网站"
    APP = "app", "手机应用"
    WECHAT = "wechat", "微信"
    WEIBO = "weibo", "微博"
    QQ = "qq", "QQ"
    WALK_IN = "walk_in", "来访"
    BY_HAND = "by_hand", "手工录入"
    IMPORT = "import", "批量导入"
    REFERRAL = "referral", "平台转办"


CHANNEL_DIGITS = {channel: f"{index:02d}" for index, channel in enumerate(Channel, start=1)}


class CaseState(ColouredChoices):
    """Where a case stands (design §4)."""

    DRAFT = "draft", "暂存", "secondary"
    TO_ACCEPT = "to_accept", "待受理", "azure"
    TO_DISPATCH = "to_dispatch", "待批转", "blue"
    IN_STUDY = "in_study", "研判中", "purple"
    IN_HANDLING = "in_handling", "办理中", "indigo"
    TO_AUDIT = "to_audit", "待审核", "cyan"
    TO_FOLLOW_UP = "to_follow_up", "待回访", "teal"
    CLOSED = "closed", "已办结", "green"
    ARCHIVED = "archived", "已归档", "secondary"


OPEN_STATES = frozenset(CaseState) - {CaseState.DRAFT, CaseState.CLOSED, CaseState.ARCHIVED}


class Ending(ColouredChoices):
    """How a case ended; all but `handled` end it without handling, each with a reason told to the citizen."""

    HANDLED = "handled", "办结", "green"
    ANSWERED = "answered", "直接解答", "green"
    REJECTED = "rejected", "不予受理", "secondary"
    TRANSFERRED = "transferred", "即时转接", "azure"
    MERGED = "merged", "并案", "secondary"
    INVALID = "invalid", "无效", "secondary"
    WITHDRAWN = "withdrawn", "撤回", "secondary"
    TERMINATED = "terminated", "终止办理", "secondary"


class TaskRole(ColouredChoices):
    """A unit's part in a case."""

    LEAD = "lead", "主办", "blue"
    ASSIST = "assist", "协办", "cyan"
    SUB = "sub", "转办", "secondary"


class TaskState(ColouredChoices):
    """Where a unit's share stands (design §4)."""

    TO_READ = "to_read", "待查阅", "azure"
    HANDLING = "handling", "办理中", "indigo"
    RETURN_REQUESTED = "return_requested", "申请退件", "yellow"
    PAUSED = "paused", "挂起", "secondary"
    REPLIED = "replied", "已回复", "cyan"
    ACCEPTED = "accepted", "已通过", "green"
    SENT_BACK = "sent_back", "退回重办", "orange"
    RETURNED = "returned", "已退件", "secondary"
    RECALLED = "recalled", "已收回", "secondary"
    TERMINATED = "terminated", "已终止", "secondary"


# The unit still owes something.
ACTIVE_TASK_STATES = frozenset(
    {TaskState.TO_READ, TaskState.HANDLING, TaskState.RETURN_REQUESTED, TaskState.PAUSED, TaskState.SENT_BACK}
)
# Not at its end, whoever has the next word: what ends the case, or takes it back, ends these.
UNFINISHED_TASK_STATES = ACTIVE_TASK_STATES | {TaskState.REPLIED}
# The unit no longer has anything to do with the case, and no longer sees it (个保法 §34: only what the task needs).
GONE_TASK_STATES = frozenset({TaskState.RETURNED, TaskState.RECALLED})


class Finding(ColouredChoices):
    """是否属实 (domain.md §2.5)."""

    TRUE = "true", "属实", "blue"
    PARTLY = "partly", "部分属实", "azure"
    FALSE = "false", "不属实", "secondary"
    NOT_APPLICABLE = "not_applicable", "不涉及核实", "secondary"


class Outcome(ColouredChoices):
    """处理结论 (信访工作条例 §32; domain.md §2.14)."""

    SUPPORTED = "supported", "支持", "green"
    PARTLY_SUPPORTED = "partly_supported", "部分支持", "lime"
    EXPLAINED = "explained", "诉求合理但缺乏依据，已解释", "azure"
    NOT_SUPPORTED = "not_supported", "不予支持", "secondary"


class Solved(ColouredChoices):
    """是否解决 (domain.md §2.5)."""

    YES = "yes", "解决", "green"
    PARTLY = "partly", "部分解决", "yellow"
    NO = "no", "未解决", "red"


class Satisfaction(ColouredChoices):
    """满意程度, four values (domain.md §2.5). Not rated is NULL: there is no default satisfaction."""

    VERY = "very", "非常满意", "green"
    SATISFIED = "satisfied", "满意", "lime"
    BASIC = "basic", "基本满意", "yellow"
    UNSATISFIED = "unsatisfied", "不满意", "red"


class ReplyKind(ColouredChoices):
    """What a unit's text is."""

    FINAL = "final", "办理回复", "blue"
    REPORT = "report", "协办报告", "cyan"


class ReplyState(ColouredChoices):
    """From the liaison's words to the auditor's verdict."""

    TO_SIGN = "to_sign", "待签发", "yellow"
    NOT_SIGNED = "not_signed", "签发退回", "orange"
    SUBMITTED = "submitted", "待审核", "cyan"
    ACCEPTED = "accepted", "审核通过", "green"
    SENT_BACK = "sent_back", "审核退回", "orange"


class AskKind(ColouredChoices):
    """What a unit may ask the centre for (申请)."""

    RETURN = "return", "退件", "orange"
    EXTENSION = "extension", "延期", "yellow"
    PAUSE = "pause", "挂起", "secondary"
    TERMINATION = "termination", "终止办理", "red"
    SET_ASIDE = "set_aside", "不合理诉求认定", "purple"


class AskState(ColouredChoices):
    """The centre's answer."""

    PENDING = "pending", "待审核", "yellow"
    GRANTED = "granted", "同意", "green"
    REFUSED = "refused", "不同意", "secondary"
    LAPSED = "lapsed", "已失效", "secondary"  # its task ended otherwise before anybody answered


class OutreachMethod(ColouredChoices):
    """How a unit reached for the citizen."""

    PHONE = "phone", "电话"
    VISIT = "visit", "上门"
    MEETING = "meeting", "约谈"
    MESSAGE = "message", "短信、微信"


class ApplicantKind(models.TextChoices):
    """Who asks."""

    PERSON = "person", "个人"
    ENTERPRISE = "enterprise", "企业"


class ContactPurpose(ColouredChoices):
    """Why somebody got in touch."""

    NEW = "new", "提出诉求"
    SUPPLEMENT = "supplement", "补充情况"
    URGING = "urging", "催办"
    DUPLICATE = "duplicate", "重复反映"
