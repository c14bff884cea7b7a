"""What cases are measured by: topics (主题), grounds for not accepting (不予受理), and coded reasons.

Rows are loaded from `cases/data/*.csv` and edited by the administrator; every change is kept by trigger (pghistory).
"""

from __future__ import annotations

from typing import ClassVar

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from tree_queries.fields import TreeNodeForeignKey
from tree_queries.models import TreeNode

from minsheng.cases.choices import RequestKind
from minsheng.cases.reference_rules import validate_required_fields, validate_rule, validate_rules
from minsheng.organisations.models import NOT_HISTORY, ReferenceRow, TreeManager, Unit, validity_constraint
from minsheng.ui.choices import ColouredChoices


@pghistory.track(exclude=NOT_HISTORY)
class Topic(TreeNode, ReferenceRow):
    """主题: what a case is about; three levels in a code of 2-2-2 digits, cases get the third (domain.md §4.2).

    A topic with a `route` is not dispatched: the citizen is connected (110, 119, 120, 122: a `ReasonCode` of the list
    `transfer`) or told the legal way (a `RefusalGround` of that code).
    """

    parent = TreeNodeForeignKey(
        "self", verbose_name="上级", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    objects: ClassVar[TreeManager[Topic]] = TreeManager()
    code = models.CharField(
        "代码",
        max_length=6,
        unique=True,
        db_collation="C",
        validators=[RegexValidator(r"^[0-9]{6}\Z", "代码为六位数字")],
    )
    name = models.CharField("名称", max_length=40)
    level = models.PositiveSmallIntegerField(
        "层级", choices=[(1, "一级"), (2, "二级"), (3, "三级")], validators=[MinValueValidator(1), MaxValueValidator(3)]
    )
    aliases = ArrayField(models.CharField(max_length=20), verbose_name="别名", default=list, blank=True)
    keywords = ArrayField(
        models.CharField(max_length=20), verbose_name="关键词", default=list, blank=True, help_text="群众常用的说法"
    )
    search_key = models.TextField("检索键", blank=True, editable=False, db_collation="C")

    default_kind = models.CharField("默认类型", max_length=14, choices=RequestKind.choices, blank=True)
    default_lead = models.ForeignKey(
        Unit,
        verbose_name="市级主办",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="规则为 city 时的主办；规则按属地而地点未定时的去处",
    )
    lead_rule = models.CharField(
        "主办规则",
        max_length=40,
        blank=True,
        validators=[validate_rule],
        help_text="city 市级；urban 五城区市级、他处县区政府；bureau:条线 属地部门；county 县区政府；street 乡镇街道",
    )
    assisting_rules = ArrayField(
        models.CharField(max_length=40),
        verbose_name="协办规则",
        default=list,
        blank=True,
        validators=[validate_rules],
        help_text="同主办规则，另有 unit:单位代码",
    )
    legal_basis = models.CharField("依据", max_length=300, blank=True)
    statutory_note = models.CharField("法定期限与备注", max_length=300, blank=True)
    on_convenience_list = models.BooleanField("便民服务事项", default=False, help_text="投诉、举报也按 3 个工作日")
    urgent = models.BooleanField("紧急", default=False, help_text="24 小时内先期处置")
    confidential_by_default = models.BooleanField("默认保密", default=False)
    risk = models.BooleanField("风险", default=False, help_text="涉人身安全或群体，须留意")
    route = models.CharField("转接或法定途径", max_length=30, blank=True, help_text="有值则不派单")
    required_fields = models.JSONField(
        "另须填写",
        default=list,
        blank=True,
        validators=[validate_required_fields],
        help_text='如 [{"name": "project", "label": "项目名称"}]',
    )
    law_row = models.PositiveSmallIntegerField("权责表行号", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "主题"
        ordering = ["code"]
        constraints = [
            validity_constraint("topic"),
            models.CheckConstraint(name="topic_code_form", condition=Q(code__regex=r"^[0-9]{6}$")),
            models.CheckConstraint(name="topic_level_form", condition=Q(level__range=(1, 3))),
            models.CheckConstraint(
                name="topic_not_its_own_parent", condition=Q(parent__isnull=True) | ~Q(parent=F("pk"))
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_leaf(self) -> bool:
        """Cases are given third-level topics only."""
        return self.level == 3

    @property
    def is_dispatched(self) -> bool:
        """A leaf without a route goes to a unit."""
        return self.is_leaf and not self.route


@pghistory.track(exclude=["loaded"])
class RefusalGround(ReferenceRow):
    """不予受理: why a request is not taken on, and what the citizen is told instead (domain.md §2.2)."""

    code = models.CharField("代码", max_length=30, unique=True, db_collation="C")
    name = models.CharField("情形", max_length=60)
    order = models.PositiveSmallIntegerField("次序", default=100)
    legal_route = models.CharField("法定途径", max_length=200, help_text="应当向谁、以什么方式提出")
    hotlines = ArrayField(models.CharField(max_length=20), verbose_name="可拨打的电话", default=list, blank=True)
    text = models.TextField("告知诉求人的话", help_text="平实、客气，不责备；说清去哪里、怎么办")
    basis = models.CharField("依据", max_length=300, blank=True)
    requires_leader_review = models.BooleanField("须组长复核", default=False)

    class Meta:
        verbose_name = verbose_name_plural = "不予受理情形"
        ordering = ["order", "code"]
        constraints = [
            validity_constraint("refusalground"),
            models.CheckConstraint(name="refusalground_is_told", condition=~Q(text="")),
        ]

    def __str__(self) -> str:
        return self.name


class ReasonList(ColouredChoices):
    """The lists of coded reasons."""

    REPLY_REFUSAL = "reply_refusal", "审核不通过原因", "orange"
    RETURN = "return", "退件理由", "yellow"
    TRANSFER = "transfer", "即时转接", "azure"
    PAUSE = "pause", "挂起事由", "secondary"
    EXTENSION = "extension", "延期事由", "yellow"
    TERMINATION = "termination", "终止办理事由", "red"
    INVALID = "invalid", "无效件原因", "secondary"


@pghistory.track(exclude=["loaded"])
class ReasonCode(ReferenceRow):
    """One coded reason of one list (domain.md): replies refused (§2.5), returns (§2.4), transfers (§4.5) and more."""

    list = models.CharField("所属", max_length=20, choices=ReasonList.choices)
    code = models.CharField("代码", max_length=30, db_collation="C")
    label = models.CharField("名称", max_length=60)
    text = models.CharField("说明", max_length=300, blank=True, help_text="给工作人员的解释，或转接时对诉求人说的话")
    order = models.PositiveSmallIntegerField("次序", default=100)

    class Meta:
        verbose_name = verbose_name_plural = "原因代码"
        ordering = ["list", "order", "code"]
        constraints = [
            validity_constraint("reasoncode"),
            models.UniqueConstraint(name="reasoncode_once", fields=["list", "code"]),
        ]

    def __str__(self) -> str:
        return self.label
