"""Filing in four steps: what is given is kept on the way, and all of it is one case and one receipt, however often it is sent."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from minsheng.cases import streets
from minsheng.cases.actions.intake import query_code_of
from minsheng.cases.models import Case, Contact
from minsheng.cases.rules import is_dangerous
from minsheng.channels import web
from minsheng.errors import Refused
from minsheng.organisations.choices import PlaceLevel
from minsheng.portal import actions, queries, rules, steps
from minsheng.portal.models import Filing, Purpose
from minsheng.portal.steps import KINDS, Answers, Step
from minsheng.portal.views.uploads import Held, submission_of, takes_uploads
from minsheng.portal.visits import address_of, filing_keys, remember_filings
from minsheng.publishing import queries as publishing
from minsheng.publishing.models import Publication

TOO_OFTEN = "从您这个网络提交得太多了，请过一小时再试，急事请拨打 12345。您填写的内容都还在。"
FILES_TOO_OFTEN = "从您这个网络传的文件太多了，请过一小时再传。先不传文件也可以提交，以后用“补充情况”再传。"
STARTS_FOR_EACH = 10  # forms begun: the hourly limit of submissions, so many times


@require_GET
def landing(request: HttpRequest) -> HttpResponse:
    """One question; and the way back to a form that is not finished."""
    begun = queries.filing_of(filing_keys(request), at=timezone.now())
    return render(request, "portal/landing.html", {"kinds": KINDS, "begun": begun is not None and begun.filed_at is None})


@require_GET
def privacy(request: HttpRequest) -> HttpResponse:
    """What is kept, what for, how long, and one's rights (个保法 §17; domain.md §8.1)."""
    return render(request, "portal/privacy.html", {"filing_days": settings.HOTLINE["filing_days"]})


class Way:
    """One browser's way through the steps: which form it fills in, and what stands in it."""

    def __init__(self, request: HttpRequest) -> None:
        self.request, self.at, self.keys = request, timezone.now(), filing_keys(request)
        self.filing: Filing | None = None
        if request.method == "POST":
            self.key = submission_of(request)
            own = [self.key] if self.key in self.keys else []
            self.filing = queries.filing_of(own, at=self.at)
        else:
            self.filing = queries.filing_of(self.keys, at=self.at)
            self.key = self.filing.key if self.filing else uuid4()
        self.given = queries.given_of(self.filing)
        self.answers = Answers(self.given, at=self.at)
        self.filed = self.filing is not None and self.filing.filed_at is not None

    def page(self, step: Step, form: Any, held: Held | None = None, *, status: int = 200, **more: Any) -> HttpResponse:
        """The step's page. Not no-store: Back must still find what was typed."""
        context = {
            "form": form,
            "held": held.files if held else [],
            "submission": self.key,
            "step": step,
            "number": steps.STEPS.index(step) + 1,
            "back": "check" if self._from_check() else "",
            "danger": is_dangerous(self.answers.text),
            "kept": bool(self.given),
            "days": settings.HOTLINE["filing_days"],
            **more,
        }
        response = render(self.request, step.template, context, status=status)
        patch_cache_control(response, private=True, no_cache=True)
        return response

    def save(self, step: Step, sent: dict[str, list[str]]) -> bool:
        """Keep what was sent of a step; what is too long to be right is only shown back."""
        if sum(len(value) for values in sent.values() for value in values) > steps.MOST_KEPT:
            return False
        actions.save_step(at=self.at, key=self.key, step=step.code, given=sent)
        self.given = self.given | {step.code: sent}
        self.answers = Answers(self.given, at=self.at)
        return True

    def may_start(self) -> bool:
        """A form that is begun already may go on; new ones are counted by address."""
        if self.filing is not None:
            return True
        subjects, limit = [address_of(self.request)], STARTS_FOR_EACH * settings.HOTLINE["submissions_per_hour"]
        if queries.too_many(at=self.at, purpose=Purpose.STARTING, subjects=subjects, limit=limit):
            return False
        actions.count_attempt(at=self.at, purpose=Purpose.STARTING, subjects=subjects)
        return True

    def on(self, to: str) -> HttpResponse:
        """To the next page; this form is the browser's latest now."""
        response = redirect(to)
        remember_filings(response, self.keys_now())
        return response

    def keys_now(self) -> list[UUID]:
        """This form is the browser's latest."""
        return [*(key for key in self.keys if key != self.key), self.key]

    def here(self, step: Step) -> str:
        """This step again."""
        return reverse(step.url) + ("?back=check" if self._from_check() else "")

    def _from_check(self) -> bool:
        return self.request.GET.get("back") == "check"

    def next_of(self, step: Step) -> str:
        """The step after this one; straight back to the last where it was asked to be changed there. After the place, what
        others asked, if anything."""
        if self._from_check():
            return steps.STEPS[-1].url
        return "portal:file_similar" if step.code == "where" and any(self.alike()) else steps.after(step.code).url

    def alike(self) -> tuple[list[Publication], int, str]:
        """Published requests like this one; how many open ones there are nearby, and who handles them."""
        if not {"what", "where"} <= self.given.keys() or not (self.answers.what.is_valid() and self.answers.where.is_valid()):
            return [], 0, ""
        topic, place = self.answers.what.chosen_topic(), self.answers.where.place()
        county = place.parent if place and place.level == PlaceLevel.STREET else place
        return (
            publishing.similar(text=self.answers.text, topic=topic, county=county),
            *publishing.nearby(topic=topic, place=place, at=self.at),
        )


@takes_uploads()
@require_http_methods(["GET", "POST"])
def file_step(request: HttpRequest, code: str) -> HttpResponse:
    """One of the first three steps."""
    way, step = Way(request), steps.BY_CODE[code]
    if request.method == "POST":
        return _take(request, way, step)
    if way.filed:
        return _already(request, way)
    if way.filing is None and code != "what":
        return _nothing_kept(request)
    form = way.answers.form(code)
    if code == "what" and not form.is_bound:
        kind = request.GET.get("kind", "")
        form.initial["kind"] = kind if kind in {value for value, *_ in KINDS} else None
    return way.page(step, form, Held(request, way.key, shown=True) if code == "what" and way.filing else None)


def _take(request: HttpRequest, way: Way, step: Step) -> HttpResponse:
    known = web.contact_of(way.key)
    if known is not None:
        return _again(request, way, known)
    if way.filing is None and step.code != "what":
        return _nothing_kept(request)
    held = Held(request, way.key)
    more = {"files": request.FILES, "held": len(held.files)} if step.code == "what" else {}
    form = step.form(request.POST, at=way.at, **more)
    if not way.may_start():
        form.add_error(None, TOO_OFTEN)
        return way.page(step, form, held, status=429)
    valid = form.is_valid()
    sent = steps.sent_values(form, request.POST)
    if step.code == "what":
        sent = steps.with_guess(sent, way.given.get("what", {}), at=way.at) if valid else sent
        if not held.keep(form, at=way.at):
            form.add_error("files", FILES_TOO_OFTEN)
            valid = False
    kept = way.save(step, sent)
    if valid:
        return way.on(way.next_of(step))
    if kept and "files" not in form.errors:  # a look shows what is wrong as well, and Back never asks to send again
        return way.on(way.here(step))
    response = way.page(step, form, held, status=422)
    remember_filings(response, way.keys_now())
    return response


@require_GET
def similar(request: HttpRequest) -> HttpResponse:
    """What others asked, between the place and the person. It deflects nobody: the way on is its one filled button."""
    way = Way(request)
    if way.filed:
        return _already(request, way)
    published, count, unit = way.alike()
    place = way.answers.where.place() if "where" in way.given and way.answers.where.is_valid() else None
    context = {"published": published, "count": count, "few": count < publishing.FEWEST_COUNTED, "unit": unit, "place": place}
    response = render(request, "portal/file/similar.html", context | {"danger": is_dangerous(way.answers.text)})
    patch_cache_control(response, private=True, no_cache=True)
    return response


@takes_uploads()
@require_http_methods(["GET", "POST"])
def check_and_send(request: HttpRequest) -> HttpResponse:
    """All that was given, each part to be changed; sent well, the receipt itself is the answer, so that sending it again shows
    it again and no URL has the code."""
    way, step = Way(request), steps.STEPS[-1]
    if request.method == "POST":
        known = web.contact_of(way.key)
        if known is not None:
            return _again(request, way, known)
    elif way.filed:
        return _already(request, way)
    if way.filing is None:
        return _nothing_kept(request)
    missing = way.answers.missing()
    if missing is not None:
        return way.on(missing.url)
    held = Held(request, way.key, shown=True)
    form = steps.SendForm(request.POST) if request.method == "POST" else steps.SendForm()
    if form.is_bound and form.is_valid():
        case = _file(request, way, form, held)
        if case is not None:
            return receipt(request, case, key=way.key)
    return _check_page(way, step, form, held, status=422 if form.is_bound else 200)


def _check_page(way: Way, step: Step, form: steps.SendForm, held: Held, *, status: int) -> HttpResponse:
    answers = way.answers
    topic = answers.what.chosen_topic()
    kind = next(name for value, name, _ in KINDS if value == answers.what.cleaned_data["kind"])
    return way.page(step, form, held, status=status, answers=answers, topic=topic, kind=kind, place=answers.where.place())


def _file(request: HttpRequest, way: Way, form: steps.SendForm, held: Held) -> Case | None:
    """The case, or None with the reason on the form."""
    subjects, limit = [address_of(request)], settings.HOTLINE["submissions_per_hour"]
    if queries.too_many(at=way.at, purpose=Purpose.FILING, subjects=subjects, limit=limit):
        form.add_error(None, TOO_OFTEN)
        return None
    try:
        case = web.file_request(
            at=way.at,
            details=way.answers.case_details(publishable=form.cleaned_data["publishable"]),
            applicant=way.answers.who.applicant_details(),
            files=held.open(),
            submission=way.key,
        )
    except Refused as refused:
        form.add_error(None, refused.sentence)
        return None
    actions.count_attempt(at=way.at, purpose=Purpose.FILING, subjects=subjects)
    actions.finish_filing(at=way.at, key=way.key)
    return case


def _again(request: HttpRequest, way: Way, known: Contact) -> HttpResponse:
    """Sent before, by another press, or before the power went: the same receipt, and nothing of the form is left behind."""
    actions.finish_filing(at=way.at, key=way.key)
    typed = request.POST.get("text", known.text).replace("\r\n", "\n").strip()
    return receipt(request, known.case, key=way.key, changed=typed != known.text)


def receipt(request: HttpRequest, case: Case, *, key: UUID, changed: bool = False) -> HttpResponse:
    """Number and query code, what comes next and by when. Never stored by anything between here and the citizen."""
    code = query_code_of(case)
    context = {
        "case": case,
        "number": rules.grouped_number(case.number or ""),
        "code": code,
        "code_groups": rules.grouped_code(code),
        "due": rules.by_when(case.stage_due_at, timezone.now()) if case.stage_due_at and case.state == "to_accept" else "",
        "changed": changed,
        "danger": is_dangerous(case.text),
        "submission": key,
    }
    response = render(request, "portal/receipt.html", context)
    patch_cache_control(response, private=True, no_store=True)
    return response


def _already(request: HttpRequest, way: Way) -> HttpResponse:
    """Back after sending: the form is a case now, and a second one is begun only on purpose."""
    response = render(request, "portal/file/already.html", {"submission": way.key})
    patch_cache_control(response, private=True, no_store=True)
    return response


def _nothing_kept(request: HttpRequest) -> HttpResponse:
    """A step without a beginning: the browser keeps no cookies, or days have passed. What was sent just now is shown back."""
    typed = [value for name, values in request.POST.lists() if name not in _NOT_SHOWN for value in values if len(value) > 1]
    status = 409 if request.method == "POST" else 200
    return render(request, "portal/file/nothing_kept.html", {"typed": typed}, status=status)


_NOT_SHOWN = frozenset({"csrfmiddlewaretoken", "submission", "homepage", "county", "street"})


@require_POST
def street_proposals(request: HttpRequest) -> JsonResponse:
    """Streets that an address means, and the county of a point; nothing of it is kept."""
    given = {name: request.POST.get(name, "").replace("\x00", "")[:200] for name in ("address", "point")}
    response = JsonResponse(streets.answer(given["address"], given["point"], at=timezone.now()))
    patch_cache_control(response, private=True, no_store=True)
    return response


@require_POST
def forget(request: HttpRequest) -> HttpResponse:
    """清除: nothing of the form stays here, and the next one begins empty. A case that was filed is not touched."""
    keys, key = filing_keys(request), submission_of(request)
    if key in keys:
        actions.forget_filing(key=key)
    response = redirect(reverse("portal:file") if request.POST.get("next") == "file" else reverse("portal:landing"))
    remember_filings(response, [UUID(str(kept)) for kept in keys if kept != key])
    return response
