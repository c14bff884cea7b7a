"""Every desk and every action's form as its people meet them, at a desk's screen and at a phone's: axe clean, no error, nothing cut off.

The city is the one that secrecy is tested in: it has a case in every hand. Pictures of all stand under artefacts/screens afterwards.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from playwright.sync_api import Browser

from minsheng.accounts.models import User
from minsheng.accounts.testing import sign_in
from minsheng.platform.browsing import Person

from .secrecy_city import City, build_city

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIZES = ((1366, 768), (375, 740))
# Everybody whose work is on a screen, with a case that they may open.
PEOPLE = {
    "agent": "ordinary",
    "team_leader": "waiting",
    "dispatcher": "waiting",
    "auditor": "enterprise",
    "follow_up": "ordinary",
    "supervisor": "report",
    "hotline_leader": "report",
    "inspector": "report",
    "quality": "ordinary",
    "knowledge": "ordinary",
    "analyst": "ordinary",
    "城管联络": "anonymous",
    "城管领导": "enterprise",
    "system_admin": "",
    "security_admin": "",
    "audit_admin": "",
}
# Lists that stand behind no button of the rail.
BEHIND = {
    "城管联络": "/cases/handling/?tab=asks",
    "dispatcher": "/cases/found/?q=漏水",
    "quality": "/publishing/?tab=published",
    "team_leader": "/publishing/?tab=review",
}
_shown: set[str] = set()  # a form looks the same to all who may open it: one look is enough


@pytest.fixture
def city(transactional_db: None, tmp_path: Any, settings: Any) -> City:
    settings.MEDIA_ROOT = tmp_path
    with transaction.atomic():  # one transaction: what was sent is looked for behind its own horizon
        return build_city()


def arrive(browser: Browser, base: str, name: str, user: User) -> Person:
    """Signed in; how somebody signs in is walked elsewhere (tests/test_walk.py)."""
    person = Person(browser, base, name=name)
    cookie = sign_in(Client(), user).cookies[settings.SESSION_COOKIE_NAME].value
    person.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": base}])
    return person


class Walk:
    """One person's looks; what is wrong is gathered, so that one walk tells all."""

    def __init__(self, person: Person) -> None:
        self.person, self.wrong = person, list[str]()

    def look(self, path: str, title: str) -> None:
        """One address at both sizes."""
        for width, height in SIZES:
            self.person.page.set_viewport_size({"width": width, "height": height})
            self.person.width = width
            self.person.goto(path)
            try:
                self.person.check_page(title)
            except AssertionError as error:
                self.wrong.append(str(error))
                self.person.errors.clear()


def slug(path: str) -> str:
    return re.sub("[^a-z0-9]+", "-", path.lower()).strip("-") or "home"


@pytest.mark.parametrize("who", PEOPLE)
def test_desks_of(city: City, browser: Browser, live_server: Any, who: str) -> None:
    person = arrive(browser, live_server.url, f"{city.people[who].roles[0]}", city.people[who])
    person.goto("/desk/")
    desks = person.page.eval_on_selector_all(".rail a[href]", "links => links.map(a => a.getAttribute('href'))")
    assert desks, "nobody is left without a desk"
    walk = Walk(person)
    for path in dict.fromkeys([*desks, *([BEHIND[who]] if who in BEHIND else [])]):
        walk.look(path, f"desk-{slug(path)}")
        row = person.page.locator("[data-row] a").first
        if row.count():
            walk.look(row.get_attribute("href") or "", f"desk-{slug(path)}-open")
    if PEOPLE[who]:
        walk.look(f"/cases/{city.number(PEOPLE[who])}/", "case")
        forms(walk, city)
    person.close()
    assert not walk.wrong, "\n\n".join(walk.wrong)


def forms(walk: Walk, city: City) -> None:
    """Each action's form that no walk before has seen, beside the first case that offers it."""
    person = walk.person
    for label in (*PEOPLE.values(), "turned"):
        if not label:
            continue
        with person.provoking(404):  # some are not theirs to see, and offer nothing
            person.goto(f"/cases/{city.number(label)}/")
        for path in person.page.eval_on_selector_all("[data-actions] a[href]", "links => links.map(a => a.getAttribute('href'))"):
            code = path.strip("/").split("/")[2]
            if "/cases/" in path and code not in _shown:
                _shown.add(code)
                walk.look(path, f"form-{slug(code)}")
