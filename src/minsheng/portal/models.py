"""What the citizen's side keeps of its own: tries to count, and files that wait for a form to be put right."""

from __future__ import annotations

from django.db import models

from minsheng.secrecy import EncryptedTextField
from minsheng.ui.choices import ColouredChoices

KEY_BYTES = 16


class Purpose(ColouredChoices):
    """What is counted, each against a limit of its own."""

    LOOK_UP = "look_up", "查询失败"
    FILING = "filing", "提交诉求"
    HOLDING = "holding", "暂存附件"
    SUPPLEMENT = "supplement", "补充情况"
    STARTING = "starting", "开始填写"


class Attempt(models.Model):
    """One try by one address or on one number, as a keyed hash: no address is kept, and the row goes after a day."""

    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    subject = models.BinaryField(max_length=KEY_BYTES)
    at = models.DateTimeField()

    class Meta:
        verbose_name = verbose_name_plural = "次数记录"
        indexes = [
            models.Index(fields=["purpose", "subject", "at"], name="attempt_count"),
            models.Index(fields=["at"], name="attempt_purge"),
        ]


class HeldFile(models.Model):
    """A file of a form that had to be corrected, kept so that a slow line need not carry it twice; gone after some hours."""

    submission = models.UUIDField(db_index=True)
    file = models.FileField(max_length=80)
    name = models.CharField(max_length=120)
    size = models.PositiveIntegerField()
    # The same photograph pressed twice is one.
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = verbose_name_plural = "待提交附件"
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["submission", "sha256"], name="held_once")]

    def __str__(self) -> str:
        return self.name


class Filing(models.Model):
    """A citizen's form under way, step by step, found by the signed cookie of the browser that fills it in.

    `key` becomes the case's submission key: however often it is sent, it is one case. The words are erased when it is filed.
    """

    key = models.UUIDField(unique=True)
    given = EncryptedTextField(null=True)  # JSON: step → field → the values as they were sent
    touched_at = models.DateTimeField(db_index=True)
    filed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = "填写中的诉求"
