"""Finding cases by number, person and words: everything that one may read is found, and nothing else."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from minsheng.accounts.testing import sign_in
from minsheng.cases import actions, indexing, search_rules, searching
from minsheng.cases.choices import Channel
from minsheng.cases.details import ApplicantDetails, CaseDetails
from minsheng.cases.models import Case, CaseWords, Task
from minsheng.cases.tests.world import World
from minsheng.dispatching.actions import dispatch_case, split_case
from minsheng.followup.actions import record_follow_up, start_second_handling


def found(world: World, who: str, typed: str) -> list[str]:
    """Numbers that this search brings this person."""
    user = world[who]
    cases = searching.narrow(Case.objects.visible_to(user), typed, user=user)
    return sorted(str(case.number) for case in cases)


def test_words_are_found_wherever_they_stand(world: World) -> None:
    case = world.audited()
    actions.supplement_case(actor=world["agent"], at=world.later(hours=1), case=case, channel=Channel.PHONE, text="昨晚又用了冲击钻")
    other = world.submitted(text="小区门口的路灯不亮。", place=None, address="")
    for words in ("打桩", "半夜打桩", "工地半夜", "冲击钻", "停止夜间施工", "金山大道", "建新镇", "打桩 睡不着"):
        assert found(world, "dispatcher", words) == [case.number], words
    assert found(world, "dispatcher", "路灯") == [other.number]
    assert found(world, "dispatcher", "路灯 打桩") == found(world, "dispatcher", "工半夜地") == []


@pytest.mark.parametrize("typed", ["13800138000", "138 0013 8000", "+86 138-0013-8000", "林小满", "林小满 打桩", "13800138000 打桩"])
def test_a_person_is_found_by_number_and_name(world: World, typed: str) -> None:
    case = world.dispatched()
    world.submitted(applicant=ApplicantDetails(name="陈大文", phone="13900139000"))
    for who in ("agent", "dispatcher", "城管联络"):
        assert found(world, who, typed) == [case.number]
    for who in ("analyst", "knowledge", "鼓楼城管联络", "system_admin"):
        assert found(world, who, typed) == []


def test_no_number_of_a_person_stands_in_the_index(world: World) -> None:
    case = world.submitted(text="请拨打邻居的电话13900139000，他的身份证号350102198001010011。")
    assert found(world, "dispatcher", "13900139000") == [case.number]
    row = CaseWords.objects.get()
    assert "139" not in row.text + row.redacted and "35010219" not in row.text
    assert timezone.is_aware(row.received_at)


def stored_is_current() -> None:
    """Every numbered case is indexed as it would be now."""
    cases = list(Case.objects.exclude(state="draft"))
    stored = {row.pk: (row.text, row.redacted, row.for_units, row.grams) for row in CaseWords.objects.all()}
    assert stored == {row.pk: (row.text, row.redacted, row.for_units, row.grams) for row in indexing.rows_of(cases)}


def test_every_action_leaves_the_index_as_the_case_reads(world: World) -> None:
    agent, dispatcher = world["agent"], world["dispatcher"]
    draft = actions.save_draft(
        actor=agent, at=world.now, channel=Channel.PHONE, details=CaseDetails(kind="help", text="还没写完的草稿"), applicant=ApplicantDetails()
    )
    assert draft.state == "draft" and not CaseWords.objects.exists()
    case = world.accepted()
    details = CaseDetails(kind=case.kind, text="改成渣土车夜里撒漏。", topic=case.topic, place=world.places["鼓楼区"])
    actions.correct_case(actor=dispatcher, at=world.later(minutes=1), case=case, details=details)
    stored_is_current()
    assert found(world, "dispatcher", "渣土车") == [case.number] and found(world, "dispatcher", "改成渣土 打桩") == [case.number]
    dispatch_case(actor=dispatcher, at=world.later(minutes=1), case=case, lead=world.units["仓山城管"], assisting=[world.units["水务"]])
    stored_is_current()
    lead = world.lead(case)
    actions.read_task(actor=world["城管联络"], at=world.later(minutes=1), task=lead)
    child = actions.sub_dispatch(actor=world["城管联络"], at=world.later(minutes=1), task=lead, unit=world.units["建新中队"])
    stored_is_current()
    assert found(world, "中队联络", "渣土车") == [case.number]
    actions.read_task(actor=world["中队联络"], at=world.later(minutes=1), task=child)
    actions.report_result(actor=world["中队联络"], at=world.later(hours=1), task=child, text="已冲洗路面。", finding="true")
    stored_is_current()
    actions.supplement_case(actor=agent, at=world.later(minutes=1), case=case, channel=Channel.PHONE, text="今晚又来了两辆")
    actions.make_confidential(actor=dispatcher, at=world.later(minutes=1), case=case, reason="怕被报复")
    stored_is_current()
    actions.lift_confidentiality(actor=world["hotline_leader"], at=world.later(minutes=1), case=case, reason="本人同意")
    stored_is_current()
    passed = world.audited()
    stored_is_current()
    record_follow_up(
        actor=world["follow_up"], at=world.later(hours=1), case=passed, reached=True, satisfaction="unsatisfied", solved="no"
    )
    county = world.units["仓山区政府"]
    start_second_handling(actor=world["follow_up"], at=world.later(hours=1), case=passed, unit=county, reason="仍在施工")
    stored_is_current()
    origin = world.accepted(text="一是路灯不亮，二是井盖松动。")
    split_case(
        actor=dispatcher, at=world.later(minutes=1), case=origin, parts=[CaseDetails(kind="help", text="井盖松动。", topic=origin.topic)]
    )
    stored_is_current()


def test_an_unsigned_reply_finds_nothing(world: World) -> None:
    case = world.drafted()
    assert found(world, "城管联络", "停止夜间施工") == found(world, "dispatcher", "停止夜间施工") == []
    actions.sign_reply(actor=world["城管领导"], at=world.later(hours=1), task=world.lead(case))
    assert found(world, "城管联络", "停止夜间施工") == found(world, "analyst", "停止夜间施工") == [case.number]


def test_units_find_a_confidential_case_by_the_words_made_for_them_only(world: World) -> None:
    case = world.dispatched(confidential=True, text="我是该局出纳，工地给局长送礼。")
    assert found(world, "城管联络", "夜间施工") == [case.number]
    for words in ("出纳", "局长送礼", "林小满", "13800138000", "金山大道"):
        assert found(world, "城管联络", words) == [], words
        assert found(world, "agent2", words) == found(world, "analyst", words) == []
    assert found(world, "dispatcher", "出纳") == found(world, "agent", "出纳") == [case.number]


def test_a_case_made_confidential_late_is_no_longer_found_by_what_was_open(world: World) -> None:
    case = world.handling(text="林小满家楼下工地半夜打桩，邻居欧阳女士也听见了。")
    assert found(world, "城管联络", "林小满家") == [case.number]
    actions.make_confidential(actor=world["dispatcher"], at=world.later(minutes=1), case=case, reason="怕被报复")
    assert found(world, "城管联络", "林小满家") == found(world, "城管联络", "林小满") == []
    assert found(world, "dispatcher", "林小满家") == [case.number]


def test_who_reads_without_persons_finds_nobody_in_the_words(world: World) -> None:
    case = world.submitted(text="我叫林小满，住3栋502室，电话13900139000，小区停水。")
    assert found(world, "analyst", "小区停水") == [case.number]
    for words in ("林小满", "502室", "13900139000", "我叫林", "金山大道"):
        assert found(world, "analyst", words) == [], words
    assert found(world, "dispatcher", "502室") == found(world, "dispatcher", "我叫林小满") == [case.number]


def test_a_unit_finds_what_it_and_those_below_were_given_and_nothing_of_others(world: World) -> None:
    case = world.handling()
    for who in ("城管联络", "区政府联络"):
        assert found(world, who, "打桩") == [case.number]
    for who in ("鼓楼城管联络", "中队联络", "水务联络", "system_admin"):
        assert found(world, who, "打桩") == []
    Task.objects.filter(case=case).update(state="recalled")  # the index still names the unit; rights do not
    assert found(world, "城管联络", "打桩") == []


def test_each_part_of_a_text_finds_it_and_nothing_else_does(world: World) -> None:
    texts = ["小区路灯不亮，路灯，灯不亮了。", "LED 路灯太亮 照进卧室", "不亮的是楼道灯；物业没人管", "路 灯下的井盖松了𠮷"]
    cases = {world.submitted(text=text, address="", place=None, applicant=ApplicantDetails()).number: text for text in texts}
    user = world["dispatcher"]
    folded = {number: search_rules.fold(text) for number, text in cases.items()}
    phrases = {text[a:b].strip() for text in folded.values() for a in range(len(text)) for b in range(a + 2, min(a + 6, len(text)) + 1)}
    for phrase in sorted(phrases | {"灯路", "亮不", "楼道灯不"}):
        if len(phrase) < 2:
            continue
        search = search_rules.Search(phrase, terms=(search_rules.Term(phrase, phrase),))
        told = {str(case.number) for case in searching.find(user, search).page.rows}
        assert told == {number for number, text in folded.items() if phrase in text}, phrase


@pytest.mark.parametrize("counted", [1000, 3])
def test_pages_follow_each_other_newest_first_rare_or_common(world: World, monkeypatch: pytest.MonkeyPatch, counted: int) -> None:
    monkeypatch.setattr(searching, "MOST_COUNTED", counted)
    monkeypatch.setattr(searching, "SHOWN", 4)
    monkeypatch.setattr(searching, "_WALKED", 2)
    made = []
    for minute in range(11):
        made.append(world.submitted(text="路灯不亮" if minute % 2 else "路灯太亮").number)
        world.later(minutes=1 if minute % 3 else 600)
    user, seen, cursor = world["dispatcher"], [], ""
    search = search_rules.parse("路灯")
    while True:
        result = searching.find(user, search, cursor=cursor)
        assert result.counted == ("11" if counted == 1000 else "3+")
        seen += [case.number for case in result.page.rows]
        cursor = result.page.next
        if not cursor:
            break
    assert seen == made[::-1]
    back = searching.find(user, search, cursor=searching.find(user, search, cursor=result.page.previous).page.previous)
    assert [case.number for case in back.page.rows] == seen[:4]


@pytest.mark.parametrize("counted", [1000, 2])
def test_filters_and_sorts_join_a_search_rare_or_common(world: World, monkeypatch: pytest.MonkeyPatch, counted: int) -> None:
    monkeypatch.setattr(searching, "MOST_COUNTED", counted)
    monkeypatch.setattr(searching, "SHOWN", 2)
    monkeypatch.setattr(searching, "_WALKED", 2)
    made = []
    for number in range(9):
        made.append(world.submitted(text="路灯不亮", kind="help" if number % 3 else "complaint").number)
        world.later(minutes=90)
    world.submitted(text="井盖松了", kind="help")
    user, search, help_ = world["dispatcher"], search_rules.parse("路灯"), Q(kind="help")
    wanted = [number for place, number in enumerate(made) if place % 3]
    for order, expected in ((searching.NEWEST, wanted[::-1]), (("received_at", "id"), wanted)):
        seen, cursor = [], ""
        while True:
            result = searching.find(user, search, cursor=cursor, condition=help_, order=order)
            assert result.counted == ("6" if counted == 1000 else "2+")
            seen += [case.number for case in result.page.rows]
            cursor = result.page.next
            if not cursor:
                break
        assert seen == expected, order


def test_a_search_without_filters_reads_what_it_always_read(world: World) -> None:
    """Counting, and finding the page's cases, touch the case, its words and whom it may be shown to: no filter's tables."""
    world.handling()
    with CaptureQueriesContext(connection) as counted:
        assert searching.find(world["dispatcher"], search_rules.parse("打桩")).count == 1
    count, page = (query["sql"] for query in counted.captured_queries[:2])
    for sql in (count, page):
        assert set(re.findall(r'(?:FROM|JOIN) "(\w+)"', sql)) == {"cases_case", "cases_casewords"}
    assert "ORDER BY" not in count


def test_rare_words_are_read_from_the_index_of_pairs(world: World) -> None:
    world.submitted()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")  # one row is read any way
    for who in ("dispatcher", "analyst"):  # a unit of one case begins at its tasks
        cases = searching.narrow(Case.objects.visible_to(world[who]), "打桩", user=world[who])
        assert "casewords_grams" in cases.explain(), who


def test_a_whole_life_is_indexed_once_and_as_it_reads_at_its_end(world: World) -> None:
    with indexing.once():
        world.audited()
        assert not CaseWords.objects.exists()
    stored_is_current()
    assert CaseWords.objects.count() == 1
    world.submitted()
    assert CaseWords.objects.count() == 2, "and afterwards at once again"


def test_the_index_is_rebuilt_whole(world: World) -> None:
    case = world.audited()
    CaseWords.objects.all().delete()
    assert found(world, "dispatcher", "打桩") == []
    call_command("rebuild_words", stdout=StringIO(), stderr=StringIO())
    stored_is_current()
    assert found(world, "dispatcher", "打桩") == [case.number]


def test_a_mistyped_number_offers_the_case_that_was_meant(world: World, client: Client) -> None:
    number = str(world.submitted().number)
    sign_in(client, world["dispatcher"])
    assert client.post("/cases/find/", {"q": number.lower()})["Location"] == f"/cases/{number}/"
    wrong = number[:-3] + str((int(number[-3]) + 1) % 10) + number[-2:]
    page = client.post("/cases/find/", {"q": wrong}, follow=True).content.decode()
    assert "末位校验不符" in page and f"/cases/{number}/" in page
    sign_in(client, world["鼓楼城管联络"])
    assert number not in client.post("/cases/find/", {"q": wrong}, follow=True).content.decode()


def test_the_page_marks_the_words_and_shows_where_they_stand(world: World, client: Client) -> None:
    case = world.submitted(title="工地太吵", text="一家人睡不着。" * 10 + "隔壁空调外机也响。")
    sign_in(client, world["dispatcher"])
    page = client.post("/cases/find/", {"q": "空调外机"}, follow=True).content.decode()
    assert '<mark class="mark-hit">空调外机</mark>' in page and str(case.number) in page and "共 <b" in page
    nothing = client.get("/cases/found/", {"q": "没有的词 打桩"}).content.decode()
    assert "没有找到" in nothing and "/cases/found/?q=%E6%B2%A1%E6%9C%89%E7%9A%84%E8%AF%8D" in nothing
    assert "请至少写两个字" in client.get("/cases/found/", {"q": "狗"}).content.decode()
    assert "没有保留下来" in client.get("/cases/found/", {"kept": "nonsense"}).content.decode()


def test_what_is_searched_by_person_stays_in_the_session_unreadable(world: World, client: Client) -> None:
    world.submitted()
    sign_in(client, world["dispatcher"])
    for typed in ("13800138000", "林小满"):
        assert client.post("/cases/find/", {"q": typed})["Location"].startswith("/cases/found/?kept=")
        assert typed not in str(dict(client.session.items()))
    assert client.get("/cases/found/", {"q": "13800138000"}).status_code == 422
    assert client.get("/cases/found/", {"q": "林小满"}).context["page"].rows == []


@pytest.mark.parametrize(("who", "hint"), [("agent", "电话、姓名"), ("城管联络", "电话、姓名"), ("analyst", "编号、内容里的词"), ("system_admin", "")])
def test_the_box_offers_what_the_person_may_find_by(world: World, client: Client, who: str, hint: str) -> None:
    page = sign_in(client, world[who]).get("/desk/", follow=True).content.decode()
    assert ('id="search"' in page) == bool(hint) and hint in page
    assert ("姓名、内容里的词" in page) == (who in ("agent", "城管联络"))
