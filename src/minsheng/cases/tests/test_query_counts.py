"""What every staff screen asks of the database: an exact number, the same for five rows as for fifty.

BASELINE is the one list of them. An address of the staff's side, or a form of an action, that has no number here fails the
test, so no screen comes into the product unmeasured. A number that changed is a finding: lower it with pleasure, raise it only
with a reason in the commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, path, reverse
from django.urls.resolvers import RoutePattern
from django.utils import timezone

from minsheng.accounts import middleware
from minsheng.accounts.testing import sign_in
from minsheng.cases import actions, panels, searching
from minsheng.cases.actions import visiting
from minsheng.cases.models import Attachment, Case, DeskVisit, RefusalGround, ReplyTemplate
from minsheng.cases.tests.crowd import enlarge, multiply
from minsheng.cases.tests.stages import STAGES
from minsheng.cases.tests.world import World, fresh
from minsheng.cases.views.intake import FILED
from minsheng.worktime.moments import last_day_before


@pytest.fixture(autouse=True)
def no_search_is_common(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is found a thousand times a search asks also where the newest days begin; fifty rows of every stage are that many."""
    monkeypatch.setattr(searching, "MOST_COUNTED", 100_000)


@pytest.fixture(autouse=True)
def nothing_falls_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written down once in a while by the clock (that somebody is there) is no screen's own, however long the machine stood still."""
    monkeypatch.setattr(middleware, "_GRAIN_SECONDS", 10**6)
    monkeypatch.setattr(visiting, "_STEP", timedelta(days=10))


FEW, MANY = 5, 50

# The citizen's side, other systems' and the administration's have tests of their own; `None` are sign-in and health.
OTHERS = {None, "portal", "api", "admin"}
# Answered to a POST only: nothing to look at.
POST_ONLY = {
    "cases:discard",
    "cases:caller",
    "cases:caller_name",
    "cases:phrase_remove",
    "cases:find",
    "cases:streets",
    "cases:reissue",
    "cases:remove_template",
    "cases:reply_hints",
    "cases:reveal",
    "console:drop_draft",
    "console:export_cancel",
    "console:list_columns",
    "console:retry",
    "console:role",
    "console:unlock",
    "console:verify",
    "console:view_change",
    "console:view_save",
    "console:withdraw",
    "outbox:resend",
    "publishing:act",
    "outbox:resend_all",
    "outbox:rotate",
    "outbox:switch",
    "outbox:test",
    "outbox:test_letter",
}
# The administrators see no cases: what their desks cost is measured with rows of their own, in console/tests/test_administrators.py
# and outbox/tests/test_screens.py.
ADMINISTRATORS = {"console:records", "console:seals", "console:security", "console:system", "console:verification"} | {
    "outbox:endpoint", "outbox:endpoint_new", "outbox:endpoints"
}  # fmt: skip
# A spreadsheet is its asker's only: console/tests/test_exports.py makes one and measures these.
MEASURED_THERE = {"console:export_file", "console:export_progress"}
# Each shows fifty rows in the end, so that the numbers are those of full pages.
LISTS = {"publishing:desk", "console:overview", "cases:list", "cases:intake", "dispatching:desk", "cases:handling", "cases:audits", "followup:desk"}
IN_DEVELOPMENT_ONLY = {"console:gallery", "console:gallery_page"}


@dataclass(frozen=True)
class Screen:
    """One address as one person opens it; `of` names the stage of the case that it shows (see stages.py)."""

    name: str
    who: str
    queries: int
    of: str = ""
    query: str = ""  # with {number}, {task}, {pk} and {day} of that case
    code: str = ""  # the action, where the address is a form's

    def __str__(self) -> str:
        return " ".join(part for part in (self.name, self.code, self.query, self.of, self.who) if part)


def _form(code: str, of: str, who: str, queries: int) -> Screen:
    """The form of an action, in the drawer beside its case."""
    return Screen("cases:act", who, queries, of=of, query="task={task}", code=code)


# fmt: off
BASELINE: tuple[Screen, ...] = (
    # --- the shell ---
    Screen("console:home", "agent", 2),
    Screen("console:rail", "dispatcher", 4),
    Screen("console:drafts", "agent", 3, query="form=intake"),
    Screen("cases:since", "城管联络", 10, of="large", query="version=0"),
    Screen("console:rail", "hotline_leader", 7),
    Screen("console:overview", "supervisor", 8),
    Screen("console:overview", "supervisor", 8, query="tab=all"),
    Screen("console:overview", "supervisor", 24, of="late", query="open={number}"),
    Screen("console:day", "hotline_leader", 13),
    Screen("console:views", "dispatcher", 6),
    Screen("console:exports", "dispatcher", 5),
    Screen("console:notices", "城管联络", 11),
    Screen("console:bell", "城管联络", 6),
    Screen("console:bell", "agent", 5),
    Screen("console:export_new", "dispatcher", 7),
    # --- every case ---
    Screen("cases:list", "dispatcher", 8),
    Screen("cases:list", "agent", 7),
    Screen("cases:list", "analyst", 6, query="q=工地"),
    Screen("cases:list", "城管联络", 9),
    Screen("cases:list", "区政府领导", 9, query="state=in_handling"),
    Screen("cases:list", "dispatcher", 26, of="large", query="open={number}"),
    Screen("cases:page", "dispatcher", 22, of="large"),
    Screen("cases:page", "analyst", 18, of="large"),
    Screen("cases:page", "城管联络", 23, of="large"),
    Screen("cases:page", "区政府联络", 23, of="large"),
    Screen("cases:page", "agent", 14, of="to_accept"),
    Screen("cases:file", "dispatcher", 5, of="large"),
    Screen("cases:map", "dispatcher", 10),
    Screen("cases:map", "analyst", 8, query="state=in_handling"),
    Screen("cases:map", "城管联络", 11),
    Screen("cases:map_points", "dispatcher", 3),
    Screen("cases:map_points", "城管联络", 4, query="light=red"),
    Screen("cases:map_points", "dispatcher", 7, query="around"),
    Screen("cases:map_rows", "dispatcher", 4, of="large", query="n={number}"),
    Screen("places:counties", "agent", 3),
    Screen("cases:found", "dispatcher", 11, query="q=打桩"),
    Screen("cases:found", "dispatcher", 11, query="q=打桩&kind=complaint&sort=due"),
    Screen("cases:found", "analyst", 9, query="q=打桩"),
    Screen("cases:found", "城管联络", 12, query="q=打桩 工地"),
    Screen("cases:found", "dispatcher", 10, query="q=FZ2026"),
    # --- intake ---
    Screen("cases:intake", "agent", 9),
    Screen("cases:intake", "agent", 8, query="tab=drafts"),
    Screen("cases:intake", "agent", 20, of="to_accept", query="open={number}"),
    Screen("cases:new", "agent", 5),
    Screen("cases:new", "agent", 9, of="draft", query="draft={case}"),
    Screen("cases:filed", "agent", 5, of="to_accept"),
    Screen("cases:topic_details", "agent", 3, query="topic={topic}"),
    Screen("cases:topic_tree", "agent", 3),
    Screen("cases:rows", "agent", 4, query="topics"),
    Screen("cases:rows", "agent", 4, query="places"),
    Screen("cases:rows", "agent", 4, query="units"),
    Screen("cases:rows", "agent", 4, query="every-topic"),
    Screen("cases:phrases", "team_leader", 7),
    Screen("cases:bulk", "dispatcher", 14, of="to_dispatch", query="n={number}", code="dispatch"),
    Screen("cases:bulk", "supervisor", 7, of="late", query="n={number}", code="urge"),
    Screen("cases:bulk", "城管联络", 16, of="handling", query="n={number}", code="sub_dispatch"),
    Screen("cases:ground", "agent", 3, query="ground={ground}"),
    # --- dispatch ---
    Screen("dispatching:desk", "dispatcher", 8),
    Screen("dispatching:desk", "dispatcher", 8, query="tab=study"),
    Screen("dispatching:desk", "dispatcher", 25, of="to_dispatch", query="open={number}"),
    Screen("dispatching:peek", "dispatcher", 4, of="to_accept", query="number={number}"),
    # --- units ---
    Screen("cases:handling", "城管联络", 18, query="tab=new"),
    Screen("cases:handling", "城管联络", 18, query="tab=work"),
    Screen("cases:handling", "城管联络", 19, query="tab=back"),
    Screen("cases:handling", "城管联络", 18, query="tab=asks"),
    Screen("cases:handling", "城管领导", 18, query="tab=sign"),
    Screen("cases:handling", "城管联络", 18, query="tab=below"),
    Screen("cases:handling", "区政府联络", 17, query="tab=below"),
    Screen("cases:handling", "城管联络", 18, of="handling", query="day={day}"),
    Screen("cases:handling", "城管联络", 34, of="unread", query="tab=new&open={number}"),
    Screen("cases:handling", "城管领导", 36, of="to_sign", query="tab=sign&open={number}"),
    Screen("cases:templates", "城管联络", 8),
    Screen("cases:new_template", "城管联络", 6),
    Screen("cases:template", "城管联络", 9),
    # --- paper ---
    Screen("cases:papers", "城管联络", 23, of="large"),
    Screen("cases:paper", "城管联络", 24, of="large"),
    # --- audit ---
    Screen("cases:audits", "auditor", 8, query="tab=replies"),
    Screen("cases:audits", "auditor", 7, query="tab=asks"),
    Screen("cases:audits", "auditor", 7, query="tab=asks&ask=return"),
    Screen("cases:audits", "hotline_leader", 11),
    Screen("cases:audits", "auditor", 26, of="to_audit", query="tab=replies&open={number}"),
    Screen("cases:audits", "auditor", 24, of="ask_return", query="tab=asks&open={number}"),
    # --- follow-up ---
    Screen("followup:desk", "follow_up", 6),
    Screen("followup:desk", "follow_up", 23, of="to_judge", query="open={number}"),
    Screen("followup:desk", "follow_up", 23, of="rated_since", query="open={number}"),
    # --- publishing ---
    Screen("publishing:desk", "quality", 8),
    Screen("publishing:desk", "team_leader", 9, query="tab=review"),
    Screen("publishing:desk", "team_leader", 10, query="tab=published"),
    Screen("publishing:desk", "quality", 12, of="closed", query="open={number}"),
    # --- what was sent ---
    Screen("outbox:log", "team_leader", 7),
    Screen("outbox:log", "城管联络", 6),
    Screen("outbox:log", "城管联络", 6, query="state=dead"),
    Screen("outbox:settings", "城管联络", 8),
    # --- forms: intake and endings ---
    _form("accept", "to_accept", "agent", 6),
    _form("correct", "to_accept", "agent", 6),
    _form("answer", "to_accept", "agent", 4),
    _form("reject", "to_accept", "agent", 5),
    _form("transfer", "to_accept", "agent", 5),
    _form("mark_invalid", "to_accept", "agent", 5),
    _form("withdraw", "to_accept", "agent", 4),
    _form("supplement", "to_accept", "agent", 4),
    _form("make_confidential", "to_accept", "agent", 4),
    _form("lift_confidentiality", "secret", "hotline_leader", 4),
    _form("urge", "handling", "team_leader", 7),
    # --- forms: dispatch ---
    _form("dispatch", "to_dispatch", "dispatcher", 12),
    _form("send_to_study", "to_dispatch", "dispatcher", 4),
    _form("conclude_study", "in_study", "dispatcher", 10),
    _form("split", "to_dispatch", "dispatcher", 8),
    _form("merge", "to_dispatch", "dispatcher", 6),
    _form("recall", "handling", "dispatcher", 7),
    _form("add_assisting", "handling", "dispatcher", 9),
    _form("reopen", "closed", "team_leader", 7),
    # --- forms: units ---
    _form("read", "unread", "城管联络", 8),
    _form("reach_out", "handling", "城管联络", 8),
    _form("take_first_measures", "urgent", "城管联络", 8),
    _form("sub_dispatch", "handling", "城管联络", 12),
    _form("request_return", "handling", "城管联络", 9),
    _form("return_to_parent", "below", "中队联络", 8),
    _form("request_extension", "handling", "城管联络", 9),
    _form("request_pause", "handling", "城管联络", 9),
    _form("resume", "paused", "城管联络", 8),
    _form("request_termination", "handling", "城管联络", 9),
    _form("request_set_aside", "to_judge", "城管联络", 8),
    _form("report", "below", "中队联络", 8),
    _form("send_report_back", "reported", "城管联络", 8),
    _form("excuse_report", "unreported", "城管联络", 8),
    _form("draft_reply", "handling", "城管联络", 11),
    _form("sign_reply", "to_sign", "城管领导", 9),
    _form("decline_to_sign", "to_sign", "城管领导", 8),
    # --- forms: audit and follow-up ---
    _form("pass_reply", "to_audit", "auditor", 8),
    _form("send_back", "to_audit", "auditor", 9),
    _form("decide_return", "ask_return", "auditor", 10),
    _form("decide_extension", "ask_extension", "auditor", 9),
    _form("decide_pause", "ask_pause", "auditor", 9),
    _form("decide_termination", "ask_termination", "auditor", 9),
    _form("decide_set_aside", "ask_set_aside", "auditor", 9),
    _form("follow_up", "to_follow_up", "follow_up", 9),
    _form("second_handling", "to_judge", "follow_up", 12),
    _form("close_after_rating", "to_judge", "follow_up", 8),
    _form("keep_closed", "rated_since", "follow_up", 8),
)
# fmt: on


# --- the list is whole -------------------------------------------------------------------------------------------


def addresses(patterns: Any = None, namespace: str | None = None) -> Iterator[str]:
    """Every named address of the staff's side, walked from the product's own URLconf."""
    for each in patterns if patterns is not None else get_resolver(settings.ROOT_URLCONF).url_patterns:
        if isinstance(each, URLResolver):
            inner = each.namespace or namespace
            if inner not in OTHERS:
                yield from addresses(each.url_patterns, inner)
        elif isinstance(each, URLPattern) and namespace not in OTHERS:
            yield f"{namespace}:{each.name}"


def test_every_address_has_a_baseline() -> None:
    measured = {screen.name for screen in BASELINE}
    assert set(addresses()) - IN_DEVELOPMENT_ONLY - ADMINISTRATORS - MEASURED_THERE == measured | POST_ONLY
    assert not measured & POST_ONLY


def test_every_form_has_a_baseline() -> None:
    assert set(panels._panels) == {screen.code for screen in BASELINE if screen.code}


def test_a_desk_without_a_baseline_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk reaches rooms that do not exist yet."""
    new = URLResolver(RoutePattern("later/"), [path("desk/", test_every_address_has_a_baseline, name="desk")], namespace="later")
    monkeypatch.setattr(get_resolver(settings.ROOT_URLCONF), "url_patterns", [new])
    assert list(addresses()) == ["later:desk"]


@pytest.mark.parametrize("name", sorted(POST_ONLY))
def test_what_has_none_shows_nothing_to_look_at(world: World, name: str) -> None:
    patterns = dict(get_resolver(settings.ROOT_URLCONF).namespace_dict[name.split(":")[0]][1].reverse_dict.items())
    takes = patterns[name.split(":")[1]][0][0][1]
    given = {"number": "FZ1", "pk": 1, "job": 1, "code": "all", "key": UUID(int=1)}
    assert sign_in(Client(), world["agent"]).get(reverse(name, args=[given[each] for each in takes])).status_code == 405


# --- the numbers -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_screen_costs_its_baseline_with_five_rows_and_with_fifty(world: World) -> None:
    stages = {}
    for name, stage in STAGES.items():
        world.now = timezone.now() - timedelta(days=1)  # screens tell the time themselves, and come after all this
        stages[name] = stage(world)
    expected = {str(screen): screen.queries for screen in BASELINE}
    grow(stages, FEW - 1)
    few = measured(world, stages)
    assert few == expected
    grow(stages, MANY - FEW)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # a hundred screens are planned for these many rows
    assert measured(world, stages) == few
    lists = [screen for screen in BASELINE if screen.name in LISTS]
    assert {str(screen): looked_at(world, stages, screen)[1].count("data-row") for screen in lists} == {str(s): MANY for s in lists}


def grow(stages: dict[str, Case], times: int) -> None:
    for name, case in stages.items():
        if name == "large":
            enlarge(fresh(case), times)
        else:
            multiply(fresh(case), times)


def measured(world: World, stages: dict[str, Case]) -> dict[str, int]:
    return {str(screen): len(looked_at(world, stages, screen)[0]) for screen in BASELINE}


_warm: set[str] = set()


def looked_at(world: World, stages: dict[str, Case], screen: Screen) -> tuple[CaptureQueriesContext, str]:
    """The queries of a screen without the rail's counts in the cache, and what it shows. What a process keeps for good (its
    templates, its types of content) it has read before it is measured."""
    client, url = opened(world, stages, screen)
    headers = {"HX-Request": "true"} if screen.code else {}
    if str(screen) not in _warm:
        _warm.add(str(screen))
        client.get(url, headers=headers)
    cache.clear()
    with CaptureQueriesContext(connection) as counted:
        answer = client.get(url, headers=headers)
    wanted = 302 if screen.name == "console:home" else 200
    assert answer.status_code == wanted, f"{screen}: {answer.status_code}"
    is_text = not answer.streaming and answer["Content-Type"].startswith("text/")
    return counted, answer.content.decode() if is_text else ""


def template_of(world: World) -> ReplyTemplate:
    """The unit's own."""
    return ReplyTemplate.objects.filter(unit=world.units["仓山城管"]).first() or actions.save_template(
        actor=world["城管联络"], at=world.now, name="噪声", text="〔时间〕已劝止。", topic=world.topics["夜间施工噪声"]
    )


def opened(world: World, stages: dict[str, Case], screen: Screen) -> tuple[Client, str]:
    """The person's own browser, and the address with its case filled in."""
    client = sign_in(Client(), world[screen.who])
    case = fresh(stages[screen.of]) if screen.of else None
    takes: list[Any] = []
    of_case = ("cases:page", "cases:since", "cases:filed", "dispatching:peek", "cases:act", "cases:file", "cases:papers", "cases:paper")
    if screen.name in of_case:
        assert case is not None
        takes = [case.number]
    takes += ["all"] if screen.name == "console:export_new" else []
    if screen.name == "cases:paper":
        takes.append("sheet")
    elif screen.name == "cases:template":
        takes.append(template_of(world).pk)
    elif screen.name == "cases:handling":  # the line of what has come since asks too
        DeskVisit.objects.update_or_create(
            user=world[screen.who], defaults={"seen_at": timezone.now(), "before": timezone.now() - timedelta(days=9)}
        )
    if screen.name == "cases:act":
        takes.append(screen.code)
    elif screen.name == "cases:bulk":
        takes = [screen.code]
    elif screen.name == "cases:rows":
        takes = [screen.query]  # which list
    elif screen.name == "cases:file":
        takes.append(Attachment.objects.filter(case=case, reply=None, ask=None)[0].pk)
    elif screen.name == "cases:filed" and case is not None:
        session = client.session
        session[FILED] = case.number
        session.save()
    return client, f"{reverse(screen.name, args=takes)}?{screen.query.format(**filled(world, case, screen))}"


def filled(world: World, case: Case | None, screen: Screen) -> dict[str, Any]:
    """What a baseline's query may name."""
    values: dict[str, Any] = {"topic": world.topics["道路塌陷"].pk, "ground": RefusalGround.objects.all()[0].pk}
    if case is None:
        return values
    tasks = case.tasks.select_related("unit").order_by("id")
    mine = tasks.filter(unit=world[screen.who].unit) if world[screen.who].unit else tasks
    other = {"send_report_back": "生态环境", "excuse_report": "生态环境"}.get(screen.code)
    task = tasks.filter(unit=world.units[other]).last() if other else mine.last() or tasks.last()
    values |= {"case": case.pk, "number": case.number, "task": task.pk if task else ""}
    return values | {"day": last_day_before(task.due_at).isoformat() if task else ""}
