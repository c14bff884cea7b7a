"""Plans two thousand lives over the last sixty days and lets them be lived, on both cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

from django.conf import settings
from django.db import connection, connections, transaction

from minsheng.cases import indexing
from minsheng.cases.actions import archive_case
from minsheng.cases.choices import CaseState, RequestKind
from minsheng.cases.models import Case, Contact, ReasonCode, RefusalGround, Topic
from minsheng.cases.reference_rules import resolve_assisting, resolve_lead
from minsheng.cases.streets import learn_streets
from minsheng.channels.demo.lives import SOURCE, Life, Plan, Reference
from minsheng.channels.demo.people import People
from minsheng.channels.demo.published import publish
from minsheng.channels.demo.words import topics_with_words
from minsheng.errors import Refused
from minsheng.organisations.models import Place, Unit
from minsheng.organisations.queries import dispatchable_units
from minsheng.worktime.moments import day_of

DAYS = 60
SEED = 12345
_KINDS = [RequestKind.CONSULTATION] * 36 + [RequestKind.HELP] * 28 + [RequestKind.COMPLAINT] * 26
_KINDS += [RequestKind.REPORT] * 5 + [RequestKind.SUGGESTION] * 4 + [RequestKind.PRAISE]
# Where the demonstration's own unit logins work; a third of the cases happen there, so that their desks are full.
_HOME_COUNTY = "350104"

Say = Callable[[int], None]


def load(*, now: datetime, cases: int, processes: int, say: Say) -> int:
    """Make what is missing of the made-up cases; returns how many lives were begun. Errors: Refused outside a demonstration."""
    if not settings.DEMO:
        raise Refused("invalid", message="这里不是演示环境，不能生成演示诉求。")
    known = set(Contact.objects.filter(source=SOURCE).values_list("source_id", flat=True))
    known |= set(Case.objects.filter(made_up=True, state=CaseState.DRAFT).values_list(f"extra__{SOURCE}", flat=True))
    plans = [plan for plan in _plans(now, cases) if str(plan.index) not in known]
    people = People(now)
    with transaction.atomic():
        _engage(people, plans)
    if processes > 1:
        _in_parallel(plans, people, now, processes, say)
    else:
        _live(plans, people, now, say)
    _archive(now)
    publish(now=now, people=people, random=Random(f"{SEED}:published"))  # noqa: S311
    learn_streets(at=now)
    return len(plans)


def _plans(now: datetime, cases: int) -> list[Plan]:
    random = Random(f"{SEED}:{day_of(now)}")  # noqa: S311 - chance, not secrecy
    topics = list(Topic.objects.filter(code__in=topics_with_words()).select_related("default_lead").order_by("code"))
    places = list(Place.objects.filter(dispatchable=True, level="street").select_related("parent").order_by("code"))
    near = [place for place in places if place.code.startswith(_HOME_COUNTY)]
    routes = _Routes(now)
    made = []
    for index in range(cases):
        recent = random.random() < 0.3
        ago = random.uniform(0.1, 5 * 24 if recent else DAYS * 24)
        topic, place = random.choice(topics), random.choice(near if random.random() < 0.35 else places)
        kind = topic.default_kind if topic.default_kind and random.random() < 0.6 else random.choice(_KINDS)
        lead, assisting = routes.of(topic, place)
        made.append(Plan(index, now - timedelta(hours=ago), topic, place, kind, lead, assisting))
    return made


class _Routes:
    """Which units a topic and a place mean; worked out once for each pair."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._units = list(dispatchable_units(at=at))
        self._known: dict[tuple[int, int], tuple[Unit | None, list[Unit]]] = {}

    def of(self, topic: Topic, place: Place) -> tuple[Unit | None, list[Unit]]:
        """Lead and assisting."""
        key = (topic.pk, place.pk)
        if key not in self._known:
            lead = resolve_lead(topic, place, at=self._at, among=self._units).unit
            assisting = resolve_assisting(topic, place, at=self._at, among=self._units)
            others = [proposal.unit for proposal in assisting if proposal.unit is not None]
            self._known[key] = (lead, others)
        return self._known[key]


def _engage(people: People, plans: Sequence[Plan]) -> None:
    """Everybody who will act, before the lives begin: two processes must not make the same person."""
    units = {u.pk: u for plan in plans for u in [plan.lead, *plan.assisting] if u is not None}
    parents = Unit.objects.filter(pk__in={u.parent_id for u in units.values() if u.parent_id}, dispatchable=True)
    units |= {u.pk: u for u in parents}
    units |= {
        u.pk: u for u in Unit.objects.filter(pk__in={u.parent_id for u in parents if u.parent_id}, dispatchable=True)
    }
    for unit in units.values():
        people.liaison(unit)
        people.leader(unit)


def _live(plans: Sequence[Plan], people: People, now: datetime, say: Say) -> None:
    """One life after another, each whole or not at all."""
    reference = Reference(
        grounds=list(RefusalGround.objects.order_by("order")),
        lines=list(ReasonCode.objects.filter(list="transfer").order_by("order")),
    )
    for count, plan in enumerate(plans, start=1):
        random = Random(f"{SEED}:{plan.index}")  # noqa: S311
        with transaction.atomic(), indexing.once():
            # Nothing waits for the disk: a life that a power cut takes is made again.
            connection.cursor().execute("SET LOCAL synchronous_commit TO off")
            Life(plan, random, people, reference, now).live()
        if count % 100 == 0:
            say(count)


def _in_parallel(plans: Sequence[Plan], people: People, now: datetime, processes: int, say: Say) -> None:
    """Fork: each child lives every n-th plan over a connection of its own. A child that fails fails the whole."""
    connections.close_all()
    children = []
    for part in range(processes):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                mine = plans[part::processes]
                _live(mine, people, now, (lambda count: say(count * processes)) if part == 0 else (lambda count: None))
                status = 0
            finally:
                connections.close_all()
                os._exit(status)
        children.append(child)
    failed = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    if any(failed):
        raise RuntimeError("made-up cases could not all be made; run it again, it goes on where it stopped")


def _archive(now: datetime) -> None:
    """The oldest closed ones have been archived, as the nightly job would have."""
    quiet = now - timedelta(days=settings.HOTLINE["archive_after_days"])
    for case in Case.objects.filter(made_up=True, state=CaseState.CLOSED, closed_at__lt=quiet):
        archive_case(at=now, case=case)
