"""Some of the made-up cases are public, as a year of such work would have left them: written by one person, passed by another."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random

from django.db import connection, transaction
from django.db.models import Max

from minsheng.accounts.choices import Role
from minsheng.cases.choices import CaseState
from minsheng.cases.models import Case
from minsheng.channels.demo.people import People
from minsheng.errors import Refused
from minsheng.publishing import actions, queries
from minsheng.publishing.models import Publication

PUBLIC, WAITING = 40, 4
_DOOR = re.compile(r"\d[号栋幢室]|号楼|[路街巷]\d")  # an editor would take the case that names no door


def publish(*, now: datetime, people: People, random: Random) -> None:
    """Once: the newest fit cases of which an editor would have no more to do than to read. The youngest wait for a second pair
    of eyes."""
    if Publication.objects.filter(case__made_up=True).exists():
        return
    fit = Case.objects.filter(queries.may_be_public(), made_up=True, state=CaseState.CLOSED, closed_at__lt=now - timedelta(days=1))
    found = fit.annotate(last=Max("timeline__at")).select_related("applicant", "topic", "place__parent").order_by("-closed_at", "-id")
    made: set[tuple[int | None, str]] = set()
    with transaction.atomic():
        connection.cursor().execute("SET LOCAL synchronous_commit TO off")
        for case in found[: (PUBLIC + WAITING) * 6]:
            if len(made) == PUBLIC + WAITING:
                break
            edited = case.last + timedelta(hours=random.uniform(1, 12))
            about = case.topic_id, case.title
            if about in made or edited > now - timedelta(hours=12) or _DOOR.search(case.text):
                continue
            version = queries.first_version(case, queries.answer_of(case)[1])
            with suppress(Refused):  # an answer that names somebody is left to people
                _one(case, version, edited, people, random, passes=len(made) >= WAITING)
                made.add(about)


def _one(case: Case, version: dict[str, str], at: datetime, people: People, random: Random, *, passes: bool) -> None:
    editor = people.any(Role.QUALITY, random)
    one = actions.propose(actor=editor, at=at, case=case, **version)
    if passes:
        reviewer = people.any(random.choice([Role.TEAM_LEADER, Role.HOTLINE_LEADER]), random, but=editor.pk)
        actions.review(actor=reviewer, at=at + timedelta(hours=random.uniform(0.5, 10)), publication=one, passes=True)
