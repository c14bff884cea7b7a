"""What a person may add to a list's rows, and what a spreadsheet of it holds: one value each, as this person may see it.

A row's own parts (light, number, title, kind and topic, place, unit, time left) stand in every list and are no columns here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from minsheng.cases import presenting, scope
from minsheng.cases.choices import Channel, TaskRole
from minsheng.ui import times

if TYPE_CHECKING:
    from minsheng.accounts.models import User
    from minsheng.cases.models import Case, Task

Value = str | int | datetime | date | None
MOST = 4  # beside a row's own parts; more would leave no room for the title


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of a list as columns look at it: the case, the unit's task where the list is of tasks, and who looks when."""

    user: User
    at: datetime
    case: Case
    task: Task | None = None

    @property
    def lead(self) -> Task | None:
        """The task that speaks for the case: the list's own, else the lead's of the round under way (`current_tasks`)."""
        if self.task is not None:
            return self.task
        tasks = getattr(self.case, "current_tasks", ())
        return next((t for t in tasks if t.role == TaskRole.LEAD and t.round == self.case.round), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One value of a case. `loads`: what must be read with the case; `centre`: not for units, whose business it is not; `sort`:
    the case's column that a list may be sorted by (`lists.Sort`); `ends`: a deadline, which is exclusive."""

    code: str
    label: str
    value: Callable[[Line], Value]
    loads: tuple[str, ...] = ()
    tasks: bool = False  # needs the prefetch of queries.current_tasks
    centre: bool = False
    sort: str = ""
    ends: bool = False
    width: int = 16  # characters, in a spreadsheet


def _applicant(line: Line) -> str:
    """The masked person where this person may know them (domain.md §2.10); units of a confidential case may not."""
    seen = scope.disclosure_for(line.user, line.case, ())
    return presenting.masked_person(line.case) if seen.person else "不显示"


def _reads(line: Line) -> Value:
    lead = line.lead
    if lead is None:
        return ""
    return lead.read_at or "未查阅"


def _staff(user: Any) -> str:
    return user.display_name if user is not None else ""


def _sent_back(line: Line) -> Value:
    return line.lead.sent_back_times if line.lead else 0


def _rating(line: Line) -> str:
    return line.case.get_final_satisfaction_display() or line.case.get_first_satisfaction_display()


def _agent(line: Line) -> str:
    return _staff(line.case.accepted_by)


def _dispatcher(line: Line) -> str:
    return _staff(line.case.dispatched_by)


COLUMNS: dict[str, Column] = {
    column.code: column
    for column in (
        Column(code="received", label="收件时间", value=lambda line: line.case.received_at, sort="received_at", width=17),
        Column(code="channel", label="渠道", value=lambda line: Channel(line.case.channel).label, width=10),
        Column(code="urgency", label="紧急程度", value=lambda line: line.case.get_urgency_display(), width=10),
        Column(
            code="citizen_due", label="群众时限", value=lambda line: line.case.citizen_due_at, sort="citizen_due_at", ends=True, width=17
        ),
        Column(code="dispatched", label="首次批转", value=lambda line: line.case.dispatched_at, sort="dispatched_at", width=17),
        Column(code="reads", label="查阅", value=_reads, tasks=True, width=17),
        Column(code="round", label="轮次", value=lambda line: line.case.round, width=6),
        Column(code="sent_back", label="退回次数", value=_sent_back, tasks=True, width=9),
        Column(code="applicant", label="诉求人", value=_applicant, loads=("applicant",), width=24),
        Column(code="agent", label="受理人", value=_agent, loads=("accepted_by",), centre=True),
        Column(code="dispatcher", label="批转人", value=_dispatcher, loads=("dispatched_by",), centre=True),
        Column(code="closed", label="办结时间", value=lambda line: line.case.closed_at, sort="closed_at", width=17),
        Column(code="satisfaction", label="满意度", value=_rating, width=10),
    )
}


def offered(user: User) -> list[Column]:
    """Those that this person may add."""
    return [column for column in COLUMNS.values() if not (column.centre and user.is_unit)]


def known(codes: Iterable[str], user: User) -> list[Column]:
    """These columns as far as they exist and are this person's, in the order of the list, at most MOST."""
    wanted = set(codes)
    return [column for column in offered(user) if column.code in wanted][:MOST]


def loads(columns: Sequence[Column], prefix: str = "") -> list[str]:
    """What `select_related` must read."""
    return [prefix + name for column in columns for name in column.loads]


def shown(column: Column, line: Line) -> str:
    """The value as a row says it."""
    value = column.value(line)
    if isinstance(value, datetime):
        return times.due(value, line.at) if column.ends else times.moment(value, line.at)
    return "" if value is None else str(value)
