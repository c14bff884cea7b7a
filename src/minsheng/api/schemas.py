"""What goes in and out of `/api/v1`, as pydantic models: the OpenAPI document is made from them.

Input is strict: unknown fields, NUL characters, unbounded numbers and moments without a zone are refused with 422.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field

from minsheng.cases.choices import (
    ApplicantKind,
    CaseState,
    Channel,
    Finding,
    Outcome,
    OutreachMethod,
    RequestKind,
    Solved,
    TaskState,
    Urgency,
)
from minsheng.cases.details import TEXT_LENGTH, TITLE_LENGTH, TYPED_LENGTH
from minsheng.outbox.choices import State as DeliveryState
from minsheng.worktime.choices import Light

_NO_NUL = r"^[^\x00]*$"
BIGGEST = 2**63 - 1
MOST_FILES = 9


def _near_moment(moment: datetime) -> datetime:
    """Moments at the edge of the calendar cannot be moved into another zone."""
    if not 2000 < moment.year < 2100:
        raise ValueError("a moment between 2001 and 2099")
    return moment


def _text(most: int, least: int = 0) -> Any:
    return Annotated[str, Field(min_length=least, max_length=most, pattern=_NO_NUL)]


Words = Annotated[str, Field(min_length=1, max_length=TYPED_LENGTH, pattern=_NO_NUL, description="不能只有空白。")]
Line = Annotated[str, Field(max_length=200, pattern=_NO_NUL)]
Code = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.-]+$")]
Number = Annotated[str, Field(pattern=r"^FZ[0-9]{16}[0-9A-Z]$", description="诉求件编号，如 FZ20261124010000010。")]
Id = Annotated[int, Field(ge=1, le=BIGGEST)]
Moment = Annotated[AwareDatetime, AfterValidator(_near_moment), Field(description="带时区的时刻（ISO 8601）。")]
Version = Annotated[
    int | None, Field(ge=0, le=2**31 - 1, description="您读到的 version。之后有变化时答 409（stale），不做任何事。")
]
Uploads = Annotated[list[UUID], Field(max_length=MOST_FILES, description="POST /uploads 得到的附件号，各用一次。")]


class Strict(Schema):
    """Input: what is not known is refused."""

    model_config = ConfigDict(extra="forbid")


# --- what is sent ------------------------------------------------------------------------------------------------


class ApplicantIn(Strict):
    """诉求人. Nothing is required: a request without a name is still a request."""

    kind: ApplicantKind = ApplicantKind.PERSON
    name: _text(40) = ""  # type: ignore[valid-type]
    phone: _text(40) = ""  # type: ignore[valid-type]
    id_number: _text(30) = ""  # type: ignore[valid-type]
    address: Line = ""
    organisation: _text(120) = ""  # type: ignore[valid-type]
    credit_code: _text(18) = ""  # type: ignore[valid-type]
    anonymous: bool = False


class PointIn(Strict):
    """Where it happened: WGS 84, in the city; 0.1 m is kept."""

    longitude: Annotated[float, Field(ge=-180, le=180)]
    latitude: Annotated[float, Field(ge=-90, le=90)]


class CaseIn(Strict):
    """A request that becomes a case waiting for acceptance."""

    kind: RequestKind
    text: Annotated[str, Field(min_length=1, max_length=TEXT_LENGTH, pattern=_NO_NUL, description="诉求内容。")]
    title: _text(TITLE_LENGTH) = ""  # type: ignore[valid-type]
    topic: Annotated[str, Field(pattern=r"^[0-9]{6}$", description="三级主题代码，见 GET /topics。")] | None = None
    place: Annotated[str, Field(pattern=r"^[0-9]{6,12}$", description="街道或县区代码，见 GET /places。")] | None = None
    address: Line = ""
    point: Annotated[PointIn, Field(description="事发位置，WGS 84 坐标；不在本市范围内时答 422（outside_city）。")] | None = None
    urgency: Urgency = Urgency.NORMAL
    occurred_at: Moment | None = None
    confidential: bool = False
    publishable: Annotated[bool, Field(description="诉求人同意去标识后公开；匿名诉求不公开，同时写时答 422。")] = False
    extra: Annotated[
        dict[Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,39}$")], Line],
        Field(max_length=20, description="主题另须填写的要素（GET /topics 的 required_fields）。"),
    ] = {}
    applicant: ApplicantIn = ApplicantIn()
    external_number: Annotated[
        str, Field(max_length=80, pattern=r"^[A-Za-z0-9_.:/-]*$", description="来件在您系统中的编号，只能用一次。")
    ] = ""
    uploads: Uploads = []


class ReasonIn(Strict):
    """Why."""

    reason: Words


class ActIn(Strict):
    """An act that needs no words."""

    version: Version = None


class NotedIn(Strict):
    """An act that words may go with."""

    note: _text(1000) = ""  # type: ignore[valid-type]
    version: Version = None


class ReasonedIn(Strict):
    """An act that needs a reason."""

    reason: Words
    version: Version = None


class SupplementIn(Strict):
    """What the citizen adds."""

    text: Annotated[str, Field(min_length=1, max_length=2000, pattern=_NO_NUL, description="诉求人补充的情况。")]
    uploads: Uploads = []


class SubDispatchIn(Strict):
    """转办下级."""

    unit: Annotated[Code, Field(description="下级单位代码，见 GET /units。")]
    instruction: _text(2000) = ""  # type: ignore[valid-type]
    version: Version = None


class OutreachIn(Strict):
    """One try to reach the citizen."""

    reached_at: Moment
    method: OutreachMethod
    reached: bool
    summary: Words


class MeasuresIn(Strict):
    """First measures taken."""

    text: Words


class ReplyIn(Strict):
    """The lead's reply to the citizen, to be signed by the unit's leader."""

    text: Annotated[str, Field(min_length=1, max_length=TEXT_LENGTH, pattern=_NO_NUL)]
    finding: Finding
    outcome: Outcome
    solved: Solved
    basis: _text(TYPED_LENGTH) = ""  # type: ignore[valid-type]
    uploads: Uploads = []
    version: Version = None


class ReportIn(Strict):
    """What an assisting or lower unit reports to the one that answers."""

    text: Annotated[str, Field(min_length=1, max_length=TEXT_LENGTH, pattern=_NO_NUL)]
    finding: Finding | None = None
    uploads: Uploads = []
    version: Version = None


class ReturnIn(Strict):
    """申请退件, with legal ground and another unit."""

    reason_code: Code
    reason: Words
    basis: Words
    proposed_unit: Annotated[Code, Field(description="建议承办单位代码，见 GET /units。")]
    version: Version = None


class ExtensionIn(Strict):
    """申请延期."""

    reason_code: Code
    reason: Words
    until: Annotated[date, Field(description="延至哪一天（含）。")]
    citizen_told_at: Moment | None = None
    uploads: Uploads = []
    version: Version = None


class PauseIn(Strict):
    """申请挂起, with proof: an upload or the ground in words."""

    reason_code: Code
    reason: Words
    basis: _text(TYPED_LENGTH) = ""  # type: ignore[valid-type]
    uploads: Uploads = []
    version: Version = None


class TerminationIn(Strict):
    """申请终止办理, with ground."""

    reason_code: Code
    reason: Words
    basis: Words
    uploads: Uploads = []
    version: Version = None


class SetAsideIn(Strict):
    """申请认定不合理诉求, with ground."""

    reason: Words
    basis: Words
    uploads: Uploads = []
    version: Version = None


class Nothing(Strict):
    """An act that needs nothing: `{}`."""


class WebhookIn(Strict):
    """Where to call, and of what."""

    name: Annotated[str, Field(min_length=1, max_length=60, pattern=_NO_NUL, description="便于辨认的名称，全市不重复。")]
    url: Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[!-~]+$", description="https 地址；跳转不跟随。")]
    events: Annotated[list[Code], Field(max_length=100, description="事项代码，见 GET /events；空为全部。")] = []
    own_only: Annotated[bool, Field(description="只要本系统提交的诉求件。")] = False


class WebhookChange(WebhookIn):
    """The same, and whether to call at all."""

    active: bool


# --- what is answered --------------------------------------------------------------------------------------------


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
