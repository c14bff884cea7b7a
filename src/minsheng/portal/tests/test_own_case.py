"""Looking up and one's own case: who has number and code sees what concerns the citizen, and nothing of the house behind it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from minsheng.accounts.testing import sign_in
from minsheng.cases import actions as case_actions
from minsheng.cases.actions.intake import query_code_of
from minsheng.cases.models import Attachment, Case, Contact
from minsheng.cases.tests.test_asking import ask_return, decide
from minsheng.cases.tests.test_handling import REPLY
from minsheng.cases.tests.world import World, fresh
from minsheng.followup.actions import keep_closed, record_follow_up
from minsheng.followup.links import make_token
from minsheng.portal import actions
from minsheng.portal.models import Attempt
from minsheng.portal.tests.citizen import Citizen, errors_of, photograph, text_of, words_of
from minsheng.portal.visits import LASTS, SESSION_KEY

NO_MATCH = "编号和查询码对不上，请对照回执再看一遍。"


def look_up(client: Client, number: str, code: str, **more: Any) -> Any:
    return client.post("/progress/", {"number": number, "code": code}, **more)


def wrong_code(case: Case) -> str:
    right = query_code_of(case)
    return f"{(int(right) + 1) % 10**8:08d}"


# --- number and code ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [str.lower, lambda n: " ".join(n), lambda n: n[2:], lambda n: n.replace("0", "O"), lambda n: f"{n[:10]}-{n[10:]}"])
def test_number_and_code_in_any_writing(world: World, write: Callable[[str], str]) -> None:
    case = world.submitted()
    code = query_code_of(case)
    answer = look_up(Client(), write(str(case.number)), f" {code[:4]}-{code[4:]} ")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/mine/")


def test_unknown_numbers_and_wrong_codes_are_told_apart_by_nobody(world: World) -> None:
    case = world.submitted()
    other = world.submitted()
    number, code = str(other.number), query_code_of(other)
    Contact.objects.filter(case=other).delete()
    other.timeline.all()
    known = look_up(Client(), str(case.number), wrong_code(case))
    Case.objects.filter(pk=other.pk).update(number="FZ0")
    unknown = look_up(Client(), number, code)
    assert errors_of(known) == errors_of(unknown) == [NO_MATCH] and known.status_code == unknown.status_code == 422


def test_guessing_at_one_number_ends_after_ten_tries_from_wherever(world: World) -> None:
    case = world.submitted()
    for n in range(10):
        assert errors_of(look_up(Client(), str(case.number), wrong_code(case), REMOTE_ADDR=f"203.0.113.{n}")) == [NO_MATCH]
    answer = look_up(Client(), str(case.number), query_code_of(case), REMOTE_ADDR="198.51.100.7")
    assert answer.status_code == 429 and "拨打 12345" in text_of(answer), "now not even the right code"
    assert look_up(Client(), str(world.submitted().number), "00000000").status_code == 422, "others are looked up as before"


def test_guessing_from_one_address_ends_after_ten_tries_at_whatever(world: World) -> None:
    for _ in range(10):
        case = world.submitted()
        look_up(Client(), str(case.number), wrong_code(case))
    case = world.submitted()
    assert look_up(Client(), str(case.number), query_code_of(case)).status_code == 429
    assert look_up(Client(), str(case.number), query_code_of(case), REMOTE_ADDR="198.51.100.7").status_code == 302


def test_tries_keep_no_address_and_are_forgotten_after_a_day(world: World) -> None:
    case = world.submitted()
    look_up(Client(), str(case.number), wrong_code(case), REMOTE_ADDR="203.0.113.77")
    assert Attempt.objects.count() == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT a::text FROM portal_attempt a")
        assert "203.0.113" not in str(cursor.fetchall())
    actions.purge(at=timezone.now() + timedelta(hours=25))
    assert not Attempt.objects.exists()


def test_a_reissued_code_voids_the_old_one_and_the_visit(world: World) -> None:
    case = world.submitted()
    old = query_code_of(case)
    citizen = Citizen().looks_up(case)
    new = case_actions.reissue_query_code(actor=world["team_leader"], at=world.now, case=case)
    assert citizen.client.get("/mine/").status_code == 302 and errors_of(look_up(Client(), str(case.number), old)) == [NO_MATCH]
    assert look_up(Client(), str(case.number), new).status_code == 302


@pytest.mark.parametrize("value", ["\x00", "a" * 100_000, "<script>", "😀", "' OR 1=1"])
@pytest.mark.parametrize("name", ["number", "code"])
def test_garbage_gets_a_sentence(world: World, name: str, value: str) -> None:
    answer = Client().post("/progress/", {"number": "FZ1", "code": "12345678", name: value})
    assert answer.status_code == 422 and errors_of(answer)


def test_staff_drafts_and_merged_numbers_are_nobodys(world: World) -> None:
    assert look_up(Client(), "", "").status_code == 422
    assert Client().get("/mine/").headers["Location"] == "/progress/"


# --- what is shown -----------------------------------------------------------------------------------------------


def busy(world: World) -> Case:
    """A case with staff, notes, a refused return, an assisting unit, and a reply sent back."""
    case = world.handling("生态环境")
    lead = world.lead(case)
    decide(world, ask_return(world, lead, reason="推诿的话不该给群众看"), grant=False)
    for task in (world.task_of(case, "生态环境"),):
        case_actions.excuse_report(actor=world["城管联络"], at=world.now, task=task, reason="免报的内部理由")
    case_actions.draft_reply(actor=world["城管联络"], at=world.now, task=world.lead(case), files=[photograph(name="初稿.png")], **REPLY | {"text": "被退回的初稿不该看见"})
    case_actions.sign_reply(actor=world["城管领导"], at=world.now, task=world.lead(case))
    case_actions.send_back(actor=world["auditor"], at=world.now, case=fresh(case), reasons=["no_process"], note="审核员的批注")
    return fresh(case)


def test_the_page_says_who_does_what_by_when_and_nothing_of_the_house(world: World) -> None:
    case = busy(world)
    page = text_of(Citizen().looks_up(case).client.get("/mine/"))
    assert "正在由仓山区城市管理局办理" in page and "答复您" in page and 'aria-current="step"' in page
    hidden = ["推诿的话", "免报的内部理由", "被退回的初稿", "初稿.png", "审核员的批注", "无办理过程", "退件", "生态环境", "13800138000"]
    hidden += [user.display_name for user in world.people.values() if len(user.display_name) > 3 or user.display_name.isascii()]
    for words in hidden:
        assert words not in page.replace('autocomplete="', ""), words


def test_confidential_cases_are_said_to_be_handled_so(world: World) -> None:
    case = world.dispatched(confidential=True)
    assert "承办的单位看不到您的姓名和电话" in text_of(Citizen().looks_up(case).client.get("/mine/"))


def test_an_unpassed_reply_and_its_papers_cannot_be_opened(world: World) -> None:
    case = busy(world)
    paper = Attachment.objects.get(name="初稿.png")
    assert Citizen().looks_up(case).client.get(f"/mine/files/{paper.pk}/").status_code == 404


def test_nobody_opens_the_files_of_another_case(world: World) -> None:
    citizen = Citizen()
    own = citizen.files(files=photograph())
    paper = own.attachments.get()
    assert citizen.looks_up(own).client.get(f"/mine/files/{paper.pk}/").status_code == 200
    other = Citizen().looks_up(world.submitted())
    assert other.client.get(f"/mine/files/{paper.pk}/").status_code == 404
    assert Client().get(f"/mine/files/{paper.pk}/").status_code == 302


def test_a_visit_ends_after_half_an_hour_and_the_words_are_kept(world: World) -> None:
    case = world.handling()
    citizen = Citizen().looks_up(case)
    session = citizen.client.session
    session[SESSION_KEY] = session[SESSION_KEY] | {"until": (timezone.now() - LASTS).timestamp()}
    session.save()
    answer = citizen.client.post("/mine/supplement/", {"submission": uuid4(), "text": "昨晚又打到两点"})
    assert answer.status_code == 403 and "昨晚又打到两点" in text_of(answer) and not Contact.objects.filter(purpose="supplement").exists()
    again = citizen.client.post("/progress/", {"number": case.number, "code": query_code_of(case), "carried": "昨晚又打到两点"})
    assert "昨晚又打到两点" in text_of(again) and "提交补充" in text_of(again)


# --- what may be done --------------------------------------------------------------------------------------------


def test_a_supplement_pressed_five_times_is_one(world: World) -> None:
    citizen, key = Citizen().looks_up(world.handling()), uuid4()
    answers = [citizen.client.post("/mine/supplement/", {"submission": key, "text": "又响了", "files": photograph()}) for _ in range(5)]
    assert {a.status_code for a in answers} == {302} and Contact.objects.filter(purpose="supplement").count() == 1
    assert Attachment.objects.count() == 1


@pytest.mark.parametrize("text", ["", "\x00", "字" * 2001, "字" * 100_000, " \n "])
def test_a_wrong_supplement_is_said_and_kept(world: World, text: str) -> None:
    answer = Citizen().looks_up(world.handling()).client.post("/mine/supplement/", {"submission": uuid4(), "text": text, "files": photograph()})
    assert answer.status_code == 422 and errors_of(answer) and "已经传好的" in text_of(answer)


def test_supplements_are_limited_and_the_words_stay(world: World, settings: Any) -> None:
    settings.HOTLINE = settings.HOTLINE | {"submissions_per_hour": 1}
    citizen = Citizen().looks_up(world.handling())
    citizen.client.post("/mine/supplement/", {"submission": uuid4(), "text": "一"})
    answer = citizen.client.post("/mine/supplement/", {"submission": uuid4(), "text": "第二条补充"})
    assert answer.status_code == 422 and "补充得太频繁" in text_of(answer) and "第二条补充" in text_of(answer)


def test_a_withdrawal_needs_a_reason_and_happens_once(world: World) -> None:
    case, key = world.accepted(), uuid4()
    citizen = Citizen().looks_up(case)
    assert citizen.client.post("/mine/withdraw/", {"submission": key, "reason": ""}).status_code == 422
    for _ in range(3):
        assert citizen.client.post("/mine/withdraw/", {"submission": key, "reason": "已经解决了"}).status_code == 302
    assert (fresh(case).state, fresh(case).ending) == ("closed", "withdrawn")
    assert [e.code for e in case.timeline.all()].count("withdraw") == 1
    assert "已经按您的要求撤回" in text_of(citizen.client.get("/mine/"))


def test_forms_of_ones_own_case_want_their_token(world: World) -> None:
    case = world.handling()
    citizen = Citizen(enforce_csrf_checks=True)
    citizen.client.get("/progress/")
    citizen.client.handler.enforce_csrf_checks = False
    citizen.looks_up(case)
    citizen.client.handler.enforce_csrf_checks = True
    for path in ("supplement", "withdraw", "rate", "consent", "leave"):
        answer = citizen.client.post(f"/mine/{path}/", {"submission": uuid4(), "text": "x", "reason": "x"})
        assert answer.status_code == 403 and "您填写的内容还在" in text_of(answer), path
    assert fresh(case).state == "in_handling" and Contact.objects.count() == 1


def test_consent_is_taken_back_on_ones_own_page(world: World) -> None:
    case = world.handling(publishable=True)
    citizen = Citizen().looks_up(case)
    assert "不再同意公开" in text_of(citizen.client.get("/mine/"))
    assert citizen.client.get("/mine/consent/").status_code == 405
    assert citizen.client.post("/mine/consent/").status_code == 302
    assert fresh(case).publishable is False and "不再同意公开" not in text_of(citizen.client.get("/mine/"))


# --- rating ------------------------------------------------------------------------------------------------------


def test_a_look_at_a_rating_link_changes_nothing(world: World) -> None:
    case = world.audited()
    token, version = make_token(case), fresh(case).version
    for query in ("", "?s=very", "?s=nonsense", "?s=very&solved=yes&satisfaction=very"):
        for _ in range(2):
            assert Client().get(f"/rate/{token}/{query}").status_code == 200
    assert Client().head(f"/rate/{token}/").status_code in (200, 405)
    assert fresh(case).version == version and not fresh(case).first_satisfaction


def test_two_presses_rate_once(world: World) -> None:
    case, key = world.audited(), uuid4()
    url = f"/rate/{make_token(case)}/"
    sent = {"submission": key, "satisfaction": "satisfied", "solved": "yes", "comment": "谢谢"}
    answers = [Client().post(url, sent) for _ in range(5)]
    assert {a.status_code for a in answers} == {200} and all("已经收到您的评价" in text_of(a) for a in answers)
    assert [e.code for e in case.timeline.all()].count("rate") == 1
    other = Client().post(url, sent | {"submission": uuid4(), "satisfaction": "unsatisfied"})
    assert other.status_code == 409 and "已经评价过" in text_of(other) and fresh(case).first_satisfaction == "satisfied"


@pytest.mark.parametrize("sent", [{}, {"satisfaction": "x", "solved": "yes"}, {"satisfaction": "very"}, {"satisfaction": "very", "solved": "\x00"},
                                  {"satisfaction": "very", "solved": "yes", "comment": "字" * 501}])  # fmt: skip
def test_half_a_rating_is_no_rating(world: World, sent: dict[str, str]) -> None:
    case = world.audited()
    answer = Client().post(f"/rate/{make_token(case)}/", sent)
    assert answer.status_code == 422 and errors_of(answer) and not fresh(case).first_satisfaction
    if "comment" in sent:
        assert sent["comment"] in text_of(answer)


@pytest.mark.parametrize("token", ["x", "a:b:c", "%00", "x" * 3000])
def test_a_broken_link_says_so(world: World, token: str) -> None:
    answer = Client().get(f"/rate/{token}/")
    assert answer.status_code == 404


def test_a_rating_by_look_up(world: World) -> None:
    case = world.audited()
    citizen = Citizen().looks_up(case)
    assert "您满意吗" in words_of(citizen.client.get("/mine/rate/"))
    assert citizen.client.post("/mine/rate/", {"submission": uuid4(), "satisfaction": "very", "solved": "yes"}).status_code == 302
    assert "谢谢您的评价" in text_of(citizen.client.get("/mine/"))


def test_two_presses_are_enough_and_what_was_passed_over_is_not_said(world: World) -> None:
    """domain.md §2.7 names four questions; two of them may be passed over, and none has a default."""
    case = world.audited()
    url = f"/rate/{make_token(case)}/"
    page = text_of(Client().get(f"{url}?s=very"))
    assert "有人为这件事联系过您吗" in page and "答复里说的情况属实吗" in page and "checked" not in page
    assert page.count('name="contacted"') == page.count('name="truthful"') == 3
    assert Client().post(url, {"submission": uuid4(), "satisfaction": "very", "solved": "yes"}).status_code == 200
    heard = case.follow_ups.get()
    assert (heard.contacted, heard.truthful) == (None, None)


@pytest.mark.parametrize("way", ["link", "mine"])
@pytest.mark.parametrize(("said", "means"), [("yes", True), ("no", False), ("unsure", None)])
def test_whether_anybody_came_and_whether_it_is_true_is_heard_and_shown(world: World, way: str, said: str, means: bool | None) -> None:
    case = world.audited()
    sent = {"submission": uuid4(), "satisfaction": "basic", "solved": "partly", "contacted": said, "truthful": said}
    if way == "link":
        assert Client().post(f"/rate/{make_token(case)}/", sent).status_code == 200
    else:
        assert Citizen().looks_up(case).client.post("/mine/rate/", sent).status_code == 302
    heard = case.follow_ups.get()
    assert (heard.contacted, heard.truthful) == (means, means)
    page = text_of(sign_in(Client(), world["follow_up"]).get(f"/cases/{case.number}/"))
    words = {True: ("承办单位联系过", "答复属实"), False: ("承办单位没有联系过", "答复不属实"), None: ()}[means]
    assert all(each in page for each in words)
    if means is None:
        assert "联系过 ·" not in page and "答复属实" not in page and "答复不属实" not in page


def test_an_answer_that_was_not_offered_rates_nothing(world: World) -> None:
    case = world.audited()
    sent = {"submission": uuid4(), "satisfaction": "very", "solved": "yes", "contacted": "maybe"}
    answer = Client().post(f"/rate/{make_token(case)}/", sent)
    assert answer.status_code == 422 and errors_of(answer) and not fresh(case).first_satisfaction


def test_who_rates_badly_after_closing_is_told_that_somebody_looks_and_then_what_came_of_it(world: World) -> None:
    case = world.audited()
    for give_up in (False, False, True):
        record_follow_up(actor=world["follow_up"], at=world.later(hours=3), case=case, reached=False, give_up=give_up)
    citizen = Citizen().looks_up(case)
    sent = {"submission": uuid4(), "satisfaction": "unsatisfied", "solved": "no"}
    assert citizen.client.post("/mine/rate/", sent).status_code == 302
    assert "我们会再看一遍，结果在这里告诉您" in text_of(citizen.client.get("/mine/"))
    keep_closed(actor=world["follow_up"], at=timezone.now(), case=case, reason="噪声已复测达标。")
    page = text_of(citizen.client.get("/mine/"))
    assert "不再安排办理。原因：噪声已复测达标。" in page and "结果在这里告诉您" not in page


# --- similar -----------------------------------------------------------------------------------------------------


def test_others_are_shown_before_the_person_is_asked_and_deflect_nobody(world: World) -> None:
    noise = world.topics["夜间施工噪声"]
    for _ in range(2):
        world.dispatched()
    citizen = Citizen()
    citizen.step("what", kind="complaint", text="夜里施工", topic=noise.code)
    assert citizen.step("where", street="350104100").headers["Location"] == "/file/similar/"
    page = text_of(citizen.client.get("/file/similar/"))
    assert "建新镇还有几位群众反映同样的问题，正在由仓山区城市管理局办理" in page and 'href="/file/who/"' in page
    assert "工地半夜打桩" not in page, "of open ones a count and nothing else"
    for _ in range(4):
        world.dispatched()
    assert "还有 6 位群众" in text_of(citizen.client.get("/file/similar/"))
    elsewhere = Citizen()
    elsewhere.step("what", kind="complaint", text="夜里施工", topic=noise.code)
    assert elsewhere.step("where", county="350102").headers["Location"] == "/file/who/", "nothing alike, no page"


# --- what the pages ask of the database --------------------------------------------------------------------------


def counted(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200, path
    return len(queries)


# Exact numbers: lower them with pleasure, raise one only with a reason in the commit.
BASELINE = {
    "/": 2, "/privacy/": 1, "/file/": 4, "/file/where/": 3, "/file/similar/": 7, "/file/who/": 2, "/file/check/": 5, "/progress/": 1,
    "/published/": 5, "/mine/": 9, "/mine/supplement/": 5, "/mine/withdraw/": 3, "/mine/rate/": 5,
}  # fmt: skip


def test_each_page_asks_a_fixed_number_of_questions(world: World) -> None:
    citizen = Citizen().fill(files=photograph(), topic=world.topics["夜间施工噪声"].code)
    world.dispatched()
    world.dispatched()
    case = world.audited()
    citizen.looks_up(case)
    found = {path: counted(citizen.client, path) for path in BASELINE if not path.startswith("/mine/withdraw")}
    other = Citizen().looks_up(world.accepted())
    found["/mine/withdraw/"] = counted(other.client, "/mine/withdraw/")
    found = {path: found[path] for path in BASELINE}
    assert found == BASELINE, str(found)
    for n in range(5):
        case_actions.supplement_case(
            actor=world["agent"], at=world.now, case=case, channel="phone", text=f"又来 {n}", files=[SimpleUploadedFile("a.png", photograph().read())]
        )
        world.dispatched()
    assert counted(citizen.client, "/mine/") == found["/mine/"] and counted(citizen.client, "/file/similar/") == found["/file/similar/"]
