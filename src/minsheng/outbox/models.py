"""What leaves the house: who wants what, which systems listen, and one row for each thing sent or not sent, with the reason."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from minsheng.outbox.choices import DUE_STATES, NoticeClock, NoticeKind, State, Timing, Way
from minsheng.secrecy import EncryptedTextField

_USER = settings.AUTH_USER_MODEL


class Cursor(models.Model):
    """How far a growing table has been followed, by transaction (design §2). One row for each reader."""

    name = models.CharField(max_length=20, primary_key=True)
    xid = models.BigIntegerField()


class NoticePreference(models.Model):
    """How one person of a unit wants to be told. The address is theirs alone: encrypted, and nowhere else."""

    user = models.OneToOneField(_USER, on_delete=models.CASCADE, related_name="notice_preference")
    email = EncryptedTextField("邮箱", null=True, max_length=200)
    at_once = ArrayField(models.CharField(max_length=20), verbose_name="立即通知", default=list)
    digest = ArrayField(models.CharField(max_length=20), verbose_name="并入摘要", default=list)
    digest_at = ArrayField(models.TimeField(), verbose_name="摘要时间", default=list)
    quiet_from = models.TimeField("静默自", null=True, blank=True)
    quiet_to = models.TimeField("静默至", null=True, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = verbose_name_plural = "通知设置"
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_to__isnull=True) | Q(quiet_from__isnull=False, quiet_to__isnull=False),
                name="preference_quiet_whole",
            ),
            models.CheckConstraint(condition=Q(digest=[]) | Q(digest_at__len__gt=0), name="preference_digest_has_times"),
        ]

    def timing(self, kind: str) -> Timing:
        """When this person wants that kind."""
        if kind in self.at_once:
            return Timing.AT_ONCE
        return Timing.DIGEST if kind in self.digest else Timing.NEVER


class Endpoint(models.Model):
    """Another system that is told of events. It learns of the cases that its account may see, and of nothing else."""

    name = models.CharField("系统名称", max_length=60)
    url = models.CharField("接收地址", max_length=300)
    user = models.ForeignKey(_USER, verbose_name="账号", on_delete=models.PROTECT, related_name="endpoints")
    kinds = ArrayField(models.CharField(max_length=40), verbose_name="事项", default=list, blank=True, help_text="空：全部")
    # Only cases that came from this system (contacts' source), where it is to learn of nothing else.
    source = models.CharField("只推送来源", max_length=40, blank=True, db_collation="C")
    secret = EncryptedTextField("密钥")
    old_secret = EncryptedTextField("原密钥", null=True)
    old_secret_until = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField("启用", default=True)
    # After a failure nothing is tried there until then, so that a system that is down is not hammered.
    rests_until = models.DateTimeField(null=True, blank=True)
    # Since when no call to it has succeeded; empty while all is well.
    failing_since = models.DateTimeField(null=True, blank=True)
    # Why we stopped calling it by ourselves; empty where a person stopped it. What waited then is left to a person, not dropped.
    gave_up = models.CharField("自动停用原因", max_length=100, blank=True)
    made_at = models.DateTimeField("登记时间")

    class Meta:
        verbose_name = verbose_name_plural = "接收系统"
        constraints = [
            models.UniqueConstraint(fields=["name"], name="endpoint_name"),
            models.CheckConstraint(condition=Q(gave_up="") | Q(is_active=False), name="endpoint_gave_up_is_stopped"),
        ]

    def __str__(self) -> str:
        return self.name


class Crossing(models.Model):
    """A moment of a clock that has been told: once for each light and each due moment of each clock. `ask` where it is the clock
    of the centre's answer to one."""

    task = models.ForeignKey("cases.Task", on_delete=models.PROTECT, related_name="+")
    ask = models.ForeignKey("cases.Ask", null=True, blank=True, db_index=False, on_delete=models.PROTECT, related_name="+")
    clock = models.CharField(max_length=20, choices=NoticeClock.choices)
    kind = models.CharField(max_length=20, choices=NoticeKind.choices)
    due_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        verbose_name = verbose_name_plural = "时限提醒"
        constraints = [
            models.UniqueConstraint(fields=["task", "ask", "clock", "kind", "due_at"], name="crossing_once", nulls_distinct=False)
        ]
        indexes = [models.Index(fields=["at"], name="crossing_at")]


class Delivery(models.Model):
    """One thing to one receiver, once by key; the key travels with it, so that the receiver can know a repetition.

    No number, address or words of a person stand here: they are read where they are kept, at the moment of sending.
    """

    key = models.CharField("发送号", max_length=120, unique=True, db_collation="C")
    channel = models.CharField("方式", max_length=10, choices=Way.choices)
    kind = models.CharField("事项", max_length=40)
    clock = models.CharField("时限", max_length=20, choices=NoticeClock.choices, blank=True)  # of a moment of a clock: which
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.WAITING)
    reason = models.CharField("原因", max_length=200, blank=True)
    urgent = models.BooleanField("不等静默时段", default=False)

    # What each index serves stands below; a key that nobody searches by has none.
    case = models.ForeignKey("cases.Case", null=True, blank=True, db_index=False, on_delete=models.PROTECT, related_name="+")
    task = models.ForeignKey("cases.Task", null=True, blank=True, db_index=False, on_delete=models.PROTECT, related_name="+")
    ask = models.ForeignKey("cases.Ask", null=True, blank=True, db_index=False, on_delete=models.PROTECT, related_name="+")
    message = models.ForeignKey("cases.Message", null=True, blank=True, on_delete=models.PROTECT, related_name="deliveries")
    entry = models.ForeignKey("cases.TimelineEntry", null=True, blank=True, db_index=False, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(_USER, null=True, blank=True, db_index=False, on_delete=models.PROTECT, related_name="+")
    unit = models.ForeignKey("organisations.Unit", null=True, blank=True, db_index=False, on_delete=models.PROTECT, related_name="+")
    endpoint = models.ForeignKey(Endpoint, null=True, blank=True, db_index=False, on_delete=models.PROTECT, related_name="deliveries")
    digest = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="lines")
    body = models.JSONField("内容", null=True, blank=True)  # of a webhook: codes and numbers, no person

    made_at = models.DateTimeField("产生时间")
    next_at = models.DateTimeField("下次发送", null=True, blank=True)
    # Set when a sender takes it, emptied when the outcome is recorded: one found set means an outcome nobody knows.
    claimed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField("次数", default=0)
    doubts = models.PositiveSmallIntegerField("可能重复", default=0)
    sent_at = models.DateTimeField("发出时间", null=True, blank=True)
    last_error = models.CharField("上次错误", max_length=200, blank=True)
    receipt = models.CharField("回执号", max_length=120, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "发送记录"
        constraints = [
            models.CheckConstraint(condition=~Q(state=State.SENT) | Q(sent_at__isnull=False), name="delivery_sent_when"),
            models.CheckConstraint(condition=~Q(state=State.NOT_SENT) | ~Q(reason=""), name="delivery_not_sent_why"),
            models.CheckConstraint(
                condition=~Q(state__in=[*sorted(DUE_STATES), State.GATHERED]) | Q(next_at__isnull=False), name="delivery_waits_until"
            ),
            models.CheckConstraint(condition=~Q(channel=Way.SMS) | Q(message__isnull=False), name="delivery_sms_of_message"),
            models.CheckConstraint(condition=~Q(channel=Way.WEBHOOK) | Q(endpoint__isnull=False), name="delivery_webhook_to"),
        ]
        indexes = [
            models.Index(fields=["channel", "next_at", "id"], name="delivery_due", condition=Q(state__in=sorted(DUE_STATES))),
            models.Index(fields=["user", "next_at"], name="delivery_gathered", condition=Q(state=State.GATHERED)),
            models.Index(fields=["id"], name="delivery_dead", condition=Q(state=State.DEAD)),
            models.Index(F("made_at").desc(), F("id").desc(), name="delivery_newest"),
            models.Index(F("unit"), F("made_at").desc(), F("id").desc(), name="delivery_of_unit", condition=Q(unit__isnull=False)),
            models.Index(F("user"), F("made_at").desc(), F("id").desc(), name="delivery_of_user", condition=Q(user__isnull=False)),
            models.Index(fields=["case"], name="delivery_case"),
            models.Index(fields=["endpoint", "-id"], name="delivery_endpoint", condition=Q(endpoint__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.key
