"""`/api/v1`: the operations and their OpenAPI document (docs/api.md). Each parses, calls one action or query, and shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.renderers import JSONRenderer

from minsheng.api import calls, problems
from minsheng.api.problems import Problem
from minsheng.api.v1 import cases, changes, files, reference, tasks, webhooks
from minsheng.errors import Refused

DESCRIPTION = """民声对其他系统的接口：各承办单位自己的系统、市民应用、数据使用方。

令牌由热线系统管理员签发，放在 `Authorization: Bearer` 里；能看什么、能做什么，由该系统账号的角色和单位决定，与在网页上完全一样。
提交类调用须带 `Idempotency-Key`：同一个键、同样的内容只办一次，答复相同。未成功的都是同一形状 `{code, message, details}`。"""


class _Renderer(JSONRenderer):
    json_dumps_params = {"ensure_ascii": False}


class _Api(NinjaAPI):
    """Described once: the document comes from the code alone, and takes the better part of a second to make."""

    _document: OpenAPISchema | None = None

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None) -> OpenAPISchema:
        if path_prefix is not None:
            return super().get_openapi_schema(path_prefix=path_prefix)
        if self._document is None:
            self._document = super().get_openapi_schema(path_params=path_params)
        return self._document


api = _Api(
    title="民声 12345 接口",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api:v1",
    docs_url=None,
    renderer=_Renderer(),
)
api.add_router("", cases.router)
api.add_router("", tasks.router)
api.add_router("", changes.router)
api.add_router("", files.router)
api.add_router("", webhooks.router)
api.add_router("", reference.router)


@api.exception_handler(Refused)
def _refused(request: HttpRequest, error: Exception) -> HttpResponse:
    """A domain rule said no: its own code, sentence and status."""
    assert isinstance(error, Refused)
    calls.put_on_record(request, error)
    return problems.answer(error)


@api.exception_handler(Problem)
def _problem(request: HttpRequest, error: Exception) -> HttpResponse:
    assert isinstance(error, Problem)
    return problems.answer(error)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: Exception) -> HttpResponse:
    """Where it is wrong and why; what was sent is not sent back."""
    assert isinstance(error, ValidationError)
    found: list[dict[str, Any]] = [
        {"field": _place(each["loc"]), "why": str(each["msg"])[:200]}
        for each in error.errors[:50]
    ]
    return problems.answer(Problem("invalid_fields", errors=found))


def _place(steps: Sequence[Any]) -> str:
    """“body.applicant.phone”; the library names the body's own parameter a second time."""
    named = [str(step) for step in steps]
    return ".".join(named[1:] if named[:2] == ["body", "body"] else named)[:200]


@api.exception_handler(AuthenticationError)
def _unauthenticated(request: HttpRequest, error: Exception) -> HttpResponse:
    return problems.answer(Problem("unauthenticated", headers={"WWW-Authenticate": "Bearer"}))


def _unreadable(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    return problems.answer(Problem("bad_request"))


for _error in (HttpError, MultiPartParserError, UnreadablePostError, TooManyFieldsSent, TooManyFilesSent):
    api.add_exception_handler(_error, _unreadable)


@api.exception_handler(Http404)
def _missing(request: HttpRequest, error: Exception) -> HttpResponse:
    return problems.answer(Refused("not_found"))


@api.exception_handler(RequestDataTooBig)
def _too_large(request: HttpRequest, error: Exception) -> HttpResponse:
    return problems.answer(Problem("too_large", megabytes=5))
