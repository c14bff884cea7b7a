"""What a search means: folding of texts, pairs of characters, keyed signs of persons, the query's own words. No ORM, no clock.

A text of n characters is found by each of its substrings of two characters or more, and by nothing else. The index holds its
pairs of neighbours; a phrase's pairs give candidates, and the folded text itself decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from minsheng.cases.rules import CITY_PREFIX, check_character, is_number, normalise_number
from minsheng.secrecy import (
    PersonalSpan,
    find_personal,
    normalise_id_number,
    normalise_name,
    normalise_phone,
    redact,
    search_hash,
)
from minsheng.secrecy.personal import PLACEHOLDERS
from minsheng.secrecy.surnames import SINGLE

LONGEST_QUERY, MOST_TERMS, SHORTEST_PHRASE = 100, 8, 2
SHORTEST_PHONE = 7  # service numbers such as 12345 are nobody's
# Replaced by signs wherever they stand. Names, rooms and plates are words like others to who may read them.
_SIGNED = {"id_number": "id_number", "mobile": "phone", "landline": "phone"} | dict.fromkeys(
    ("bank_card", "email", "social"), "contact"
)
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_HAN = "\u2e80-\u303f\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_SIGNS = re.compile("[\U000f0000-\U0010ffff]")  # private use: nobody's writing
_NOT_WRITING = re.compile("[\U000f0000-\U0010ffff\0-\x08\x0e-\x1b\x7f]")
_GAP_BESIDE_HAN = re.compile(rf"(?<=[{_HAN}])\s+|\s+(?=[{_HAN}])")
_QUOTED = re.compile(r"[\"“”「『]([^\"“”「」『』]*)[\"“”」』]")
_NAME = re.compile(rf"[{_HAN}]{{2,4}}|[{_HAN}·]{{2,20}}|[^\W\d_][^\W\d_ .'·-]{{1,30}}")
_SPACED_NAME = re.compile(rf"([{SINGLE}]) ([{_HAN}]{{1,2}})")  # 林 小满
_TAKEN_OUT = re.compile("|".join(sorted(map(re.escape, set(PLACEHOLDERS.values())))))
_NUMBER_LENGTH = 19
_SIGN_BYTES = 8
_BARE_NUMBER = re.compile(r"20\d{6}\d{7,8}[0-9A-Z]?")


def fold(text: str) -> str:
    """A text as it is compared: one line; full-width forms and capitals folded character by character; a gap is one blank,
    beside Chinese none. So a part of a text folds to a part of the folded text."""
    plain = _NOT_WRITING.sub("", text).translate(_HALF_WIDTH).casefold()
    return " ".join(_GAP_BESIDE_HAN.sub("", plain).split())


def grams(text: str) -> set[int]:
    """Every pair of neighbours within a line of a folded text, as signed 32-bit numbers.

    A pair is (first << 16 | second) of the code points' low halves: what two pairs share by that, the text tells apart.
    """
    found: set[int] = set()
    for line in text.split("\n"):
        codes = [ord(character) & 0xFFFF for character in line]
        found.update((a << 16 | b) - (1 << 32 if a >= 0x8000 else 0) for a, b in pairwise(codes))
    return found


def unit_code(unit: int) -> int:
    """A unit among the pairs: below every pair of a folded text, which holds no control characters. Errors: ValueError."""
    if unit >= 0x20 << 16:
        raise ValueError("unit keys have grown beyond what the index can tell from pairs")
    return unit


def sign(kind: str, value: str) -> str:
    """Four private characters for a personal value: half of its keyed hash. It is found by whoever knows the value, and tells
    it to nobody. "" for ""."""
    return sign_of(search_hash(kind, value))


def sign_of(full_hash: bytes | None) -> str:
    """The sign of a value whose keyed hash is stored."""
    digest = (full_hash or b"")[:_SIGN_BYTES]
    return "".join(chr(0xF0000 + int.from_bytes(digest[at : at + 2], "big")) for at in range(0, len(digest), 2))


def signed(text: str) -> str:
    """A text folded, with every number of a person in it replaced by its sign."""
    return _signed(text, find_personal(text))


def _signed(text: str, spans: Iterable[PersonalSpan]) -> str:
    parts, at = [], 0
    for span in spans:
        if span.kind in _SIGNED:
            parts += [fold(text[at : span.start]), _sign_of(_SIGNED[span.kind], text[span.start : span.end])]
            at = span.end
    return "".join([*parts, fold(text[at:])])


def without_persons(text: str) -> str:
    """A text as who sees no persons reads it, folded; broken into lines where something was taken out, so that nothing is found
    across the gap."""
    return lines(fold(part) for part in _TAKEN_OUT.split(redact(text)))


def both(text: str) -> tuple[str, str]:
    """(`signed`, `without_persons`) of one text, which is mostly the same: looked through once."""
    spans = find_personal(text)
    folded = _signed(text, spans)
    return folded, without_persons(text) if spans else folded


def lines(parts: Iterable[str]) -> str:
    """The parts of a case as one text; a phrase is never found across two of them."""
    return "\n".join(part for part in parts if part)


def _sign_of(kind: str, value: str) -> str:
    normal = {"phone": normalise_phone, "id_number": normalise_id_number}.get(kind, fold)(value)
    return sign(kind, normal or fold(value))


@dataclass(frozen=True)
class Term:
    """One thing that a case must say. `phrase`: folded, with signs; `person`: the sign of a name that it may be instead."""

    typed: str
    phrase: str
    person: str = ""


@dataclass(frozen=True)
class Search:
    """What was typed, understood. At most one of `number` and `terms` is filled; both empty: it can find nothing."""

    typed: str = ""
    number: str = ""  # a case number or the beginning of one
    mistyped: bool = False  # a whole number whose check character is wrong
    terms: tuple[Term, ...] = ()
    personal: bool = False  # holds a person's number: it never gets into an address
    dropped: tuple[str, ...] = ()  # what was left out, being too much

    def __bool__(self) -> bool:
        return bool(self.number or self.terms)

    @property
    def words(self) -> list[str]:
        """As they were typed."""
        return [term.typed for term in self.terms]

    @property
    def marked(self) -> list[str]:
        """To be marked where they stand: as typed, and folded as the index has them."""
        return [*self.words, *(term.phrase for term in self.terms)]

    def in_words(self) -> str:
        """What kind of search it is, fit for a record: never what was typed, which may name somebody; "" for none."""
        if self.number:
            return "按编号查找"
        if self.personal:
            return "按电话、证件号等查找"
        return f"按 {len(self.terms)} 个词查找" if self.terms else ""

    def of_words_only(self) -> Search:
        """The same, finding nobody by name."""
        return replace(self, terms=tuple(replace(term, person="") for term in self.terms))


def parse(typed: str) -> Search:
    """What a person typed into the search box: a case number, a person's number or name, words; several must all be there.

    “…” and "…" keep blanks within a phrase together. One character narrows what longer words find, and finds nothing alone.
    """
    text = " ".join(typed.replace("\x00", "").split())[:LONGEST_QUERY]
    number = as_number(text)
    if number:
        whole = len(number) == _NUMBER_LENGTH
        return Search(text, number=number, mistyped=whole and not is_number(number))
    person = _as_person(text)
    if person:
        return Search(text, terms=(Term(text, person),), personal=True)
    spaced = _SPACED_NAME.fullmatch(text)
    found = ["".join(spaced.groups())] if spaced else list(dict.fromkeys(pieces(text)))
    terms = [term for term in map(_term, found[:MOST_TERMS]) if term.phrase]
    if all(len(term.phrase) < SHORTEST_PHRASE for term in terms):
        terms = []
    personal = bool(find_personal(text)) or any(_SIGNS.search(term.phrase) for term in terms)
    return Search(text, terms=tuple(terms), personal=personal, dropped=tuple(found[MOST_TERMS:]))


def as_number(text: str) -> str:
    """A case number or its beginning, however written, with or without its letters; or nothing."""
    number = normalise_number(text)
    if _BARE_NUMBER.fullmatch(number):
        number = CITY_PREFIX + number
    known = number.startswith(CITY_PREFIX) and len(number) > len(CITY_PREFIX) and number[len(CITY_PREFIX)].isdigit()
    return number if known and number.isascii() and number.isalnum() and len(number) <= _NUMBER_LENGTH else ""


def near_numbers(number: str) -> list[str]:
    """Well-formed numbers one slip away: a wrong digit, or two neighbours swapped."""
    found = {number[:-1] + check_character(number[:-1])}
    for at in range(len(CITY_PREFIX), len(number) - 1):
        found.update(number[:at] + digit + number[at + 1 :] for digit in "0123456789")
        found.add(number[:at] + number[at + 1] + number[at] + number[at + 2 :])
    return sorted(candidate for candidate in found if is_number(candidate))


def _as_person(text: str) -> str:
    """The sign of a telephone number, identity number or address of mail that is all that was typed; or nothing."""
    phone, identity = normalise_phone(text), normalise_id_number(text)
    if len(phone) >= SHORTEST_PHONE:
        return sign("phone", phone)
    if len(identity) in (15, 18) and identity[:14].isdigit():
        return sign("id_number", identity)
    folded = signed(text)
    return folded if _SIGNS.sub("", folded) == "" else ""


def pieces(text: str) -> Iterator[str]:
    """What stands between blanks; what is quoted stays together, and comes first."""
    rest = _QUOTED.sub(" ", text)
    yield from (quoted.strip() for quoted in _QUOTED.findall(text) if quoted.strip())
    yield from rest.split()


def _term(piece: str) -> Term:
    person = sign("name", normalise_name(piece)) if _NAME.fullmatch(piece) else ""
    return Term(piece, signed(piece), person)


# --- what was found ----------------------------------------------------------------------------------------------

_AROUND, _SHOWN = 16, 90


def snippet(texts: Iterable[str], phrases: Sequence[str]) -> str:
    """A piece of the first of these texts that says most of the phrases, around where it says them; "" where none does."""
    best, most = "", 0
    for text in texts:
        told = sum(phrase in fold(text) for phrase in phrases)
        if told > most:
            best, most = text, told
    if not best:
        return ""
    plain = " ".join(best.split())
    lower = plain.casefold()
    first = min((at for phrase in phrases if (at := lower.find(phrase)) >= 0), default=0)
    start = max(0, first - _AROUND)
    return ("…" if start else "") + plain[start : start + _SHOWN] + ("…" if start + _SHOWN < len(plain) else "")


def readable(text: str) -> list[str]:
    """The lines of an indexed text without signs, for people to read."""
    return [line for part in text.split("\n") if (line := _SIGNS.sub("", part).strip())]
