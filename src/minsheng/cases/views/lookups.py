"""What forms ask for while somebody types: topics, places, units, a topic's own fields, a ground's words, a caller's cases."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from minsheng.accounts.choices import Role
from minsheng.cases import actions, pickers, presenting, queries, reference_queries, streets, workflow
from minsheng.cases.choices import OPEN_STATES, CaseState
from minsheng.cases.forms import TopicDetailsForm
from minsheng.cases.models import Case, RefusalGround, Topic
from minsheng.cases.panels.ending import RejectPanel
from minsheng.errors import Refused
from minsheng.organisations.queries import valid_at
from minsheng.secrecy import mask_name, normalise_phone
from minsheng.ui.forms import Form

BROWSER_KEEPS_SECONDS = 60
LONGEST_PHONE, LONGEST_ADDRESS = 40, 200
MOST_ADDRESSES = 3  # each has a key of its own
INTAKE_ROLES = frozenset({Role.AGENT, Role.TEAM_LEADER, Role.DISPATCHER})


def _chosen(request: HttpRequest, name: str) -> int:
    given = request.GET.get(name, "")
    return int(given) if given.isdecimal() and len(given) < 19 else 0


def may_take(user: Any) -> None:
    """Only those who take requests in. Errors: forbidden."""
    if not user.has_any(INTAKE_ROLES):
        raise Refused("forbidden", action="登记诉求")


@login_required
@require_GET
def rows(request: HttpRequest, which: str) -> HttpResponse:
    """A whole list for the boxes that search it in the browser, which asks again only whether it has changed. Errors: not_found."""
    if which not in pickers.LISTS:
        raise Refused("not_found")
    stamp, drawn = pickers.rows_of(which, at=timezone.now())
    etag = f'"{stamp}"'
    kept = request.headers.get("If-None-Match") == etag
    answer: HttpResponse = HttpResponseNotModified() if kept else HttpResponse(drawn, content_type="application/json")
    answer["ETag"] = etag
    answer["Cache-Control"] = f"private, max-age={BROWSER_KEEPS_SECONDS}"
    return answer


@login_required
@require_GET
def topic_tree(request: HttpRequest) -> HttpResponse:
    """The whole tree, folded, to choose from."""
    leaves = reference_queries.leaf_topics(at=timezone.now())
    return render(request, "cases/intake/_topic_tree.html", {"leaves": [leaf for leaf in leaves if leaf.parent_id]})


@login_required
@require_POST
@never_cache
def street_proposals(request: HttpRequest) -> JsonResponse:
    """Streets that an address means, and the county of a point: posted, so that no address or log holds where somebody lives."""
    given = {name: request.POST.get(name, "").replace("\x00", "")[:LONGEST_ADDRESS] for name in ("address", "point")}
    return JsonResponse(streets.answer(given["address"], given["point"], at=timezone.now()))


@login_required
@require_GET
def topic_details(request: HttpRequest) -> HttpResponse:
    """What a chosen topic brings: a hint, and its own fields."""
    topic = Topic.objects.filter(valid_at(timezone.now()), pk=_chosen(request, "topic"), level=3).first()
    if topic is None:
        return HttpResponse("")
    return render(request, "cases/intake/_topic.html", {"hints": pickers.hints(topic), "extra": TopicDetailsForm(topic=topic)})


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


@login_required
@require_POST
@never_cache
def caller_name(request: HttpRequest) -> HttpResponse:
    """The name last given with this number, to be taken over; audited. Errors: forbidden, not_found."""
    user: Any = request.user
    phone = request.POST.get("phone", "")[:LONGEST_PHONE].replace("\x00", "")
    name = actions.recall_caller(actor=user, at=timezone.now(), phone=phone, request=request)
    return JsonResponse({"name": name})


def caller_context(user: Any, phone: str) -> dict[str, Any]:
    """Earlier cases of a number: those under way with what may be added to them, then the closed ones; and what of them can be taken
    over: last places, the name (masked, until it is asked for), the topics."""
    number = normalise_phone(phone[:LONGEST_PHONE].replace("\x00", ""))
    known = queries.earlier_of_phone(user, number) if number else []
    return {
        "number_given": bool(number),
        "addresses": _last_addresses(known),
        "caller_name": next((mask_name(case.applicant.name) for case in known if case.applicant.name and not case.confidential), ""),
        "caller_topics": ",".join(dict.fromkeys(str(case.topic_id) for case in known if case.topic_id)),
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


def _last_addresses(known: list[Case]) -> list[dict[str, Any]]:
    """Where this number's cases happened, the last first, each once: what the pages of those cases show to the same person."""
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for case in known:
        if case.place is None or case.confidential:
            continue
        found.setdefault(
            (case.place.pk, "".join(case.address.split())),
            {"place": case.place.pk, "path": presenting.place_words(case.place), "address": case.address},
        )
    return list(found.values())[:MOST_ADDRESSES]


def _offers(user: Any, code: str, case: Case) -> bool:
    row = workflow.BY_CODE[code]
    return case.state in row.sources and not row.roles.isdisjoint(user.roles)
