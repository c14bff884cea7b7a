"""The books: what happened on the switch, written by the follower alone (`minsheng telephony run`).

Every row has a key of the switch's own, so that a fact told twice (an event, the journal, both) is one fact. Times are the
switch's: of events to the microsecond, of the journal to the second.
"""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from minsheng.secrecy import EncryptedTextField, SearchHashField
from minsheng.telephony.choices import (
    CallOutcome,
    Direction,
    EndedBy,
    LegKind,
    LegOutcome,
    MissedKind,
    SeatState,
    VisitOutcome,
)
from minsheng.telephony.models.switch import Seat, SkillQueue, Trunk


class Call(models.Model):
    """One call, whatever legs, queues and transfers it had: all that the switch links by one Linkedid."""

    linkedid = models.CharField("通话标识", max_length=60, unique=True, db_collation="C")
    direction = models.CharField("方向", max_length=3, choices=Direction.choices, default=Direction.IN)
    trunk = models.ForeignKey(Trunk, null=True, blank=True, db_index=False, on_delete=models.PROTECT, related_name="+")
    number = EncryptedTextField("对方号码", null=True)
    number_hash = SearchHashField()
    dialled = models.CharField("接入号码", max_length=20, blank=True, db_collation="C")
    began_at = models.DateTimeField("开始")
    joined_at = models.DateTimeField("进入人工排队", null=True, blank=True)
    answered_at = models.DateTimeField("人工接起", null=True, blank=True)
    ended_at = models.DateTimeField("结束", null=True, blank=True)
    seat = models.ForeignKey(
        Seat, verbose_name="接起座席", null=True, blank=True, db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    outcome = models.CharField("结果", max_length=12, choices=CallOutcome.choices, blank=True)
    ended_by = models.CharField("挂机方", max_length=8, choices=EndedBy.choices, blank=True)
    transferred = models.BooleanField("曾转接", default=False)
    cause = models.PositiveSmallIntegerField("挂机原因码", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "通话"
        constraints = [
            models.CheckConstraint(condition=Q(ended_at__isnull=True) | ~Q(outcome=""), name="call_ended_how"),
            models.CheckConstraint(
                condition=~Q(outcome=CallOutcome.ANSWERED) | Q(answered_at__isnull=False), name="call_answered_when"
            ),
        ]
        indexes = [
            models.Index(F("began_at").desc(), F("id").desc(), name="call_newest"),
            models.Index(
                fields=["number_hash", "-began_at"], name="call_number", condition=Q(number_hash__isnull=False)
            ),
            models.Index(fields=["id"], name="call_open", condition=Q(ended_at__isnull=True)),
            models.Index(fields=["seat", "-began_at"], name="call_seat", condition=Q(seat__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.linkedid


class QueueVisit(models.Model):
    """One stay of a call in one queue, from joining to being connected or leaving."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="visits")
    queue = models.ForeignKey(SkillQueue, db_index=False, on_delete=models.PROTECT, related_name="+")
    joined_at = models.DateTimeField("进入")
    position = models.PositiveSmallIntegerField("进入时位次", null=True, blank=True)
    left_at = models.DateTimeField("离开", null=True, blank=True)
    outcome = models.CharField("结果", max_length=12, choices=VisitOutcome.choices, blank=True)
    seat = models.ForeignKey(Seat, null=True, blank=True, db_index=False, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = "排队"
        constraints = [
            models.UniqueConstraint(fields=["call", "queue", "joined_at"], name="visit_once"),
            models.CheckConstraint(condition=Q(left_at__isnull=True) | ~Q(outcome=""), name="visit_left_how"),
        ]
        indexes = [models.Index(fields=["queue", "joined_at"], name="visit_queue")]


class CallLeg(models.Model):
    """One channel of a call: the citizen's, and each ringing of a seat."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="legs")
    # Empty where only the journal tells of the ringing: it names no channel that nobody answered.
    uniqueid = models.CharField("通道标识", max_length=60, null=True, blank=True, unique=True, db_collation="C")
    kind = models.CharField("类别", max_length=8, choices=LegKind.choices)
    queue = models.ForeignKey(
        SkillQueue, null=True, blank=True, db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    seat = models.ForeignKey(Seat, null=True, blank=True, db_index=False, on_delete=models.PROTECT, related_name="+")
    rung_at = models.DateTimeField("振铃")
    answered_at = models.DateTimeField("接起", null=True, blank=True)
    ended_at = models.DateTimeField("结束", null=True, blank=True)
    outcome = models.CharField("结果", max_length=10, choices=LegOutcome.choices, blank=True)
    ended_by = models.CharField("挂机方", max_length=8, choices=EndedBy.choices, blank=True)
    # The journal's line that told of this unanswered ringing (second/seat/seconds rung): each line is matched to one row, once.
    journal_key = models.CharField(max_length=40, blank=True, db_collation="C")

    class Meta:
        verbose_name = verbose_name_plural = "通话段"
        constraints = [
            models.CheckConstraint(condition=Q(uniqueid__isnull=False) | Q(kind=LegKind.OFFER), name="leg_known_by"),
            models.CheckConstraint(condition=Q(kind=LegKind.CITIZEN) | Q(seat__isnull=False), name="leg_of_seat"),
        ]
        indexes = [models.Index(fields=["seat", "-rung_at"], name="leg_seat", condition=Q(seat__isnull=False))]


class AgentState(models.Model):
    """A seat's state from `at` on, until its next row. Rows are only ever added; a report takes the end from the next."""

    seat = models.ForeignKey(Seat, db_index=False, on_delete=models.PROTECT, related_name="states")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField("状态", max_length=10, choices=SeatState.choices)
    reason = models.CharField("示忙原因", max_length=20, blank=True, db_collation="C")
    at = models.DateTimeField("开始")

    class Meta:
        verbose_name = verbose_name_plural = "座席状态"
        constraints = [
            models.UniqueConstraint(fields=["seat", "at"], name="agentstate_once"),
            models.CheckConstraint(
                condition=Q(state=SeatState.PAUSED) | Q(reason=""), name="agentstate_reason_of_pause"
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]


class MissedCall(models.Model):
    """漏接: a fact about a call that ended without anybody's answer (domain.md §2.11). Never undone by a later success."""

    call = models.OneToOneField(Call, on_delete=models.PROTECT, related_name="missed")
    kind = models.CharField("类别", max_length=10, choices=MissedKind.choices)
    # The queue that it waited in last; none where it found no free line.
    queue = models.ForeignKey(SkillQueue, null=True, blank=True, db_index=False, on_delete=models.PROTECT, related_name="+")
    number_hash = SearchHashField()
    # The place in the line that it had: whoever is called back keeps it. When it came, where it never got into a line.
    joined_at = models.DateTimeField("进入排队")
    missed_at = models.DateTimeField("漏接时间")

    class Meta:
        verbose_name = verbose_name_plural = "漏接"
        indexes = [
            models.Index(fields=["-missed_at"], name="missed_newest"),
            models.Index(
                fields=["number_hash", "-missed_at"], name="missed_number", condition=Q(number_hash__isnull=False)
            ),
        ]


class FollowedTo(models.Model):
    """How far the switch has been followed, committed with the rows that came of it. One row for each switch."""

    switch = models.CharField(max_length=20, primary_key=True)
    # The journal's file, by which a renamed one is found again, and the bytes read of it.
    inode = models.BigIntegerField(default=0)
    offset = models.BigIntegerField(default=0)
    # When the switch was last heard: it tells of nothing on a quiet night, so the follower says it.
    heard_at = models.DateTimeField(null=True)
    # What is known of each seat (`seats.Tracker`): extensions and states, no person.
    seats = models.JSONField(default=dict)
