"""Logs as events, without personal data: no addresses, no query strings, no values out of a database's error."""

from __future__ import annotations

import re
from typing import Any

import structlog
from django.http import HttpRequest
from django_structlog.middlewares import RequestMiddleware
from structlog.typing import EventDict, Processor, WrappedLogger

# PostgreSQL quotes the row that broke a constraint ("DETAIL:  Failing row contains (...)") or the statement's own text
# ("LINE 1: ..."); a row may have many lines, so all is cut up to the end of this exception.
_ROW = re.compile(
    r"^(DETAIL|CONTEXT|HINT|LINE \d+):.*?(?=\n\nThe above exception|\n\nDuring handling|\Z)", re.MULTILINE | re.DOTALL
)


class RequestLogMiddleware(RequestMiddleware):
    """A request's number, user and path on every log line; its query string may hold what somebody searched for."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {request.path}"


def without_row_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Cut what the database quotes from rows out of messages and tracebacks."""
    for key in ("event", "exception"):
        if isinstance(text := event.get(key), str):
            event[key] = _ROW.sub(r"\1: (left out)", text)
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
            without_row_values,
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
