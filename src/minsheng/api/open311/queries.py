"""What GeoReport v2 shows: to everybody only cases that are published, and of these no words; by number only a status."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from minsheng.api.calls import Caller
from minsheng.api.open311.reading import Wanted
from minsheng.api.open311.writing import Trouble, moment
from minsheng.cases import reference_queries
from minsheng.cases.choices import CaseState, Ending
from minsheng.cases.models import Case, Topic
from minsheng.cases.rules import is_number, normalise_number
from minsheng.organisations.queries import valid_at
from minsheng.publishing import queries as publishing
from minsheng.publishing.models import Publication

MOST = 1000  # the specification's
_CLOSED = frozenset({CaseState.CLOSED, CaseState.ARCHIVED})
_NOTES = {
    CaseState.TO_ACCEPT: "已收到，等待受理。",
    CaseState.TO_DISPATCH: "已受理，正在确定由哪个单位办理。",
    CaseState.IN_STUDY: "已受理，正在确定由哪个单位办理。",
    CaseState.IN_HANDLING: "正在办理。",
    CaseState.TO_AUDIT: "已经办理，正在核对结果。",
    CaseState.TO_FOLLOW_UP: "已有办理结果，等待评价。",
}
_SPOKEN = {Ending.HANDLED: "已经办结。", Ending.ANSWERED: "已经答复。"}
_ENDED = "已经结束。"


# --- services ----------------------------------------------------------------------------------------------------


def services(*, at: datetime) -> list[dict[str, Any]]:
    """The third-level topics that go to a unit; what is connected at once (110, 120) is no service here. One query."""
    return [_service(topic) for topic in reference_queries.leaf_topics(at=at) if not topic.route]


def topic_of(code: str, *, at: datetime) -> Topic:
    """The topic of a service code. Errors: 404."""
    found = Topic.objects.filter(valid_at(at), code=code[:20], level=3, route="").first()
    if found is None:
        raise Trouble(404, "service_code was not found")
    return found


def _service(topic: Topic) -> dict[str, Any]:
    group = topic.parent.parent if topic.parent and topic.parent.parent else topic.parent
    path = [each.name for each in (group, topic.parent, topic) if each is not None]
    return {
        "service_code": topic.code,
        "service_name": topic.name,
        "description": " / ".join(dict.fromkeys(path)),
        "metadata": bool(topic.required_fields),
        "type": "realtime",
        "keywords": ",".join(dict.fromkeys([*topic.aliases, *topic.keywords])),
        "group": group.name if group else "",
    }


def definition(topic: Topic) -> dict[str, Any]:
    """What the topic asks for beside, each a line of text."""
    attributes = [
        {
            "variable": True,
            "code": item["name"],
            "datatype": "string",
            "required": True,
            "datatype_description": None,
            "order": order,
            "description": item["label"],
            "values": [],
        }
        for order, item in enumerate(topic.required_fields, start=1)
    ]
    return {"service_code": topic.code, "attributes": attributes}


# --- requests ----------------------------------------------------------------------------------------------------


def published() -> QuerySet[Publication]:
    """What the portal shows to everybody, by the same rules: with consent, closed, de-identified, passed by a second person
    (domain.md §2.10, §8.1). Here too no open case is anybody's to list. One query with its relations."""
    return publishing.public().select_related("case__topic", "county")


def requests(ask: Wanted, *, caller: Caller | None) -> list[dict[str, Any]]:
    """By ids: what may be said of each. Otherwise the published ones received in the span, newest first, at most a thousand."""
    if ask.ids:
        return _by_numbers(ask.ids, caller)
    if ask.statuses and "closed" not in ask.statuses:
        return []
    found = published().filter(case__received_at__gte=ask.start, case__received_at__lte=ask.end)
    if ask.service_codes:
        found = found.filter(case__topic__code__in=[code[:20] for code in ask.service_codes])
    return [_public(one) for one in found.order_by("-case__received_at", "-case_id")[:MOST]]


def request_of(number: str, *, caller: Caller | None) -> list[dict[str, Any]]:
    """One request. Errors: 404."""
    found = _by_numbers([number], caller)
    if not found:
        raise Trouble(404, "service_request_id was not found")
    return found


def _by_numbers(numbers: Iterable[str], caller: Caller | None) -> list[dict[str, Any]]:
    """A published case as in the list; of any other its status, and of a confidential one nothing but to who brought it."""
    wanted = {number for number in map(normalise_number, numbers) if is_number(number)}
    public = {one.case.number: one for one in published().filter(case__number__in=wanted)}
    rest = Case.objects.filter(number__in=wanted - set(public)).exclude(state=CaseState.DRAFT).select_related("topic")
    mine = Q(contacts__source=caller.system.code) & ~Q(contacts__source_id="") if caller else Q(pk__in=[])
    statuses = {case.number: case for case in rest.filter(Q(confidential=False) | mine).distinct()}
    shown = [_public(one) for one in public.values()] + [_status(case) for case in statuses.values()]
    return sorted(shown, key=lambda each: each["service_request_id"])


def _status(case: Case) -> dict[str, Any]:
    """Where it stands, with every other field of the specification empty."""
    closed = case.state in _CLOSED
    return {
        "service_request_id": case.number,
        "status": "closed" if closed else "open",
        "status_notes": _SPOKEN.get(Ending(case.ending), _ENDED) if closed else _NOTES[CaseState(case.state)],
        "service_name": case.topic.name if case.topic else None,
        "service_code": case.topic.code if case.topic else "",
        "description": None,
        "agency_responsible": None,
        "service_notice": None,
        "requested_datetime": moment(case.received_at),
        "updated_datetime": moment(case.closed_at if closed else case.state_since),
        "expected_datetime": moment(case.citizen_due_at),
        "address": None,
        "address_id": None,
        "zipcode": None,
        "lat": None,
        "long": None,
        "media_url": None,
    }


def _public(one: Publication) -> dict[str, Any]:
    """The status with who answered and in which county, never less: a street and a topic can be one household. No point, which
    the specification lets be empty; and no words, because beside the number they would be anybody's who has the number."""
    county = one.county
    return _status(one.case) | {
        "agency_responsible": one.unit_name or None,
        "address": county.name if county else None,
        "address_id": county.code if county else None,
    }
