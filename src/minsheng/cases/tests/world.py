"""A small Fuzhou for tests: two districts' worth of units, one person per role (two where nobody may audit themselves)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.cases import actions, pressing
from minsheng.cases.choices import Channel, RequestKind
from minsheng.cases.details import ApplicantDetails, CaseDetails
from minsheng.cases.models import Ask, Case, ReasonCode, RefusalGround, Task, Topic
from minsheng.organisations.choices import Line, PlaceLevel, UnitKind
from minsheng.organisations.models import Place, Unit
from minsheng.worktime import queries as worktime
from minsheng.worktime.models import CalendarDay, CalendarYear, LimitPolicy
from minsheng.worktime.reference import load_reference

SHANGHAI = ZoneInfo("Asia/Shanghai")


def moment(text: str) -> datetime:
    """“2026-11-24 23:40” in Shanghai."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)


START = moment("2026-11-24 09:00")  # a Tuesday in an ordinary week


@dataclass
class World:
    """What a test may name. `people` by role or by unit's short name: agent, dispatcher, dispatcher2, …, 城管联络, 城管领导."""

    places: dict[str, Place] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    topics: dict[str, Topic] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)
    now: datetime = START

    def __getitem__(self, name: str) -> User:
        return self.people[name]

    def later(self, **delta: float) -> datetime:
        """Let time pass; returns the new now."""
        self.now += timedelta(**delta)
        return self.now

    # --- cases at each stage of the usual way --------------------------------------------------------------------

    def submitted(self, **changes: Any) -> Case:
        """A citizen's complaint about night noise, waiting for acceptance."""
        applicant = changes.pop("applicant", ApplicantDetails(name="林小满", phone="13800138000"))
        actor = changes.pop("actor", self["agent"])
        values: dict[str, Any] = {
            "kind": RequestKind.COMPLAINT,
            "text": "工地半夜打桩，吵得一家人睡不着，请管一管。",
            "topic": self.topics["夜间施工噪声"],
            "place": self.places["建新镇"],
            "address": "建新镇金山大道 618 号附近",
        } | changes
        return actions.submit_case(
            actor=actor,
            at=self.now,
            channel=Channel.PHONE,
            details=CaseDetails(**values),
            applicant=applicant,
            submission=uuid4(),
        )

    def accepted(self, **changes: Any) -> Case:
        """Waiting for dispatch."""
        return actions.accept_case(actor=self["agent"], at=self.later(minutes=5), case=self.submitted(**changes))

    def dispatched(self, *assisting: str, lead: str = "仓山城管", **changes: Any) -> Case:
        """With the lead unit, unread."""
        from minsheng.dispatching.actions import dispatch_case

        case = self.accepted(**changes)
        return dispatch_case(
            actor=self["dispatcher"],
            at=self.later(minutes=10),
            case=case,
            lead=self.units[lead],
            assisting=[self.units[name] for name in assisting],
            unit_text="有人反映工地夜间施工。" if case.confidential else "",
        )

    def handling(self, *assisting: str, **changes: Any) -> Case:
        """Read by the lead."""
        case = self.dispatched(*assisting, **changes)
        actions.read_task(actor=self["城管联络"], at=self.later(minutes=30), task=self.lead(case))
        return fresh(case)

    def drafted(self, *assisting: str, **changes: Any) -> Case:
        """A reply waits for the leader's signature."""
        case = self.handling(*assisting, **changes)
        self.draft(case)
        return fresh(case)

    def draft(self, case: Case) -> None:
        """The lead's liaison writes a reply."""
        actions.draft_reply(
            actor=self["城管联络"],
            at=self.later(hours=2),
            task=self.lead(case),
            text="经现场核查，该工地已停止夜间施工，并已对责任单位教育整改。",
            finding="true",
            outcome="supported",
            solved="yes",
            basis="《噪声污染防治法》第四十三条",
        )

    def replied(self, *assisting: str, **changes: Any) -> Case:
        """Signed, waiting for audit."""
        case = self.drafted(*assisting, **changes)
        actions.sign_reply(actor=self["城管领导"], at=self.later(hours=1), task=self.lead(case))
        return fresh(case)

    def audited(self, **changes: Any) -> Case:
        """Passed, waiting for follow-up."""
        case = self.replied(**changes)
        return actions.pass_reply(actor=self["auditor"], at=self.later(hours=1), case=case)

    def lead(self, case: Case) -> Task:
        """The lead's current task."""
        return case.tasks.filter(role="lead").exclude(state__in=["returned", "recalled"]).latest("id")

    def task_of(self, case: Case, unit: str) -> Task:
        """A named unit's newest task."""
        return case.tasks.filter(unit=self.units[unit]).latest("id")


def fresh(case: Case) -> Case:
    """As the database has it."""
    return Case.objects.get(pk=case.pk)


def press_anew(case: Case) -> Case:
    """What presses on a case, told again from its rows: for tests that have set a clock by themselves."""
    case = fresh(case)
    pressing.keep(case, case.tasks.select_related("unit"), Ask.objects.filter(task__case=case).select_related("task__unit"))
    case.save()
    return case


# What `_build` writes, in an order in which nothing refers to what is not there yet.
_WRITTEN = (CalendarYear, CalendarDay, LimitPolicy, Place, Unit, User, Topic, RefusalGround, ReasonCode)
_first: list[tuple[World, list[list[Any]]]] = []


def build() -> World:
    """The small city, its calendar and limits, and its people. Call inside a test's transaction.

    Two hundred and fifty statements the first time; afterwards the same rows are written again, table by table: where nothing is
    there yet.
    """
    if CalendarYear.objects.exists():
        return _build()
    if not _first:
        world = _build()
        _first.append((deepcopy(world), [list(model._default_manager.order_by("pk")) for model in _WRITTEN]))
        return world
    world, tables = deepcopy(_first[0])
    for model, rows in zip(_WRITTEN, tables, strict=True):
        for row in rows:
            row._state.adding = True
        model._default_manager.bulk_create(rows)
    worktime.forget()  # as the actions would have said: what an earlier test read is no longer true
    worktime.calendar()  # and read anew, before somebody counts what a screen reads
    return world


def _build() -> World:
    world = World()
    load_reference(actor=None, at=START)
    _places(world)
    _units(world)
    _people(world)
    _topics(world)
    RefusalGround.objects.create(code="litigation", name="涉法涉诉", text="请向人民法院提出，可拨打 12368。", requires_leader_review=True)
    RefusalGround.objects.create(code="out_of_city", name="非本市管辖", text="请拨打当地 12345。")
    ReasonCode.objects.create(list="transfer", code="110", label="110 报警服务台", text="请向警察说明地点。")
    ReasonCode.objects.create(list="reply_refusal", code="no_process", label="无办理过程")
    ReasonCode.objects.create(list="return", code="duty", label="职责不符")
    return world


def _places(world: World) -> None:
    cangshan = Place.objects.create(code="350104", name="仓山区", level=PlaceLevel.COUNTY)
    street = Place.objects.create(code="350104100", name="建新镇", level=PlaceLevel.STREET, parent=cangshan)
    gulou = Place.objects.create(code="350102", name="鼓楼区", level=PlaceLevel.COUNTY)
    world.places = {"仓山区": cangshan, "建新镇": street, "鼓楼区": gulou}


def _units(world: World) -> None:
    def unit(code: str, name: str, short: str, kind: str, parent: Unit | None, **more: Any) -> Unit:
        made = Unit.objects.create(code=code, name=name, short_name=short, kind=kind, parent=parent, **more)
        world.units[short] = made
        return made

    city = unit("3501", "福州市人民政府", "福州市", UnitKind.CITY, None, dispatchable=False)
    unit("3501-hjj", "福州市生态环境局", "生态环境", UnitKind.DEPARTMENT, city, line=Line.ECOLOGY)
    unit("3501-sw", "福州水务", "水务", UnitKind.UTILITY, city)
    for code, name in (("350104", "仓山"), ("350102", "鼓楼")):
        place = world.places[f"{name}区"]
        county = unit(code, f"{name}区人民政府", f"{name}区政府", UnitKind.COUNTY, city, place=place)
        unit(f"{code}-cg", f"{name}区城市管理局", f"{name}城管", UnitKind.BUREAU, county, place=place, line=Line.CITY_MANAGEMENT)
        unit(f"{code}-zj", f"{name}区住房和城乡建设局", f"{name}住建", UnitKind.BUREAU, county, place=place, line=Line.HOUSING)
    street = unit("350104100", "建新镇人民政府", "建新镇", UnitKind.STREET, world.units["仓山区政府"], place=world.places["建新镇"])
    unit("350104-cg-1", "仓山区城市管理局建新中队", "建新中队", UnitKind.BUREAU, world.units["仓山城管"])
    assert street.parent_id


_CENTRE = {
    "agent": Role.AGENT,
    "agent2": Role.AGENT,
    "team_leader": Role.TEAM_LEADER,
    "dispatcher": Role.DISPATCHER,
    "dispatcher2": Role.DISPATCHER,
    "auditor": Role.AUDITOR,
    "auditor2": Role.AUDITOR,
    "follow_up": Role.FOLLOW_UP,
    "follow_up2": Role.FOLLOW_UP,
    "quality": Role.QUALITY,
    "supervisor": Role.SUPERVISOR,
    "knowledge": Role.KNOWLEDGE,
    "analyst": Role.ANALYST,
    "hotline_leader": Role.HOTLINE_LEADER,
    "inspector": Role.INSPECTOR,
    "system_admin": Role.SYSTEM_ADMIN,
    "security_admin": Role.SECURITY_ADMIN,
    "audit_admin": Role.AUDIT_ADMIN,
}
_UNITS = {
    "城管": "仓山城管",
    "区政府": "仓山区政府",
    "环境": "生态环境",
    "建新": "建新镇",
    "中队": "建新中队",
    "鼓楼城管": "鼓楼城管",
    "水务": "水务",
}


def _people(world: World) -> None:
    def person(name: str, role: Role, unit: Unit | None = None) -> None:
        world.people[name] = User.objects.create(
            username=f"u{len(world.people)}", display_name=name, roles=[role], unit=unit, password="!"
        )

    for name, role in _CENTRE.items():
        person(name, role)
    for short, unit_name in _UNITS.items():
        person(f"{short}联络", Role.UNIT_LIAISON, world.units[unit_name])
        person(f"{short}领导", Role.UNIT_LEADER, world.units[unit_name])


def _topics(world: World) -> None:
    life = Topic.objects.create(code="010000", name="环境噪声", level=1)
    noise = Topic.objects.create(code="010100", name="施工噪声", level=2, parent=life)

    def leaf(code: str, name: str, **more: Any) -> None:
        world.topics[name] = Topic.objects.create(code=code, name=name, level=3, parent=noise, **more)

    leaf(
        "010101",
        "夜间施工噪声",
        lead_rule="bureau:city_management",
        assisting_rules=["unit:3501-hjj"],
        default_lead=world.units["生态环境"],
        legal_basis="《噪声污染防治法》第四十三条",
        on_convenience_list=True,
        default_kind="complaint",
    )
    leaf("010102", "道路塌陷", lead_rule="bureau:housing", urgent=True, on_convenience_list=True)
    leaf("010103", "干部作风", route="discipline", confidential_by_default=True)
    leaf("010104", "政策咨询", lead_rule="city", default_lead=world.units["生态环境"], default_kind="consultation")
