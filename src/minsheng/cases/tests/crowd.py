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
from minsheng.cases.models import Ask, Attachment, Case, CaseWords, Outreach, Reply
from minsheng.cases.rules import format_number
from minsheng.publishing.models import Publication
from minsheng.worktime.moments import day_of

_OPEN_REPLIES = ("to_sign", "not_signed", "submitted")


def multiply(case: Case, times: int) -> None:
    """So many more cases like this one, each with its tasks, replies, asks and publication."""
    made = _write(_like(case, **_new_number(case)) for _ in range(times))
    tasks: dict[int | None, list[Any]] = {None: [None] * times}
    for task in case.tasks.order_by("id"):
        parents = tasks[task.parent_id]
        tasks[task.pk] = _write(_like(task, case=each, parent=parent) for each, parent in zip(made, parents, strict=True))
    for words in CaseWords.objects.filter(case=case):
        _write(_like(words, case=each) for each in made)
    rows: list[Any] = [*Reply.objects.filter(task__case=case), *Ask.objects.filter(task__case=case)]
    for row in rows:
        _write(_like(row, task=task) for task in tasks[row.task_id])
    for publication in Publication.objects.filter(case=case):
        _write(_like(publication, case=each) for each in made)


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
    return _write(_like(row, **changes) for _ in range(times))


def _copy(row: Any, **changes: Any) -> None:
    _write([_like(row, **changes)])


def _like(row: Any, **changes: Any) -> Any:
    values = {field.attname: getattr(row, field.attname) for field in _fields(row) if not field.primary_key}
    made = type(row)(**values)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def _write(rows: Iterable[Any]) -> list[Any]:
    found = list(rows)
    return type(found[0])._default_manager.bulk_create(found) if found else []


def _fields(row: models.Model) -> Iterable[models.Field[Any, Any]]:
    return row._meta.concrete_fields


