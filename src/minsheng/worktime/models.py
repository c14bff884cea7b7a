"""The calendar that the State Council and the administrator make, and the limits that the centre promises."""

from __future__ import annotations

from typing import Any, TypeVar

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from minsheng.worktime.choices import Clock, DayKind, LimitUnit
from minsheng.worktime.rules import Limit

_Model = TypeVar("_Model", bound=models.Model)


def _tracked(model: type[_Model]) -> type[_Model]:
    """History by trigger, deletions too. Who changed a row is a column of it, so the history needs no context."""
    events = (pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
    # The library's own signature forgets that it takes None.
    tracked: type[_Model] = pghistory.track(*events, context_field=None)(model)  # type: ignore[arg-type]
    return tracked


def _person(label: str) -> models.ForeignKey[Any, Any]:
    """Who wrote the row; nobody where the installation itself did."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=label, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )


@_tracked
class CalendarYear(models.Model):
    """A year whose holiday notice has been loaded; in any other year limits are provisional (design §5)."""

    year = models.PositiveSmallIntegerField("年份", unique=True)
    notice = models.CharField("通知文号", max_length=200)
    loaded_at = models.DateTimeField("录入时间")
    loaded_by = _person("录入人")

    class Meta:
        verbose_name = verbose_name_plural = "年度放假安排"

    def __str__(self) -> str:
        return f"{self.year} 年"


@_tracked
class CalendarDay(models.Model):
    """A day that differs from its weekday, or is named: a holiday, a make-up working day, an adjustment by hand."""

    date = models.DateField("日期", unique=True)
    working = models.BooleanField("上班")
    name = models.CharField("名称", max_length=40)
    kind = models.CharField("类型", max_length=10, choices=DayKind.choices)
    # A notice may name days of the December before its year; a day set by hand may precede any notice.
    notice = models.ForeignKey(
        CalendarYear, verbose_name="依据", null=True, blank=True, on_delete=models.PROTECT, related_name="days"
    )
    edited_at = models.DateTimeField("修改时间")
    edited_by = _person("修改人")

    class Meta:
        verbose_name = verbose_name_plural = "日历"
        ordering = ["date"]

    def __str__(self) -> str:
        return f"{self.date:%Y-%m-%d} {self.name}"


@_tracked
class LimitPolicy(models.Model):
    """One version of one limit. What it leaves blank it does not ask about; `queries.policy_for` says which applies."""

    code = models.CharField("代码", max_length=60, db_collation="C")
    version = models.PositiveIntegerField("版本")
    name = models.CharField("名称", max_length=60)
    clock = models.CharField("时限类型", max_length=20, choices=Clock.choices)
    kind = models.CharField("诉求类型", max_length=20, blank=True)
    topic_code = models.CharField("主题（含下级）", max_length=20, blank=True, db_collation="C")
    on_convenience_list = models.BooleanField("便民服务事项清单内", null=True, blank=True)
    urgency = models.CharField("紧急程度", max_length=10, blank=True)
    amount = models.PositiveIntegerField("数量")
    unit = models.CharField("单位", max_length=20, choices=LimitUnit.choices)
    legal_basis = models.CharField("依据", max_length=200, blank=True)
    source = models.CharField("出处说明", max_length=200, blank=True)
    is_sourced = models.BooleanField("有明文出处")
    effective_from = models.DateField("施行日期")
    # Exclusive: the first day on which it no longer applies.
    effective_to = models.DateField("停用日期", null=True, blank=True)
    published_at = models.DateTimeField("发布时间")
    published_by = _person("发布人")

    class Meta:
        verbose_name = verbose_name_plural = "时限规则"
        ordering = ["code", "-version"]
        # That versions of a code follow one another without overlap is held by publish_policy under its lock; these
        # two keep a second open version, and a second start on one day, out of the table whoever writes.
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="worktime_policy_version"),
            models.UniqueConstraint(fields=["code", "effective_from"], name="worktime_policy_start"),
            models.UniqueConstraint(
                fields=["code"], condition=Q(effective_to__isnull=True), name="worktime_policy_one_open"
            ),
            models.CheckConstraint(condition=Q(amount__gte=1), name="worktime_policy_amount"),
            models.CheckConstraint(
                condition=Q(effective_to__isnull=True) | Q(effective_to__gt=F("effective_from")),
                name="worktime_policy_dates",
            ),
            models.CheckConstraint(condition=Q(unit__in=LimitUnit.values), name="worktime_policy_unit"),
            models.CheckConstraint(condition=Q(clock__in=Clock.values), name="worktime_policy_clock"),
        ]

    def __str__(self) -> str:
        return f"{self.name}（第 {self.version} 版）"

    @property
    def limit(self) -> Limit:
        """The amount and its unit."""
        return Limit(self.amount, LimitUnit(self.unit))
