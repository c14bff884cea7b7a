"""公开: closed cases whose citizens agreed; one person writes what the public will read, another passes it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from minsheng.cases import filters, lists, presenting
from minsheng.cases import queries as cases
from minsheng.cases.choices import CaseState, RequestKind
from minsheng.cases.models import Case
from minsheng.cases.rules import normalise_number
from minsheng.errors import Refused
from minsheng.publishing import actions, queries, rules
from minsheng.publishing.choices import PublicationState
from minsheng.publishing.forms import ReasonForm, VersionForm
from minsheng.publishing.models import Publication
from minsheng.ui import times
from minsheng.ui.pages import KeysetPage
from minsheng.ui.rows import Row
from minsheng.worktime.moments import day_of

TABS = {"edit": "待编辑", "review": "待复核", "published": "已公开"}
_DONE = {"propose": "已送复核。", "pass": "已公开。", "decline": "已退回修改。", "take_down": "已撤下，公众看不到了。"}
_EMPTY = {
    "edit": ("没有可以公开的诉求件", "诉求人同意公开、已办结、不涉密的诉求件会出现在这里。"),
    "review": ("没有等待复核的公开件", "同事编辑好的会出现在这里；自己编辑的由别人复核。"),
    "published": ("还没有公开的诉求件", "复核通过的会出现在这里，随时可以撤下。"),
}


# --- the lists ---------------------------------------------------------------------------------------------------


def _refuse_others(user: Any) -> None:
    if not user.has_any(rules.EDITORS | rules.REVIEWERS):
        raise Refused("forbidden", action="查看公开工作台")


def _edit_rows(user: Any, params: QueryDict, at: datetime) -> tuple[QuerySet[Case], lists.Order]:
    _refuse_others(user)
    return queries.to_edit(user), ("-closed_at", "-id")


def _publication_rows(user: Any, params: QueryDict, at: datetime) -> tuple[QuerySet[Publication], lists.Order]:
    _refuse_others(user)
    if params.get("tab") == "published":
        return queries.publications(user, PublicationState.PUBLISHED), queries.ORDER
    return queries.publications(user, PublicationState.PROPOSED), ("-edited_at", "-id")


def _written(values: Collection[str]) -> Q:
    never = Q(publication=None) if "none" in values else Q(pk__in=[])
    return never | Q(publication__state__in=values)


filters.offer(
    "publication",
    "公开件",
    [("none", "还没有编辑"), *((state.value, state.label) for state in PublicationState if state in rules.WRITABLE)],
    _written,
)
_PUBLIC_KINDS = tuple(kind for kind in RequestKind if kind != RequestKind.REPORT)
TO_PUBLISH = lists.register(
    lists.CaseList(
        code="to_publish",
        title="待编辑公开件",
        url="publishing:desk",
        rows=_edit_rows,
        fields=("publication", *(name for name in lists.ENDED_FIELDS if name != "state")),
        only={"kind": _PUBLIC_KINDS},
        sorts={"closed": lists.Sort("办结时间", "closed_at"), "received": lists.RECEIVED},
        fixed=(("tab", "edit"),),
        with_tasks=True,
        own_sort="最近办结的在前",
        left=("办结时间", "closed"),
    )
)
PUBLICATIONS = lists.register(
    lists.CaseList(
        code="publications",
        title="公开件",
        url="publishing:desk",
        rows=_publication_rows,
        fields=lists.ENDED_FIELDS,
        only={"kind": _PUBLIC_KINDS, "state": (CaseState.CLOSED, CaseState.ARCHIVED)},
        sorts={
            "edited": lists.Sort("编辑时间", "edited_at"),
            "published": lists.Sort("公开时间", "published_at"),
            "received": lists.Sort("收件时间", "case__received_at"),
        },
        own=("tab",),
        to_case="case__",
        own_sort="最新的在前",
        unit=("编辑人", ""),
    )
)
_LEFT = {"review": ("编辑时间", "edited"), "published": ("公开时间", "published")}


def _opened_list(request: HttpRequest, tab: str, at: datetime) -> lists.Shown:
    if tab == "edit":
        return lists.opened(request, TO_PUBLISH, at)
    shown = lists.opened(request, PUBLICATIONS, at)
    return replace(shown, spec=replace(shown.spec, left=_LEFT[tab]))


def _list(request: HttpRequest, shown: lists.Shown, tab: str) -> KeysetPage:
    def row(found: Any) -> Row:
        case = shown.line(found).case
        made = _row(shown, case, url=_here(request, tab, open=case.number or ""))
        publication = found if tab != "edit" else getattr(found, "publication", None)
        return shown.with_cells(replace(made, **_standing(tab, case, publication, shown.at)), case)

    return shown.page().map(row)


def _standing(tab: str, case: Case, publication: Publication | None, at: datetime) -> dict[str, Any]:
    """What a row of this tab says beside its case: who handled it and what became of an earlier version, or whose version it is."""
    if tab == "edit":
        state = PublicationState(publication.state) if publication else None
        return {"state": state, "unit": cases.lead_name(case), **_on(case.closed_at, "办结", at)}
    assert publication is not None
    moment, what = (publication.edited_at, "编辑") if tab == "review" else (publication.published_at, "公开")
    return {"unit": f"{publication.edited_by.display_name} 编辑", **_on(moment, what, at)}


def _on(moment: datetime | None, what: str, at: datetime) -> dict[str, str]:
    if moment is None:
        return {}
    return {"left": f"{times.day(moment, day_of(at))} {what}", "why": f"{times.moment(moment, at)} {what}"}


def _row(shown: lists.Shown, case: Case, *, url: str) -> Row:
    return Row(
        url=url,
        number=case.number or "",
        title=presenting.shown_title(shown.user, case),
        kind=str(RequestKind(case.kind).label),
        topic=case.topic.name if case.topic else "",
        place=presenting.place_words(case.place),
    )


def _here(request: HttpRequest, tab: str, **more: str) -> str:
    """The desk as this address has it: this tab, narrowed and sorted as it is."""
    query = request.GET.copy()
    query.pop("open", None)
    query["tab"] = tab
    query.update(more)
    return f"{reverse('publishing:desk')}?{query.urlencode()}"


# --- the desk ------------------------------------------------------------------------------------------------------


@login_required
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """`/publishing/?tab=&open=<number>`. Errors: forbidden."""
    _refuse_others(request.user)
    return _page(request, _tab(request.GET.get("tab", "")), request.GET.get("open", ""))


@login_required
@require_POST
def act(request: HttpRequest, number: str) -> HttpResponse:
    """One press: propose, pass, decline, take_down. A wrong form comes back with what was typed. Errors: those of the actions."""
    user: Any = request.user
    case, at, step = cases.case_for(user, number), timezone.now(), request.POST.get("step", "")
    tab = _tab(request.POST.get("tab", ""))
    if step == "propose":
        form = VersionForm(request.POST)
        if not form.is_valid():
            return _page(request, tab, number, form=form, status=422)
        actions.propose(actor=user, at=at, case=case, **form.cleaned_data)
    else:
        publication = Publication.objects.filter(case=case).first()
        if publication is None or step not in _DONE:
            raise Refused("not_found")
        why = request.POST.get("why", "").replace("\x00", "")
        if step == "take_down":
            actions.take_down(actor=user, at=at, publication=publication, why=why)
        else:
            actions.review(actor=user, at=at, publication=publication, passes=step == "pass", why=why)
    messages.success(request, _DONE[step])
    return redirect(_here(request, tab))


def _tab(given: str) -> str:
    return given if given in TABS else "edit"


def _tabs(current: str) -> list[dict[str, Any]]:
    url = reverse("publishing:desk")
    tabs = TABS.items()
    return [{"url": f"{url}?tab={code}", "label": label, "count": None, "current": code == current} for code, label in tabs]


def _page(request: HttpRequest, tab: str, number: str, *, form: VersionForm | None = None, status: int = 200) -> HttpResponse:
    user: Any = request.user
    shown = _opened_list(request, tab, timezone.now())
    if shown.elsewhere and form is None:
        return redirect(shown.elsewhere)
    opened = _opened(user, number)
    title, text = _EMPTY[tab]
    context: dict[str, Any] = {
        "desk_title": "公开",
        "tab": tab,
        "tabs": _tabs(tab),
        "list_url": _here(request, tab),
        "list": shown,
        "page": _list(request, shown, tab),
        "open": opened.number if opened else "",
        "words": [],
        "empty_title": title,
        "empty_text": text,
    }
    if opened is not None:
        context |= _pane(user, opened, form)
    return render(request, "publishing/desk.html", context, status=status)


def _opened(user: Any, number: str) -> Case | None:
    try:
        return cases.case_for(user, normalise_number(number[:40].replace("\x00", ""))) if number else None
    except Refused:
        return None


def _pane(user: Any, case: Case, form: VersionForm | None) -> dict[str, Any]:
    """The words as they came with what was found in them marked, beside what the public will read."""
    publication = Publication.objects.filter(case=case).select_related("edited_by", "reviewed_by").first()
    unit, answer = queries.answer_of(case)
    why_not = queries.why_not(case)
    state = publication.state if publication else ""
    editing = state in ("", *rules.WRITABLE) and not why_not and user.has_any(rules.EDITORS)
    if editing and form is None:
        form = VersionForm(initial=_first_version(case, answer, publication))
    reviewing = state == PublicationState.PROPOSED and user.has_any(rules.REVIEWERS)
    return {
        "case": case,
        "title": presenting.shown_title(user, case),
        "text_spans": presenting.personal_spans(case.text),
        "answer": answer,
        "answer_spans": presenting.personal_spans(answer),
        "unit": unit,
        "publication": publication,
        "form": form if editing else None,
        "may_review": reviewing and publication is not None and publication.edited_by_id != user.pk,
        "own": reviewing and publication is not None and publication.edited_by_id == user.pk,
        "may_take_down": state == PublicationState.PUBLISHED,
        "reason": ReasonForm(),
        "why_not": why_not,
    }


def _first_version(case: Case, answer: str, publication: Publication | None) -> dict[str, str]:
    if publication is not None:
        return {"title": publication.title, "text": publication.text, "reply": publication.reply}
    return queries.first_version(case, answer)
