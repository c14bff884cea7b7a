"""Setting a document with typst. What people wrote goes in as data (JSON in `sys.inputs`), never as source.

Without a Chinese font nothing is set at all: a page of boxes is worse than a sentence that says what to install.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import typst

from minsheng.errors import Refused

SOURCES = Path(__file__).parent / "typst"
FONT = "Noto Serif CJK SC"  # Debian's fonts-noto-cjk; 仿宋 and 小标宋 are taken where the machine has them
MOST_SCRIPTS = 30  # tries: one for each script or rare character that no font here has
LONGEST = 400_000  # characters in one document: some 250 pages, a few seconds
PDF_STANDARD: Literal["ua-1"] = "ua-1"  # tagged, titled, with a language: readable aloud

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ue000-\uf8ff]")
# No font of text has these; one mark for a run of them, joiners and skin tones included.
_PICTURES = re.compile("[\U0001f000-\U0001faff\u2600-\u26ff\u2700-\u2757\u2795-\u27bf\U000e0000-\U000e007f\ufe0f\u200d\u20e3]+")
_UNASSIGNED = re.compile("[\U00040000-\U000dffff\U000e0080-\U0010ffff]")  # no character of any script
_LONG_RUN = re.compile(r"[!-~]{24}(?=[!-~])")
_NO_GLYPH = re.compile(r'the text `"(.+?)"` could not be displayed', re.DOTALL)
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")  # as the typesetter names what cannot be seen
_BREAK = "\u200b"


def set_pdf(source: str, data: Mapping[str, Any]) -> bytes:
    """The document of `typst/<source>.typ` filled with `data`. Errors: pdf_font_missing, pdf_too_long, pdf_characters."""
    fonts = _fonts()
    if FONT not in fonts.families():
        _fonts.cache_clear()
        raise Refused("pdf_font_missing")
    given = json.dumps(_plain(data), ensure_ascii=False)
    if len(given) > LONGEST:
        raise Refused("pdf_too_long")
    compiler = typst.Compiler(SOURCES / f"{source}.typ", root=SOURCES, font_paths=fonts)
    for _ in range(MOST_SCRIPTS):
        try:
            made = compiler.compile(format="pdf", sys_inputs={"data": given}, pdf_standards=[PDF_STANDARD])
        except typst.TypstError as error:
            given = _without(given, error)
        else:
            assert isinstance(made, bytes)
            return made
    raise Refused("pdf_characters")


def _without(given: str, error: typst.TypstError) -> str:
    """The same with 〓 for what no font here has, the printers' sign for it. What else went wrong is an error of ours."""
    missing = _NO_GLYPH.search(error.message)
    if missing is None:
        raise error
    characters = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), missing[1])
    if "〓" in characters:  # with a mark over or under it that no font has
        return "".join(each for each in given if not unicodedata.category(each).startswith("M"))
    for character in characters:
        if ord(character) > 0x7F:  # what JSON itself is written in stays
            given = re.sub(_alike(character), "〓", given)
    return given


def _alike(character: str) -> str:
    """A rare Chinese character alone, of another script all its block at once."""
    code = ord(character)
    if 0x2E80 <= code < 0xA000 or code >= 0x20000:
        return character
    first = code & ~0x7F
    return f"[{chr(first)}-{chr(first + 0x7F)}]" if code >= 0x0250 else re.escape(character)


def has_font() -> bool:
    """Whether Chinese can be set on this machine."""
    return FONT in typst.Fonts().families()


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    """Looking through the machine's fonts takes longer than setting a page: once for each process."""
    return typst.Fonts()


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def printable(text: str) -> str:
    """Text as paper can carry it: no control characters, pictures named, and long runs of Latin that may break at a line's end."""
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    text = _UNASSIGNED.sub("〓", _PICTURES.sub("〔表情〕", text))
    return _LONG_RUN.sub(lambda run: run.group() + _BREAK, text)
