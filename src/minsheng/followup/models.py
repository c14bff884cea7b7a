"""回访: each try to hear the citizen's verdict, by officer or by the citizen's own rating."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from minsheng.cases.choices import Satisfaction, Solved
from minsheng.cases.models import Case
from minsheng.followup.choices import FollowUpMethod


class FollowUp(models.Model):
    """One try. Reached or not; if reached: was the citizen contacted, is the reply true, is it solved, are they satisfied."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="follow_ups")
    round = models.PositiveSmallIntegerField("轮次")
    at = models.DateTimeField("时间")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="回访员", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    method = models.CharField("方式", max_length=8, choices=FollowUpMethod.choices)
    reached = models.BooleanField("接通")
    contacted = models.BooleanField("承办单位是否联系过", null=True)
    truthful = models.BooleanField("回复是否真实", null=True)
    solved = models.CharField("是否解决", max_length=8, choices=Solved.choices, blank=True)
    satisfaction = models.CharField("是否满意", max_length=12, choices=Satisfaction.choices, blank=True)
    comment = models.TextField("意见", blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "回访"
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(reached=True, satisfaction__gt="") | Q(reached=False, satisfaction="", solved=""),
                name="followup_reached_rates",
            )
        ]
        indexes = [
            models.Index(fields=["case", "at"], name="followup_case"),
            models.Index(fields=["at"], name="followup_at"),  # what citizens said of late, for the leader's page
        ]
