"""An Idempotency-Key makes a call happen once, however often it is sent: the answer is kept in the call's own transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest
from pydantic import BaseModel

from minsheng.api import rules
from minsheng.api.calls import caller_of
from minsheng.api.models import Answer
from minsheng.cases.work import Repeated
from minsheng.errors import Refused

Act = Callable[[UUID], BaseModel]


def once(
    request: HttpRequest, key: str, act: Act, *, done: Callable[[], BaseModel] | None = None, sent: bytes | None = None
) -> dict[str, Any]:
    """What `act(submission)` answers, or what it answered when the same call came before.

    Calls with one key wait for each other at the key's row, nobody else does. A refused act keeps nothing, so the key can be
    used again. Where the kept answer is gone but the timeline knows the submission, `done` tells how things stand.
    `sent`: what stands for the body where that is a stream. Errors: key_reused, and those of `act`.
    """
    caller = caller_of(request)
    fingerprint = rules.fingerprint(request.method or "", request.path, request.body if sent is None else sent)
    with transaction.atomic():
        first = {"fingerprint": fingerprint, "at": caller.at}
        answer, mine = Answer.objects.get_or_create(system=caller.system, key=key, defaults=first)
        if not mine:
            if answer.fingerprint != fingerprint:
                raise Refused("key_reused")
            body: dict[str, Any] = answer.body
            return body
        answer.body = _acted(rules.submission_of(caller.system.pk, key), act, done).model_dump(mode="json")
        answer.save(update_fields=["body"])
    return answer.body


def _acted(submission: UUID, act: Act, done: Callable[[], BaseModel] | None) -> BaseModel:
    try:
        with transaction.atomic():
            return act(submission)
    except Repeated:
        if done is None:
            raise Refused("submission_used") from None
        return done()
