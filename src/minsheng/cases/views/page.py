"""The case page, alone or in a list's pane: one context, one template (`cases/body.html`), for every desk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from minsheng.cases import histories, presenting, queries, sections, shown_clocks
from minsheng.cases.choices import AskKind, AskState, ReplyKind, ReplyState
from minsheng.cases.models import Ask, Attachment, Case, Contact, Reply
from minsheng.cases.models.reference import ReasonList
from minsheng.cases.queries import CaseView
from minsheng.cases.reference_queries import reason_labels
from minsheng.cases.shown_clocks import ShownClock
from minsheng.errors import Refused
from minsheng.organisations import maps
from minsheng.secrecy import redact
from minsheng.worktime import queries as worktime
from minsheng.worktime.rules import Calendar

MOST_ENTRIES = 300
Labels = dict[tuple[str, str], str]


@login_required
@require_GET
def page(request: HttpRequest, number: str) -> HttpResponse:
    """`/cases/<number>/`. Errors: not_found, also for a case that exists but is not this person's to know of."""
    user: Any = request.user
    case = queries.case_for(user, number)
    return render(request, "cases/page.html", case_context(request, case))


@login_required
@require_GET
def since(request: HttpRequest, number: str) -> HttpResponse:
    """`/cases/<number>/since/?version=`: what has happened to the case since the screen was drawn. Errors: not_found."""
    user: Any = request.user
    given = request.GET.get("version", "")
    version, changes = histories.since(user, number, _version(given), at=timezone.now())
    return render(request, "cases/since.html", {"version": version, "changes": changes})


def _version(given: str) -> int:
    return int(given) if given.isascii() and given.isdigit() and len(given) < 9 else 0


def open_pane(request: HttpRequest) -> dict[str, Any]:
    """For a list with `?open=<number>`: what list_detail.html and cases/body.html need. A number that is gone or not theirs
    opens nothing, so that a list survives its case leaving it."""
    number = request.GET.get("open", "")[:40].replace("\x00", "")
    if not number:
        return {"open": ""}
    user: Any = request.user
    try:
        case = queries.case_for(user, number)
    except Refused:
        return {"open": "", "open_gone": number}
    return {"open": case.number, **case_context(request, case)}


def row_url(request: HttpRequest, number: str) -> str:
    """This list, with its filters and page, with that case open."""
    query = request.GET.copy()
    query["open"] = number
    query.pop("history", None)
    return f"{request.path}?{query.urlencode()}"


def list_url(request: HttpRequest) -> str:
    """This list, with its filters and page, with nothing open."""
    query = request.GET.copy()
    for name in ("open", "history"):
        query.pop(name, None)
    return f"{request.path}?{query.urlencode()}" if query else request.path


def case_context(request: HttpRequest, case: Case) -> dict[str, Any]:
    """Everything that cases/body.html shows to this person, under `body`; the number of queries does not depend on the case."""
    user: Any = request.user
    at = timezone.now()
    view = queries.view_case(user, case, at=at)
    calendar = worktime.calendar()
    near, more = presenting.buttons(view)
    words = presenting.shown_words(case, view.disclosure)
    body = {
        "view": view,
        "case": case,
        "seen": view.disclosure,
        "title": presenting.shown_title(user, case),
        "flags": presenting.flags(case),
        "facts": presenting.facts(case, view.disclosure, at=at),
        "point": presenting.shown_point(case, view.disclosure),
        "map": maps.config(),
        "words": words,
        "spans": presenting.personal_spans(words),
        "withheld": not view.disclosure.words,
        "clocks": _clocks(view, user, at, calendar),
        "buttons": near,
        "more": more,
        "tasks": [presenting.task_line(t, at=at, calendar=calendar, user=user) for t in view.situation.tasks],
        "person": presenting.masked_person(case) if view.disclosure.person else "",
        "may_reissue": user.is_centre and view.disclosure.uncover,
        "of_person": _links(user, queries.earlier_of_person(user, case, view.disclosure)),
        "of_place": _links(user, queries.earlier_of_place(user, case)),
        "relations": _relations(user, case),
        "sections": sections.shown_for(view),
        **_from_citizen(view),
        **_from_units(view, calendar),
        **_history(request, view),
    }
    return {"case_key": case.number, "case": case, "body": body}


# --- parts -------------------------------------------------------------------------------------------------------


def _clocks(view: CaseView, user: Any, at: Any, calendar: Any) -> list[ShownClock]:
    """The citizen's clock above; below, what my unit owes, or the stage that the centre is in and what waits for its answer."""
    shown = [shown_clocks.citizen_clock(view.case, at=at, calendar=calendar)]
    if user.is_unit:
        for task in view.situation.tasks:
            if task.unit_id == user.unit_id:
                shown += shown_clocks.task_clocks(task, at=at, calendar=calendar)
    else:
        shown.append(shown_clocks.stage_clock(view.case, at=at, calendar=calendar))
        pending = (ask for ask in view.situation.asks if ask.state == AskState.PENDING)
        shown += [shown_clocks.ask_clock(ask, at=at, calendar=calendar) for ask in pending]
    return [clock for clock in shown if clock is not None]


def _links(user: Any, cases: list[Case]) -> list[dict[str, Any]]:
    return [
        {"number": c.number, "title": presenting.shown_title(user, c), "at": c.received_at, "state": c.state} for c in cases
    ]


def _relations(user: Any, case: Case) -> list[tuple[str, str]]:
    """(how, number) of cases that this one came from, went to, or took in."""
    return [(_how(case, other), other.number or "") for other in queries.relations_of(user, case)]


def _how(case: Case, other: Case) -> str:
    if other.pk == case.split_from_id:
        return "拆分自"
    if other.pk == case.merged_into_id:
        return "已并入"
    return "拆出" if other.split_from_id == case.pk else "并入本件"


def _from_citizen(view: CaseView) -> dict[str, Any]:
    """What the citizen sent and what they were told, as far as this person may read it."""
    case, seen = view.case, view.disclosure
    contacts = Contact.objects.filter(case=case).select_related("taken_by").order_by("received_at", "id")
    files = Attachment.objects.filter(case=case, reply=None, ask=None).order_by("at", "id") if seen.files else ()
    messages = case.messages.order_by("-at", "-id") if seen.words else case.messages.none()
    if view.situation.actor.is_unit:
        messages = messages.exclude(template="split")  # which cases belong together, a unit does not learn
    return {
        "contacts": [
            {
                "at": contact.received_at,
                "purpose": contact.get_purpose_display(),
                "channel": contact.get_channel_display(),
                "by": contact.taken_by,
                "words": presenting.shown_words(case, seen, contact.text),
            }
            for contact in list(contacts)[1:]
        ],
        "files": [presenting.shown_file(case, file) for file in files],
        "messages": [{"at": m.at, "text": redact(m.text) if seen.redacted else m.text} for m in messages],
    }


def _from_units(view: CaseView, calendar: Calendar) -> dict[str, Any]:
    """Replies with their audits, asks with their answers, and attempts to reach the citizen."""
    if not view.situation.tasks:
        return {"replies": [], "asks": [], "outreaches": []}
    labels = reason_labels()
    asks = (
        Ask.objects.filter(task__case=view.case)
        .select_related("task__unit", "asked_by", "decided_by", "proposed_unit")
        .prefetch_related("attachments")
        .order_by("-asked_at", "-id")
    )
    return {
        "replies": [_reply(view, reply, labels) for reply in view.replies if _is_theirs_to_read(view, reply)],
        "asks": [_ask(view, ask, labels, calendar) for ask in asks],
        "outreaches": [
            {"it": it, "summary": _staff_words(view, it.summary)} for it in queries.outreaches(view.case)
        ],
    }


def _staff_words(view: CaseView, text: str) -> str:
    return presenting.staff_words(view.situation.actor, view.case, text)


def _is_theirs_to_read(view: CaseView, reply: Reply) -> bool:
    """A reply that its unit has not signed is the unit's own paper."""
    return reply.state not in (ReplyState.TO_SIGN, ReplyState.NOT_SIGNED) or view.situation.actor.unit_id == reply.task.unit_id


def _reply(view: CaseView, reply: Reply, labels: Labels) -> dict[str, Any]:
    return {
        "reply": reply,
        "unit": reply.task.unit.name,
        "kind": ReplyKind(reply.kind).label,
        "state": ReplyState(reply.state),
        "verdict": " · ".join(
            str(label) for label in (reply.get_finding_display(), reply.get_outcome_display(), reply.get_solved_display()) if label
        ),
        "text": _staff_words(view, reply.text),
        "basis": _staff_words(view, reply.basis),
        "audit_note": _staff_words(view, reply.audit_note),
        "reasons": [labels.get((ReasonList.REPLY_REFUSAL, code), code) for code in reply.audit_reasons],
        "files": _files(view, reply.attachments.all()),
        "may_keep": _may_keep(view, reply),
    }


def _may_keep(view: CaseView, reply: Reply) -> bool:
    """A good reply of one's own unit may become a template; never one of a confidential case."""
    good = reply.kind == ReplyKind.FINAL and reply.state == ReplyState.ACCEPTED
    return good and reply.task.unit_id == view.situation.actor.unit_id and not view.case.confidential


def _ask(view: CaseView, ask: Ask, labels: Labels, calendar: Calendar) -> dict[str, Any]:
    kind = AskKind(ask.kind)
    return {
        "ask": ask,
        "unit": ask.task.unit.name,
        "kind": kind.label,
        "state": AskState(ask.state),
        "clock": shown_clocks.ask_clock(ask, at=view.situation.at, calendar=calendar),
        "ground": labels.get((kind.value, ask.reason_code), ""),
        "reason": _staff_words(view, ask.reason),
        "basis": _staff_words(view, ask.basis),
        "decision_note": _staff_words(view, ask.decision_note),
        "files": _files(view, ask.attachments.all()),
    }


def _files(view: CaseView, attachments: Iterable[Attachment]) -> list[presenting.ShownFile]:
    if view.disclosure.redacted:
        return []
    return [presenting.shown_file(view.case, file) for file in attachments]


def _history(request: HttpRequest, view: CaseView) -> dict[str, Any]:
    only = request.GET.get("history", "")
    only = only if only in histories.FILTERS else ""
    entries = histories.of_side(view.case.timeline.select_related("actor"), only)
    newest = list(entries.order_by("-seq")[: MOST_ENTRIES + 1])
    base = request.GET.copy()
    base.pop("history", None)
    filters = []
    for code, label in histories.FILTERS.items():
        query = base.copy()
        if code:
            query["history"] = code
        filters.append({"label": label, "url": f"?{query.urlencode()}#history", "current": code == only})
    shown = histories.lines(view, newest[:MOST_ENTRIES][::-1])
    return {"history": shown, "history_filters": filters, "history_cut": MOST_ENTRIES if len(newest) > MOST_ENTRIES else 0}
