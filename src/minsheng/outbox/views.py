"""通知设置, 发送记录, and the systems that listen: thin screens over actions and queries."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.errors import Refused
from minsheng.outbox import actions, forms, notices, queries
from minsheng.outbox.choices import State
from minsheng.outbox.models import Endpoint
from minsheng.ui.pages import keyset_page


@login_required
@require_http_methods(["GET", "POST"])
def preference(request: HttpRequest) -> HttpResponse:
    """`/outbox/settings/`: how a person of a unit, or an auditor, wants to be told. Errors: forbidden."""
    user: Any = request.user
    kinds = notices.kinds_for(user)
    if not kinds:
        raise Refused("forbidden", action="设置通知")
    initial = forms.preference_initial(queries.preference_of(user))
    form = forms.PreferenceForm(request.POST or None, initial=initial, kinds=kinds)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                actions.save_preference(actor=user, at=timezone.now(), **form.values())
            except Refused as refused:
                if refused.code != "invalid":
                    raise
                form.add_error(None, refused.sentence)
            else:
                messages.success(request, "已保存。")
                return redirect("outbox:settings")
        status = 422
    context = {
        "desk_title": "通知设置",
        "form": form,
        "of_unit": user.is_unit,
        "endpoints": queries.endpoints_of(user),
        "last": queries.last_letter(user),
        "has_address": bool(initial["email"]),
    }
    return render(request, "outbox/settings.html", context, status=status)


@login_required
@require_POST
def test_letter(request: HttpRequest) -> HttpResponse:
    """发送测试邮件, to oneself. Errors: forbidden; what is in the way otherwise is said on the page."""
    user: Any = request.user
    try:
        actions.test_letter(actor=user, at=timezone.now())
    except Refused as refused:
        if refused.code != "invalid":
            raise
        messages.error(request, refused.sentence)
    else:
        messages.success(request, "测试邮件已排入发送，刷新本页看结果。")
    return redirect("outbox:settings")


@login_required
@require_GET
def log(request: HttpRequest) -> HttpResponse:
    """`/outbox/?state=dead&channel=sms&number=…&day=…`: the record, as the person may see it."""
    user: Any = request.user
    filters, form = _filters(request.GET, user)
    state = filters["state"]
    page = keyset_page(queries.log(user, filters), queries.ORDER, request.GET.get("page", ""))
    context = {
        "desk_title": "发送记录",
        "tabs": [{"url": _tab(each), "label": label, "current": each == state} for each, label in forms.TABS.items()],
        "form": form,
        "state": state,
        "narrowed": any(form.cleaned_data.values()),
        "page": page.map(lambda delivery: queries.shown(delivery, user)),
        "resend_all": state == State.DEAD and len(page) > 1,
        "sees_cases": user.is_unit or user.is_centre,
        "runs_systems": user.has_role(Role.SYSTEM_ADMIN),
        "may_choose": bool(notices.kinds_for(user)),
        "here": request.get_full_path(),
    }
    return render(request, "outbox/log.html", context)


def _filters(given: QueryDict, user: User) -> tuple[dict[str, Any], forms.LogForm]:
    """What the record is narrowed by; what is not understood is left out."""
    form = forms.LogForm(given, systems=user.has_role(Role.SYSTEM_ADMIN))
    form.is_valid()
    state = given.get("state", "")
    return {**form.cleaned_data, "state": state if state in forms.TABS else ""}, form


def _tab(state: str) -> str:
    return reverse("outbox:log") + (f"?{urlencode({'state': state})}" if state else "")


@login_required
@require_POST
def resend(request: HttpRequest, pk: int) -> HttpResponse:
    """重发, one press. Errors: not_found, not_dead."""
    user: Any = request.user
    delivery = queries.delivery_for(user, pk)
    actions.resend(actor=user, at=timezone.now(), delivery=delivery)
    messages.success(request, "已排入重发，结果会写在这一条里。")
    return _back(request)


@login_required
@require_POST
def resend_all(request: HttpRequest) -> HttpResponse:
    """重发 all that stopped under the filters of the page; pressed twice nothing happens the second time."""
    user: Any = request.user
    filters, form = _filters(request.POST, user)
    if form.errors:
        raise Refused("invalid", message="筛选条件不对，没有重发。")
    count = actions.resend_all(actor=user, at=timezone.now(), filters=filters)
    more = "还有更多，请再按一次。" if count == actions.MOST_RESENT else ""
    messages.success(request, f"已把 {count} 条排入重发。{more}" if count else "没有要重发的。")
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else "outbox:log")


# --- systems that listen -----------------------------------------------------------------------------------------


def _administrator(request: HttpRequest, action: str) -> Any:
    user: Any = request.user
    if not user.has_role(Role.SYSTEM_ADMIN):
        raise Refused("forbidden", action=action)
    return user


@login_required
@require_GET
def endpoints(request: HttpRequest) -> HttpResponse:
    """`/outbox/systems/`: who listens, and how it goes. Errors: forbidden."""
    _administrator(request, "管理接收系统")
    context = {"desk_title": "接收系统", "endpoints": queries.endpoints(), "now": timezone.now()}
    return render(request, "outbox/endpoints.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def endpoint_new(request: HttpRequest) -> HttpResponse:
    """A new one; its secret is on the answer to this form and nowhere after. Errors: forbidden."""
    user = _administrator(request, "登记接收系统")
    form = forms.EndpointForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = actions.register_endpoint(actor=user, at=timezone.now(), **form.values())
        except Refused as refused:
            _explain(form, refused)
        else:
            return _with_secret(request, made, secret)
    return _form(request, form, None)


@login_required
@require_http_methods(["GET", "POST"])
def endpoint(request: HttpRequest, pk: int) -> HttpResponse:
    """One: what it is told, its secret's age, and the presses. Errors: forbidden, not_found."""
    user = _administrator(request, "管理接收系统")
    found = queries.endpoint(pk)
    form = forms.EndpointForm(request.POST or None, initial=forms.endpoint_initial(found))
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_endpoint(actor=user, at=timezone.now(), endpoint=found, **form.values())
        except Refused as refused:
            _explain(form, refused)
        else:
            messages.success(request, "已保存。")
            return redirect("outbox:endpoint", found.pk)
    return _form(request, form, found)


def _form(request: HttpRequest, form: forms.EndpointForm, found: Endpoint | None) -> HttpResponse:
    title = found.name if found else "登记接收系统"
    status = 422 if form.is_bound else 200
    context = {"desk_title": title, "form": form, "endpoint": found, "now": timezone.now()}
    return render(request, "outbox/endpoint.html", context, status=status)


def _explain(form: forms.EndpointForm, refused: Refused) -> None:
    """What the form can mend stands on the form."""
    if refused.code != "invalid":
        raise refused
    form.add_error(None, refused.sentence)


def _with_secret(request: HttpRequest, found: Endpoint, secret: str) -> HttpResponse:
    return render(request, "outbox/secret.html", {"desk_title": found.name, "endpoint": found, "secret": secret})


@login_required
@never_cache
@require_POST
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """更换密钥: the new one is on this answer and nowhere after. Errors: forbidden, not_found."""
    user = _administrator(request, "更换密钥")
    found = queries.endpoint(pk)
    return _with_secret(request, found, actions.rotate_secret(actor=user, at=timezone.now(), endpoint=found))


@login_required
@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """停用 or 启用. Errors: forbidden, not_found."""
    user = _administrator(request, "启用或停用接收系统")
    active = request.POST.get("active") == "1"
    actions.switch_endpoint(actor=user, at=timezone.now(), endpoint=queries.endpoint(pk), active=active)
    messages.success(request, "已启用。" if active else "已停用。")
    return redirect("outbox:endpoint", pk)


@login_required
@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """测试: one call that says nothing. Errors: forbidden, not_found."""
    user = _administrator(request, "测试接收系统")
    actions.test_endpoint(actor=user, at=timezone.now(), endpoint=queries.endpoint(pk))
    messages.success(request, "测试已排入发送，结果见发送记录。")
    return redirect(f"{reverse('outbox:log')}?channel=webhook")
