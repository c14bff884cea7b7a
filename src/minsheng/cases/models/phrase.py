"""常用语: words that people at the intake desk write again and again."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q


class Phrase(models.Model):
    """One template, called by `;` and its abbreviation; with blanks as 〔时间〕. Without an owner it is the whole centre's.

    It holds no personal data: `actions.save_phrase` refuses what `secrecy.find_personal` finds.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="phrases", verbose_name="所有人"
    )
    abbreviation = models.CharField(
        "缩写", max_length=12, db_collation="C", validators=[RegexValidator(r"^[a-z0-9]+\Z", "缩写只用小写字母和数字")]
    )
    text = models.TextField("内容")
    topic = models.ForeignKey(
        "cases.Topic", verbose_name="主题", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    version = models.PositiveIntegerField("版本", default=1)

    class Meta:
        verbose_name = verbose_name_plural = "常用语"
        ordering: ClassVar[list[str]] = ["abbreviation", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(name="phrase_once_of_person", fields=["owner", "abbreviation"]),
            models.UniqueConstraint(name="phrase_once_of_centre", fields=["abbreviation"], condition=Q(owner__isnull=True)),
        ]

    def __str__(self) -> str:
        return f";{self.abbreviation}"
