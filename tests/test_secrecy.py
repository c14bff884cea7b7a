"""Who sees whom: every address of the product read by everybody, and what each may uncover and find (design §6, §7).

The city is built once for the file; what a test writes is rolled back. Who may know what is written down by hand here and
nowhere derived. What stays behind in tables, logs and sessions is the matter of test_secrecy_kept.py.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import pytest
from django.http import HttpResponseBase
from django.test import Client, override_settings
from django.utils import timezone

from minsheng.accounts.testing import sign_in
from minsheng.api.tests.conftest import Remote, make_remote
from minsheng.audit.models import AuditEntry
from minsheng.cases.printing import documents
from minsheng.cases.printing.typesetting import set_pdf
from minsheng.portal.visits import LASTS, SESSION_KEY

from .secrecy_city import CONFIDENTIAL, PUBLIC, SECRETS, STAFF_EMAIL, City, build_city, leaks, secrets_kept
from .secrecy_urls import addresses, by_name

pytestmark = pytest.mark.django_db

# --- who may know what -------------------------------------------------------------------------------------------

EVERY = frozenset(SECRETS) - {"draft"}
OPEN = EVERY - CONFIDENTIAL
NONE: frozenset[str] = frozenset()
MAY_CALL = ["team_leader", "dispatcher", "dispatcher2", "auditor", "auditor2", "follow_up", "follow_up2", "supervisor"]
OF_LEAD = ["城管联络", "城管领导", "区政府联络", "区政府领导", "市府联络"]  # the unit, and those above it
REDACTED = frozenset({"analyst", "knowledge"})
INTAKE = frozenset({"agent", "agent2", "team_leader", "dispatcher", "dispatcher2"})
VISIBLE: dict[str, frozenset[str]] = {
    **dict.fromkeys([*MAY_CALL, "hotline_leader", "inspector"], EVERY),
    "agent": OPEN | {"report", "turned", "draft"},  # of confidential ones what they took themselves
    **dict.fromkeys(["agent2", "quality", *REDACTED], OPEN),
    **dict.fromkeys(OF_LEAD, frozenset({"ordinary", "anonymous", "enterprise", "turned"})),
    **dict.fromkeys(["环境联络", "环境领导"], frozenset({"report", "ordinary"})),
    **dict.fromkeys(["水务联络", "水务领导"], frozenset({"report"})),
    **dict.fromkeys(["中队联络", "中队领导"], frozenset({"ordinary"})),
}
# Who may see the person whole now: whose work may need a call, and units while their task runs.
UNCOVER: dict[str, set[str]] = {
    "report": {*MAY_CALL, "agent"},
    "waiting": {*MAY_CALL},
    "ordinary": {*MAY_CALL, "agent"},
    "anonymous": {*MAY_CALL, "agent", *OF_LEAD},
    "enterprise": {*MAY_CALL, "agent2"},
    "turned": {*MAY_CALL, "agent"},
    "merged": set(),
}
# Two people of a kind see the same: one of each is enough to read every address.
KINDS = [
    "agent", "agent2", "team_leader", "dispatcher", "auditor", "follow_up", "quality", "supervisor", "knowledge", "analyst",
    "hotline_leader", "inspector", "system_admin", "security_admin", "audit_admin",
    "城管联络", "城管领导", "区政府联络", "市府联络", "环境联络", "水务联络", "中队联络", "建新联络", "鼓楼城管联络",
]  # fmt: skip
# Who tries actions that are not theirs; being told no looks the same to all who see the case, and to all who do not.
REFUSED = frozenset({"agent", "agent2", "dispatcher", "analyst", "system_admin", "城管联络", "环境联络", "建新联络"})


def is_unit(city: City, who: str) -> bool:
    return who in city.people and bool(city.people[who].is_unit)


def may_read(city: City, who: str) -> frozenset[str]:
    """Whose own words this person reads: of confidential cases no unit any."""
    return VISIBLE.get(who, NONE) - (CONFIDENTIAL if is_unit(city, who) else NONE)


def kept_from(city: City, who: str) -> dict[str, str]:
    """Every string that no page may show to this person."""
    kept = secrets_kept(readable=may_read(city, who), redacted=who in REDACTED)
    if "turned" in VISIBLE.get(who, NONE):
        # Made confidential while a unit was at work: it goes on reading the request, with persons taken out.
        kept.pop(SECRETS["turned"].words[0], None)
    if who != "城管联络":
        kept[STAFF_EMAIL] = "a colleague's own address"
    if who not in ("audit_admin", "system_admin"):  # the audit log and the record of what was sent name cases by number only
        hidden = EVERY - VISIBLE.get(who, NONE)
        kept |= {city.number(label): f"the number of {label}" for label in hidden}
    return kept


# --- looking -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def city(kept_transaction: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("media")):
        yield build_city()


PAPERS: list[str] = []
SET: dict[tuple[str, str], bytes] = {}


@pytest.fixture(autouse=True)
def papers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A PDF's text is packed: what was given to the typesetter is read instead, and the PDF is really made, once of the same."""

    def watched(source: str, data: Mapping[str, Any]) -> bytes:
        given = json.dumps(data, ensure_ascii=False)
        PAPERS.append(given)
        kept = SET.get((source, given))
        if kept is None:
            kept = SET[source, given] = set_pdf(source, data)
        return kept

    monkeypatch.setattr(documents, "set_pdf", watched)


def shown(response: HttpResponseBase) -> str:
    """All that travels, head and body, as it is and with escapes undone."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    head = "\n".join(f"{name}: {value}" for name, value in response.items())
    if response.get("Content-Type") == "application/pdf" and body.startswith(b"%PDF"):
        body = PAPERS.pop().encode()
    text = f"{head}\n{response.cookies.output()}\n{body.decode('utf-8', 'replace')}"
    forms = {text, html.unescape(text), unquote(text), unquote(html.unescape(text))}
    if "\\u" in text:
        forms.add(re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text))
    return "\n".join(forms)


def look(client: Client, url: str, **headers: str) -> HttpResponseBase:
    """One GET; an action's form as htmx asks for it, without the whole case around it."""
    if url.startswith("/cases/FZ") and url.count("/") == 4:
        headers["HX-Request"] = "true"
    response = client.get(url, headers=headers)
    # No worker runs here, and health says so.
    assert response.status_code < 500 or url == "/health", f"{url} answered {response.status_code}"
    return response


def crawl(client: Client, city: City, urls: list[str], kept: dict[str, str], **headers: str) -> str:
    """Read everything; answers all that was shown. Errors: AssertionError with every address that shows too much."""
    openly = city.number(PUBLIC)
    seen, bad = [], {}
    for url in urls:
        text = shown(look(client, url, **headers))
        # An address asked for may be said back, in a form's target or a way to sign in.
        said = unquote(url) + (openly if url.startswith("/api/open311/") else "")
        found = leaks(text, {secret: what for secret, what in kept.items() if secret not in said})
        if found:
            bad[url] = found
        seen.append(text)
    assert not bad, "\n".join(f"{url}: {found}" for url, found in bad.items())
    return "\n".join(seen)


def assert_reads(text: str, labels: frozenset[str], *, persons: bool = True) -> None:
    """What they may know was really there: a crawl that sees nothing proves nothing."""
    for label in labels - {"draft"}:
        assert SECRETS[label].words[0] in text, f"the words of {label} were not shown"
        assert (SECRETS[label].masks[0] in text) == persons, f"the masked telephone of {label}"
        assert (str(SECRETS[label].point.longitude) in text) == persons, f"the point of {label}"


def test_every_address_has_been_thought_about(city: City) -> None:
    without = [name for name, urls in by_name(city).items() if not urls]
    assert not without, f"Who may see what at {without}? Then fill them in tests/secrecy_urls.py."


# --- everybody reads everything ----------------------------------------------------------------------------------


@pytest.mark.parametrize("who", KINDS)
def test_nobody_is_shown_more_than_they_may_know(city: City, client: Client, who: str) -> None:
    person = city.people[who]
    sign_in(client, person)
    kept, urls = kept_from(city, who), addresses(city, person, refused=who in REFUSED)
    drafts = [url for url in urls if "draft=" in url]
    seen = crawl(client, city, [url for url in urls if url not in drafts], kept)
    assert_reads(seen, may_read(city, who), persons=who not in REDACTED)
    assert all(city.number(label) in seen for label in VISIBLE.get(who, NONE) - {"draft"})
    # One's own unfinished form comes back as it was typed, and nobody else's does.
    own = secrets_kept(readable=frozenset({"draft"})) if who == "agent" else kept
    for secret in SECRETS["draft"].values if who == "agent" else ():
        own.pop(secret)
    crawl(client, city, drafts, own)
    assert client.session.get("_auth_user_id") == str(person.pk), "signed out on the way: the rest proved nothing"


def test_a_visitor_is_shown_nothing(city: City, client: Client) -> None:
    crawl(client, city, addresses(city, None), kept_from(city, "visitor"))


@pytest.mark.parametrize("label", sorted(EVERY))
def test_a_citizen_is_shown_their_own_case_only(city: City, client: Client, label: str) -> None:
    case, session = city.cases[label], client.session
    session[SESSION_KEY] = {"case": case.pk, "issue": case.query_code_issue, "until": (timezone.now() + LASTS).timestamp()}
    session.save()
    urls = [url for url in addresses(city, None) if not url.startswith(("/admin/", "/cases/", "/desk/", "/api/"))]
    kept = secrets_kept(readable=frozenset({label}))
    others = {"ordinary"} if label == "merged" else set()  # whose number they were told
    kept |= {city.number(other): f"the number of {other}" for other in EVERY - {label} - others}
    seen = crawl(client, city, urls, kept)
    assert SECRETS[label].words[0] in seen
    assert SECRETS[label].masks[0] in seen


# --- other systems -----------------------------------------------------------------------------------------------

SYSTEMS = {
    "centre": ("dispatcher", "", EVERY),
    "agents": ("agent", "", OPEN),
    "analysis": ("analyst", "", OPEN),
    "lead": ("unit_liaison", "仓山城管", VISIBLE["城管联络"]),
    "assisting": ("unit_liaison", "生态环境", VISIBLE["环境联络"]),
    "stranger": ("unit_liaison", "鼓楼城管", NONE),
}


def remote_of(city: City, code: str) -> tuple[Remote, frozenset[str]]:
    role, unit, visible = SYSTEMS[code]
    return make_remote(city.world, code, role, unit=unit), visible


@pytest.mark.parametrize("code", sorted(SYSTEMS))
def test_another_system_is_told_no_more_than_its_account(city: City, code: str) -> None:
    remote, visible = remote_of(city, code)
    readable = visible - (CONFIDENTIAL if remote.account.is_unit else NONE)
    kept = secrets_kept(readable=readable, redacted=code == "analysis")
    if "turned" in visible:
        kept.pop(SECRETS["turned"].words[0], None)
    kept |= {city.number(label): f"the number of {label}" for label in EVERY - visible}
    urls = [url for url in addresses(city, None) if url.startswith("/api/")]
    seen = crawl(remote.client, city, urls, kept, Authorization=remote.headers()["Authorization"])
    assert_reads(seen, readable, persons=code != "analysis")


# --- uncovering and finding --------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", sorted(UNCOVER))
def test_a_person_is_uncovered_to_who_needs_it_with_a_reason_on_record(city: City, client: Client, label: str) -> None:
    secrets, url = SECRETS[label], f"/cases/{city.number(label)}/reveal/"
    looks = AuditEntry.objects.filter(code="case.uncover_applicant")
    for who in [*city.people]:
        sign_in(client, city.people[who])
        before = looks.count()
        without = client.post(url, {"reason": "  "})
        assert without.status_code >= 400 and not leaks(shown(without), kept_from(city, who))
        assert looks.count() == before
        response = client.post(url, {"reason": "回拨核实"})
        if who in UNCOVER[label]:
            assert secrets.phone in shown(response), who
            entry = looks.latest("id")
            assert (entry.actor, entry.why, entry.subject_id) == (city.people[who], "回拨核实", str(city.cases[label].pk))
            assert "no-store" in response["Cache-Control"]
        else:
            assert response.status_code in (403, 404), who
            assert not leaks(shown(response), {**kept_from(city, who), **dict.fromkeys(secrets.values, "whole")})
        assert looks.count() == before + (who in UNCOVER[label])


def found_by(city: City, who: str) -> frozenset[str]:
    """Cases that a search by person may bring this person: none to who reads words without persons."""
    return NONE if who in REDACTED else may_read(city, who) - {"draft"}


@pytest.mark.parametrize("who", KINDS)
def test_a_search_by_person_finds_what_the_searcher_may_know(city: City, client: Client, who: str) -> None:
    sign_in(client, city.people[who])
    for label in sorted(EVERY):
        secrets = SECRETS[label]
        for value in (secrets.phone, secrets.name, secrets.id_number):
            text = shown(client.post("/cases/find/", {"q": value}, follow=True))
            expected = label in found_by(city, who) and not (label == "anonymous" and value != secrets.phone)
            assert (city.number(label) in text) == expected, (label, value)
            kept = {secret: what for secret, what in kept_from(city, who).items() if secret != value}
            assert not leaks(text, kept)
        card = shown(client.post("/cases/new/caller/", {"phone": secrets.phone}))
        assert (city.number(label) in card) == (who in INTAKE and label in found_by(city, who)), label


@pytest.mark.parametrize("who", ["dispatcher", "agent2", "环境联络"])
def test_a_number_or_identity_never_gets_into_an_address(city: City, client: Client, who: str) -> None:
    sign_in(client, city.people[who])
    for value in (SECRETS["report"].phone, SECRETS["report"].id_number):
        assert client.get("/cases/", {"q": value}).status_code == 422
        assert client.get("/cases/found/", {"q": value}).status_code == 422
        assert value not in client.post("/cases/find/", {"q": value}).headers["Location"]


# --- what stands around every page -------------------------------------------------------------------------------


def test_pages_of_people_are_kept_by_no_cache_and_tell_other_sites_nothing(city: City, client: Client) -> None:
    sign_in(client, city.people["agent"])
    number, draft = city.number("report"), city.cases["draft"].pk
    staff = ["/cases/", "/cases/intake/", f"/cases/{number}/", f"/cases/{number}/urge/", f"/cases/new/?draft={draft}"]
    for url in staff:
        response = client.get(url)
        assert response.status_code == 200, url
        assert "no-store" in response.get("Cache-Control", ""), url
        assert "private" in response["Cache-Control"], url
        assert_guarded(response)
    case, session = city.cases["ordinary"], client.session
    session[SESSION_KEY] = {"case": case.pk, "issue": case.query_code_issue, "until": (timezone.now() + LASTS).timestamp()}
    session.save()
    for url in ("/mine/", "/progress/"):
        response = client.get(url)
        assert "no-store" in response["Cache-Control"] and "private" in response["Cache-Control"], url
        assert_guarded(response)


def assert_guarded(response: HttpResponseBase) -> None:
    policy = response["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy and "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in re.search(r"script-src [^;]*", policy)[0]
    assert response["Referrer-Policy"] in ("same-origin", "no-referrer", "strict-origin")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
