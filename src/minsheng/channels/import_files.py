"""Opening a file of messages: CSV, CSV.GZ or XLSX, whatever its encoding, and never more of it than a machine can hold.

Gives a table of cells with line numbers. What cannot be read is one sentence (`Unreadable`), never a traceback.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import python_calamine

MEGABYTE = 1024 * 1024
MOST_BYTES = 300 * MEGABYTE  # unpacked; 2.7 million cases a year arrive in daily files of a few megabytes
MOST_CELL = 1_000_000  # characters; the longest real message has seven thousand
MOST_COLUMNS, MOST_CELLS = 1_000, 20_000_000
MOST_MEMBERS = 5_000

_GZIP, _ZIP, _OLE = b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
# A cell's address or a formula, in the XML of a sheet.
_CELL = re.compile(rb'<c\s[^>]*?\br="([A-Z]{1,4})([0-9]{1,8})"')
_FORMULA = re.compile(rb"<f[\s/>]")
_OVERLAP = 256


class Unreadable(Exception):
    """Why the file as a whole cannot be imported, in one sentence."""


@dataclass(frozen=True)
class Line:
    """One row of cells; `number` is its line in a CSV file or its row in a sheet, as the operator sees it."""

    number: int
    cells: list[str | datetime]


@dataclass(frozen=True)
class Sheet:
    """A file as a table: its header and the lines below it, empty ones left out."""

    header: list[str]
    lines: list[Line]
    encoding: str


def read_table(path: Path, *, encoding: str = "", sheet: str = "") -> Sheet:
    """The file's table. `encoding` empty: guessed; `sheet` empty: the workbook's first."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Unreadable(f"文件超过 {MOST_BYTES // MEGABYTE} MB，请分成几个文件再导入。")
        raw = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"打不开文件 {path}：{error.strerror}。") from error
    if not raw:
        raise Unreadable("文件是空的。")
    if raw.startswith(_OLE):
        raise Unreadable("这是旧格式的 Excel 文件（或有密码），请另存为没有密码的 XLSX 或 CSV 再导入。")
    if raw.startswith(_ZIP):
        return _table(_sheet_rows(raw, sheet), "XLSX")
    if raw.startswith(_GZIP):
        raw = _unzipped(raw)
    text, used = decoded(raw, encoding)
    return _table(_csv_rows(text), used)


def _table(rows: Iterator[Line], encoding: str) -> Sheet:
    filled = [row for row in rows if any(not isinstance(cell, str) or cell.strip() for cell in row.cells)]
    if not filled:
        raise Unreadable("文件里没有内容。")
    header = [str(cell).strip() for cell in filled[0].cells]
    return Sheet(header, filled[1:], encoding)


# --- CSV ---------------------------------------------------------------------------------------------------------


def _unzipped(raw: bytes) -> bytes:
    """What a gzip file holds, read only as far as the limit: its own word for its size is not trusted."""
    try:
        with gzip.open(io.BytesIO(raw)) as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable("压缩文件已损坏，解不开。") from error
    if len(data) > MOST_BYTES:
        raise Unreadable(f"解压后超过 {MOST_BYTES // MEGABYTE} MB，没有导入。")
    return data


def decoded(raw: bytes, encoding: str = "") -> tuple[str, str]:
    """The text and the encoding used: a byte order mark decides, else UTF-8 where it fits, else GB18030."""
    if encoding:
        return _decoded_as(raw, encoding), encoding
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decoded_as(raw, "utf-16"), "utf-16"
    for guess in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(guess), guess
        except UnicodeDecodeError:
            continue
    raise Unreadable("看不出文件的编码：既不是 UTF-8 也不是 GB18030。请用 --encoding 写明，或另存为 UTF-8。")


def _decoded_as(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding).removeprefix("\ufeff")
    except LookupError as error:
        raise Unreadable(f"没有名为 {encoding} 的编码。") from error
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"第 {line} 行不是 {encoding} 编码的文字。请改用别的 --encoding，或不写由程序判断。") from error


def _csv_rows(text: str) -> Iterator[Line]:
    first = text.split("\n", 1)[0]
    delimiter = max(",\t;", key=first.count)  # the comma wins where none occurs
    before = csv.field_size_limit(MOST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 1
    try:
        for cells in reader:
            yield Line(number, list(cells))
            number = reader.line_num + 1
    except csv.Error as error:
        raise Unreadable(f"第 {number} 行起的内容不合 CSV 格式：{_csv_reason(str(error))}") from error
    finally:
        csv.field_size_limit(before)


def _csv_reason(error: str) -> str:
    if "field limit" in error:
        return f"有一格超过 {MOST_CELL:,} 字。"
    if "unexpected end" in error or "expected after" in error:
        return "引号没有成对。"
    return f"{error}。"


# --- XLSX --------------------------------------------------------------------------------------------------------


def _sheet_rows(raw: bytes, sheet: str) -> Iterator[Line]:
    _refuse_bomb(raw)
    try:
        with python_calamine.load_workbook(io.BytesIO(raw)) as book:
            if sheet and sheet not in book.sheet_names:
                raise Unreadable(f"没有名为“{sheet}”的工作表，只有：{'、'.join(book.sheet_names)}。")
            found = book.get_sheet_by_name(sheet) if sheet else book.get_sheet_by_index(0)
            rows = found.to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, ValueError, OSError) as error:
        raise Unreadable("这个 Excel 文件已损坏或不是表格，读不出来。") from error
    for number, cells in enumerate(rows, start=1):
        yield Line(number, [_cell(value) for value in cells])


def _refuse_bomb(raw: bytes) -> None:
    """Look through the archive before anybody builds a table from it: unpacked size, extent of sheets, formulas.

    The reader lays a sheet out in full, so two cells at opposite corners of a small file would take all memory.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > MOST_BYTES:
                raise Unreadable(f"解压后超过 {MOST_BYTES // MEGABYTE} MB，没有导入。")
            for member in members:
                if member.filename.startswith("xl/worksheets/") and member.filename.endswith(".xml"):
                    _look_through(archive, member)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
        raise Unreadable("这个 Excel 文件已损坏或有密码，读不出来。") from error


def _look_through(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    rows = columns = 0
    rest = b""
    with archive.open(member) as file:
        while chunk := file.read(MEGABYTE):
            piece = rest + chunk
            if _FORMULA.search(piece):
                raise Unreadable("表里有公式。请在 Excel 里把公式换成数值（复制、选择性粘贴为数值）后再导入。")
            for letters, digits in _CELL.findall(piece):
                columns, rows = max(columns, _column(letters)), max(rows, int(digits))
            if columns > MOST_COLUMNS or rows * columns > MOST_CELLS:
                raise Unreadable(f"表格太大（{rows:,} 行 {columns:,} 列），请删去多余的行列，或分成几个文件再导入。")
            rest = piece[-_OVERLAP:]


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _cell(value: Any) -> str | datetime:
    """As a person reads the cell: whole numbers without a point, moments as moments."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
