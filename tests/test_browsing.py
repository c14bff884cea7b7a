"""What the walks in a browser hear: a script or picture that is not there is always wrong, a refusal only where nobody provoked it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Route

from minsheng.platform.browsing import Person

pytestmark = [pytest.mark.browser, pytest.mark.slow]
BASE = "http://walk.test"
PAGES = {
    "/": (200, "<title>a</title><img src=/gone.png><script src=/gone.js></script>"),
    "/loud/": (200, "<title>a</title><script>console.error('wrong')</script>"),
    "/asks/": (200, "<title>a</title><script>fetch('/refused/').then(() => { document.title = 'b' })</script>"),
    "/refused/": (422, "<title>a</title>"),
}


def answer(route: Route) -> None:
    status, body = PAGES.get(route.request.url.removeprefix(BASE), (404, "<title>a</title>"))
    route.fulfill(status=status, content_type="text/html", body=body)


@pytest.fixture
def person(browser: Browser) -> Any:
    person = Person(browser, BASE)
    person.context.route("**/*", answer)
    yield person
    person.close()


def test_a_missing_script_or_picture_is_wrong_even_where_a_refusal_is_provoked(person: Person) -> None:
    with person.provoking(404):
        person.goto("/")
        person.goto("/nowhere/")
    assert sorted(person.errors) == [f"404 image {BASE}/gone.png", f"404 script {BASE}/gone.js"]


def test_a_refusal_is_wrong_unless_the_walk_provoked_it(person: Person) -> None:
    with person.provoking(422):
        person.goto("/refused/")
        person.goto("/asks/")
        person.page.wait_for_function("document.title === 'b'")
    assert person.errors == []
    person.goto("/refused/")
    person.goto("/nowhere/")
    assert person.errors == [f"422 document {BASE}/refused/", f"404 document {BASE}/nowhere/"]


def test_what_the_console_says_is_kept(person: Person) -> None:
    person.goto("/loud/")
    assert person.errors == ["console: wrong"]
