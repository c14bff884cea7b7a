"""Reads of topics, grounds and reasons: for the forms that offer them and the searches that find them."""

from __future__ import annotations

from datetime import datetime

from tree_queries.query import TreeQuerySet

from minsheng.cases.models.reference import ReasonCode, ReasonList, RefusalGround, Topic
from minsheng.organisations import rules
from minsheng.organisations.queries import valid_at

# How well a leaf fits what was typed; the best of its words counts first, then how many fit.
_EXACT, _BEGINS, _WITHIN, _SAID = 0, 1, 2, 3


def topic_tree(*, at: datetime) -> list[Topic]:
    """All topics that hold, parents before children, each with its `tree_depth`. One query."""
    return list(TreeQuerySet(Topic).with_tree_fields().filter(valid_at(at)))


def leaf_topics(*, at: datetime) -> list[Topic]:
    """The topics that a case can be given, in the order of their codes, with their parents. One query."""
    return list(Topic.objects.filter(valid_at(at), level=3).select_related("parent__parent", "default_lead"))


def find_topics(text: str, *, at: datetime, limit: int = 12) -> list[Topic]:
    """Leaves for a search word (name, alias, keyword, pinyin, initials) or for a whole message that says a keyword.

    Exact words first, then beginnings, then what contains the text, then leaves of which a word is said in the text
    (the longest word first). Two queries; the 340 leaves are ranked in Python.
    """
    typed = rules.normalised(text)
    if not typed:
        return []
    leaves = Topic.objects.filter(valid_at(at), level=3).order_by().values_list("pk", "code", "search_key")
    ranked = sorted((rank, code, pk) for pk, code, key in leaves if (rank := _rank(key, typed)) is not None)
    best = [pk for _, _, pk in ranked[:limit]]
    found = Topic.objects.select_related("parent__parent", "default_lead").in_bulk(best)
    return [found[pk] for pk in best]


def _rank(search_key: str, typed: str) -> tuple[int, int] | None:
    lines = search_key.split("\n")
    if typed in lines:
        return _EXACT, 0
    if any(line.startswith(typed) for line in lines):
        return _BEGINS, 0
    if typed in search_key:
        return _WITHIN, 0
    said = [len(line) for line in lines if not line.isascii() and line in typed]  # pinyin is typed, never said
    return (_SAID, -max(said) * 10 - len(said)) if said else None


def refusal_grounds(*, at: datetime) -> list[RefusalGround]:
    """The grounds on which a request may be refused at that moment, in their order."""
    return list(RefusalGround.objects.filter(valid_at(at)))


def reasons(which: ReasonList | str, *, at: datetime) -> list[ReasonCode]:
    """One list of coded reasons, in its order."""
    return list(ReasonCode.objects.filter(valid_at(at), list=which))


def reason_choices(which: ReasonList | str, *, at: datetime) -> list[tuple[str, str]]:
    """The same as choices of a form field."""
    return [(reason.code, reason.label) for reason in reasons(which, at=at)]


def reason_labels() -> dict[tuple[str, str], str]:
    """(list, code) to its label, also of codes that no longer hold: what was given then must still be readable. One query."""
    return {(row[0], row[1]): row[2] for row in ReasonCode.objects.order_by().values_list("list", "code", "label")}
