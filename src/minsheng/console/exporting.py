"""What a spreadsheet of a list holds: one line a row, what the asker may see at the moment of running, and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import QueryDict

from minsheng.accounts.models import User
from minsheng.cases import lists, presenting, queries, scope
from minsheng.cases.choices import AskKind, AskState, CaseState, Channel, RequestKind, TaskRole, TaskState
from minsheng.cases.columns import Column, Line

# Importing a desk registers its list: the worker has no addresses to import them for.
from minsheng.cases.views import audits, finding, intake, listing, maps, units  # noqa: F401
from minsheng.console import overview  # noqa: F401
from minsheng.console.workbooks import Heading
from minsheng.dispatching import views as _dispatching  # noqa: F401
from minsheng.followup import views as _followup  # noqa: F401
from minsheng.publishing import views as _publishing  # noqa: F401
from minsheng.secrecy import mask_name, mask_phone
from minsheng.ui import times
from minsheng.ui.pages import keyset_page

CHUNK = 500
NOT_SHOWN = "不显示"


@dataclass(frozen=True, slots=True)
class Part:
    """One column of the sheet."""

    heading: Heading
    value: Callable[[Line, Any], Any]


def _plain(label: str, width: int, value: Callable[[Line, Any], Any]) -> Part:
    return Part(Heading(label, width), value)


_CASE = (
    _plain("编号", 20, lambda line, row: line.case.number),
    _plain("标题", 44, lambda line, row: presenting.shown_title(line.user, line.case)),
    _plain("状态", 9, lambda line, row: CaseState(line.case.state).label),
    _plain("类型", 8, lambda line, row: RequestKind(line.case.kind).label),
    _plain("主题", 34, lambda line, row: presenting.topic_path(line.case)),
    _plain("紧急程度", 9, lambda line, row: line.case.get_urgency_display()),
    _plain("地点", 20, lambda line, row: presenting.place_words(line.case.place)),
    _plain("渠道", 9, lambda line, row: Channel(line.case.channel).label),
    _plain("收件时间", 17, lambda line, row: line.case.received_at),
    _plain("群众时限", 17, lambda line, row: times.last_minute(line.case.citizen_due_at)),
)
_LEAD = _plain("主办单位", 24, lambda line, row: line.lead.unit.name if line.lead else "")
_TASK = (
    _plain("承办单位", 24, lambda line, row: line.task.unit.name if line.task else ""),
    _plain("主协办", 7, lambda line, row: TaskRole(line.task.role).label if line.task else ""),
    _plain("任务状态", 10, lambda line, row: TaskState(line.task.state).label if line.task else ""),
    _plain("批转时间", 17, lambda line, row: line.task.assigned_at if line.task else None),
    _plain("查阅时间", 17, lambda line, row: line.task.read_at if line.task else None),
    _plain("办理时限", 17, lambda line, row: times.last_minute(line.task.due_at) if line.task else None),
)
_ASK = (
    _plain("申请事项", 12, lambda line, row: AskKind(row.kind).label),
    _plain("申请时间", 17, lambda line, row: row.asked_at),
)
_DECIDED = (
    _plain("审核结果", 10, lambda line, row: AskState(row.state).label),
    _plain("审核时间", 17, lambda line, row: row.decided_at),
    _plain("审核意见", 30, lambda line, row: presenting.staff_words(line.user, line.case, row.decision_note)),
)
_PUBLICATION = (
    _plain("公开件", 10, lambda line, row: row.get_state_display()),
    _plain("公开标题", 34, lambda line, row: row.title),
    _plain("编辑人", 12, lambda line, row: row.edited_by.display_name),
    _plain("编辑时间", 17, lambda line, row: row.edited_at),
    _plain("复核人", 12, lambda line, row: row.reviewed_by.display_name if row.reviewed_by else ""),
    _plain("公开时间", 17, lambda line, row: row.published_at),
)
_CLOSED = _plain("办结时间", 17, lambda line, row: line.case.closed_at)
# What a list's own rows say beside the case and its task.
_OF_LIST = {"asks": _ASK, "unit_asks": (*_ASK, *_DECIDED), "to_publish": (_CLOSED,), "publications": (_CLOSED, *_PUBLICATION)}


def parts_of(shown: lists.Shown, *, whole: bool) -> list[Part]:
    """The sheet's columns: what every row has, the list's own, the person's added ones, and who asks."""
    spec, found = shown.spec, list(_CASE)
    if spec.to_task is None:
        found.append(_LEAD)
    else:
        found += _TASK
    found += _OF_LIST.get(spec.code, ())
    there = {part.heading.label for part in found} | {"诉求人"}
    for column in shown.columns:
        if column.label not in there:
            found.append(_plain(column.label, column.width, _added(column)))
    if may_name_persons(shown.user):
        found.append(_plain("诉求人", 12, lambda line, row: _person(line, "name", mask_name, whole)))
        found.append(_plain("联系电话", 15, lambda line, row: _person(line, "phone", mask_phone, whole)))
    return found


def _added(column: Column) -> Callable[[Line, Any], Any]:
    return lambda line, row: column.value(line)


def may_name_persons(user: User) -> bool:
    """Whether this person's screens name applicants at all, masked (domain.md §2.10)."""
    return bool(user.is_unit or user.has_any(scope.SEE_PERSONS))


def _person(line: Line, what: str, mask: Callable[[str], str], whole: bool) -> str:
    """Masked, or whole where the case page would uncover it to this person now; the rule is scope.disclosure_for's."""
    seen = scope.disclosure_for(line.user, line.case, getattr(line.case, "current_tasks", ()))
    if not seen.person:
        return NOT_SHOWN
    value = getattr(line.case.applicant, what) or ""
    return value if whole and seen.uncover else mask(value)


def total_of(shown: lists.Shown, most: int) -> int:
    """How many rows there are, counting one beyond the most at the furthest."""
    found, _ = shown.rows()
    return found.order_by()[: most + 1].count()


def rows_of(shown: lists.Shown, parts: list[Part], most: int, tell: Callable[[int], None]) -> Iterator[list[Any]]:
    """The sheet's rows in the list's order, read by keyset a chunk at a time; `tell(rows so far)` after each chunk.

    A case that moves within the list meanwhile stands in the sheet once, where it was met first.
    """
    found, order = shown.rows()
    found = _with_everything(found, shown.spec)
    cursor, told, met = "", 0, set[int]()
    while True:
        page = keyset_page(found, order, cursor, CHUNK)
        for row in page.rows:
            if row.pk in met:
                continue
            if told >= most:
                return
            met.add(row.pk)
            line = shown.line(row)
            yield [part.value(line, row) for part in parts]
            told += 1
        tell(told)
        cursor = page.next
        if not cursor:
            return


def _with_everything(found: QuerySet[Any], spec: lists.CaseList) -> QuerySet[Any]:
    """What every column may read, in a number of queries that the rows do not change."""
    needed = ("applicant", "topic__parent__parent", "place__parent", "accepted_by", "dispatched_by")
    found = found.select_related(*(spec.to_case + name for name in needed)).prefetch_related(None)
    tasks = queries.current_tasks()
    if not spec.to_case:
        return found.prefetch_related(tasks)
    return found.prefetch_related(Prefetch(f"{spec.to_case}tasks", queryset=tasks.queryset, to_attr="current_tasks"))


def asked_again(user: User, code: str, query: str, columns: tuple[str, ...], at: datetime) -> lists.Shown | None:
    """The list that an export was asked of, read anew for its person as they are now."""
    spec = lists.by_code(code)
    if spec is None:
        return None
    return lists.asked_for(user, spec, QueryDict(query), at, lists.Preferences(columns=columns))
