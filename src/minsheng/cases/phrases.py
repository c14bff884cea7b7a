"""Reads of 常用语, and the blanks in them."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import F, Q

from minsheng.cases.models import Phrase

LONGEST = 500
# A blank to be filled, as 〔时间〕; ui/phrases.js jumps to the next one on Tab by the same form.
_BLANK = re.compile(r"〔[^〔〕\n]{0,20}〕")


def blanks(text: str) -> list[str]:
    """The blanks that nobody has filled, as they stand."""
    return _BLANK.findall(text)


def of_person(user: Any) -> list[Phrase]:
    """One's own and the centre's; of one abbreviation one's own comes first. One query."""
    mine = Phrase.objects.filter(Q(owner=user) | Q(owner__isnull=True)).select_related("topic")
    return list(mine.order_by("abbreviation", F("owner").asc(nulls_last=True)))


def for_script(user: Any) -> list[dict[str, Any]]:
    """What the boxes of a form offer: of each abbreviation one, one's own before the centre's. One query."""
    first: dict[str, Phrase] = {}
    for phrase in of_person(user):
        first.setdefault(phrase.abbreviation, phrase)
    return [{"key": p.abbreviation, "text": p.text, "topic": str(p.topic_id or "")} for p in first.values()]
