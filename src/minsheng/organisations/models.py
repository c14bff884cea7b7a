"""Where and who: places (county, street) and units (承办单位), each a tree by parent key.

Every row is reference data: it has a source, a validity, a version, and a history written by trigger (pghistory).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, TypeVar

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from tree_queries.fields import TreeNodeForeignKey
from tree_queries.models import TreeNode
from tree_queries.query import TreeQuerySet

from minsheng.organisations import rules
from minsheng.organisations.choices import AssessmentGroup, Line, PlaceLevel, UnitKind

# Derived or the loader's own: no part of what a person changed.
NOT_HISTORY = ["loaded", "search_key"]
Node = TypeVar("Node", bound=models.Model)


class ReferenceRow(models.Model):
    """What every row of reference data carries.

    `loaded` holds the values that the loader last wrote. Where the present value differs, an administrator has changed
    it since, and the loader leaves that value alone (`organisations.loading`).
    """

    valid_from = models.DateField("生效日期", null=True, blank=True, help_text="空：一直有效")
    valid_to = models.DateField("失效日期", null=True, blank=True, help_text="从这一天起不再有效；空：长期有效")
    version = models.PositiveIntegerField("版本", default=1, editable=False)
    source = models.CharField("来源", max_length=300, blank=True)
    loaded = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        abstract = True

    def is_valid(self, at: datetime) -> bool:
        """Whether the row holds at that moment, by the calendar day in Fuzhou."""
        return rules.holds(self.valid_from, self.valid_to, rules.local_day(at))


def validity_constraint(model: str) -> models.CheckConstraint:
    """A validity that ends before it begins would silently hide a row."""
    open_ended = Q(valid_to__isnull=True) | Q(valid_from__isnull=True)
    return models.CheckConstraint(name=f"{model}_validity", condition=open_ended | Q(valid_to__gt=F("valid_from")))


class TreeManager(models.Manager[Node]):
    """The manager of django-tree-queries, in a form that the type checker can follow."""

    def get_queryset(self) -> models.QuerySet[Node]:
        """Querysets that know `with_tree_fields`."""
        found: models.QuerySet[Node] = TreeQuerySet(self.model, using=self._db)
        return found

    def ancestors(self, of: Any, *, include_self: bool = False) -> models.QuerySet[Node]:
        """Rows above, root first; the loop check of `TreeNode.clean` asks for them."""
        return self.get_queryset().ancestors(of, include_self=include_self)  # type: ignore[attr-defined]

    def descendants(self, of: Any, *, include_self: bool = False) -> models.QuerySet[Node]:
        """Rows below."""
        return self.get_queryset().descendants(of, include_self=include_self)  # type: ignore[attr-defined]


@pghistory.track(exclude=NOT_HISTORY)
class Place(TreeNode, ReferenceRow):
    """A county (县市区, 6 digits) or a street or town (乡镇街道, 9 digits) below it (domain.md §7.1)."""

    parent = TreeNodeForeignKey(
        "self", verbose_name="上级", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    objects: ClassVar[TreeManager[Place]] = TreeManager()
    code = models.CharField("代码", max_length=9, unique=True, db_collation="C")
    name = models.CharField("名称", max_length=40)
    level = models.CharField("层级", max_length=10, choices=PlaceLevel.choices)
    dispatchable = models.BooleanField("可派", default=True)
    reason = models.CharField("不可派的原因", max_length=200, blank=True)
    search_key = models.TextField("检索键", blank=True, editable=False, db_collation="C")

    class Meta:
        verbose_name = verbose_name_plural = "地点"
        ordering = ["code"]
        constraints = [
            validity_constraint("place"),
            models.CheckConstraint(name="place_code_form", condition=Q(code__regex=r"^[0-9]{6}([0-9]{3})?$")),
            models.CheckConstraint(name="place_refusal_says_why", condition=Q(dispatchable=True) | ~Q(reason="")),
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track(exclude=NOT_HISTORY)
class Unit(TreeNode, ReferenceRow):
    """A body that cases are dispatched to (承办单位). Sub-dispatch goes down its tree, from city to street."""

    parent = TreeNodeForeignKey(
        "self", verbose_name="上级", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    objects: ClassVar[TreeManager[Unit]] = TreeManager()
    code = models.CharField("代码", max_length=20, unique=True, db_collation="C")
    name = models.CharField("名称", max_length=60)
    short_name = models.CharField("简称", max_length=40)
    aliases = ArrayField(models.CharField(max_length=40), verbose_name="别名", default=list, blank=True)
    kind = models.CharField("类别", max_length=20, choices=UnitKind.choices)
    line = models.CharField("条线", max_length=20, choices=Line.choices, blank=True)
    enforcement = models.BooleanField("执法部门", default=False, help_text="考核分组用")
    place = models.ForeignKey(
        Place, verbose_name="服务区域", null=True, blank=True, on_delete=models.PROTECT, related_name="units"
    )
    dispatchable = models.BooleanField("可批转", default=True)
    successor = models.ForeignKey(
        "self", verbose_name="承继单位", null=True, blank=True, on_delete=models.PROTECT, related_name="predecessors"
    )
    duty_line = models.CharField("值班电话", max_length=20, blank=True, help_text="只填公开的办公电话")
    search_key = models.TextField("检索键", blank=True, editable=False, db_collation="C")

    class Meta:
        verbose_name = verbose_name_plural = "承办单位"
        ordering = ["code"]
        constraints = [
            validity_constraint("unit"),
            models.CheckConstraint(
                name="unit_not_its_own_successor", condition=Q(successor__isnull=True) | ~Q(successor=F("id"))
            ),
        ]
        indexes = [models.Index(fields=["place", "line"], name="unit_place_line")]

    def __str__(self) -> str:
        return self.short_name or self.name

    @property
    def assessment_group(self) -> AssessmentGroup:
        """The group it is assessed in."""
        return rules.assessment_group(self.kind, enforcement=self.enforcement)
