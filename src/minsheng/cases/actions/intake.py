"""Intake: a submission becomes a numbered case that waits for acceptance (design §4; domain.md §2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from minsheng.accounts.choices import Role
from minsheng.audit.actions import record
from minsheng.cases import attachments, clocks, messages, pressing, rules, scope, work
from minsheng.cases.actors import CITIZEN_ROLE, Outsider, is_user, user_or_none
from minsheng.cases.choices import (
    CHANNEL_DIGITS,
    URGENCY_ORDER,
    CaseState,
    Channel,
    ContactPurpose,
    RequestKind,
    Urgency,
)
from minsheng.cases.details import ApplicantDetails, CaseDetails, checked, commitment_of, make_applicant, title_of
from minsheng.cases.indexing import keep_words
from minsheng.cases.models import Applicant, Case, Contact, Task, TimelineEntry
from minsheng.cases.wording import day_words
from minsheng.errors import Refused
from minsheng.secrecy import commitment, new_salt
from minsheng.worktime.moments import day_of

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from minsheng.accounts.models import User

_MAY_TAKE = frozenset({Role.AGENT, Role.TEAM_LEADER, Role.DISPATCHER, CITIZEN_ROLE})


def submit_case(
    *,
    actor: User | Outsider,
    at: datetime,
    channel: str,
    details: CaseDetails,
    applicant: ApplicantDetails,
    files: Sequence[UploadedFile] = (),
    submission: UUID | None = None,
    source: str = "",
    source_id: str = "",
    received_at: datetime | None = None,
    made_up: bool = False,
) -> Case:
    """One contact becomes one case waiting for acceptance, with its own clock. The same form or message twice is one case.

    Errors: forbidden, invalid, submission_used, file_* (minsheng.cases.attachments).
    """
    _refuse_stranger(actor)
    checked(details)
    try:
        with transaction.atomic():
            known = _taken_before(actor, submission, source, source_id)
            if known is not None:
                return known
            case = _new_case(
                actor, at, channel, details, applicant, state=CaseState.TO_ACCEPT, received_at=received_at, made_up=made_up
            )
            _first_entry(case, actor, at, submission)
            _first_contact(case, actor, submission, source, source_id)
            attachments.store_all(case, files, at=at, by=user_or_none(actor))
            messages.tell(case, at=at, template="received")
            keep_words(case)
            return case
    except IntegrityError:
        # The same submission arrived on another connection at the same moment: there is one case, and it is that one.
        known = _taken_before(actor, submission, source, source_id)
        if known is None:
            raise
        return known


def save_draft(
    *,
    actor: User,
    at: datetime,
    channel: str,
    details: CaseDetails,
    applicant: ApplicantDetails,
    case: Case | None = None,
    made_up: bool = False,
) -> Case:
    """暂存: an agent's unfinished form, seen by nobody else; unnumbered, without contact or clock."""
    _refuse_stranger(actor)
    with transaction.atomic():
        if case is not None:
            discard_draft(actor=actor, at=at, case=case)
        return _new_case(actor, at, channel, details, applicant, state=CaseState.DRAFT, made_up=made_up)


def discard_draft(*, actor: User, at: datetime, case: Case) -> None:
    """Delete one's own draft; it was never a record. Errors: not_found, wrong_state."""
    with transaction.atomic():
        locked = work.lock_case(case.pk)
        if locked.state != CaseState.DRAFT or locked.accepted_by_id != actor.pk:
            raise Refused("not_found")
        applicant_pk = locked.applicant_id
        locked.attachments.all().delete()
        locked.delete()
        Applicant.objects.filter(pk=applicant_pk).delete()


def submit_draft(
    *,
    actor: User,
    at: datetime,
    case: Case,
    channel: str,
    details: CaseDetails,
    applicant: ApplicantDetails,
    files: Sequence[UploadedFile] = (),
    submission: UUID | None = None,
) -> Case:
    """A draft is submitted: it goes, and a case with its words comes, in one transaction."""
    with transaction.atomic():
        made = submit_case(
            actor=actor, at=at, channel=channel, details=details, applicant=applicant, files=files, submission=submission
        )
        if Case.objects.filter(pk=case.pk, state=CaseState.DRAFT, accepted_by=actor).exists():
            discard_draft(actor=actor, at=at, case=case)
        return made


def accept_case(
    *, actor: User, at: datetime, case: Case, version: int | None = None, submission: UUID | None = None, note: str = ""
) -> Case:
    """受理: the citizen's clock starts, the case waits for dispatch. Errors: topic_required and those of work_on."""
    with work.work_on(case, "accept", actor=actor, at=at, version=version, submission=submission) as w:
        if w.case.topic is None:
            raise Refused("topic_required")
        w.case.accepted_at, w.case.accepted_by = at, w.user
        w.move_case(CaseState.TO_DISPATCH)
        citizen = clocks.citizen_clock(w.case, at=at)
        clocks.set_citizen(w.case, citizen)
        clocks.start_stage(w.case, at=at)
        w.note, w.facts = note, {"deadline": citizen.to_json()}
        w.summary = f"受理，群众时限 {day_words(citizen.due_at, at)} 24:00 前"
        messages.tell_all(w.case, at=at, template="accepted", due=day_words(citizen.due_at, at))
    return case


def correct_case(
    *,
    actor: User,
    at: datetime,
    case: Case,
    details: CaseDetails,
    version: int | None = None,
    submission: UUID | None = None,
    note: str = "",
) -> Case:
    """更正要素: kind, topic, place, urgency, title, text as the centre understands them; the contact keeps the words as they came.

    Once accepted, a new kind, topic or urgency derives the citizen's clock anew from acceptance, on record, and tells the citizen;
    what it was extended by stays.
    """
    checked(details)
    with work.work_on(case, "correct", actor=actor, at=at, version=version, submission=submission) as w:
        kept_confidential = w.case.confidential
        due_before = w.case.citizen_due_at
        _fill(w.case, details)
        w.case.confidential = w.case.confidential or kept_confidential  # only lifted by its own action
        w.note, w.summary = note, "更正诉求要素"
        w.facts = {"text": commitment(w.case.text_salt, w.case.text)}
        if w.case.accepted_at and not clocks.in_second_handling(w.case):
            clocks.set_citizen(w.case, clocks.citizen_anew(w.case, like=w.case, at=at))
            if w.case.citizen_due_at and w.case.citizen_due_at != due_before:
                messages.tell_all(w.case, at=at, template="accepted", due=day_words(w.case.citizen_due_at, at))
    return case


def supplement_case(
    *,
    actor: User | Outsider,
    at: datetime,
    case: Case,
    channel: str,
    text: str,
    purpose: str = ContactPurpose.SUPPLEMENT,
    files: Sequence[UploadedFile] = (),
    submission: UUID | None = None,
) -> Case:
    """补充情况: one more contact joins the case; its state stays. A contact never makes a screen of the staff stale by itself."""
    if not text.strip() or len(text) > 2000:
        raise Refused("invalid", message="请写明要补充的内容，最多 2000 字。")
    with work.work_on(case, "supplement", actor=actor, at=at, submission=submission) as w:
        Contact.objects.create(
            case=w.case,
            purpose=purpose,
            channel=channel,
            received_at=at,
            text=text,
            applicant=w.case.applicant,
            taken_by=user_or_none(actor),
            submission=submission,
        )
        attachments.store_all(w.case, files, at=at, by=user_or_none(actor))
        w.summary = f"诉求人{ContactPurpose(purpose).label}"
        w.note = text
    return case


def reissue_query_code(*, actor: User, at: datetime, case: Case) -> str:
    """A new query code; the earlier one is void. For the citizen who lost it and called from their own number.

    The code opens the citizen's own page, so only who may see the person whole gives it. Errors: not_found, forbidden.
    """
    with transaction.atomic():
        locked = work.lock_case(case.pk)
        if locked.number is None or not Case.objects.visible_to(actor).filter(pk=case.pk).exists():
            raise Refused("not_found")
        if not actor.is_centre or not scope.disclosure_for(actor, locked, Task.objects.filter(case=locked)).uncover:
            raise Refused("forbidden", action="补发查询码")
        locked.query_code_issue += 1
        locked.save(update_fields=["query_code_issue"])
        record(actor=actor, at=at, code="case.reissue_query_code", subject=locked, subject_label=str(locked))
    return query_code_of(locked)


def split_off(w: work.Work, details: CaseDetails) -> Case:
    """One part of a case that is being split: accepted with it, by the same person, waiting for dispatch under its own number.

    The caller is dispatching's split_case, inside work_on; the new rows wait for nobody.
    """
    checked(details)
    origin = w.case
    case = Case(
        channel=origin.channel,
        applicant=origin.applicant,
        received_at=origin.received_at,
        state=CaseState.TO_DISPATCH,
        state_since=w.at,
        text_salt=new_salt(),
        accepted_at=origin.accepted_at,
        accepted_by=origin.accepted_by,
        enterprise=origin.enterprise,
        split_from=origin,
        made_up=origin.made_up,
    )
    _fill(case, details)
    case.confidential = case.confidential or origin.confidential
    case.pk, serial = _next_ids()
    case.number = rules.format_number(day_of(case.received_at), CHANNEL_DIGITS[Channel(case.channel)], serial)
    clocks.set_citizen(case, clocks.citizen_anew(case, like=origin, at=w.at))
    clocks.start_stage(case, at=w.at)
    pressing.keep(case)
    case.save(force_insert=True)
    payload = {
        "summary": f"由 {origin.number} 拆分",
        "facts": {"from": origin.number, "text": commitment(case.text_salt, case.text)},
        "before": {},
        "after": {"state": case.state},
    }
    work.append(case, actor=w.actor, at=w.at, code="split_off", payload=payload)
    case.save(update_fields=["timeline_head", "timeline_length"])
    keep_words(case)
    return case


def query_code_of(case: Case) -> str:
    """The citizen's query code; shown at the end of filing and after a re-issue only."""
    return rules.query_code(settings.HASH_KEY, case.number or "", case.query_code_issue)


# --- parts -------------------------------------------------------------------------------------------------------


def _refuse_stranger(actor: User | Outsider) -> None:
    if _MAY_TAKE.isdisjoint(actor.roles):
        raise Refused("forbidden", action="登记诉求")


def _taken_before(actor: User | Outsider, submission: UUID | None, source: str, source_id: str) -> Case | None:
    """The case that this form or message brought. A key that did something else brought none: it is refused, not believed."""
    if submission is not None:
        entry = TimelineEntry.objects.filter(submission=submission).select_related("case").first()
        if entry is None:
            return None
        person = user_or_none(actor)
        if entry.code != "submit" or entry.actor_id != (person.pk if person else None):
            raise Refused("submission_used")
        return entry.case
    if not source_id:
        return None
    contact = Contact.objects.select_related("case").filter(source=source, source_id=source_id).first()
    return contact.case if contact else None


def _new_case(
    actor: User | Outsider,
    at: datetime,
    channel: str,
    details: CaseDetails,
    applicant: ApplicantDetails,
    *,
    state: CaseState,
    received_at: datetime | None = None,
    made_up: bool = False,
) -> Case:
    person = make_applicant(applicant)
    person.save(force_insert=True)
    received = received_at or at
    case = Case(
        channel=channel,
        applicant=person,
        received_at=received,
        state=state,
        state_since=at,
        text_salt=new_salt(),
        accepted_by=user_or_none(actor),
        enterprise=person.kind == "enterprise",
        made_up=made_up,
    )
    _fill(case, details)
    case.pk, serial = _next_ids()
    if state is not CaseState.DRAFT:
        case.number = rules.format_number(day_of(received), CHANNEL_DIGITS[Channel(channel)], serial)
        clocks.start_stage(case, at=at)
        pressing.keep(case)
    case.save(force_insert=True)
    return case


def _fill(case: Case, details: CaseDetails) -> None:
    topic = details.topic
    case.kind, case.topic, case.text, case.title = details.kind, topic, details.text.strip(), title_of(details)
    case.place, case.address, case.occurred_at = details.place, details.address.strip(), details.occurred_at
    case.longitude, case.latitude = (details.point.longitude, details.point.latitude) if details.point else (None, None)
    case.accused_unit, case.extra = details.accused_unit, details.extra
    # Who stays unknown is never published (domain.md §2.10): no consent is kept that would not be followed.
    case.publishable = details.publishable and not case.applicant.anonymous
    urgency = details.urgency
    if topic is not None and topic.urgent and urgency == Urgency.NORMAL:
        urgency = Urgency.URGENT
    case.urgency, case.urgency_rank = urgency, URGENCY_ORDER[Urgency(urgency)]
    # Reports of wrongdoing are confidential by default (domain.md §2.10).
    by_default = case.kind == RequestKind.REPORT or bool(topic and topic.confidential_by_default)
    case.confidential = details.confidential or by_default


def _next_ids() -> tuple[int, int]:
    """Primary key and number serial from their sequences: no counter that two cases would wait for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('cases_case', 'id')), nextval('cases_number')")
        row: Any = cursor.fetchone()
    return int(row[0]), int(row[1])


def _first_entry(case: Case, actor: User | Outsider, at: datetime, submission: UUID | None) -> None:
    payload = {
        "summary": f"{Channel(case.channel).label}收到诉求",
        "facts": {
            "channel": case.channel,
            "kind": case.kind,
            "text": commitment(case.text_salt, case.text),
            "applicant": commitment_of(case.applicant),
            "deadline": case.stage_derivation,
        },
        "before": {},
        "after": {"state": case.state},
    }
    work.append(case, actor=actor, at=at, code="submit", payload=payload, submission=submission)
    case.save(update_fields=["timeline_head", "timeline_length"])


def _first_contact(case: Case, actor: User | Outsider, submission: UUID | None, source: str, source_id: str) -> None:
    Contact.objects.create(
        case=case,
        channel=case.channel,
        received_at=case.received_at,
        text=case.text,
        applicant=case.applicant,
        taken_by=user_or_none(actor) if is_user(actor) else None,
        submission=submission,
        source=source,
        source_id=source_id,
    )
