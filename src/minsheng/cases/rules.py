"""Pure rules of cases: numbers, query codes, who sees what of a case, whom a text names. No ORM, no clock."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CITY_PREFIX = "FZ"
SERIAL_MODULUS = 1_000_000
_NUMBER = re.compile(r"FZ\d{8}\d{2}\d{6}[0-9A-Z]")
_QUERY_DIGITS = 8
_SHORTEST = 2  # one character of a name says nothing of anybody
# Words of somebody who may be about to die or to kill; “累死了” and “吵死了” are nobody's danger (domain.md §2.9; scenario 9).
_DANGER = re.compile(
    "自杀|轻生|不想活|活不下去|寻短见|跳楼|跳桥|跳河|跳江|割腕|上吊|喝农药|服毒|烧炭|同归于尽|想死|去死|杀了(?:他|她|我|你|全家)|砍死|捅死|炸了|点煤气|"
    "求死|遗书|了结(?:自己|生命)"
)


def check_character(payload: str) -> str:
    """ISO/IEC 7064 MOD 37,36 check character; finds every single error and every swap of neighbours.

    Errors: ValueError for a character outside 0-9 A-Z.
    """
    product = 36
    for character in payload:
        total = (product + _ALPHABET.index(character)) % 36 or 36
        product = total * 2 % 37
    return _ALPHABET[(37 - product) % 36]


def format_number(day: date, channel_digits: str, serial: int) -> str:
    """FZ + yyyyMMdd + channel (2) + serial (6) + check character (domain.md §4.4, unsourced).

    `serial` comes from one database sequence and wraps at a million: unique while one day and channel bring fewer.
    """
    payload = f"{CITY_PREFIX}{day:%Y%m%d}{channel_digits}{serial % SERIAL_MODULUS:06d}"
    return payload + check_character(payload)


def normalise_number(text: str) -> str:
    """What a person typed or read out: case, blanks and hyphens do not matter; full-width becomes half-width."""
    narrow = "".join(chr(ord(c) - 0xFEE0) if "！" <= c <= "～" else c for c in text)
    return re.sub(r"[\s\-—_]", "", narrow).upper()


def is_number(text: str) -> bool:
    """A well-formed case number with the right check character."""
    return bool(_NUMBER.fullmatch(text)) and check_character(text[:-1]) == text[-1]


def query_code(key: str, number: str, issue: int) -> str:
    """The citizen's eight-digit query code: derived, so that nothing is stored and a lost answer can be given again.

    `issue` counts re-issues: a new one makes the earlier code void.
    """
    digest = hmac.new(key.encode(), f"query-code:{number}:{issue}".encode(), hashlib.sha256).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10**_QUERY_DIGITS:0{_QUERY_DIGITS}d}"


def same_code(given: str, expected: str) -> bool:
    """Compare in constant time; blanks do not matter."""
    return hmac.compare_digest(re.sub(r"\s", "", given).encode(), expected.encode())


@dataclass(frozen=True)
class Disclosure:
    """What of one case one person may see (design §6, domain.md §2.10)."""

    person: bool  # the applicant, masked
    uncover: bool  # the applicant whole, on demand, with a reason, audited
    words: bool  # the citizen's own words; else the text made for units
    files: bool  # what the citizen attached
    redacted: bool = False  # the words, but with personal data taken out (analysts)


NOTHING = Disclosure(person=False, uncover=False, words=False, files=False)


def disclosure(*, confidential: bool, of_unit: bool, needs_person: bool, redacted: bool = False) -> Disclosure:
    """Units never see who reported in confidence, nor their words and files; analysts see words without persons."""
    if redacted:
        return Disclosure(person=False, uncover=False, words=True, files=False, redacted=True)
    if of_unit and confidential:
        return NOTHING
    return Disclosure(person=True, uncover=needs_person, words=True, files=True)


def names_person(text: str, values: Iterable[str | None]) -> bool:
    """Whether a text for units still holds one of the person's own values, however it is spaced (domain.md §2.10)."""
    bare = _bare(text)
    return any(len(_bare(value)) >= _SHORTEST and _bare(value) in bare for value in values if value)


def _bare(text: str) -> str:
    narrow = "".join(chr(ord(c) - 0xFEE0) if "！" <= c <= "～" else c for c in text)
    return re.sub(r"[\s\-—_.·]", "", narrow).casefold()


def is_dangerous(text: str) -> bool:
    """Whether somebody's life may be at stake: the citizen is then told at once whom to ring. Better once too often."""
    return bool(_DANGER.search(text))


def danger_spans(text: str) -> list[tuple[int, int]]:
    """Where the words stand that say so, for staff to see at a glance."""
    return [found.span() for found in _DANGER.finditer(text)]
