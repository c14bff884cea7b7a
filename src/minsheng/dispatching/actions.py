"""批转: giving a case to the units whose duty it is, and what comes before or instead (design §4; domain.md §2.3, §2.8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connection

from minsheng.cases import clocks, messages, work
from minsheng.cases.actions import intake
from minsheng.cases.actions.ending import close, end_tasks, lapse_asks
from minsheng.cases.assigning import assign, refuse_naming, refuse_unit
from minsheng.cases.choices import OPEN_STATES, CaseState, Ending, TaskRole, TaskState
from minsheng.cases.details import CaseDetails
from minsheng.cases.models import Case
from minsheng.cases.wording import day_words, unit_names
from minsheng.errors import Refused

if TYPE_CHECKING:
    from minsheng.accounts.models import User
    from minsheng.organisations.models import Unit

MOST_PARTS = 5  # split off at once


def dispatch_case(
    *,
    actor: User,
    at: datetime,
    case: Case,
    lead: Unit,
    assisting: Sequence[Unit] = (),
    instruction: str = "",
    unit_text: str = "",
    version: int | None = None,
    submission: UUID | None = None,
) -> Case:
    """批转 to one lead and any number of assisting units; their clocks start now.

    A unit named by a ruling (study) cannot return the case. A confidential case needs `unit_text`, the words for units.
    Errors: topic_required, unit_text_required, unit_text_names, accused_unit, unit_not_dispatchable, unit_twice, and those of work_on.
    """
    with work.work_on(case, "dispatch", actor=actor, at=at, version=version, submission=submission) as w:
        _ready(w.case, unit_text, instruction)
        made = clocks.task_clocks(w.case, at=at)
        by_ruling = w.case.ruled_unit_id == lead.pk or clocks.in_second_handling(w.case)
        _refuse_twins([lead, *assisting])
        for unit, role in [(lead, TaskRole.LEAD), *((unit, TaskRole.ASSIST) for unit in assisting)]:
            assign(
                w,
                unit,
                role=role,
                by=w.user,
                handling=made.handling,
                reading=made.read,
                first_measures=made.first_measures if role == TaskRole.LEAD else None,
                instruction=instruction,
                by_ruling=by_ruling and role == TaskRole.LEAD,
            )
        w.case.unit_text = unit_text.strip() if w.case.confidential else ""
        w.case.dispatched_at, w.case.dispatched_by = w.case.dispatched_at or at, w.user
        w.move_case(CaseState.IN_HANDLING)
        clocks.set_stage(w.case, None)
        w.note = instruction
        w.facts = {
            "lead": lead.code,
            "assisting": [unit.code for unit in assisting],
            "by_ruling": by_ruling,
            "deadline": made.handling.to_json(),
        }
        w.summary = _dispatch_words(lead, assisting, made.handling.due_at, at)
        assert w.case.citizen_due_at is not None
        messages.tell(
            w.case, at=at, template="dispatched", unit=lead.name, due=day_words(w.case.citizen_due_at, at)
        )
    return case


def _ready(case: Case, unit_text: str, instruction: str) -> None:
    if case.topic is None:
        raise Refused("topic_required", action="批转")
    if not case.confidential:
        return
    if not unit_text.strip():
        raise Refused("unit_text_required")
    refuse_naming(case, unit_text, instruction)


def _dispatch_words(lead: Unit, assisting: Sequence[Unit], due_at: datetime, at: datetime) -> str:
    others = f"、{unit_names(assisting)}（协办）" if assisting else ""
    return f"批转至{lead.name}（主办）{others}，{day_words(due_at, at)} 24:00 前办结"


def add_assisting(
    *,
    actor: User,
    at: datetime,
    case: Case,
    units: Sequence[Unit],
    instruction: str = "",
    version: int | None = None,
    submission: UUID | None = None,
) -> Case:
    """增派协办 while the case is handled; each gets clocks of its own. Errors: invalid, unit_text_names, and those of assign."""
    if not units:
        raise Refused("invalid", message="请选择协办单位。")
    _refuse_twins(units)
    with work.work_on(case, "add_assisting", actor=actor, at=at, version=version, submission=submission) as w:
        refuse_naming(w.case, instruction)
        made = clocks.task_clocks(w.case, at=at)
        for unit in units:
            assign(
                w,
                unit,
                role=TaskRole.ASSIST,
                by=w.user,
                handling=made.handling,
                reading=made.read,
                instruction=instruction,
            )
        w.note, w.facts = instruction, {"assisting": [unit.code for unit in units]}
        w.summary = f"增派{unit_names(units)}协办"
    return case


def recall_case(
    *, actor: User, at: datetime, case: Case, reason: str, version: int | None = None, submission: UUID | None = None
) -> Case:
    """收回改派: the centre sees its own mistake; it counts against the first dispatch as an upheld return does.

    In a later round the first dispatch has long proved right: nothing counts against it any more.
    """
    _need(reason)
    with work.work_on(case, "recall", actor=actor, at=at, version=version, submission=submission) as w:
        ended = end_tasks(w, TaskState.RECALLED)
        w.case.first_dispatch_wrong = w.case.first_dispatch_wrong or w.case.round == 1
        w.move_case(CaseState.TO_DISPATCH)
        clocks.start_stage(w.case, at=at)
        w.note, w.summary = reason, f"从{unit_names(t.unit for t in ended)}收回，重新批转"
    return case


def send_to_study(
    *, actor: User, at: datetime, case: Case, reason: str, version: int | None = None, submission: UUID | None = None
) -> Case:
    """送研判: the duty is unclear or disputed."""
    _need(reason)
    with work.work_on(case, "send_to_study", actor=actor, at=at, version=version, submission=submission) as w:
        w.move_case(CaseState.IN_STUDY)
        clocks.start_stage(w.case, at=at)
        w.note, w.summary = reason, "送研判"
    return case


def conclude_study(
    *,
    actor: User,
    at: datetime,
    case: Case,
    conclusion: str,
    ruled_unit: Unit | None = None,
    version: int | None = None,
    submission: UUID | None = None,
) -> Case:
    """研判结论: back to dispatch; a unit named here is assigned by ruling and cannot return the case (潍坊条例 §22)."""
    _need(conclusion)
    with work.work_on(case, "conclude_study", actor=actor, at=at, version=version, submission=submission) as w:
        if ruled_unit is not None:
            refuse_unit(w.case, ruled_unit, at=at)
        w.case.ruled_unit = ruled_unit
        w.move_case(CaseState.TO_DISPATCH)
        clocks.start_stage(w.case, at=at)
        w.note = conclusion
        w.facts = {"ruled_unit": ruled_unit.code if ruled_unit else None}
        w.summary = f"研判结论：指定{ruled_unit.name}承办" if ruled_unit else "研判结论"
    return case


def split_case(
    *,
    actor: User,
    at: datetime,
    case: Case,
    parts: Sequence[CaseDetails],
    version: int | None = None,
    submission: UUID | None = None,
) -> list[Case]:
    """拆分: one request with several matters; each part becomes a case of its own with the same person and the same clock start.

    The case itself stays with what its own words still say. Whom the case is against, its parts are against too, so that no
    part reaches them. Errors: invalid.
    """
    if not 1 <= len(parts) <= MOST_PARTS:
        raise Refused("invalid", message=f"请写出要拆出的诉求，一次最多 {MOST_PARTS} 件。")
    with work.work_on(case, "split", actor=actor, at=at, version=version, submission=submission) as w:
        accused = w.case.accused_unit
        made = [intake.split_off(w, replace(part, accused_unit=part.accused_unit or accused)) for part in parts]
        for part in made:
            messages.tell(w.case, at=at, template="split", of=part)
        w.facts = {"parts": [part.number for part in made]}
        w.summary = f"拆分出 {'、'.join(str(part.number) for part in made)}"
    return made


def merge_case(
    *, actor: User, at: datetime, case: Case, into: Case, version: int | None = None, submission: UUID | None = None
) -> Case:
    """并案: a duplicate ends, its citizen is told the other's number and gets its result (domain.md §2.8).

    Only the duplicate's row is written; the survivor lists what was merged into it. The survivor is held in share mode, so
    that it cannot close or be merged away meanwhile, and only if it is free: this transaction waits for no other case's.
    Errors: cannot_merge, not_found.
    """
    with work.work_on(case, "merge", actor=actor, at=at, version=version, submission=submission) as w:
        survivor = Case.objects.visible_to(actor).filter(pk=into.pk).first()
        if survivor is None:
            raise Refused("not_found")
        if survivor.pk != w.case.pk and not _hold(survivor):
            raise Refused("cannot_merge", number=survivor.number, why="正有人在处理它，请稍后再试一次")
        why = why_not_merged(w.case, survivor, at=at)
        if why:
            raise Refused("cannot_merge", number=survivor.number, why=why)
        close(w, Ending.MERGED)
        w.case.merged_into = survivor
        w.facts = {"into": survivor.number}
        w.summary = f"并入 {survivor.number}"
        messages.tell(w.case, at=at, template="merged", other=survivor.number)
    return case


def why_not_merged(case: Case, survivor: Case, *, at: datetime) -> str:
    """Why `case` cannot end in `survivor`, empty where it can (domain.md §2.8: 归档、逾期、暂存件不可关联)."""
    if survivor.pk == case.pk:
        return "就是这一件"
    if survivor.state not in OPEN_STATES:
        return f"已是“{survivor.get_state_display()}”"
    if survivor.state == CaseState.TO_FOLLOW_UP:
        return "已经答复，并进去的诉求人得不到结果"
    if survivor.confidential or case.confidential:
        return "保密件不能并案，以免互相看到"
    if survivor.citizen_due_at is not None and survivor.citizen_due_at <= at:
        return "已超过群众时限"
    if Case.objects.filter(merged_into=case).exists():
        return "已有诉求并入现在这件，请反过来并案"
    return ""


def _hold(survivor: Case) -> bool:
    """Share the survivor's row until this transaction ends; False where somebody is writing it. Then read it as it stands."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM cases_case WHERE id = %s FOR SHARE SKIP LOCKED", [survivor.pk])
        if cursor.fetchone() is None:
            return False
    survivor.refresh_from_db()
    return True


def reopen_case(
    *, actor: User, at: datetime, case: Case, reason: str, version: int | None = None, submission: UUID | None = None
) -> Case:
    """重新办理: a new, numbered round with its own limit, counted from now: a reopened case is never late at once.

    What a unit still asked for in the round before (setting aside its rating) lapses: this round gets a verdict of its own.
    """
    _need(reason)
    with work.work_on(case, "reopen", actor=actor, at=at, version=version, submission=submission) as w:
        lapse_asks(w, w.situation.tasks)
        w.case.round += 1
        w.case.ruled_unit, w.case.set_aside = None, False
        w.case.ending, w.case.closed_at, w.case.ending_ground = "", None, None
        w.case.final_satisfaction = w.case.final_solved = ""
        w.case.accepted_at = w.case.accepted_at or at
        w.move_case(CaseState.TO_DISPATCH)
        clocks.set_citizen(w.case, clocks.citizen_clock(w.case, at=at))
        clocks.start_stage(w.case, at=at)
        w.note, w.summary = reason, f"重新办理，第 {w.case.round} 轮"
        assert w.case.citizen_due_at is not None
        messages.tell_all(w.case, at=at, template="reopened", due=day_words(w.case.citizen_due_at, at))
    return case


def _refuse_twins(units: Sequence[Unit]) -> None:
    seen: set[int] = set()
    for unit in units:
        if unit.pk in seen:
            raise Refused("unit_twice", unit=unit.name)
        seen.add(unit.pk)


def _need(text: str) -> None:
    if not text.strip():
        raise Refused("reason_required")

