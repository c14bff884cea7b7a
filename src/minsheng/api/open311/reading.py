"""What a GeoReport client sends, read strictly. Every fault is an error of the specification. Pure but for the request."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.http import QueryDict

from minsheng.api.open311.writing import Trouble

SPAN = timedelta(days=90)
LONGEST_DESCRIPTION = 4000  # the specification's
_MOST_IDS = 50
_ATTRIBUTE = re.compile(r"attribute\[([A-Za-z_][A-Za-z0-9_]{0,39})\](\[\])?")
# W3C note on dates and times, the forms with a time; the zone is required.
_W3 = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})")


@dataclass(frozen=True)
class Wanted:
    """Which requests GET requests asks for."""

    ids: Sequence[str]
    service_codes: Sequence[str]
    start: datetime
    end: datetime
    statuses: frozenset[str]


@dataclass(frozen=True)
class Sent:
    """One service request as sent. What we do not keep is not read: e-mail, device, account."""

    service_code: str
    description: str
    address: str
    address_id: str
    lat: float | None
    long: float | None
    name: str
    phone: str
    media_url: str
    attributes: Mapping[str, str] = field(default_factory=dict)


def wanted(query: QueryDict, *, at: datetime) -> Wanted:
    """Errors: 400 for a moment that is none, a span over 90 days, an unknown status, too many ids."""
    ids = _list(query, "service_request_id")
    if len(ids) > _MOST_IDS:
        raise Trouble(400, f"service_request_id: at most {_MOST_IDS} at once")
    start, end = _moment(query, "start_date"), _moment(query, "end_date")
    if start is None:
        start = (end or at) - SPAN
    if end is None:
        end = min(start + SPAN, at) if start <= at else start
    if end - start > SPAN:
        raise Trouble(400, "start_date and end_date may not span more than 90 days")
    statuses = frozenset(_list(query, "status")) or frozenset({"open", "closed"})
    if statuses - {"open", "closed"}:
        raise Trouble(400, "status: open or closed")
    return Wanted(ids, _list(query, "service_code"), start, end, statuses)


def sent(form: QueryDict) -> Sent:
    """Errors: 400 without a service_code or a location, for what is too long or not of its kind."""
    code = _line(form, "service_code", 20)
    if not code:
        raise Trouble(400, "service_code was not provided")
    lat, long = _degrees(form, "lat", 90), _degrees(form, "long", 180)
    address, address_id = _line(form, "address_string", 200), _line(form, "address_id", 20)
    if (lat is None) != (long is None):
        raise Trouble(400, "lat and long must both be sent")
    if lat is None and not address and not address_id:
        raise Trouble(400, "a location was not provided: lat and long, address_string or address_id")
    return Sent(
        service_code=code,
        description=_words(form, "description", LONGEST_DESCRIPTION),
        address=address,
        address_id=address_id,
        lat=lat,
        long=long,
        name=_name(_line(form, "last_name", 40), _line(form, "first_name", 40)),
        phone=_line(form, "phone", 40),
        media_url=_link(form),
        attributes=_attributes(form),
    )


def jurisdiction(query: QueryDict) -> str:
    """What jurisdiction was named, if any."""
    return _line(query, "jurisdiction_id", 200)


def _name(last: str, first: str) -> str:
    """Family name first; a blank only between names in letters."""
    blank = " " if last.isascii() and first.isascii() else ""
    return f"{last}{blank}{first}".strip()[:40]


def _attributes(form: QueryDict) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in list(form)[:100]:
        match = _ATTRIBUTE.fullmatch(name)
        if match:
            values = [value.strip() for value in form.getlist(name) if value.strip()]
            found[match[1]] = _checked(name, "、".join(values), 200)
    return found


def _words(form: QueryDict, name: str, most: int) -> str:
    return _checked(name, form.get(name, "").strip(), most)


def _line(form: QueryDict, name: str, most: int) -> str:
    return " ".join(_words(form, name, most).split())


def _checked(name: str, value: str, most: int) -> str:
    if len(value) > most:
        raise Trouble(400, f"{name}: at most {most} characters")
    if "\x00" in value or "\ufffd" in value:
        raise Trouble(400, f"{name}: text in UTF-8 without NUL")
    return value


def _list(query: QueryDict, name: str) -> list[str]:
    """Declared several times, or with commas."""
    return [part for value in query.getlist(name) for part in _checked(name, value, 2000).replace(" ", "").split(",") if part]


def _degrees(form: QueryDict, name: str, most: int) -> float | None:
    text = _line(form, name, 40)
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not -most <= value <= most:  # also false for NaN
        raise Trouble(400, f"{name}: degrees between -{most} and {most}")
    return value


def _moment(query: QueryDict, name: str) -> datetime | None:
    text = query.get(name, "").strip().replace(" ", "+")  # a plus sign that was not escaped
    if not text:
        return None
    try:
        value = datetime.fromisoformat(text) if _W3.fullmatch(text) else None
    except ValueError:
        value = None
    if value is None or not 2000 < value.year < 2100:
        raise Trouble(400, f"{name}: a moment like 2026-01-01T00:00:00Z")
    return value


def _link(form: QueryDict) -> str:
    """The address of a picture somewhere else; it is handed on in the text and never fetched."""
    text = _line(form, "media_url", 500)
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        host = None
    if text and (not host or parts.scheme not in ("http", "https")):
        raise Trouble(400, "media_url: an http or https address")
    return text
