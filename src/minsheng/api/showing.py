"""Cases and tasks put into the API's shapes, under the same rules of disclosure as the screens. Pure but for what it is given."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from minsheng.api import schemas as out
from minsheng.cases import presenting, shown_clocks, workflow
from minsheng.cases.choices import (
    ApplicantKind,
    AskKind,
    AskState,
    CaseState,
    Channel,
    OutreachMethod,
    ReplyState,
    RequestKind,
    TaskRole,
    TaskState,
    Urgency,
)
from minsheng.cases.models import Ask, Attachment, Case, Outreach, Reply, Task, TimelineEntry, Topic
from minsheng.outbox.choices import State as DeliveryState
from minsheng.outbox.models import Delivery, Endpoint
from minsheng.publishing import rules as publishing_rules
from minsheng.secrecy import mask_address, mask_name, mask_phone, redact
from minsheng.worktime import queries as worktime
from minsheng.worktime.choices import Light

if TYPE_CHECKING:
    from minsheng.accounts.models import User
    from minsheng.cases.queries import CaseView
    from minsheng.organisations.models import Place, Unit

_SPLIT = frozenset({"split", "split_off"})
_ENTRY_LABELS = {"split_off": "拆分"} | publishing_rules.ACTS


def topic_named(topic: Topic | None) -> out.Named | None:
    """No query where two parents are loaded, or none is wanted."""
    return None if topic is None else out.Named(code=topic.code, name=topic.name)


def place_named(place: Place | None) -> out.Named | None:
    """No query where `parent` is loaded."""
    return None if place is None else out.Named(code=place.code, name=place.name, path=presenting.place_words(place))


def unit_named(unit: Unit) -> out.Named:
    """Code and name."""
    return out.Named(code=unit.code, name=unit.name)


def case_row(case: Case, user: User) -> out.CaseRow:
    """A case in a list."""
    return out.CaseRow(
        number=case.number or "",
        version=case.version,
        state=CaseState(case.state),
        state_label=case.get_state_display(),
        ending=case.ending,
        ending_label=case.get_ending_display() if case.ending else "",
        kind=RequestKind(case.kind),
        kind_label=case.get_kind_display(),
        urgency=Urgency(case.urgency),
        title=presenting.shown_title(user, case),
        topic=topic_named(case.topic),
        place=place_named(case.place),
        channel=Channel(case.channel),
        round=case.round,
        confidential=case.confidential,
        received_at=case.received_at,
        accepted_at=case.accepted_at,
        closed_at=case.closed_at,
        citizen_due_at=case.citizen_due_at,
        provisional=case.provisional,
    )


def case_whole(view: CaseView, user: User, files: Iterable[Attachment], *, at: datetime) -> out.CaseOut:
    """A case as this account sees its page."""
    case, seen, calendar = view.case, view.disclosure, worktime.calendar()
    clocks = [shown_clocks.citizen_clock(case, at=at, calendar=calendar)]
    if user.is_centre:
        clocks.append(shown_clocks.stage_clock(case, at=at, calendar=calendar))
    address = (mask_address(case.address) if seen.redacted else case.address) if seen.words else ""
    return out.CaseOut(
        **dict(case_row(case, user)),
        text=presenting.shown_words(case, seen),
        withheld=not seen.words,
        address=address,
        point=_point(presenting.shown_point(case, seen)),
        occurred_at=case.occurred_at,
        extra=_extra(view),
        applicant=_person(case) if seen.person else None,
        clocks=[_clock(clock) for clock in clocks if clock is not None],
        tasks=[task_row(task, user) for task in view.situation.tasks],
        replies=[_reply(view, reply) for reply in view.replies if _may_read(view, reply)],
        files=[file_of(each) for each in files] if seen.files else [],
        may=_may(view),
    )


def _point(shown: presenting.ShownPoint | None) -> out.PointOut | None:
    if shown is None:
        return None
    return out.PointOut(longitude=float(shown.point.longitude), latitude=float(shown.point.latitude), near=shown.near)


def task_row(task: Task, user: User) -> out.TaskRow:
    """A task in a list. No query where case and unit are loaded."""
    return out.TaskRow(
        id=task.pk,
        number=task.case.number or "",
        version=task.case.version,
        title=presenting.shown_title(user, task.case),
        unit=unit_named(task.unit),
        role=task.role,
        role_label=TaskRole(task.role).label,
        state=TaskState(task.state),
        state_label=TaskState(task.state).label,
        round=task.round,
        instruction=presenting.staff_words(user, task.case, task.instruction),
        assigned_at=task.assigned_at,
        read_due_at=task.read_due_at,
        read_at=task.read_at,
        return_due_at=task.return_due_at,
        due_at=task.due_at,
        provisional=task.provisional,
        first_measures_due_at=task.first_measures_due_at,
        first_measures_at=task.first_measures_at,
        replied_at=task.replied_at,
        sent_back_times=task.sent_back_times,
    )


def task_whole(
    view: CaseView, task: Task, user: User, asks: Iterable[Ask], outreaches: Iterable[Outreach], *, at: datetime
) -> out.TaskOut:
    """A task with everything under it that this account may read."""
    clocks = shown_clocks.task_clocks(task, at=at, calendar=worktime.calendar())
    return out.TaskOut(
        **dict(task_row(task, user)),
        clocks=[_clock(clock) for clock in clocks],
        replies=[_reply(view, r) for r in view.replies if r.task_id == task.pk and _may_read(view, r)],
        asks=[_ask(view, each, at) for each in asks],
        outreaches=[_outreach(view, each) for each in outreaches],
        may=[step for step in _may(view) if step.task == task.pk],
    )


def done(task: Task, made: int | None = None) -> out.Done:
    """How the task stands after an act."""
    return out.Done(
        task=task.pk,
        number=task.case.number or "",
        version=task.case.version,
        case_state=CaseState(task.case.state),
        task_state=TaskState(task.state),
        due_at=task.due_at,
        id=made,
    )


def case_done(case: Case) -> out.CaseDone:
    """How the case stands after an act on it."""
    return out.CaseDone(
        number=case.number or "", version=case.version, state=CaseState(case.state), state_label=case.get_state_display()
    )


def change(entry: TimelineEntry, user: User) -> out.ChangeOut:
    """A timeline entry without its words: they are read with the case. A unit does not learn which cases a split connects."""
    code = "split" if user.is_unit and entry.code in _SPLIT else entry.code
    row = workflow.BY_CODE.get(code)
    return out.ChangeOut(
        number=entry.case.number or "",
        version=entry.seq,
        at=entry.at,
        code=code,
        label=row.label if row else _ENTRY_LABELS.get(code, code),
        actor=entry.actor_label,
        state=CaseState(entry.case.state),
        task=entry.task_id,
    )


def webhook(row: Endpoint) -> out.WebhookOut:
    """A webhook without its secret."""
    return out.WebhookOut(
        id=row.pk,
        name=row.name,
        url=row.url,
        events=row.kinds,
        own_only=bool(row.source),
        active=row.is_active,
        gave_up=row.gave_up,
        failing_since=row.failing_since,
    )


def delivery(row: Delivery) -> out.DeliveryOut:
    """One call to a webhook. No query where the case is loaded."""
    return out.DeliveryOut(
        id=row.key,
        event=row.kind,
        number=(row.case.number or "") if row.case else "",
        state=DeliveryState(row.state),
        state_label=row.get_state_display(),
        reason=row.reason or row.last_error,
        attempts=row.attempts,
        made_at=row.made_at,
        next_at=row.next_at,
        sent_at=row.sent_at,
    )


def topic(row: Topic) -> out.TopicOut:
    """A topic with what it asks for."""
    names = [each.name for each in (row.parent.parent if row.parent else None, row.parent, row) if each is not None]
    return out.TopicOut(
        code=row.code,
        name=row.name,
        path=" / ".join(names),
        default_kind=RequestKind(row.default_kind) if row.default_kind else None,
        keywords=[*row.aliases, *row.keywords],
        required_fields=row.required_fields,
    )


def file_of(attachment: Attachment) -> out.FileOut:
    """Name, type and size."""
    return out.FileOut(
        id=attachment.pk,
        name=attachment.name,
        media_type=attachment.media_type,
        size=attachment.size,
        sha256=attachment.sha256,
    )


# --- parts -------------------------------------------------------------------------------------------------------


def _clock(clock: shown_clocks.ShownClock) -> out.ClockOut:
    return out.ClockOut(name=clock.name, words=clock.text, light=Light(clock.light), due_at=clock.due, why=clock.sentence)


def _person(case: Case) -> out.PersonOut:
    who = case.applicant
    return out.PersonOut(
        kind=ApplicantKind(who.kind),
        anonymous=who.anonymous,
        name=mask_name(who.name or ""),
        phone=mask_phone(who.phone or ""),
        organisation=who.organisation,
    )


def _extra(view: CaseView) -> list[out.Fact]:
    case, seen = view.case, view.disclosure
    if not case.topic or not seen.words:
        return []
    labels = {item["name"]: item["label"] for item in case.topic.required_fields}
    values = ((labels.get(name, name), str(value)) for name, value in case.extra.items() if value)
    return [out.Fact(label=label, value=redact(value) if seen.redacted else value) for label, value in values]


def _may_read(view: CaseView, reply: Reply) -> bool:
    """A reply that its unit has not signed is the unit's own paper."""
    unsigned = reply.state in (ReplyState.TO_SIGN, ReplyState.NOT_SIGNED)
    return not unsigned or view.situation.actor.unit_id == reply.task.unit_id


def _staff_words(view: CaseView, text: str) -> str:
    return presenting.staff_words(view.situation.actor, view.case, text)


def _reply(view: CaseView, reply: Reply) -> out.ReplyOut:
    return out.ReplyOut(
        id=reply.pk,
        task=reply.task_id,
        unit=reply.task.unit.name,
        kind=reply.kind,
        state=reply.state,
        state_label=ReplyState(reply.state).label,
        text=_staff_words(view, reply.text),
        finding=reply.finding,
        outcome=reply.outcome,
        solved=reply.solved,
        basis=_staff_words(view, reply.basis),
        written_at=reply.written_at,
        signed_at=reply.signed_at,
        audited_at=reply.audited_at,
        audit_note=_staff_words(view, reply.audit_note),
        files=[] if view.disclosure.redacted else [file_of(each) for each in reply.attachments.all()],
    )


def _ask(view: CaseView, ask: Ask, at: datetime) -> out.AskOut:
    clock = shown_clocks.ask_clock(ask, at=at, calendar=worktime.calendar())
    return out.AskOut(
        id=ask.pk,
        task=ask.task_id,
        kind=ask.kind,
        kind_label=AskKind(ask.kind).label,
        state=ask.state,
        state_label=AskState(ask.state).label,
        reason_code=ask.reason_code,
        reason=_staff_words(view, ask.reason),
        until=ask.until,
        asked_at=ask.asked_at,
        due_at=ask.due_at,
        clock=_clock(clock) if ask.state == AskState.PENDING else None,
        decided_at=ask.decided_at,
        decision_note=_staff_words(view, ask.decision_note),
    )


def _outreach(view: CaseView, each: Outreach) -> out.OutreachOut:
    return out.OutreachOut(
        id=each.pk,
        task=each.task_id,
        at=each.at,
        method=OutreachMethod(each.method),
        reached=each.reached,
        summary=_staff_words(view, each.summary),
    )


def _may(view: CaseView) -> list[out.May]:
    return [out.May(code=row.code, label=row.label, task=task.pk if task else None) for row, task in view.actions()]
