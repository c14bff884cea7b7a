"""What other systems send."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from minsheng.api.schemas.fields import _NO_NUL, Code, Line, Moment, Strict, Uploads, Version, Words, _text
from minsheng.cases.choices import (
    ApplicantKind,
    Finding,
    Outcome,
    OutreachMethod,
    RequestKind,
    Solved,
    Urgency,
)
from minsheng.cases.details import TEXT_LENGTH, TITLE_LENGTH, TYPED_LENGTH


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
