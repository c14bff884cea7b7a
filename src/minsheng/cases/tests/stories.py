"""For tests that tell a story: who does what when, what somebody's screen says at that moment, and which refusal is expected."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from html import unescape
from html.parser import HTMLParser
from threading import Barrier
from typing import Any
from unittest.mock import patch

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from minsheng.accounts.models import User
from minsheng.accounts.testing import sign_in
from minsheng.cases.models import Case
from minsheng.cases.tests.world import World, fresh, moment
from minsheng.errors import Refused


def refused(code: str) -> Any:
    """Expect this refusal and no other."""
    return pytest.raises(Refused, match=f"^{code}:")


def by(world: World, name: str, at: str | datetime) -> dict[str, Any]:
    """Who and when; the world's clock follows."""
    world.now = moment(at) if isinstance(at, str) else at
    return {"actor": world[name], "at": world.now}


@contextmanager
def clock_at(at: str | datetime) -> Iterator[None]:
    """Views and tasks ask the clock themselves: let it say this."""
    with patch.object(timezone, "now", return_value=moment(at) if isinstance(at, str) else at):
        cache.clear()  # counts kept for some seconds are of another moment
        yield


def screen(who: User, path: str, *, at: datetime, **posted: Any) -> str:
    """What a person reads there at that moment, markup taken away; `posted`: of a search that is posted."""
    with clock_at(at):
        client = sign_in(Client(), who)
        answer = client.post(path, posted, follow=True) if posted else client.get(path)
    assert answer.status_code == 200, f"{path}: {answer.status_code}"
    return words_of(answer.content.decode())


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call returned or raised, all begun in the same instant, each on a connection of its own."""
    gate = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        gate.wait(timeout=10)
        try:
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def case_screen(world: World, who: str | User, case: Case, *, at: str | datetime | None = None) -> str:
    """The case page as this person reads it, now or at another moment."""
    then = moment(at) if isinstance(at, str) else at or world.now
    return screen(world[who] if isinstance(who, str) else who, f"/cases/{fresh(case).number}/", at=then)


def words_of(html: str) -> str:
    """A page's text with single spaces; what stands in titles (`title="…"`) counts as read."""
    titles = " ".join(re.findall(r'(?:title|aria-label)="([^"]*)"', html))
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text) + " " + titles).split())


class _Forms(HTMLParser):
    """The forms of a page with what a browser would send of each, untouched."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, Any]]] = []
        self._area = self._select = ""

    @property
    def _values(self) -> dict[str, Any]:
        return self.forms[-1][1] if self.forms else {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, kind = given.get("name", ""), given.get("type", "text")
        if tag == "form":
            self.forms.append((given.get("action", ""), {}))
        elif tag == "textarea":
            self._area = name
            self._values[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given:
            self._values[self._select] = given.get("value", "")
        elif tag == "input" and name and (kind not in ("radio", "checkbox") or "checked" in given) and kind != "file":
            self._add(name, given.get("value", "on" if kind == "checkbox" else ""), several=kind == "checkbox")

    def _add(self, name: str, value: str, *, several: bool) -> None:
        self._values[name] = [*self._values.get(name, []), value] if several else value

    def handle_data(self, data: str) -> None:
        if self._area:
            self._values[self._area] += data.strip("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""


def form_on(html: str, having: str) -> tuple[str, dict[str, Any]]:
    """(where it is sent, what a browser sends of it) of the page's form that has a field of this name."""
    parser = _Forms()
    parser.feed(html)
    return next((action, values) for action, values in parser.forms if having in values)
