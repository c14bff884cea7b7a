"""Every read of this room. What a system may see begins where a person's does: `visible_to` its account (design §3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Sum

from minsheng.accounts.models import User
from minsheng.api import rules
from minsheng.api.models import System, Token
from minsheng.audit.queries import end_of_window, safe_horizon
from minsheng.cases import queries as cases
from minsheng.cases import scope
from minsheng.cases.models import Case, Contact, Task, TimelineEntry
from minsheng.cases.models.reference import ReasonCode, ReasonList, Topic
from minsheng.errors import Refused
from minsheng.organisations.models import Place, Unit
from minsheng.organisations.queries import valid_at
from minsheng.outbox.models import Endpoint

# So many timeline entries are looked at for one page of changes, however few of them the caller may see: a bound on the work of
# one call, not on what is found.
LOOKED_AT = 20_000


# --- tokens ------------------------------------------------------------------------------------------------------


def token_of(clear: str, *, at: datetime) -> Token | None:
    """The valid token with this clear text, its system and its account; None also when the account is stopped. One query."""
    token = Token.objects.select_related("system__account__unit").filter(digest=rules.digest_of(clear)).first()
    if token is None or not token.is_valid(at) or not token.system.account.is_active:
        return None
    return token


def systems() -> list[System]:
    """All systems with unit, account and tokens. Two queries."""
    return list(System.objects.select_related("unit", "account__unit").prefetch_related("tokens").order_by("code"))


# How long before its last token ends the administrator hears of a system, and how long after.
EXPIRES_SOON, STILL_NEWS = timedelta(days=14), timedelta(days=7)


def about_to_fall_silent(*, at: datetime) -> list[System]:
    """Systems whose last token ends soon or has just ended, each with `ends_at`, the most pressing first. One query."""
    last = Max("tokens__expires_at", filter=Q(tokens__revoked_at=None))
    found = System.objects.filter(account__is_active=True).annotate(ends_at=last)
    return list(found.filter(ends_at__gt=at - STILL_NEWS, ends_at__lte=at + EXPIRES_SOON).order_by("ends_at", "code"))


def source_of_account(account: User) -> str:
    """The source that the account may not look beyond; "" for persons, and for systems that see what their roles see."""
    system = System.objects.filter(account=account, own_only=True).only("code").first()
    return system.code if system else ""


@dataclass(frozen=True)
class Usage:
    """What a token asked in a span of time."""

    calls: int
    errors: int
    last_address: str


def usage_of(system: System, *, since: datetime) -> dict[int, Usage]:
    """By token: calls and errors since a moment, and where the last call came from. Two queries."""
    rows = system.tokens.filter(usage__hour__gte=since - timedelta(hours=1)).order_by()
    sums = rows.values("pk").annotate(calls=Sum("usage__calls"), errors=Sum("usage__errors"))
    newest = rows.order_by("pk", "-usage__hour").distinct("pk").values_list("pk", "usage__last_address")
    addresses = {pk: address or "" for pk, address in newest}
    return {row["pk"]: Usage(row["calls"], row["errors"], addresses.get(row["pk"], "")) for row in sums}


def hours_of(system: System, *, limit: int = 48) -> list[dict[str, Any]]:
    """The last hours in which the system called, newest first, one row for each token. One query."""
    rows = system.tokens.filter(usage__isnull=False).order_by(F("usage__hour").desc(), "-pk")
    found: list[Any] = list(
        rows.values("prefix", "usage__hour", "usage__calls", "usage__errors", "usage__last_address")[:limit]
    )
    return found


# --- cases and tasks ---------------------------------------------------------------------------------------------


def _own(system: System) -> Q:
    """Condition on Case: what this system brought, where it is to see nothing else."""
    if not system.own_only:
        return Q()
    return Q(Exists(Contact.objects.filter(case=OuterRef("pk"), source=system.code).exclude(source_id="")))


def cases_of(system: System) -> QuerySet[Case]:
    """Every numbered case that the system may know of."""
    return cases.every_case(system.account).filter(_own(system))


def case_of(system: System, number: str) -> Case:
    """One of them, loaded as for its page. Errors: not_found."""
    case = cases.case_for(system.account, number)
    if case.number is None or (system.own_only and not cases_of(system).filter(pk=case.pk).exists()):
        raise Refused("not_found")
    return case


def tasks_of(system: System) -> QuerySet[Task]:
    """The tasks of the system's unit; of the centre's systems all that they may see."""
    found = Task.objects.filter(scope.visible_tasks(system.account)).select_related("case", "unit")
    return found.filter(unit=system.account.unit_id) if system.account.is_unit else found


def task_of(system: System, pk: int) -> Task:
    """One of them, or one of a lower unit's, which may be read and not acted on. Errors: not_found."""
    found = Task.objects.filter(scope.visible_tasks(system.account), pk=pk).select_related("case", "unit").first()
    if found is None or (system.own_only and not cases_of(system).filter(pk=found.case_id).exists()):
        raise Refused("not_found")
    return found


def known_message(system: System, external_number: str) -> str | None:
    """The number of the case that this system brought under this number of its own."""
    found = Contact.objects.filter(source=system.code, source_id=external_number).values_list("case__number", flat=True)
    return found.first()


# --- webhooks ----------------------------------------------------------------------------------------------------


def webhooks_of(system: System) -> list[Endpoint]:
    """Where the system is called. One query."""
    return list(Endpoint.objects.filter(user=system.account).order_by("id"))


def webhook_of(system: System, pk: int) -> Endpoint:
    """One of its own. Errors: not_found."""
    found = Endpoint.objects.filter(user=system.account, pk=pk).first()
    if found is None:
        raise Refused("not_found")
    return found


# --- changes -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Window:
    """Entries in the order of their transactions, the cursor to go on from, and whether more waits already."""

    entries: list[TimelineEntry]
    cursor: int
    more: bool


def changes_since(system: System, cursor: int, *, limit: int) -> Window:
    """Timeline entries of visible cases whose transactions lie in [cursor, horizon): no late commit is skipped, none repeated.

    The window ends between two transactions, at about `limit` entries; one transaction is never cut in two.
    Errors: HorizonBehind.
    """
    horizon = safe_horizon()
    end = end_of_window([TimelineEntry], cursor, horizon, LOOKED_AT)
    visible = TimelineEntry.objects.filter(xid__gte=cursor, xid__lt=end, case__in=cases_of(system).order_by().values("pk"))
    found = list(visible.select_related("case").order_by("xid", "pk")[: limit + 1])
    if len(found) > limit:
        over = found[limit].xid
        if over == found[0].xid:  # a transaction longer than the page comes whole
            found = list(visible.filter(xid=over).select_related("case").order_by("pk"))
            return Window(found, over + 1, over + 1 < horizon)
        found, end = [entry for entry in found if entry.xid < over], over
    return Window(found, end, end < horizon)


# --- reference ---------------------------------------------------------------------------------------------------


def topic_of(code: str, *, at: datetime) -> Topic:
    """A topic that a case can be given. Errors: invalid."""
    return _named(Topic.objects.filter(valid_at(at), level=3).select_related("parent__parent"), code, "主题")


def place_of(code: str, *, at: datetime) -> Place:
    """A street, town or county. Errors: invalid."""
    return _named(Place.objects.filter(valid_at(at)).select_related("parent"), code, "地点")


def unit_of(code: str, *, at: datetime) -> Unit:
    """A unit that holds. Errors: invalid."""
    return _named(Unit.objects.filter(valid_at(at)), code, "单位")


def reason_code_of(of: ReasonList, code: str, *, at: datetime) -> str:
    """A coded reason of one list. Errors: invalid."""
    found: str = _named(ReasonCode.objects.filter(valid_at(at), list=of), code, of.label).code
    return found


def _named(rows: QuerySet[Any], code: str, what: str) -> Any:
    found = rows.filter(code=code).first()
    if found is None:
        raise Refused("invalid", message=f"没有代码为 {code} 的{what}，请重新读取名录。")
    return found


def places(*, at: datetime) -> list[Place]:
    """All places that hold, in the order of their codes."""
    return list(Place.objects.filter(valid_at(at)).select_related("parent").order_by("code"))


def units(*, at: datetime) -> list[Unit]:
    """All units that hold and take tasks, in the order of their codes."""
    return list(Unit.objects.filter(valid_at(at), dispatchable=True).select_related("parent").order_by("code"))
