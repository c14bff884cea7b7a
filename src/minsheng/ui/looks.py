"""
What many open pages draw alike is drawn once.

When something happens, every page that it concerns looks again (ui/live.js) and says after which event. Of hundreds that look
after the same event, those whose people see the same get the part that the first of them drew: it was read after that event
was committed, so it is no older than what any of them would read. Kept for a breath only, as lights turn by time too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from threading import Lock
from weakref import WeakValueDictionary

from django.core.cache import cache
from django.http import HttpRequest

# Of a page that looks again: the part it wants (its list, the open case, or only the rail), and the last event it heard.
PART_HEADER, AFTER_HEADER = "X-Live", "X-After"
COLUMNS_HEADER = "X-Columns"  # with what columns the list was drawn: they are drawn again, whatever the person keeps by now
KEPT_SECONDS = 2


class _Turn:
    """Whoever draws a part holds it; the others wait for what comes of it."""

    def __init__(self) -> None:
        self.lock = Lock()


_drawing: WeakValueDictionary[str, _Turn] = WeakValueDictionary()


def part_of(request: HttpRequest) -> str:
    """Which part of its page this request asks for anew: "list", "pane", or "" for the whole page."""
    return request.headers.get(PART_HEADER, "")[:10]


def after(request: HttpRequest) -> str:
    """The last event that the page has heard; "" where it has heard none."""
    return request.headers.get(AFTER_HEADER, "")[:40]


def columns(request: HttpRequest) -> tuple[str, ...] | None:
    """The columns of the list that looks again; None where the page does not say."""
    given = request.headers.get(COLUMNS_HEADER) if part_of(request) == "list" else None
    return None if given is None else tuple(code for code in given[:400].split(",") if code)


def key_of(parts: Iterable[str]) -> str:
    """The name of a part: everything that it depends on, of any length."""
    return "looks." + hashlib.sha256("\n".join(parts).encode()).hexdigest()


def once(key: str, draw: Callable[[], str]) -> str:
    """The part of this name: as another thread has drawn it, or as `draw` does now. A form in it is one person's own, and kept
    for nobody."""
    turn = _drawing.setdefault(key, _Turn())
    with turn.lock:
        kept: str | None = cache.get(key)
        if kept is None:
            kept = draw()
            if "csrfmiddlewaretoken" not in kept:
                cache.set(key, kept, KEPT_SECONDS)
        return kept
