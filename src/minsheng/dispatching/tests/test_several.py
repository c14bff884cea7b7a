"""Several cases at once: a preview that does nothing, each by itself, once, and a result for each."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client

from minsheng.accounts.testing import sign_in
from minsheng.cases.models import Case
from minsheng.cases.tests.world import World, fresh

DISPATCH, URGE = "/cases/bulk/dispatch/", "/cases/bulk/urge/"


@pytest.fixture(autouse=True)
def fresh_counts() -> None:
    cache.clear()


def posted(*cases: Case, choice: Any = "", **more: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"n": [case.number for case in cases], "submission": str(uuid4())}
    for case in cases:
        values |= {f"do-{case.number}": "1", f"version-{case.number}": case.version, f"choice-{case.number}": choice}
    return values | more


def test_the_preview_proposes_and_does_nothing(client: Client, world: World) -> None:
    plain, secret, gone = world.accepted(), world.accepted(confidential=True), world.dispatched()
    dispatcher = sign_in(client, world["dispatcher"])
    shown = dispatcher.get(DISPATCH, {"n": [plain.number, secret.number, gone.number, "FZ1"]}).text
    lead = world.units["仓山城管"]
    assert f'<option value="{lead.pk}">{lead.name}</option>' in shown and "协办：福州市生态环境局" in shown
    assert shown.count("<select") == 1
    assert "保密件须先核对" in shown and "不能再批转" in shown and "批转 1 件" in shown
    assert fresh(plain).state == "to_dispatch"


def test_each_is_done_by_itself_and_once(client: Client, world: World) -> None:
    first, second, moved = world.accepted(), world.accepted(), world.accepted()
    dispatcher = sign_in(client, world["dispatcher"])
    form = posted(first, second, moved, choice=world.units["仓山城管"].pk)
    form[f"version-{moved.number}"] = 1  # somebody wrote since
    for _ in range(2):
        told = dispatcher.post(DISPATCH, form).text
        assert "完成 2 件（共 3 件" in told and "已有新的变化" in told
    for case in (first, second):
        assert fresh(case).state == "in_handling"
        assert {task.unit.short_name for task in case.tasks.select_related("unit")} == {"仓山城管", "生态环境"}
    assert fresh(moved).state == "to_dispatch"
    assert world.lead(fresh(first)).unit == world.units["仓山城管"]


def test_what_was_unticked_or_not_proposed_is_left(client: Client, world: World) -> None:
    kept, other, secret = world.accepted(), world.accepted(), world.accepted(confidential=True)
    form = posted(kept, other, secret, choice=world.units["水务"].pk)
    del form[f"do-{kept.number}"]
    told = sign_in(client, world["dispatcher"]).post(DISPATCH, form).text
    assert "推荐的承办单位已有变化" in told and "请单独批转" in told
    assert {fresh(case).state for case in (kept, other, secret)} == {"to_dispatch"}


def test_urging_needs_a_reason_and_a_right(client: Client, world: World) -> None:
    cases = [world.dispatched(), world.dispatched()]
    supervisor = sign_in(client, world["supervisor"])
    wrong = supervisor.post(URGE, posted(*cases))
    assert wrong.status_code == 422 and "请写明理由" in wrong.text
    assert "完成 2 件" in supervisor.post(URGE, posted(*cases, reason="已近期限，请抓紧办理。")).text
    for case in cases:
        assert case.timeline.latest("seq").code == "urge"
    liaison = sign_in(Client(), world["城管联络"])
    for url in (URGE, DISPATCH):
        assert liaison.get(url, {"n": cases[0].number}).status_code == 403
    assert supervisor.get(DISPATCH, {"n": cases[0].number}).status_code == 403
    assert supervisor.get("/cases/bulk/reject/", {"n": cases[0].number}).status_code == 404
    assert supervisor.get(URGE).status_code == 422
    assert supervisor.get(URGE, {"n": [f"FZ{n}" for n in range(21)]}).status_code == 422


def test_where_it_leads_back_to_is_one_of_our_pages(client: Client, world: World) -> None:
    case = world.dispatched()
    supervisor = sign_in(client, world["supervisor"])
    for back, expected in (("/desk/overview/?tab=all", "/desk/overview/?tab=all"), ("//evil.example/", "/desk/"), ("javascript:x", "/desk/")):
        assert f'href="{expected}" data-key="b"' in supervisor.get(URGE, {"n": case.number, "back": back}).text


# --- a unit's own tasks --------------------------------------------------------------------------------------------

HAND_DOWN = "/cases/bulk/sub_dispatch/"


def test_a_unit_hands_several_tasks_down_each_by_itself_and_once(client: Client, world: World) -> None:
    first, second, unread, foreign = world.handling(), world.handling(), world.dispatched(), world.handling("水务")
    liaison = sign_in(client, world["城管联络"])
    shown = liaison.get(HAND_DOWN, {"n": [first.number, second.number, unread.number]}).text
    street, squad = world.units["建新镇"], world.units["建新中队"]
    assert shown.count("<select") == 2 and shown.index(f'value="{street.pk}"') < shown.index(f'value="{squad.pk}"'), "属地 first"
    assert "转办下级 2 件" in shown, "what is unread is read first"
    form = posted(first, second, foreign, choice=squad.pk)
    form[f"choice-{foreign.number}"] = world.units["鼓楼城管"].pk
    for _ in range(2):
        told = liaison.post(HAND_DOWN, form).text
        assert "完成 2 件（共 3 件" in told and "鼓楼区城市管理局" in told
    for case in (first, second):
        assert [task.unit.short_name for task in case.tasks.filter(role="sub").select_related("unit")] == ["建新中队"]
    assert not foreign.tasks.filter(role="sub").exists()


def test_who_has_no_task_there_hands_nothing_down(client: Client, world: World) -> None:
    case = world.handling()
    above = sign_in(client, world["区政府联络"])  # sees what its bureau works on
    assert "没有在办的任务" in above.get(HAND_DOWN, {"n": [case.number]}).text
    above.post(HAND_DOWN, posted(case, choice=world.units["建新中队"].pk))
    assert not case.tasks.filter(role="sub").exists()


def test_the_lists_offer_what_their_people_may(client: Client, world: World) -> None:
    world.handling()
    desk = sign_in(client, world["城管联络"])
    assert HAND_DOWN in desk.get("/cases/handling/?tab=work").text
    assert HAND_DOWN not in desk.get("/cases/handling/?tab=new").text
    assert URGE in sign_in(Client(), world["agent"]).get("/cases/").text
    assert URGE not in sign_in(Client(), world["analyst"]).get("/cases/").text
