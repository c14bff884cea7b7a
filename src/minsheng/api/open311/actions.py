"""A GeoReport request becomes a case, by the action of every other channel."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from minsheng.api.calls import Caller
from minsheng.api.open311 import queries
from minsheng.api.open311.reading import Sent
from minsheng.api.open311.writing import Trouble
from minsheng.cases import actions
from minsheng.cases.choices import RequestKind
from minsheng.cases.details import ApplicantDetails, CaseDetails
from minsheng.cases.models import Case, Topic
from minsheng.organisations.coordinates import Point
from minsheng.organisations.models import Place
from minsheng.organisations.queries import valid_at


def submit(*, caller: Caller, sent: Sent, submission: UUID, source_id: str) -> Case:
    """Errors: 400 (an attribute missing, an unknown address_id), 404 (service_code), and those of submit_case."""
    topic = queries.topic_of(sent.service_code, at=caller.at)
    missing = [item["label"] for item in topic.required_fields if not sent.attributes.get(item["name"])]
    if missing:
        raise Trouble(400, *(f"attribute is required: {label}" for label in missing))
    asked = {item["name"] for item in topic.required_fields}
    return actions.submit_case(
        actor=caller.account,
        at=caller.at,
        channel=caller.system.channel,
        details=CaseDetails(
            kind=topic.default_kind or RequestKind.HELP,
            text=_text(sent, topic),
            topic=topic,
            place=_place(sent.address_id, caller.at),
            address=sent.address,
            point=_point(sent),
            extra={name: value for name, value in sent.attributes.items() if name in asked},
        ),
        applicant=ApplicantDetails(name=sent.name, phone=sent.phone),
        submission=submission,
        source=caller.system.code,
        source_id=source_id,
    )


def _text(sent: Sent, topic: Topic) -> str:
    """The description is optional there and required here: without one the text says what was reported and no more."""
    words = sent.description or f"{topic.name}（来件没有文字说明）"
    return f"{words}\n\n图片或视频：{sent.media_url}" if sent.media_url else words


def _point(sent: Sent) -> Point | None:
    """WGS 84, as GeoReport's are. Both or none, which the reading has seen to."""
    return None if sent.lat is None or sent.long is None else Point.of(f"{sent.long:.6f}", f"{sent.lat:.6f}")


def _place(code: str, at: datetime) -> Place | None:
    """An address_id is the code of a street or county."""
    if not code:
        return None
    found = Place.objects.filter(valid_at(at), code=code).first()
    if found is None:
        raise Trouble(400, "address_id was not found")
    return found
