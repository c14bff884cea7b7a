"""Loads and keeps what cases are measured by: topics, grounds for not accepting, coded reasons.

All or nothing, and again without harm: `organisations.loading` says what happens to rows that an administrator changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from minsheng.cases.choices import RequestKind
from minsheng.cases.models.phrase import Phrase
from minsheng.cases.models.reference import ReasonCode, ReasonList, RefusalGround, Topic
from minsheng.cases.reference_rules import validate_required_fields, validate_rules
from minsheng.errors import Refused
from minsheng.organisations import reference as organisations
from minsheng.organisations.actions import save_reference_row
from minsheng.organisations.loading import Count, Row, cells, read_csv, upsert
from minsheng.organisations.models import Unit
from minsheng.worktime import reference as worktime

DATA = Path(__file__).parent / "data"
# What higher rooms have loaded with ours, each by its Chinese name.
_others: dict[str, Callable[[], Count]] = {}


def also(name: str, load: Callable[[], Count]) -> None:
    """Have a higher room's data loaded with ours, in the same transaction; called in its `AppConfig.ready`."""
    _others[name] = load


@transaction.atomic
def load_reference(*, actor: Any, at: datetime) -> dict[str, Count]:
    """Calendar and limits, places, units, reasons, grounds, topics: all of the product's reference data, or none of it.

    ValueError where a data file contradicts itself. Returns what was done, by Chinese name.
    """
    worktime.load_reference(actor=actor, at=at)
    return {
        "地点": organisations.load_places(actor=actor, at=at),
        "承办单位": organisations.load_units(actor=actor, at=at),
        "原因代码": load_reasons(),
        "不予受理情形": load_grounds(),
        "主题": load_topics(),
        "常用语": load_phrases(),
        **{name: load() for name, load in _others.items()},
    }


def load_reasons() -> Count:
    """The coded reasons of `reasons.csv`. Within the caller's transaction."""
    rows = [
        {**row, "list": ReasonList(row["list"]).value, "order": int(row["order"])}
        for row in read_csv(DATA / "reasons.csv")
    ]
    return upsert(ReasonCode, rows, key=("list", "code"))


def load_grounds() -> Count:
    """The grounds of `refusal_grounds.csv`. Within the caller's transaction."""
    rows = [
        {
            **row,
            "order": int(row["order"]),
            "hotlines": cells(row["hotlines"]),
            "requires_leader_review": row["requires_leader_review"] == "1",
        }
        for row in read_csv(DATA / "refusal_grounds.csv")
    ]
    return upsert(RefusalGround, rows)


def load_topics() -> Count:
    """The topic tree of `topics.csv`, after units, grounds and reasons. Within the caller's transaction."""
    units = dict(Unit.objects.values_list("code", "pk"))
    routes = _routes()
    rows = [_topic_row(row, units, routes) for row in read_csv(DATA / "topics.csv")]
    count = Count()
    for level in (1, 2, 3):
        parents = dict(Topic.objects.filter(level=level - 1).values_list("code", "pk"))
        count += upsert(Topic, [_with_parent(row, parents) for row in rows if row["level"] == level])
    return count


def load_phrases() -> Count:
    """The centre's first templates of `phrases.csv`, while it has none: what the team leader deleted stays deleted."""
    count = Count()
    if not Phrase.objects.filter(owner__isnull=True).exists():
        rows = [Phrase(abbreviation=row["abbreviation"], text=row["text"]) for row in read_csv(DATA / "phrases.csv")]
        count.created = len(Phrase.objects.bulk_create(rows))
    return count


def _routes() -> set[str]:
    """What a topic's route may name: a number to connect to, or a ground with its legal way."""
    numbers = ReasonCode.objects.filter(list=ReasonList.TRANSFER).values_list("code", flat=True)
    return {*numbers, *RefusalGround.objects.values_list("code", flat=True)}


@transaction.atomic
def save_topic(*, actor: Any, at: datetime, topic: Topic) -> Topic:
    """Write a topic as an administrator has it in hand. Refused as `save_reference_row`.

    Also invalid: a code that does not lie under its parent; a leaf that has neither a route nor a lead; one that has
    both; a rule that names a unit which does not exist.
    """
    wrong = _contradiction(topic)
    if wrong:
        raise Refused("invalid", message=wrong)
    return save_reference_row(actor=actor, at=at, row=topic)


def _contradiction(topic: Topic) -> str:
    above = topic.parent.code if topic.parent else None
    if level_of(topic.code) != topic.level or parent_code(topic.code) != above:
        return f"代码 {topic.code} 与层级或上级不符。"
    if topic.route and topic.route not in _routes():
        return f"没有这个转接号码或不予受理情形：{topic.route}。"
    if topic.route and topic.lead_rule:
        return "转接或告知法定途径的主题不派单，请去掉主办规则。"
    if topic.is_dispatched and not topic.lead_rule:
        return "三级主题要有主办规则，或写明转接号码、法定途径。"
    if topic.lead_rule in ("city", "urban") and topic.default_lead is None:
        return "请选定市级主办单位。"
    named = {rule.removeprefix("unit:") for rule in topic.assisting_rules if rule.startswith("unit:")}
    unknown = named - set(Unit.objects.filter(code__in=named).values_list("code", flat=True))
    return f"没有这些单位：{'、'.join(sorted(unknown))}。" if unknown else ""


def level_of(code: str) -> int:
    """Third level unless the last two digits are 00; second unless the last four are."""
    return 1 if code.endswith("0000") else 2 if code.endswith("00") else 3


def parent_code(code: str) -> str | None:
    """010203 → 010200 → 010000 → None."""
    keep = 2 * (level_of(code) - 1)
    return code[:keep].ljust(6, "0") if keep else None


def _with_parent(row: Row, parents: Mapping[str, int]) -> Row:
    above = parent_code(row["code"])
    if above is not None and above not in parents:
        raise ValueError(f"topics.csv: {row['code']} has no parent {above}")
    return {**row, "parent_id": parents[above] if above else None}


def _topic_row(row: Mapping[str, str], units: Mapping[str, int], routes: Iterable[str]) -> Row:
    lead, assisting, route = row["default_lead"], cells(row["assisting_rules"]), row["route"]
    fields = [dict(zip(("name", "label"), field.split(":", 1), strict=True)) for field in cells(row["required_fields"])]
    named = [lead, *(rule.removeprefix("unit:") for rule in assisting if rule.startswith("unit:"))]
    unknown = [code for code in named if code and code not in units]
    if unknown or (route and route not in routes):
        raise ValueError(f"topics.csv: {row['code']} names what is not there: {unknown or route}")
    try:
        validate_rules([row["lead_rule"], *assisting] if row["lead_rule"] else assisting)
        validate_required_fields(fields)
    except ValidationError as error:
        raise ValueError(f"topics.csv: {row['code']}: {'; '.join(error.messages)}") from error
    return {
        "code": row["code"],
        "name": row["name"],
        "level": level_of(row["code"]),
        "aliases": cells(row["aliases"]),
        "keywords": cells(row["keywords"]),
        "default_kind": RequestKind(row["default_kind"]).value if row["default_kind"] else "",
        "default_lead_id": units[lead] if lead else None,
        "lead_rule": row["lead_rule"],
        "assisting_rules": assisting,
        "legal_basis": row["legal_basis"],
        "statutory_note": row["statutory_note"],
        "on_convenience_list": row["convenience"] == "1",
        "urgent": row["urgent"] == "1",
        "confidential_by_default": row["confidential"] == "1",
        "risk": row["risk"] == "1",
        "route": route,
        "required_fields": fields,
        "law_row": int(row["law_row"]) if row["law_row"] else None,
        "source": row["source"],
    }
