"""Tasks: a unit's own system reads them, reaches out, replies and asks, by the same actions as on the screens."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Annotated, Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from ninja.responses import Status
from pydantic import Field

from minsheng.api import actions as own
from minsheng.api import queries, showing
from minsheng.api.calls import Caller, caller_of
from minsheng.api.choices import Scope
from minsheng.api.once import once
from minsheng.api.schemas import answers, fields, sent
from minsheng.api.v1.common import CURSOR, MOST, PAGE, Key, acting, answered, page_of, reading
from minsheng.cases import actions
from minsheng.cases import queries as cases
from minsheng.cases.choices import ACTIVE_TASK_STATES, TaskState
from minsheng.cases.models import Task
from minsheng.cases.models.reference import ReasonList

router = Router(tags=["承办任务"])
TaskId = Path[fields.Id]
Files = list[UploadedFile]
Do = Callable[[Caller, Task, UUID, Files], int | None]


class TaskFilters(Schema):
    """Which tasks; `active`: what the unit still owes."""

    state: TaskState | None = None
    active: bool | None = None
    cursor: Annotated[str, Field(pattern=CURSOR)] = ""
    limit: Annotated[int, Field(ge=1, le=MOST)] = PAGE


@router.get("/tasks", **reading("list_tasks", answers.TaskPage, Scope.TASKS_READ))
def list_tasks(request: HttpRequest, filters: Query[TaskFilters]) -> answers.TaskPage:
    """The tasks of the caller's unit, newest first."""
    caller = caller_of(request)
    found = queries.tasks_of(caller.system)
    if filters.state is not None:
        found = found.filter(state=filters.state)
    if filters.active is not None:
        states = sorted(ACTIVE_TASK_STATES)
        found = found.filter(state__in=states) if filters.active else found.exclude(state__in=states)
    page = page_of(found, ("-assigned_at", "-id"), filters.cursor, filters.limit)
    return answers.TaskPage(tasks=[showing.task_row(task, caller.account) for task in page], next=page.next)


@router.get("/tasks/{task}", **reading("get_task", answers.TaskOut, Scope.TASKS_READ, one=True))
def get_task(request: HttpRequest, task: TaskId) -> answers.TaskOut:
    """One task with its replies, asks and tries to reach the citizen; looking is not 查阅."""
    caller = caller_of(request)
    found = queries.task_of(caller.system, task)
    view = cases.view_case(caller.account, cases.case_for(caller.account, found.case.number or ""), at=caller.at)
    asks = [ask for ask in view.situation.asks if ask.task_id == found.pk]
    tries = cases.outreaches(view.case).filter(task=found)
    return showing.task_whole(view, found, caller.account, asks, tries, at=caller.at)


# --- acts --------------------------------------------------------------------------------------------------------


def _act(request: HttpRequest, task: int, key: str, do: Do, uploads: list[UUID] | None = None) -> Status[Any]:
    """Find the task among those that the account may see, and do it once."""
    caller = caller_of(request)

    def perform(submission: UUID) -> answers.Done:
        found = queries.task_of(caller.system, task)
        with ExitStack() as open_files:
            files = own.take_uploads(system=caller.system, at=caller.at, keys=uploads or [], open_files=open_files)
            made = do(caller, found, submission, files)
        return showing.done(_afresh(found.pk), made)

    def as_it_stands() -> answers.Done:
        return showing.done(queries.task_of(caller.system, task))

    return answered(200, once(request, key, perform, done=as_it_stands))


def _afresh(task: int) -> Task:
    """As it stands after the act, which may have put it out of the caller's own sight (退回上级)."""
    return Task.objects.select_related("case", "unit").get(pk=task)


def _post(path: str, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return router.post(f"/tasks/{{task}}/{path}", **acting(name, answers.Done, Scope.TASKS_ACT))


@_post("read", "read_task")
def read_task(request: HttpRequest, task: TaskId, key: Key, body: sent.ActIn) -> Status[Any]:
    """查阅: the unit has seen it, the time for asking for return begins."""

    def do(caller: Caller, it: Task, submission: UUID, files: Files) -> None:
        actions.read_task(actor=caller.account, at=caller.at, task=it, version=body.version, submission=submission)

    return _act(request, task, key, do)


@_post("outreach", "reach_out")
def reach_out(request: HttpRequest, task: TaskId, key: Key, body: sent.OutreachIn) -> Status[Any]:
    """One try to reach the citizen, recorded whether or not it succeeded."""

    def do(caller: Caller, it: Task, submission: UUID, files: Files) -> int:
        given = body.model_dump()
        return actions.reach_out(actor=caller.account, at=caller.at, task=it, submission=submission, **given).pk

    return _act(request, task, key, do)


@_post("first-measures", "take_first_measures")
def take_first_measures(request: HttpRequest, task: TaskId, key: Key, body: sent.MeasuresIn) -> Status[Any]:
    """An urgent case's first measures, due within 24 hours."""

    def do(caller: Caller, it: Task, submission: UUID, files: Files) -> None:
        actions.take_first_measures(
            actor=caller.account, at=caller.at, task=it, text=body.text, submission=submission
        )

    return _act(request, task, key, do)


@_post("reply", "draft_reply")
def draft_reply(request: HttpRequest, task: TaskId, key: Key, body: sent.ReplyIn) -> Status[Any]:
    """The lead's reply, to be signed by the unit's leader."""

    def do(caller: Caller, it: Task, submission: UUID, files: Files) -> int:
        given = body.model_dump(exclude={"uploads"})
        made = actions.draft_reply(
            actor=caller.account, at=caller.at, task=it, files=files, submission=submission, **given
        )
        return made.pk

    return _act(request, task, key, do, body.uploads)


@_post("reply/sign", "sign_reply")
def sign_reply(request: HttpRequest, task: TaskId, key: Key, body: sent.ActIn) -> Status[Any]:
    """The unit's leader sends the reply to audit: the account needs that role."""

    def do(caller: Caller, it: Task, submission: UUID, files: Files) -> int:
        return actions.sign_reply(
            actor=caller.account, at=caller.at, task=it, version=body.version, submission=submission
        ).pk

    return _act(request, task, key, do)


@_post("report", "report_result")
def report_result(request: HttpRequest, task: TaskId, key: Key, body: sent.ReportIn) -> Status[Any]:
    """An assisting or lower unit reports to the one that answers."""

    def do(caller: Caller, it: Task, submission: UUID, files: Files) -> int:
        return actions.report_result(
            actor=caller.account,
            at=caller.at,
            task=it,
            text=body.text,
            finding=body.finding or "",
            files=files,
            version=body.version,
            submission=submission,
        ).pk

    return _act(request, task, key, do, body.uploads)


@_post("reply/decline", "decline_to_sign")
def decline_to_sign(request: HttpRequest, task: TaskId, key: Key, body: sent.ReasonedIn) -> Status[Any]:
    """The unit's leader gives the reply back to who wrote it: the account needs that role."""
    return _act(request, task, key, _reasoned(actions.decline_to_sign, body))


# --- asks --------------------------------------------------------------------------------------------------------


@_post("return", "request_return")
def request_return(request: HttpRequest, task: TaskId, key: Key, body: sent.ReturnIn) -> Status[Any]:
    """Within the return limit, once per unit and case, never after a ruling."""

    def do(caller: Caller, it: Task, submission: UUID, files: Files) -> int:
        given = body.model_dump(exclude={"proposed_unit"})
        _known(ReasonList.RETURN, body.reason_code, caller)
        proposed = queries.unit_of(body.proposed_unit, at=caller.at)
        return actions.request_return(
            actor=caller.account, at=caller.at, task=it, proposed_unit=proposed, submission=submission, **given
        ).pk

    return _act(request, task, key, do)


@_post("extension", "request_extension")
def request_extension(request: HttpRequest, task: TaskId, key: Key, body: sent.ExtensionIn) -> Status[Any]:
    """Only when the citizen has been told does the citizen's own deadline move with it."""
    return _ask(request, task, key, body, actions.request_extension, ReasonList.EXTENSION)


@_post("pause", "request_pause")
def request_pause(request: HttpRequest, task: TaskId, key: Key, body: sent.PauseIn) -> Status[Any]:
    """With proof: an upload, or the ground in words."""
    return _ask(request, task, key, body, actions.request_pause, ReasonList.PAUSE)


@_post("termination", "request_termination")
def request_termination(request: HttpRequest, task: TaskId, key: Key, body: sent.TerminationIn) -> Status[Any]:
    """It turned out not to be ours to handle, or the citizen refuses to take part."""
    return _ask(request, task, key, body, actions.request_termination, ReasonList.TERMINATION)


@_post("set-aside", "request_set_aside")
def request_set_aside(request: HttpRequest, task: TaskId, key: Key, body: sent.SetAsideIn) -> Status[Any]:
    """After a bad rating of what cannot be met; the rating itself stays."""
    return _ask(request, task, key, body, actions.request_set_aside)


def _ask(
    request: HttpRequest, task: int, key: str, body: Any, action: Callable[..., Any], reasons: ReasonList | None = None
) -> Status[Any]:
    """The body's fields are the action's own, and its files; a reason is one of its list."""

    def do(caller: Caller, it: Task, submission: UUID, files: Files) -> int:
        if reasons is not None:
            _known(reasons, body.reason_code, caller)
        given = body.model_dump(exclude={"uploads"})
        ask = action(actor=caller.account, at=caller.at, task=it, files=files, submission=submission, **given)
        return int(ask.pk)

    return _act(request, task, key, do, body.uploads)


@_post("resume", "resume_task")
def resume_task(request: HttpRequest, task: TaskId, key: Key, body: sent.NotedIn) -> Status[Any]:
    """The clock of a paused task goes on."""

    def do(caller: Caller, it: Task, submission: UUID, files: Files) -> None:
        given = body.model_dump()
        actions.resume_task(actor=caller.account, at=caller.at, task=it, submission=submission, **given)

    return _act(request, task, key, do)


def _known(of_list: ReasonList, code: str, caller: Caller) -> None:
    """The screens offer the list's codes; here one may be made up. Errors: invalid."""
    queries.reason_code_of(of_list, code, at=caller.at)


# --- down the tree and beside --------------------------------------------------------------------------------------


@_post("sub-dispatch", "sub_dispatch")
def sub_dispatch(request: HttpRequest, task: TaskId, key: Key, body: sent.SubDispatchIn) -> Status[Any]:
    """To a unit below, which reports; the answer's `id` is the new task."""

    def do(caller: Caller, it: Task, submission: UUID, files: Files) -> int:
        given = body.model_dump(exclude={"unit"})
        below = queries.unit_of(body.unit, at=caller.at)
        return actions.sub_dispatch(
            actor=caller.account, at=caller.at, task=it, unit=below, submission=submission, **given
        ).pk

    return _act(request, task, key, do)


@_post("return-to-parent", "return_to_parent")
def return_to_parent(request: HttpRequest, task: TaskId, key: Key, body: sent.ReasonedIn) -> Status[Any]:
    """A lower unit gives its task back; the case may be out of its sight with that, so the answer tells what it was."""
    return _act(request, task, key, _reasoned(actions.return_to_parent, body))


@_post("report/send-back", "send_report_back")
def send_report_back(request: HttpRequest, task: TaskId, key: Key, body: sent.ReasonedIn) -> Status[Any]:
    """`task` is that of the unit that reported; its lead's or upper unit's system calls."""
    return _act(request, task, key, _reasoned(actions.send_report_back, body))


@_post("report/excuse", "excuse_report")
def excuse_report(request: HttpRequest, task: TaskId, key: Key, body: sent.ReasonedIn) -> Status[Any]:
    """`task` is that of the unit that owes a report; its lead's or upper unit's system calls."""
    return _act(request, task, key, _reasoned(actions.excuse_report, body))


def _reasoned(action: Callable[..., Any], body: sent.ReasonedIn) -> Do:
    """An act of a task, a reason and nothing else."""

    def do(caller: Caller, it: Task, submission: UUID, files: Files) -> None:
        action(actor=caller.account, at=caller.at, task=it, submission=submission, **body.model_dump())

    return do
