"""The published GeoReport v2 documents put into rules of our own: for JSON a schema each, for XML the same by the Spark convention.

Field lists, types and which fields are always there: http://wiki.open311.org/GeoReport_v2/ and Service_Discovery. What the JSON schemas
of github.com/open311/schema-validation (schema/georeport-v2, commit 47e06a4) demand is demanded here too, and more: no other field, and
all of the specification's fields present. Those files carry no licence of their own, so none of them stands here.
"""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import jsonschema_rs
from django.http import HttpResponse

_MOMENT = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})$"


def _object(required: str, optional: str = "", /, **types: Any) -> dict[str, Any]:
    names = required.split() + optional.split()
    return {
        "type": "object",
        "required": required.split(),
        "additionalProperties": False,
        "properties": {name: types.get(name, {"type": "string"}) for name in names},
    }


def _or_null(**rule: Any) -> dict[str, Any]:
    return {"anyOf": [rule, {"type": "null"}]}


_BOOLEAN = {"type": "boolean"}
_TEXT = _or_null(type="string")
_WHEN = _or_null(type="string", pattern=_MOMENT)
_NUMBER = _or_null(type="number")

DISCOVERY = _object(
    "changeset contact key_service endpoints",
    endpoints={
        "type": "array",
        "minItems": 1,
        "items": _object(
            "specification url changeset type formats",
            specification={"const": "http://wiki.open311.org/GeoReport_v2"},
            type={"enum": ["production", "test"]},
            formats={"type": "array", "items": {"enum": ["text/xml", "application/json"]}},
        ),
    },
)
SERVICES = {
    "type": "array",
    "items": _object(
        "service_code service_name description metadata type keywords group",
        description=_TEXT,
        keywords=_TEXT,
        group=_TEXT,
        metadata=_BOOLEAN,
        type={"enum": ["realtime", "batch", "blackbox"]},
    ),
}
DEFINITION = _object(
    "service_code attributes",
    attributes={
        "type": "array",
        "items": _object(
            "variable code datatype required datatype_description order description values",
            variable=_BOOLEAN,
            required=_BOOLEAN,
            datatype={"enum": ["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]},
            datatype_description=_TEXT,
            order={"type": "integer", "minimum": 1},
            values={"type": "array", "items": _object("key name")},
        ),
    },
)
MADE = {
    "type": "array",
    "minItems": 1,
    "maxItems": 1,
    "items": _object("service_request_id", "service_notice account_id", service_notice=_TEXT, account_id=_TEXT),
}
TOKEN = {"type": "array", "minItems": 1, "maxItems": 1, "items": _object("service_request_id token")}
REQUESTS = {
    "type": "array",
    "maxItems": 1000,
    "items": _object(
        "service_request_id status service_name service_code description requested_datetime updated_datetime address address_id"
        " zipcode lat long media_url",
        "status_notes agency_responsible service_notice expected_datetime",
        status={"enum": ["open", "closed"]},
        requested_datetime={"type": "string", "pattern": _MOMENT},
        description=_or_null(type="string", maxLength=4000),
        updated_datetime=_WHEN,
        expected_datetime=_WHEN,
        lat=_NUMBER,
        long=_NUMBER,
        **dict.fromkeys(
            ["status_notes", "service_name", "agency_responsible", "service_notice", "address", "address_id", "zipcode", "media_url"], _TEXT
        ),
    ),
}
ERRORS = {"type": "array", "minItems": 1, "items": _object("code description")}

_ROOTS = {
    "discovery": DISCOVERY,
    "services": SERVICES,
    "service_definition": DEFINITION,
    "errors": ERRORS,
}
_LISTS = {
    "services": "service",
    "attributes": "attribute",
    "values": "value",
    "service_requests": "request",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
}


def valid(response: HttpResponse, root: str, schema: dict[str, Any] | None = None) -> Any:
    """The document of an answer, after it was held against the specification in the format that it came in."""
    schema = schema or _ROOTS[root]
    if response["Content-Type"] == "application/json; charset=utf-8":
        value = json.loads(response.content.decode("utf-8"))
    else:
        assert response["Content-Type"] == "text/xml; charset=utf-8"
        assert re.match(rb"""<\?xml version=['"]1.0['"] encoding=['"]utf-8['"]\?>""", response.content, re.IGNORECASE)
        element = ElementTree.fromstring(response.content)
        assert element.tag == root
        value = _from_xml(element, schema)
    jsonschema_rs.validator_for(schema).validate(value)
    return value


def _from_xml(element: ElementTree.Element, schema: dict[str, Any]) -> Any:
    """Spark: an element that only wraps a list is the list; an empty one is null; words become what the schema wants."""
    assert not element.attrib and "}" not in element.tag, "neither attributes nor namespaces"
    if element.tag in _LISTS:
        assert {child.tag for child in element} <= {_LISTS[element.tag]}
        return [_from_xml(child, schema["items"]) for child in element]
    if len(element):
        tags = [child.tag for child in element]
        assert len(tags) == len(set(tags)), "each field once"
        return {child.tag: _from_xml(child, schema["properties"].get(child.tag, {})) for child in element}
    return _read(element.text, schema)


def _read(text: str | None, schema: dict[str, Any]) -> Any:
    kinds = {schema.get("type"), *(each.get("type") for each in schema.get("anyOf", ()))}
    if text is None:
        return None if "null" in kinds else ""
    if "boolean" in kinds:
        return {"true": True, "false": False}[text]
    if "integer" in kinds:
        return int(text)
    return float(text) if "number" in kinds else text
