"""Cutting text at spans, so that words can be marked in what a citizen wrote without ever trusting it as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Span = tuple[int, int, str]


def pieces(text: str, spans: Iterable[Span]) -> Iterator[tuple[str, str]]:
    """
    The text in order as (part, kind), kind "" where nothing is marked.

    Overlaps go to the span that starts first, the longer of two at one place; spans outside the text are cut to it.
    """
    at = 0
    for start, end, kind in sorted(spans, key=lambda s: (s[0], -s[1])):
        start, end = max(start, at), min(end, len(text))
        if start >= end:
            continue
        if start > at:
            yield text[at:start], ""
        yield text[start:end], kind
        at = end
    if at < len(text):
        yield text[at:], ""


def find_words(text: str, words: Iterable[str], kind: str = "hit") -> list[Span]:
    """Every place where one of the words stands, letter case aside."""
    lower, found = text.casefold(), []
    if len(lower) != len(text):  # a letter that grows when folded would shift every place after it
        lower = text
    for word in {w.casefold() for w in words if w}:
        at = lower.find(word)
        while at >= 0:
            found.append((at, at + len(word), kind))
            at = lower.find(word, at + len(word))
    return found
