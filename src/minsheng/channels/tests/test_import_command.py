"""minsheng import-messages on a real database: all or nothing, and the same cases when run again."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from minsheng.audit.models import AuditEntry
from minsheng.audit.queries import verify
from minsheng.cases.choices import CaseState, Channel, RequestKind
from minsheng.cases.models import Case, Contact
from minsheng.cases.tests.world import World
from minsheng.channels import actions
from minsheng.channels.tests.sheets import write_book

GOOD = "编号,标题,内容,时间,姓名,电话,类型,主题,区域\n1,路灯,路灯三天不亮。,2026-01-05 20:00,林某,13800000001,求助,道路塌陷,仓山区建新镇\n"
SECOND = "2,,夜里打桩。,2026-01-06 23:00,,,投诉,,\n"
BAD = "3,,,2026-01-06,,,,,\n4,,内容,改天,,,,,\n"


def run(path: Path, text: str | None = None, *options: str, **more: Any) -> str:
    if text is not None:
        path.write_text(text, encoding="utf-8")
    out, err = StringIO(), StringIO()
    call_command("import_messages", str(path), *options, stdout=out, stderr=err, **more)
    return out.getvalue() + err.getvalue()


@pytest.fixture
def path(tmp_path: Path, world: World) -> Path:
    return tmp_path / "letters.csv"


def test_messages_become_cases_that_wait_for_acceptance(path: Path) -> None:
    assert "来源“letters”：新增 2 件，已有 0 件" in run(path, GOOD + SECOND)
    case = Case.objects.get(contacts__source_id="1")
    assert (case.state, case.channel, case.kind) == (CaseState.TO_ACCEPT, Channel.IMPORT, RequestKind.HELP)
    assert (case.topic.name if case.topic else "", case.place.name if case.place else "") == ("道路塌陷", "建新镇")
    assert (case.applicant.name, case.applicant.phone) == ("林某", "13800000001")
    assert case.received_at.isoformat().startswith("2026-01-05T12:00")
    assert case.stage_due_at is not None
    assert case.timeline.get().actor_label == "批量导入（letters）"
    assert AuditEntry.objects.get(code="channels.messages_imported").detail == {"source": "letters", "new": 2, "known": 0}
    assert not verify().findings


def test_run_twice_gives_the_same_cases_and_a_longer_file_only_the_new_ones(path: Path) -> None:
    run(path, GOOD)
    numbers = set(Case.objects.values_list("number", flat=True))
    assert "新增 0 件，已有 1 件" in run(path)
    assert "新增 1 件，已有 1 件" in run(path, GOOD + SECOND)
    assert Case.objects.count() == 2
    assert numbers < set(Case.objects.values_list("number", flat=True))


def test_one_bad_row_and_nothing_is_written(path: Path, tmp_path: Path) -> None:
    report = tmp_path / "bad.csv"
    with pytest.raises(CommandError, match="有 2 行不能导入，一行也没有写入"):
        run(path, GOOD + BAD, "--report", str(report))
    assert not Contact.objects.exists()
    with report.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [["行", "编号", "原因"], ["3", "3", "没有内容"], ["4", "4", "看不懂时间“改天”"]]


def test_the_good_rows_alone_where_asked(path: Path) -> None:
    said = run(path, GOOD + BAD, "--skip-bad")
    assert "新增 1 件，已有 0 件，跳过 2 行" in said
    assert "第 3 行（3）：没有内容" in said
    assert Contact.objects.get().source_id == "1"


def test_a_failure_in_the_middle_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = actions.submit_case, []  # type: ignore[attr-defined]

    def failing(**values: Any) -> Case:
        calls.append(values)
        if len(calls) == 2:
            raise RuntimeError("power cut")
        return real(**values)

    monkeypatch.setattr(actions, "submit_case", failing)
    with pytest.raises(RuntimeError):
        run(path, GOOD + SECOND)
    assert not Case.objects.exists()


def test_long_letters_are_kept_whole_and_formulas_are_words(path: Path) -> None:
    letter = "我" * 7000
    run(path, f"编号,内容\n=1,=HYPERLINK(1)\n8,{letter}\n")
    assert {case.text for case in Case.objects.all()} == {"=HYPERLINK(1)", letter}
    assert {contact.text for contact in Contact.objects.all()} == {"=HYPERLINK(1)", letter}


def test_a_workbook_with_columns_named_by_option(path: Path, tmp_path: Path) -> None:
    book = write_book(tmp_path / "b.xlsx", [["甲", "乙"], ["9", "井盖没了。"]])
    run(book, None, "--map", "text=乙", "--map", "message_id=甲", "--source", "信箱", "--channel", "referral", "--kind", "help")
    contact = Contact.objects.get()
    assert (contact.source, contact.source_id, contact.channel, contact.case.kind) == ("信箱", "9", "referral", "help")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--map", "text"], "--map 写作"),
        (["--map", "text=没有"], "没有“没有”这一列"),
        (["--source", "长" * 41], "来源名称最多 40 字"),
        (["--report", "/nowhere/bad.csv"], "写不了报告"),
    ],
)
def test_a_wrong_option_is_one_sentence(path: Path, options: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run(path, GOOD, *options)
    assert not Contact.objects.exists()
