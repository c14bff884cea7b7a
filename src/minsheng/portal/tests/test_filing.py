"""Filing in four steps: kept on the way, one case in the end, and nothing typed is lost."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from minsheng.audit.queries import verify
from minsheng.cases.models import Attachment, Case, Contact
from minsheng.cases.tests.stories import at_once
from minsheng.cases.tests.world import World, build
from minsheng.portal import actions, steps
from minsheng.portal.models import Filing, HeldFile
from minsheng.portal.tests.citizen import (
    WHAT,
    WHO,
    WORDS,
    Citizen,
    errors_of,
    number_of,
    photograph,
    text_of,
    words_of,
)
from minsheng.portal.visits import FILING_COOKIE


@pytest.fixture
def city(transactional_db: None) -> World:
    """The small city, committed."""
    with transaction.atomic():
        world = build()
    world.now = timezone.now()
    return world


# --- the way -----------------------------------------------------------------------------------------------------


def test_four_steps_make_one_case(world: World) -> None:
    citizen = Citizen()
    first = citizen.client.get("/file/")
    assert "第1步，共4步" in words_of(first) and FILING_COOKIE not in first.cookies, "a look keeps nothing"
    assert citizen.step("what", **WHAT, files=photograph()).headers["Location"] == "/file/where/"
    assert citizen.step("where", street="350104100", address="金山大道 618 号").headers["Location"] == "/file/who/"
    assert citizen.step("who", **WHO).headers["Location"] == "/file/check/"
    check = words_of(citizen.client.get("/file/check/"))
    for said in (WORDS, "投诉", "现场.png", "仓山区建新镇金山大道618号", "林小满", "13800138000"):
        assert said in check
    assert not Case.objects.exists()
    receipt = citizen.send(publishable="on")
    case = Case.objects.get()
    assert (number_of(receipt), case.kind, case.text, case.publishable) == (case.number, "complaint", WORDS, True)
    assert (case.place, case.address, case.applicant.name) == (world.places["建新镇"], "金山大道 618 号", "林小满")
    assert case.attachments.count() == 1 and not HeldFile.objects.exists()
    assert receipt.headers["Cache-Control"] and "no-store" in receipt.headers["Cache-Control"]


def test_a_topic_is_guessed_from_the_words_and_may_be_taken_away(world: World) -> None:
    noise = world.topics["夜间施工噪声"]
    noise.search_key = "夜间施工噪声\n打桩"
    noise.save()
    citizen = Citizen().fill()
    assert "夜间施工噪声（按您写的内容猜的" in words_of(citizen.client.get("/file/check/"))
    citizen.step("what", **WHAT, topic="")
    assert "夜间施工噪声" not in words_of(citizen.client.get("/file/check/")), "who takes the guess away gets no second one"
    citizen.step("what", **WHAT, topic=world.topics["道路塌陷"].code)
    assert citizen.send().status_code == 200 and Case.objects.get().topic == world.topics["道路塌陷"]


def test_each_part_can_be_changed_from_the_last_step(world: World) -> None:
    citizen = Citizen().fill()
    page = text_of(citizen.client.get("/file/check/"))
    for path in ("/file/?back=check", "/file/where/?back=check", "/file/who/?back=check"):
        assert f'href="{path}"' in page
    answer = citizen.client.post("/file/who/?back=check", {"submission": citizen.key, "name": "王小明", "phone": "13900139000"})
    assert answer.headers["Location"] == "/file/check/"
    answer = citizen.client.post("/file/?back=check", {"submission": citizen.key, **WHAT, "text": "路灯不亮"})
    assert answer.headers["Location"] == "/file/check/" and "路灯不亮" in text_of(citizen.client.get("/file/check/"))


def test_what_is_missing_is_asked_before_it_is_sent(world: World) -> None:
    citizen = Citizen()
    citizen.step("what", **WHAT)
    assert citizen.client.get("/file/check/").headers["Location"] == "/file/where/"
    assert citizen.send().headers["Location"] == "/file/where/"
    citizen.step("where")
    assert len(errors_of(citizen.wrong("who", name="", phone=""))) == 2
    assert citizen.send().headers["Location"] == "/file/who/"
    assert errors_of(citizen.client.get("/file/who/")) and not Case.objects.exists()


def test_no_url_carries_what_was_typed(world: World) -> None:
    citizen = Citizen()
    for code, values in (("what", WHAT), ("where", {"address": "某处"}), ("who", WHO)):
        answer = citizen.step(code, **values)
        assert answer.headers["Location"] in {"/file/where/", "/file/who/", "/file/check/"}


# --- kept --------------------------------------------------------------------------------------------------------


def test_what_was_typed_is_kept_encrypted_and_found_by_this_browser_only(world: World) -> None:
    citizen = Citizen().fill()
    with connection.cursor() as cursor:
        cursor.execute("SELECT given FROM portal_filing")
        (row,) = cursor.fetchall()
    assert WORDS.encode() not in bytes(row[0]) and b"13800138000" not in bytes(row[0])
    assert "13800138000" not in citizen.client.cookies[FILING_COOKIE].value
    again = Client()  # the browser was closed and opened: the cookie is there, the session is not
    again.cookies[FILING_COOKIE] = citizen.client.cookies[FILING_COOKIE].value
    assert "13800138000" in text_of(again.get("/file/who/")) and "接着写" in text_of(again.get("/"))
    for stranger in ("", "nonsense", json.dumps([str(citizen.key)])):
        other = Client()
        other.cookies[FILING_COOKIE] = stranger
        assert "13800138000" not in text_of(other.get("/file/who/"))


def test_the_cookie_is_kept_from_scripts_and_other_sites(world: World) -> None:
    cookie = Citizen().step("what", **WHAT).cookies[FILING_COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["max-age"] == 7 * 24 * 3600


def test_a_form_that_nobody_goes_on_with_is_forgotten(world: World, settings: Any, django_capture_on_commit_callbacks: Any) -> None:
    citizen = Citizen()
    citizen.step("what", **WHAT, files=photograph())
    (held,) = HeldFile.objects.all()
    actions.purge(at=timezone.now() + timedelta(days=6))
    assert Filing.objects.exists() and HeldFile.objects.exists(), "files wait as long as their form"
    with django_capture_on_commit_callbacks(execute=True):
        actions.purge(at=timezone.now() + timedelta(days=8))
    assert not Filing.objects.exists() and not HeldFile.objects.exists() and not default_storage.exists(held.file.name)
    assert "没有找到" in text_of(citizen.client.get("/file/where/"))


def test_who_takes_it_back_leaves_nothing(world: World) -> None:
    citizen = Citizen().fill(files=photograph())
    assert citizen.client.post("/file/forget/", {"submission": citizen.key}).status_code == 302
    assert not Filing.objects.exists() and not HeldFile.objects.exists()
    assert "林小满" not in text_of(citizen.client.get("/file/who/"))
    stranger = Citizen()
    stranger.key = Citizen().fill().key
    stranger.client.post("/file/forget/", {"submission": stranger.key})
    assert Filing.objects.count() == 1, "nobody takes back another's"


def test_nothing_typed_remains_once_it_is_filed(world: World) -> None:
    Citizen().files(files=photograph())
    filing = Filing.objects.get()
    assert filing.given is None and filing.filed_at and not HeldFile.objects.exists()


def test_a_browser_without_cookies_is_told_and_loses_nothing(world: World) -> None:
    citizen = Citizen()
    answer = citizen.step("where", address="金山大道 618 号旁边的工地")
    assert answer.status_code == 409 and "金山大道 618 号旁边的工地" in text_of(answer) and "Cookie" in text_of(answer)


def test_two_windows_are_two_forms(world: World) -> None:
    one, two = Citizen(), Citizen()
    two.client = one.client
    one.step("what", **WHAT)
    two.step("what", **WHAT | {"text": "路灯不亮"})
    one.step("where", address="甲处")
    assert WORDS in text_of(one.client.get("/file/"))
    two.step("where", address="乙处")
    two.step("who", **WHO)
    two.send()
    case = Case.objects.get()
    assert (case.text, case.address) == ("路灯不亮", "乙处")


# --- once --------------------------------------------------------------------------------------------------------


def test_the_same_form_sent_five_times_is_one_case(world: World) -> None:
    citizen = Citizen().fill(files=photograph())
    answers = [citizen.send() for _ in range(5)]
    assert {number_of(answer) for answer in answers} == {Case.objects.get().number}
    assert (Contact.objects.count(), Attachment.objects.count()) == (1, 1)


def test_every_step_pressed_five_times_keeps_one_of_each(world: World) -> None:
    citizen = Citizen()
    for _ in range(5):
        citizen.step("what", **WHAT, files=photograph())
    assert (Filing.objects.count(), HeldFile.objects.count()) == (1, 1)


def test_five_presses_at_once_are_one_case(city: World) -> None:
    citizen = Citizen().fill(files=photograph())
    cookies = citizen.client.cookies

    def press() -> Any:
        other = Citizen()
        other.key, other.client.cookies = citizen.key, cookies
        return other.send()

    answers = at_once(*[press] * 5)
    assert {number_of(answer) for answer in answers} == {Case.objects.get().number}
    assert (Contact.objects.count(), Attachment.objects.count()) == (1, 1)
    assert not verify().findings


def test_back_after_sending_shows_the_same_receipt_and_starts_nothing(world: World) -> None:
    citizen = Citizen()
    case = citizen.files()
    for path in ("/file/", "/file/where/", "/file/who/", "/file/check/"):
        assert "已经提交" in text_of(citizen.client.get(path))
    changed = citizen.step("what", **WHAT | {"text": "还有路灯不亮"})
    assert number_of(changed) == case.number and "没有加进去" in text_of(changed)
    assert Case.objects.count() == 1
    citizen.client.post("/file/forget/", {"submission": citizen.key, "next": "file"})
    assert "发生了什么" in text_of(citizen.client.get("/file/"))
    citizen.key = uuid4()
    assert citizen.files().pk != case.pk


# --- bad input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["what", "where", "who", "check"])
@pytest.mark.parametrize("value", ["\x00", "\ud83d", "a" * 100_000, "<script>alert(1)</script>", "' OR 1=1 --", "😀" * 3000, "‮"])
def test_garbage_in_any_field_gets_an_answer(world: World, code: str, value: str) -> None:
    citizen = Citizen().fill()
    names = steps.BY_CODE[code].form.base_fields
    for name in names:
        path = "/file/" if code == "what" else f"/file/{code}/"
        usual = {"what": WHAT, "who": WHO}.get(code, {})
        body = {"submission": str(citizen.key), **usual, name: value.encode("utf-8", "surrogatepass")}
        answer = citizen.client.post(path, urlencode(body), "application/x-www-form-urlencoded")
        assert answer.status_code in (200, 302, 422), (name, answer.status_code)
        assert "<script>alert" not in text_of(answer)
        if answer.status_code == 200:
            return


@pytest.mark.parametrize("submission", ["", "x", "\x00", "0" * 5000, "../../etc"])
def test_a_form_without_a_proper_key_is_taken_all_the_same(world: World, submission: str) -> None:
    citizen = Citizen()
    citizen.key = submission
    assert citizen.step("what", **WHAT).status_code == 302


def test_wrong_utf8_is_refused_or_read_but_never_an_error(world: World) -> None:
    answer = Client().post("/file/", b"text=%ff%fe%00&kind=%c3", "application/x-www-form-urlencoded", follow=True)
    assert answer.status_code == 200 and errors_of(answer)


def test_too_long_is_said_with_figures_and_nothing_is_lost(world: World) -> None:
    answer = Citizen().wrong("what", **WHAT | {"text": "字" * 2500})
    assert "字" * 2500 in text_of(answer)
    assert errors_of(answer) == ["最多 2000 字，您写了 2500 字，请删减一些。"]


def test_what_is_far_too_long_is_shown_back_and_kept_nowhere(world: World) -> None:
    answer = Citizen().step("what", **WHAT | {"text": "字" * 40_000})
    assert answer.status_code == 422 and "字" * 40_000 in text_of(answer) and not Filing.objects.exists()


def test_errors_name_their_fields_and_are_linked(world: World) -> None:
    page = text_of(Citizen().wrong("what", kind="", text=""))
    assert 'href="#id_text"' in page and 'href="#id_kind"' in page and "有几处要改" in page
    assert 'aria-invalid="true"' in page


def test_a_form_from_elsewhere_is_not_taken(world: World) -> None:
    citizen = Citizen(enforce_csrf_checks=True)
    answer = citizen.step("what", **WHAT)
    assert answer.status_code == 403 and "您填写的内容还在" in text_of(answer) and not Filing.objects.exists()


def test_the_field_that_nobody_sees_asks_once_more(world: World) -> None:
    citizen = Citizen().fill()
    answer = citizen.send(homepage="http://spam.example")
    assert answer.status_code == 422 and "请再按一次" in text_of(answer) and not Case.objects.exists()
    assert citizen.send().status_code == 200


def test_words_of_danger_are_answered_at_once_with_whom_to_ring(world: World) -> None:
    citizen = Citizen()
    citizen.step("what", **WHAT | {"text": "欠薪三个月，我不想活了"})
    assert "12356" in text_of(citizen.client.get("/file/where/"))
    calm = Citizen()
    calm.step("what", **WHAT | {"text": "每天加班，累死了"})
    assert "12356" not in text_of(calm.client.get("/file/where/"))


# --- files -------------------------------------------------------------------------------------------------------


def test_a_wrong_file_gets_its_sentence_and_the_good_one_is_kept(world: World) -> None:
    citizen = Citizen()
    wrong = [photograph(), photograph(b"MZ\x90\x00" + bytes(64), "照片.png"), photograph(b"", "空.png")]
    answer = citizen.step("what", **WHAT, files=wrong)
    assert answer.status_code == 422 and len(errors_of(answer)) == 2
    assert "“照片.png”不是能接收的类型" in text_of(answer) and "“空.png”是空文件" in text_of(answer)
    assert "已经传好的" in text_of(answer) and WORDS in text_of(answer)
    assert citizen.step("what", **WHAT).status_code == 302
    citizen.step("where")
    citizen.step("who", **WHO)
    citizen.send()
    assert [a.name for a in Attachment.objects.all()] == ["现场.png"]


def test_a_file_over_the_limit_is_named(world: World, settings: Any) -> None:
    settings.HOTLINE = settings.HOTLINE | {"attachment_megabytes": 1}
    answer = Citizen().step("what", **WHAT, files=photograph(photograph().read() + bytes(1024 * 1024), "大.png"))
    assert errors_of(answer) == ["“大.png”超过 1 MB，请压缩后再传。您填写的内容没有丢失。"]
    answer = Citizen().step("what", **WHAT, files=photograph(bytes(4 * 1024 * 1024)))
    assert answer.status_code == 413 and "3 MB" in text_of(answer)


def test_a_kept_file_can_be_dropped(world: World) -> None:
    citizen = Citizen()
    citizen.step("what", **WHAT, files=photograph())
    held = HeldFile.objects.get()
    citizen.step("what", **WHAT, drop=str(held.pk))
    assert not HeldFile.objects.exists()


def test_ten_files_are_too_many_also_over_two_tries(world: World) -> None:
    citizen = Citizen()
    many = [photograph(photograph().read() + bytes([n]), f"{n}.png") for n in range(10)]
    citizen.step("what", **WHAT, files=many[:5])
    assert "最多上传 9 个" in "".join(errors_of(citizen.step("what", **WHAT, files=many[5:])))


# --- limits ------------------------------------------------------------------------------------------------------


def test_an_address_files_only_so_often_and_keeps_its_words(world: World, settings: Any) -> None:
    settings.HOTLINE = settings.HOTLINE | {"submissions_per_hour": 2}
    Citizen().files()
    Citizen().files()
    third = Citizen().fill()
    answer = third.send()
    assert answer.status_code == 422 and "提交得太多了" in text_of(answer) and WORDS in text_of(answer)
    assert Case.objects.count() == 2
    elsewhere = Citizen(REMOTE_ADDR="203.0.113.9")
    assert elsewhere.files().pk


def test_forms_begun_are_counted_too(world: World, settings: Any) -> None:
    settings.HOTLINE = settings.HOTLINE | {"submissions_per_hour": 1}
    answers = [Citizen().step("what", **WHAT).status_code for _ in range(11)]
    assert answers == [302] * 10 + [429] and Filing.objects.count() == 10


# --- who is never published --------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [{"anonymous": "on"}, {"confidential": "on"}, {"kind": "report"}])
def test_consent_is_not_even_asked_of_who_stays_unknown(world: World, values: dict[str, str]) -> None:
    citizen = Citizen().fill(**values)
    assert "publishable" not in text_of(citizen.client.get("/file/check/"))
    citizen.send(publishable="on")
    assert Case.objects.get().publishable is False
