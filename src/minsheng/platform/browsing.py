"""Walks in a real browser: somebody at a window of their own, and what every page must be (WCAG 2.2 AA by axe, thumb-sized targets).

A walk takes the fixtures `browser` (conftest.py) and `live_server`:

    citizen = Person(browser, live_server.url, width=375)
    citizen.goto("/")
    citizen.check_page("landing")      # axe, no sideways scrolling, no error so far; a screenshot under artefacts/
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Response, sync_playwright

from minsheng.platform.testing import chromium_program

_PROJECT = Path(__file__).resolve().parents[3]
AXE = _PROJECT / "node_modules/axe-core/axe.min.js"
# Kept for people to look at: never committed.
PICTURES = Path(os.environ.get("MINSHENG_ARTEFACTS") or _PROJECT / "artefacts") / "screens"
WCAG_22_AA = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
# What depends on the width of the window: the rest of axe's rules is answered at any one.
OF_WIDTH = ("color-contrast", "target-size", "scrollable-region-focusable")
ARGUMENTS = ("--no-sandbox", "--disable-background-networking", "--disable-gpu", "--disable-sync")
THUMB = 44  # CSS pixels; WCAG 2.2 AA asks for 24 (2.5.8), AAA and both phone makers for 44 (2.5.5)
ASKING = frozenset({"document", "xhr", "fetch"})
REFUSALS = frozenset({403, 404, 409, 422})

# Boxes of all that can be pressed and seen, a checkbox or radio with its label counting as one. Links within a sentence are
# as high as its line (2.5.8, exception “inline”): a link alone in its paragraph is no such link.
_SMALL = """least => {
  const inSentence = e => e.tagName === 'A' && getComputedStyle(e).display === 'inline'
    && [...e.parentNode.childNodes].some(n => n !== e && n.nodeType === 3 && n.textContent.trim().length > 1)
  const area = e => (['checkbox', 'radio'].includes(e.type) && e.closest('label')) || e
  return [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, label.form-check')]
    .filter(e => e.checkVisibility({checkVisibilityCSS: true, checkOpacity: true}) && !e.closest('[aria-hidden=true]') && !inSentence(e))
    .map(e => [e, area(e).getBoundingClientRect()])
    .filter(([e, b]) => b.width > 1 && b.height > 1 && b.right > 0 && (b.width < least - .5 || b.height < least - .5))
    .map(([e, b]) => `${e.tagName} “${(e.innerText || e.name || e.type || '').trim().slice(0, 20)}” ${b.width|0}×${b.height|0}`)
}"""


# Only what is wrong comes back, without the lists of what was found well.
_LOOK = """([within, values, type]) => axe
  .run(within ? {include: within} : document, {runOnly: {type, values}, resultTypes: ['violations']})
  .then(result => result.violations)"""


@cache
def _axe() -> str:
    return AXE.read_text()


@contextmanager
def chromium_browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_program(), args=list(ARGUMENTS))
        yield browser
        browser.close()


def violations(page: Page, *, within: str = "", only: Sequence[str] = ()) -> list[str]:
    """What axe finds against WCAG 2.2 AA: one line for each rule, with the elements. Needs JavaScript in the page.

    `within`: in this part of the page, where the rest has been looked at already; `only`: these rules.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    found = page.evaluate(_LOOK, [within, list(only or WCAG_22_AA), "rule" if only else "tag"])
    return [f"{v['id']}: {v['help']}: " + "; ".join(_where(node) for node in v["nodes"]) for v in found]


def _where(node: dict[str, Any]) -> str:
    return f"{node['target']} {node['html'][:160]} {(node.get('failureSummary') or '')[:240]}"


def small_targets(page: Page, least: int = THUMB) -> list[str]:
    """What can be pressed and is smaller than a thumb."""
    found: list[str] = page.evaluate(_SMALL, least)
    return found


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window: nobody should have to push it sideways (1.4.10)."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


class Listener:
    """What goes wrong in one browser, in `errors`: scripts, the console, and every answer of 400 and more that the walk did not
    say it would provoke (`with provoking(422):`). Only a page or a script's question may be refused; a script, style, font or
    picture that is not there is always wrong."""

    def __init__(self, context: BrowserContext) -> None:
        self.errors: list[str] = []
        self._provoked: frozenset[int] = frozenset()
        context.on("weberror", lambda error: self.errors.append(f"script: {error.error}"))
        context.on("console", lambda said: self._hear(said.type, said.text))
        context.on("response", self._answered)

    @contextmanager
    def provoking(self, *statuses: int) -> Iterator[None]:
        """Refusals (403, 404, 409, 422) that this part of the walk is about."""
        assert set(statuses) <= REFUSALS, statuses
        self._provoked = frozenset(statuses)
        yield
        self._provoked = frozenset()

    def _hear(self, kind: str, text: str) -> None:
        # Chromium says it of every answer of 400 and more, which `_answered` judges, and of the stream, which has a server of its
        # own that does not run in most walks.
        if kind == "error" and not text.startswith("Failed to load resource"):
            self.errors.append(f"console: {text}")

    def _answered(self, response: Response) -> None:
        if response.status < 400:
            return
        kind = response.request.resource_type
        if kind not in ASKING or response.status not in self._provoked:
            self.errors.append(f"{response.status} {kind} {response.url}")


class Person:
    """Somebody at a browser of their own, whose errors are kept in `errors` (Listener)."""

    def __init__(self, browser: Browser, base: str, *, width: int = 1366, height: int = 768, name: str = "", **context: Any) -> None:
        self.base, self.width, self.name = base, width, name
        self.context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN", **context)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        listener = Listener(self.context)
        self.errors, self.provoking = listener.errors, listener.provoking

    def goto(self, path: str) -> None:
        """An address of the server under test."""
        self.page.goto(f"{self.base}{path}")

    def check_page(self, title: str, *, thumbs: bool = False, only: Sequence[str] = ()) -> None:
        """Axe clean (by `only` these rules, where some are named), no sideways scrolling, no error so far; `thumbs`: every target
        fit for one. Keeps a picture."""
        self.picture(title)
        assert not self.errors, (title, self.errors)
        assert overflow(self.page) <= 0, f"{title}: wider than its window by {overflow(self.page)} px"
        found = violations(self.page, only=only)
        assert not found, f"{title} ({self.width} px):\n" + "\n".join(found)
        small = small_targets(self.page) if thumbs else []
        assert not small, f"{title}: too small to press: {small}"

    def picture(self, title: str) -> Path:
        """The whole page as it stands, for people to look at."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        path = PICTURES / f"{re.sub('[^0-9a-z-]+', '-', f'{self.name}-{title}'.lower()).strip('-')}-{self.width}.jpg"
        self.page.screenshot(path=path, full_page=True, type="jpeg", quality=70)  # a PNG takes three times as long
        return path

    def close(self) -> None:
        """End of the walk."""
        self.context.close()
