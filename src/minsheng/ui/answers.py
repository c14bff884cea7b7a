"""What a view answers when an action has been done, alike with and without htmx."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRedirect


def done(request: HttpRequest, url: str, message: str = "") -> HttpResponse:
    """On to `url` (of our own making), saying what has been done; a drawer's form goes there as a whole page."""
    if message:
        messages.success(request, message)
    return HttpResponseClientRedirect(url) if getattr(request, "htmx", False) else redirect(url)
