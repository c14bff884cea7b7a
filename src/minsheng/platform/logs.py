"""Logs as events, without personal data: no addresses, no query strings, no tokens, no values out of errors."""

from __future__ import annotations

import re
from typing import Any

import structlog
from django.http import HttpRequest
from django_structlog.middlewares import RequestMiddleware
from structlog.typing import EventDict, Processor, WrappedLogger

from minsheng.secrecy.personal import redact

# PostgreSQL quotes the row that broke a constraint ("DETAIL:  Failing row contains (...)") or the statement's own text
# ("LINE 1: ..."); a row may have many lines, so all is cut up to the end of this exception.
_ROW = re.compile(
    r"^(DETAIL|CONTEXT|HINT|LINE \d+):.*?(?=\n\nThe above exception|\n\nDuring handling|\Z)", re.MULTILINE | re.DOTALL
)


# Also the error's first line quotes a value that could not be read: `invalid input syntax for type integer: "..."`.
_VALUE = re.compile(r'(invalid input (?:syntax|value) for [^\n]*?: )".*"')
# Whoever has a rating link may rate: a log must not hand it on.
_TOKEN = re.compile(r"(?<=/rate/)[^/\s]+")


class RequestLogMiddleware(RequestMiddleware):
    """A request's number, user and path on every log line; its query string may hold what somebody searched for."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {without_token(request.path)}"


def without_token(path: str) -> str:
    """A path, or a line with paths in it, as logs may show it."""
    return _TOKEN.sub("…", path)


def without_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Cut what the database quotes from rows out of messages and tracebacks; and of what any error says, personal data.

    Only what has a form is found there (numbers, mail); so no error of ours quotes what somebody typed.
    """
    for key in ("event", "exception"):
        if isinstance(text := event.get(key), str):
            event[key] = without_token(_VALUE.sub(r"\1(left out)", _ROW.sub(r"\1: (left out)", text)))
    if "exception" in event:
        event["exception"] = redact(event["exception"])
    return event


def configure(*, level: str, as_json: bool) -> dict[str, Any]:
    """Set structlog up, and give Django's LOGGING: one line per event, for people or (`as_json`) for machines."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    renderer: Processor = structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else plain
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": shared,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            without_values,
            renderer,
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"event": formatter},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "event"}},
        "root": {"handlers": ["console"], "level": level},
        # Django's own handlers would print to the console a second time, or mail a page of local variables.
        "loggers": {
            "django": {"handlers": [], "propagate": True, "level": level},
            "django.request": {"level": "ERROR"},  # the middleware above tells of every request already
        },
    }
