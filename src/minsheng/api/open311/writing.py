"""The two formats of GeoReport v2. JSON follows the XML by the Spark convention: a list's wrapper is the list itself."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring
from zoneinfo import ZoneInfo

from django.http import HttpResponse

SHANGHAI = ZoneInfo("Asia/Shanghai")
XML, JSON = "xml", "json"
_TYPES = {XML: "text/xml; charset=utf-8", JSON: "application/json; charset=utf-8"}
# What XML 1.0 cannot hold at all, escaped or not.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# A list's element and that of each of its members.
_MEMBERS = {
    "services": "service",
    "attributes": "attribute",
    "values": "value",
    "service_requests": "request",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
}


class Trouble(Exception):
    """An error of the specification: one status, one or more descriptions."""

    def __init__(self, status: int, *descriptions: str, code: str = "") -> None:
        self.status, self.descriptions, self.code = status, descriptions, code or str(status)
        super().__init__(status)


def write(form: str, root: str, value: Any, *, status: int = 200) -> HttpResponse:
    """The value as a document of this format; `root` names the XML's first element."""
    if form == JSON:
        content = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    else:
        content = tostring(_element(root, value), encoding="utf-8", xml_declaration=True)
    response = HttpResponse(content, status=status, content_type=_TYPES[form])
    response["Cache-Control"] = "no-store"
    return response


def write_trouble(form: str, trouble: Trouble) -> HttpResponse:
    """[{code, description}] as the specification has it."""
    errors = [{"code": trouble.code, "description": words} for words in trouble.descriptions]
    return write(form, "errors", errors, status=trouble.status)


def moment(value: datetime | None) -> str | None:
    """W3C's subset of ISO 8601, to the second, with the offset of Shanghai."""
    return None if value is None else value.astimezone(SHANGHAI).isoformat(timespec="seconds")


def _element(name: str, value: Any) -> Element:
    element = Element(name)
    _fill(element, value)
    return element


def _fill(element: Element, value: Any) -> None:
    if isinstance(value, dict):
        for name, each in value.items():
            _fill(SubElement(element, name), each)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            _fill(SubElement(element, _MEMBERS[element.tag]), each)
    elif value is not None:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        element.text = _NOT_XML.sub("", text)
