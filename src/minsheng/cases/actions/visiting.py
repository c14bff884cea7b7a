"""When a unit's person was at the desk, so that it can say what has come since."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from minsheng.cases.models import DeskVisit

if TYPE_CHECKING:
    from minsheng.accounts.models import User

AWAY = timedelta(hours=1)  # who was away for longer comes anew (ours)
_STEP = timedelta(minutes=5)  # a visit is written down this often at most


def note_visit(*, actor: User, at: datetime) -> datetime | None:
    """Note that the person is at the desk; returns when they were last here before this visit, None the first time.

    Nothing personal and nothing of a case: not audited. Two windows of one person at once write the same.
    """
    with transaction.atomic():
        visit, made = DeskVisit.objects.select_for_update(no_key=True).get_or_create(user=actor, defaults={"seen_at": at})
        if not made and at - visit.seen_at >= _STEP:
            if at - visit.seen_at >= AWAY:
                visit.before = visit.seen_at
            visit.seen_at = at
            visit.save(update_fields=["seen_at", "before"])
    return visit.before
