"""受理: the desk, and the form that an agent fills in while somebody talks."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from minsheng.accounts.models import User
from minsheng.cases import actions, lists, phrases, pickers, presenting, queries
from minsheng.cases.actions.intake import query_code_of
from minsheng.cases.choices import CaseState, Ending
from minsheng.cases.forms import ACCEPT, ANSWER, DRAFT, SUBMIT, IntakeForm, initial_of
from minsheng.cases.models import Case, Topic
from minsheng.cases.views.lookups import caller_context, may_take
from minsheng.cases.views.page import list_url, open_pane, row_url
from minsheng.errors import Refused
from minsheng.worktime import queries as worktime
from minsheng.worktime.moments import local

FILED = "cases.filed"  # the case filed last in this session: its code is shown to whoever filed it, and to nobody else
_STEPS = frozenset({SUBMIT, ACCEPT, ANSWER, DRAFT})


@login_required
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """`/cases/intake/`: what waits for acceptance, or `?tab=drafts`: my unfinished forms."""
    user: Any = request.user
    may_take(user)
    at = timezone.now()
    on_drafts = request.GET.get("tab") == "drafts"
    shown = lists.opened(request, LIST, at)
    if shown.elsewhere and not on_drafts:
        return redirect(shown.elsewhere)
    drafts = queries.drafts_of(user)
    whole = "" if on_drafts else shown.shared(request)
    context: dict[str, Any] = {
        "desk_title": "受理",
        "tabs": SimpleLazyObject(lambda: _tabs(user, at, on_drafts, 0 if whole else len(drafts))),
        "list_url": list_url(request),
        "tally": SimpleLazyObject(lambda: _tally(user, at)),
        "words": [],
        "drafts": drafts,
    }
    if on_drafts:
        return render(request, "cases/intake/drafts.html", context)
    context |= {"page": _queue(request, shown), "whole": whole, "list": shown, "empty_title": "没有等待受理的诉求件"}
    context["empty_text"] = "从网站等渠道来的诉求会出现在这里，最紧急、等得最久的排在最前面。"
    return render(request, "cases/intake/desk.html", context | open_pane(request))


def _tabs(user: User, at: datetime, on_drafts: bool, unfinished: int) -> list[dict[str, Any]]:
    count, light = queries.waiting(user, at, CaseState.TO_ACCEPT)
    return [
        {"url": "?", "label": "待受理", "count": count, "light": light, "current": not on_drafts},
        {"url": "?tab=drafts", "label": "我的暂存", "count": unfinished, "light": "none", "current": on_drafts, "own": True},
    ]


def _rows(user: Any, params: QueryDict, at: datetime) -> tuple[QuerySet[Case], lists.Order]:
    may_take(user)
    return queries.queue(user, CaseState.TO_ACCEPT), ("urgency_rank", "state_since", "id")


LIST = lists.register(
    lists.CaseList(
        code="intake",
        title="受理",
        url="cases:intake",
        rows=_rows,
        fields=tuple(name for name in lists.QUEUE_FIELDS if name != "unit"),  # none has been given any yet
        sorts={"received": lists.RECEIVED, "due": lists.STAGE_DUE, "pressing": lists.PRESSING_DUE},
        unit=("", ""),
        left=lists.PRESSING,
        alike=queries.alike_at_intake,
    )
)


def _queue(request: HttpRequest, shown: lists.Shown) -> Any:
    calendar = worktime.calendar()

    def row(case: Case) -> Any:
        drawn = presenting.case_row(
            case,
            user=shown.user,
            url=row_url(request, case.number or ""),
            at=shown.at,
            calendar=calendar,
            extras=[case.get_channel_display()],
        )
        return shown.with_cells(drawn, case)

    return shown.drawn(row)


def _tally(user: Any, at: datetime) -> str:
    """“今日 12 件，直接解答 3 件”: quiet, never a race."""
    midnight = local(at).replace(hour=0, minute=0, second=0, microsecond=0)
    taken = queries.taken_since(user, midnight)
    answered = sum(case.ending == Ending.ANSWERED for case in taken)
    return f"我今天登记 {len(taken)} 件" + (f"，其中直接解答 {answered} 件" if answered else "")


@login_required
@require_http_methods(["GET", "POST"])
@never_cache
def new(request: HttpRequest) -> HttpResponse:
    """`/cases/new/`, also with a draft of one's own (`?draft=`). A wrong form comes back whole with 422; files must be chosen anew."""
    user: Any = request.user
    may_take(user)
    at = timezone.now()
    draft = _draft(request, user)
    if request.method == "GET":
        initial = initial_of(draft) if draft else {"occurred_at": at}
        form = IntakeForm(initial=initial, at=at, topic=draft.topic if draft else None, **_likely(request, at))
        return _form(request, form, draft)
    step = request.POST.get("step", ACCEPT)
    step = step if step in _STEPS else ACCEPT
    topic = _topic(request.POST.get("topic", ""))
    form = IntakeForm(request.POST, request.FILES, at=at, topic=topic, step=step, **_likely(request, at))
    if not form.is_valid():
        return _form(request, form, draft, status=422)
    if step == DRAFT:
        _save_draft(user, at, form, draft)
        messages.success(request, "已暂存，只有您自己能看到。")
        return redirect("cases:intake")
    case = _file(user, at, form, draft, _submission(request))
    request.session[FILED] = case.number
    return redirect("cases:page" if step == SUBMIT else "cases:filed", case.number)


def _likely(request: HttpRequest, at: datetime) -> dict[str, Any]:
    """What this agent often chooses; `?plain=1` brings whole lists for a browser without scripts."""
    return {"near": pickers.usual_topics(request.user, at=at), "plain": request.GET.get("plain") == "1"}


def _form(request: HttpRequest, form: IntakeForm, draft: Case | None, status: int = 200) -> HttpResponse:
    user: Any = request.user
    given = form["topic"].value()
    topic = _topic(str(given or ""))
    context = {
        "form": form,
        "draft": draft,
        "hints": pickers.hints(topic) if topic else (),
        "phrases": phrases.for_script(user),
        "extra": [form[name] for name in form.extra_names],
        "had_files": bool(request.FILES),
        **caller_context(user, str(form["phone"].value() or "")),
    }
    return render(request, "cases/intake/new.html", context, status=status)


def _topic(key: str) -> Topic | None:
    return Topic.objects.filter(pk=int(key), level=3).first() if key.isdecimal() and len(key) < 19 else None


def _draft(request: HttpRequest, user: Any) -> Case | None:
    key = request.GET.get("draft", "")
    if not key.isdecimal() or len(key) >= 19:
        return None
    return (
        Case.objects.select_related("applicant", "topic")
        .filter(pk=int(key), state=CaseState.DRAFT, accepted_by=user)
        .first()
    )


def _submission(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("submission", ""))
    except ValueError:
        raise Refused("invalid", message="页面缺少提交编号，请刷新后重试。您填写的内容没有丢失。") from None


def _save_draft(user: Any, at: datetime, form: IntakeForm, draft: Case | None) -> None:
    channel = form.cleaned_data["channel"] or "phone"
    actions.save_draft(
        actor=user, at=at, channel=channel, details=form.case_details(), applicant=form.applicant_details(), case=draft
    )


def _file(user: Any, at: datetime, form: IntakeForm, draft: Case | None, submission: UUID) -> Case:
    """One case from one form, and the step that was asked for with it, both or neither; pressed again, the same case."""
    given = form.cleaned_data
    values: dict[str, Any] = {
        "channel": given["channel"],
        "details": form.case_details(),
        "applicant": form.applicant_details(),
        "files": given["files"],
        "submission": submission,
    }
    with transaction.atomic():
        if draft is not None:
            case = actions.submit_draft(actor=user, at=at, case=draft, **values)
        else:
            case = actions.submit_case(actor=user, at=at, **values)
        if case.state != CaseState.TO_ACCEPT:
            return case  # the first press did it all
        then = uuid5(submission, form.step)
        if form.step == ACCEPT:
            actions.accept_case(actor=user, at=at, case=case, submission=then)
        elif form.step == ANSWER:
            actions.answer_case(actor=user, at=at, case=case, text=given["answer"], submission=then)
    return case


@login_required
@require_GET
@never_cache
def filed(request: HttpRequest, number: str) -> HttpResponse:
    """Number and query code to read out, what the citizen was told, and the next one. The code: only for who filed it just now."""
    user: Any = request.user
    case = queries.case_for(user, number)
    if request.session.get(FILED) != case.number:
        return redirect("cases:page", case.number)
    code = query_code_of(case)
    context = {
        "case": case,
        "code": f"{code[:4]} {code[4:]}",
        "told": list(case.messages.all()),
        "state": CaseState(case.state),
        "waits": case.state == CaseState.TO_DISPATCH,
    }
    return render(request, "cases/intake/filed.html", context)


@login_required
@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a draft of one's own. Errors: not_found."""
    user: Any = request.user
    case = Case.objects.filter(pk=pk, state=CaseState.DRAFT, accepted_by=user).first()
    if case is None:
        raise Refused("not_found")
    actions.discard_draft(actor=user, at=timezone.now(), case=case)
    messages.success(request, "暂存已删除。")
    return redirect("cases:intake")
