"""Cases: create, list, read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.db import IntegrityError
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
from minsheng.cases.actions.intake import query_code_of
from minsheng.cases.choices import CaseState, RequestKind
from minsheng.cases.details import ApplicantDetails, CaseDetails
from minsheng.cases.models import Attachment, Case
from minsheng.errors import Refused
from minsheng.organisations.coordinates import Point

router = Router(tags=["诉求件"])


class CaseFilters(Schema):
    """Which cases; a moment's lower bound is inclusive, its upper one exclusive."""

    state: CaseState | None = None
    kind: RequestKind | None = None
    topic: Annotated[str | None, Field(pattern=r"^[0-9]{2}([0-9]{2}){0,2}$", description="主题代码或其开头。")] = None
    place: Annotated[str | None, Field(pattern=r"^[0-9]{6,12}$", description="地点代码或其开头。")] = None
    received_from: fields.Moment | None = None
    received_before: fields.Moment | None = None
    cursor: Annotated[str, Field(pattern=CURSOR)] = ""
    limit: Annotated[int, Field(ge=1, le=MOST)] = PAGE


@router.post("/cases", **acting("create_case", answers.Created, Scope.CASES_CREATE, 201))
def create_case(request: HttpRequest, key: Key, body: sent.CaseIn) -> Status[Any]:
    """One request becomes one case that waits for acceptance."""
    caller = caller_of(request)
    made = once(request, key, lambda submission: _create(caller, key, body, submission))
    # The code is derived, never stored: not in the kept answer either (minsheng.cases.rules.query_code).
    case = Case.objects.only("number", "query_code_issue").get(number=made["number"])
    return answered(201, made | {"query_code": query_code_of(case)})


def _create(caller: Caller, key: str, body: sent.CaseIn, submission: UUID) -> answers.Created:
    if body.publishable and body.applicant.anonymous:
        raise Refused("invalid", message="匿名诉求不公开，publishable 与 applicant.anonymous 不能同时为真。")
    source_id = body.external_number or key
    number = queries.known_message(caller.system, source_id) if body.external_number else None
    if number is not None:
        raise Refused("external_number_used", external_number=source_id, number=number)
    with ExitStack() as open_files:
        try:
            case = actions.submit_case(
                actor=caller.account,
                at=caller.at,
                channel=caller.system.channel,
                details=_details(body, caller.at),
                applicant=ApplicantDetails(**body.applicant.model_dump()),
                files=own.take_uploads(system=caller.system, at=caller.at, keys=body.uploads, open_files=open_files),
                submission=submission,
                source=caller.system.code,
                source_id=source_id,
            )
        except IntegrityError as error:  # the same number of theirs under another key, at this very moment
            if "contact_source_once" not in str(error):
                raise
            raise Refused("external_number_used", external_number=source_id, number="") from error
    return created(case)


def created(case: Case) -> answers.Created:
    """What the system hears of its new case."""
    return answers.Created(
        number=case.number or "",
        state=CaseState(case.state),
        state_label=case.get_state_display(),
        received_at=case.received_at,
        acceptance_due_at=case.stage_due_at,
    )


def _details(body: sent.CaseIn, at: datetime) -> CaseDetails:
    return CaseDetails(
        kind=body.kind,
        text=body.text,
        title=body.title,
        topic=queries.topic_of(body.topic, at=at) if body.topic else None,
        urgency=body.urgency,
        place=queries.place_of(body.place, at=at) if body.place else None,
        address=body.address,
        point=Point.of(f"{body.point.longitude:.6f}", f"{body.point.latitude:.6f}") if body.point else None,
        occurred_at=body.occurred_at,
        confidential=body.confidential,
        publishable=body.publishable,
        extra=dict(body.extra),
    )


@router.get("/cases", **reading("list_cases", answers.CasePage, Scope.CASES_READ))
def list_cases(request: HttpRequest, filters: Query[CaseFilters]) -> answers.CasePage:
    """What the caller may see, newest first."""
    caller = caller_of(request)
    found = queries.cases_of(caller.system).filter(**_conditions(filters))
    page = page_of(found, ("-received_at", "-id"), filters.cursor, filters.limit)
    return answers.CasePage(cases=[showing.case_row(case, caller.account) for case in page], next=page.next)


def _conditions(filters: CaseFilters) -> dict[str, Any]:
    given = {
        "state": filters.state,
        "kind": filters.kind,
        "topic__code__startswith": filters.topic,
        "place__code__startswith": filters.place,
        "received_at__gte": filters.received_from,
        "received_at__lt": filters.received_before,
    }
    return {name: value for name, value in given.items() if value is not None}


@router.get("/cases/{number}", **reading("read_case", answers.CaseOut, Scope.CASES_READ, one=True))
def read_case(request: HttpRequest, number: Path[fields.Number]) -> answers.CaseOut:
    """State in words, deadlines, tasks, replies; the person masked, and not at all where the case is confidential.
    """
    caller = caller_of(request)
    case = queries.case_of(caller.system, number)
    view = cases.view_case(caller.account, case, at=caller.at)
    files = Attachment.objects.filter(case=case, reply=None, ask=None).order_by("at", "id") if view.disclosure.files else ()
    return showing.case_whole(view, caller.account, files, at=caller.at)


@router.post("/cases/{number}/applicant", **acting("uncover_applicant", answers.PersonWhole, Scope.PERSONS_READ))
def uncover_applicant(request: HttpRequest, number: Path[fields.Number], body: sent.ReasonIn) -> answers.PersonWhole:
    """The person whole, for whose task needs it; every look is audited with its reason."""
    caller = caller_of(request)
    case = queries.case_of(caller.system, number)
    person = actions.uncover_applicant(
        actor=caller.account, at=caller.at, case=case, reason=body.reason, request=request
    )
    return answers.PersonWhole(name=person.name, phone=person.phone, id_number=person.id_number, address=person.address)


@router.post("/cases/{number}/supplement", **acting("supplement_case", answers.CaseDone, Scope.CASES_CREATE))
def supplement_case(request: HttpRequest, number: Path[fields.Number], key: Key, body: sent.SupplementIn) -> Status[Any]:
    """What the citizen adds joins the case; its state stays."""

    def add(caller: Caller, case: Case, submission: UUID) -> None:
        with ExitStack() as open_files:
            actions.supplement_case(
                actor=caller.account,
                at=caller.at,
                case=case,
                channel=caller.system.channel,
                text=body.text,
                files=own.take_uploads(system=caller.system, at=caller.at, keys=body.uploads, open_files=open_files),
                submission=submission,
            )

    return _act(request, number, key, add)


@router.post("/cases/{number}/withdraw", **acting("withdraw_case", answers.CaseDone, Scope.CASES_CREATE))
def withdraw_case(request: HttpRequest, number: Path[fields.Number], key: Key, body: sent.ReasonedIn) -> Status[Any]:
    """On the citizen's wish, with its reason."""

    def end(caller: Caller, case: Case, submission: UUID) -> None:
        given = body.model_dump()
        actions.withdraw_case(actor=caller.account, at=caller.at, case=case, submission=submission, **given)

    return _act(request, number, key, end)


def _act(request: HttpRequest, number: str, key: str, do: Callable[[Caller, Case, UUID], None]) -> Status[Any]:
    """Find the case among those that the account may see, and do it once."""
    caller = caller_of(request)

    def as_it_stands() -> answers.CaseDone:
        return showing.case_done(queries.case_of(caller.system, number))

    def perform(submission: UUID) -> answers.CaseDone:
        do(caller, queries.case_of(caller.system, number), submission)
        return as_it_stands()

    return answered(200, once(request, key, perform, done=as_it_stands))
