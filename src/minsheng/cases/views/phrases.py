"""The page of 常用语: one's own, and the centre's, which the team leader keeps."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from minsheng.accounts.choices import Role
from minsheng.cases import actions, phrases
from minsheng.cases.forms import TopicField, hold_all
from minsheng.cases.models import Phrase
from minsheng.cases.views.lookups import may_take
from minsheng.errors import Refused
from minsheng.ui.forms import Form, words


class PhraseForm(Form):
    """One template."""

    abbreviation = forms.CharField(label="缩写", max_length=12, help_text="小写字母或数字，如 tq")
    text = forms.CharField(
        label="内容", max_length=phrases.LONGEST, widget=words(4, "要填的地方写成〔时间〕这样的空"), help_text="不写姓名、手机号、门牌"
    )
    topic = TopicField(label="主题", required=False, help_text="选了主题，登记这类诉求时排在前面")
    shared = forms.BooleanField(label="全中心共用", required=False)


@login_required
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """`/cases/phrases/`, also with one open (`?edit=`). A wrong form comes back whole with 422. Errors: forbidden, not_found, stale."""
    user: Any = request.user
    may_take(user)
    at = timezone.now()
    phrase = _chosen(user, request.GET.get("edit", ""))
    leads = user.has_role(Role.TEAM_LEADER)
    form = PhraseForm(request.POST if request.method == "POST" else None, initial=_initial(phrase))
    hold_all(form, at, topic=phrase.topic if phrase else None)
    if phrase or not leads:
        del form.fields["shared"]  # whose it is stays
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        if phrase:
            phrase.version = _version(request)
        try:
            actions.save_phrase(
                actor=user,
                at=at,
                phrase=phrase,
                abbreviation=given["abbreviation"],
                text=given["text"],
                topic=given["topic"],
                shared=given.get("shared", False),
            )
        except Refused as refused:
            if refused.code not in _FIELDS:
                raise
            form.add_error(_FIELDS[refused.code], refused.sentence)
        else:
            messages.success(request, "常用语已保存。")
            return redirect("cases:phrases")
    context = {"form": form, "phrase": phrase, "leads": leads, "desk_title": "常用语", "phrases": phrases.of_person(user)}
    return render(request, "cases/phrases.html", context, status=422 if form.errors else 200)


# Beside which field a refusal of the action is told.
_FIELDS = {"phrase_personal": "text", "phrase_taken": "abbreviation", "invalid": "abbreviation"}


@login_required
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete one. Errors: not_found, stale, forbidden."""
    user: Any = request.user
    phrase = _chosen(user, str(pk))
    if phrase is None:
        raise Refused("not_found")
    phrase.version = _version(request)
    actions.remove_phrase(actor=user, at=timezone.now(), phrase=phrase)
    messages.success(request, "常用语已删除。")
    return redirect("cases:phrases")


def _chosen(user: Any, key: str) -> Phrase | None:
    """One's own or the centre's. Errors: not_found, where a key is given and is nobody's that they may use."""
    if not key:
        return None
    found = next((phrase for phrase in phrases.of_person(user) if str(phrase.pk) == key), None)
    if found is None:
        raise Refused("not_found")
    return found


def _initial(phrase: Phrase | None) -> dict[str, Any]:
    return {"abbreviation": phrase.abbreviation, "text": phrase.text, "topic": phrase.topic_id} if phrase else {}


def _version(request: HttpRequest) -> int:
    given = request.POST.get("version", "")
    return int(given) if given.isdecimal() and len(given) < 10 else 0
