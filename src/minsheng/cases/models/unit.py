"""What a unit's people keep beside their cases: reply templates, and when each was last at the desk."""

from __future__ import annotations

from django.conf import settings
from django.db import models

_USER = settings.AUTH_USER_MODEL


class ReplyTemplate(models.Model):
    """答复模板: words for a usual matter, with blanks 〔…〕 to be filled. It holds nobody's personal data."""

    unit = models.ForeignKey("organisations.Unit", verbose_name="单位", on_delete=models.PROTECT, related_name="reply_templates")
    # Offered for this topic and all below it; None: whatever the matter is.
    topic = models.ForeignKey("cases.Topic", verbose_name="主题", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    name = models.CharField("名称", max_length=40)
    text = models.TextField("内容")
    basis = models.TextField("依据", blank=True)
    changed_at = models.DateTimeField("修改时间")
    changed_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = "答复模板"
        indexes = [models.Index(fields=["unit", "topic"], name="reply_template_unit")]

    def __str__(self) -> str:
        return self.name


class DeskVisit(models.Model):
    """When a unit's person was last at the desk, and when the visit before this one ended: what is new is new since then."""

    user = models.OneToOneField(_USER, on_delete=models.CASCADE, related_name="desk_visit")
    seen_at = models.DateTimeField()
    before = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = "工作台到访"
