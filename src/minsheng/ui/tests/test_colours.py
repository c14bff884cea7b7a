"""Words in every colour of the house can be read on every ground that they may stand on, at any hour (WCAG 2.2, 1.4.3).

The browser walks see the colours that happen to shine while they run; a light turns by the clock.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SHEET = Path(__file__).parents[1] / "static/ui/ui.css"
LEAST = 4.5
WORDS = ("tblr-body-color", "tblr-link-color", "quiet", "accent", "yellow", "orange", "red")
GROUNDS = ("tblr-body-bg", "surface", "sunk", "hover", "open")
_TOKEN = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]+), (#[0-9a-f]+)\);")


def luminance(colour: str) -> float:
    """Relative luminance of `#rgb` or `#rrggbb` in sRGB."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Between 1 and 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_words_can_be_read_on_every_ground(scheme: int) -> None:
    tokens = {name: pair[scheme] for name, *pair in _TOKEN.findall(SHEET.read_text())}
    found = {(word, ground): contrast(tokens[word], tokens[ground]) for word in WORDS for ground in GROUNDS}
    assert {pair: round(ratio, 2) for pair, ratio in found.items() if ratio < LEAST} == {}


def test_the_measure_is_that_of_the_standard() -> None:
    assert contrast("#fff", "#000000") == pytest.approx(21)
    assert contrast("#767676", "#fff") == pytest.approx(4.54, abs=0.01)
