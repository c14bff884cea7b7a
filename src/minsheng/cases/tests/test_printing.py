"""Paper: what people wrote is data to the typesetter, the person is whole only for a reason on record, and no paper is boxes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typst
from django.core.checks import run_checks
from django.test import Client, RequestFactory
from hypothesis import given, settings
from hypothesis import strategies as st

from minsheng.accounts.testing import sign_in
from minsheng.audit.models import AuditEntry
from minsheng.cases import actions, queries
from minsheng.cases.models import Case, RefusalGround, Reply
from minsheng.cases.printing import documents, typesetting
from minsheng.cases.printing.typesetting import printable, set_pdf
from minsheng.cases.tests.stories import refused
from minsheng.cases.tests.world import World, fresh
from minsheng.cases.views.page import case_context

pytestmark = pytest.mark.django_db
SOURCE = '#read("/etc/passwd") #panic("x") *粗* _斜_ $a+b$ \\ \\u{41} @ref <label> `raw` = 题\n- 列\n+ 列\n// 注 /* 注 */ #let x = 1 "引号" #{'
LETTER: dict[str, Any] = {
    "number": "FZ1", "title": "关于12345热线诉求事项的答复函", "to": "尊敬的诉求人", "body": ["答复如下："], "basis": "", "routes": [],
    "closing": "特此函告。", "files": [], "signer": "某局", "date": "2026年11月27日",
}  # fmt: skip


def body_of(world: World, who: str, case: Case) -> dict[str, Any]:
    request = RequestFactory().get("/")
    request.user = world[who]
    body: dict[str, Any] = case_context(request, queries.case_for(world[who], case.number or ""))["body"]
    return body


def sheet(world: World, who: str, case: Case, **more: Any) -> dict[str, Any]:
    return documents.sheet_data(body_of(world, who, case), maker=str(world[who]), at=world.now, **more)


def pages_of(source: str, data: dict[str, Any]) -> int:
    made = typst.Compiler(
        typesetting.SOURCES / f"{source}.typ", root=typesetting.SOURCES, font_paths=typesetting._fonts()
    ).compile(format="svg", sys_inputs={"data": json.dumps(typesetting._plain(data))})
    return len(made) if isinstance(made, list) else 1


def text_of(pdf: bytes, tmp_path: Path) -> str:
    """What a reader finds in it, by poppler (`make system`)."""
    if shutil.which("pdftotext") is None:
        print("pdftotext is missing: install poppler-utils (make system)", file=sys.stderr)
        pytest.skip("pdftotext is missing: install poppler-utils (make system)")
    (tmp_path / "paper.pdf").write_bytes(pdf)
    found = subprocess.run(["pdftotext", "-enc", "UTF-8", tmp_path / "paper.pdf", "-"], capture_output=True, check=True)
    return found.stdout.decode()


# --- setting -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["letter", "sheet"])
def test_what_people_wrote_is_never_source(world: World, source: str) -> None:
    case = world.handling(text=SOURCE, title="#panic()")
    data = sheet(world, "城管联络", case) if source == "sheet" else LETTER | {"body": [SOURCE], "signer": SOURCE, "to": SOURCE}
    pdf = set_pdf(source, data)
    assert pdf.startswith(b"%PDF") and b"root:" not in pdf


def test_its_text_stands_as_it_was_written(world: World, tmp_path: Path) -> None:
    shown = text_of(set_pdf("letter", LETTER | {"body": [SOURCE]}), tmp_path)
    # Where Chinese meets signs the typesetter leaves a little room, which comes back as a blank.
    assert '#read("/etc/passwd")' in shown and "*粗*_斜_$a+b$" in shown.replace(" ", "") and "root:" not in shown


def test_the_document_names_itself_and_its_language() -> None:
    pdf = set_pdf("letter", LETTER)
    assert b"/Lang(zh" in pdf.replace(b" ", b"") and b"/MarkInfo" in pdf and b"pdfuaid" in pdf


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=300))
def test_any_text_can_be_set(text: str) -> None:
    assert set_pdf("letter", LETTER | {"body": [text], "files": [text]}).startswith(b"%PDF")


def test_pictures_are_named_and_what_cannot_be_seen_is_left_out() -> None:
    assert printable("好😀👨\u200d👩\u200d👧！\x00\x1b[31m\ue000") == "好〔表情〕！[31m"
    assert printable("一\r\n二\t三") == "一\n二 三"


def test_what_no_font_has_is_marked_never_a_box(tmp_path: Path) -> None:
    strange = "阿拉伯字 ۍۑۇ، 彝文 ꀀꀁ，线形文字 \U00010000\U00010001，生僻字 𠮷\U0002ebf0。\\ \" 引号"
    assert set_pdf("letter", LETTER | {"body": [strange]}).startswith(b"%PDF")


def test_long_words_break_instead_of_leaving_the_page() -> None:
    assert max(len(part) for part in printable("A" * 200).split("\u200b")) <= 24
    assert printable("A" * 24) == "A" * 24 and printable("汉" * 99) == "汉" * 99


def test_a_very_long_text_takes_many_pages_and_too_long_a_one_is_refused() -> None:
    long = LETTER | {"body": ["夜里打桩声音很大，家里有高三的孩子。\n" * 1000] * 5}  # 100 kB of UTF-8 and more
    assert len(str(long).encode()) > 100_000 and pages_of("letter", long) > 100
    with refused("pdf_too_long"):
        set_pdf("letter", LETTER | {"body": ["长" * typesetting.LONGEST]})


def test_without_a_chinese_font_nothing_is_set_and_the_operator_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typesetting, "FONT", "A Font That Nobody Has")
    with refused("pdf_font_missing") as refusal:
        set_pdf("letter", LETTER)
    assert "fonts-noto-cjk" in refusal.value.sentence
    assert [found.id for found in run_checks(include_deployment_checks=True) if found.id == "minsheng.W031"]


# --- 办理单 -------------------------------------------------------------------------------------------------------


def test_the_sheet_says_what_the_page_says(world: World) -> None:
    case = world.audited()
    said = str(sheet(world, "城管联络", case))
    for words in ("工地半夜打桩", "仓山区城市管理局（主办）", "经现场核查，该工地已停止夜间施工", "审核通过", "林**", case.number or ""):
        assert words in said, words
    assert "林小满" not in said and "13800138000" not in said


def test_the_sheet_gives_the_handling_limit_whatever_presses_more(world: World) -> None:
    case = world.dispatched()  # unread: reading ends first
    [task] = sheet(world, "auditor", case)["tasks"]
    assert f"办理时限：{documents._due(world.lead(case).due_at)}" in task["text"]


def test_of_a_confidential_case_a_unit_prints_no_person_and_none_of_their_words(world: World) -> None:
    case = world.handling(confidential=True)
    said = str(sheet(world, "城管联络", case))
    assert "工地半夜打桩" not in said and "有人反映工地夜间施工" in said and "林" not in said and "138" not in said
    assert "工地半夜打桩" in str(sheet(world, "dispatcher", case))


def test_whole_only_for_a_reason_and_on_record(world: World) -> None:
    case = world.handling()
    client, url = sign_in(Client(), world["城管联络"]), f"/cases/{case.number}/papers/"
    assert client.post(url, {"paper": "sheet"}).status_code == 422
    assert not AuditEntry.objects.filter(code__in=["case.printed", "case.uncover_applicant"]).exists()
    answer = client.post(url, {"paper": "sheet", "reason": "上门核查须带"})
    assert answer.status_code == 200 and answer["Content-Type"] == "application/pdf"
    assert "no-store" in answer["Cache-Control"]
    entries = AuditEntry.objects.filter(code__in=["case.printed", "case.uncover_applicant"]).order_by("id")
    assert [(e.code, e.why) for e in entries] == [("case.uncover_applicant", "上门核查须带"), ("case.printed", "上门核查须带")]
    assert entries[1].detail == {"paper": "sheet", "uncovered": True}
    person = actions.uncover_applicant(actor=world["城管联络"], at=world.now, case=case, reason="核对")
    data = sheet(world, "城管联络", case, whole=person)
    assert {"name": "诉求人", "value": "林小满　13800138000", "wide": True} in data["facts"] and "妥善保管" in data["warning"]


@pytest.mark.parametrize("who", ["analyst", "quality", "knowledge"])
def test_who_may_not_uncover_prints_nobody_whole(world: World, who: str) -> None:
    case = world.handling()
    answer = sign_in(Client(), world[who]).post(f"/cases/{case.number}/papers/", {"paper": "sheet", "reason": "想看"})
    assert answer.status_code == 403 and answer["Content-Type"].startswith("text/html")
    assert not AuditEntry.objects.filter(code="case.printed").exists()


def test_each_print_is_on_record_and_strangers_have_none(world: World) -> None:
    case = world.handling()
    url = f"/cases/{case.number}/paper/sheet.pdf"
    assert sign_in(Client(), world["城管联络"]).get(url).status_code == 200
    entry = AuditEntry.objects.get(code="case.printed")
    assert (entry.actor_id, entry.subject_label, entry.detail) == (world["城管联络"].pk, case.number, {"paper": "sheet", "uncovered": False})
    assert sign_in(Client(), world["水务联络"]).get(url).status_code == 404
    assert sign_in(Client(), world["城管联络"]).get(f"/cases/{case.number}/paper/x.pdf").status_code == 404
    assert AuditEntry.objects.filter(code="case.printed").count() == 1


# --- letters -----------------------------------------------------------------------------------------------------


def letter(world: World, who: str, case: Case) -> dict[str, Any]:
    body = body_of(world, who, case)
    return documents.reply_letter_data(body, documents.letter_entry(body, Reply.objects.get(task__case=case).pk))


def test_a_letter_goes_out_when_the_reply_has_passed(world: World) -> None:
    case = world.replied()
    with refused("letter_not_passed"):
        letter(world, "城管联络", case)
    actions.pass_reply(actor=world["auditor"], at=world.later(hours=1), case=case)
    data = letter(world, "城管联络", fresh(case))
    assert (data["to"], data["signer"], data["date"]) == ("尊敬的诉求人", "仓山区城市管理局", "2026年11月24日")
    assert data["basis"] == "《噪声污染防治法》第四十三条。" and data["routes"] == []
    assert "林" not in str(data) and set_pdf("letter", data).startswith(b"%PDF")


def test_who_did_not_get_what_they_asked_for_is_told_the_way_on(world: World) -> None:
    case = world.audited()
    Reply.objects.filter(task__case=case).update(outcome="not_supported")
    assert "行政复议" in letter(world, "城管联络", case)["routes"][0]


def test_the_centre_says_why_it_did_not_take_it_on(world: World) -> None:
    ground = RefusalGround.objects.get(code="out_of_city")
    RefusalGround.objects.filter(pk=ground.pk).update(legal_route="向当地政府提出", hotlines=["12345"], basis="办法第八条")
    case = actions.reject_case(actor=world["agent"], at=world.now, case=world.submitted(), ground=ground)
    data = documents.refusal_letter_data(body_of(world, "agent", fresh(case)))
    assert data["title"] == "不予受理告知书" and "请拨打当地 12345" in data["body"][0]
    assert data["routes"][:2] == ["法定途径：向当地政府提出。", "可拨打：12345。"] and data["signer"] == documents.CENTRE
    answer = sign_in(Client(), world["agent"]).get(f"/cases/{case.number}/paper/refusal.pdf")
    assert answer.status_code == 200
    with refused("not_found"):
        documents.refusal_letter_data(body_of(world, "agent", world.accepted()))


def test_nobody_else_finds_a_letter_of_an_unsigned_draft(world: World) -> None:
    case = world.drafted()
    reply = Reply.objects.get(task__case=case)
    assert sign_in(Client(), world["auditor"]).get(f"/cases/{case.number}/paper/{reply.pk}.pdf").status_code == 404
