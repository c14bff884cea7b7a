"""Keeping the index of words: written in the transaction of whatever changes the words, and rebuilt whole by a command."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from django.db import transaction

from minsheng.cases import events
from minsheng.cases.choices import CaseState, ReplyState
from minsheng.cases.models import Applicant, Case, CaseWords, Contact, Reply, Task
from minsheng.cases.search_rules import both, fold, grams, lines, sign_of, signed, unit_code
from minsheng.organisations.models import Place

if TYPE_CHECKING:
    from minsheng.cases.work import Work

# The actions after which a case reads otherwise, or has another unit; each of them is framed by work_on.
CHANGING_WORDS = (
    "correct",
    "supplement",
    "dispatch",
    "add_assisting",
    "sub_dispatch",
    "second_handling",
    "make_confidential",
    "lift_confidentiality",
    "draft_reply",
    "sign_reply",
    "report",
)
BATCH = 500
_waiting: ContextVar[set[int] | None] = ContextVar("waiting", default=None)
_UNSIGNED = (ReplyState.TO_SIGN, ReplyState.NOT_SIGNED)


def connect() -> None:
    """Follow the actions that change words."""
    for code in CHANGING_WORDS:
        events.subscribe(code, _follow)


def _follow(work: Work) -> None:
    keep_words(work.case)


def keep_words(case: Case) -> None:
    """Index the case as it stands now. Inside the transaction that changed it; drafts are nobody's to find."""
    if (waiting := _waiting.get()) is not None:
        waiting.add(case.pk)
    elif case.state != CaseState.DRAFT:
        _write([case])


@contextmanager
def once() -> Iterator[None]:
    """Index what many actions of one transaction change only at its end: a whole made-up life. Call inside that transaction."""
    waiting: set[int] = set()
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)
    _write(list(Case.objects.filter(pk__in=waiting).exclude(state=CaseState.DRAFT)))


def rebuild(*, told: Callable[[int], None] = lambda done: None) -> int:
    """Index every case anew, in batches, each a transaction of its own that holds its cases; answers how many.

    For an index that older code built, or that lost its table: what is in use meanwhile stays in use.
    """
    done, last = 0, 0
    while True:
        with transaction.atomic():
            batch = list(
                Case.objects.select_for_update(no_key=True).filter(pk__gt=last).exclude(state=CaseState.DRAFT).order_by("pk")[:BATCH]
            )
            if not batch:
                return done
            _write(batch)
        last, done = batch[-1].pk, done + len(batch)
        told(done)


def _write(cases: Collection[Case]) -> None:
    CaseWords.objects.bulk_create(
        rows_of(cases),
        update_conflicts=True,
        unique_fields=["case"],
        update_fields=["received_at", "text", "redacted", "for_units", "grams"],
    )


def rows_of(cases: Collection[Case]) -> Iterator[CaseWords]:
    """The rows of these cases, unsaved; five queries for any number of cases."""
    keys = [case.pk for case in cases]
    places = _places({case.place_id for case in cases if case.place_id})
    persons = Applicant.objects.in_bulk([case.applicant_id for case in cases])
    contacts = _by_case(Contact.objects.filter(case__in=keys).order_by("received_at", "id").values_list("case_id", "text"))
    replies = _by_case(
        Reply.objects.filter(task__case__in=keys)
        .exclude(state__in=_UNSIGNED)  # an unsigned reply is its unit's own paper
        .order_by("written_at", "id")
        .values_list("task__case_id", "text")
    )
    units: dict[int, set[int]] = defaultdict(set)
    for key, unit in Task.objects.filter(case__in=keys).values_list("case_id", "unit_id"):
        units[key].add(unit)
    for case in cases:
        who, key = persons[case.applicant_id], case.pk
        signs = [sign_of(who.name_hash), sign_of(who.phone_hash), sign_of(who.id_number_hash), fold(who.organisation)]
        place = places.get(case.place_id or 0, "")
        yield words_row(case, place=place, signs=signs, told=contacts[key], replies=replies[key], units=units[key])


def words_row(
    case: Case, *, place: str, signs: Iterable[str], told: Iterable[str], replies: Collection[str], units: Iterable[int]
) -> CaseWords:
    """One row from a case's parts. `told`: what the citizen said in each contact; the first is usually the case's own text."""
    said = dict.fromkeys([case.text, *told])
    if not case.text.startswith(case.title.removesuffix("…")):  # a title of its own; cut from the text it may end within a number
        said[case.title] = None
    of_citizen, of_staff = [both(each) for each in said], [both(each) for each in replies]
    where = fold(place)
    text = lines([*(whole for whole, _ in of_citizen + of_staff), signed(case.address), where, *signs])
    redacted = lines([*(without for _, without in of_citizen + of_staff), where])
    for_units = lines([signed(case.unit_text), *(without for _, without in of_staff), where]) if case.confidential else None
    return CaseWords(
        case_id=case.pk,
        received_at=case.received_at,
        text=text,
        redacted=redacted,
        for_units=for_units,
        # Of `redacted` each pair stands in `text`.
        grams=sorted({*grams(text), *grams(for_units or ""), *map(unit_code, units)}),
    )


def _places(keys: Iterable[int]) -> dict[int, str]:
    rows = Place.objects.filter(pk__in=list(keys)).select_related("parent")
    return {place.pk: f"{place.parent.name if place.parent else ''}\n{place.name}" for place in rows}


def _by_case(rows: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for key, text in rows:
        found[key].append(text)
    return found
