"""The timeline as one person may read it: each entry a sentence, its before and after in Chinese, notes by disclosure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet

from minsheng.cases.actors import CITIZEN, SYSTEM
from minsheng.cases.choices import CaseState, Ending, RequestKind, Satisfaction, Solved, TaskState, Urgency
from minsheng.cases.presenting import staff_words
from minsheng.cases.queries import case_for, view_case
from minsheng.ui import times
from minsheng.ui.choices import ColouredChoices

if TYPE_CHECKING:
    from minsheng.accounts.models import User
    from minsheng.cases.models import TimelineEntry
    from minsheng.cases.queries import CaseView

MOST_SINCE = 50
FILTERS = {"": "全部", "units": "单位", "centre": "热线", "citizen": "诉求人"}

# Chinese names of what may stand in before and after (minsheng.cases.work), with the enumeration of its values.
_LABELS: dict[str, tuple[str, type[ColouredChoices] | None]] = {
    "state": ("状态", CaseState),
    "ending": ("办结方式", Ending),
    "kind": ("类型", RequestKind),
    "urgency": ("紧急程度", Urgency),
    "topic_id": ("主题", None),
    "place_id": ("地点", None),
    "accused_unit_id": ("被反映单位", None),
    "confidential": ("保密", None),
    "enterprise": ("涉企", None),
    "round": ("办理轮次", None),
    "second_handling": ("二次办理", None),
    "set_aside": ("认定不合理诉求", None),
    "merged_into_id": ("并入", None),
    "first_dispatch_wrong": ("首次批转有误", None),
    "citizen_due_at": ("群众的时限", None),
    "first_satisfaction": ("首次满意度", Satisfaction),
    "first_solved": ("首次是否解决", Solved),
    "final_satisfaction": ("最终满意度", Satisfaction),
    "final_solved": ("最终是否解决", Solved),
    "task.state": ("任务状态", TaskState),
    "task.due_at": ("办理时限", None),
    "task.read_automatically": ("逾期自动查阅", None),
    "task.paused_at": ("挂起时间", None),
    "task.excused_at": ("免报时间", None),
    "task.first_measures_at": ("先行处置时间", None),
}
_DEADLINES = frozenset({"citizen_due_at", "task.due_at"})
_NAMED = {"topic_id": "topics", "place_id": "places", "accused_unit_id": "units", "merged_into_id": "cases"}
# What would tell a unit about the person behind a confidential case.
_CENTRE_ONLY = frozenset({"accused_unit_id"})

_CONNECTING = frozenset({"split", "split_off"})

_ICONS = {
    "submit": "inbox", "accept": "circle-check", "correct": "pencil", "answer": "message-2", "reject": "ban",
    "transfer": "phone-call", "supplement": "message-plus", "withdraw": "arrow-back-up", "dispatch": "route",
    "send_to_study": "git-fork", "conclude_study": "gavel", "split": "arrows-split", "split_off": "arrows-split",
    "merge": "stack-2", "recall": "arrow-back-up", "urge": "bell", "read": "eye-check", "reach_out": "phone",
    "read_automatically": "eye-off", "draft_reply": "writing", "sign_reply": "signature", "pass_reply": "circle-check",
    "send_back": "corner-down-left", "follow_up": "phone-check", "rate": "star", "second_handling": "refresh",
    "make_confidential": "lock", "lift_confidentiality": "lock-open", "archive": "archive", "reopen": "refresh",
    "withdraw_consent": "eye-off", "give_consent": "eye", "propose_publication": "writing", "publish": "world",
    "decline_publication": "corner-down-left", "take_down": "eye-off", "keep_closed": "circle-check",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as ui/history.html shows it."""

    at: datetime
    actor: str
    sentence: str
    icon: str
    reason: str
    detail: list[tuple[str, str, str]]


def lines(view: CaseView, entries: Sequence[TimelineEntry]) -> list[Line]:
    """Entries newest first. One query for each kind of name in before and after."""
    names = _names(entries)
    return [_line(view, entry, names) for entry in reversed(entries)]


def since(user: User, number: str, version: int, *, at: datetime) -> tuple[int, list[Line]]:
    """The case's version, and what has happened to it since an earlier one, oldest first, as this person may read it.

    Errors: not_found.
    """
    view = view_case(user, case_for(user, number), at=at)
    entries = view.case.timeline.filter(seq__gt=version).select_related("actor").order_by("seq")[:MOST_SINCE]
    return view.case.version, lines(view, list(entries))[::-1]


def of_side(entries: QuerySet[TimelineEntry], side: str) -> QuerySet[TimelineEntry]:
    """What a unit, the centre, or the citizen did; the system's own doing counts as the centre's. All for any other word."""
    citizens = Q(actor=None, actor_label=CITIZEN.label)
    units = Q(actor__unit__isnull=False)
    conditions = {"citizen": citizens, "units": units, "centre": ~citizens & ~units}
    return entries.filter(conditions[side]) if side in conditions else entries


def _line(view: CaseView, entry: TimelineEntry, names: dict[str, dict[int, str]]) -> Line:
    payload = entry.payload
    before, after = payload.get("before", {}), payload.get("after", {})
    hidden = frozenset() if view.disclosure.words else _CENTRE_ONLY
    changed = [key for key in _LABELS if key in before and key not in hidden]  # a first state was no change
    told = [(key, _told(key, before.get(key), entry.at, names), _told(key, after.get(key), entry.at, names)) for key in changed]
    return Line(
        at=entry.at,
        actor=entry.actor_label or SYSTEM.label,
        sentence=_sentence(view, entry),
        icon=_ICONS.get(entry.code, "point"),
        reason=shown_note(view, entry),
        detail=[(_LABELS[key][0], old, new) for key, old, new in told if old != new],
    )


def _sentence(view: CaseView, entry: TimelineEntry) -> str:
    """What was done. A unit does not learn which cases a split connects: one of them may be confidential."""
    if entry.code in _CONNECTING and getattr(view.situation.actor, "is_unit", False):
        return "拆分"
    summary: str = entry.payload.get("summary", "")
    return summary


def shown_note(view: CaseView, entry: TimelineEntry) -> str:
    """The words of an entry. Where the citizen's words are withheld, so are the centre's and the citizen's notes, which may
    quote them; what units wrote before the case was made so is shown with persons taken out (domain.md §2.10)."""
    if not entry.note:
        return ""
    if not view.disclosure.words and not (entry.actor and entry.actor.unit_id):
        return ""
    return staff_words(view.situation.actor, view.case, entry.note)


def _told(key: str, value: Any, at: datetime, names: dict[str, dict[int, str]]) -> str:
    choices = _LABELS[key][1]
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if choices is not None:
        return str(choices(value).label) if value in choices.values else str(value)
    if key in _NAMED:
        return names[_NAMED[key]].get(value, "")
    if key in _DEADLINES:
        return times.due(datetime.fromisoformat(value), at)
    return times.moment(datetime.fromisoformat(value), at) if isinstance(value, str) else str(value)


def _names(entries: Iterable[TimelineEntry]) -> dict[str, dict[int, str]]:
    """Names of topics, places, units and cases that before and after refer to; no query where none does."""
    from minsheng.cases.models import Case, Topic
    from minsheng.organisations.models import Place, Unit

    keys: dict[str, set[int]] = {kind: set() for kind in _NAMED.values()}
    for entry in entries:
        for side in ("before", "after"):
            for key, kind in _NAMED.items():
                value = entry.payload.get(side, {}).get(key)
                if isinstance(value, int):
                    keys[kind].add(value)
    sources: dict[str, tuple[Any, str]] = {
        "topics": (Topic, "name"), "places": (Place, "name"), "units": (Unit, "name"), "cases": (Case, "number"),
    }  # fmt: skip
    return {
        kind: dict(model.objects.filter(pk__in=keys[kind]).order_by().values_list("pk", column)) if keys[kind] else {}
        for kind, (model, column) in sources.items()
    }
