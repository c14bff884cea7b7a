"""公开: closed cases whose citizens agreed; one person writes what the public will read, another passes it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from minsheng.cases import presenting
from minsheng.cases import queries as cases
from minsheng.cases.choices import RequestKind
from minsheng.cases.models import Case
from minsheng.cases.rules import normalise_number
from minsheng.errors import Refused
from minsheng.publishing import actions, queries, rules
from minsheng.publishing.choices import PublicationState
from minsheng.publishing.forms import ReasonForm, VersionForm
from minsheng.publishing.models import Publication
from minsheng.ui.pages import KeysetPage, keyset_page
from minsheng.ui.rows import Row

TABS = {"edit": "待编辑", "review": "待复核", "published": "已公开"}
_DONE = {"propose": "已送复核。", "pass": "已公开。", "decline": "已退回修改。", "take_down": "已撤下，公众看不到了。"}
_EMPTY = {
    "edit": ("没有可以公开的诉求件", "诉求人同意公开、已办结、不涉密的诉求件会出现在这里。"),
    "review": ("没有等待复核的公开件", "同事编辑好的会出现在这里；自己编辑的由别人复核。"),
    "published": ("还没有公开的诉求件", "复核通过的会出现在这里，随时可以撤下。"),
}


@login_required
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """`/publishing/?tab=&open=<number>`. Errors: forbidden."""
    user: Any = request.user
    if not user.has_any(rules.EDITORS | rules.REVIEWERS):
        raise Refused("forbidden", action="查看公开工作台")
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
    return redirect(f"{reverse('publishing:desk')}?{urlencode({'tab': tab})}")


def _tab(given: str) -> str:
    return given if given in TABS else "edit"


def _page(request: HttpRequest, tab: str, number: str, *, form: VersionForm | None = None, status: int = 200) -> HttpResponse:
    user: Any = request.user
    opened = _opened(user, number)
    title, text = _EMPTY[tab]
    context: dict[str, Any] = {
        "desk_title": "公开",
        "tab": tab,
        "tabs": [{"url": f"?tab={code}", "label": label, "count": None, "current": code == tab} for code, label in TABS.items()],
        "list_url": f"{reverse('publishing:desk')}?tab={tab}",
        "page": _list(request, user, tab),
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


def _list(request: HttpRequest, user: Any, tab: str) -> KeysetPage:
    cursor = request.GET.get("page", "")
    if tab == "edit":
        page = keyset_page(queries.to_edit(user), ("-closed_at", "-id"), cursor)
        return page.map(lambda case: _row(user, tab, case, case.publication.get_state_display() if hasattr(case, "publication") else ""))
    state = PublicationState.PROPOSED if tab == "review" else PublicationState.PUBLISHED
    order = ("-edited_at", "-id") if tab == "review" else queries.ORDER
    page = keyset_page(queries.publications(user, state), order, cursor)
    return page.map(lambda one: _row(user, tab, one.case, f"{one.edited_by.display_name} 编辑"))


def _row(user: Any, tab: str, case: Case, who: str) -> Row:
    return Row(
        url=f"{reverse('publishing:desk')}?{urlencode({'tab': tab, 'open': case.number})}",
        number=case.number or "",
        title=presenting.shown_title(user, case),
        kind=str(RequestKind(case.kind).label),
        topic=case.topic.name if case.topic else "",
        place=presenting.place_words(case.place),
        unit=who,
    )


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
