"""Webhooks: a system says itself where it wants to be called, and looks after what did not reach it (docs/notices.md)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from ninja.responses import Status
from pydantic import Field

from minsheng.api import queries, showing
from minsheng.api.calls import Caller, caller_of
from minsheng.api.choices import Scope
from minsheng.api.once import once
from minsheng.api.schemas import answers, fields, sent
from minsheng.api.v1.common import CURSOR, MOST, PAGE, Key, acting, answered, page_of, reading
from minsheng.outbox import actions, wording
from minsheng.outbox import queries as outbox
from minsheng.outbox.choices import State

router = Router(tags=["推送"])
WebhookId = Path[fields.Id]


class DeliveryFilters(Schema):
    """Which calls."""

    state: State | None = None
    cursor: Annotated[str, Field(pattern=CURSOR)] = ""
    limit: Annotated[int, Field(ge=1, le=MOST)] = PAGE


@router.get("/events", **reading("list_events", answers.Events, None))
def list_events(request: HttpRequest) -> answers.Events:
    """What a webhook can be told of, in the order of the flow."""
    return answers.Events(events=[answers.Named(code=code, name=label) for code, label in wording.event_labels().items()])


@router.get("/webhooks", **reading("list_webhooks", answers.Webhooks, Scope.WEBHOOKS))
def list_webhooks(request: HttpRequest) -> answers.Webhooks:
    """The caller's own, also those that the administrator registered for its account."""
    rows = queries.webhooks_of(caller_of(request).system)
    return answers.Webhooks(webhooks=[showing.webhook(row) for row in rows])


@router.post("/webhooks", **acting("create_webhook", answers.WebhookSecret, Scope.WEBHOOKS, 201))
def create_webhook(request: HttpRequest, key: Key, body: sent.WebhookIn) -> Status[Any]:
    """The secret is in the answer, also when it is asked for again with the same key, and nowhere after."""
    caller = caller_of(request)

    def register(submission: UUID) -> answers.Made:
        made, _ = actions.register_endpoint(actor=caller.account, at=caller.at, user=caller.account, **_values(caller, body))
        return answers.Made(id=made.pk)

    return answered(201, _with_secret(caller, once(request, key, register)["id"]))


@router.put("/webhooks/{webhook}", **acting("change_webhook", answers.WebhookOut, Scope.WEBHOOKS))
def change_webhook(request: HttpRequest, webhook: WebhookId, body: sent.WebhookChange) -> answers.WebhookOut:
    """All of it at once, so the same call twice is the same."""
    caller = caller_of(request)
    found = queries.webhook_of(caller.system, webhook)
    values = _values(caller, body)
    changed = actions.change_endpoint(actor=caller.account, at=caller.at, endpoint=found, user=caller.account, **values)
    changed = actions.switch_endpoint(actor=caller.account, at=caller.at, endpoint=changed, active=body.active)
    return showing.webhook(changed)


@router.post("/webhooks/{webhook}/secret", **acting("rotate_webhook_secret", answers.WebhookSecret, Scope.WEBHOOKS))
def rotate_webhook_secret(request: HttpRequest, webhook: WebhookId, key: Key, body: sent.Nothing) -> Status[Any]:
    """A new one; calls are signed with both until `old_secret_until`."""
    caller = caller_of(request)

    def rotate(submission: UUID) -> answers.Made:
        found = queries.webhook_of(caller.system, webhook)
        actions.rotate_secret(actor=caller.account, at=caller.at, endpoint=found)
        return answers.Made(id=found.pk)

    return answered(200, _with_secret(caller, once(request, key, rotate)["id"]))


@router.post("/webhooks/{webhook}/test", **acting("test_webhook", answers.DeliveryOut, Scope.WEBHOOKS))
def test_webhook(request: HttpRequest, webhook: WebhookId, key: Key, body: sent.Nothing) -> Status[Any]:
    """One call that says nothing; its fate among the deliveries."""
    caller = caller_of(request)

    def queue(submission: UUID) -> answers.DeliveryOut:
        found = queries.webhook_of(caller.system, webhook)
        return showing.delivery(actions.test_endpoint(actor=caller.account, at=caller.at, endpoint=found))

    return answered(200, once(request, key, queue))


@router.get("/webhooks/{webhook}/deliveries", **reading("list_deliveries", answers.DeliveryPage, Scope.WEBHOOKS, one=True))
def list_deliveries(request: HttpRequest, webhook: WebhookId, filters: Query[DeliveryFilters]) -> answers.DeliveryPage:
    """What was called and what came of it, newest first."""
    found = outbox.deliveries_to(queries.webhook_of(caller_of(request).system, webhook))
    if filters.state is not None:
        found = found.filter(state=filters.state)
    page = page_of(found, ("-made_at", "-id"), filters.cursor, filters.limit)
    return answers.DeliveryPage(deliveries=[showing.delivery(each) for each in page], next=page.next)


@router.post("/webhooks/{webhook}/resend", **acting("resend_deliveries", answers.Resent, Scope.WEBHOOKS))
def resend_deliveries(request: HttpRequest, webhook: WebhookId, key: Key, body: sent.Nothing) -> Status[Any]:
    """All that stopped being tried, with their own ids, so that what came through before is known as a repetition."""
    caller = caller_of(request)

    def resend(submission: UUID) -> answers.Resent:
        found = queries.webhook_of(caller.system, webhook)
        return answers.Resent(count=actions.resend_to(actor=caller.account, at=caller.at, endpoint=found))

    return answered(200, once(request, key, resend))


def _values(caller: Caller, body: sent.WebhookIn) -> dict[str, Any]:
    source = caller.system.code if body.own_only or caller.system.own_only else ""
    return {"name": body.name, "url": body.url, "kinds": body.events, "source": source}


def _with_secret(caller: Caller, webhook: int) -> answers.WebhookSecret:
    """The secret is read where it is kept, encrypted, and never stands among the kept answers."""
    found = queries.webhook_of(caller.system, webhook)
    return answers.WebhookSecret(**dict(showing.webhook(found)), secret=str(found.secret), old_secret_until=found.old_secret_until)
