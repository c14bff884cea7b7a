"""Every screen of the staff's side as its people meet it, at a desk's width and at a telephone's: axe clean, no error, nothing cut off.

The addresses are those whose queries are counted (cases/tests/test_query_counts.py, console/tests/test_administrators.py) and each
person's rail, so a screen that comes into the product is looked at by itself. Looking changes nothing, so one committed city serves
all. Pictures of all stand under artefacts/screens afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.admin import site
from django.db import connections, transaction
from django.test import Client, override_settings
from django.urls import resolve, reverse
from django.utils import timezone
from playwright.sync_api import Browser

from minsheng.accounts.choices import Role
from minsheng.accounts.testing import sign_in
from minsheng.api.tests.conftest import make_remote
from minsheng.cases import columns as cols
from minsheng.cases import lists
from minsheng.cases.models import Case
from minsheng.cases.tests import test_query_counts as counted
from minsheng.cases.tests.stages import STAGES
from minsheng.cases.tests.world import World, build
from minsheng.console.models import Export, ListSetting
from minsheng.console.tests import test_administrators
from minsheng.outbox.models import Endpoint
from minsheng.outbox.tests.test_screens import listening
from minsheng.platform.browsing import AXE, OF_WIDTH, Person, overflow, violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDE, NARROW = (1366, 768), (375, 740)
# Answered with a file, not with a page.
FILES = {"cases:file", "cases:paper"}
# Looked at in the dark, with larger text and on paper too.
MAIN = counted.LISTS | {f"{name} open" for name in counted.LISTS}
MAIN |= {"cases:page", "cases:new", "cases:map", "console:day", "console:system", "console:security", "console:records"}
OTHERS = ("inspector", "knowledge", "system_admin", "security_admin", "audit_admin")
PEOPLE = tuple(dict.fromkeys([*(screen.who for screen in counted.BASELINE), *OTHERS]))
_known: set[str] = set()  # screens that somebody has been shown before: what another sees there differs in its rows only


@pytest.fixture(autouse=True)
def own_connection_closed() -> Iterator[None]:
    """While a browser is open its loop runs in this thread, and what asks the database here has a connection of its own."""
    yield
    connections.close_all()


@dataclass(frozen=True)
class House:
    """The city with a case at every stage, and where it is served."""

    url: str
    world: World
    stages: dict[str, Case]


@pytest.fixture(scope="module")
def transactional_db(kept_database: None) -> None:
    """By this name pytest-django knows that a database is needed, and runs these tests after those that leave nothing behind."""


@pytest.fixture(scope="module")
def house(transactional_db: None, served: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("files")):
        with transaction.atomic():
            world, stages = build(), dict[str, Case]()
            for name, stage in STAGES.items():
                world.now = timezone.now() - timedelta(days=1)  # screens tell the time themselves
                stages[name] = stage(world)
            make_remote(world, "known", Role.AGENT)
            listening(world)
            at = timezone.now()
            Export.objects.create(user=world["dispatcher"], list_code="all", submission=uuid4(), asked_at=at, touched_at=at)
        yield House(served, world, stages)


# --- which screens -----------------------------------------------------------------------------------------------


def administrators_screens() -> dict[str, str]:
    """What administrators alone open, with who does; a new one fails `test_every_screen_is_somebodys`."""
    found = {path: str(role) for path, role in test_administrators.SCREENS.items()}
    endpoint = Endpoint.objects.latest("pk").pk
    takes = {"outbox:endpoint": [endpoint], "api:system": ["known"]}
    names = ("outbox:endpoints", "outbox:endpoint_new", "outbox:endpoint", "outbox:log", "api:systems", "api:new_system", "api:system")
    return found | dict.fromkeys((reverse(name, args=takes.get(name)) for name in names), "system_admin")


def exports_screens() -> dict[str, str]:
    """A spreadsheet is its asker's only."""
    return {reverse("console:export_progress", args=[Export.objects.get().pk]): "dispatcher"}


def name_of(path: str) -> str:
    """“cases:list”."""
    return resolve(path.partition("?")[0]).view_name


def test_every_screen_is_somebodys(house: House) -> None:
    named = {name_of(path) for path in administrators_screens() | exports_screens()}
    assert named | {"console:export_file"} >= counted.ADMINISTRATORS | counted.MEASURED_THERE
    assert {screen.name for screen in counted.BASELINE} >= FILES
    assert {user.roles[0] for user in house.world.people.values()} == {house.world[who].roles[0] for who in PEOPLE}


# --- the looks ---------------------------------------------------------------------------------------------------


class Walk:
    """One person's looks; what is wrong is gathered, so that one walk tells all."""

    def __init__(self, browser: Browser, house: House, who: str) -> None:
        self.person, self.house = Person(browser, house.url, name=house.world[who].roles[0], reduced_motion="reduce"), house
        self.person.context.add_init_script(path=AXE)
        self.page, self.wrong, self.seen = self.person.page, list[str](), set[str]()

    def as_(self, client: Client) -> None:
        """How somebody signs in is walked elsewhere (tests/test_walk.py)."""
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.person.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": self.house.url}])

    def look(self, path: str, title: str, *, kind: str, within: str = "") -> None:
        """One address at both widths. `within`: the part that no other look has seen; `kind`: of what it is one of many."""
        self.resize(WIDE)
        if path in self.seen:
            return
        self.person.goto(path)
        self.seen.add(path)
        if not self.page.evaluate("document.doctype !== null"):  # a part of a page
            return
        if self.page.locator("#case-map").count():
            self.page.locator("#case-map[data-drawn]").wait_for()
        self.judge(title, violations(self.page, within=within))
        new = kind not in _known
        _known.add(kind)
        if new and kind in MAIN:
            self.in_other_lights(title)
        self.resize(NARROW)
        self.judge(title, violations(self.page, within=within, only=OF_WIDTH) if new else [])

    def resize(self, size: tuple[int, int]) -> None:
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        self.person.width = size[0]

    def judge(self, title: str, found: list[str]) -> None:
        self.person.picture(title)
        if (by := overflow(self.page)) > 0:
            found = [*found, f"wider than its window by {by} px"]
        found = [*found, *self.page.evaluate(CUT_OFF)]
        self.wrong += [f"{title} ({self.person.width} px): {line}" for line in [*found, *self.person.errors]]
        self.person.errors.clear()

    def in_other_lights(self, title: str) -> None:
        """Dark; with text of 125 %; on paper."""
        self.page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
        self.judge(f"{title}-dark", violations(self.page, only=["color-contrast"]))
        self.page.evaluate("document.documentElement.dataset.bsTheme = 'light'; document.documentElement.dataset.text = '125'")
        self.judge(f"{title}-large", violations(self.page, only=["target-size"]))
        self.page.evaluate("delete document.documentElement.dataset.text")
        self.page.emulate_media(media="print")
        self.judge(f"{title}-print", [f"on paper: {what}" for what in self.page.evaluate(ON_SCREEN_ONLY)])
        self.page.emulate_media(media="screen")


# Panes hide what does not fit, so that the window does not grow.
CUT_OFF = """() => [...document.querySelectorAll('.main, .split-list, .split-pane, .case-scroll, .intake-fields, .map-side-list')]
  .filter(e => e.scrollWidth > e.clientWidth + 1)
  .map(e => `cut off: ${e.className} holds ${e.scrollWidth} px in ${e.clientWidth}`)"""
# What is pressed, and what leads elsewhere, is nothing on paper.
ON_SCREEN_ONLY = """() => [...document.querySelectorAll('.rail, .topbar, button, .btn')]
  .filter(e => e.checkVisibility({checkVisibilityCSS: true}) && e.getBoundingClientRect().width > 1)
  .map(e => e.outerHTML.slice(0, 120))"""


def slug(text: str) -> str:
    return re.sub("[^0-9a-z]+", "-", text.lower()).strip("-") or "home"


@pytest.mark.parametrize("who", PEOPLE)
def test_screens_of(house: House, browser: Browser, who: str) -> None:
    walk = Walk(browser, house, who)
    for screen in counted.BASELINE:
        if screen.who != who or screen.name in FILES:
            continue
        client, path = counted.opened(house.world, house.stages, screen)
        walk.as_(client)
        if screen.name == "cases:act":
            walk.look(path, f"form-{slug(screen.code)}", kind=screen.code, within="#drawer")
        else:
            title = slug(" ".join((screen.name, screen.code, screen.query if "{" not in screen.query else screen.of)))
            walk.look(path.removesuffix("?"), title, kind=f"{screen.name}{' open' * ('open=' in screen.query)}")
    walk.as_(sign_in(Client(), house.world[who]))
    own = [path for path, owner in (administrators_screens() | exports_screens()).items() if owner == who]
    walk.person.goto("/desk/")
    rail = walk.page.eval_on_selector_all(".rail li a[href]", "links => links.map(a => a.getAttribute('href'))")
    assert rail, "nobody is left without a desk"
    for path in dict.fromkeys([*rail, *own]):
        walk.look(path, slug(path), kind=name_of(path))
    walk.person.close()
    assert not walk.wrong, "\n\n".join(walk.wrong)


# Two words of letters in a row; a name to sign in by has none, nor a code.
ENGLISH = re.compile(r"[A-Za-z]{3,} [a-z]{3,}|\b(?:Filters|Search|Select|Save|Run)\b")


def configuration() -> list[str]:
    """The lists and forms that a library draws, each with its first row."""
    found = [reverse("admin:index")]
    for model in site._registry:
        stem = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        if not model.__module__.startswith("minsheng."):
            continue
        found += [reverse(f"{stem}_changelist"), reverse(f"{stem}_add")]
        found += [reverse(f"{stem}_change", args=[key]) for key in model._default_manager.order_by("pk").values_list("pk", flat=True)[:1]]
    return found


def test_what_administrators_configure(house: House, browser: Browser) -> None:
    client = sign_in(Client(), house.world["system_admin"])
    walk = Walk(browser, house, "system_admin")
    walk.as_(client)
    paths = [path for path in configuration() if client.get(path).status_code == 200]  # others are the code's own, or another's
    assert len(paths) > 20
    for path in paths:
        walk.look(path, slug(path), kind=path)
        walk.wrong += [f"{path}: in English: {words}" for words in ENGLISH.findall(walk.page.locator("body").inner_text())]
    walk.person.close()
    assert not walk.wrong, "\n\n".join(walk.wrong)


LEAST_TITLE = """() => Math.min(...[...document.querySelectorAll('.case-rows .case-row-title')].map(e =>
  e.scrollWidth > e.clientWidth ? e.clientWidth : 999))"""
# What runs over its neighbour on the left.
OVER_ANOTHER = """() => [...document.querySelectorAll('.case-rows .case-row')].flatMap(row => {
  const left = row.querySelector('.case-row-left').getBoundingClientRect()
  return [...row.querySelectorAll('.case-row-cell, .case-row-title')].filter(e => {
    const box = e.getBoundingClientRect()
    return box.width > 1 && box.right > left.left + 1 && box.bottom > left.top + 1 && box.top < left.bottom - 1
  }).map(e => `${e.innerText} lies under ${row.querySelector('.case-row-left').innerText}`)
})"""


@pytest.mark.parametrize("path", ["/cases/", "/dispatching/"])
def test_rows_with_as_many_columns_as_one_may_add(house: House, browser: Browser, path: str) -> None:
    """In large letters too: what stands in a cell is shortened, not what stands beside it."""
    spec = next(spec for spec in lists.all_lists() if reverse(spec.url) == path)
    codes = [column.code for column in cols.offered(house.world["dispatcher"])][: cols.MOST]
    ListSetting.objects.create(user=house.world["dispatcher"], list_code=spec.code, columns=codes)
    walk = Walk(browser, house, "dispatcher")
    walk.as_(sign_in(Client(), house.world["dispatcher"]))
    for large in (False, True):
        for size in (WIDE, NARROW):
            walk.resize(size)
            walk.person.goto(path)
            if large:
                walk.page.evaluate("document.documentElement.dataset.text = '125'")
            walk.judge(f"{slug(path)}-columns{'-large' * large}", violations(walk.page, only=OF_WIDTH))
            walk.wrong += [f"{path} {size}: {what}" for what in walk.page.evaluate(OVER_ANOTHER)]
            walk.wrong += [f"{path} {size}: a title has {room} px"] if (room := walk.page.evaluate(LEAST_TITLE)) < 80 else []
    ListSetting.objects.all().delete()
    walk.person.close()
    assert not walk.wrong, "\n\n".join(walk.wrong)
