"""What a year's addresses teach of where a road or an estate lies."""

from __future__ import annotations

from django.db import models


class StreetWord(models.Model):
    """A landmark (金山大道, 金辉花园; never a house number) and the street where most cases that name it lie.

    Made anew every night from the year's cases, none of them confidential, and only what several cases share.
    """

    word = models.CharField("地名", max_length=10, unique=True, db_collation="C")
    place = models.ForeignKey("organisations.Place", verbose_name="乡镇街道", on_delete=models.CASCADE, related_name="+")
    cases = models.PositiveIntegerField("件数")

    class Meta:
        verbose_name = verbose_name_plural = "地名习得"

    def __str__(self) -> str:
        return self.word
