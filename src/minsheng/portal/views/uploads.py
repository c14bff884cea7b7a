"""Forms with files on a slow line: too much is refused before it is read, what came well is not asked for twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from minsheng.portal import actions, queries
from minsheng.portal.forms import WithFiles
from minsheng.portal.models import HeldFile, Purpose
from minsheng.portal.visits import address_of

View = Callable[..., HttpResponseBase]
# One request carries at most so many of the largest files.
LARGEST_AT_ONCE = 3
# A form may bring its files in several tries: the hourly limit of submissions, so many times.
HELD_FOR_EACH = 3


def most_megabytes() -> int:
    """What one request may carry."""
    return int(settings.HOTLINE["attachment_megabytes"]) * LARGEST_AT_ONCE


def takes_uploads(*, protected: bool = True) -> Callable[[View], View]:
    """A view whose form has files: its size is judged before the CSRF check reads the body.

    `protected=False`: no CSRF check at all, for a form that acts in nobody's name and needs no session.
    """

    def decorate(view: View) -> View:
        inner: View = csrf_protect(view) if protected else view

        @csrf_exempt
        @wraps(view)
        def judged(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if _too_large(request):
                return render(request, "portal/too_large.html", {"megabytes": most_megabytes()}, status=413)
            return inner(request, *args, **kwargs)

        return judged

    return decorate


def _too_large(request: HttpRequest) -> bool:
    if request.method != "POST":
        return False
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > most_megabytes() * 1024 * 1024:
        return True
    try:
        _ = request.POST
    except (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent):
        return True
    return False


def submission_of(request: HttpRequest) -> UUID:
    """The key of the form sent; a fresh one for a form not sent yet, or sent without one."""
    try:
        return UUID(request.POST.get("submission", ""))
    except ValueError:
        return uuid4()


class Held:
    """The files of one form across its tries."""

    def __init__(self, request: HttpRequest, submission: UUID, *, shown: bool = False) -> None:
        """`shown`: the form is one that was begun, so that a look shows what came already."""
        self.request, self.submission = request, submission
        unwanted = set(request.POST.getlist("drop"))
        known = queries.held_files(submission) if request.method == "POST" or shown else []
        self.files: list[HeldFile] = [held for held in known if str(held.pk) not in unwanted]
        dropped = [held for held in known if str(held.pk) in unwanted]
        if dropped:
            actions.drop_files(files=dropped)

    def open(self) -> list[UploadedFile]:
        """As uploads, for the action. A file that is gone from the disk is left out of `files` too."""
        opened = []
        for held in list(self.files):
            try:
                opened.append(queries.as_upload(held))
            except FileNotFoundError:
                self.files.remove(held)
        return opened

    def done(self) -> None:
        """They are with the case now."""
        if self.files:
            actions.drop_files(files=self.files)

    def keep(self, form: WithFiles, *, at: datetime) -> bool:
        """The form is not sent yet: its good files stay here. False: this address has left too many already."""
        if not form.good_files:
            return True
        subjects, limit = [address_of(self.request)], HELD_FOR_EACH * settings.HOTLINE["submissions_per_hour"]
        if queries.too_many(at=at, purpose=Purpose.HOLDING, subjects=subjects, limit=limit):
            return False
        actions.count_attempt(at=at, purpose=Purpose.HOLDING, subjects=subjects)
        actions.hold_files(at=at, submission=self.submission, files=form.good_files)
        self.files = queries.held_files(self.submission)
        return True


def all_files(held: Held, form: WithFiles) -> Sequence[UploadedFile]:
    """What came earlier, and what came now."""
    return [*held.open(), *form.cleaned_data["files"]]
