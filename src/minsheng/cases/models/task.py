"""The task (承办任务): one unit's share of a case, what it replies, what it asks for, and whom it reached."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from minsheng.cases.choices import (
    ACTIVE_TASK_STATES,
    GONE_TASK_STATES,
    AskKind,
    AskState,
    Finding,
    Outcome,
    OutreachMethod,
    ReplyKind,
    ReplyState,
    Solved,
    TaskRole,
    TaskState,
)
from minsheng.cases.models.case import Case

_USER = settings.AUTH_USER_MODEL


class Task(models.Model):
    """One unit's share of one case in one round, with clocks of its own."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="tasks")
    unit = models.ForeignKey("organisations.Unit", verbose_name="承办单位", on_delete=models.PROTECT, related_name="tasks")
    role = models.CharField("主协办", max_length=8, choices=TaskRole.choices)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    round = models.PositiveSmallIntegerField("轮次", default=1)
    state = models.CharField("状态", max_length=18, choices=TaskState.choices, default=TaskState.TO_READ)
    instruction = models.TextField("批转意见", blank=True)
    by_ruling = models.BooleanField("经研判指定", default=False)  # cannot be returned (潍坊条例 §22)
    assigned_at = models.DateTimeField("批转时间")
    assigned_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")

    # Each limit with its derivation and the moments at which its light turns, so that lists filter and count by stored columns.
    read_due_at = models.DateTimeField("查阅时限")
    read_yellow_at = models.DateTimeField()
    read_orange_at = models.DateTimeField()
    read_derivation = models.JSONField()
    read_at = models.DateTimeField("查阅时间", null=True, blank=True)
    read_by = models.ForeignKey(_USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    read_automatically = models.BooleanField("逾期自动查阅", default=False)  # never counts as timely
    return_due_at = models.DateTimeField("退件时限", null=True, blank=True)
    return_derivation = models.JSONField(null=True, blank=True)

    due_at = models.DateTimeField("办理时限")
    yellow_at = models.DateTimeField()
    orange_at = models.DateTimeField()
    derivation = models.JSONField()
    provisional = models.BooleanField("时限暂定", default=False)
    first_measures_due_at = models.DateTimeField("先行处置时限", null=True, blank=True)
    first_measures_yellow_at = models.DateTimeField(null=True, blank=True)
    first_measures_orange_at = models.DateTimeField(null=True, blank=True)
    first_measures_derivation = models.JSONField(null=True, blank=True)
    first_measures_at = models.DateTimeField("先行处置时间", null=True, blank=True)
    paused_at = models.DateTimeField("挂起时间", null=True, blank=True)

    first_contact_at = models.DateTimeField("首次联系时间", null=True, blank=True)
    replied_at = models.DateTimeField("回复时间", null=True, blank=True)
    finished_at = models.DateTimeField("结束时间", null=True, blank=True)
    excused_at = models.DateTimeField("免报时间", null=True, blank=True)  # the lead goes on without this report, on record
    sent_back_times = models.PositiveSmallIntegerField("退回次数", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "承办任务"
        constraints = [
            models.UniqueConstraint(
                fields=["case", "unit", "round"], condition=~Q(state__in=["returned", "recalled"]), name="task_unit_once"
            ),
            models.UniqueConstraint(
                fields=["case", "round"],
                condition=Q(role="lead") & ~Q(state__in=["returned", "recalled"]),
                name="task_one_lead",
            ),
            models.CheckConstraint(condition=Q(role="sub") ^ Q(parent__isnull=True), name="task_sub_has_parent"),
        ]
        indexes = [
            models.Index(
                fields=["unit", "state", "due_at", "id"],
                name="task_unit_queue",
                condition=Q(state__in=sorted(ACTIVE_TASK_STATES)),
            ),
            models.Index(fields=["unit", "-assigned_at"], name="task_unit_newest"),
            models.Index(fields=["read_due_at"], name="task_unread", condition=Q(state="to_read")),
            models.Index(
                fields=["first_measures_due_at"],
                name="task_measures",
                condition=Q(first_measures_at__isnull=True, first_measures_due_at__isnull=False),
            ),
            models.Index(fields=["due_at"], name="task_due", condition=Q(state__in=sorted(ACTIVE_TASK_STATES))),
            models.Index(fields=["id"], name="task_provisional", condition=Q(provisional=True)),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} {self.unit_id}"

    @property
    def is_active(self) -> bool:
        """The unit still owes something."""
        return self.state in ACTIVE_TASK_STATES

    @property
    def is_current(self) -> bool:
        """Still the unit's own: neither returned nor recalled."""
        return self.state not in GONE_TASK_STATES


class Reply(models.Model):
    """What a unit says: the lead's reply to the citizen, or an assisting or lower unit's report to the lead."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="replies")
    kind = models.CharField(max_length=8, choices=ReplyKind.choices)
    state = models.CharField("状态", max_length=10, choices=ReplyState.choices)
    text = models.TextField("回复内容")
    text_salt = models.CharField(max_length=32, editable=False)
    finding = models.CharField("是否属实", max_length=16, choices=Finding.choices, blank=True)
    outcome = models.CharField("处理结论", max_length=18, choices=Outcome.choices, blank=True)
    solved = models.CharField("是否解决", max_length=8, choices=Solved.choices, blank=True)
    basis = models.TextField("依据", blank=True)
    written_at = models.DateTimeField("拟稿时间")
    written_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField("签发时间", null=True, blank=True)
    signed_by = models.ForeignKey(_USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    audited_at = models.DateTimeField("审核时间", null=True, blank=True)
    audited_by = models.ForeignKey(_USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    audit_reasons = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    audit_note = models.TextField("审核意见", blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "回复"
        constraints = [
            models.UniqueConstraint(
                fields=["task"], condition=Q(state__in=["to_sign", "not_signed", "submitted"]), name="reply_one_open"
            )
        ]


class Ask(models.Model):
    """申请: what a unit asks the centre for, with ground and proof, and the centre's answer."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="asks")
    kind = models.CharField("申请事项", max_length=12, choices=AskKind.choices)
    state = models.CharField("状态", max_length=8, choices=AskState.choices, default=AskState.PENDING)
    asked_at = models.DateTimeField("申请时间")
    asked_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")
    due_at = models.DateTimeField("审核时限")
    yellow_at = models.DateTimeField()
    orange_at = models.DateTimeField()
    derivation = models.JSONField()
    reason_code = models.CharField("理由类型", max_length=40, blank=True)
    reason = models.TextField("理由")
    basis = models.TextField("依据", blank=True)
    proposed_unit = models.ForeignKey(
        "organisations.Unit", verbose_name="建议承办单位", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    until = models.DateField("延至", null=True, blank=True)
    citizen_told_at = models.DateTimeField("告知诉求人时间", null=True, blank=True)
    decided_at = models.DateTimeField("审核时间", null=True, blank=True)
    decided_by = models.ForeignKey(_USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decision_note = models.TextField("审核意见", blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "申请"
        constraints = [
            models.UniqueConstraint(fields=["task"], condition=Q(state="pending"), name="ask_one_pending"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "lapsed"]) | Q(decided_at__isnull=False, decided_by__isnull=False),
                name="ask_decided_by",
            ),
        ]
        indexes = [models.Index(fields=["asked_at", "id"], name="ask_pending", condition=Q(state="pending"))]


class Outreach(models.Model):
    """联系: a unit or an officer reaching for the citizen, whether or not it succeeded."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="outreaches")
    at = models.DateTimeField("联系时间")
    recorded_at = models.DateTimeField()
    by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")
    method = models.CharField("方式", max_length=8, choices=OutreachMethod.choices)
    reached = models.BooleanField("联系上")
    summary = models.TextField("情况")

    class Meta:
        verbose_name = verbose_name_plural = "联系记录"
        ordering = ["at", "id"]
