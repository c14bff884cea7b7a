"""What the switch is told. Our database is the master; `minsheng telephony render` writes the switch's files from it.

Whatever of a row gets into a file of the switch is held to a narrow form by a constraint: a line break or a bracket there would be
another setting. Names are for people and never get there.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

from minsheng.organisations.models import NOT_HISTORY, ReferenceRow, validity_constraint
from minsheng.secrecy import EncryptedTextField
from minsheng.telephony.choices import PromptUse, Strategy

_USER = settings.AUTH_USER_MODEL
CODE = r"^[a-z][a-z0-9_]{0,19}$"
EXTENSION = r"^[1-9][0-9]{2,5}$"
NUMBER = r"^[0-9+]{3,20}$"
_CODE_HELP = "小写字母、数字和下划线，以字母开头"
_is_number = RegexValidator(NUMBER, "只填数字")


def _is_network(value: str) -> None:
    try:
        ip_network(value)
    except ValueError:
        raise ValidationError("请填 IP 地址或网段，例如 10.1.2.3 或 10.1.2.0/24。") from None


def _is_host(value: str) -> None:
    host, _, port = value.partition(":")
    try:
        ip_address(host)
    except ValueError:
        raise ValidationError("请填 IP 地址，可带端口，例如 10.1.2.3:5060。") from None
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValidationError("端口应在 1 到 65535 之间。")


@pghistory.track(exclude=NOT_HISTORY)
class Trunk(ReferenceRow):
    """中继: lines of a carrier, known by the address that it calls from. It needs no password: its network is its own."""

    code = models.CharField("代码", max_length=20, unique=True, db_collation="C", help_text=_CODE_HELP)
    name = models.CharField("名称", max_length=60)
    addresses = ArrayField(
        models.CharField(max_length=43, validators=[_is_network]),
        verbose_name="来话地址",
        help_text="IP 或网段，逗号分隔",
    )
    host = models.CharField("去话地址", max_length=51, validators=[_is_host], help_text="IP，可带端口")
    lines = models.PositiveIntegerField("路数", default=500)
    caller_number = models.CharField("去话显示号码", max_length=20, default="12345", validators=[_is_number])

    class Meta:
        verbose_name = verbose_name_plural = "中继"
        ordering = ["code"]
        constraints = [
            validity_constraint("trunk"),
            models.CheckConstraint(condition=Q(code__regex=CODE), name="trunk_code_form"),
            models.CheckConstraint(condition=Q(addresses__len__gt=0), name="trunk_has_address"),
            models.CheckConstraint(condition=Q(caller_number__regex=NUMBER), name="trunk_number_form"),
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track(exclude=NOT_HISTORY)
class SkillQueue(ReferenceRow):
    """技能组: callers wait in it, and people with the skill are rung from it."""

    code = models.CharField("代码", max_length=20, unique=True, db_collation="C", help_text=_CODE_HELP)
    name = models.CharField("名称", max_length=40)
    order = models.PositiveSmallIntegerField("顺序", default=100)
    numbers = ArrayField(
        models.CharField(max_length=20, validators=[_is_number]),
        verbose_name="接入号码",
        default=list,
        blank=True,
        help_text="拨打这些号码的来电直接进入本组",
    )
    strategy = models.CharField("派话方式", max_length=20, choices=Strategy.choices, default=Strategy.LEAST_RECENT)
    weight = models.PositiveSmallIntegerField("优先级", default=0, help_text="同时有人等候时，数大者先派")
    ring_seconds = models.PositiveSmallIntegerField("振铃秒数", default=15)
    wrap_up_seconds = models.PositiveSmallIntegerField("话后秒数", default=30)
    service_level_seconds = models.PositiveSmallIntegerField("接起标准秒数", default=15)
    longest_wait_seconds = models.PositiveSmallIntegerField("最长等候秒数", default=180, help_text="到时溢出或转为回拨")
    overflow = models.ForeignKey(
        "self", verbose_name="溢出到", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = verbose_name_plural = "技能组"
        ordering = ["order", "code"]
        constraints = [
            validity_constraint("skillqueue"),
            models.CheckConstraint(condition=Q(code__regex=CODE), name="skillqueue_code_form"),
            models.CheckConstraint(condition=Q(ring_seconds__range=(3, 120)), name="skillqueue_rings"),
            models.CheckConstraint(condition=Q(longest_wait_seconds__gte=5), name="skillqueue_waits"),
            models.CheckConstraint(
                condition=Q(overflow__isnull=True) | ~Q(overflow=F("id")), name="skillqueue_not_into_itself"
            ),
            models.CheckConstraint(condition=Q(strategy__in=Strategy.values), name="skillqueue_strategy"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Overflow that leads back would keep a caller for ever; a number leads to one queue."""
        others = SkillQueue.objects.exclude(pk=self.pk).filter(numbers__overlap=self.numbers)
        if self.numbers and (other := others.first()) is not None:
            raise ValidationError({"numbers": f"“{other.name}”已经用了其中的号码。"})
        seen, at = {self.code}, self.overflow
        while at is not None:
            if at.code in seen:
                raise ValidationError({"overflow": f"溢出绕回了“{at.name}”，来电会一直转圈。"})
            seen.add(at.code)
            at = at.overflow


@pghistory.track(exclude=NOT_HISTORY)
class OpeningHours(ReferenceRow):
    """服务时间 of a queue; a queue without any is open around the clock. Closed, its calls go where it overflows to."""

    queue = models.ForeignKey(SkillQueue, verbose_name="技能组", on_delete=models.PROTECT, related_name="hours")
    first_day = models.PositiveSmallIntegerField("自星期", help_text="1 为星期一，7 为星期日")
    last_day = models.PositiveSmallIntegerField("至星期")
    opens = models.TimeField("开始")
    closes = models.TimeField("结束", help_text="不含这一分钟")

    class Meta:
        verbose_name = verbose_name_plural = "服务时间"
        ordering = ["queue", "first_day", "opens"]
        constraints = [
            validity_constraint("openinghours"),
            models.CheckConstraint(
                condition=Q(first_day__range=(1, 7), last_day__range=(1, 7)), name="openinghours_days"
            ),
            models.CheckConstraint(condition=Q(first_day__lte=F("last_day")), name="openinghours_days_order"),
            models.CheckConstraint(condition=Q(opens__lt=F("closes")), name="openinghours_times"),
        ]

    def __str__(self) -> str:
        return f"{self.queue} {self.first_day}–{self.last_day} {self.opens:%H:%M}–{self.closes:%H:%M}"


@pghistory.track(exclude=NOT_HISTORY)
class Prompt(ReferenceRow):
    """提示语音: the words, and their recording in 8 kHz. Without a recording callers hear a tone in its place."""

    code = models.CharField("用途", max_length=20, unique=True, choices=PromptUse.choices, db_collation="C")
    text = models.TextField("播报内容", max_length=500)
    # The switch's own form: raw A-law at 8 kHz, so that it never transcodes.
    audio = models.BinaryField("录音", null=True, blank=True, editable=False)

    class Meta:
        verbose_name = verbose_name_plural = "提示语音"
        ordering = ["code"]
        constraints = [
            validity_constraint("prompt"),
            models.CheckConstraint(condition=Q(code__in=PromptUse.values), name="prompt_use"),
        ]

    def __str__(self) -> str:
        return str(PromptUse(self.code).label)


@pghistory.track(exclude=NOT_HISTORY)
class PauseCode(ReferenceRow):
    """示忙原因."""

    code = models.CharField("代码", max_length=20, unique=True, db_collation="C", help_text=_CODE_HELP)
    name = models.CharField("名称", max_length=20)
    order = models.PositiveSmallIntegerField("顺序", default=100)
    productive = models.BooleanField("计入工时", default=False, help_text="培训、会议等")
    longest_minutes = models.PositiveSmallIntegerField(
        "提醒分钟", null=True, blank=True, help_text="超过即提醒班长；空：不提醒"
    )

    class Meta:
        verbose_name = verbose_name_plural = "示忙原因"
        ordering = ["order", "code"]
        constraints = [
            validity_constraint("pausecode"),
            models.CheckConstraint(condition=Q(code__regex=CODE), name="pausecode_form"),
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track(exclude=[*NOT_HISTORY, "secret"])
class Seat(ReferenceRow):
    """座席: an extension, and who sits there. The secret is made by us, never typed, and opens only in the seat's own page."""

    extension = models.CharField("分机", max_length=6, unique=True, db_collation="C", help_text="3 到 6 位数字")
    place = models.CharField("位置", max_length=60, blank=True)
    user = models.OneToOneField(
        _USER, verbose_name="使用人", null=True, blank=True, on_delete=models.PROTECT, related_name="seat"
    )
    browser = models.BooleanField("浏览器软电话", default=True, help_text="否：SIP 话机")
    # A telephone that does not register is rung at its own address.
    phone_host = models.CharField(
        "话机地址", max_length=51, blank=True, validators=[_is_host], help_text="固定地址的话机；空：由话机注册"
    )
    secret = EncryptedTextField("密钥", editable=False)

    class Meta:
        verbose_name = verbose_name_plural = "座席"
        ordering = ["extension"]
        constraints = [
            validity_constraint("seat"),
            models.CheckConstraint(condition=Q(extension__regex=EXTENSION), name="seat_extension_form"),
            models.CheckConstraint(condition=Q(browser=False) | Q(phone_host=""), name="seat_browser_registers"),
        ]

    def __str__(self) -> str:
        return self.extension


@pghistory.track(exclude=NOT_HISTORY)
class Skill(ReferenceRow):
    """Who is rung from which queue. Level 1 is rung first; a further level only when nobody of the one before is free."""

    user = models.ForeignKey(_USER, verbose_name="人员", on_delete=models.PROTECT, related_name="skills")
    queue = models.ForeignKey(SkillQueue, verbose_name="技能组", on_delete=models.PROTECT, related_name="skills")
    level = models.PositiveSmallIntegerField("技能等级", default=1, help_text="1 最先派话，9 最后")

    class Meta:
        verbose_name = verbose_name_plural = "人员技能"
        ordering = ["queue", "level", "user"]
        constraints = [
            validity_constraint("skill"),
            models.UniqueConstraint(fields=["user", "queue"], name="skill_once"),
            models.CheckConstraint(condition=Q(level__range=(1, 9)), name="skill_level"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.queue}"
