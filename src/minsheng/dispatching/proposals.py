"""Up to three units for a case that waits for dispatch, each with its reason in words (design §4; domain.md §2.3).

The order of the reasons is the handbook's: what was ruled, what an upheld return named, the topic's own rule, the place's
county, the city's line department. Nothing is decided here: a dispatcher presses a key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse

from minsheng.accounts.queries import unattended
from minsheng.cases import clocks
from minsheng.cases.choices import AskKind, AskState
from minsheng.cases.models import Ask, Case, ReasonCode, RefusalGround
from minsheng.cases.models.reference import ReasonList
from minsheng.cases.reference_rules import resolve_assisting, resolve_lead
from minsheng.organisations import queries as organisations
from minsheng.organisations.queries import valid_at
from minsheng.worktime import wording
from minsheng.worktime.moments import local

if TYPE_CHECKING:
    from minsheng.organisations.models import Unit

MOST = 3
NOBODY = "没有能查阅的人员账号"
ACCUSED = "是被反映单位或其上下级，不能承办"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One line: a unit or what to do instead. `refused` says why it must not be chosen; `caution` what speaks against it."""

    reason: str
    key: str = ""
    unit: Unit | None = None
    refused: str = ""
    caution: str = ""
    label: str = ""
    url: str = ""

    @property
    def name(self) -> str:
        """What the line is headed with."""
        return self.unit.name if self.unit else self.label


def propose(case: Case, *, at: datetime) -> list[Proposal]:
    """The proposals for a case, keyed 1 2 3 where they may be taken. Its topic and place (with parent) should be loaded."""
    if case.topic is None:
        return [_elsewhere(case, "还没有主题：先更正要素，选定主题后才能推荐承办单位。", "更正要素", "correct")]
    if case.topic.route:
        return [_route(case, case.topic.route, at)]
    kin = organisations.relatives(case.accused_unit_id) if case.accused_unit_id else set()
    came_back = {unit.pk for unit in returned_by(case)}
    candidates = list(_candidates(case, at))
    empty = unattended(unit.pk for unit, _ in candidates)
    found: list[Proposal] = []
    key = 0
    for unit, reason in candidates:
        if any(unit == other.unit for other in found):
            continue
        accused = unit.pk in kin
        key += not accused
        against = ["已就这件诉求退过件"] * (unit.pk in came_back) + [NOBODY] * (unit.pk in empty)
        found.append(
            Proposal(
                unit=unit,
                reason=reason,
                key="" if accused else str(key),
                refused=ACCUSED if accused else "",
                caution="" if accused else "；".join(against),
                url=act_url(case, "dispatch", lead=unit.pk),
            )
        )
        if len(found) == MOST:
            break
    return found or [_elsewhere(case, resolve_lead(case.topic, case.place, at=at).reason, "送研判", "send_to_study")]


def assisting_for(case: Case, lead: Unit | None, *, at: datetime) -> list[tuple[Unit, str]]:
    """Units that the topic names to assist, with the reason: neither the lead nor whom the case is against."""
    if case.topic is None:
        return []
    kin = organisations.relatives(case.accused_unit_id) if case.accused_unit_id else set()
    found = resolve_assisting(case.topic, case.place, at=at)
    named = [(p.unit, p.reason) for p in found if p.unit is not None and p.unit != lead and p.unit.pk not in kin]
    empty = unattended(unit.pk for unit, _ in named)
    return [(unit, f"{reason}；{NOBODY}" if unit.pk in empty else reason) for unit, reason in named]


def nobody_reads(units: Sequence[Unit]) -> str:
    """A sentence for the dispatcher where a chosen unit has nobody who could read the case; empty where all have."""
    empty = unattended(unit.pk for unit in units)
    names = "、".join(unit.name for unit in units if unit.pk in empty)
    return f"注意：{names}{NOBODY}，请电话告知该单位，并请系统管理员补上账号。" if names else ""


def returned_by(case: Case) -> list[Unit]:
    """Units whose return of this case was upheld."""
    granted = Ask.objects.filter(task__case=case, kind=AskKind.RETURN, state=AskState.GRANTED)
    return [ask.task.unit for ask in granted.select_related("task__unit").order_by("-decided_at", "-id")]


def consequence(
    case: Case,
    units: Sequence[Unit],
    *,
    at: datetime,
    verb: str = "批转",
    part: str = "主办单位",
    told: str = "群众将收到短信",
    lead: bool = True,
) -> str:
    """What pressing the button will start, in one line (screens.md). `lead`: the unit owes first measures too."""
    made, year = clocks.task_clocks(case, at=at), local(at).year

    def words(due: datetime) -> str:
        return wording.due_words(due, year=year, weekday=False)

    first = f"、{words(made.first_measures.due_at)}先行处置" if lead and made.first_measures else ""
    provisional = "（暂定）" if made.handling.is_provisional else ""
    names = "、".join(unit.name for unit in units) or part
    return f"{verb}后：{names} {words(made.read.due_at)}查阅{first}、{words(made.handling.due_at)}办结{provisional}，{told}。"


def act_url(case: Case, code: str, **given: object) -> str:
    """Where an action's form is, with what is already known filled in."""
    url = reverse("cases:act", args=[case.number, code])
    return f"{url}?{urlencode(given)}" if given else url


# --- parts -------------------------------------------------------------------------------------------------------


def _candidates(case: Case, at: datetime) -> Iterator[tuple[Unit, str]]:
    assert case.topic is not None
    if case.ruled_unit is not None:
        yield case.ruled_unit, "研判指定，不能再退"
    for unit, by in _named_in_returns(case):
        if unit.dispatchable and unit.is_valid(at):
            yield unit, f"{by}退件时建议，已审核同意"
    lead = resolve_lead(case.topic, case.place, at=at)
    if lead.unit is not None:
        yield lead.unit, lead.reason
    if case.place is not None and case.place.dispatchable:
        county = organisations.county_government(case.place, at=at)
        if county is not None:
            yield county, f"属地县（市）区政府：事发地在{organisations.county_of(case.place).name}"
    city = case.topic.default_lead
    if city is not None and city.dispatchable and city.is_valid(at):
        yield city, f"{case.topic.name}的市级主管部门"


def _named_in_returns(case: Case) -> Iterator[tuple[Unit, str]]:
    granted = Ask.objects.filter(
        task__case=case, kind=AskKind.RETURN, state=AskState.GRANTED, proposed_unit__isnull=False
    ).select_related("proposed_unit", "task__unit")
    for ask in granted.order_by("-decided_at", "-id"):
        if ask.proposed_unit is not None:
            yield ask.proposed_unit, ask.task.unit.name


def _route(case: Case, route: str, at: datetime) -> Proposal:
    """A topic that is not dispatched: connect, or name the legal way."""
    assert case.topic is not None
    target = ReasonCode.objects.filter(valid_at(at), list=ReasonList.TRANSFER, code=route).first()
    if target is not None:
        reason = f"“{case.topic.name}”不派单：{target.text or '请即时转接'}"
        return _elsewhere(case, reason, f"即时转接：{target.label}", "transfer", key="1", target=target.pk)
    ground = RefusalGround.objects.filter(valid_at(at), code=route).first()
    if ground is not None:
        reason = f"“{case.topic.name}”不派单，法定途径：{ground.legal_route or ground.name}"
        return _elsewhere(case, reason, f"不予受理：{ground.name}", "reject", key="1", ground=ground.pk)
    return _elsewhere(case, f"“{case.topic.name}”不派单：请告知法定途径。", "不予受理", "reject", key="1")


def _elsewhere(case: Case, reason: str, label: str, code: str, *, key: str = "", **given: object) -> Proposal:
    return Proposal(reason=reason, label=label, key=key or "1", url=act_url(case, code, **given))


