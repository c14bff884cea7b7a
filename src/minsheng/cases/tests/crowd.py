"""Many of everything: for tests that compare a desk of five rows with one of fifty.

The first case of each stage is made by the real actions. The others are copies of its rows, because what is counted is what a
screen reads, and a copy is read like any other row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models

from minsheng.cases.actions.intake import _next_ids
from minsheng.cases.choices import CHANNEL_DIGITS, Channel
from minsheng.cases.models import Ask, Attachment, Case, CaseWords, Outreach, Reply, Task
from minsheng.cases.rules import format_number
from minsheng.publishing.models import Publication
from minsheng.worktime.moments import day_of

_OPEN_REPLIES = ("to_sign", "not_signed", "submitted")


def multiply(case: Case, times: int) -> None:
    """So many more cases like this one, each with its tasks, replies, asks and publication."""
    for _ in range(times):
        made = _copy(case, **_new_number(case))
        tasks: dict[int | None, Task | None] = {None: None}
        for task in case.tasks.order_by("id"):
            tasks[task.pk] = _copy(task, case=made, parent=tasks[task.parent_id])
        for reply in Reply.objects.filter(task__case=case):
            _copy(reply, task=tasks[reply.task_id])
        for words in CaseWords.objects.filter(case=case):
            _copy(words, case=made)
        for ask in Ask.objects.filter(task__case=case):
            _copy(ask, task=tasks[ask.task_id])
        for publication in Publication.objects.filter(case=case):
            _copy(publication, case=made)


def enlarge(case: Case, times: int) -> None:
    """So many more of everything that one case's page lists: what came in, went out, was written, asked, tried and recorded."""
    for each in case.contacts.all()[:1]:
        _repeat(each, times, submission=None)
    last = case.timeline.order_by("-seq").first()
    assert last is not None
    for seq in range(last.seq + 1, last.seq + 1 + times):
        _copy(last, seq=seq, submission=None)
    Case.objects.filter(pk=case.pk).update(timeline_length=last.seq + times)
    for number, message in enumerate([case.messages.all()[0]] * times):
        _copy(message, key=f"{message.key}:{number}:{last.seq}")
    for reply in Reply.objects.filter(task__case=case).exclude(state__in=_OPEN_REPLIES)[:1]:
        copies = _repeat(reply, times)
        for attachment in reply.attachments.all():
            for copy in copies:
                _copy(attachment, reply=copy)
    for ask in Ask.objects.filter(task__case=case).exclude(state="pending")[:1]:
        _repeat(ask, times)
    for outreach in Outreach.objects.filter(task__case=case)[:1]:
        _repeat(outreach, times)
    for attachment in Attachment.objects.filter(case=case, reply=None, ask=None)[:1]:
        _repeat(attachment, times)


def _new_number(case: Case) -> dict[str, Any]:
    pk, serial = _next_ids()
    if case.number is None:
        return {"pk": pk}
    digits = CHANNEL_DIGITS[Channel(case.channel)]
    return {"pk": pk, "number": format_number(day_of(case.received_at), digits, serial)}


def _repeat(row: models.Model, times: int, **changes: Any) -> list[Any]:
    return [_copy(row, **changes) for _ in range(times)]


def _copy(row: Any, **changes: Any) -> Any:
    values = {field.attname: getattr(row, field.attname) for field in _fields(row) if not field.primary_key}
    made = type(row)(**values)
    for name, value in changes.items():
        setattr(made, name, value)
    made.save(force_insert=True)
    return made


def _fields(row: models.Model) -> Iterable[models.Field[Any, Any]]:
    return row._meta.concrete_fields


