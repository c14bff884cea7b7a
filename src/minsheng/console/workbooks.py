"""Writing one sheet of rows to a file, in memory that the number of rows does not change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]

from minsheng.worktime.moments import local

# What a spreadsheet program, or a text file made of it, takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
LONGEST_TEXT = 32_000  # a cell holds 32,767 characters


@dataclass(frozen=True, slots=True)
class Heading:
    """One column: its heading and its width in characters."""

    label: str
    width: int = 16


def harmless(text: str) -> str:
    """The text as a cell may hold it: never a formula, not even after the sheet was saved as CSV and opened again."""
    text = text[:LONGEST_TEXT].replace("\0", "")
    return f"'{text}" if text.startswith(_FORMULA) else text


def write(path: Path, title: str, headings: Sequence[Heading], rows: Iterable[Sequence[Any]], note: str = "") -> int:
    """Write the sheet and return how many rows it holds. `note` stands in the file's properties and at the page's foot."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "tmpdir": str(path.parent)}
    book = xlsxwriter.Workbook(str(path), options)
    book.set_properties({"title": title, "comments": note})
    sheet = book.add_worksheet(title[:31])
    bold = book.add_format({"bold": True, "bg_color": "#EEF1F5", "bottom": 1, "valign": "vcenter"})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(f"&L{harmless(note).replace('&', '&&')[:200]}&R第 &P 页，共 &N 页")
    for column, heading in enumerate(headings):
        sheet.set_column(column, column, heading.width)
        sheet.write_string(0, column, heading.label, bold)
    count = 0
    for count, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if isinstance(value, datetime):
                sheet.write_datetime(count, column, local(value).replace(tzinfo=None), moment)
            elif isinstance(value, date):
                sheet.write_datetime(count, column, value, day)
            elif isinstance(value, int):
                sheet.write_number(count, column, value)
            elif value:
                sheet.write_string(count, column, harmless(str(value)))
    sheet.autofilter(0, 0, max(count, 1), len(headings) - 1)
    book.close()
    return count
