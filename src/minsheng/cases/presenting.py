"""How a case is put before a person: the shown title, facts, list rows, buttons. Clocks: shown_clocks. Reads no rows of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse

from minsheng.cases import clocks, panels, rules, shown_clocks, workflow
from minsheng.cases.choices import CaseState, Channel, RequestKind, TaskRole, TaskState, Urgency
from minsheng.cases.details import first_words
from minsheng.cases.rules import Disclosure
from minsheng.cases.scope import SEE_PERSONS
from minsheng.secrecy import find_personal, mask_address, mask_name, mask_phone, redact
from minsheng.ui import times
from minsheng.ui.rows import Row
from minsheng.worktime.rules import Calendar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minsheng.accounts.models import User
    from minsheng.cases.models import Attachment, Case, Task
    from minsheng.cases.queries import CaseView
    from minsheng.organisations.coordinates import Point
    from minsheng.organisations.models import Place

WITHHELD = "保密件，内容由热线核对后另行提供"


# --- words -------------------------------------------------------------------------------------------------------


def sees_words(user: User, case: Case) -> bool:
    """Whether the citizen's own words may be shown to this person; agrees with scope.disclosure_for."""
    return not (user.is_unit and case.confidential)


def shown_title(user: User, case: Case) -> str:
    """The title for lists and pages. It is taken from the citizen's words, so units get it from their own text instead
    where the case is confidential, and those who see no persons get it redacted (domain.md §2.10)."""
    if not sees_words(user, case):
        return first_words(case.unit_text) or f"保密件（{case.get_kind_display()}）"
    if user.is_unit or user.has_any(SEE_PERSONS):
        return case.title
    return redact(case.title)


def shown_words(case: Case, seen: Disclosure, text: str | None = None) -> str:
    """A text of the citizen (the request itself when none is given) as this disclosure lets it be read."""
    if not seen.words:
        return case.unit_text or WITHHELD if text is None else ""
    words = case.text if text is None else text
    return redact(words) if seen.redacted else words


def listed_words(user: User, case: Case) -> str:
    """The request as this person may read it in a list; agrees with shown_words."""
    if not sees_words(user, case):
        return case.unit_text
    return case.text if user.is_unit or user.has_any(SEE_PERSONS) else redact(case.text)


def staff_words(user: User, case: Case, text: str) -> str:
    """What a unit or the centre wrote. Persons are taken out for who reads words without persons, and for units where the case
    is confidential: it may have been written before the case was made so (domain.md §2.10)."""
    whole = sees_words(user, case) if user.is_unit else user.has_any(SEE_PERSONS)
    return text if whole else redact(text)


@dataclass(frozen=True, slots=True)
class ShownPoint:
    """Where it happened; `near`: rounded to about a kilometre."""

    point: Point
    near: bool


def shown_point(case: Case, seen: Disclosure) -> ShownPoint | None:
    """As the address: whole to who reads it whole, rounded where it is masked, not at all where it is withheld. A point that a
    citizen picked may be their own door."""
    if case.point is None or not seen.words:
        return None
    return ShownPoint(case.point.rounded(), near=True) if seen.redacted else ShownPoint(case.point, near=False)


def personal_spans(text: str) -> list[tuple[int, int, str]]:
    """Spans for the `mark` tag."""
    return [(span.start, span.end, "personal") for span in find_personal(text)]


def marked_spans(text: str) -> list[tuple[int, int, str]]:
    """Spans for the `mark` tag in a citizen's words: what threatens a life, and personal data (screens.md, the case page)."""
    return [(start, end, "risk") for start, end in rules.danger_spans(text)] + personal_spans(text)


def place_words(place: Place | None) -> str:
    """“仓山区 建新镇”. No query where `parent` is loaded."""
    if place is None:
        return ""
    return f"{place.parent.name} {place.name}" if place.parent_id and place.parent else place.name


def topic_path(case: Case) -> str:
    """“城市管理 / 市政设施 / 路灯”. No query where two parents are loaded."""
    names, topic = [], case.topic
    while topic is not None:
        names.append(topic.name)
        topic = topic.parent if topic.parent_id else None
    return " / ".join(reversed(names))


def facts(case: Case, seen: Disclosure, *, at: datetime) -> list[tuple[str, str]]:
    """The line of facts under the title; what could name the person is left to those who may know them."""
    shown: list[tuple[str, str]] = [
        ("类型", case.get_kind_display()),
        ("主题", topic_path(case)),
        ("地点", place_words(case.place)),
    ]
    if seen.words:
        shown.append(("地址", mask_address(case.address) if seen.redacted else case.address))
    shown += [
        ("发生", times.moment(case.occurred_at, at) if case.occurred_at else ""),
        ("来源", Channel(case.channel).label),
        ("收到", times.moment(case.received_at, at)),
    ]
    if seen.words and case.accused_unit:
        shown.append(("被反映单位", case.accused_unit.name))
    if case.ruled_unit:
        shown.append(("研判指定", case.ruled_unit.name))
    return shown + _extra(case, seen)


def _extra(case: Case, seen: Disclosure) -> list[tuple[str, str]]:
    """What the topic asks for beside, by its own labels."""
    if not case.topic or not seen.words:
        return []
    labels = {item["name"]: item["label"] for item in case.topic.required_fields}
    values = ((labels.get(name, name), str(value)) for name, value in case.extra.items() if value)
    return [(label, redact(value) if seen.redacted else value) for label, value in values]


@dataclass(frozen=True, slots=True)
class Flag:
    """A short mark beside the number."""

    label: str
    colour: str


def flags(case: Case) -> list[Flag]:
    """紧急, 保密, 涉企, 二次办理, 暂定, 演示数据."""
    marks = [
        (case.urgency != Urgency.NORMAL, Urgency(case.urgency).label, Urgency(case.urgency).colour),
        (case.confidential, "保密", "purple"),
        (case.enterprise, "涉企", "azure"),
        (case.round > 1, f"第 {case.round} 轮", "orange"),
        (case.set_aside, "不合理诉求", "secondary"),
        (case.provisional, "时限暂定", "secondary"),
        (case.made_up, "演示数据", "secondary"),
    ]
    return [Flag(label, colour) for present, label, colour in marks if present]


# --- tasks -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One line of the case page's table of tasks."""

    unit: str
    part: str
    state: TaskState
    mine: bool
    round: int
    read: str
    read_late: bool
    due_at: datetime  # of the clock that presses most
    handling_due_at: datetime
    light: str
    left: str
    why: str
    turns: str
    beside: tuple[tuple[str, str], ...]  # when its other clocks end, and why
    instruction: str
    gone: bool


def task_line(task: Task, *, at: datetime, calendar: Calendar, user: User) -> TaskLine:
    """How far one unit's share is: the most pressing of its running clocks with its name, and when the others end."""
    clock = shown_clocks.task_clock(task, at=at, calendar=calendar)
    return TaskLine(
        unit=task.unit.name,
        part=TaskRole(task.role).label,
        state=TaskState(task.state),
        mine=user.unit_id == task.unit_id,
        round=task.round,
        read=_read_words(task, at),
        read_late=task.read_automatically or (task.read_at is None and task.is_active and at >= task.read_due_at),
        due_at=clock.due or task.due_at,
        handling_due_at=task.due_at,
        light=clock.light,
        left=clock.text or _kept_words(task),
        why=clock.sentence or shown_clocks.why(task.derivation),
        turns=clock.turns,
        beside=tuple(
            (f"{each.name} {times.due(each.due_at, at)}", shown_clocks.why(each.derivation))
            for each in clocks.running(task)
            if each.name != clock.name
        ),
        instruction=staff_words(user, task.case, task.instruction),
        gone=not task.is_current,
    )


def _read_words(task: Task, at: datetime) -> str:
    if task.read_at is None:
        return f"{times.due(task.read_due_at, at)}查阅" if task.is_active else "未查阅"
    return times.moment(task.read_at, at) + ("（自动）" if task.read_automatically else "")


def _kept_words(task: Task) -> str:
    """Of what has been answered: whether in time."""
    if task.is_active or not task.replied_at or not task.is_current:
        return ""
    return "按时回复" if task.replied_at < task.due_at else "逾期回复"


# --- files -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ShownFile:
    """One attachment as ui/files.html shows it."""

    url: str
    name: str
    size: int
    kind: str
    note: str = ""


def shown_file(case: Case, attachment: Attachment) -> ShownFile:
    """Name, size and where to get it."""
    family = attachment.media_type.split("/")[0]
    kind = family if family in ("image", "audio", "video") else "file"
    return ShownFile(reverse("cases:file", args=[case.number, attachment.pk]), attachment.name, attachment.size, kind)


# --- who ---------------------------------------------------------------------------------------------------------


def masked_person(case: Case) -> str:
    """“林** 138****8000”, “某某公司 林** …”, “匿名 138****8000”."""
    who = case.applicant
    name = "匿名" if who.anonymous else mask_name(who.name or "") or "未留姓名"
    return " ".join(part for part in (who.organisation, name, mask_phone(who.phone or "") or "未留电话") if part)


# --- buttons -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Button:
    """What I may do now. `usual`: filled."""

    code: str
    url: str
    label: str
    icon: str
    usual: bool = False


def buttons(view: CaseView) -> tuple[list[Button], list[Button]]:
    """(in sight, behind “更多”), in the order of the flow with the usual ones first. Rows without a form are not offered."""
    found = [(row, task) for row, task in view.actions() if panels.panel_for(row.code)]
    per_code: dict[str, int] = {}
    for row, _ in found:
        per_code[row.code] = per_code.get(row.code, 0) + 1
    shown = [(row, _button(view.case, row, task, named=per_code[row.code] > 1)) for row, task in found]
    near = [(row, button) for row, button in shown if row.place is not workflow.Place.MORE]
    near.sort(key=lambda pair: pair[0].place is not workflow.Place.USUAL)  # stable: the table's order otherwise
    return [button for _, button in near], [button for row, button in shown if row.place is workflow.Place.MORE]


def _button(case: Case, row: workflow.Transition, task: Task | None, *, named: bool) -> Button:
    url = reverse("cases:act", args=[case.number, row.code])
    label = row.label
    if task is not None:
        url += "?" + urlencode({"task": task.pk})
        label = f"{row.label}：{task.unit.short_name or task.unit.name}" if named else row.label
    panel = panels.panel_for(row.code)
    return Button(row.code, url, label, panel.icon if panel else "", row.place is workflow.Place.USUAL)


# --- rows of lists -----------------------------------------------------------------------------------------------


def case_row(
    case: Case,
    *,
    user: User,
    url: str,
    at: datetime,
    calendar: Calendar,
    unit: str = "",
    with_state: bool = False,
    unread: bool = False,
    extras: Sequence[str] = (),
    snippet: str = "",
) -> Row:
    """A row of a list of cases, with the most pressing of all that runs for each. `topic` and `place__parent` should be loaded; no
    query then."""
    clock = shown_clocks.case_clock(case, at=at, calendar=calendar)
    return Row(
        url=url,
        number=case.number or "",
        title=shown_title(user, case),
        kind=RequestKind(case.kind).label,
        topic=case.topic.name if case.topic else "未定主题",
        place=place_words(case.place),
        unit=unit,
        light=clock.light,
        left=clock.text,
        why=clock.sentence,
        turns=clock.turns,
        state=CaseState(case.state) if with_state else None,
        unread=unread,
        extras=tuple(extras),
        snippet=snippet,
    )
