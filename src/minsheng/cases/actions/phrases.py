"""Writes of 常用语: one's own, and by the team leader the centre's."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from minsheng.accounts.choices import Role
from minsheng.audit.actions import record
from minsheng.cases import phrases
from minsheng.cases.models import Phrase, Topic
from minsheng.errors import Refused
from minsheng.secrecy import find_personal

if TYPE_CHECKING:
    from minsheng.accounts.models import User

_USE = frozenset({Role.AGENT, Role.TEAM_LEADER, Role.DISPATCHER})
# A landline in a template is an office's: to give it out is what the template is for.
_ALLOWED = frozenset({"landline"})


def save_phrase(
    *, actor: User, at: datetime, phrase: Phrase | None, abbreviation: str, text: str, topic: Topic | None, shared: bool
) -> Phrase:
    """Write a template: a new one, or `phrase` as it was read (its version is compared).

    Errors: forbidden (the centre's: team leaders only), not_found, stale, invalid, phrase_personal, phrase_taken.
    """
    if not actor.has_any(_USE):
        raise Refused("forbidden", action="写常用语")
    text, abbreviation = text.strip(), abbreviation.strip().lower()
    _refuse_wrong(abbreviation, text)
    try:
        with transaction.atomic():
            made = _held(actor, phrase) if phrase else Phrase(owner=None if shared else actor)
            if made.owner_id is None:
                _refuse_other(actor)
            made.abbreviation, made.text, made.topic = abbreviation, text, topic
            made.version += bool(phrase)
            made.save()
            if made.owner_id is None:
                record(actor=actor, at=at, code="phrase.saved", subject=made, subject_label=str(made))
    except IntegrityError:
        raise Refused("phrase_taken", abbreviation=abbreviation) from None
    return made


def remove_phrase(*, actor: User, at: datetime, phrase: Phrase) -> None:
    """Delete a template. Errors: not_found, stale, forbidden."""
    with transaction.atomic():
        held = _held(actor, phrase)
        if held.owner_id is None:
            _refuse_other(actor)
            record(actor=actor, at=at, code="phrase.removed", subject=held, subject_label=str(held))
        held.delete()


def _held(actor: User, phrase: Phrase) -> Phrase:
    """The row as it stands, locked: the centre's or one's own, in the version that was read."""
    held = Phrase.objects.select_for_update().filter(pk=phrase.pk).first()
    if held is None or held.owner_id not in (None, actor.pk):
        raise Refused("not_found")
    if held.version != phrase.version:
        raise Refused("stale")
    return held


def _refuse_other(actor: User) -> None:
    if not actor.has_role(Role.TEAM_LEADER):
        raise Refused("forbidden", action="修改全中心的常用语")


def _refuse_wrong(abbreviation: str, text: str) -> None:
    if not (abbreviation.isascii() and abbreviation.isalnum() and len(abbreviation) <= 12):
        raise Refused("invalid", message="缩写用 1 到 12 个小写字母或数字，如 tq。")
    if not text or len(text) > phrases.LONGEST or "\x00" in text:
        raise Refused("invalid", message=f"常用语须有内容，最多 {phrases.LONGEST} 字。")
    if any(span.kind not in _ALLOWED for span in find_personal(text)):
        raise Refused("phrase_personal")
