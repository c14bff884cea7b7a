"""The shell's own pages: where a day begins, which role is in force."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from minsheng.console import desks
from minsheng.errors import Refused


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
