"""Every address of the product, filled with real values. An address that nobody has thought about here fails a test.

The stream of ticks (console/events_app.py) is not among them: it is answered by a server of its own, in no URLconf, and sends
nothing but a cursor and codes of actions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from minsheng.api.models import Token
from minsheng.cases import lists, pickers, workflow
from minsheng.cases.models import Attachment, Case, RefusalGround, Reply, ReplyTemplate, Task
from minsheng.cases.queries import view_case
from minsheng.console.models import Export
from minsheng.followup.links import make_token
from minsheng.outbox.models import Delivery, Endpoint

if TYPE_CHECKING:
    from minsheng.accounts.models import User

    from .secrecy_city import City

# What the configuration screens take beside a row's key.
_ADMIN_ODD = {"url": "no-such-page/", "object_id": "1", "content_type_id": "1", "app_label": "cases"}


def named_patterns() -> dict[str, URLPattern]:
    """Full name ("cases:page"; the address itself where a pattern has no name) to pattern."""
    return dict(_walk(get_resolver(), "", ""))


def _walk(resolver: URLResolver, namespace: str, prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry, f"{namespace}{entry.namespace}:" if entry.namespace else namespace, route)
        else:
            yield namespace + entry.name if entry.name else "/" + route, entry


def addresses(city: City, user: User | None, *, refused: bool = True) -> list[str]:
    """All GET addresses for this person: the action forms that they may open, and everything else that there is.

    `refused`: on one confidential case also the forms that they may not open.
    """
    found = [*_acts(city, user, refused=refused), *(url for urls in by_name(city).values() for url in urls)]
    return list(dict.fromkeys(found))


def by_name(city: City) -> dict[str, list[str]]:
    """Each name with its addresses; none where nobody has said with what to fill it. Kept with the city, which stays as it is."""
    if not city.addresses:
        named = named_patterns().items()
        city.addresses = {name: list(_filled(name, _parameters(pattern), city)) for name, pattern in named}
    return city.addresses


def _parameters(pattern: URLPattern) -> list[str]:
    route = pattern.pattern
    return list(route.converters) or list(getattr(route, "regex", re.compile("")).groupindex)


def _filled(name: str, kwargs: list[str], city: City) -> Iterator[str]:
    if name in _FILLERS:
        yield from _FILLERS[name](city)
    elif name.startswith(("admin:", "/admin/")):
        yield from _of_admin(name, kwargs)
    elif name.startswith("api:v1:"):
        yield from _of_api(name, kwargs, city)
    elif not kwargs:
        yield name if name.startswith("/") else reverse(name)


def _of_admin(name: str, kwargs: list[str]) -> Iterator[str]:
    """Lists, the forms of the first rows, and the odd ones with one value each."""
    if name.startswith("/"):  # an old address that only redirects
        yield name.replace("<path:object_id>", "1")
        return
    models = [m for m in admin.site._registry if name.startswith(f"admin:{m._meta.app_label}_{m._meta.model_name}_")]
    if models and kwargs:
        ours = models[0].__module__.startswith("minsheng.")
        keys = models[0]._default_manager.order_by("pk").values_list("pk", flat=True)[:2] if ours else []
        yield from (reverse(name, args=[key]) for key in list(keys) or [1])
    elif set(kwargs) <= set(_ADMIN_ODD):
        yield reverse(name, kwargs={key: _ADMIN_ODD[key] for key in kwargs})


def _of_api(name: str, kwargs: list[str], city: City) -> Iterator[str]:
    """Each operation by the parameters that it takes."""
    if not kwargs:
        yield reverse(name)
    for key in _API_KEYS[kwargs[0]](city) if kwargs and kwargs[0] in _API_KEYS else ():
        yield reverse(name, args=[key])


# --- by name: each of these shows something of cases, or takes a parameter ----------------------------------------


def _numbers(city: City) -> list[str]:
    return [case.number for case in city.cases.values() if case.number]


def _of_cases(name: str) -> Any:
    return lambda city: [reverse(name, args=[number]) for number in _numbers(city)]


def _with(name: str, *queries: dict[str, str], opened: tuple[str, ...] = ()) -> Any:
    """The list itself, with each query, and with each of these cases open."""

    def fill(city: City) -> list[str]:
        url = reverse(name)
        more = [*queries, *({"open": city.number(label)} for label in opened)]
        return [url, *(f"{url}?{urlencode(query)}" for query in more)]

    return fill


def _files(name: str, *, of_case: bool = True) -> Any:
    def fill(city: City) -> list[str]:
        files = Attachment.objects.filter(case__in=city.cases.values()).select_related("case")
        return [reverse(name, args=[f.case.number, f.pk] if of_case else [f.pk]) for f in files]

    return fill


def _acts(city: City, user: User | None, *, refused: bool) -> list[str]:
    """The form of every action that this person may do now, on every case, and what they may not."""
    report = city.cases["report"]
    task = report.tasks.earliest("pk").pk
    on_report = [_act(report, row, task if row.subject is workflow.Subject.TASK else None) for row in workflow.TRANSITIONS]
    offered = [_act(case, row, task) for case in city.cases.values() for row, task in _offered(user, case)]
    return [*offered, *(on_report if refused else [])]


def _offered(user: User | None, case: Case) -> list[tuple[workflow.Transition, int | None]]:
    if user is None or not Case.objects.visible_to(user).filter(pk=case.pk).exists():
        return []
    return [(row, task and task.pk) for row, task in view_case(user, case, at=timezone.now()).actions()]


def _act(case: Case, row: workflow.Transition, task: int | None) -> str:
    url = reverse("cases:act", args=[case.number, row.code])
    return f"{url}?task={task}" if task else url


def _unknown_act(city: City) -> list[str]:
    return [reverse("cases:act", args=[city.number("report"), "no_such_action"])]


def _pages(city: City) -> list[str]:
    urls = _of_cases("cases:page")(city)
    told = reverse("cases:page", args=[city.number("report")])
    return [*urls, *(f"{told}?history={side}" for side in ("units", "centre", "citizen"))]


def _replies(city: City) -> list[Reply]:
    return list(Reply.objects.filter(task__case__in=city.cases.values()).select_related("task__case"))


def _papers(city: City) -> list[str]:
    """Every case's sheet and letter of refusal, every reply's letter: also those that there are not."""
    asked = [(number, what) for number in _numbers(city) for what in ("sheet", "refusal")]
    asked += [(reply.task.case.number or "", str(reply.pk)) for reply in _replies(city)]
    return [reverse("cases:paper", args=each) for each in asked]


def _peeks(city: City) -> list[str]:
    first, *others = _numbers(city)
    url = reverse("dispatching:peek", args=[first])
    back = [f"{reverse('dispatching:peek', args=[other])}?number={first}" for other in others[:1]]
    return [url, *(f"{url}?number={other}" for other in others), *back]


def _keys(model: Any) -> Any:
    return lambda city: model.objects.filter(case__in=city.cases.values()).values_list("pk", flat=True)


_API_KEYS: dict[str, Any] = {
    "number": _numbers,
    "task": _keys(Task),
    "attachment": _keys(Attachment),
    "webhook": lambda city: Endpoint.objects.values_list("pk", flat=True),
}
def _open311(name: str) -> Any:
    """GeoReport v2 in both formats; the parameter by name."""
    keys: dict[str, Any] = {"request": _numbers, "service": lambda city: ["010101"], "token": lambda city: ["some-key"]}

    def fill(city: City) -> list[str]:
        given = keys[name](city) if name in keys else [None]
        return [
            reverse(f"api:open311:{name}", args=[key, form] if key else [form]) for key in given for form in ("json", "xml")
        ]

    return fill


def _of_system(name: str) -> Any:
    """The screens of one other system, and of its token."""

    def fill(city: City) -> list[str]:
        token = Token.objects.filter(system__code="known").latest("pk").pk
        return [reverse(f"api:{name}", args=["known", token] if name in ("rotate", "revoke") else ["known"])]

    return fill


def _last(name: str, model: Any) -> Any:
    return lambda city: [reverse(name, args=[model.objects.latest("pk").pk])]


def _of_lists(name: str) -> Any:
    return lambda city: [reverse(name, args=[spec.code]) for spec in lists.all_lists()]


def _of_export(name: str) -> Any:
    """One that the dispatcher asked for: anybody else learns nothing of it."""

    def fill(city: City) -> list[str]:
        at, key = timezone.now(), UUID(int=8)
        values = {"user": city.people["dispatcher"], "list_code": "all", "submission": key, "asked_at": at, "touched_at": at}
        Export.objects.get_or_create(pk=key, defaults=values)
        return [reverse(name, args=[key])]

    return fill


_LISTED = [{"tab": tab} for tab in ("sign", "new", "work", "back", "asks", "below")]
_NARROWED = [{"state": "in_handling"}, {"kind": "report", "light": "none", "sort": "-due"}, {"q": "漏水"}, {"q": "自述"}]
_FILLERS: dict[str, Any] = {
    "nothing_here": lambda city: ["/admin/r/1/1/"],
    "cases:list": _with("cases:list", *_NARROWED, opened=("report", "merged")),
    "cases:map": _with("cases:map", {"view": "0"}, {"state": "in_handling"}, {"light": "red"}),
    "cases:map_points": _with("cases:map_points", {"view": "0"}, {"kind": "report"}),
    "cases:map_rows": lambda city: [f"{reverse('cases:map_rows')}?{urlencode([('n', number) for number in _numbers(city)])}"],
    "cases:found": _with(
        "cases:found", {"q": "漏水"}, {"q": "自述"}, {"q": "建新"}, {"q": "FZ20"}, {"q": "自述", "kind": "report", "sort": "-due"},
        opened=("report", "merged"),
    ),
    "cases:intake": _with("cases:intake", {"tab": "drafts"}, opened=("report", "waiting")),
    "cases:new": lambda city: [reverse("cases:new"), f"{reverse('cases:new')}?draft={city.cases['draft'].pk}"],
    "cases:discard": lambda city: [reverse("cases:discard", args=[city.cases["draft"].pk])],
    "cases:topic_details": lambda city: [f"{reverse('cases:topic_details')}?topic={city.world.topics['干部作风'].pk}"],
    "cases:rows": lambda city: [reverse("cases:rows", args=[which]) for which in pickers.LISTS],
    "cases:bulk": lambda city: [
        f"{reverse('cases:bulk', args=[code])}?{urlencode([('n', number) for number in _numbers(city)[:20]])}"
        for code in ("dispatch", "urge", "sub_dispatch")
    ],
    "cases:phrase_remove": lambda city: [reverse("cases:phrase_remove", args=[1])],
    "cases:ground": lambda city: [f"{reverse('cases:ground')}?ground={RefusalGround.objects.earliest('pk').pk}"],
    "cases:handling": _with("cases:handling", *_LISTED, opened=("report", "turned")),
    "cases:audits": _with("cases:audits", {"tab": "asks"}, opened=("report", "enterprise")),
    "cases:page": _pages,
    "cases:since": _of_cases("cases:since"),
    "cases:filed": _of_cases("cases:filed"),
    "cases:reveal": _of_cases("cases:reveal"),
    "cases:reissue": _of_cases("cases:reissue"),
    "cases:reply_hints": _of_cases("cases:reply_hints"),
    "cases:file": _files("cases:file"),
    "cases:papers": _of_cases("cases:papers"),
    "cases:paper": _papers,
    "cases:new_template": lambda city: [
        reverse("cases:new_template"), *(f"{reverse('cases:new_template')}?reply={reply.pk}" for reply in _replies(city))
    ],
    "cases:template": _last("cases:template", ReplyTemplate),
    "cases:remove_template": _last("cases:remove_template", ReplyTemplate),
    "cases:act": _unknown_act,
    "console:overview": _with("console:overview", {"tab": "today"}, {"tab": "all"}, opened=("report", "turned")),
    **{f"console:{name}": _of_lists(f"console:{name}") for name in ("list_columns", "view_save", "export_new")},
    "console:view_change": lambda city: [reverse("console:view_change", args=[1])],
    **{f"console:{name}": _of_export(f"console:{name}") for name in ("export_progress", "export_cancel", "export_file")},
    "console:rail": _with("console:rail", {"path": "/cases/"}),
    "console:records": lambda city: [
        *_with("console:records", {"uncovered": "on"})(city),
        *(f"{reverse('console:records')}?subject={number}" for number in _numbers(city)),
    ],
    "console:retry": lambda city: [reverse("console:retry", args=[1])],
    "console:unlock": lambda city: [reverse("console:unlock", args=[city.people["agent"].pk])],
    "console:withdraw": lambda city: [reverse("console:withdraw", args=[city.people["agent"].pk])],
    **{f"api:open311:{name}": _open311(name) for name in ("discovery", "services", "service", "requests", "request", "token")},
    "api:open311:nothing_here": lambda city: ["/api/open311/nothing"],
    **{f"api:{name}": _of_system(name) for name in ("system", "issue", "rotate", "revoke")},
    "outbox:log": lambda city: [
        *_with("outbox:log", {"channel": "sms"}, {"channel": "webhook"}, {"state": "dead"})(city),
        *(f"{reverse('outbox:log')}?number={number}" for number in _numbers(city)),
    ],
    "outbox:resend": _last("outbox:resend", Delivery),
    **{f"outbox:{name}": _last(f"outbox:{name}", Endpoint) for name in ("endpoint", "rotate", "switch", "test")},
    "api:no_such_address": lambda city: ["/api/v1/nothing"],
    "dispatching:desk": _with("dispatching:desk", {"tab": "study"}, opened=("report", "waiting")),
    "dispatching:peek": _peeks,
    "followup:desk": _with("followup:desk", opened=("report", "ordinary")),
    "publishing:desk": _with("publishing:desk", {"tab": "review"}, {"tab": "published"}, opened=("ordinary", "enterprise")),
    "publishing:act": _of_cases("publishing:act"),
    "portal:published": _with("portal:published", {"q": "漏水"}),
    "portal:published_case": lambda city: [reverse("portal:published_case", args=[1])],
    "portal:file": _with("portal:file", {"kind": "complaint"}),
    "portal:file_of_case": _files("portal:file_of_case", of_case=False),
    "portal:rate_by_link": lambda city: [
        reverse("portal:rate_by_link", args=[token]) for token in (make_token(city.cases["ordinary"]), "nonsense")
    ],
}
