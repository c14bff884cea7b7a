"""The case (诉求件), the contacts that brought it, who asks, and what they attached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from minsheng.cases.choices import (
    ApplicantKind,
    CaseState,
    Channel,
    ContactPurpose,
    Ending,
    RequestKind,
    Satisfaction,
    Solved,
    Urgency,
)
from minsheng.organisations.coordinates import Point
from minsheng.secrecy import EncryptedTextField, SearchHashField

if TYPE_CHECKING:
    from datetime import datetime


class Applicant(models.Model):
    """诉求人 as given with one contact. Personal columns are encrypted; equality is searched by keyed hash."""

    kind = models.CharField("身份", max_length=10, choices=ApplicantKind.choices, default=ApplicantKind.PERSON)
    anonymous = models.BooleanField("匿名", default=False)
    name = EncryptedTextField("姓名", null=True)
    name_hash = SearchHashField()
    phone = EncryptedTextField("联系电话", null=True)
    phone_hash = SearchHashField()
    id_number = EncryptedTextField("证件号码", null=True)
    id_number_hash = SearchHashField()
    address = EncryptedTextField("住址", null=True)
    organisation = models.CharField("企业名称", max_length=120, blank=True)
    credit_code = models.CharField("统一社会信用代码", max_length=18, blank=True)
    # Salt of the commitment that entered the timeline; erasing it with the values keeps the chain whole (design §4).
    salt = models.CharField(max_length=32, editable=False)

    class Meta:
        verbose_name = verbose_name_plural = "诉求人"
        indexes = [
            models.Index(fields=["phone_hash"], name="applicant_phone", condition=Q(phone_hash__isnull=False)),
            models.Index(fields=["name_hash"], name="applicant_name", condition=Q(name_hash__isnull=False)),
            models.Index(fields=["id_number_hash"], name="applicant_id_no", condition=Q(id_number_hash__isnull=False)),
        ]


class CaseQuerySet(models.QuerySet["Case"]):
    """Every list, page and export of cases starts from `visible_to`."""

    def visible_to(self, user: Any) -> CaseQuerySet:
        """The cases this person may know of; the rule stands in minsheng.cases.scope."""
        from minsheng.cases import scope

        return self.filter(scope.visible_cases(user))


class Case(models.Model):
    """诉求件: what the citizen sees. Its state moves only through the transition table (minsheng.cases.workflow)."""

    number = models.CharField("编号", max_length=20, unique=True, null=True, db_collation="C")
    query_code_issue = models.PositiveSmallIntegerField("查询码次序", default=1)
    state = models.CharField("状态", max_length=16, choices=CaseState.choices)
    ending = models.CharField("办结方式", max_length=12, choices=Ending.choices, blank=True)
    ending_ground = models.ForeignKey("cases.RefusalGround", null=True, blank=True, on_delete=models.PROTECT)
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged")
    split_from = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="splits")
    channel = models.CharField("渠道", max_length=10, choices=Channel.choices)
    kind = models.CharField("类型", max_length=14, choices=RequestKind.choices)
    topic = models.ForeignKey("cases.Topic", verbose_name="主题", null=True, blank=True, on_delete=models.PROTECT)
    urgency = models.CharField("紧急程度", max_length=10, choices=Urgency.choices, default=Urgency.NORMAL)
    urgency_rank = models.SmallIntegerField(default=2)  # 0 most pressing; lists sort by it
    place = models.ForeignKey(
        "organisations.Place", verbose_name="事发地", null=True, blank=True, on_delete=models.PROTECT
    )
    address = models.CharField("详细地址", max_length=200, blank=True)
    # WGS 84. As precise as the address, and shown to whom the address is shown (presenting.shown_point).
    longitude = models.DecimalField("经度", max_digits=9, decimal_places=6, null=True, blank=True)
    latitude = models.DecimalField("纬度", max_digits=8, decimal_places=6, null=True, blank=True)
    occurred_at = models.DateTimeField("事发时间", null=True, blank=True)
    title = models.CharField("标题", max_length=200)
    text = models.TextField("诉求内容")
    text_salt = models.CharField(max_length=32, editable=False)
    # For units, where the case is confidential: the words without what would identify the person (domain.md §2.10).
    unit_text = models.TextField("给承办单位的内容", blank=True)
    extra = models.JSONField("主题要素", default=dict, blank=True)

    applicant = models.ForeignKey(Applicant, verbose_name="诉求人", on_delete=models.PROTECT, related_name="cases")
    confidential = models.BooleanField("保密", default=False)
    enterprise = models.BooleanField("涉企", default=False)
    publishable = models.BooleanField("同意公开", default=False)
    accused_unit = models.ForeignKey(
        "organisations.Unit",
        verbose_name="被反映单位",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="accused_in",
    )
    # Named by a ruling: this unit cannot return the case (潍坊条例 §22).
    ruled_unit = models.ForeignKey(
        "organisations.Unit",
        verbose_name="研判指定单位",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="ruled_in",
    )
    made_up = models.BooleanField("演示数据", default=False)

    received_at = models.DateTimeField("收件时间")
    accepted_at = models.DateTimeField("受理时间", null=True, blank=True)
    dispatched_at = models.DateTimeField("首次批转时间", null=True, blank=True)
    replied_at = models.DateTimeField("首次回复时间", null=True, blank=True)
    closed_at = models.DateTimeField("办结时间", null=True, blank=True)
    state_since = models.DateTimeField("进入本状态时间")
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="cases_accepted"
    )
    # Who dispatched the round that is under way: they neither audit it nor follow it up (design §6).
    dispatched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="cases_dispatched"
    )
    round = models.PositiveSmallIntegerField("办理轮次", default=1)
    second_handling = models.BooleanField("已启动二次办理", default=False)
    # An upheld return or a recall of the first dispatch counts against it (domain.md §3.2, 首次批转准确率).
    first_dispatch_wrong = models.BooleanField("首次批转有误", default=False)

    # The citizen's clock, and the centre's own clock for the present state (acceptance, dispatch, audit, follow-up).
    citizen_due_at = models.DateTimeField("群众时限", null=True, blank=True)
    citizen_yellow_at = models.DateTimeField(null=True, blank=True)
    citizen_orange_at = models.DateTimeField(null=True, blank=True)
    citizen_derivation = models.JSONField(null=True, blank=True)
    stage_due_at = models.DateTimeField("本环节时限", null=True, blank=True)
    stage_yellow_at = models.DateTimeField(null=True, blank=True)
    stage_orange_at = models.DateTimeField(null=True, blank=True)
    stage_derivation = models.JSONField(null=True, blank=True)
    provisional = models.BooleanField("时限暂定", default=False)
    # The first of all clocks that run for the case, by each light, and those of its tasks and asks as rows show them: what lists
    # show, filter, count and sort by. Kept by every write (minsheng.cases.pressing); empty where nothing runs.
    pressing_due_at = models.DateTimeField("最紧的时限", null=True, blank=True)
    pressing_yellow_at = models.DateTimeField(null=True, blank=True)
    pressing_orange_at = models.DateTimeField(null=True, blank=True)
    task_clocks = models.JSONField(null=True, blank=True)

    first_satisfaction = models.CharField("首次满意度", max_length=12, choices=Satisfaction.choices, blank=True)
    first_solved = models.CharField("首次是否解决", max_length=8, choices=Solved.choices, blank=True)
    final_satisfaction = models.CharField("最终满意度", max_length=12, choices=Satisfaction.choices, blank=True)
    final_solved = models.CharField("最终是否解决", max_length=8, choices=Solved.choices, blank=True)
    # An unreasonable demand, set aside with approval: the rating stays visible, assessment leaves it out.
    set_aside = models.BooleanField("认定为不合理诉求", default=False)

    timeline_head = models.BinaryField(max_length=32, default=bytes)
    timeline_length = models.PositiveIntegerField(default=0)

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "诉求件"
        constraints = [
            models.CheckConstraint(condition=Q(state="draft") | Q(number__isnull=False), name="case_numbered"),
            models.CheckConstraint(
                condition=~Q(state__in=["closed", "archived"]) | Q(closed_at__isnull=False, ending__gt=""),
                name="case_closed_how_and_when",
            ),
            models.CheckConstraint(
                condition=Q(longitude=None, latitude=None)
                | Q(longitude__range=(-180, 180), latitude__range=(-90, 90), longitude__isnull=False, latitude__isnull=False),
                name="case_point_whole",
            ),
            models.CheckConstraint(condition=~Q(ending="merged") | Q(merged_into__isnull=False), name="case_merged_into"),
        ]
        indexes = [
            # The desks: one state's queue, most pressing and longest waiting first.
            models.Index(fields=["state", "urgency_rank", "state_since", "id"], name="case_queue",
                         condition=Q(state__in=["to_accept", "to_dispatch", "in_study", "to_audit", "to_follow_up"])),
            models.Index(fields=["-received_at", "-id"], name="case_newest"),
            models.Index(fields=["accepted_by", "-received_at"], name="case_by_agent", condition=Q(accepted_by__isnull=False)),
            # Who is still waiting, the longest overdue first: the overseers' list.
            models.Index(fields=["citizen_due_at", "id"], name="case_citizen_due",
                         condition=Q(state__in=["to_accept", "to_dispatch", "in_study", "in_handling", "to_audit"])),
            # The list of all cases sorted by the citizen's deadline, either way.
            models.Index(fields=["citizen_due_at", "id"], name="case_by_citizen_due"),
            # All cases by what presses most on them; sorted either way, and filtered by light.
            models.Index(fields=["pressing_due_at", "id"], name="case_by_pressing_due"),
            models.Index(fields=["closed_at"], name="case_to_archive", condition=Q(state="closed")),
            # Closed, and rated badly since: few, and counted on every rail of follow-up.
            models.Index(fields=["stage_due_at"], name="case_to_judge", condition=Q(state="closed", stage_due_at__isnull=False)),
            models.Index(fields=["id"], name="case_provisional", condition=Q(provisional=True)),
            models.Index(fields=["place", "-received_at"], name="case_by_place"),
            models.Index(fields=["topic", "-received_at"], name="case_by_topic"),
        ]

    def __str__(self) -> str:
        return self.number or "（暂存）"

    @property
    def point(self) -> Point | None:
        """Where it happened, as given."""
        if self.longitude is None or self.latitude is None:
            return None
        return Point.of(self.longitude, self.latitude)

    @property
    def version(self) -> int:
        """What a screen was drawn from: every write appends to the timeline, so its length is the version."""
        return self.timeline_length

    def derivation_start(self) -> datetime:
        """The moment from which the citizen has been waiting."""
        return self.received_at


class Contact(models.Model):
    """件次: one call, message or form. It joins a case and is never changed into one."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="contacts")
    purpose = models.CharField("目的", max_length=12, choices=ContactPurpose.choices, default=ContactPurpose.NEW)
    channel = models.CharField("渠道", max_length=10, choices=Channel.choices)
    received_at = models.DateTimeField("时间")
    text = models.TextField("原话")
    applicant = models.ForeignKey(Applicant, on_delete=models.PROTECT, related_name="contacts")
    taken_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # One form sent twice, or one message imported twice, is one contact.
    submission = models.UUIDField(null=True, unique=True)
    source = models.CharField("来源系统", max_length=40, blank=True)
    source_id = models.CharField("来源编号", max_length=80, blank=True, db_collation="C")

    class Meta:
        verbose_name = verbose_name_plural = "件次"
        constraints = [
            models.UniqueConstraint(fields=["source", "source_id"], condition=~Q(source_id=""), name="contact_source_once")
        ]
        indexes = [models.Index(fields=["received_at"], name="contact_received")]


def attachment_path(attachment: Attachment, name: str = "") -> str:
    """Files are named by content, never by what the citizen called them."""
    return f"attachments/{attachment.sha256[:2]}/{attachment.sha256}"


class Attachment(models.Model):
    """A file with a case, a reply or an ask. Its type is what its content says (domain.md §2.2)."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="attachments")
    reply = models.ForeignKey("cases.Reply", null=True, blank=True, on_delete=models.PROTECT, related_name="attachments")
    ask = models.ForeignKey("cases.Ask", null=True, blank=True, on_delete=models.PROTECT, related_name="attachments")
    file = models.FileField(upload_to=attachment_path, max_length=120)
    name = models.CharField("文件名", max_length=120)
    media_type = models.CharField(max_length=80)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = "附件"
