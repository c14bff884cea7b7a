"""Pure rules of dispatch. No ORM, no clock."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SHORTEST = 2  # one character says nothing of anybody


def names_person(text: str, values: Iterable[str | None]) -> bool:
    """Whether a text for units still holds one of the person's own values, however it is spaced (domain.md §2.10)."""
    bare = _bare(text)
    return any(len(_bare(value)) >= _SHORTEST and _bare(value) in bare for value in values if value)


def _bare(text: str) -> str:
    narrow = "".join(chr(ord(c) - 0xFEE0) if "！" <= c <= "～" else c for c in text)
    return re.sub(r"[\s\-—_.·]", "", narrow).casefold()
