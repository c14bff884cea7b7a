"""Finding personal data in what citizens and units write, and redacting it (`domain.md` §2.10, §8.1: 文本自动去标识).

Pure patterns, no model: it finds what has a form (numbers, plates, announced accounts, self-introductions, rooms), and
leaves alone what it cannot tell from ordinary words. Service numbers (12345, 95598, 400...) are nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from minsheng.secrecy.hashes import id_check_character
from minsheng.secrecy.surnames import COMPOUND, SINGLE

PLACEHOLDERS = {
    "id_number": "〔身份证号〕",
    "mobile": "〔电话〕",
    "landline": "〔电话〕",
    "bank_card": "〔银行卡号〕",
    "email": "〔邮箱〕",
    "social": "〔微信或QQ号〕",
    "plate": "〔车牌〕",
    "room": "〔门牌〕",
    "name": "〔姓名〕",
}


@dataclass(frozen=True, slots=True)
class PersonalSpan:
    """text[start:end] is personal; `kind` is a key of PLACEHOLDERS."""

    start: int
    end: int
    kind: str


# Full-width forms to ASCII one for one, so that offsets stay those of the text given.
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    0x3000: 0x20,
    0x2010: 0x2D,
    0x2013: 0x2D,
    0x2014: 0x2D,
}

_D, _NOT_D = r"(?<![0-9])", r"(?![0-9])"
_ID = re.compile(
    rf"{_D}[1-9][0-9]{{5}} ?(?:18|19|20)[0-9]{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r" ?[0-9]{3}[0-9Xx](?![0-9Xx])"
)
_MOBILE = re.compile(rf"(?:\+86[- ]?|{_D}(?:00)?86[- ]?|{_D}0?)(?<!\d{{4}})1[3-9][0-9](?:[- ]?[0-9]{{4}}){{2}}{_NOT_D}")
_LANDLINE = re.compile(
    r"(?:\+86[- ]?|(?<![0-9.\-]))"
    r"(?:\(0(?:10|2[0-9]|[3-9][0-9]{2})\)|0(?:10|2[0-9]|[3-9][0-9]{2}))[- ]{0,2}"
    r"[2-8][0-9]{6,7}(?![0-9.])(?:[-转][0-9]{1,5}(?![0-9]))?"
)
_LOCAL = re.compile(
    r"(?:电话|座机|固话|联系方式|号码|拨打|致电|传真)(?:号码|号|为|是|:|\s){0,3}"
    rf"([2-8][0-9]{{3}}[- ]?[0-9]{{3,4}}){_NOT_D}"
)
_BANK_CARD = re.compile(rf"{_D}(?:4[0-9]|5[1-5]|3[4-7]|6[0-9]|9[5-9])(?:[ -]?[0-9]){{13,17}}{_NOT_D}")
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])"
)
_SOCIAL = re.compile(
    r"(?:微信|wechat|vx|wx|v信|qq|扣扣)(?:号码|号|账号|是|为|:|\s|加){0,4}"
    r"((?<![A-Za-z])[a-z][a-z0-9_-]{5,19}(?![a-z0-9_-])|(?<![0-9])[1-9][0-9]{4,10}(?![0-9]))",
    re.IGNORECASE,
)
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·• -]?"
    r"(?=[A-Z]{0,5}[0-9])[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳领使](?![A-Z0-9])",
    re.IGNORECASE,
)
_COUNT = "0-9A-Za-z一二三四五六七八九十"
_BUILDING = rf"[{_COUNT}]{{1,4}}(?:号楼|栋|幢|座|单元|梯)"
_NOT_A_ROOM = "(?![0-9]|[年月日元平米万亿个名户人多余度号吨%℃])"
_ROOM = re.compile(
    rf"(?:{_BUILDING}){{0,3}}(?<![0-9])[0-9]{{3,4}}(?:室|房(?![产价屋间地子租东贷源]))"
    rf"|(?:{_BUILDING}){{1,3}}-?[0-9]{{3,4}}{_NOT_A_ROOM}"
    rf"|(?<![0-9A-Za-z\-])[0-9]{{1,3}}[#-][0-9]{{1,2}}-[0-9]{{3,4}}{_NOT_A_ROOM}(?!-)"
)

_HAN = "\u4e00-\u9fff"
_SURNAME = rf"(?:{'|'.join(sorted(COMPOUND))}|[{SINGLE}])"
# After a strong announcement (我叫) any given name; what follows must not continue it into a word.
_AFTER_NAME = rf"(?=[^{_HAN}·]|$|[是家住男女系今现年性的身电手联于在])"
_TOLD = re.compile(
    r"(?:我叫|我的名字[是叫]|本人(?:姓名|名)?[叫为:]|姓名[:是为]\s?|(?:联系人|反映人|投诉人|举报人|申请人|诉求人|来电人)[:是]\s?)"
    rf"({_SURNAME}[{_HAN}]{{1,2}}?){_AFTER_NAME}"
)
# 我是 is followed by all sorts of things: only surname and given name before a comma and the like, no role, no place.
_I_AM = re.compile(rf"(?:我是|本人是?)({_SURNAME}[{_HAN}]{{1,2}})(?=[,。;(、]|$)")
_ROLE_END = frozenset("区县市镇乡村路街社学生业主民工员户的人者师院校厂店司队组客长家友妈爸爷奶夫妻子女城")
_COMMON_WORD = re.compile(
    "业主|居民|村民|职工|员工|学生|家长|老师|网友|市民|退休|高中|高三|高二|"
    "高一|高层|高新|金融|东方|方面|安置|常住|关于|和平|经济|马上"
)
_TITLED = re.compile(rf"(?<![{_HAN}])({_SURNAME}[{_HAN}]{{0,2}})(?=先生|女士|小姐)|([{SINGLE}])(?=先生|女士|小姐)")


def _luhn(digits: str) -> bool:
    total = 0
    for place, character in enumerate(reversed(digits)):
        value = int(character) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _is_id(found: str) -> bool:
    number = found.replace(" ", "").upper()
    return id_check_character(number[:17]) == number[17]


def _is_card(found: str) -> bool:
    digits = re.sub("[ -]", "", found)
    return len(set(digits)) > 2 and _luhn(digits)


def _is_self(found: str) -> bool:
    return found[-1] not in _ROLE_END and not _COMMON_WORD.search(found)


def _is_told(found: str) -> bool:
    return not _COMMON_WORD.search(found)


_Check = Callable[[str], bool]
# In order of precedence: where two overlap the earlier kind takes the characters.
_PATTERNS: tuple[tuple[str, re.Pattern[str], _Check | None], ...] = (
    ("id_number", _ID, _is_id),
    ("mobile", _MOBILE, None),
    ("bank_card", _BANK_CARD, _is_card),
    ("landline", _LANDLINE, None),
    ("landline", _LOCAL, None),
    ("email", _EMAIL, None),
    ("social", _SOCIAL, None),
    ("plate", _PLATE, None),
    ("room", _ROOM, None),
    ("name", _TOLD, _is_told),
    ("name", _I_AM, _is_self),
    ("name", _TITLED, _is_told),
)


def _candidates(text: str) -> Iterator[PersonalSpan]:
    plain = text.translate(_HALF_WIDTH)
    for kind, pattern, check in _PATTERNS:
        for match in pattern.finditer(plain):
            group = match.lastindex or 0  # the group, where the words before it only announce
            if check is None or check(match[group]):
                yield PersonalSpan(match.start(group), match.end(group), kind)


def find_personal(text: str) -> list[PersonalSpan]:
    """Personal data in a text, in order, never overlapping."""
    taken: list[PersonalSpan] = []
    for span in _candidates(text):
        if all(span.end <= other.start or other.end <= span.start for other in taken):
            taken.append(span)
    return sorted(taken, key=lambda span: span.start)


def redact(text: str, *, keeping: Collection[str] = ()) -> str:
    """Each personal span replaced by a placeholder such as 〔电话〕; redacting again changes nothing. `keeping`: kinds left alone.

    Taking one span out can bring the next to light (a number that leaned on another), so it goes on until none is
    found. Every round takes characters of the text away and no placeholder is ever found again, so it ends.
    """
    while spans := [span for span in find_personal(text) if span.kind not in keeping]:
        parts, at = [], 0
        for span in spans:
            parts += [text[at : span.start], PLACEHOLDERS[span.kind]]
            at = span.end
        text = "".join(parts) + text[at:]
    return text
