"""The index of words: one row a case, from which searches by words, numbers and names are answered."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from minsheng.cases.models.case import Case


class CaseWords(models.Model):
    """What a case is found by. Derived from the case in the same transaction as whatever changes it (cases/indexing.py).

    Each text is folded (cases/search_rules.py): one line a part, telephone and identity numbers replaced by keyed signs, so
    that no number stands here that is not encrypted where it came from. A reader's search is answered from the one text that
    holds no more than they may read.
    """

    case = models.OneToOneField(Case, primary_key=True, on_delete=models.CASCADE, related_name="words")
    received_at = models.DateTimeField()  # the case's own: newest first without reading the case
    text = models.TextField(db_collation="C")  # for who reads the citizen's words
    # For who reads words without persons.
    redacted = models.TextField(db_collation="C")
    # For units where the case is confidential; null where it is not.
    for_units = models.TextField(null=True, db_collation="C")
    # Every pair of neighbouring characters of these texts, as numbers, and the units that were given a task: candidates come
    # from here; certainty from the text, and rights from `visible_to`.
    grams = ArrayField(models.IntegerField())

    class Meta:
        indexes = [
            GinIndex(fields=["grams"], name="casewords_grams"),
            models.Index(fields=["-received_at", "-case"], name="casewords_newest"),
        ]
