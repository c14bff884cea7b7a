"""The one page of sign-in that allauth does not have: going on after an idle log-out."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from minsheng.accounts import stash


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def resume(request: HttpRequest) -> HttpResponse:
    """Shows what the person was sending, to be sent once more by their own press; POST here gives it up."""
    kept = stash.get(request)
    if request.method == "POST" or kept is None:
        stash.drop(request)
        return HttpResponseRedirect(resolve_url(settings.LOGIN_REDIRECT_URL))
    return render(request, "accounts/resume.html", {"kept": kept})
