"""What staff have typed and not yet sent, what they keep for the lists they work with, and the spreadsheets they asked for."""

from __future__ import annotations

import uuid
from pathlib import Path

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from minsheng.accounts.choices import Role
from minsheng.secrecy import EncryptedTextField
from minsheng.ui.choices import ColouredChoices

_USER = settings.AUTH_USER_MODEL


class Draft(models.Model):
    """One unfinished form of one person, which nobody else ever reads: it may hold a caller's name and telephone number.

    `form` says which form of which case (`FZ…/draft_reply/12`, `intake`); `submission` is the form's own key, so that two windows
    keep two drafts, and a draft whose form was sent in the moment the server died is known to be done.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    form = models.CharField(max_length=120, db_collation="C")
    submission = models.UUIDField()
    version = models.PositiveIntegerField(null=True)  # of the case that the form was opened on
    fields = EncryptedTextField()  # JSON: [[name, value, label], …]
    had_files = models.BooleanField(default=False)
    saved_at = models.DateTimeField()

    class Meta:
        verbose_name = verbose_name_plural = "草稿"
        constraints = [models.UniqueConstraint(fields=["person", "form", "submission"], name="draft_once")]
        indexes = [models.Index("saved_at", name="draft_saved")]


class NoticesSeen(models.Model):
    """When somebody last looked at their notices: what came since is new."""

    user = models.OneToOneField(_USER, primary_key=True, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = verbose_name_plural = "通知已读"


class SavedView(models.Model):
    """视图: filters, sort and columns of one list under a name, as an address keeps them; none of it is personal."""

    owner = models.ForeignKey(_USER, on_delete=models.CASCADE, related_name="saved_views")
    list_code = models.CharField("列表", max_length=20)
    name = models.CharField("名称", max_length=20, db_collation="C")
    query = models.CharField(max_length=2000, blank=True)
    columns = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    # Offered to everybody of this role (of the owner's own unit, where the owner is a unit's).
    shared_role = models.CharField("共享给", max_length=20, choices=Role.choices, blank=True)
    at = models.DateTimeField("保存时间")

    class Meta:
        verbose_name = verbose_name_plural = "视图"
        constraints = [models.UniqueConstraint(fields=["owner", "list_code", "name"], name="view_named_once")]
        indexes = [models.Index(fields=["list_code", "shared_role"], name="view_shared", condition=~Q(shared_role=""))]

    def __str__(self) -> str:
        return self.name


class ListSetting(models.Model):
    """What one person added to one list, and the view that it opens with."""

    user = models.ForeignKey(_USER, on_delete=models.CASCADE, related_name="list_settings")
    list_code = models.CharField("列表", max_length=20)
    columns = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    first = models.ForeignKey(SavedView, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = "列表设置"
        constraints = [models.UniqueConstraint(fields=["user", "list_code"], name="list_setting_once")]


class ExportState(ColouredChoices):
    """How far a spreadsheet is."""

    WAITING = "waiting", "排队中", "secondary"
    RUNNING = "running", "正在生成", "azure"
    DONE = "done", "可以下载", "green"
    FAILED = "failed", "没有完成", "red"
    CANCELLED = "cancelled", "已取消", "secondary"
    GONE = "gone", "已过期删除", "secondary"


UNFINISHED = frozenset({ExportState.WAITING, ExportState.RUNNING})


class Export(models.Model):
    """A spreadsheet of one list, made in the background for who asked, and theirs only. Its file is named by its key, which
    nobody guesses, and lies outside what is served; it is there when the state is `done`, and only then."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="exports")
    list_code = models.CharField("列表", max_length=20)
    query = EncryptedTextField(default="", blank=True)  # with words searched, which may name somebody
    columns = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    whole = models.BooleanField("含完整联系方式", default=False)
    reason = models.CharField("用途", max_length=100)
    # What the asker was when they asked: with other rights, or another unit's, it is not theirs any more.
    standing = models.CharField(max_length=400)
    submission = models.UUIDField(unique=True)
    state = models.CharField("状态", max_length=10, choices=ExportState.choices, default=ExportState.WAITING)
    asked_at = models.DateTimeField("申请时间")
    touched_at = models.DateTimeField()  # the job's last sign of life
    finished_at = models.DateTimeField("完成时间", null=True, blank=True)
    rows = models.PositiveIntegerField("行数", default=0)
    total = models.PositiveIntegerField("总行数", default=0)
    cut = models.BooleanField("超过行数上限", default=False)
    problem = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "导出"
        indexes = [models.Index(fields=["user", "-asked_at"], name="export_newest")]

    @property
    def path(self) -> Path:
        """Where its file is, once done."""
        return Path(settings.LISTS["export_folder"]) / f"{self.id}.xlsx"

    @property
    def percent(self) -> int:
        """How far it is."""
        return min(100, 100 * self.rows // self.total) if self.total else 0
