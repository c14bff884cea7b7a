"""What this room writes: messages of another system become cases, all of them or none (domain.md §2.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from minsheng.audit.actions import record
from minsheng.cases import indexing
from minsheng.cases.actions import submit_case
from minsheng.cases.actors import CITIZEN_ROLE, Outsider
from minsheng.cases.details import ApplicantDetails, CaseDetails
from minsheng.cases.models import Contact

if TYPE_CHECKING:
    from minsheng.cases.models import Topic
    from minsheng.channels.importing import Message
    from minsheng.organisations.models import Place


@dataclass(frozen=True)
class Imported:
    """How many cases came, and how many messages were there before."""

    new: int
    known: int


def import_messages(
    *,
    actor: Outsider | None = None,
    at: datetime,
    messages: Sequence[Message],
    source: str,
    channel: str,
    topics: Mapping[str, Topic],
    places: Mapping[str, Place],
    progress: Callable[[int], None] = lambda done: None,
) -> Imported:
    """Each message becomes a case waiting for acceptance; a message of this source and id that is here stays as it is.

    One transaction: whatever stops it, nothing was imported. Each case's clock starts now, whenever the message was written.
    """
    sender = actor or Outsider(CITIZEN_ROLE, f"批量导入（{source}）")
    with transaction.atomic():
        here = _here(source)
        waiting = [message for message in messages if message.source_id not in here]
        for first in range(0, len(waiting), indexing.BATCH):
            with indexing.once():
                for done, message in enumerate(waiting[first : first + indexing.BATCH], start=first + 1):
                    _submit(sender, at, message, source, channel, topics, places)
                    progress(done)
        result = Imported(new=len(waiting), known=len(messages) - len(waiting))
        detail = {"source": source, "new": result.new, "known": result.known}
        record(actor=sender, at=at, code="channels.messages_imported", subject_label=source, detail=detail)
    return result


def _here(source: str) -> set[str]:
    return set(Contact.objects.filter(source=source).exclude(source_id="").values_list("source_id", flat=True))


def _submit(
    sender: Outsider,
    at: datetime,
    message: Message,
    source: str,
    channel: str,
    topics: Mapping[str, Topic],
    places: Mapping[str, Place],
) -> None:
    submit_case(
        actor=sender,
        at=at,
        channel=channel,
        details=CaseDetails(
            kind=message.kind,
            text=message.text,
            title=message.title,
            topic=topics.get(message.topic),
            place=places.get(message.place),
            address=message.address,
        ),
        applicant=ApplicantDetails(
            kind=message.applicant_kind, name=message.name, phone=message.phone, organisation=message.organisation
        ),
        source=source,
        source_id=message.source_id,
        received_at=message.received_at,
    )
