"""The timeline: append-only, chained by hash, written in the action's transaction; and what citizens were told."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from minsheng.audit.fields import TransactionIdField
from minsheng.audit.models import ChainedEntry, chain_constraints
from minsheng.cases.models.case import Case
from minsheng.cases.models.task import Task


class TimelineEntry(ChainedEntry):
    """办理历程: who, when, what (a registered code), before and after, why. The source of every statistic.

    `payload` holds {"summary": one Chinese sentence without personal values, "before": {}, "after": {}, "facts": {}}.
    """

    OWNER = "case"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="timeline")
    task = models.ForeignKey(Task, null=True, blank=True, on_delete=models.PROTECT, related_name="timeline")
    # The form that caused it: pressed five times on a poor connection, it is done once (scenario 12).
    submission = models.UUIDField(null=True, blank=True)

    class Meta(ChainedEntry.Meta):
        verbose_name = verbose_name_plural = "办理历程"
        constraints = [
            *chain_constraints("case"),
            models.UniqueConstraint(fields=["submission"], condition=Q(submission__isnull=False), name="timeline_done_once"),
        ]
        indexes = [
            *ChainedEntry.Meta.indexes,
            models.Index(fields=["code", "at"], name="timeline_code"),
            models.Index(fields=["actor", "-at"], name="timeline_actor"),
        ]


class Message(models.Model):
    """What a citizen was told, once by key. It stands on their progress page whether or not a gateway sends it."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="messages")
    key = models.CharField(max_length=80, unique=True, db_collation="C")
    at = models.DateTimeField("时间")
    template = models.CharField(max_length=40)
    text = models.TextField("内容")
    xid = TransactionIdField()  # followed by what sends it on, without skipping a late commit

    class Meta:
        verbose_name = verbose_name_plural = "告知"
        ordering = ["at", "id"]
        indexes = [models.Index("xid", "id", name="message_xid")]
