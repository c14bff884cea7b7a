"""Reference lists: the codes that other calls take. Any valid token may read them."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router

from minsheng.api import queries, showing
from minsheng.api.calls import caller_of
from minsheng.api.schemas import answers
from minsheng.api.v1.common import reading
from minsheng.cases import presenting, reference_queries
from minsheng.cases.models import ReasonCode
from minsheng.organisations.queries import valid_at

router = Router(tags=["名录"])


@router.get("/topics", **reading("list_topics", answers.Topics, None))
def list_topics(request: HttpRequest) -> answers.Topics:
    """The third-level topics that a case can be given."""
    leaves = reference_queries.leaf_topics(at=caller_of(request).at)
    return answers.Topics(topics=[showing.topic(topic) for topic in leaves])


@router.get("/places", **reading("list_places", answers.Places, None))
def list_places(request: HttpRequest) -> answers.Places:
    """Counties, streets and towns."""
    rows = queries.places(at=caller_of(request).at)
    return answers.Places(
        places=[answers.PlaceOut(code=p.code, name=p.name, path=presenting.place_words(p), level=str(p.level)) for p in rows]
    )


@router.get("/units", **reading("list_units", answers.Units, None))
def list_units(request: HttpRequest) -> answers.Units:
    """The units that take tasks."""
    return answers.Units(units=[showing.unit_named(unit) for unit in queries.units(at=caller_of(request).at)])


@router.get("/reasons", **reading("list_reasons", answers.Reasons, None))
def list_reasons(request: HttpRequest) -> answers.Reasons:
    """Coded reasons: of lists `return`, `extension`, `pause` for asks, `reply_refusal` for replies sent back."""
    rows = ReasonCode.objects.filter(valid_at(caller_of(request).at))
    return answers.Reasons(reasons=[answers.ReasonOut(code=row.code, name=row.label, list=row.list) for row in rows])
