"""The shell's own pages: where a day begins, which role is in force, the one search box."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_POST

from minsheng.console import desks
from minsheng.errors import Refused
from minsheng.secrecy.personal import find_personal

NO_PERSONAL_SEARCH = (
    "电话、证件号和姓名不会放进网址。请按编号或标题里的字查找；在受理登记时输入电话，会列出这个号码以前的诉求。"
)


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """`/desk/`: the first desk of the role in force; a person without any is told whom to ask."""
    url = desks.landing_url(request)
    return redirect(url) if url else render(request, "console/no_desk.html")


@login_required
def rail(request: HttpRequest) -> HttpResponse:
    """The rail's items for live.js; `path` is the page it stands beside."""
    request.path = request.GET.get("path", "")[:200]
    return render(request, "console/_rail_items.html")


@login_required
@require_POST
def switch_role(request: HttpRequest) -> HttpResponse:
    """Puts another of the person's own roles in force, and goes where it begins."""
    role = request.POST.get("role", "")
    user: Any = request.user
    if role not in user.roles:
        raise Refused("forbidden", action="切换到这个身份")
    request.session[desks.SESSION_ROLE] = role
    return redirect("console:home")


@login_required
@require_POST
def search(request: HttpRequest) -> HttpResponse:
    """The search box: to the list of cases, filtered. Posted, so that what was typed is judged before any URL carries it."""
    wanted = " ".join(request.POST.get("q", "").replace("\x00", "").split())[:100]
    if find_personal(wanted):
        raise Refused("invalid", message=NO_PERSONAL_SEARCH)
    try:
        url = reverse("cases:list")
    except NoReverseMatch:
        url = desks.landing_url(request) or reverse("console:home")
    return HttpResponseRedirect(f"{url}?{urlencode({'q': wanted})}" if wanted else url)
