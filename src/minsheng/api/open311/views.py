"""The addresses of GeoReport v2. Whatever is wrong is answered in the format that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict, UnreadablePostError
from django.utils import timezone
from pydantic import BaseModel

from minsheng.api import actions as limits
from minsheng.api import calls, once
from minsheng.api.choices import Scope
from minsheng.api.models import Answer
from minsheng.api.open311 import actions, queries, reading
from minsheng.api.open311.writing import JSON, XML, Trouble, write, write_trouble
from minsheng.api.problems import Problem
from minsheng.errors import Refused

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
CHANGED = "2026-11-24 00:00"  # of this description of the endpoint
_FORM = "application/x-www-form-urlencoded"
_KEY = "Idempotency-Key"
View = Callable[..., HttpResponse]


def spoken(*methods: str) -> Callable[[View], View]:
    """A view of these methods whose errors come in the specification's shape: 403 for the key, 404 for what is not there, 400
    for everything else."""

    def wrap(view: View) -> View:
        @wraps(view)
        def answered(request: HttpRequest, form: str, **kwargs: Any) -> HttpResponse:
            try:
                if request.method not in methods:
                    raise Trouble(405, f"use {' or '.join(methods)}")
                _refuse_elsewhere(request)
                response = view(request, form, **kwargs)
            except Exception as error:
                response = write_trouble(form, _trouble_of(request, error))
                for name, value in getattr(error, "headers", {}).items():
                    response[name] = value
            if response.status_code == 405:
                response["Allow"] = ", ".join(methods)
            response["Access-Control-Allow-Origin"] = "*"  # civic apps in browsers; nothing here looks at a cookie
            calls.note(request, response)
            return response

        answered.csrf_exempt = True  # type: ignore[attr-defined]
        return answered

    return wrap


def _trouble_of(request: HttpRequest, error: Exception) -> Trouble:
    """What went wrong, in the specification's shape; a fault of ours goes on and is logged."""
    if isinstance(error, Trouble):
        return error
    if isinstance(error, Problem):
        return Trouble(error.status, error.sentence)
    if isinstance(error, Refused):
        calls.put_on_record(request, error)
        return Trouble(error.status if error.status in (403, 404) else 400, error.sentence, code=error.code)
    if isinstance(error, RequestDataTooBig | TooManyFieldsSent | UnreadablePostError):
        return Trouble(400, "the request is too large or was cut off")
    raise error


def _refuse_elsewhere(request: HttpRequest) -> None:
    named = reading.jurisdiction(request.POST if request.method == "POST" else request.GET)
    if named and named != settings.API["jurisdiction_id"]:
        raise Trouble(404, "jurisdiction_id was not found")


def _caller(request: HttpRequest, given: QueryDict) -> calls.Caller | None:
    """Who called, where a key was given. Errors: 403 for a key that is none."""
    clear = given.get("api_key", "") or request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not clear:
        _take_open_turn(request)
        return None
    caller = calls.recognise(request, clear.strip(), timezone.now())
    if caller is None:
        raise Trouble(403, "api_key is invalid, expired or revoked")
    request.auth = caller  # type: ignore[attr-defined]
    return caller


@spoken("GET", "HEAD")
def discovery(request: HttpRequest, form: str) -> HttpResponse:
    """Where the endpoint is, in which formats, whom to ask."""
    url = request.build_absolute_uri("/api/open311/v2")
    endpoint = {
        "specification": SPECIFICATION,
        "url": url,
        "changeset": CHANGED,
        "type": "test" if settings.DEMO else "production",
        "formats": ["text/xml", "application/json"],
    }
    contact = str(settings.API["contact"])
    told = {"changeset": CHANGED, "contact": contact, "key_service": contact, "endpoints": [endpoint]}
    return write(form, "discovery", told)


@spoken("GET", "HEAD")
def services(request: HttpRequest, form: str) -> HttpResponse:
    """GET Service List."""
    return write(form, "services", queries.services(at=timezone.now()))


@spoken("GET", "HEAD")
def service(request: HttpRequest, form: str, code: str) -> HttpResponse:
    """GET Service Definition."""
    topic = queries.topic_of(code, at=timezone.now())
    return write(form, "service_definition", queries.definition(topic))


@spoken("GET", "HEAD", "POST")
def requests(request: HttpRequest, form: str) -> HttpResponse:
    """GET Service Requests, POST Service Request."""
    if request.method == "POST":
        return _post(request, form)
    caller = _caller(request, request.GET)
    ask = reading.wanted(request.GET, at=timezone.now())
    return write(form, "service_requests", queries.requests(ask, caller=caller))


@spoken("GET", "HEAD")
def one_request(request: HttpRequest, form: str, number: str) -> HttpResponse:
    """GET Service Request."""
    caller = _caller(request, request.GET)
    return write(form, "service_requests", queries.request_of(number, caller=caller))


@spoken("GET", "HEAD")
def token(request: HttpRequest, form: str, key: str) -> HttpResponse:
    """GET service_request_id from a token. Every service is realtime, so no answer carries a token; but a client that sent an
    Idempotency-Key and lost the answer may use it as one."""
    caller = _caller(request, request.GET)
    found = Answer.objects.filter(system=caller.system, key=key[:80].replace("\x00", "")).first() if caller else None
    number = found.body.get("number") if found else None
    if number is None:
        raise Trouble(404, "token was not found")
    return write(form, "service_requests", [{"service_request_id": number, "token": key}])


def _take_open_turn(request: HttpRequest) -> None:
    """Errors: too_many_calls."""
    seconds = limits.take_open_turn(address=calls.address_of(request) or "", at=timezone.now())
    if seconds:
        raise Problem("too_many_calls", headers={"Retry-After": str(seconds)}, seconds=seconds)


class _Made(BaseModel):
    number: str


def _post(request: HttpRequest, form: str) -> HttpResponse:
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        raise Trouble(400, "Content-Length was not provided; chunked bodies are not read")
    if request.content_type != _FORM:
        raise Trouble(400, f"Content-Type must be {_FORM}; charset=utf-8")
    caller = _caller(request, request.POST)
    if caller is None:
        raise Trouble(403, "api_key was not provided")
    if not caller.token.allows(Scope.CASES_CREATE):
        raise Trouble(403, "api_key may not create requests")
    sent = reading.sent(request.POST)
    key = request.headers.get(_KEY, "") or str(uuid4())
    if not 8 <= len(key) <= 80 or not key.replace("-", "").replace("_", "").isalnum() or not key.isascii():
        raise Trouble(400, f"{_KEY}: 8 to 80 letters, digits, - and _")

    def submit(submission: Any) -> _Made:
        case = actions.submit(caller=caller, sent=sent, submission=submission, source_id=key)
        return _Made(number=case.number or "")

    with transaction.atomic():
        made = once.once(request, key, submit)
    notice = "已收到。凭编号可以查询进度，也可以拨打 12345。"
    told = {"service_request_id": made["number"], "service_notice": notice, "account_id": None}
    return write(form, "service_requests", [told], status=201)


def nothing_here(request: HttpRequest, path: str = "") -> HttpResponse:
    """Any other address."""
    return write_trouble(JSON if path.endswith(".json") else XML, Trouble(404, "there is nothing at this address"))


nothing_here.csrf_exempt = True  # type: ignore[attr-defined]
