"""Other systems, their tokens, what they were answered, what they sent ahead, and how much they called."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from minsheng.cases.choices import Channel

if TYPE_CHECKING:
    from minsheng.api.choices import Scope

_USER = settings.AUTH_USER_MODEL


class System(models.Model):
    """Another system: a unit's own, the city's app, a consumer of data.

    It acts as `account`, a person record that nobody can sign in as. What the account may see and do comes from its roles and
    unit like anybody's, so every right, timeline entry and audit record is the normal one; the security administrator grants
    them, not who issues tokens (三员分立, design §6).
    """

    code = models.CharField(
        "代码",
        max_length=40,
        unique=True,
        db_collation="C",
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9-]{1,38}\Z", "代码用小写字母、数字和 -，2 至 39 个字符。")],
    )
    name = models.CharField("名称", max_length=60)
    unit = models.ForeignKey(
        "organisations.Unit", verbose_name="所属单位", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )  # None: the centre's own. What it really may see is its account's unit.
    contact = models.CharField("对方联系人", max_length=100)
    channel = models.CharField("提交算作渠道", max_length=10, choices=Channel.choices, default=Channel.APP)
    own_only = models.BooleanField("只看自己提交的", default=False)
    account = models.OneToOneField(_USER, verbose_name="账号", on_delete=models.PROTECT, related_name="system")
    created_at = models.DateTimeField("登记时间")

    class Meta:
        verbose_name = verbose_name_plural = "接入系统"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Token(models.Model):
    """One credential of a system. Only its digest is kept; the clear token is shown once."""

    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="tokens")
    prefix = models.CharField("令牌", max_length=12)
    digest = models.CharField(max_length=64, unique=True, db_collation="C")
    scopes = ArrayField(models.CharField(max_length=30), verbose_name="权限")
    created_at = models.DateTimeField("签发时间")
    created_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField("有效期至")
    revoked_at = models.DateTimeField("吊销时间", null=True, blank=True)
    # The one it takes the place of, which goes on working until its own shortened expires_at: the overlap.
    rotated_from = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="rotated_to"
    )
    last_used_at = models.DateTimeField("最近使用", null=True, blank=True)
    # Generic cell rate: when the calls made so far are paid off. One row, so that every process counts alike.
    turn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "令牌"
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.prefix}…"

    def is_valid(self, at: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and at < self.expires_at

    def allows(self, scope: Scope | str) -> bool:
        """Whether it was issued for this."""
        return str(scope) in self.scopes


class Answer(models.Model):
    """What a call with an Idempotency-Key was answered, so that the same call again does nothing and hears the same.

    Kept for some days (settings.API); after that the key still cannot do a thing twice: the timeline has its submission.
    """

    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=80, db_collation="C")
    fingerprint = models.CharField(max_length=64)
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(default=0)
    body = models.JSONField(default=dict)  # names and states, never a person or the words of one

    class Meta:
        verbose_name = verbose_name_plural = "已答复的请求"
        constraints = [models.UniqueConstraint(fields=["system", "key"], name="api_answer_once")]
        indexes = [models.Index(fields=["at"], name="api_answer_old")]


class Upload(models.Model):
    """A file sent ahead; a later call attaches it to a case, reply or ask, by its own system and once. What nobody used is
    deleted after a day."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="+")
    file = models.FileField(upload_to="uploads", max_length=120)
    name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=80)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "待用文件"
        indexes = [models.Index(fields=["at"], name="api_upload_old")]


class UsageHour(models.Model):
    """What one token asked in one hour."""

    token = models.ForeignKey(Token, on_delete=models.PROTECT, related_name="usage")
    hour = models.DateTimeField("时段")
    calls = models.PositiveIntegerField("调用", default=0)
    errors = models.PositiveIntegerField("出错", default=0)
    last_address = models.GenericIPAddressField("最近来源", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "调用记录"
        constraints = [
            models.UniqueConstraint(fields=["token", "hour"], name="api_usage_hour"),
            models.CheckConstraint(condition=Q(errors__lte=models.F("calls")), name="api_usage_errors_are_calls"),
        ]
        indexes = [models.Index(fields=["hour"], name="api_usage_old")]


class OpenTurn(models.Model):
    """How often one address asked Open311 without a key; a keyed hash of the address, gone after a day."""

    subject = models.BinaryField(max_length=16, unique=True)
    turn_at = models.DateTimeField()

    class Meta:
        verbose_name = verbose_name_plural = "公开查询次数"
        indexes = [models.Index(fields=["turn_at"], name="api_open_turn_old")]
