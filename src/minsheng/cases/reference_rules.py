"""From a topic and a place to the units that should handle it, each with the reason that the dispatcher is shown.

A rule is one of `city` (the topic's city lead), `bureau:<line>` (that bureau of the place's county), `county` (its
government), `street` (the street or town itself), `urban` (the city lead within the five urban districts, elsewhere the
county's government: water, gas, buses), `unit:<code>` (a named unit; assisting only).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.exceptions import ValidationError

from minsheng.organisations import queries
from minsheng.organisations.choices import Line, PlaceLevel, UnitKind
from minsheng.organisations.models import Place, Unit

if TYPE_CHECKING:
    from minsheng.cases.models.reference import Topic

PLAIN_RULES = {"city": "市级主办", "county": "县（市）区政府", "street": "乡镇街道", "urban": "五城区市级，他处县（市）区政府"}
# 五城区, where the city's own utilities serve (福州2010报道; whether Changle is to be the sixth is unsourced).
URBAN_COUNTIES = frozenset({"350102", "350103", "350104", "350105", "350111"})


def validate_rule(rule: str) -> None:
    """A lead rule: `city`, `urban`, `county`, `street` or `bureau:<line>`."""
    kind, _, rest = rule.partition(":")
    if rule not in PLAIN_RULES and not (kind == "bureau" and rest in Line.values):
        raise ValidationError(f"不认识的规则：{rule}")


def in_words(rule: str) -> str:
    """“属地城管部门” for `bureau:city_management`; "" for none."""
    kind, _, line = rule.partition(":")
    return f"属地{Line(line).label}部门" if kind == "bureau" and line in Line.values else PLAIN_RULES.get(rule, rule)


def validate_rules(rules: Iterable[str]) -> None:
    """Assisting rules: as for the lead, and `unit:<code>`."""
    for rule in rules:
        if not (rule.startswith("unit:") and len(rule) > len("unit:")):
            validate_rule(rule)


def _is_field(field: Any) -> bool:
    return (
        isinstance(field, dict)
        and set(field) == {"name", "label"}
        and str(field["name"]).isidentifier()
        and bool(field["label"])
    )


def validate_required_fields(fields: Any) -> None:
    """A list of `{"name": identifier, "label": words}`, no name twice."""
    if not isinstance(fields, list) or not all(map(_is_field, fields)):
        raise ValidationError('应为 [{"name": "英文名", "label": "中文名"}] 的列表')
    if len({f["name"] for f in fields}) < len(fields):
        raise ValidationError("字段名重复")


class Proposal(NamedTuple):
    """A unit proposed, and the sentence that says why; no unit where the sentence says what to do instead."""

    unit: Unit | None
    reason: str


def resolve_lead(topic: Topic, place: Place | None, *, at: datetime, among: Sequence[Unit] | None = None) -> Proposal:
    """The lead that topic and place point to. Two queries at most; `place.parent` should be loaded.

    `among`: all dispatchable units valid at that moment, in the order of their codes, for who asks many times.

    Never guesses: without a rule, for an undispatchable place, or where nobody serves, the unit is None and the
    sentence says what is to be done.
    """
    refusal = _why_not_dispatched(topic, place)
    if refusal:
        return Proposal(None, refusal)
    found = _Candidates(topic, place, [topic.lead_rule], at=at, among=among).find(topic.lead_rule)
    if found.unit is None:
        return Proposal(None, f"{topic.name}：{found.reason}")
    basis = f"：{topic.legal_basis}" if topic.legal_basis else "（依据未载明）"
    return Proposal(found.unit, f"{topic.name} → {found.reason}{basis}")


def resolve_assisting(
    topic: Topic, place: Place | None, *, at: datetime, among: Sequence[Unit] | None = None
) -> list[Proposal]:
    """The assisting units that topic and place point to: not the lead, none twice. Two queries at most; `among` as for the lead."""
    if _why_not_dispatched(topic, place):
        return []
    rules = [topic.lead_rule, *topic.assisting_rules]
    candidates = _Candidates(topic, place, rules, at=at, among=among)
    lead = candidates.find(topic.lead_rule).unit
    seen = {lead.pk if lead else None}
    proposals = []
    for rule in topic.assisting_rules:
        found = candidates.find(rule)
        if found.unit is not None and found.unit.pk not in seen:
            seen.add(found.unit.pk)
            proposals.append(Proposal(found.unit, f"{topic.name}协办 → {found.reason}"))
    return proposals


def _why_not_dispatched(topic: Topic, place: Place | None) -> str:
    if topic.route:
        return f"{topic.name}：不派单，请按“{topic.route}”转接或告知法定途径。"
    if not topic.lead_rule:
        return f"{topic.name}：没有主办规则，请选择更细的主题或人工确定承办单位。"
    if place is not None and not place.dispatchable:
        return f"{place.name}：{place.reason}"
    return ""


class _Candidates:
    """The units that a topic's rules can mean at a place: read in one query, or found among those given."""

    def __init__(
        self, topic: Topic, place: Place | None, rules: Iterable[str], *, at: datetime, among: Sequence[Unit] | None
    ) -> None:
        self.topic, self.place, self.at = topic, place, at
        self.county = queries.county_of(place) if place else None
        places = {p.pk for p in (place, self.county) if p}
        codes = {rule.removeprefix("unit:") for rule in rules if rule.startswith("unit:")}
        lead = topic.default_lead_id
        self.units = (
            list(queries.candidates(places=places, codes=codes, keys=[lead], at=at))
            if among is None
            else [u for u in among if u.place_id in places or u.code in codes or u.pk == lead]
        )

    def find(self, rule: str) -> Proposal:
        """The unit that one rule means, with the words for it."""
        kind, _, rest = rule.partition(":")
        if kind == "unit":
            return self._named(rest)
        if kind == "city":
            return self._city("市级主办")
        if self.place is None or self.county is None:
            return self._city("地点未定，先报市级主办")
        if kind == "street":
            return self._street()
        if kind == "bureau":
            return self._bureau(rest)
        if kind == "urban" and self.county.code in URBAN_COUNTIES:
            return self._city("五城区由市级主办")
        return self._county("属地县（市）区政府")

    def _said(self, unit: Unit | None, words: str) -> Proposal:
        return Proposal(unit, f"{words}（{unit.name}）" if unit else "")

    def _named(self, code: str) -> Proposal:
        return self._said(next((u for u in self.units if u.code == code), None), "指定单位")

    def _city(self, words: str) -> Proposal:
        key = self.topic.default_lead_id
        if key is None:
            return Proposal(None, "请先选定事发地，才能定属地主办单位。")
        unit = next((u for u in self.units if u.pk == key), None)
        if unit is None:  # no longer valid: its work went to a successor
            unit = queries.successor_at(Unit.objects.get(pk=key), at=self.at)
        return self._said(unit, words) if unit else Proposal(None, "市级主办单位已撤销且没有承继单位，请人工确定。")

    def _street(self) -> Proposal:
        unit = self._serving(self.place, kind=UnitKind.STREET)
        if unit:
            return self._said(unit, "属地乡镇街道")
        assert self.place is not None
        if self.place.level == PlaceLevel.COUNTY:
            return self._county("地点只到县（市）区，由其政府转乡镇街道")
        return self._county("该乡镇街道未设承办单位，由县（市）区政府办理")

    def _bureau(self, line: str) -> Proposal:
        unit = self._serving(self.county, line=line)
        label = Line(line).label
        if unit:
            return self._said(unit, f"属地{label}部门")
        if self.topic.default_lead_id:
            return self._city(f"属地未设{label}部门，由市级主办")
        return self._county(f"属地未设{label}部门，由县（市）区政府办理")

    def _county(self, words: str) -> Proposal:
        unit = self._serving(self.county, kind=UnitKind.COUNTY)
        return self._said(unit, words) if unit else self._city("属地没有承办单位，报市级主办")

    def _serving(self, place: Place | None, *, kind: str = "", line: str = "") -> Unit | None:
        here = (u for u in self.units if place is not None and u.place_id == place.pk)
        return next((u for u in here if (not kind or u.kind == kind) and (not line or u.line == line)), None)
