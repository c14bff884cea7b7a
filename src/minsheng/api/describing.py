"""The OpenAPI document put into words for a plain page. Pure but for the document itself, which never changes while we run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Field:
    """One parameter, field of a body, or field of an answer."""

    name: str
    kind: str
    required: bool
    words: str


@dataclass(frozen=True)
class Operation:
    """One operation as the page shows it."""

    anchor: str
    method: str
    path: str
    summary: str
    words: str
    parameters: list[Field]
    body: list[Field]
    success: str
    answers: list[str]


@dataclass(frozen=True)
class Described:
    """The whole page."""

    title: str
    words: str
    groups: list[tuple[str, list[Operation]]]
    shapes: list[tuple[str, str, list[Field]]]


@cache
def described() -> Described:
    """Operations by tag, and the shapes they name."""
    from minsheng.api.v1 import api

    document: dict[str, Any] = dict(api.get_openapi_schema())
    shapes: dict[str, Any] = document["components"]["schemas"]
    groups: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            groups.setdefault(told["tags"][0], []).append(_operation(path, method, told, shapes))
    listed = [
        (name, "、".join(map(str, shape.get("enum", []))), _fields(shape))
        for name, shape in sorted(shapes.items(), key=lambda each: "enum" in each[1])
    ]
    return Described(document["info"]["title"], _plain(document["info"]["description"]), list(groups.items()), listed)


def _operation(path: str, method: str, told: dict[str, Any], shapes: dict[str, Any]) -> Operation:
    statuses = {int(status): answer for status, answer in told["responses"].items()}
    success = min(statuses)
    content = _schema(told.get("requestBody", {}))
    name = _named(content)
    return Operation(
        anchor=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told["summary"],
        words=_plain(told.get("description", "")),
        parameters=[_parameter(each) for each in told["parameters"]],
        body=_fields(shapes[name] if name else content),
        success=f"{success} {_kind(_schema(statuses[success]))}".strip(),
        answers=[str(status) for status in sorted(statuses) if status != success],
    )


def _schema(told: dict[str, Any]) -> dict[str, Any]:
    """Of a body or an answer, whatever its media type."""
    media: list[dict[str, Any]] = list(told.get("content", {}).values())
    schema: dict[str, Any] = media[0].get("schema", {}) if media else {}
    return schema


def _parameter(told: dict[str, Any]) -> Field:
    where = {"path": "路径", "query": "查询", "header": "请求头"}.get(told["in"], told["in"])
    return Field(told["name"], f"{where} · {_kind(told['schema'])}", told["required"], _words(told) or _words(told["schema"]))


def _fields(shape: dict[str, Any]) -> list[Field]:
    required = set(shape.get("required", []))
    return [
        Field(name, _kind(each), name in required, _words(each))
        for name, each in shape.get("properties", {}).items()
    ]


def _named(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _kind(schema: dict[str, Any]) -> str:
    """“string”, “CaseRow[]”, “integer / null”."""
    if name := _named(schema):
        return name
    for several in ("anyOf", "allOf"):
        if several in schema:
            return " / ".join(_kind(each) for each in schema[several])
    if schema.get("type") == "array":
        return f"{_kind(schema.get('items', {}))}[]"
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    words = [str(schema.get("format") or schema.get("type", ""))]
    return " ".join(word for word in [*words, _bounds(schema)] if word)


def _bounds(schema: dict[str, Any]) -> str:
    if "maxLength" in schema:
        return f"≤ {schema['maxLength']} 字"
    if "maximum" in schema and schema["maximum"] < 10**6:
        return f"{schema.get('minimum', '')}–{schema['maximum']}"
    return ""


def _words(schema: dict[str, Any]) -> str:
    """Its description, or that of what it may be."""
    found = [str(each.get("description", "")) for each in (schema, *schema.get("anyOf", ()))]
    return next((words for words in found if words), "")


def _plain(text: str) -> str:
    """Without the marks of Markdown."""
    return text.replace("`", "")
