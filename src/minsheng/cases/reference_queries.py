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
    (the longest word first). One query; the 340 leaves are ranked in Python.
    """
    typed = rules.normalised(text)
    if not typed:
        return []
    ranked = [(rank, topic.code, topic) for topic in leaf_topics(at=at) if (rank := _rank(topic, typed)) is not None]
    return [topic for _, _, topic in sorted(ranked, key=lambda entry: entry[:2])[:limit]]


def _rank(topic: Topic, typed: str) -> tuple[int, int] | None:
    lines = topic.search_key.split("\n")
    if typed in lines:
        return _EXACT, 0
    if any(line.startswith(typed) for line in lines):
        return _BEGINS, 0
    if typed in topic.search_key:
        return _WITHIN, 0
    said = [len(word) for word in (topic.name, *topic.aliases, *topic.keywords) if word.lower() in typed]
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
