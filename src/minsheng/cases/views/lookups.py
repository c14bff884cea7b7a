"""What forms ask for while somebody types: topics, places, units, a topic's own fields, a ground's words, a caller's cases."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from minsheng.accounts.choices import Role
from minsheng.cases import presenting, queries, reference_queries, workflow
from minsheng.cases.choices import OPEN_STATES, CaseState, RequestKind
from minsheng.cases.forms import PlaceField, TopicDetailsForm, TopicField, UnitField
from minsheng.cases.models import Case, RefusalGround, Topic
from minsheng.cases.panels.ending import RejectPanel
from minsheng.errors import Refused
from minsheng.organisations import queries as organisations
from minsheng.organisations.queries import valid_at
from minsheng.secrecy import normalise_phone
from minsheng.ui.forms import Form

LONGEST_QUERY = 60
INTAKE_ROLES = frozenset({Role.AGENT, Role.TEAM_LEADER, Role.DISPATCHER})


def _typed(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\x00", "")[:LONGEST_QUERY]


def _chosen(request: HttpRequest, name: str) -> int:
    given = request.GET.get(name, "")
    return int(given) if given.isdecimal() and len(given) < 19 else 0


def _options(request: HttpRequest, options: list[tuple[int, str, str]]) -> HttpResponse:
    return render(request, "ui/forms/tree_options.html", {"options": options})


def may_take(user: Any) -> None:
    """Only those who take requests in. Errors: forbidden."""
    if not user.has_any(INTAKE_ROLES):
        raise Refused("forbidden", action="登记诉求")


@login_required
@require_GET
def topics(request: HttpRequest) -> HttpResponse:
    """Leaves for a name, alias, keyword, pinyin, initials."""
    field = TopicField()
    found = reference_queries.find_topics(_typed(request), at=timezone.now())
    return _options(request, [(topic.pk, topic.name, field.path(topic)) for topic in found])


@login_required
@require_GET
def topic_tree(request: HttpRequest) -> HttpResponse:
    """The whole tree, folded, to choose from."""
    leaves = reference_queries.leaf_topics(at=timezone.now())
    return render(request, "cases/intake/_topic_tree.html", {"leaves": [leaf for leaf in leaves if leaf.parent_id]})


@login_required
@require_GET
def places(request: HttpRequest) -> HttpResponse:
    """Streets and counties by name, pinyin or initials; of those not dispatchable the reason is told."""
    field = PlaceField()
    found = organisations.find_places(_typed(request), at=timezone.now(), limit=12)
    return _options(request, [(p.pk, p.name, field.path(p) + (f"（{p.reason}）" if p.reason else "")) for p in found])


@login_required
@require_GET
def units(request: HttpRequest) -> HttpResponse:
    """Units by name, short name, alias, pinyin; `all=1` also those that take no cases."""
    field = UnitField()
    which = None if request.GET.get("all") else True
    found = organisations.find_units(_typed(request), at=timezone.now(), limit=12, dispatchable=which)
    return _options(request, [(unit.pk, unit.name, field.path(unit)) for unit in found])


@login_required
@require_GET
def topic_details(request: HttpRequest) -> HttpResponse:
    """What a chosen topic brings: a hint, and its own fields."""
    topic = Topic.objects.filter(valid_at(timezone.now()), pk=_chosen(request, "topic"), level=3).first()
    if topic is None:
        return HttpResponse("")
    return render(request, "cases/intake/_topic.html", {"hints": hints(topic), "extra": TopicDetailsForm(topic=topic)})


def hints(topic: Topic) -> list[str]:
    """What an agent should know of a topic before accepting, each in a line."""
    told = []
    if topic.route:
        told.append(f"“{topic.name}”一般不派单：登记后请即时转接，或告知法定途径。")
    if topic.default_kind:
        told.append(f"通常为{RequestKind(topic.default_kind).label}。")
    if topic.urgent:
        told.append("紧急：承办单位须 24 小时内先期处置。")
    if topic.risk:
        told.append("涉人身安全或群体，请问清是否有人受伤、是否正在发生。")
    if topic.confidential_by_default:
        told.append("默认保密：承办单位看不到诉求人。")
    return told


@login_required
@require_GET
def ground(request: HttpRequest) -> HttpResponse:
    """A ground's legal route, and its words in a box to be edited."""
    chosen = RefusalGround.objects.filter(valid_at(timezone.now()), pk=_chosen(request, "ground")).first()
    form = Form(initial={"text": chosen.text if chosen else ""})
    form.fields["text"] = RejectPanel.base_fields["text"]
    return render(request, "cases/panels/_ground.html", {"ground": chosen, "form": form})


@login_required
@require_POST
@never_cache
def caller(request: HttpRequest) -> HttpResponse:
    """The card of a telephone number as it is typed: posted, so that no address or log holds it."""
    may_take(request.user)
    return render(request, "cases/intake/_caller.html", caller_context(request.user, request.POST.get("phone", "")))


def caller_context(user: Any, phone: str) -> dict[str, Any]:
    """Earlier cases of a number: those under way with what may be added to them, then the closed ones."""
    number = normalise_phone(phone[:40].replace("\x00", ""))
    known = queries.earlier_of_phone(user, number) if number else []
    return {
        "number_given": bool(number),
        "earlier": [
            {
                "number": case.number,
                "title": presenting.shown_title(user, case),
                "state": CaseState(case.state),
                "at": case.received_at,
                "place": case.place.name if case.place else "",
                "urge": _offers(user, "urge", case),
                "supplement": _offers(user, "supplement", case),
            }
            for case in sorted(known, key=lambda case: case.state not in OPEN_STATES)
        ],
    }


def _offers(user: Any, code: str, case: Case) -> bool:
    row = workflow.BY_CODE[code]
    return case.state in row.sources and not row.roles.isdisjoint(user.roles)
