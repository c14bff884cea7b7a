"""
What a list of cases, of tasks or of asks is narrowed by: read from an address, shown as chips, applied as conditions.

    filters = read(request.GET, at=at)
    Case.objects.visible_to(user).filter(filters.on_cases())

Nothing here draws: lists, exports and the map share it. Values stand in addresses, so none is personal. A value that means
nothing is left out, and `problems` says so in a sentence; no value can cause an error.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q
from django.http import QueryDict

from minsheng.cases import lights
from minsheng.cases.choices import (
    GONE_TASK_STATES,
    AskKind,
    AskState,
    CaseState,
    Channel,
    RequestKind,
    TaskState,
    Urgency,
)
from minsheng.cases.models import Task, Topic
from minsheng.organisations import rules as trees
from minsheng.organisations.models import Place, Unit
from minsheng.worktime.moments import ONE_DAY, day_of, end_of, midnight

# --- the choices ---------------------------------------------------------------------------------------------------

_STATES = [(state.value, state.label) for state in CaseState if state is not CaseState.DRAFT]
_TASK_STATES = [(state.value, state.label) for state in TaskState if state not in GONE_TASK_STATES]
_LIGHTS = [("red", "红灯"), ("orange", "橙灯"), ("yellow", "黄灯"), ("none", "未亮灯")]
CHOICES: dict[str, tuple[str, list[tuple[str, Any]]]] = {
    "ask_kind": ("申请事项", list(AskKind.choices)),
    "ask_state": ("审核结果", list(AskState.choices)),
    "state": ("状态", _STATES),
    "task_state": ("任务状态", _TASK_STATES),
    "kind": ("类型", list(RequestKind.choices)),
    "urgency": ("紧急程度", [(each.value, each.label) for each in reversed(Urgency)]),
    "light": ("时限灯", _LIGHTS),
    "channel": ("渠道", list(Channel.choices)),
}
TREES: Mapping[str, tuple[str, Any]] = {"topic": ("主题", Topic), "place": ("地点", Place), "unit": ("单位", Unit)}
DAYS: Mapping[str, str] = {"received": "收件", "due": "到期", "closed": "办结"}
_PAST = {
    "today": "今天", "yesterday": "昨天", "week": "本周", "7d": "近 7 天", "30d": "近 30 天", "month": "本月", "last_month": "上月"
}  # fmt: skip
PRESETS: Mapping[str, Mapping[str, str]] = {
    "received": _PAST,
    "closed": _PAST,
    "due": {"overdue": "已到期", "today": "今天", "tomorrow": "明天", "week": "本周", "next_week": "下周"},
}  # fmt: skip
ALL = (*CHOICES, *TREES, *DAYS)
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)
_offered: dict[str, Callable[[Collection[str]], Q]] = {}


def offer(name: str, label: str, choices: Sequence[tuple[str, Any]], condition: Callable[[Collection[str]], Q]) -> None:
    """A choice that a higher room's lists have beside these. `condition` of the values chosen, on the model of those lists."""
    CHOICES[name], _offered[name] = (label, list(choices)), condition


def names_of(field_name: str) -> tuple[str, ...]:
    """The parameters of an address that one filter takes."""
    return (field_name, f"{field_name}_from", f"{field_name}_to") if field_name in DAYS else (field_name,)


@dataclass(frozen=True, slots=True)
class Node:
    """A chosen part of a tree: its path, and everything below it."""

    key: int
    name: str
    path: str
    below: frozenset[int]


@dataclass(frozen=True, slots=True)
class Days:
    """From the first to the last day, both included; None: open. `preset` where it was chosen by name."""

    first: date | None
    last: date | None
    preset: str = ""


@dataclass(frozen=True, slots=True)
class Chip:
    """One active filter in words, and the parameters that are left when it is taken away."""

    label: str
    text: str
    rest: str


@dataclass(frozen=True)
class Filters:
    """What was asked for, as far as it means something."""

    at: datetime
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    days: Mapping[str, Days] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.chosen or self.nodes or self.days)

    # --- for addresses and screens ---------------------------------------------------------------------------------

    def params(self) -> list[tuple[str, str]]:
        """What stands in the address, in one order, so that equal filters have equal addresses."""
        found: list[tuple[str, str]] = [(name, value) for name in CHOICES for value in self.chosen.get(name, ())]
        found += [(name, str(self.nodes[name].key)) for name in TREES if name in self.nodes]
        for name in DAYS:
            if name in self.days:
                found += _day_params(name, self.days[name])
        return found

    def chips(self, also: Sequence[tuple[str, str]] = ()) -> list[Chip]:
        """Each active filter with the way to take it away; `also` are parameters that stay whatever is taken."""
        params = self.params()
        found = []
        for name, (label, choices) in CHOICES.items():
            words = dict(choices)
            for value in self.chosen.get(name, ()):
                found.append(Chip(label, str(words[value]), _query(also, params, without=(name, value))))
        for name, node in self.nodes.items():
            found.append(Chip(TREES[name][0], node.path, _query(also, params, without=(name, str(node.key)))))
        for name, days in self.days.items():
            left = [(key, value) for key, value in params if key not in names_of(name)]
            found.append(Chip(DAYS[name], days_words(name, days), _query(also, left)))
        return found

    # --- conditions ------------------------------------------------------------------------------------------------

    def on_cases(self, prefix: str = "", *, clock: str = "row", once: bool = False) -> Q:
        """Condition on Case, or on what leads to one by `prefix`. `clock`: which deadlines lights and days of 到期 mean: all
        that runs for a case, as its row shows ("row"; 到期 is the day on which the first of them ends), or the "citizen"'s.
        `once`: units count that had the case and gave it back, too."""
        found = self._plain(prefix)
        if "unit" in self.nodes:
            given = Task.objects.filter(case=OuterRef(f"{prefix}pk"), unit__in=self.nodes["unit"].below)
            found &= Q(Exists(given if once else given.exclude(state__in=GONE_TASK_STATES)))
        found &= self._lit(lights.case_reached(self.at, prefix, clock))
        return found & self._due(lambda of: lights.on_case_clock(lambda stem: of(f"{stem}due_at"), prefix, clock))

    def on_tasks(self, prefix: str = "") -> Q:
        """Condition on Task, whose lights and 到期 are its own: lights of all that runs, 到期 of handling."""
        found = self._plain(f"{prefix}case__")
        if self.chosen.get("task_state"):
            found &= Q(**{f"{prefix}state__in": self.chosen["task_state"]})
        if "unit" in self.nodes:
            found &= Q(**{f"{prefix}unit__in": self.nodes["unit"].below})
        found &= self._lit(lights.task_reached(self.at, prefix))
        return found & self._due(lambda of: of(f"{prefix}due_at"))

    def on_asks(self, clock: str = "ask") -> Q:
        """Condition on Ask. `clock`: whether lights and 到期 are those of the centre's answer ("ask") or, while it waits, of
        the unit's own task, which runs on meanwhile ("asking")."""
        found = self._plain("task__case__")
        for name, column in (("ask_kind", "kind"), ("ask_state", "state")):
            if self.chosen.get(name):
                found &= Q(**{f"{column}__in": self.chosen[name]})
        if "unit" in self.nodes:
            found &= Q(task__unit__in=self.nodes["unit"].below)
        if clock == "ask":
            return found & self._lit(lights.ask_reached(self.at)) & self._due(lambda of: of("due_at"))
        return found & self._lit(lights.asking_reached(self.at)) & self._due(lambda of: Q(state=AskState.PENDING) & of("task__due_at"))

    def on_offered(self) -> Q:
        """Condition on the list's own model, of what its room has offered."""
        found = Q()
        for name, condition in _offered.items():
            if self.chosen.get(name):
                found &= condition(self.chosen[name])
        return found

    def _lit(self, reached: lights.Reached) -> Q:
        return _any(lights.shines(light, reached) for light in self.chosen.get("light", ()))

    def _plain(self, prefix: str) -> Q:
        """What means the same on every list: columns of the case itself."""
        found = Q()
        for name in ("state", "kind", "urgency", "channel"):
            if self.chosen.get(name):
                found &= Q(**{f"{prefix}{name}__in": self.chosen[name]})
        for name in ("topic", "place"):
            if name in self.nodes:
                found &= Q(**{f"{prefix}{name}__in": self.nodes[name].below})
        for name in ("received", "closed"):
            if name in self.days:
                first, last = self.days[name].first, self.days[name].last
                found &= Q(**{f"{prefix}{name}_at__gte": midnight(first)}) if first else Q()
                found &= Q(**{f"{prefix}{name}_at__lt": end_of(last)}) if last else Q()
        return found

    def _due(self, by: Any) -> Q:
        """`by` puts a condition on one column into words of the model; a deadline is exclusive: 24:00 belongs to its day."""
        days = self.days.get("due")
        if days is None:
            return Q()
        if days.preset == "overdue":
            return by(lambda column: Q(**{f"{column}__lte": self.at}))

        def within(column: str) -> Q:
            after = Q(**{f"{column}__gt": midnight(days.first)}) if days.first else Q(**{f"{column}__isnull": False})
            return after & Q(**{f"{column}__lte": end_of(days.last)}) if days.last else after

        return by(within)


def _any(conditions: Iterable[Q]) -> Q:
    found, some = Q(), False
    for condition in conditions:
        found, some = (found | condition if some else condition), True
    return found


# --- reading an address --------------------------------------------------------------------------------------------


def read(data: QueryDict, *, at: datetime, fields: Collection[str] = ALL) -> Filters:
    """The filters of an address. One query for each tree that is used."""
    chosen: dict[str, tuple[str, ...]] = {}
    nodes: dict[str, Node] = {}
    days: dict[str, Days] = {}
    wrong: list[str] = []
    for name in fields:
        given = [value for value in data.getlist(name) if value][:40]
        if name in CHOICES:
            label, choices = CHOICES[name]
            known = tuple(str(value) for value, _ in choices if str(value) in given)
            if len(known) < len(set(given)):
                wrong.append(label)
            if known:
                chosen[name] = known
        elif name in TREES and given:
            node = _node(TREES[name][1], given[-1])
            if node is None:
                wrong.append(TREES[name][0])
            else:
                nodes[name] = node
        elif name in DAYS:
            asked, bad = _days(name, data, at)
            if bad:
                wrong.append(DAYS[name] + "日期")
            if asked is not None:
                days[name] = asked
    problems = (f"这些筛选条件不认识，没有使用：{'、'.join(wrong)}。其余条件照常。",) if wrong else ()
    return Filters(at, chosen, nodes, days, problems)


def _node(model: Any, given: str) -> Node | None:
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        return None
    key = int(given)
    rows = {pk: (parent, name) for pk, parent, name in model.objects.order_by().values_list("pk", "parent_id", "name")}
    if key not in rows:
        return None
    names, above = [], key
    while above is not None and above in rows:
        names.append(rows[above][1])
        above = rows[above][0]
    below = trees.subtree({pk: parent for pk, (parent, _) in rows.items()}, key)
    # The city stands above every unit, and says nothing.
    path = names[::-1][1:] if model is Unit and len(names) > 1 else names[::-1]
    return Node(key, rows[key][1], " / ".join(path), frozenset(below))


def _days(name: str, data: QueryDict, at: datetime) -> tuple[Days | None, bool]:
    """(what was asked for, whether something of it was wrong). Two days win over a preset."""
    first, wrong_first = _day(data.get(f"{name}_from", ""))
    last, wrong_last = _day(data.get(f"{name}_to", ""))
    if first and last and first > last:
        return None, True
    if first or last:
        return Days(first, last), wrong_first or wrong_last
    preset = data.get(name, "")
    if preset and preset not in PRESETS[name]:
        return None, True
    return (preset_days(preset, at) if preset else None), wrong_first or wrong_last


def _day(given: str) -> tuple[date | None, bool]:
    if not given:
        return None, False
    try:
        day = date.fromisoformat(given)
    except ValueError:
        return None, True
    return (day, False) if EARLIEST <= day <= LATEST else (None, True)


def preset_days(preset: str, at: datetime) -> Days:
    """The days that a preset means now. Weeks begin on Monday."""
    today = day_of(at)
    monday = today - today.weekday() * ONE_DAY
    last_of_month_before = today.replace(day=1) - ONE_DAY
    spans: dict[str, tuple[date | None, date | None]] = {
        "today": (today, today),
        "yesterday": (today - ONE_DAY, today - ONE_DAY),
        "tomorrow": (today + ONE_DAY, today + ONE_DAY),
        "week": (monday, monday + 6 * ONE_DAY),
        "next_week": (monday + 7 * ONE_DAY, monday + 13 * ONE_DAY),
        "7d": (today - 6 * ONE_DAY, today),
        "30d": (today - 29 * ONE_DAY, today),
        "month": (today.replace(day=1), today),
        "last_month": (last_of_month_before.replace(day=1), last_of_month_before),
        "overdue": (None, today),
    }
    return Days(*spans[preset], preset)


# --- words ---------------------------------------------------------------------------------------------------------


def days_words(name: str, days: Days) -> str:
    """“近 7 天”, “11-01 至 11-30”, “11-01 起”, “至 11-30”."""
    if days.preset:
        return PRESETS[name][days.preset]
    first, last = (day and day.isoformat() for day in (days.first, days.last))
    if first == last:
        return str(first)
    return f"{first} 至 {last}" if first and last else f"{first} 起" if first else f"至 {last}"


def _day_params(name: str, days: Days) -> list[tuple[str, str]]:
    if days.preset:
        return [(name, days.preset)]
    given = ((f"{name}_from", days.first), (f"{name}_to", days.last))
    return [(key, day.isoformat()) for key, day in given if day]


def _query(also: Sequence[tuple[str, str]], params: Sequence[tuple[str, str]], without: tuple[str, str] | None = None) -> str:
    return urlencode([*also, *(pair for pair in params if pair != without)])
