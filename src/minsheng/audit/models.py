"""The audit log, the shape of a hash-chained timeline, and the seals over both (design §4, §6)."""

from __future__ import annotations

from functools import cache
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from pgtrigger import Delete, Protect, Update

from minsheng.audit.choices import Outcome
from minsheng.audit.fields import TransactionIdField
from minsheng.audit.triggers import OnlyErasure


class AuditEntry(models.Model):
    """One important attempt by one user (`domain.md` §8.3: who, when, where, what, before and after, why, result).

    Append-only. It carries no personal value of a citizen: subjects are named by number.
    """

    at = models.DateTimeField("时间")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="操作人", null=True, on_delete=models.PROTECT, related_name="+"
    )
    actor_label = models.CharField("操作人（当时）", max_length=100, blank=True)
    role = models.CharField("角色", max_length=100, blank=True)
    code = models.CharField("操作", max_length=80)
    subject_type = models.CharField("对象类别", max_length=80, blank=True)
    subject_id = models.CharField("对象", max_length=64, blank=True)
    subject_label = models.CharField("对象编号", max_length=200, blank=True)
    why = models.TextField("理由", blank=True)
    detail = models.JSONField("详情", default=dict)
    outcome = models.CharField("结果", max_length=10, choices=Outcome.choices, default=Outcome.DONE)
    ip = models.GenericIPAddressField("网络地址", null=True)
    session = models.CharField("会话", max_length=16, blank=True)
    terminal = models.CharField("终端", max_length=200, blank=True)
    trace_id = models.CharField("追踪号", max_length=64, blank=True)
    xid = TransactionIdField()

    class Meta:
        verbose_name = "审计记录"
        indexes = [
            models.Index("xid", "id", name="audit_entry_xid"),
            models.Index(models.F("at").desc(), models.F("id").desc(), name="audit_entry_at"),
            models.Index("actor", models.F("at").desc(), models.F("id").desc(), name="audit_entry_actor"),
            models.Index("code", models.F("at").desc(), models.F("id").desc(), name="audit_entry_code"),
            models.Index(
                "subject_type", "subject_id", models.F("at").desc(), models.F("id").desc(), name="audit_entry_subject"
            ),
        ]
        triggers = [Protect(name="append_only", operation=Update | Delete)]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.code} {self.subject_label}"


class ChainedEntry(models.Model):
    """One entry of an owner's hash chain (design §4, last paragraph). Abstract: `cases.TimelineEntry` is one.

    The concrete model declares a foreign key to its owner and names it in OWNER; the owner has `timeline_head` (bytes,
    empty at first) and `timeline_length` (int, 0). Its Meta inherits from `ChainedEntry.Meta`, puts
    `chain_constraints("owner")` into `constraints`, and where it sets `indexes` keeps those of `ChainedEntry.Meta`.
    Every further column enters the hash where it is not null, so that a nullable column added later leaves the hashes
    of old rows as they are. `chain.append` makes the entries.

    `payload` holds facts and no personal value; `note` may hold personal words: only its salted commitment is chained,
    so that `actions.erase_note` can erase it and the chain still verifies.
    """

    OWNER: ClassVar[str]

    seq = models.PositiveIntegerField("序号")
    at = models.DateTimeField("时间")
    code = models.CharField("事项", max_length=80)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="操作人", null=True, on_delete=models.PROTECT, related_name="+"
    )
    actor_label = models.CharField("操作人（当时）", max_length=100, blank=True)
    payload = models.JSONField("事实", default=dict)
    note = models.TextField("说明", blank=True)
    note_salt = models.CharField(max_length=32, blank=True, editable=False)
    note_commitment = models.CharField(max_length=64, blank=True, editable=False)
    prev_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)
    xid = TransactionIdField()

    class Meta:
        abstract = True
        indexes = [models.Index("xid", "id", name="%(app_label)s_%(class)s_xid")]
        triggers = [
            Protect(name="never_deleted", operation=Delete),
            OnlyErasure(name="only_erasure", operation=Update),
        ]

    @classmethod
    def owner_model(cls) -> type[models.Model]:
        """The model whose rows own the chains."""
        related = cls._meta.get_field(cls.OWNER).related_model
        assert isinstance(related, type)
        return related

    @classmethod
    @cache
    def own_columns(cls) -> tuple[str, ...]:
        """Attribute names of the columns that the concrete model adds, the owner apart."""
        shared = {field.name for field in ChainedEntry._meta.local_fields}
        added = [field for field in cls._meta.concrete_fields if field.name not in shared and not field.primary_key]
        return tuple(sorted(field.attname for field in added if field.name != cls.OWNER))

    @property
    def owner_pk(self) -> int:
        """The primary key of the owner."""
        return int(getattr(self, f"{self.OWNER}_id"))

    @property
    def erased(self) -> bool:
        """True when there was a note, and it has been erased by law."""
        return bool(self.note_commitment) and not self.note_salt


def chain_constraints(owner: str) -> list[models.BaseConstraint]:
    """What every concrete chain's Meta.constraints must contain: one row for each place of each chain."""
    return [models.UniqueConstraint(fields=[owner, "seq"], name="%(app_label)s_%(class)s_chain")]


class Seal(models.Model):
    """What was written between two transaction ids: counted, digested, signed, after the seal before it (design §4).

    Covers [from_xid, to_xid) of the audit log and of every chain. `audit_rows` holds 8 bytes of id and 16 of digest for
    each audit entry; `heads` holds [owner, length, head] of each chain touched, by model. The key of the signature is
    not in the database.
    """

    number = models.PositiveBigIntegerField("序号", unique=True)
    at = models.DateTimeField("时间")
    previous = models.BinaryField(max_length=32)
    from_xid = models.BigIntegerField()
    to_xid = models.BigIntegerField()
    audit_count = models.PositiveIntegerField()
    audit_rows = models.BinaryField()
    timeline_count = models.PositiveIntegerField()
    heads = models.JSONField(default=dict)
    digest = models.BinaryField(max_length=32)
    signature = models.BinaryField(max_length=32)

    class Meta:
        verbose_name = "封存"
        constraints = [models.CheckConstraint(name="audit_seal_window", condition=Q(to_xid__gt=models.F("from_xid")))]
        triggers = [Protect(name="append_only", operation=Update | Delete)]

    def __str__(self) -> str:
        return f"{self.number} {self.at:%Y-%m-%d %H:%M:%S}"
