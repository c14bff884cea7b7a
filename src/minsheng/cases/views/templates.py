"""Reply templates: a unit's own on a page, made anew or from a good reply, offered in the reply form."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from minsheng.accounts.models import User
from minsheng.cases import actions, queries, reference_queries, reply_rules, template_queries
from minsheng.cases.choices import ReplyKind, ReplyState
from minsheng.cases.models import Reply, ReplyTemplate, Topic
from minsheng.cases.presenting import sees_words
from minsheng.errors import Refused
from minsheng.secrecy import redact
from minsheng.ui.forms import Form, TreeLabel, TreeSelect, words
from minsheng.ui.pages import keyset_page

EARLIEST = datetime.min.replace(tzinfo=UTC)


class TemplateForm(Form):
    """What a template is. Personal data in it is refused in words, beside the field."""

    name = forms.CharField(label="名称", max_length=40, help_text="如“占道经营·已劝离”")
    topic = forms.ModelChoiceField(
        label="用于主题",
        queryset=Topic.objects.none(),
        required=False,
        widget=TreeSelect(),
        help_text="包括其下各级主题；不选则任何诉求都可用。",
    )
    text = forms.CharField(
        label="内容",
        max_length=4000,
        widget=words(12),
        help_text="要按件填写的地方写成〔时间〕、〔地点〕、〔处理结果〕：用模板拟写时逐个填写，没填完不能提交。",
    )
    basis = forms.CharField(label="依据", max_length=2000, required=False, widget=words(3, "政策名称和文号、条款"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["topic"]
        field.queryset = Topic.objects.all()
        field.choices = [("", ""), *_topics()]

    def clean(self) -> dict[str, Any]:
        """Nobody in it."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in ("name", "text", "basis"):
            try:
                actions.refuse_persons(cleaned.get(name) or "")
            except Refused as refusal:
                self.add_error(name, refusal.sentence)
        return cleaned


def _topics() -> Iterator[tuple[int, str]]:
    """Every topic that holds, each under the one above it. One query."""
    path: list[str] = []
    for topic in reference_queries.topic_tree(at=timezone.now()):
        depth = topic.tree_depth
        path[depth:] = [topic.name]
        yield topic.pk, TreeLabel(topic.name, depth=depth, path=" / ".join(path), search=topic.search_key.replace("\n", " "))


@login_required
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """`/cases/templates/`: own, and those of the units above and below. Errors: forbidden for who works for no unit."""
    user = _person(request)
    page = keyset_page(template_queries.reach(user), ("-changed_at", "-id"), request.GET.get("page", ""))
    shown = page.map(lambda it: {"it": it, "own": it.unit_id == user.unit_id, "blanks": reply_rules.blanks(it.text)})
    return render(request, "cases/units/templates.html", {"page": shown})


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A new one (`?reply=…` begins with a reply of the unit's own), or one of the unit's own. Errors: forbidden, not_found."""
    user = _person(request)
    template = template_queries.template_for(user, pk, own=True) if pk else None
    at = timezone.now()
    if request.method == "GET":
        return _shown(request, TemplateForm(initial=_initial(request, user, template)), template)
    form = TemplateForm(request.POST)
    if not form.is_valid():
        return _shown(request, form, template, status=422)
    try:
        saved = actions.save_template(actor=user, at=at, template=template, seen=_seen(request), **form.cleaned_data)
    except Refused as refused:
        if refused.code != "template_changed":
            raise
        form.add_error(None, refused.sentence)
        return _shown(request, form, template_queries.template_for(user, pk or 0, own=True), status=409)
    messages.success(request, f"答复模板“{saved.name}”已保存。")
    return redirect("cases:templates")


@login_required
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Errors: forbidden, not_found."""
    user = _person(request)
    template = template_queries.template_for(user, pk, own=True)
    actions.remove_template(actor=user, at=timezone.now(), template=template)
    messages.success(request, f"答复模板“{template.name}”已删除，用它写过的回复不变。")
    return redirect("cases:templates")


def _seen(request: HttpRequest) -> datetime:
    """When the template had last been changed as the page showed it; what is no moment was never shown."""
    try:
        return parse_datetime(request.POST.get("seen", "")[:40]) or EARLIEST
    except ValueError:
        return EARLIEST


def _person(request: HttpRequest) -> User:
    user: Any = request.user
    if not user.is_unit:
        raise Refused("forbidden", action="管理答复模板")
    return user


def _shown(request: HttpRequest, form: TemplateForm, template: ReplyTemplate | None, status: int = 200) -> HttpResponse:
    return render(request, "cases/units/template.html", {"form": form, "template": template, "changed": status == 409}, status=status)


def _initial(request: HttpRequest, user: User, template: ReplyTemplate | None) -> dict[str, Any]:
    if template is not None:
        return {"name": template.name, "topic": template.topic_id, "text": template.text, "basis": template.basis}
    key = request.GET.get("reply", "")
    return _of_reply(user, int(key)) if key.isdigit() and len(key) < 19 else {}


def _of_reply(user: User, key: int) -> dict[str, Any]:
    """A reply of the unit's own that passed the audit; personal data is already blanked, which shows the person what to look for."""
    good = Reply.objects.filter(pk=key, task__unit=user.unit, kind=ReplyKind.FINAL, state=ReplyState.ACCEPTED)
    reply = good.select_related("task__case__topic").first()
    if reply is None:
        raise Refused("not_found")
    case = queries.case_for(user, reply.task.case.number or "")
    if not sees_words(user, case):
        raise Refused("template_confidential")
    topic = reply.task.case.topic
    return {
        "name": topic.name if topic else "",
        "topic": topic.pk if topic else None,
        "text": redact(reply.text),
        "basis": redact(reply.basis),
    }
