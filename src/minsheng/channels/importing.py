"""Messages from a table, checked row by row: pure, without the database (domain.md §2.2: channels and other platforms).

A column is known by its name, in Chinese or English. Each row becomes a `Message` or a `BadRow` that says why not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from minsheng.cases.choices import ApplicantKind, RequestKind
from minsheng.cases.details import TEXT_LENGTH, TITLE_LENGTH
from minsheng.channels.import_files import Line, Sheet, Unreadable

SHANGHAI = ZoneInfo("Asia/Shanghai")
SOURCE_LENGTH, ID_LENGTH, ADDRESS_LENGTH, NAME_LENGTH, PHONE_LENGTH, ORGANISATION_LENGTH = 40, 80, 200, 60, 40, 120
_EARLIEST = 1990

# field: what its column may be called, the first being its Chinese name
COLUMNS: dict[str, tuple[str, ...]] = {
    "message_id": ("编号", "留言编号", "诉求编号", "工单编号", "件号", "id", "message_id", "source_id"),
    "title": ("标题", "留言主题", "诉求标题", "title", "subject"),
    "text": ("内容", "留言详情", "留言内容", "诉求内容", "详情", "text", "content", "body"),
    "created_at": ("时间", "留言时间", "提交时间", "来件时间", "收件时间", "created_at", "received_at", "time", "date"),
    "name": ("姓名", "留言用户", "联系人", "诉求人", "name", "author"),
    "phone": ("电话", "联系电话", "手机", "手机号", "phone", "mobile"),
    "kind": ("类型", "诉求类型", "kind", "type"),
    "topic": ("主题", "主题分类", "分类", "topic", "category"),
    "place": ("地点", "事发地", "区域", "所属区域", "place", "district"),
    "address": ("地址", "详细地址", "address"),
    "organisation": ("企业名称", "单位名称", "organisation", "company"),
}
_KINDS = {name: kind for kind in RequestKind for name in (kind.value, str(kind.label))}
_TIME = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
    r"(?:[\sT]*(\d{1,2})\s*[:：时点]\s*(\d{1,2})(?:\s*[:：分]\s*(\d{1,2})(?:\.\d+)?)?\s*[分秒]?)?\s*(Z|[+-]\d{2}:?\d{2})?"
)
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True)
class Message:
    """One message as it came. `topic` and `place` are keys of what the caller said it knows, or empty."""

    line: int
    source_id: str
    text: str
    title: str = ""
    received_at: datetime | None = None
    name: str = ""
    phone: str = ""
    organisation: str = ""
    kind: str = RequestKind.OTHER
    topic: str = ""
    place: str = ""
    address: str = ""

    @property
    def applicant_kind(self) -> str:
        """An organisation's name makes it an enterprise's."""
        return ApplicantKind.ENTERPRISE if self.organisation else ApplicantKind.PERSON


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be imported, and why."""

    line: int
    source_id: str
    reason: str


@dataclass
class Checked:
    """A whole table, checked. `repeated`: rows that say once more what an earlier row said."""

    messages: list[Message] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    repeated: int = 0


@dataclass(frozen=True)
class Known:
    """The names that rows may use for topics and places, and what a row without a kind is."""

    topics: Collection[str] = ()
    places: Collection[str] = ()
    kind: str = RequestKind.OTHER


def find_columns(header: list[str], given: Mapping[str, str] | None = None) -> dict[str, int]:
    """field: index of its column. `given` (field: column name) wins over names. Errors: Unreadable."""
    places = {_plain(name): index for index, name in reversed(list(enumerate(header)))}
    found = {
        name: next(places[alias] for alias in map(_plain, aliases) if alias in places)
        for name, aliases in COLUMNS.items()
        if any(_plain(alias) in places for alias in aliases)
    }
    for name, column in (given or {}).items():
        if name not in COLUMNS:
            raise Unreadable(f"没有“{name}”这一项，只有：{'、'.join(COLUMNS)}。")
        if _plain(column) not in places:
            raise Unreadable(f"没有“{column}”这一列，表头是：{_heads(header)}。")
        found[name] = places[_plain(column)]
    if "text" not in found:
        raise Unreadable(
            f"没有找到“内容”列，表头是：{_heads(header)}。请用 --map text=列名 指明；若是乱码，请用 --encoding 指明编码。"
        )
    return found


def check(sheet: Sheet, columns: Mapping[str, int], known: Known, *, now: datetime) -> Checked:
    """Every row, judged. The same id with other words is refused; the same row again is the same message."""
    result, seen = Checked(), dict[str, Message]()
    for line in sheet.lines:
        judged = _judge(line, columns, known, now, width=len(sheet.header))
        if isinstance(judged, BadRow):
            result.bad.append(judged)
            continue
        earlier = seen.setdefault(judged.source_id, judged)
        if earlier is judged:
            result.messages.append(judged)
        elif _words(earlier) == _words(judged):
            result.repeated += 1
        else:
            reason = f"编号与第 {earlier.line} 行相同，内容却不同"
            result.bad.append(BadRow(judged.line, judged.source_id, reason))
    return result


def digest_of(*values: str) -> str:
    """The id of a row that has none: the same words by the same person at the same time are the same message."""
    return "sha256-" + sha256("\x1f".join(values).encode()).hexdigest()[:40]


def harmless(text: str) -> str:
    """A cell of a report that a spreadsheet will open: nothing in it is taken for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


# --- one row -----------------------------------------------------------------------------------------------------


class _Bad(Exception):
    """Why the row at hand is refused."""


def _judge(line: Line, columns: Mapping[str, int], known: Known, now: datetime, *, width: int) -> Message | BadRow:
    cells = {name: line.cells[index] if index < len(line.cells) else "" for name, index in columns.items()}
    words = {name: _clean(cell) if isinstance(cell, str) else str(cell) for name, cell in cells.items()}
    try:
        if any(not isinstance(cell, str) or cell.strip() for cell in line.cells[width:]):
            raise _Bad("比表头多出几格，可能少了引号")
        _check_lengths(words)
        received = parse_moment(cells.get("created_at", ""), now)
        place, address = _place(words, known)
        return Message(
            line=line.number,
            source_id=words.get("message_id", "") or digest_of(*(words.get(name, "") for name in COLUMNS)),
            text=words["text"],
            title=_BLANKS.sub(" ", words.get("title", "")),
            received_at=received,
            name=words.get("name", ""),
            phone=words.get("phone", ""),
            organisation=words.get("organisation", ""),
            kind=_kind(words.get("kind", ""), known),
            topic=_topic(words.get("topic", ""), known),
            place=place,
            address=address,
        )
    except _Bad as bad:
        return BadRow(line.number, words.get("message_id", "")[:ID_LENGTH], str(bad))


def _check_lengths(words: Mapping[str, str]) -> None:
    if not words["text"]:
        raise _Bad("没有内容")
    if any("\x00" in value for value in words.values()):
        raise _Bad("有无法保存的字符（空字符）")
    limits = {
        "text": TEXT_LENGTH,
        "title": TITLE_LENGTH,
        "message_id": ID_LENGTH,
        "name": NAME_LENGTH,
        "phone": PHONE_LENGTH,
        "organisation": ORGANISATION_LENGTH,
    }
    for name, most in limits.items():
        if len(words.get(name, "")) > most:
            raise _Bad(f"{COLUMNS[name][0]}有 {len(words[name]):,} 字，超过 {most:,} 字")


def parse_moment(cell: str | datetime, now: datetime) -> datetime | None:
    """A time as people write it, in Shanghai unless it says otherwise; None for an empty cell."""
    if isinstance(cell, datetime):
        moment = cell if cell.tzinfo else cell.replace(tzinfo=SHANGHAI)
    elif not cell.strip():
        return None
    else:
        moment = _written(cell.strip())
    if moment > now:
        raise _Bad(f"时间 {moment:%Y-%m-%d %H:%M} 晚于现在")
    if moment.year < _EARLIEST:
        raise _Bad(f"时间 {moment:%Y-%m-%d} 太早，可能写错")
    return moment


def _written(text: str) -> datetime:
    match = _TIME.fullmatch(text)
    if match is None:
        raise _Bad(f"看不懂时间“{text[:30]}”")
    *numbers, zone = match.groups()
    year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=SHANGHAI)
        return moment if zone is None else datetime.fromisoformat(f"{moment.replace(tzinfo=None).isoformat()}{zone}")
    except ValueError as error:
        raise _Bad(f"没有“{text[:30]}”这个时间") from error


def _kind(word: str, known: Known) -> str:
    if not word:
        return known.kind
    if word not in _KINDS:
        raise _Bad(f"没有“{word[:20]}”这种诉求类型，只有：{'、'.join(str(kind.label) for kind in RequestKind)}")
    return _KINDS[word]


def _topic(word: str, known: Known) -> str:
    if word and word not in known.topics:
        raise _Bad(f"主题目录里没有“{word[:30]}”（须是三级主题的名称或代码）")
    return word


def _place(words: Mapping[str, str], known: Known) -> tuple[str, str]:
    """A place we know, else its words stand before the address: nothing that was said is lost."""
    said, address = words.get("place", ""), words.get("address", "")
    name = _BLANKS.sub("", said).removeprefix("福建省").removeprefix("福州市")
    place = name if name in known.places else ""
    if said and not place:
        address = f"{said} {address}".strip()
    if len(address) > ADDRESS_LENGTH:
        raise _Bad(f"地址有 {len(address):,} 字，超过 {ADDRESS_LENGTH:,} 字")
    return place, address


def _words(message: Message) -> tuple[str, str, str, str]:
    return message.text, message.title, message.name, message.phone


def _clean(cell: str) -> str:
    return cell.replace("\r\n", "\n").replace("\r", "\n").strip()


def _plain(name: str) -> str:
    return _BLANKS.sub("", name).lower()


def _heads(header: list[str]) -> str:
    return "、".join(name[:20] or "（空）" for name in header[:20])
