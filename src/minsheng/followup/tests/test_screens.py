"""Whom to ring next and why now; the forms of a call, of second handling and of closing; by role, with query baselines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from minsheng.accounts.testing import sign_in
from minsheng.cases import actions
from minsheng.cases.choices import CaseState
from minsheng.cases.models import Case
from minsheng.cases.tests.world import World, fresh
from minsheng.followup.actions import rate_case, record_follow_up
from minsheng.followup.queries import waiting
from minsheng.worktime.moments import local

DESK = "/followup/"


@pytest.fixture(autouse=True)
def now(world: World) -> None:
    """Screens tell the time themselves: what the world does lies behind them."""
    world.now = timezone.now() - timedelta(days=1)
    cache.clear()


def client(world: World, who: str = "follow_up") -> Client:
    return sign_in(Client(), world[who])


def page(world: World, path: str, who: str = "follow_up", **query: Any) -> str:
    answer = client(world, who).get(path, query)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return str(answer.content.decode())


def act(case: Case, code: str) -> str:
    return reverse("cases:act", args=[fresh(case).number, code])


def post(world: World, case: Case, code: str, data: dict[str, Any], who: str = "follow_up") -> Any:
    stamp = {"version": fresh(case).version, "submission": str(uuid4())}
    return client(world, who).post(act(case, code), stamp | data, headers={"HX-Request": "true"})


def miss(world: World, case: Case, hours_ago: float) -> None:
    at = timezone.now() - timedelta(hours=hours_ago)
    record_follow_up(actor=world["follow_up"], at=at, case=case, reached=False)


# --- the desk ----------------------------------------------------------------------------------------------------


def test_who_is_rung_next_and_why_now(world: World) -> None:
    plain, later, again, asked, judge = (world.audited() for _ in range(5))
    miss(world, later, 1)
    miss(world, again, 4)
    actions.supplement_case(actor=world["agent"], at=timezone.now(), case=asked, channel="phone", text="还没人来")
    rate_case(at=timezone.now(), case=judge, satisfaction="unsatisfied", solved="no")
    assert list(waiting(world["follow_up"], at=timezone.now())) == [judge, asked, plain, again, later]
    shown = page(world, DESK)
    free = local(fresh(later).follow_ups.get().at + timedelta(hours=2))
    for words in ("不满意，待研判", "诉求人又有来件", "第 2 次，可以再拨", f"第 2 次，{free:%H:%M} 后再拨", "等了 "):
        assert words in shown


def test_what_one_dispatched_oneself_is_marked_and_has_no_button(world: World) -> None:
    both = world["follow_up"]
    both.roles = ["dispatcher", "follow_up"]
    both.save()
    world.people["dispatcher"] = both
    case = world.audited()
    shown = page(world, DESK, open=case.number)
    assert "本人批转，须他人回访" in shown and act(case, "follow_up") not in shown
    assert client(world).get(act(case, "follow_up")).status_code == 403
    assert act(case, "follow_up") in page(world, DESK, "follow_up2", open=case.number)


def test_the_desk_is_for_follow_up_and_its_leaders(world: World) -> None:
    case = world.audited()
    for who in ("follow_up", "team_leader", "hotline_leader"):
        assert case.number and case.number in page(world, DESK, who)
    for who in ("agent", "dispatcher", "auditor", "analyst", "城管联络", "security_admin"):
        assert client(world, who).get(DESK).status_code == 403
    assert client(world).get("/desk/").headers["Location"] == DESK


def test_a_case_that_left_gives_way_to_the_next(world: World) -> None:
    gone, left = world.replied(), world.audited()
    assert f'data-open="{left.number}"' in page(world, DESK, open=gone.number)
    assert "没有等待回访的诉求件" not in page(world, DESK, open="x" * 300)


def queries_of(world: World, path: str) -> int:
    someone = client(world)
    someone.get(path)
    cache.clear()
    with CaptureQueriesContext(connection) as counted:
        assert someone.get(path).status_code == 200
    return len(counted)


def test_twenty_rows_cost_no_more_than_two(world: World) -> None:
    for _ in range(2):
        miss(world, world.audited(), 3)
    few = queries_of(world, DESK)
    for _ in range(12):
        world.audited()
    assert queries_of(world, DESK) == few == 6
    assert queries_of(world, f"{DESK}?open={world.audited().number}") == 23


# --- a call ------------------------------------------------------------------------------------------------------


def test_a_call_is_recorded_in_the_order_of_the_script(world: World) -> None:
    case = world.audited()
    drawer = page(world, act(case, "follow_up"))
    order = ["您好，这里是福州 12345", "接通了吗", "联系过您吗", "属实吗", "解决了吗", "满意吗", "诉求人的意见"]
    places = [drawer.index(words) for words in order]
    assert places == sorted(places) and "不再回访" not in drawer
    missing = post(world, case, "follow_up", {"result": "reached"}).content.decode()
    assert "请记下是否解决" in missing and "请记下是否满意" in missing
    given = {"result": "reached", "contacted": "yes", "truthful": "no", "solved": "no", "satisfaction": "unsatisfied"}
    assert post(world, case, "follow_up", given | {"comment": "没人来过"}).status_code == 204
    heard = case.follow_ups.get()
    assert (heard.contacted, heard.truthful, heard.comment) == (True, False, "没人来过")
    shown = page(world, DESK, open=case.number)
    assert "首次评价" in shown and "没人来过" in shown and act(case, "second_handling") in shown


def test_giving_up_is_offered_with_the_last_try_only(world: World) -> None:
    case = world.audited()
    miss(world, case, 6)
    assert "不再回访" not in page(world, act(case, "follow_up"))
    assert post(world, case, "follow_up", {"result": "give_up"}).status_code == 422
    miss(world, case, 3)
    assert "不再回访" in page(world, act(case, "follow_up"))
    assert post(world, case, "follow_up", {"result": "give_up", "comment": "关机"}).status_code == 204
    assert (fresh(case).state, fresh(case).final_satisfaction) == (CaseState.CLOSED, "")


def test_giving_up_is_not_offered_where_a_rating_waits(world: World) -> None:
    case = world.audited()
    rate_case(at=timezone.now() - timedelta(hours=10), case=case, satisfaction="unsatisfied", solved="no")
    miss(world, case, 6)
    miss(world, case, 3)
    drawer = page(world, act(case, "follow_up"))
    assert "不再回访" not in drawer and "自评" in drawer


def test_a_try_too_soon_says_when(world: World) -> None:
    case = world.audited()
    miss(world, case, 1)
    answer = post(world, case, "follow_up", {"result": "missed"})
    assert answer.status_code == 409 and "之后再拨才算一次" in answer.content.decode()


# --- what follows a bad verdict ----------------------------------------------------------------------------------


def bad(world: World) -> Case:
    case = world.audited()
    rate_case(at=timezone.now(), case=case, satisfaction="unsatisfied", solved="no", comment="电话 13800138000 打给我")
    return fresh(case)


def test_second_handling_proposes_the_higher_unit_and_says_by_when(world: World) -> None:
    case = bad(world)
    drawer = page(world, act(case, "second_handling"))
    assert f'value="{world.units["仓山区政府"].pk}" selected' in drawer and "24:00 前办结" in drawer
    unit = world.units["仓山区政府"].pk
    assert "请填写" in post(world, case, "second_handling", {"unit": unit}).content.decode()
    answer = post(world, case, "second_handling", {"unit": world.units["建新镇"].pk, "reason": "没办好"})
    assert answer.status_code == 422 and "仓山区人民政府" in answer.content.decode()
    assert post(world, case, "second_handling", {"unit": unit, "reason": "没办好"}).status_code == 204
    assert fresh(case).round == 2


def test_closing_on_a_bad_verdict_needs_a_reason_and_keeps_it(world: World) -> None:
    case = bad(world)
    assert post(world, case, "close_after_rating", {}).status_code == 422
    assert post(world, case, "close_after_rating", {"reason": "已依法处理到位"}).status_code == 204
    shown = page(world, reverse("cases:page", args=[case.number]))
    assert "首次评价" in shown and "最终评价" in shown and "诉求人自评" in shown


def test_those_who_see_no_persons_read_the_comment_redacted(world: World) -> None:
    path = reverse("cases:page", args=[bad(world).number])
    assert "13800138000" in page(world, path)
    assert "13800138000" not in page(world, path, "analyst")


def test_the_rating_set_aside_stays_in_sight(world: World) -> None:
    case = bad(world)
    task = world.lead(case)
    at = timezone.now()
    actions.request_set_aside(actor=world["城管联络"], at=at, task=task, reason="索赔百万", basis="条例")
    actions.decide_set_aside(actor=world["auditor"], at=at, task=task, grant=True, note="超出法定范围")
    shown = page(world, DESK, open=case.number)
    assert "不合理诉求，原评价保留" in shown and "不满意" in shown
    assert act(case, "second_handling") not in shown and act(case, "close_after_rating") in shown
