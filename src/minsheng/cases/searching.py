"""Finding cases: a search narrows what a person may see by number, person and words, newest first, and counts to a thousand."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q, QuerySet

from minsheng.cases import queries, scope, search_rules
from minsheng.cases.choices import CaseState
from minsheng.cases.models import Case, CaseWords
from minsheng.cases.scope import SEE_PERSONS
from minsheng.cases.search_rules import Search, Term
from minsheng.ui.pages import KeysetPage, keyset_page, start_of

if TYPE_CHECKING:
    from minsheng.accounts.models import User

MOST_COUNTED, SHOWN = 1000, 25
NEWEST = ("-received_at", "-id")
_BY_WORDS = ["-received", "-id"]  # the same, by the index's own copy
_WALKED, _WINDOWS = 2000, (1, 8, 64, 512)


def narrow(cases: QuerySet[Case], search: Search | str, *, user: User) -> QuerySet[Case]:
    """Of these cases, already `visible_to(user)`, those that the search finds; all of them when nothing was asked.

    What the person may not read of a case never finds it: units find a confidential case by the words made for them only,
    and who reads words without persons finds nobody by name or number.
    """
    search = search_rules.parse(search) if isinstance(search, str) else search
    if search.typed and not search:
        return cases.none()
    if search.number:
        return cases.filter(number__startswith=search.number)
    return _narrowed(cases, search, user)


def may_find_persons(user: User) -> bool:
    """Whether this person finds cases by telephone number, identity number and name."""
    return bool(user.is_unit or user.has_any(SEE_PERSONS))


@dataclass(frozen=True)
class Found:
    """One page of what was found, newest first, and how many there are in all."""

    page: KeysetPage
    count: int

    @property
    def counted(self) -> str:
        """“37”, “1000+”."""
        return f"{MOST_COUNTED}+" if self.count > MOST_COUNTED else str(self.count)


def find(
    user: User,
    search: Search,
    *,
    cursor: str = "",
    condition: Q | None = None,
    order: Sequence[str] = NEWEST,
    loads: Sequence[str] = (),
) -> Found:
    """What the search finds among all cases that this person may see, with what a list's rows show.

    Counting needs no order, so it stops at a thousand. What is rarer is found by the index and sorted. Of what is commoner a
    page is looked for in the newest days, and in ever more of them until it is full: so a common word never sorts the table.
    `condition` narrows the cases further, `order` sorts them otherwise, `loads` is read with them: without these it costs
    what it costs alone.
    """
    columns = {name.lstrip("-") for name in order} - {"id"}
    cases = Case.objects.visible_to(user).exclude(state=CaseState.DRAFT).only("pk", "received_at", *columns)
    cases = cases if condition is None else cases.filter(condition)
    count = narrow(cases, search, user=user).order_by()[: MOST_COUNTED + 1].count()
    if not search.terms or tuple(order) != NEWEST:
        return Found(_whole(user, keyset_page(narrow(cases, search, user=user), order, cursor, SHOWN), loads), count)
    cases = cases.annotate(received=F("words__received_at"))
    backwards, start = start_of(cases, _BY_WORDS, cursor)
    page = KeysetPage()
    for days, walk in _windows(user, backwards, start) if count > MOST_COUNTED else [(Q(), False)]:
        page = keyset_page(_narrowed(cases.filter(days), search, user, walk=walk), _BY_WORDS, cursor, SHOWN)
        if page.previous if backwards else page.next:
            break
    return Found(_whole(user, page, loads), count)


def _whole(user: User, page: KeysetPage, loads: Sequence[str]) -> KeysetPage:
    """The page's cases with all that a row shows: read for these alone, not for whatever had to be sorted."""
    rows = queries.every_case(user).filter(pk__in=[case.pk for case in page.rows]).prefetch_related(queries.current_tasks())
    rows = rows.select_related(*loads) if loads else rows
    known = {case.pk: case for case in rows} if page.rows else {}
    return replace(page, rows=[known[case.pk] for case in page.rows if case.pk in known])


def _windows(user: User, backwards: bool, start: list[Any] | None) -> Iterator[tuple[Q, bool]]:
    """(days to look through, whether to read them one by one), each more than the last, from where the page begins.

    The first are as many days as now bring `_WALKED` cases: who sees all of them finds what every fortieth says by reading.
    """
    moments = CaseWords.objects.order_by("-received_at", "-case").values_list("received_at", flat=True)
    newest, oldest = moments.first(), moments[_WALKED - 1 : _WALKED].first()
    if newest and oldest and newest > oldest:
        at = start[0] if start else newest
        for times in _WINDOWS:
            away = at + (newest - oldest) * times * (1 if backwards else -1)
            if times > 1 or not user.is_unit:
                yield Q(words__received_at__range=sorted([at, away])), times == 1
    yield Q(), False


def of_whole_number(user: User, number: str) -> str | None:
    """The number itself, where it is the whole number of a case that this person may see."""
    return queries.every_case(user).filter(number=number).values_list("number", flat=True).first()


def near(user: User, search: Search) -> list[str]:
    """Cases that this person may see whose number is one slip away from what was typed."""
    wanted = search_rules.near_numbers(search.number)
    found = queries.every_case(user).filter(number__in=wanted).order_by(*NEWEST).values_list("number", flat=True)
    return [str(number) for number in found[:5]]


def names_somebody(user: User, search: Search) -> bool:
    """Whether one of the words is the name of somebody whose case this person may see: then no address may hold it."""
    wanted = Q(pk__in=[])
    for term in search.terms:
        if term.person:
            wanted |= _says(Term(term.typed, term.person), user)
    return may_find_persons(user) and bool(wanted) and queries.every_case(user).filter(wanted).exists()


def texts_of(user: User, cases: Collection[Case]) -> dict[int, str]:
    """By case, the indexed text that this person reads. One query."""
    column = "text" if may_find_persons(user) else "redacted"
    rows = CaseWords.objects.filter(pk__in=[case.pk for case in cases]).values_list("pk", column, "for_units")
    withheld = {case.pk for case in cases if user.is_unit and case.confidential}
    return {pk: (for_units or "") if pk in withheld else text for pk, text, for_units in rows}


def _narrowed(cases: QuerySet[Case], search: Search, user: User, *, walk: bool = False) -> QuerySet[Case]:
    """`walk`: without the index of pairs, for reading rows one by one."""
    if user.is_unit and search.terms and not walk:
        cases = cases.filter(words__grams__overlap=sorted(search_rules.unit_code(pk) for pk in scope.units_of(user)))
    for term in search.terms:
        cases = cases.filter(_says(term, user, walk))
    return cases


def _says(term: Term, user: User, walk: bool = False) -> Q:
    """The candidates by their pairs, then the text that this person reads. Apart from each other, so that what the index has
    answered is not asked of the row again."""
    phrases = [term.phrase, *([term.person] if term.person and may_find_persons(user) else [])]
    candidates, said = Q(), Q()
    for phrase in phrases:
        pairs = sorted(search_rules.grams(phrase))
        candidates |= Q(words__grams__contains=pairs)
        said |= _reads(phrase, user)
    return said if walk or len(term.phrase) < search_rules.SHORTEST_PHRASE else candidates & said


def _reads(phrase: str, user: User) -> Q:
    if user.is_unit:
        openly = Q(confidential=False, words__text__contains=phrase)
        return openly | Q(confidential=True, words__for_units__contains=phrase)
    if user.has_any(SEE_PERSONS):
        return Q(words__text__contains=phrase)
    return Q(words__redacted__contains=phrase)
