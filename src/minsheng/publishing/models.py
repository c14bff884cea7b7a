"""What the public may read of a case: an editor's version, never the case itself."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from minsheng.cases.choices import RequestKind
from minsheng.publishing.choices import PublicationState

TITLE_LENGTH, TEXT_LENGTH = 60, 2000


class Publication(models.Model):
    """公开件: de-identified words of one case, as an editor wrote them and another person passed them."""

    case = models.OneToOneField("cases.Case", on_delete=models.PROTECT, related_name="publication")
    state = models.CharField("状态", max_length=10, choices=PublicationState.choices)
    kind = models.CharField("类型", max_length=14, choices=RequestKind.choices)
    topic = models.ForeignKey("cases.Topic", null=True, on_delete=models.PROTECT, related_name="+")
    # The county, never less: a street and a topic can be one household.
    county = models.ForeignKey("organisations.Place", null=True, on_delete=models.PROTECT, related_name="+")
    unit_name = models.CharField("答复单位", max_length=80, blank=True)
    title = models.CharField("标题", max_length=TITLE_LENGTH)
    text = models.TextField("群众反映", max_length=TEXT_LENGTH)
    reply = models.TextField("答复", max_length=TEXT_LENGTH)
    # Title, text and reply as they are searched (minsheng.cases.search_rules.fold), and the pairs of characters of that.
    folded = models.TextField(default="", editable=False)
    grams = ArrayField(models.IntegerField(), default=list, editable=False)
    edited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    edited_at = models.DateTimeField()
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField(null=True)
    why = models.CharField("退回或撤下的理由", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "公开件"
        constraints = [
            models.CheckConstraint(
                condition=~Q(state=PublicationState.PUBLISHED) | Q(published_at__isnull=False, reviewed_by__isnull=False),
                name="published_by_whom_and_when",
            ),
            # Four eyes, also against a slip of the program.
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True) | ~Q(reviewed_by=models.F("edited_by")), name="published_with_four_eyes"
            ),
        ]
        indexes = [
            models.Index(fields=["-published_at", "-id"], name="published_newest", condition=Q(state="published")),
            models.Index(fields=["topic", "-published_at"], name="published_by_topic", condition=Q(state="published")),
            models.Index(fields=["-edited_at", "-id"], name="publication_to_review", condition=Q(state="proposed")),
            GinIndex(fields=["grams"], name="publication_grams"),
        ]

    def __str__(self) -> str:
        return f"公开件 {self.pk}"
