"""The whole lists that the boxes of a form search in the browser: topics, places, units; and what is likely to be chosen.

Each list is drawn once and kept until one of its rows changes (count, newest key and sum of versions are its stamp; and the day,
as validity goes by days), so that typing asks the server nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Max, Model, Sum
from django.template.loader import render_to_string

from minsheng.cases import reference_queries
from minsheng.cases.choices import RequestKind
from minsheng.cases.forms import PlaceField, TopicDetailsForm, TopicField, UnitField
from minsheng.cases.models import Case, Topic
from minsheng.organisations.models import Place, Unit
from minsheng.organisations.queries import valid_at
from minsheng.organisations.rules import local_day

KEPT_SECONDS = 24 * 3600
# What an agent chose in these days is likely to be chosen again; counted anew after some minutes.
USUAL_DAYS, USUAL_KEPT_SECONDS, USUAL_TOPICS = timedelta(days=7), 600, 8

Row = dict[str, Any]


def hints(topic: Topic) -> list[str]:
    """What an agent should know of a topic before accepting, each in a line."""
    told = []
    if topic.route:
        told.append(f"“{topic.name}”一般不派单：登记后请即时转接，或告知法定途径。")
    if topic.default_kind:
        told.append(f"通常为{RequestKind(topic.default_kind).label}。")
    if topic.urgent:
        told.append("紧急：承办单位须 24 小时内先期处置。")
    if topic.risk:
        told.append("涉人身安全或群体，请问清是否有人受伤、是否正在发生。")
    if topic.confidential_by_default:
        told.append("默认保密：承办单位看不到诉求人。")
    return told


def _topics(at: datetime) -> Iterator[Row]:
    """Leaves; with each what it brings: its usual kind, its hints and its own fields, drawn as the form draws them."""
    field = TopicField()
    for topic in reference_queries.leaf_topics(at=at):
        brings = ""
        if topic.required_fields:
            brings = render_to_string("cases/intake/_topic.html", {"hints": hints(topic), "extra": TopicDetailsForm(topic=topic)})
        yield _row(topic, field.path(topic)) | {
            "kind": topic.default_kind,
            "hints": "" if brings else "".join(hints(topic)),
            "brings": brings,
        }


def _places(at: datetime) -> Iterator[Row]:
    """Streets and counties; of those not dispatchable the reason is told."""
    field = PlaceField()
    for place in Place.objects.filter(valid_at(at)).select_related("parent").order_by("code"):
        yield _row(place, field.path(place) + (f"（{place.reason}）" if place.reason else ""))


def _units(at: datetime, *, dispatchable: bool = True) -> Iterator[Row]:
    field = UnitField()
    units = Unit.objects.filter(valid_at(at)).order_by("code")
    for unit in units.filter(dispatchable=True) if dispatchable else units:
        yield _row(unit, field.path(unit))


def _every(model: Any) -> Iterator[Row]:
    """Every part of a tree, to narrow lists by: of any level, also what is no longer valid, for old cases stand there."""
    rows: dict[int, Any] = {row.pk: row for row in model.objects.order_by("code")}
    for row in rows.values():
        names: list[str] = []
        above: Any = row
        while above is not None:
            names.append(above.name)
            above = rows.get(above.parent_id)
        yield _row(row, " / ".join(reversed(names)))


def _row(row: Any, path: str) -> Row:
    return {"value": row.pk, "label": row.name, "path": path, "code": row.code, "search": row.search_key}


LISTS: dict[str, tuple[type[Model], Callable[[datetime], Iterable[Row]]]] = {
    "topics": (Topic, _topics),
    "places": (Place, _places),
    "units": (Unit, _units),
    "all-units": (Unit, lambda at: _units(at, dispatchable=False)),
    "every-topic": (Topic, lambda at: _every(Topic)),
    "every-place": (Place, lambda at: _every(Place)),
    "every-unit": (Unit, lambda at: _every(Unit)),
}


def rows_of(which: str, *, at: datetime) -> tuple[str, str]:
    """(stamp, JSON) of one list; KeyError for another. One query while nothing has changed."""
    model, read = LISTS[which]
    now = model._default_manager.order_by().aggregate(n=Count("pk"), newest=Max("pk"), versions=Sum("version"))
    stamp = hashlib.sha256(f"{which} {local_day(at)} {sorted(now.items())}".encode()).hexdigest()[:16]
    kept: tuple[str, str] | None = cache.get(f"cases.rows.{which}")
    if kept is not None and kept[0] == stamp:
        return kept
    drawn = json.dumps({"rows": list(read(at))}, ensure_ascii=False, separators=(",", ":"))
    cache.set(f"cases.rows.{which}", (stamp, drawn), KEPT_SECONDS)
    return stamp, drawn


def usual_topics(user: Any, *, at: datetime) -> list[int]:
    """The topics that this person chose most often of late, the most frequent first. One query in some minutes."""
    key = f"cases.usual.{user.pk}"
    kept: list[int] | None = cache.get(key)
    if kept is None:
        taken = Case.objects.visible_to(user).filter(accepted_by=user, received_at__gte=at - USUAL_DAYS, topic__isnull=False)
        counted = taken.order_by().values("topic").annotate(n=Count("pk")).order_by("-n", "topic")
        kept = [row["topic"] for row in counted[:USUAL_TOPICS]]
        cache.set(key, kept, USUAL_KEPT_SECONDS)
    return kept
