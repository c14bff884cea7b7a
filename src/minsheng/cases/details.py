"""What forms, imports and the API hand to the intake actions: plain values, checked, without a request behind them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from minsheng.cases.choices import ApplicantKind, RequestKind, Urgency
from minsheng.cases.models import Applicant
from minsheng.errors import Refused
from minsheng.organisations import shapes
from minsheng.secrecy import new_salt, normalise_id_number, normalise_name, normalise_phone, search_hash

if TYPE_CHECKING:
    from minsheng.cases.models import Topic
    from minsheng.organisations.coordinates import Point
    from minsheng.organisations.models import Place, Unit

# A letter that another platform passes on may run to thousands of characters (the longest seen: seven thousand); it is kept
# whole, because the unit must read all of it. What is typed here has its own, shorter limit.
TITLE_LENGTH, TEXT_LENGTH, TYPED_LENGTH = 200, 10_000, 2000
_TITLE_FROM_TEXT = 40


@dataclass(frozen=True)
class ApplicantDetails:
    """诉求人 as given. Nothing is required: a call without a number and a name is still a call."""

    kind: str = ApplicantKind.PERSON
    name: str = ""
    phone: str = ""
    id_number: str = ""
    address: str = ""
    organisation: str = ""
    credit_code: str = ""
    anonymous: bool = False


@dataclass(frozen=True)
class CaseDetails:
    """The request itself. `title` empty: taken from the text's first words."""

    kind: str
    text: str
    title: str = ""
    topic: Topic | None = None
    urgency: str = Urgency.NORMAL
    place: Place | None = None
    address: str = ""
    point: Point | None = None
    occurred_at: datetime | None = None
    confidential: bool = False
    publishable: bool = False
    accused_unit: Unit | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def checked(details: CaseDetails) -> CaseDetails:
    """Refuse what no screen should send: no words, too many, control characters, a place elsewhere. Errors: invalid, outside_city."""
    if details.kind not in RequestKind.values or details.urgency not in Urgency.values:
        raise Refused("invalid", message="诉求类型或紧急程度不在可选范围内。")
    if not details.text.strip():
        raise Refused("invalid", message="请写明诉求内容。")
    if len(details.text) > TEXT_LENGTH or len(details.title) > TITLE_LENGTH:
        raise Refused("invalid", message=f"内容最多 {TEXT_LENGTH} 字，标题最多 {TITLE_LENGTH} 字，请精简后再提交。")
    if "\x00" in details.text + details.title + details.address:
        raise Refused("invalid", message="内容里有无法保存的字符，请检查后再提交。")
    if details.point is not None and not shapes.county_at(details.point):
        raise Refused("outside_city")
    return details


def title_of(details: CaseDetails) -> str:
    """The given title, else the text's first sentence, cut."""
    given = details.title.strip()
    if given:
        return given
    return first_words(details.text)


def first_words(text: str) -> str:
    """The first sentence of a text, cut to what a title holds."""
    first = re.split(r"[。！？!?\n]", text.strip(), maxsplit=1)[0].strip()
    return first if len(first) <= _TITLE_FROM_TEXT else first[:_TITLE_FROM_TEXT] + "…"


def make_applicant(details: ApplicantDetails) -> Applicant:
    """An unsaved Applicant: values encrypted by their columns, hashes for equality. Nothing identifying when anonymous is
    chosen but the phone, which the citizen may leave to be answered."""
    name = "" if details.anonymous else details.name.strip()
    id_number = "" if details.anonymous else normalise_id_number(details.id_number)
    phone = normalise_phone(details.phone) or details.phone.strip()
    hashed = normalise_phone(details.phone)
    return Applicant(
        kind=details.kind,
        anonymous=details.anonymous,
        name=name or None,
        name_hash=search_hash("name", normalise_name(name)),
        phone=phone or None,
        phone_hash=search_hash("phone", hashed),
        id_number=id_number or None,
        id_number_hash=search_hash("id_number", id_number),
        address=details.address.strip() or None,
        organisation=details.organisation.strip(),
        credit_code=details.credit_code.strip().upper(),
        salt=new_salt(),
    )


def commitment_of(applicant: Applicant) -> str:
    """What of the applicant enters the timeline: a salted commitment, so that the values can be erased by law."""
    from minsheng.secrecy import commitment

    values = [applicant.name, applicant.phone, applicant.id_number, applicant.address, applicant.organisation]
    return commitment(applicant.salt, "\x1f".join(value or "" for value in values))
