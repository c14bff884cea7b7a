"""What other systems are told."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import Field

from minsheng.cases.choices import (
    ApplicantKind,
    CaseState,
    Channel,
    OutreachMethod,
    RequestKind,
    TaskState,
    Urgency,
)
from minsheng.outbox.choices import State as DeliveryState
from minsheng.worktime.choices import Light


class ProblemOut(Schema):
    """Everything that did not succeed has this shape; `code` is for programs, `message` for people."""

    code: str
    message: str
    details: dict[str, Any]


class Named(Schema):
    """A row of a reference list."""

    code: str
    name: str
    path: str = ""


class TopicOut(Named):
    """A third-level topic."""

    default_kind: RequestKind | None
    keywords: list[str]
    required_fields: list[dict[str, str]]


class PlaceOut(Named):
    """A county (level 1 of the two) or a street."""

    level: str


class ReasonOut(Named):
    """A coded reason of one list."""

    list: str


class Reasons(Schema):
    """Coded reasons."""

    reasons: list[ReasonOut]


class Topics(Schema):
    """Topics."""

    topics: list[TopicOut]


class Places(Schema):
    """Places."""

    places: list[PlaceOut]


class Units(Schema):
    """Units."""

    units: list[Named]


class ClockOut(Schema):
    """A deadline; `due_at` is exclusive: 00:00 means 24:00 of the day before."""

    name: str
    words: str
    light: Light
    due_at: datetime | None
    why: str


class CaseRow(Schema):
    """A case in a list."""

    number: str
    version: int
    state: CaseState
    state_label: str
    ending: str
    ending_label: str
    kind: RequestKind
    kind_label: str
    urgency: Urgency
    title: str
    topic: Named | None
    place: Named | None
    channel: Channel
    round: int
    confidential: bool
    received_at: datetime
    accepted_at: datetime | None
    closed_at: datetime | None
    citizen_due_at: datetime | None
    provisional: bool


class Page(Schema):
    """`next` is the cursor of the next page, empty on the last."""

    next: str


class CasePage(Page):
    """Cases, newest first."""

    cases: list[CaseRow]


class PersonOut(Schema):
    """The applicant, masked."""

    kind: ApplicantKind
    anonymous: bool
    name: str
    phone: str
    organisation: str


class PersonWhole(Schema):
    """The applicant whole; this look is on record with its reason."""

    name: str
    phone: str
    id_number: str
    address: str


class PointOut(Schema):
    """Where it happened: WGS 84; `near`: rounded to about a kilometre, for who reads addresses masked."""

    longitude: float
    latitude: float
    near: bool


class FileOut(Schema):
    """An attachment; its content from GET /attachments/{id}."""

    id: int
    name: str
    media_type: str
    size: int
    sha256: str


class ReplyOut(Schema):
    """A reply or report."""

    id: int
    task: int
    unit: str
    kind: str
    state: str
    state_label: str
    text: str
    finding: str
    outcome: str
    solved: str
    basis: str
    written_at: datetime
    signed_at: datetime | None
    audited_at: datetime | None
    audit_note: str
    files: list[FileOut]


class AskOut(Schema):
    """What a unit asked for, and the answer."""

    id: int
    task: int
    kind: str
    kind_label: str
    state: str
    state_label: str
    reason_code: str
    reason: str
    until: date | None
    asked_at: datetime
    due_at: Annotated[datetime, Field(description="热线须在此前审核；不含该时刻。")]
    clock: Annotated[ClockOut | None, Field(description="审核时限还剩多少、为什么；已审核的为 null。")]
    decided_at: datetime | None
    decision_note: str


class OutreachOut(Schema):
    """One try to reach the citizen."""

    id: int
    task: int
    at: datetime
    method: OutreachMethod
    reached: bool
    summary: str


class TaskRow(Schema):
    """One unit's share of a case."""

    id: int
    number: str
    version: int
    title: str
    unit: Named
    role: str
    role_label: str
    state: TaskState
    state_label: str
    round: int
    instruction: str
    assigned_at: datetime
    read_due_at: datetime
    read_at: datetime | None
    return_due_at: datetime | None
    due_at: datetime
    provisional: bool
    first_measures_due_at: datetime | None
    first_measures_at: datetime | None
    replied_at: datetime | None
    sent_back_times: int


class TaskPage(Page):
    """Tasks, newest first."""

    tasks: list[TaskRow]


class May(Schema):
    """A step that the caller's roles allow now; `code` is a row of docs/workflow.md."""

    code: str
    label: str
    task: int | None


class TaskOut(TaskRow):
    """A task with what was said and asked under it."""

    clocks: list[ClockOut]
    replies: list[ReplyOut]
    asks: list[AskOut]
    outreaches: list[OutreachOut]
    may: list[May]


class Fact(Schema):
    """What the topic asks for beside."""

    label: str
    value: str


class CaseOut(CaseRow):
    """A case as the caller may see it."""

    text: str
    withheld: Annotated[bool, Field(description="保密件：诉求人的原话不向承办单位提供。")]
    address: str
    point: PointOut | None
    occurred_at: datetime | None
    extra: list[Fact]
    applicant: PersonOut | None
    clocks: list[ClockOut]
    tasks: list[TaskRow]
    replies: list[ReplyOut]
    files: list[FileOut]
    may: list[May]


class Created(Schema):
    """The new case. `query_code` is the citizen's: with the number it opens their progress page, so hand it to nobody else."""

    number: str
    state: CaseState
    state_label: str
    received_at: datetime
    acceptance_due_at: datetime | None
    query_code: str = ""


class CaseDone(Schema):
    """How the case stands after an act on it."""

    number: str
    version: int
    state: CaseState
    state_label: str


class Done(Schema):
    """How the task stands after an act; `id` is that of the reply, ask or outreach that it made."""

    task: int
    number: str
    version: int
    case_state: CaseState
    task_state: TaskState
    due_at: datetime
    id: int | None = None


class Made(Schema):
    """What an act made."""

    id: int


class Events(Schema):
    """Events."""

    events: list[Named]


class WebhookOut(Schema):
    """A webhook and how it goes: `failing_since` while no call succeeds, `gave_up` why calling stopped by itself."""

    id: int
    name: str
    url: str
    events: list[str]
    own_only: bool
    active: bool
    gave_up: str
    failing_since: datetime | None


class Webhooks(Schema):
    """Webhooks."""

    webhooks: list[WebhookOut]


class WebhookSecret(WebhookOut):
    """With the secret, this once."""

    secret: str
    old_secret_until: datetime | None


class DeliveryOut(Schema):
    """One call. `id` is its `webhook-id`, the same at every try."""

    id: str
    event: str
    number: str
    state: DeliveryState
    state_label: str
    reason: str
    attempts: int
    made_at: datetime
    next_at: datetime | None
    sent_at: datetime | None


class DeliveryPage(Page):
    """Calls, newest first."""

    deliveries: list[DeliveryOut]


class Resent(Schema):
    """How many are tried again."""

    count: int


class UploadOut(Schema):
    """A file that waits to be attached."""

    id: UUID
    name: str
    media_type: str
    size: int
    sha256: str


class ChangeOut(Schema):
    """One entry of a case's timeline."""

    number: str
    version: int
    at: datetime
    code: str
    label: str
    actor: str
    state: CaseState
    task: int | None


class Changes(Schema):
    """What was committed since the cursor; `more`: ask again at once."""

    changes: list[ChangeOut]
    cursor: str
    more: bool
