"""How a case is put before a person: the shown title, lights, clocks, facts, list rows, buttons. Reads no rows of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.urls import reverse

from minsheng.cases import clocks, panels, workflow
from minsheng.cases.choices import (
    OPEN_STATES,
    CaseState,
    Channel,
    Ending,
    RequestKind,
    TaskRole,
    TaskState,
    Urgency,
)
from minsheng.cases.details import first_words
from minsheng.cases.rules import Disclosure
from minsheng.cases.scope import SEE_PERSONS
from minsheng.secrecy import find_personal, mask_address, mask_name, mask_phone, redact
from minsheng.ui import times
from minsheng.ui.rows import Row
from minsheng.worktime.choices import Light
from minsheng.worktime.rules import Calendar, light, remaining

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from minsheng.accounts.models import User
    from minsheng.cases.models import Attachment, Case, Task
    from minsheng.cases.queries import CaseView
    from minsheng.organisations.models import Place

# What the citizen waited for has been given: their clock no longer runs.
_ANSWERED = frozenset({CaseState.TO_FOLLOW_UP, CaseState.CLOSED, CaseState.ARCHIVED})
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


def personal_spans(text: str) -> list[tuple[int, int, str]]:
    """Spans for the `mark` tag."""
    return [(span.start, span.end, "personal") for span in find_personal(text)]


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


# --- time --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ShownClock:
    """One clock of the right-hand third (ui/clock.html)."""

    name: str
    text: str
    light: str = Light.NONE.value
    sentence: str = ""
    due: datetime | None = None
    provisional: bool = False


def light_by(at: datetime, *, yellow: datetime | None, orange: datetime | None, due: datetime | None) -> Light:
    """The light by a deadline's stored moments: the same as worktime.rules.light, without its derivation."""
    if due is None:
        return Light.NONE
    if at >= due:
        return Light.RED
    if orange and at >= orange:
        return Light.ORANGE
    return Light.YELLOW if yellow and at >= yellow else Light.NONE


def why(derivation: Mapping[str, Any] | None) -> str:
    """The derivation kept beside a deadline, as a sentence."""
    made = clocks.of(dict(derivation)) if derivation else None
    return made.sentence() if made else ""


def citizen_clock(case: Case, *, at: datetime, calendar: Calendar) -> ShownClock | None:
    """群众的时限: running until the citizen was answered, then whether it was kept; the unanswered endings say nothing."""
    due = case.citizen_due_at
    if due is None:
        return None
    sentence = why(case.citizen_derivation)
    if case.state in _ANSWERED:
        done = case.closed_at if case.ending and case.ending != Ending.HANDLED else case.replied_at or case.closed_at
        kept = done is not None and done < due
        return ShownClock("群众的时限", "已按时答复" if kept else "已超时限答复", sentence=sentence, due=due)
    shone = light_by(at, yellow=case.citizen_yellow_at, orange=case.citizen_orange_at, due=due)
    return ShownClock("群众的时限", remaining(at, due, calendar), shone.value, sentence, due, case.provisional)


def stage_clock(case: Case, *, at: datetime, calendar: Calendar) -> ShownClock | None:
    """The centre's own clock for the stage under way."""
    due = case.stage_due_at
    if due is None:
        return None
    shone = light_by(at, yellow=case.stage_yellow_at, orange=case.stage_orange_at, due=due)
    name = f"{clocks.STAGE_CLOCKS[CaseState(case.state)].label}时限"
    return ShownClock(name, remaining(at, due, calendar), shone.value, why(case.stage_derivation), due)


def task_clocks(task: Task, *, at: datetime, calendar: Calendar) -> list[ShownClock]:
    """What one unit owes now: to read, first measures, to handle."""
    if not task.is_active:
        return []
    shown = []
    if task.state == TaskState.TO_READ:
        derivation = clocks.of(task.read_derivation)
        shone = light(at, derivation.start if derivation else task.assigned_at, task.read_due_at).value
        text = remaining(at, task.read_due_at, calendar)
        shown.append(ShownClock("查阅时限", text, shone, why(task.read_derivation), task.read_due_at))
    if task.first_measures_due_at and not task.first_measures_at:
        due = task.first_measures_due_at
        shone = light(at, task.assigned_at, due).value
        shown.append(ShownClock("先行处置时限", remaining(at, due, calendar), shone, "", due))
    sentence = why(task.derivation)
    if task.state == TaskState.PAUSED:
        shown.append(ShownClock("办理时限", "挂起中，时限暂停", sentence=sentence, due=task.due_at))
    else:
        shone = light_by(at, yellow=task.yellow_at, orange=task.orange_at, due=task.due_at).value
        text = remaining(at, task.due_at, calendar)
        shown.append(ShownClock("办理时限", text, shone, sentence, task.due_at, task.provisional))
    return shown


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
    due_at: datetime
    light: str
    left: str
    why: str
    instruction: str
    gone: bool


def task_line(task: Task, *, at: datetime, calendar: Calendar, user: User) -> TaskLine:
    """How far one unit's share is."""
    running = task.is_active and task.state != TaskState.PAUSED
    shone = light_by(at, yellow=task.yellow_at, orange=task.orange_at, due=task.due_at) if running else Light.NONE
    return TaskLine(
        unit=task.unit.name,
        part=TaskRole(task.role).label,
        state=TaskState(task.state),
        mine=user.unit_id == task.unit_id,
        round=task.round,
        read=_read_words(task, at),
        read_late=task.read_automatically or (task.read_at is None and task.is_active and at >= task.read_due_at),
        due_at=task.due_at,
        light=shone.value,
        left=_left_words(task, at, calendar),
        why=why(task.derivation),
        instruction=task.instruction,
        gone=not task.is_current,
    )


def _read_words(task: Task, at: datetime) -> str:
    if task.read_at is None:
        return f"{times.due(task.read_due_at, at)}查阅" if task.is_active else "未查阅"
    return times.moment(task.read_at, at) + ("（自动）" if task.read_automatically else "")


def _left_words(task: Task, at: datetime, calendar: Calendar) -> str:
    if task.state == TaskState.PAUSED:
        return "时限暂停"
    if task.is_active:
        return remaining(at, task.due_at, calendar)
    if task.replied_at and task.is_current:
        return "按时回复" if task.replied_at < task.due_at else "逾期回复"
    return ""


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
) -> Row:
    """A row of a list of cases, with the clock of its stage, or the citizen's where the centre has none. `topic` and
    `place__parent` should be loaded; no query then."""
    shone, left, sentence = _row_clock(case, at, calendar)
    return Row(
        url=url,
        number=case.number or "",
        title=shown_title(user, case),
        kind=RequestKind(case.kind).label,
        topic=case.topic.name if case.topic else "未定主题",
        place=place_words(case.place),
        unit=unit,
        light=shone,
        left=left,
        why=sentence,
        state=CaseState(case.state) if with_state else None,
        unread=unread,
        extras=tuple(extras),
    )


def _row_clock(case: Case, at: datetime, calendar: Calendar) -> tuple[str, str, str]:
    if case.state not in OPEN_STATES:
        return Light.NONE.value, Ending(case.ending).label if case.ending else "", ""
    shown = stage_clock(case, at=at, calendar=calendar) or citizen_clock(case, at=at, calendar=calendar)
    return (shown.light, shown.text, shown.sentence) if shown else (Light.NONE.value, "", "")
