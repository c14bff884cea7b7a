"""The case page: who sees it, what it withholds, how much it costs; uncovering, files, stale forms."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from minsheng.accounts.testing import sign_in
from minsheng.audit.models import AuditEntry
from minsheng.cases import actions
from minsheng.cases.details import ApplicantDetails
from minsheng.cases.models import Case
from minsheng.cases.tests.world import World, fresh
from minsheng.cases.views import page

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
WORDS = "工地半夜打桩"
# Recorded baseline, session and person included; the rail's counts are kept for some seconds and not among them.
PAGE_QUERIES = {"dispatcher": 19, "城管联络": 20}


@pytest.fixture(autouse=True)
def fresh_counts() -> None:
    cache.clear()


def get(client: Client, world: World, name: str, url: str) -> Any:
    return sign_in(client, world[name]).get(url)


def page_of(client: Client, world: World, name: str, case: Case) -> str:
    answer = get(client, world, name, f"/cases/{case.number}/")
    assert answer.status_code == 200, name
    return str(answer.content.decode())


@pytest.mark.parametrize("name", ["agent", "dispatcher", "auditor", "follow_up", "supervisor", "analyst", "城管联络", "城管领导"])
def test_those_who_work_on_it_see_the_page(client: Client, world: World, name: str) -> None:
    assert WORDS in page_of(client, world, name, world.replied())


@pytest.mark.parametrize("name", ["鼓楼城管联络", "水务领导", "system_admin", "security_admin", "audit_admin"])
def test_to_all_others_it_does_not_exist(client: Client, world: World, name: str) -> None:
    assert get(client, world, name, f"/cases/{world.replied().number}/").status_code == 404


def test_nobody_sees_it_without_signing_in(client: Client, world: World) -> None:
    assert client.get(f"/cases/{world.replied().number}/").status_code == 302


def test_the_number_may_be_written_in_any_way(client: Client, world: World) -> None:
    number = str(world.replied().number)
    assert get(client, world, "auditor", f"/cases/{number[:10].lower()}-{number[10:]}/").status_code == 200


def test_a_unit_sees_neither_person_nor_words_of_a_confidential_case(client: Client, world: World) -> None:
    case = world.dispatched(confidential=True, extra={})
    actions.supplement_case(actor=world["agent"], at=world.now, case=case, channel="phone", text="我住三楼，是我举报的。")
    shown = page_of(client, world, "城管联络", case)
    assert "有人反映工地夜间施工" in shown
    for secret in (WORDS, "林", "138****8000", "13800138000", "我住三楼", "618 号"):
        assert secret not in shown
    assert WORDS in page_of(client, world, "dispatcher", case)


def test_an_agent_who_did_not_take_a_confidential_case_does_not_know_of_it(client: Client, world: World) -> None:
    case = world.submitted(confidential=True)
    assert get(client, world, "agent2", f"/cases/{case.number}/").status_code == 404
    assert get(client, world, "agent", f"/cases/{case.number}/").status_code == 200


def test_an_analyst_reads_words_without_persons(client: Client, world: World) -> None:
    case = world.submitted(text="我叫林小满，电话 13800138000。工地半夜打桩。")
    shown = page_of(client, world, "analyst", case)
    assert WORDS in shown
    for secret in ("13800138000", "138****8000", "诉求人</h2>"):
        assert secret not in shown


@pytest.mark.parametrize("name", ["agent", "analyst", "城管联络"])
def test_words_of_danger_are_marked_for_staff(client: Client, world: World, name: str) -> None:
    case = world.handling(text="再不停工我就从楼上跳下去，真的不想活了。", title="再不停工我就不活了")
    shown = page_of(client, world, name, case)
    assert '<mark class="mark-risk">不想活</mark><span class="visually-hidden">（风险词）</span>' in shown
    assert "mark-risk" not in page_of(client, world, name, world.handling(text="楼上吵死了，孩子累死了。"))


def test_the_person_is_masked_and_personal_data_in_the_words_is_marked(client: Client, world: World) -> None:
    case = world.submitted(text="请打 13900139000 找我。")
    shown = page_of(client, world, "dispatcher", case)
    assert "林** 138****8000" in shown
    assert "13800138000" not in shown
    assert '<mark class="mark-personal">13900139000</mark>' in shown


def test_what_citizens_write_is_never_html(client: Client, world: World) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    case = world.submitted(text=evil, title=evil, address=evil)
    actions.supplement_case(actor=world["agent"], at=world.now, case=case, channel="phone", text=evil)
    for url in (f"/cases/{case.number}/", "/cases/", "/cases/intake/"):
        shown = get(client, world, "agent", url).content.decode()
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown


def test_a_unit_is_not_led_from_a_named_case_to_a_confidential_one(client: Client, world: World) -> None:
    world.dispatched(confidential=True)
    named = world.dispatched()
    assert "此人以前的诉求" not in page_of(client, world, "城管联络", named)
    assert "此人以前的诉求" in page_of(client, world, "dispatcher", named)


def test_buttons_follow_role_and_state(client: Client, world: World) -> None:
    case = world.submitted()
    shown = page_of(client, world, "agent", case)
    assert re.search(rf'btn-primary" href="/cases/{case.number}/accept/"', shown)
    assert f"/cases/{case.number}/reject/" in shown.split("更多")[1]
    assert f"/cases/{case.number}/accept/" not in page_of(client, world, "auditor", case)


def test_history_can_be_narrowed_to_one_side(client: Client, world: World) -> None:
    case = world.replied()
    sign_in(client, world["dispatcher"])
    all_of_it = client.get(f"/cases/{case.number}/").content.decode()
    of_units = client.get(f"/cases/{case.number}/?history=units").content.decode()
    assert "电话收到诉求" in all_of_it
    assert "电话收到诉求" not in of_units
    assert "查阅" in of_units


def test_a_long_history_says_where_it_is_cut_and_one_side_is_found_behind_it(client: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MOST_ENTRIES", 3)
    case = world.handling()
    for _ in range(4):
        actions.urge_case(actor=world["supervisor"], at=world.later(minutes=1), case=fresh(case), reason="请抓紧")
    sign_in(client, world["dispatcher"])
    assert "这里是最新的 3 条" in client.get(f"/cases/{case.number}/").text
    of_units = client.get(f"/cases/{case.number}/?history=units").text
    assert "查阅" in of_units.split('class="history"')[1] and "这里是最新的" not in of_units


def _queries(client: Client, url: str) -> int:
    client.get(url)  # the calendar and the rail's counts are kept for some seconds
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize("name", ["dispatcher", "城管联络"])
def test_the_page_costs_the_same_whatever_the_case(client: Client, world: World, name: str) -> None:
    plain, full = world.dispatched(), world.replied()
    for number in range(4):
        actions.supplement_case(actor=world["agent"], at=world.now, case=full, channel="phone", text=f"又来了 {number}")
        world.submitted()
    sign_in(client, world[name])
    counts = {_queries(client, f"/cases/{case.number}/") for case in (plain, full)}
    assert max(counts) == PAGE_QUERIES[name]
    assert max(counts) - min(counts) <= 1  # the files of replies are read where there are replies


# --- uncovering --------------------------------------------------------------------------------------------------


def test_uncovering_needs_a_reason_and_is_audited(client: Client, world: World) -> None:
    case = world.accepted()
    sign_in(client, world["dispatcher"])
    url = f"/cases/{case.number}/reveal/"
    assert client.get(url).status_code == 405
    assert client.post(url, {"reason": " "}).status_code == 422
    answer = client.post(url, {"reason": "回拨核实地址"}, headers={"HX-Request": "true"})
    assert "13800138000" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    entry = AuditEntry.objects.filter(code="case.uncover_applicant").latest("id")
    assert entry.actor == world["dispatcher"]
    assert entry.why == "回拨核实地址"


@pytest.mark.parametrize(("name", "status"), [("analyst", 403), ("quality", 403), ("鼓楼城管联络", 404)])
def test_who_does_not_need_the_person_cannot_uncover(client: Client, world: World, name: str, status: int) -> None:
    case = world.accepted()
    answer = sign_in(client, world[name]).post(f"/cases/{case.number}/reveal/", {"reason": "想看看"})
    assert answer.status_code == status
    assert "13800138000" not in answer.content.decode()


def test_a_new_query_code_is_shown_once_and_makes_the_old_one_void(client: Client, world: World) -> None:
    case = world.accepted()
    before = actions.intake.query_code_of(case)
    answer = sign_in(client, world["dispatcher"]).post(f"/cases/{case.number}/query-code/", headers={"HX-Request": "true"})
    code = actions.intake.query_code_of(fresh(case))
    assert code != before
    assert f"{code[:4]} {code[4:]}" in answer.content.decode()
    assert code[:4] + " " not in page_of(client, world, "dispatcher", fresh(case))


# --- files -------------------------------------------------------------------------------------------------------


@pytest.fixture
def with_photo(world: World, settings: Any, tmp_path: Any) -> Case:
    settings.MEDIA_ROOT = tmp_path
    case = world.dispatched(confidential=True)
    photo = SimpleUploadedFile("现场.png", PNG)
    actions.supplement_case(actor=world["agent"], at=world.now, case=case, channel="phone", text="照片", files=[photo])
    return fresh(case)


def test_files_run_nothing_and_are_audited_where_confidential(client: Client, world: World, with_photo: Case) -> None:
    pk = with_photo.attachments.get().pk
    answer = get(client, world, "dispatcher", f"/cases/{with_photo.number}/files/{pk}/")
    assert answer.status_code == 200
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Content-Disposition"].startswith("inline")
    assert AuditEntry.objects.filter(code="case.read_file").exists()


@pytest.mark.parametrize("name", ["城管联络", "analyst", "system_admin", "agent2"])
def test_files_of_a_confidential_case_are_not_for_all(client: Client, world: World, with_photo: Case, name: str) -> None:
    pk = with_photo.attachments.get().pk
    assert get(client, world, name, f"/cases/{with_photo.number}/files/{pk}/").status_code == 404


def test_a_file_of_another_case_is_not_found(client: Client, world: World, with_photo: Case) -> None:
    other = world.submitted()
    assert get(client, world, "dispatcher", f"/cases/{other.number}/files/{with_photo.attachments.get().pk}/").status_code == 404


# --- forms beside the case ---------------------------------------------------------------------------------------


def _stamp(case: Case, **fields: Any) -> dict[str, Any]:
    return {"version": case.version, "submission": str(uuid4()), **fields}


def test_a_stale_form_is_told_who_did_what_and_keeps_its_words(client: Client, world: World) -> None:
    case = world.submitted()
    stale = _stamp(case, text="请拨打水务热线 968968 报修。")
    actions.accept_case(actor=world["team_leader"], at=world.later(minutes=1), case=case)
    sign_in(client, world["agent"])
    answer = client.post(f"/cases/{case.number}/answer/", stale)
    shown = answer.content.decode()
    assert answer.status_code == 409
    assert "team_leader" in shown
    assert "受理" in shown
    assert "请拨打水务热线 968968 报修。" in shown
    assert fresh(case).state == "to_dispatch"


def test_accepting_may_put_things_right_in_the_same_press(client: Client, world: World) -> None:
    case = world.submitted(topic=None, kind="other")
    sign_in(client, world["agent"])
    form = _stamp(case, kind="help", urgency="urgent", address="福湾路", topic="", place="")
    url = f"/cases/{case.number}/accept/"
    refused = client.post(url, form, headers={"HX-Request": "true"})
    assert refused.status_code == 422
    assert "福湾路" in refused.content.decode()
    form["topic"] = world.topics["夜间施工噪声"].pk
    for _ in range(3):
        assert client.post(url, form).status_code == 302
    done = fresh(case)
    assert (done.state, done.kind, done.urgency, done.address) == ("to_dispatch", "help", "urgent", "福湾路")
    assert [e.code for e in done.timeline.order_by("seq")] == ["submit", "correct", "accept"]


def test_refusing_on_a_ground_tells_the_citizen_its_words(client: Client, world: World) -> None:
    from minsheng.cases.models import RefusalGround

    case = world.submitted()
    ground = RefusalGround.objects.get(code="out_of_city")
    sign_in(client, world["agent"])
    told = client.get("/cases/lookups/ground/", {"ground": ground.pk}).content.decode()
    assert "请拨打当地 12345。" in told
    client.post(f"/cases/{case.number}/reject/", _stamp(case, ground=ground.pk, text=""))
    assert fresh(case).ending == "rejected"
    assert "请拨打当地 12345。" in case.messages.latest("id").text


def test_without_javascript_a_form_stands_beside_its_case(client: Client, world: World) -> None:
    case = world.submitted()
    shown = get(client, world, "agent", f"/cases/{case.number}/correct/").content.decode()
    assert WORDS in shown
    assert '<form class="drawer"' in shown


@pytest.mark.parametrize("code", ["accept", "correct", "answer", "reject", "transfer", "mark_invalid", "withdraw", "supplement", "make_confidential"])
@pytest.mark.parametrize("junk", ["\x00", "字" * 20_000, "-1", "99999999999999999999"])
def test_malformed_fields_get_a_clear_error(client: Client, world: World, code: str, junk: str) -> None:
    case = world.submitted(applicant=ApplicantDetails())
    sign_in(client, world["agent"])
    fields = ("text", "reason", "note", "topic", "place", "kind", "ground", "target", "title", "channel", "purpose", "occurred_at")
    answer = client.post(f"/cases/{case.number}/{code}/", _stamp(case) | dict.fromkeys(fields, junk))
    assert answer.status_code in (302, 422)
    assert answer.status_code == 422 or junk in ("-1", "9" * 20)  # which may be a reason
