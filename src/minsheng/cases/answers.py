"""What others did with a case that answers what I had done with it: my reply sent back, my application decided. Told in the top bar."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import F, Q
from django.urls import reverse

from minsheng.cases import presenting, workflow
from minsheng.cases.models import Case, TimelineEntry
from minsheng.ui.notices import MOST, Notice

if TYPE_CHECKING:
    from minsheng.accounts.models import User

_ASKED = {"return": "退件", "extension": "延期", "pause": "挂起", "termination": "终止", "set_aside": "不合理认定"}
# The other's act, and which of my acts on the same case it answers. What waits at a desk of mine says so there, and is not here.
ANSWERS: dict[str, frozenset[str]] = {
    "send_back": frozenset({"draft_reply", "sign_reply"}),
    "decline_to_sign": frozenset({"draft_reply"}),
    "send_report_back": frozenset({"report"}),
    "return_to_parent": frozenset({"sub_dispatch"}),
    "conclude_study": frozenset({"send_to_study"}),
    "second_handling": frozenset({"pass_reply"}),
    "reopen": frozenset({"pass_reply", "answer"}),
    **{f"decide_{kind}": frozenset({f"request_{kind}"}) for kind in _ASKED},
}
_labels: dict[str, str] = {}


def answers(code: str, *own: str, label: str) -> None:
    """For rooms above: their act answers these."""
    ANSWERS[code], _labels[code] = frozenset(own), label


def told(user: User, since: datetime) -> Iterator[Notice]:
    """Of cases that this person may still see. One query; it begins with what they themselves did."""
    pairs = Q()
    for code, own in ANSWERS.items():
        pairs |= Q(code=code, case__timeline__code__in=own)
    found = (
        TimelineEntry.objects.filter(
            pairs, at__gt=since, case__timeline__actor=user, case__timeline__seq__lt=F("seq"), case__in=Case.objects.visible_to(user)
        )
        .exclude(actor=user)
        .select_related("case")
        .order_by("-at", "-id")
        .distinct()
    )
    for entry in found[:MOST]:
        row = workflow.BY_CODE.get(entry.code)
        yield Notice(
            at=entry.at,
            words=row.label if row else _labels[entry.code],
            of=f"{entry.case.number} {presenting.shown_title(user, entry.case)}",
            url=reverse("cases:page", args=[entry.case.number]),
            icon="message-reply",
        )
