"""A unit's day: what came since the last visit, why things came back, how asks were decided, and going from case to case."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from minsheng.accounts.testing import sign_in
from minsheng.cases import actions, desk_queries
from minsheng.cases.choices import TaskState
from minsheng.cases.models import Ask, DeskVisit, Task
from minsheng.cases.tests.stories import clock_at, screen
from minsheng.cases.tests.test_asking import ask_pause, ask_return, decide
from minsheng.cases.tests.world import World, fresh, moment
from minsheng.ui.rows import Row

pytestmark = pytest.mark.django_db
DESK = "/cases/handling/"


def desk(world: World, who: str = "城管联络", **asked: str) -> str:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return screen(world[who], f"{DESK}?{query}", at=world.now)


def press(world: World, who: str, url: str, **posted: Any) -> Any:
    """The form as the page has it, with its own version and key."""
    with clock_at(world.now):
        client = sign_in(Client(), world[who])
        page = client.get(posted.pop("page")).content.decode()
        version = page.split('name="version" value="')[1].split('"')[0]
        submission = page.split('name="submission" value="')[1].split('"')[0]
        return client.post(url, {"version": version, "submission": submission, **posted})


def test_a_visit_ends_after_an_hour_away(world: World) -> None:
    who, first = world["城管联络"], moment("2026-11-23 16:20")
    assert actions.note_visit(actor=who, at=first) is None
    assert actions.note_visit(actor=who, at=first + timedelta(minutes=40)) is None, "still the same visit"
    later = moment("2026-11-24 08:30")
    assert actions.note_visit(actor=who, at=later) == first + timedelta(minutes=40)
    assert actions.note_visit(actor=who, at=later + timedelta(minutes=30)) == first + timedelta(minutes=40)
    assert DeskVisit.objects.count() == 1


def test_the_line_says_what_came_since_and_why_things_came_back(world: World) -> None:
    world.now = moment("2026-11-23 16:20")
    sent = world.replied()
    paused = world.handling()
    ask = ask_pause(world, world.lead(paused))
    world.now = moment("2026-11-23 20:20")
    assert "以来" not in desk(world), "a first visit has no before"
    world.later(minutes=90)
    actions.send_back(actor=world["auditor"], at=world.now, case=sent, reasons=["no_process"], note="请补充。")
    decide(world, ask, grant=False)
    world.dispatched()
    actions.urge_case(actor=world["supervisor"], at=world.now, case=paused, reason="请抓紧")
    world.now = moment("2026-11-24 08:30")
    shown = desk(world)
    assert "自昨天 20:20 以来： 新到 1 、 退回 1（无办理过程） 、 挂起不同意 1 、 被催办 1 、" in shown
    assert "11-26 周四到期 3" in shown, "what ends next"
    assert "无办理过程：请补充。" in desk(world, tab="back")
    assert "不同意" in desk(world, tab="asks")
    world.later(hours=3)
    assert "没有新的变化" in desk(world) or "自今天 08:30 以来： 11-26" in desk(world)


def test_a_page_that_stands_open_is_no_visit(world: World) -> None:
    with clock_at("2026-11-24 09:00"):
        sign_in(Client(), world["城管联络"]).get(DESK)
    with clock_at("2026-11-24 18:00"):
        sign_in(Client(), world["城管联络"]).get(DESK, headers={"HX-Request": "true"})
    assert DeskVisit.objects.get().seen_at == moment("2026-11-24 09:00")


def test_reading_opens_the_next_and_only_pressing_reads(world: World) -> None:
    first, second = world.dispatched(), world.dispatched()
    page = f"{DESK}?tab=new&open={first.number}"
    shown = desk(world, tab="new", open=first.number or "")
    assert "查阅，看下一件" in shown and "1/2" in shown
    task = world.lead(first)
    assert task.state == TaskState.TO_READ, "looking is not reading"
    url = f"/cases/{first.number}/read/?task={task.pk}"
    then = f"{DESK}?tab=new&open={second.number}"
    answer = press(world, "城管联络", url, page=page, then=then)
    assert (answer.status_code, answer["Location"]) == (302, then)
    assert world.lead(first).state == TaskState.HANDLING and world.lead(second).state == TaskState.TO_READ


@pytest.mark.parametrize("then", ["https://elsewhere.example/", "//elsewhere.example/cases/", "/desk/system/", "/cases/\\elsewhere"])
def test_a_form_leads_nowhere_else(world: World, then: str) -> None:
    case = world.dispatched()
    task = world.lead(case)
    answer = press(
        world, "城管联络", f"/cases/{case.number}/read/?task={task.pk}", page=f"{DESK}?tab=new&open={case.number}", then=then
    )
    assert "elsewhere" not in answer["Location"] or answer["Location"].startswith("/cases/")
    assert not answer["Location"].startswith(("http", "//", "/desk"))


def test_the_leader_signs_beside_the_citizens_words(world: World) -> None:
    case, other = world.drafted(), world.drafted()
    shown = desk(world, "城管领导", tab="sign", open=case.number or "")
    assert "工地半夜打桩" in shown and "经现场核查，该工地已停止夜间施工" in shown and "签发，看下一件" in shown
    url = f"/cases/{case.number}/sign_reply/?task={world.lead(case).pk}"
    answer = press(world, "城管领导", url, page=f"{DESK}?tab=sign&open={case.number}", then=f"{DESK}?tab=sign&open={other.number}")
    assert answer.status_code == 302 and fresh(case).state == "to_audit"
    assert "不签发" not in desk(world, "城管联络", tab="work", open=other.number or ""), "the liaison has nothing to press"


def test_what_hinders_the_signature_is_said_instead(world: World) -> None:
    case = world.drafted("生态环境")
    shown = desk(world, "城管领导", tab="sign", open=case.number or "")
    assert "还没有报送协办结果" in shown and "签发，看下一件" not in shown


def test_whom_a_report_was_sent_back_to_reads_why(world: World) -> None:
    case = world.handling("生态环境")
    task = world.task_of(case, "生态环境")
    actions.read_task(actor=world["环境联络"], at=world.now, task=task)
    actions.report_result(actor=world["环境联络"], at=world.later(hours=1), task=task, text="已监测。")
    actions.send_report_back(actor=world["城管联络"], at=world.later(hours=1), task=Task.objects.get(pk=task.pk), reason="缺少数据")
    assert "退回：缺少数据" in desk(world, "环境联络", tab="back")


def test_the_words_of_a_remark_are_without_persons_once_the_case_is_confidential(world: World) -> None:
    case = world.replied()
    actions.send_back(actor=world["auditor"], at=world.later(hours=1), case=case, reasons=["no_process"], note="请回电13800138000。")
    assert "13800138000" in desk(world, tab="back")
    actions.make_confidential(actor=world["dispatcher"], at=world.later(hours=1), case=fresh(case), reason="诉求人要求")
    assert "13800138000" not in desk(world, tab="back") and "无办理过程" in desk(world, tab="back")


def test_the_row_and_its_stack_are_as_red_as_the_most_pressing_clock(world: World) -> None:
    """First measures that are overdue turn row, stack and rail red, and say why, though handling has days left."""
    case = world.handling(urgency="urgent")
    world.now = moment("2026-11-25 11:20")
    row = row_of(world, "work")
    assert (row.light, row.left) == ("red", "先行处置已超 2 小时 5 分钟")
    assert "先行处置 24 小时，自 11月24日 09:15 批转起算" in row.why
    assert "11-27 周五 24:00 前办结" in row.extras
    liaison = world["城管联络"]
    assert desk_queries.stack_tallies(liaison, world.now)["work"].light == "red"
    assert desk_queries.unit_waiting(liaison, world.now) == (1, "red")
    actions.take_first_measures(actor=liaison, at=world.now, task=world.lead(case), text="已到场")
    row = row_of(world, "work")
    assert row.light == "none" and row.left.startswith("剩 2 个工作日") and "投诉 3 个工作日" in row.why
    assert desk_queries.unit_waiting(liaison, world.now) == (1, "none")


def test_reading_turns_the_stack_yellow_and_orange_too(world: World) -> None:
    world.dispatched()  # to be read by Wednesday 24:00
    liaison = world["城管联络"]
    lights = [
        desk_queries.stack_tallies(liaison, moment(at))["new"].light
        for at in ("2026-11-24 12:00", "2026-11-25 20:00", "2026-11-25 23:10", "2026-11-26 00:00")
    ]
    assert lights == ["none", "yellow", "orange", "red"]


def test_what_is_asked_back_shows_that_the_units_clock_runs_on(world: World) -> None:
    ask_return(world, world.lead(world.handling()))
    world.now = moment("2026-11-27 23:30")
    (row,) = rows_of(world, "asks")
    assert (row.light, row.left) == ("orange", "剩 30 分钟")
    assert "投诉 3 个工作日" in row.why and "11-25 周三 24:00 前审核" in row.why
    assert "等了 3 天 13 小时" in row.extras and row.turns.endswith(":red")
    assert desk_queries.stack_tallies(world["城管联络"], world.now)["asks"].light == "orange"
    decide(world, Ask.objects.get(), grant=False)
    (row,) = rows_of(world, "asks")
    assert (row.light, row.left, row.turns) == ("none", "", "")


def test_a_decision_that_is_overdue_is_red_at_the_auditors_desk_and_on_the_case(world: World) -> None:
    case = world.handling(kind="suggestion")
    ask_pause(world, world.lead(case))
    world.now = moment("2026-11-26 09:00")  # the unit has days left, the centre should have answered
    with clock_at(world.now):
        page = sign_in(Client(), world["auditor"]).get("/cases/audits/?tab=asks").context["page"]
    (row,) = page.rows
    assert row.light == "red" and row.left.startswith("已超 ") and "挂起审核 1 个工作日" in row.why
    assert "承办时限 12-01 周二 24:00 前" in row.why
    assert desk_queries.audit_waiting(world["auditor"], world.now) == (1, "red")
    assert "挂起申请审核时限" in screen(world["auditor"], f"/cases/{case.number}/", at=world.now)


def rows_of(world: World, tab: str) -> list[Row]:
    with clock_at(world.now):
        page = sign_in(Client(), world["城管联络"]).get(f"{DESK}?tab={tab}").context["page"]
    return list(page.rows)


def row_of(world: World, tab: str) -> Row:
    (row,) = rows_of(world, tab)
    return row
