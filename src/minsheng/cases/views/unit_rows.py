"""Rows of a unit's desk: a task by its clock and why it came back, an ask with how it was decided."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from minsheng.accounts.models import User
from minsheng.cases import clocks, presenting, shown_clocks, unit_news
from minsheng.cases.choices import AskKind, AskState, RequestKind, TaskRole, TaskState
from minsheng.cases.models import Ask, Task
from minsheng.ui import times
from minsheng.ui.rows import Row
from minsheng.worktime.rules import Calendar


def task_row(
    task: Any, *, user: User, url: str, at: datetime, calendar: Calendar, labels: dict[tuple[str, str], str] | None = None
) -> Row:
    """A row of a list of tasks, by the most pressing of what runs. `for_rows` loads what it shows.

    `labels` of reasons where the tasks are those of `with_why_back`: the row then says why it came back.
    """
    case, clock = task.case, shown_clocks.task_clock(task, at=at, calendar=calendar)
    return Row(
        url=url,
        number=case.number or "",
        title=presenting.shown_title(user, case),
        kind=RequestKind(case.kind).label,
        topic=case.topic.name if case.topic else "未定主题",
        place=presenting.place_words(case.place),
        unit=task.unit.name if task.unit_id != user.unit_id else _part(task),
        light=clock.light,
        left=clock.text,
        why=clock.sentence,
        turns=clock.turns,
        state=_row_state(task),
        unread=task.state == TaskState.TO_READ,
        extras=tuple(_extras(task, clock, at)),
        note=_why(user, task, labels, at) if labels is not None else "",
    )


def _why(user: User, task: Any, labels: dict[tuple[str, str], str], at: datetime) -> str:
    by = "领导未签发" if task.unsigned else "退回"
    when = f"{times.moment(task.back_at, at)} " if task.back_at else ""
    return f"{when}{by}：{unit_news.why_back(user, task, labels) or '没有写明原因'}"


def ask_row(ask: Ask, *, user: User, url: str, at: datetime, calendar: Calendar) -> Row:
    """An ask of the unit: how long it waits while the unit's own clocks run on, or how it was decided and with what words."""
    case, kind, state = ask.task.case, AskKind(ask.kind), AskState(ask.state)
    waiting = state == AskState.PENDING
    clock = shown_clocks.task_clock(ask.task, at=at, calendar=calendar) if waiting else shown_clocks.NO_CLOCK
    asked = f"{times.moment(ask.asked_at, at)} 申请"
    waited = f"等了 {times.span(at - ask.asked_at)}" if waiting else ""
    return Row(
        url=url,
        number=case.number or "",
        title=presenting.shown_title(user, case),
        kind=kind.label,
        topic=case.topic.name if case.topic else "未定主题",
        place=presenting.place_words(case.place),
        light=clock.light,
        left=clock.text or waited,
        why="；".join(filter(None, (clock.sentence, f"{asked}，{times.due(ask.due_at, at)}审核" if waiting else asked))),
        turns=clock.turns,
        state=state,
        unread=not waiting,
        extras=(waited,) if clock.text else (),
        note="" if waiting else _decision(user, ask, at),
    )


def _decision(user: User, ask: Ask, at: datetime) -> str:
    if ask.decided_at is None:
        return "任务已经结束，申请没有再审核。"
    said = presenting.staff_words(user, ask.task.case, ask.decision_note)
    until = f"，延至 {times.day(ask.until, at.date())}" if ask.until and ask.state == AskState.GRANTED else ""
    return f"{times.moment(ask.decided_at, at)} {AskState(ask.state).label}{until}{f'：{said}' if said else ''}"


def _part(task: Task) -> str:
    """Nothing for the lead, whose part is the usual one."""
    return "" if task.role == TaskRole.LEAD else TaskRole(task.role).label


def _row_state(task: Any) -> TaskState | None:
    """Only what the stack does not say already."""
    return TaskState(task.state) if task.state in (TaskState.PAUSED, TaskState.SENT_BACK, TaskState.RETURN_REQUESTED) else None


def _extras(task: Any, clock: shown_clocks.ShownClock, at: datetime) -> list[str]:
    """What the row's own clock does not say already."""
    marks = []
    if task.case.urgency_rank < 2:
        marks.append(task.case.get_urgency_display())
    for owed in clocks.running(task):
        if owed.name == clock.name:
            continue
        if owed.name == clocks.HANDLING:
            marks.append(f"{times.due(owed.due_at, at)}{'办结' if task.role == TaskRole.LEAD else '报送'}")
        else:
            marks.append(f"{owed.name} {times.due(owed.due_at, at)}")
    if task.to_sign:
        marks.append("待领导签发")
    if task.unsigned:
        marks.append("领导未签发")
    if task.asking:
        marks.append(f"{AskKind(task.asking).label}申请待审核")
    if task.provisional:
        marks.append("暂定")
    return marks
