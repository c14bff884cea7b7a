"""Reads of reply templates: a unit's own, those of the units above it and below it; for a case by its topic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from minsheng.cases.models import ReplyTemplate, Topic
from minsheng.errors import Refused
from minsheng.organisations import queries as organisations

if TYPE_CHECKING:
    from minsheng.accounts.models import User

MOST_OFFERED = 30


def reach(user: User) -> QuerySet[ReplyTemplate]:
    """What the person's unit may use: its own, and those of the units above it and below it."""
    assert user.unit_id is not None
    units = organisations.subtree_ids(user.unit_id) | set(organisations.ancestor_ids(user.unit_id))
    return ReplyTemplate.objects.filter(unit__in=units).select_related("topic", "unit", "changed_by")


@dataclass(frozen=True, slots=True)
class Offered:
    """One in the reply form. `near`: made for this topic or one above it."""

    template: ReplyTemplate
    near: bool
    own: bool


def offered(user: User, topic: Topic | None) -> list[Offered]:
    """For a reply about this topic: the nearest topic first, then those for any matter; own before others'. Two queries.

    `topic` should have its parents loaded. Templates of other topics are not offered: they are on the page of templates.
    """
    path = [each.pk for each in _path(topic)]
    found = reach(user).filter(Q(topic__in=path) | Q(topic=None))
    rank: dict[int | None, int] = {pk: n for n, pk in enumerate(path)}
    ordered = sorted(
        found, key=lambda it: (rank.get(it.topic_id, len(path)), it.unit_id != user.unit_id, -it.changed_at.timestamp())
    )
    return [Offered(it, it.topic_id is not None, it.unit_id == user.unit_id) for it in ordered[:MOST_OFFERED]]


def _path(topic: Topic | None) -> Iterable[Topic]:
    while topic is not None:
        yield topic
        topic = topic.parent


def template_for(user: User, pk: int, *, own: bool = False) -> ReplyTemplate:
    """One that the person's unit may use, or only one of its own. Errors: not_found."""
    if not user.is_unit:
        raise Refused("not_found")
    found = reach(user).filter(pk=pk)
    template = (found.filter(unit=user.unit) if own else found).first()
    if template is None:
        raise Refused("not_found")
    return template
