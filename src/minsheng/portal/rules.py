"""Pure rules of the citizen's side: what people type for numbers and codes, and deadlines in their words. No ORM, no clock."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING

from minsheng.cases.rules import CITY_PREFIX, is_number, normalise_number
from minsheng.worktime.moments import day_of, last_day_before, local, midnight

if TYPE_CHECKING:
    from minsheng.worktime.rules import Derivation

_WEEKDAYS = "一二三四五六日"
# Read aloud or copied from a photograph, digits come back as the letters that look like them.
_LOOK_ALIKE = str.maketrans("OQIL", "0011")
_BODY = 16  # day, channel and serial: digits only
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def read_number(typed: str) -> str:
    """A case number in any writing: blanks, hyphens, dots, full-width or small letters, without its first two letters.

    The answer may still be wrong: `minsheng.cases.rules.is_number` says so, before any database is asked.
    """
    text = re.sub(r"[.。·,，:：/、]", "", normalise_number(unicodedata.normalize("NFKC", typed)))
    if not text.startswith(CITY_PREFIX) and len(text) == _BODY + 1:
        text = CITY_PREFIX + text
    start = len(CITY_PREFIX)
    body = text[start : start + _BODY].translate(_LOOK_ALIKE)
    return text[:start] + body + text[start + _BODY :]


def is_mistyped(number: str) -> bool:
    """No number of ours can read so: the check character (ISO/IEC 7064) tells a slip from an unknown number."""
    return not is_number(number)


def read_code(typed: str) -> str:
    """A query code as eight digits, however they were grouped."""
    return re.sub(r"\D", "", unicodedata.normalize("NFKC", typed).translate(_LOOK_ALIKE))


def grouped_number(number: str) -> list[str]:
    """A case number in pieces that can be read out: FZ20261124, 02000123K."""
    return [number[:10], number[10:]] if len(number) > 10 else [number]


def grouped_code(code: str) -> list[str]:
    """Eight digits as two times four."""
    return [code[:4], code[4:]]


def is_credit_code(text: str) -> bool:
    """统一社会信用代码: 18 characters, the last a check (GB 32100-2015, modulo 31, weights 3 to the power of the place)."""
    if not re.fullmatch(f"[{_CREDIT_ALPHABET}]{{18}}", text):
        return False
    total = sum(_CREDIT_ALPHABET.index(c) * pow(3, place, 31) for place, c in enumerate(text[:17]))
    return _CREDIT_ALPHABET.index(text[17]) == (31 - total % 31) % 31


def by_when(due_at: datetime, now: datetime) -> str:
    """A deadline, whose moment is exclusive: “11月30日（周一）前”, with the hour where it is not midnight."""
    day = last_day_before(due_at)
    words = f"{day.month}月{day.day}日（周{_WEEKDAYS[day.weekday()]}）"
    if day.year != day_of(now).year:
        words = f"{day.year}年{words}"
    at = local(due_at)
    return f"{words}前" if at == midnight(at.date()) else f"{words}{at:%H:%M} 前"


def why_words(derivation: Derivation, now: datetime) -> str:
    """How the citizen's deadline came about, without the trade's terms."""
    start = day_of(derivation.start)
    name = derivation.name if derivation.name.endswith("办理") else f"{derivation.name}类事项"
    parts = [f"{name}的时限是 {derivation.limit}"]
    if derivation.lead_in:
        parts.append(f"交给负责的单位另有 {derivation.lead_in}")
    parts.append(f"从 {start.month}月{start.day}日{'的第二天' if derivation.limit.in_days else ''}算起")
    if derivation.skipped:
        parts.append("周末和节假日不算")
    if derivation.made_up:
        parts.append("调休上班的日子照算")
    if derivation.is_provisional:
        parts.append("放假安排还没有公布，日期暂定")
    parts += [f"原定{by_when(moved.from_due, now)}，后延到{by_when(moved.to_due, now)}" for moved in derivation.extensions]
    return "，".join(parts) + "。"
