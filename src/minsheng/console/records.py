"""审计: the audit administrator's desk. The audit log, its seals, and the verification of everything ever recorded."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.audit import queries
from minsheng.audit.actions import VERIFIED
from minsheng.audit.choices import Outcome
from minsheng.audit.models import AuditEntry, Seal
from minsheng.cases.models import Case
from minsheng.cases.rules import is_number, normalise_number
from minsheng.console import actions
from minsheng.console.words import ACTS, DETAILS, GROUPS, UNCOVERINGS, act_words, role_words
from minsheng.errors import Refused
from minsheng.secrecy import find_personal, redact
from minsheng.ui import forms
from minsheng.ui.desks import Desk, register
from minsheng.ui.pages import keyset_page
from minsheng.worktime.moments import end_of, midnight

LOG, SEALS, VERIFICATION = "records", "seals", "verification"
TABS = {LOG: "记录", SEALS: "封存", VERIFICATION: "校验"}
ORDER = {name: place for place, name in enumerate(DETAILS)}
# Far outside lie days that have no next one, or none in another zone.
_A_DAY_OF_OURS = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2999, 12, 31))]
_MOST_FOUND = 100  # people or cases that one word may mean


class Filters(forms.Form):
    """Who, what, on what, when."""

    who = django_forms.CharField(label="谁", required=False, max_length=60)
    what = django_forms.ChoiceField(label="做了什么", required=False)
    subject = django_forms.CharField(label="对什么", required=False, max_length=60)
    since = django_forms.DateField(label="从", required=False, widget=forms.DayInput(), validators=_A_DAY_OF_OURS)
    until = django_forms.DateField(label="到", required=False, widget=forms.DayInput(), validators=_A_DAY_OF_OURS)
    uncovered = django_forms.BooleanField(label="只看“查看诉求人”", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups = [(label, [(group, f"全部{label}"), *_acts(group)]) for group, label in GROUPS.items()]
        self.fields["what"].choices = [("", "全部"), *groups]  # type: ignore[attr-defined]
        self.fields["who"].widget.attrs["placeholder"] = "姓名、用户名、工号"
        self.fields["subject"].widget.attrs["placeholder"] = "诉求编号、人员"

    def clean(self) -> dict[str, Any]:
        """A person's number has no business in an address."""
        given = super().clean() or {}
        words = (given.get("who", ""), given.get("subject", ""))
        if any(find_personal(word) for word in words if not is_number(normalise_number(word))):
            raise Refused("invalid", message="电话、证件号不能放进网址。请按诉求编号或工作人员查找。")
        return given


def _acts(group: str) -> list[tuple[str, str]]:
    return [(code, label) for code, label in ACTS.items() if code.startswith(group)]


def register_desks() -> None:
    """Called once, when the applications are ready."""
    admin = frozenset({Role.AUDIT_ADMIN})
    register(
        Desk(code="audit_log", label="审计", icon="clipboard-list", roles=admin, url="console:records", count=waiting, home=admin)
    )


def waiting(user: Any, at: datetime) -> tuple[int, str]:
    """For the rail: how many records the last verification found altered. One query."""
    last = queries.last_verification()
    found = int(last.detail.get("count", 0)) if last else 0
    return found, "red" if found else "none"


@login_required
@require_GET
def log(request: HttpRequest) -> HttpResponse:
    """`/desk/audit/?who=&what=&subject=&since=&until=&uncovered=`. Errors: forbidden, invalid (a person's number in the address)."""
    _only_them(request)
    form = Filters(request.GET or None)
    given = form.cleaned_data if form.is_bound and form.is_valid() else {}
    page = keyset_page(_found(given), ("-at", "-id"), request.GET.get("page", ""))
    narrowed = any(given.values())
    return _render(request, LOG, {"form": form, "page": page.map(_entry), "narrowed": narrowed})


@login_required
@require_GET
def seals(request: HttpRequest) -> HttpResponse:
    """`/desk/audit/seals/`. Errors: forbidden."""
    _only_them(request)
    page = keyset_page(queries.seals(), ("-number",), request.GET.get("page", ""))
    return _render(request, SEALS, {"page": page.map(_seal)})


@login_required
@require_GET
def verification(request: HttpRequest) -> HttpResponse:
    """`/desk/audit/verification/`: what the last one found, and the button for the next. Errors: forbidden."""
    _only_them(request)
    last = queries.last_verification()
    context = {"verifying": actions.verifying(timezone.now()), "last": _verified(last) if last else None}
    return _render(request, VERIFICATION, context)


@login_required
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Set a verification going. Errors: forbidden."""
    actor: Any = request.user
    if actions.request_verification(actor=actor, at=timezone.now()):
        messages.success(request, "已开始校验。可以离开这一页，结果会留在这里。")
    else:
        messages.info(request, "已经在校验，不必再按。")
    return redirect("console:verification")


def _only_them(request: HttpRequest) -> None:
    user: Any = request.user
    if not user.has_role(Role.AUDIT_ADMIN):
        raise Refused("forbidden", action="查看审计工作台")


def _render(request: HttpRequest, tab: str, context: dict[str, Any]) -> HttpResponse:
    tabs = [{"url": reverse(f"console:{code}"), "label": label, "current": code == tab} for code, label in TABS.items()]
    return render(request, f"console/{tab}.html", {"desk_title": "审计", "tabs": tabs, "at": timezone.now()} | context)


# --- finding -----------------------------------------------------------------------------------------------------


def _found(given: dict[str, Any]) -> QuerySet[AuditEntry]:
    people = _people(given["who"]) if given.get("who") else None
    return queries.entries(
        since=midnight(given["since"]) if given.get("since") else None,
        until=end_of(given["until"]) if given.get("until") else None,
        actor_ids=None if people is None else list(people.values_list("pk", flat=True)[:_MOST_FOUND]),
        code=given.get("what", ""),
        codes=UNCOVERINGS if given.get("uncovered") else None,
        subject=_subject(given["subject"]) if given.get("subject") else None,
    )


def _people(word: str) -> QuerySet[User]:
    return User.objects.filter(Q(username=word.lower()) | Q(display_name=word) | Q(staff_number=word))


def _subject(word: str) -> tuple[str, list[str]]:
    """A case by its number, else staff. Nothing is told of the case itself: administrators see none."""
    case = Case.objects.filter(number=normalise_number(word)).values_list("pk", flat=True).first()
    if case is not None:
        return Case._meta.label_lower, [str(case)]
    return User._meta.label_lower, [str(pk) for pk in _people(word).values_list("pk", flat=True)[:_MOST_FOUND]]


# --- showing -----------------------------------------------------------------------------------------------------


def _entry(entry: AuditEntry) -> dict[str, Any]:
    """One line. Reasons are typed by hand, so what looks like a person in them is covered."""
    return {
        "pk": entry.pk,
        "at": entry.at,
        "who": entry.actor_label or ("未登录" if entry.ip else "系统"),
        "what": act_words(entry.code),
        "subject": entry.subject_label,
        "why": redact(entry.why),
        "outcome": Outcome(entry.outcome),
        "facts": _facts(entry),
    }


def _facts(entry: AuditEntry) -> list[tuple[str, str]]:
    own = [
        ("代码", entry.code),
        ("网络地址", entry.ip or ""),
        ("会话", entry.session),
        ("终端", entry.terminal),
        ("追踪号", entry.trace_id),
    ]
    return [(label, value) for label, value in own if value] + _told(entry)


def _told(entry: AuditEntry) -> list[tuple[str, str]]:
    """What the act itself wrote down. A verification has a page of its own."""
    if entry.code == VERIFIED:
        count = entry.detail.get("count", 0)
        return [("结果", f"发现 {count} 处改动" if count else "没有发现改动")]
    given = sorted(entry.detail.items(), key=lambda item: ORDER.get(item[0], len(ORDER)))
    return [(DETAILS.get(name, name), redact(_plain(value, name))) for name, value in given if value not in (None, "", [], {})]


def _plain(value: Any, name: str = "") -> str:
    """A value of the entry's detail as one line."""
    if name == "roles" and isinstance(value, list):
        return role_words(value)
    if isinstance(value, dict):
        return "；".join(f"{DETAILS.get(part, part)}：{_plain(inner, part)}" for part, inner in value.items())
    if isinstance(value, list):
        return "、".join(_plain(part) for part in value) or "无"
    return {True: "是", False: "否", None: "无"}[value] if value is None or isinstance(value, bool) else str(value)


def _seal(seal: Seal) -> dict[str, Any]:
    return {
        "number": seal.number,
        "at": seal.at,
        "timeline": seal.timeline_count,
        "audit": seal.audit_count,
        "digest": bytes(seal.digest).hex(),
    }


def _verified(entry: AuditEntry) -> dict[str, Any]:
    """The result with each altered row named; a chain's owner by its number, where it has one."""
    findings: list[dict[str, Any]] = entry.detail.get("findings", [])
    owners = {found["owner"] for found in findings if found.get("model") == "cases.timelineentry"}
    numbers = dict(Case.objects.filter(pk__in=owners).values_list("pk", "number")) if owners else {}
    return {
        "at": entry.at,
        "who": entry.actor_label or "系统",
        "ok": bool(entry.detail.get("ok")),
        "count": entry.detail.get("count", 0),
        "findings": [_finding(found, numbers) for found in findings],
        "facts": [
            ("办理历程", f"{entry.detail.get('entries', 0)} 条"),
            ("诉求件", f"{entry.detail.get('chains', 0)} 件"),
            ("审计记录", f"{entry.detail.get('audit_entries', 0)} 条"),
            ("封存", f"{entry.detail.get('seals', 0)} 次"),
            ("尚未封存", f"{_unsealed(entry)} 条"),
            ("依法清除文字", f"{entry.detail.get('notes_erased', 0)} 条"),
        ],
    }


def _unsealed(entry: AuditEntry) -> int:
    return int(entry.detail.get("entries_not_yet_sealed", 0)) + int(entry.detail.get("audit_entries_not_yet_sealed", 0))


def _finding(found: dict[str, Any], numbers: dict[int, str | None]) -> str:
    where = f"{found.get('model')} {found.get('owner')}"
    number = numbers.get(found.get("owner") or 0)
    sentence = str(found["sentence"])
    return sentence.replace(where, f"诉求件 {number} 的办理历程") if number else sentence


