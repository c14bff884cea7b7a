"""The dispatcher's desk and forms, by role; each with its number of queries as a baseline."""

from __future__ import annotations

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
from minsheng.dispatching.actions import dispatch_case, recall_case, send_to_study

DESK = "/dispatching/"


@pytest.fixture(autouse=True)
def now(world: World) -> None:
    """Screens tell the time themselves."""
    world.now = timezone.now()
    cache.clear()


def client(world: World, who: str) -> Client:
    return sign_in(Client(), world[who])


def page(world: World, who: str, path: str, **query: Any) -> str:
    answer = client(world, who).get(path, query)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return str(answer.content.decode())


def act(case: Case, code: str) -> str:
    return reverse("cases:act", args=[fresh(case).number, code])


def post(world: World, case: Case, code: str, who: str = "dispatcher", htmx: bool = True, **data: Any) -> Any:
    stamp = {"version": fresh(case).version, "submission": str(uuid4())}
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{DESK}?open={fresh(case).number}"} if htmx else {}
    return client(world, who).post(act(case, code), stamp | data, headers=headers)


# --- the desk ----------------------------------------------------------------------------------------------------


def test_the_desk_is_the_dispatchers_and_others_read_it(world: World) -> None:
    case = world.accepted()
    with_keys = page(world, "dispatcher", DESK, open=case.number)
    assert 'data-key="1"' in with_keys and "仓山区城市管理局" in with_keys
    for who in ("team_leader", "hotline_leader"):
        read = page(world, who, DESK, open=case.number)
        assert "仓山区城市管理局" in read and 'data-key="1"' not in read
    for who in ("agent", "auditor", "follow_up", "analyst", "城管联络", "system_admin"):
        assert client(world, who).get(DESK).status_code == 403
    assert client(world, "dispatcher").get("/desk/").headers["Location"] == DESK
    assert Client().get(DESK).status_code == 302


def test_the_most_pressing_stands_first_and_disputes_in_their_own_tab(world: World) -> None:
    calm, pressing, disputed, back = world.accepted(), world.accepted(urgency="critical"), world.accepted(), world.accepted()
    send_to_study(actor=world["dispatcher"], at=world.now, case=disputed, reason="不清")
    dispatch_case(actor=world["dispatcher"], at=world.now, case=back, lead=world.units["水务"])
    recall_case(actor=world["dispatcher"], at=world.now, case=back, reason="看错")
    first = page(world, "dispatcher", DESK)
    assert 0 < first.index(f"row-{pressing.number}") < first.index(f"row-{calm.number}")
    assert f"row-{disputed.number}" not in first and f"row-{back.number}" not in first
    second = page(world, "dispatcher", DESK, tab="study")
    assert f"row-{disputed.number}" in second and f"row-{back.number}" in second and "退回重派" in second and "研判中" in second
    assert f"row-{calm.number}" not in second


def test_a_case_that_left_gives_way_to_the_next(world: World) -> None:
    gone, left = world.dispatched(), world.accepted()
    assert f'data-open="{left.number}"' in page(world, "dispatcher", DESK, open=gone.number)
    assert f'data-open="{left.number}"' in page(world, "dispatcher", DESK, open="FZ没有这件")
    dispatch_case(actor=world["dispatcher"], at=world.now, case=left, lead=world.units["水务"])
    assert "没有等待批转的诉求件" in page(world, "dispatcher", DESK, open=left.number)


def test_fifty_rows_cost_no_more_than_five(world: World) -> None:
    for _ in range(5):
        world.accepted()
    few = queries_of(world, DESK)
    for _ in range(20):
        world.accepted()
    assert queries_of(world, DESK) == few == 8
    number = fresh(world.accepted()).number
    assert queries_of(world, f"{DESK}?open={number}") == 25


def queries_of(world: World, path: str) -> int:
    someone = client(world, "dispatcher")
    someone.get(path)
    cache.clear()
    with CaptureQueriesContext(connection) as counted:
        assert someone.get(path).status_code == 200
    return len(counted)


def test_damaged_addresses_are_no_errors(world: World) -> None:
    world.accepted()
    for query in ({"page": "xx"}, {"tab": "nothing"}, {"open": "\x00" * 50}, {"open": "x" * 500}):
        assert client(world, "dispatcher").get(DESK, query).status_code == 200


# --- dispatch ----------------------------------------------------------------------------------------------------


def test_a_key_opens_the_form_with_the_unit_chosen(world: World) -> None:
    case = world.accepted()
    drawer = page(world, "dispatcher", act(case, "dispatch"), lead=world.units["仓山区政府"].pk)
    chosen = f'value="{world.units["仓山区政府"].pk}"'
    assert "checked" in drawer[drawer.index(chosen) : drawer.index(chosen) + 120]
    assert "24:00 前查阅" in drawer and "24:00 前办结，群众将收到短信" in drawer


def test_two_keys_are_a_dispatch(world: World) -> None:
    case = world.accepted()
    answer = post(world, case, "dispatch", lead=world.units["仓山城管"].pk, assisting=[world.units["生态环境"].pk])
    assert answer.status_code == 204 and answer.headers["HX-Redirect"].startswith(DESK)
    assert {t.unit.short_name for t in case.tasks.all()} == {"仓山城管", "生态环境"}
    assert fresh(case).state == CaseState.IN_HANDLING


def test_a_unit_found_by_search_and_others_to_assist(world: World) -> None:
    case = world.accepted()
    units = world.units
    answer = post(
        world, case, "dispatch", htmx=False,
        lead="other", other=units["水务"].pk, another=units["鼓楼城管"].pk, yet_another=units["水务"].pk, instruction="请办",
    )  # fmt: skip
    assert answer.status_code == 302
    assert {(t.unit.short_name, t.role) for t in case.tasks.all()} == {("水务", "lead"), ("鼓楼城管", "assist")}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "请选择单位"),
        ({"lead": "other"}, "请查找并选定单位"),
        ({"lead": "999999"}, "选择一个有效的选项"),
        ({"lead": "other", "other": "abc"}, "请从查到的结果里选一项"),
        ({"lead": "other", "other": "9" * 40}, "请从查到的结果里选一项"),
        ({"lead": "other", "other": "\x00"}, "单位"),
    ],
)
def test_a_wrong_choice_gets_a_sentence(world: World, data: dict[str, str], sentence: str) -> None:
    answer = post(world, world.accepted(), "dispatch", **data)
    assert answer.status_code == 422 and sentence in answer.content.decode()


def test_the_accused_cannot_be_chosen_by_search_either(world: World) -> None:
    case = world.accepted(accused_unit=world.units["仓山城管"])
    drawer = page(world, "dispatcher", act(case, "dispatch"))
    assert f'value="{world.units["仓山城管"].pk}"' not in drawer and "是被反映单位或其上下级" in drawer
    answer = post(world, case, "dispatch", lead="other", other=world.units["建新中队"].pk)
    assert answer.status_code == 409 and answer.headers["X-Refusal"] == "accused_unit"


def test_what_is_missing_is_asked_first_and_put_right_in_the_same_press(world: World) -> None:
    case = world.accepted(place=None)
    Case.objects.filter(pk=case.pk).update(topic=None)
    assert 'name="topic"' in page(world, "dispatcher", act(case, "dispatch"))
    data = {"lead": "other", "other": world.units["水务"].pk}
    answer = post(world, case, "dispatch", **data)
    assert answer.status_code == 422 and "请先选定主题" in answer.content.decode()
    key, version = str(uuid4()), fresh(case).version
    given = data | {"topic": world.topics["道路塌陷"].pk, "place": world.places["建新镇"].pk}
    someone = client(world, "dispatcher")
    for _ in range(5):  # a button pressed five times on a poor connection
        answer = someone.post(act(case, "dispatch"), given | {"version": version, "submission": key}, headers={"HX-Request": "true"})
        assert answer.status_code == 204
    case = fresh(case)
    assert (case.topic, case.place, case.state) == (world.topics["道路塌陷"], world.places["建新镇"], CaseState.IN_HANDLING)
    assert case.tasks.count() == 1


def test_a_confidential_case_brings_words_for_units(world: World) -> None:
    case = world.accepted(kind="report", text="我叫林小满，电话 13800138000，执法队长收钱。")
    drawer = page(world, "dispatcher", act(case, "dispatch"))
    assert "〔电话〕" in drawer and "mark-personal" in drawer
    data: dict[str, Any] = {"lead": world.units["生态环境"].pk, "unit_text": "有人反映执法队长收钱。"}
    assert "请核对给承办单位看的内容" in post(world, case, "dispatch", **data).content.decode()
    for leak in ({"unit_text": "林小满反映"}, {"instruction": "可致电 138 0013 8000"}):
        answer = post(world, case, "dispatch", **data | leak, checked="on")
        assert answer.status_code == 422 and "请隐去后再提交" in answer.content.decode()
    assert post(world, case, "dispatch", **data, checked="on").status_code == 204
    unit_page = page(world, "环境联络", reverse("cases:page", args=[case.number]))
    assert "有人反映执法队长收钱" in unit_page
    for secret in ("林小满", "13800138000", "138****8000", "金山大道"):
        assert secret not in unit_page


def test_the_second_of_two_is_told_by_whom_and_loses_nothing(world: World) -> None:
    """Scenario 12."""
    case = world.accepted()
    stamp = {"version": fresh(case).version, "submission": str(uuid4())}
    assert post(world, case, "dispatch", lead=world.units["仓山城管"].pk).status_code == 204
    answer = client(world, "dispatcher2").post(
        act(case, "dispatch"),
        stamp | {"lead": "other", "other": world.units["水务"].pk, "instruction": "我的话"},
        headers={"HX-Request": "true"},
    )
    words = answer.content.decode()
    assert answer.status_code == 409 and "dispatcher" in words and "批转至仓山区城市管理局" in words


# --- the other forms ---------------------------------------------------------------------------------------------


def test_study_and_its_conclusion(world: World) -> None:
    case = world.accepted()
    assert post(world, case, "send_to_study", reason="三家都说不归自己").status_code == 204
    assert "指定承办单位" in page(world, "dispatcher", act(case, "conclude_study"))
    assert "请写明研判结论" in post(world, case, "conclude_study").content.decode()
    assert post(world, case, "conclude_study", conclusion="归水务", lead="other", other=world.units["水务"].pk).status_code == 204
    assert fresh(case).ruled_unit == world.units["水务"]


def test_a_conclusion_need_name_no_unit(world: World) -> None:
    case = world.accepted()
    post(world, case, "send_to_study", reason="不清")
    assert post(world, case, "conclude_study", conclusion="仍按目录").status_code == 204
    assert fresh(case).ruled_unit is None


def test_a_split_without_scripts(world: World) -> None:
    case = world.accepted(text="工地半夜打桩。另外门口的路塌了。")
    assert page(world, "dispatcher", act(case, "split")).count("拆出第") == 4
    data = {"title": "夜间施工", "text": "工地半夜打桩。", "text_2": "门口的路塌了。", "kind_2": "help"}
    assert "请选定这一件的主题" in post(world, case, "split", **data).content.decode()
    data |= {"topic_2": world.topics["道路塌陷"].pk, "place_2": world.places["建新镇"].pk}
    assert post(world, case, "split", **data).status_code == 204
    made = case.splits.get()
    assert (made.text, made.kind, made.topic) == ("门口的路塌了。", "help", world.topics["道路塌陷"])
    assert fresh(case).text == "工地半夜打桩。"
    assert "请写出要拆出的诉求" in post(world, case, "split", title="夜间施工", text="打桩").content.decode()


def test_a_merge_shows_the_other_and_says_why_not(world: World) -> None:
    survivor, case = world.accepted(text="同一个工地，天天半夜打桩。"), world.accepted()
    drawer = page(world, "dispatcher", act(case, "merge"))
    assert survivor.number in drawer and "天天半夜打桩" in drawer and "同一电话" in drawer
    peek = reverse("dispatching:peek", args=[case.number])
    assert "天天半夜打桩" in page(world, "dispatcher", peek, number=survivor.number)
    done = actions.mark_invalid(actor=world["agent"], at=world.now, case=world.accepted(), reason="无内容")
    assert "不能并入" in page(world, "dispatcher", peek, number=done.number)
    assert client(world, "dispatcher").get(peek, {"number": "FZ1"}).status_code == 404
    assert client(world, "agent").get(peek, {"number": survivor.number}).status_code == 403
    for number, sentence in (("", "请选一件"), ("FZ0000", "没有这个编号"), (done.number, "已是“已办结”")):
        assert sentence in post(world, case, "merge", number=number).content.decode()
    assert post(world, case, "merge", candidate=survivor.number).status_code == 204
    assert fresh(case).merged_into == survivor


def test_recall_reopen_and_further_units(world: World) -> None:
    case = world.dispatched()
    assert "请选择协办单位" in post(world, case, "add_assisting").content.decode()
    assert post(world, case, "add_assisting", assisting=[world.units["生态环境"].pk]).status_code == 204
    assert case.tasks.count() == 2
    assert "计入首次批转差错" in page(world, "dispatcher", act(case, "recall"))
    assert post(world, case, "recall", reason="看错地点").status_code == 204
    ended = actions.answer_case(actor=world["agent"], at=world.now, case=world.accepted(), text="可以。")
    assert "第 2 轮" in page(world, "team_leader", act(ended, "reopen"))
    assert post(world, ended, "reopen", who="team_leader", reason="又来").status_code == 204


@pytest.mark.parametrize("code", ["dispatch", "send_to_study", "split", "merge"])
def test_forms_of_dispatch_open_for_dispatchers_only(world: World, code: str) -> None:
    case = world.accepted()
    assert client(world, "dispatcher").get(act(case, code)).status_code == 200
    for who, status in (("team_leader", 403), ("agent", 403), ("auditor", 403), ("城管联络", 404), ("audit_admin", 404)):
        assert client(world, who).get(act(case, code)).status_code == status
