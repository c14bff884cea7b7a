"""Reading and judging files of messages: every malformed file is one sentence, every malformed row has its reason."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from minsheng.cases.details import TEXT_LENGTH
from minsheng.channels import import_files
from minsheng.channels.import_files import Line, Sheet, Unreadable, decoded, read_table
from minsheng.channels.importing import SHANGHAI, Checked, Known, check, find_columns, harmless
from minsheng.channels.tests.sheets import text_cell, write_book

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
KNOWN = Known(topics={"占道经营"}, places={"仓山区", "仓山区建新镇"})


def judged(*rows: list[str], header: str = "编号,标题,内容,时间,类型,主题,区域,地址") -> Checked:
    head = header.split(",")
    sheet = Sheet(head, [Line(number, list(cells)) for number, cells in enumerate(rows, start=2)], "")
    return check(sheet, find_columns(head), KNOWN, now=NOW)


def reason(*cells: str) -> str:
    result = judged(list(cells))
    assert not result.messages
    return result.bad[0].reason


def test_a_row_becomes_a_message() -> None:
    [message] = judged(["7", "路灯", "路灯不亮。", "2026-11-20 08:05", "求助", "占道经营", "福州市仓山区建新镇", "金山大道"]).messages
    assert (message.source_id, message.title, message.text) == ("7", "路灯", "路灯不亮。")
    assert message.received_at == datetime(2026, 11, 20, 8, 5, tzinfo=SHANGHAI)
    assert (message.kind, message.topic, message.place, message.address) == ("help", "占道经营", "仓山区建新镇", "金山大道")


@pytest.mark.parametrize(
    "written",
    ["2026-01-02 03:04:05", "2026/1/2 3:04:05", "2026年1月2日 3时4分5秒", "2026-01-02T03:04:05.000", "2026-01-01T19:04:05Z"],
)
def test_times_are_read_as_people_write_them(written: str) -> None:
    [message] = judged(["1", "", "内容", written]).messages
    assert message.received_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["1", "", "  "], "没有内容"),
        (["1", "", "内容", "昨天"], "看不懂时间“昨天”"),
        (["1", "", "内容", "2026-02-30"], "没有“2026-02-30”这个时间"),
        (["1", "", "内容", "2027-01-01"], "晚于现在"),
        (["1", "", "内容", "", "抱怨"], "没有“抱怨”这种诉求类型"),
        (["1", "", "内容", "", "", "没有的主题"], "主题目录里没有“没有的主题”"),
        (["1", "", "内\x00容"], "空字符"),
        (["1", "", "字" * (TEXT_LENGTH + 1)], "内容有 10,001 字，超过 10,000 字"),
        (["1", "题" * 201, "内容"], "标题有 201 字"),
        (["9" * 81, "", "内容"], "编号有 81 字"),
        (["1", "", "内容", "", "", "", "", "", "多一格"], "比表头多出几格"),
    ],
)
def test_a_bad_row_says_why(cells: list[str], said: str) -> None:
    assert said in reason(*cells)


def test_a_place_nobody_knows_stands_before_the_address() -> None:
    [message] = judged(["1", "", "内容", "", "", "", "某某岛", "码头边"]).messages
    assert (message.place, message.address) == ("", "某某岛 码头边")


def test_the_same_row_twice_is_one_message_and_the_same_id_with_other_words_is_refused() -> None:
    result = judged(["1", "", "甲"], ["1", "", "甲"], ["1", "", "乙"], ["", "", "丙"], ["", "", "丙"], ["", "", "丁"])
    assert [message.text for message in result.messages] == ["甲", "丙", "丁"]
    assert result.repeated == 2
    assert [(bad.line, bad.reason) for bad in result.bad] == [(4, "编号与第 2 行相同，内容却不同")]


def test_a_row_without_id_gets_the_same_id_each_time() -> None:
    [once], [again] = judged(["", "", "内容"]).messages, judged(["", "", "内容"]).messages
    assert once.source_id == again.source_id
    assert len(once.source_id) <= 80


def test_columns_are_found_by_name_or_named() -> None:
    assert find_columns(["Text", "ID"]) == {"text": 0, "message_id": 1}
    assert find_columns(["甲", "乙"], {"text": "乙"}) == {"text": 1}
    with pytest.raises(Unreadable, match="没有找到“内容”列，表头是：甲、乙"):
        find_columns(["甲", "乙"])
    with pytest.raises(Unreadable, match="没有“丙”这一列"):
        find_columns(["甲"], {"text": "丙"})
    with pytest.raises(Unreadable, match="没有“words”这一项"):
        find_columns(["甲"], {"words": "甲"})


# --- files -------------------------------------------------------------------------------------------------------

TABLE = "编号,内容\r\n1,\"第一行\n第二行\"\r\n\r\n2,=1+1\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(TABLE.encode(encoding))
    sheet = read_table(path)
    assert sheet.header == ["编号", "内容"]
    assert [(line.number, line.cells) for line in sheet.lines] == [(2, ["1", "第一行\n第二行"]), (5, ["2", "=1+1"])]


def test_gzip_and_workbook_read_alike(tmp_path: Path) -> None:
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress("编号;内容\n1;路灯".encode()))
    book = write_book(tmp_path / "a.xlsx", [["编号", "内容"], ["1", "路灯"]])
    assert [line.cells for line in read_table(packed).lines] == [["1", "路灯"]]
    assert [line.cells for line in read_table(book).lines] == [["1", "路灯"]]
    with pytest.raises(Unreadable, match="没有名为“其他”的工作表，只有：留言"):
        read_table(book, sheet="其他")


def test_numbers_and_days_of_a_workbook_are_read_as_shown(tmp_path: Path) -> None:
    more = '<row r="2"><c r="A2"><v>188006</v></c><c r="B2"><v>1.5</v></c></row>'
    sheet = read_table(write_book(tmp_path / "a.xlsx", [["编号", "内容"]], more=more))
    assert sheet.lines[0].cells == ["188006", "1.5"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "文件是空的"),
        (b"\n \n", "文件里没有内容"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "旧格式的 Excel"),
        (b"\x1f\x8bbroken", "压缩文件已损坏"),
        (b"PK\x03\x04broken", "Excel 文件已损坏"),
        ("编号,内容\n1,\"没有收尾".encode(), "第 2 行起的内容不合 CSV 格式：引号没有成对"),
        (b"\x81\xff\xff", "看不出文件的编码"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=said):
        read_table(path)


def test_a_missing_file_and_a_wrong_encoding(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="打不开文件"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(Unreadable, match="第 2 行不是 ascii 编码的文字"):
        decoded("id\n路".encode(), "ascii")
    with pytest.raises(Unreadable, match="没有名为 gbx 的编码"):
        decoded(b"id", "gbx")


def test_an_enormous_cell_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("内容\n".encode() + b"x" * (import_files.MOST_CELL + 1))
    with pytest.raises(Unreadable, match="有一格超过 1,000,000 字"):
        read_table(path)


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_files, "MOST_BYTES", 3 * import_files.MEGABYTE)
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(b"x" * 4 * import_files.MEGABYTE))
    book = write_book(tmp_path / "a.xlsx", [["内容"]], padding=4 * import_files.MEGABYTE)
    for path in (packed, book):
        assert path.stat().st_size < 20_000
        with pytest.raises(Unreadable, match="解压后超过 3 MB"):
            read_table(path)


def test_a_sheet_of_two_far_corners_is_refused_before_it_is_laid_out(tmp_path: Path) -> None:
    more = f'<row r="1048576">{text_cell("XFD1048576", "远")}</row>'
    with pytest.raises(Unreadable, match="表格太大（1,048,576 行 16,384 列）"):
        read_table(write_book(tmp_path / "a.xlsx", [["内容"]], more=more))


def test_formulas_are_refused_and_what_looks_like_one_is_harmless_in_a_report(tmp_path: Path) -> None:
    more = '<row r="2"><c r="A2"><f>HYPERLINK("x")</f><v>1</v></c></row>'
    with pytest.raises(Unreadable, match="表里有公式"):
        read_table(write_book(tmp_path / "a.xlsx", [["内容"]], more=more))
    assert [harmless(text) for text in ("=1", "+1", "-1", "@a", "1")] == ["'=1", "'+1", "'-1", "'@a", "1"]
