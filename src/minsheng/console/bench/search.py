"""`minsheng bench search`: how long finding takes among generated cases, by class of words and by who searches.

Published with the figures: the mix, how many cases each class finds, the floor of the same run (a bare SELECT 1 and one row by
its key through the ORM), the query function and the whole page. `met` says whether p95 kept the bar.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.cases import search_rules, searching
from minsheng.cases.models import Case
from minsheng.cases.reference import load_reference
from minsheng.channels import many
from minsheng.console.bench.scratch import scratch_database
from minsheng.organisations.models import Unit

CASES, ROUNDS, BAR_MS = 300_000, 3, 50.0
WORDS_A_CLASS = 12
DATABASE = "minsheng_bench_search"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Query:
    """One search of the mix."""

    kind: str
    who: str
    typed: str


@dataclass
class Figures:
    """Milliseconds of one class."""

    searches: int
    found_median: float
    p50: float
    p95: float
    worst: float


def bench(*, cases: int, rounds: int, keep: bool, say: Say) -> dict[str, Any]:
    """Make the database, ask the mix, and tell."""
    began = time.monotonic()
    with scratch_database(DATABASE, keep=keep) as new:
        if new:
            load_reference(actor=None, at=timezone.now())
            say("reference data")
            prepare(cases, told=lambda done: say(f"{done} of {cases} cases"))
            many.settle()
        prepared = time.monotonic() - began
        return measure(rounds=rounds, say=say) | {"prepared_seconds": round(prepared, 1)}


def prepare(cases: int, *, told: Callable[[int], None] = lambda done: None) -> None:
    """Cases, and who will search them, into a database that has its reference data and no case."""
    _centre()
    many.fill(cases=cases, at=timezone.now(), told=told)
    _units()


def measure(*, rounds: int, words: int = WORDS_A_CLASS, say: Say = lambda line: None) -> dict[str, Any]:
    """Ask the mix, so many `words` of each class for each searcher, in the database at hand."""
    people = {user.username: user for user in User.objects.filter(username__startswith="bench-").select_related("unit")}
    mix = list(_mix(people, words))
    say(f"{len(mix)} searches, {rounds} times each")
    told: dict[str, Any] = {
        "cases": Case.objects.count(),
        "bar_ms": BAR_MS,
        "mix": _composition(mix),
        "floor": _floor(),
        "function": _by_class(_measure(mix, rounds, lambda query: _find(people[query.who], query))),
    }
    told["page"] = _by_class(_measure(mix, 1, _page_of(people)))
    told["met"] = told["function"]["all"]["p95"] <= BAR_MS
    told["met_by_whole_page"] = told["page"]["all"]["p95"] <= BAR_MS  # with the shell, its counts, and a redirect
    return told


def as_json(told: dict[str, Any]) -> str:
    """For machines."""
    return json.dumps(told, ensure_ascii=False, indent=2)


def as_table(told: dict[str, Any]) -> str:
    """For people."""
    lines = [f"{told['cases']} cases, prepared in {told.get('prepared_seconds', 0)} s; bar: p95 {told['bar_ms']} ms"]
    lines += [f"floor  {name:<34} p50 {f['p50']:8.2f}  p95 {f['p95']:8.2f} ms" for name, f in told["floor"].items()]
    for way in ("function", "page"):
        for name, f in told[way].items():
            found = f"{f['found_median']:>7.0f} found" if way == "function" else ""
            lines.append(f"{way:<9}{name:<32} p50 {f['p50']:8.2f}  p95 {f['p95']:8.2f}  worst {f['worst']:8.2f} ms {found}")
    return "\n".join([*lines, "met" if told["met"] else "not met"])


# --- who searches ------------------------------------------------------------------------------------------------


def _centre() -> None:
    for role in (Role.DISPATCHER, Role.AGENT, Role.ANALYST):
        User.objects.create(username=f"bench-{role.value}", display_name=str(role.label), roles=[role.value], password="!")  # noqa: S106


def _units() -> None:
    """Liaisons of a unit with two hundred cases or so, of the one with most, and of a county government with all below it."""
    counts = dict(_tasks_by_unit())
    most = max(counts, key=lambda unit: counts[unit])
    few = min(counts, key=lambda unit: abs(counts[unit] - 200))
    county = Unit.objects.filter(kind="county", code="350104").values_list("pk", flat=True).first() or most
    for name, unit in (("small", few), ("large", most), ("county", county)):
        User.objects.create(
            username=f"bench-unit-{name}", display_name=name, roles=[Role.UNIT_LIAISON.value], unit_id=unit, password="!"  # noqa: S106
        )


def _tasks_by_unit() -> Iterable[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT unit_id, count(*) FROM cases_task GROUP BY unit_id")
        return cursor.fetchall()


# --- what is searched --------------------------------------------------------------------------------------------


def _mix(people: dict[str, User], many_words: int) -> Iterator[Query]:
    """The same number of each class for each searcher; by persons and numbers those who may."""
    random = Random(many.SEED)  # noqa: S311 - chance, not secrecy
    said = many.vocabulary(Random(many.SEED))  # noqa: S311
    pairs = [word for word in said.words if len(word) == 2]
    known = Case.objects.filter(pk__in=_some_keys(random, Case.objects.count())).order_by("pk")
    numbers, texts = [str(case.number) for case in known], [case.text for case in known]

    def some(words: list[str]) -> list[str]:
        return random.sample(words, min(many_words, len(words)))

    classes: dict[str, Callable[[], list[str]]] = {
        "two characters, common": lambda: some(pairs[:40]),
        "two characters, middling": lambda: some(pairs[40:1200]),
        "two characters, rare": lambda: some(pairs[12_000:]),
        "phrase of four to six": lambda: [_piece(random, text, random.randint(4, 6)) for text in some(texts)],
        "phrase of a sentence": lambda: [_sentence(random, said) for _ in range(many_words)],
        "two words": lambda: [" ".join(random.sample(pairs[:1200], 2)) for _ in range(many_words)],
        "nothing has it": lambda: [a + b for a, b in zip(some(pairs[9000:]), some(pairs[9000:]), strict=True)],
        "case number": lambda: some(numbers),
        "beginning of a number": lambda: [number[:12] for number in some(numbers)],
        "telephone": lambda: [f"1380000{random.randrange(10_000):04d}" for _ in range(many_words)],
        "name": lambda: [random.choice(said.names) for _ in range(many_words)],
    }
    for kind, words in classes.items():
        for who in sorted(people):
            if who == "bench-analyst" and kind in ("telephone", "name"):
                continue
            yield from (Query(kind, who, typed) for typed in words())


def _piece(random: Random, text: str, length: int) -> str:
    """Some characters in a row of a case's own words."""
    runs = [run for run in search_rules.fold(text).replace("。", ",").split(",") if len(run) >= length]
    run = random.choice(runs or [text])
    at = random.randrange(max(1, len(run) - length + 1))
    return run[at : at + length]


def _sentence(random: Random, said: many.Vocabulary) -> str:
    """Some characters of a sentence that very many say."""
    sentence = max(random.choice(said.sentences).replace("。", "，").split("，"), key=len)
    return sentence[:8]


def _some_keys(random: Random, count: int) -> list[int]:
    """Two hundred of the keys from 1 to `count`, or as many as there are."""
    return random.sample(range(1, count + 1), min(200, count))


def _composition(mix: list[Query]) -> dict[str, int]:
    told: dict[str, int] = {}
    for query in mix:
        told[query.kind] = told.get(query.kind, 0) + 1
    return told | {f"by {who}": sum(q.who == who for q in mix) for who in sorted({q.who for q in mix})}


# --- measuring ---------------------------------------------------------------------------------------------------


def _find(user: User, query: Query) -> int:
    # A request's person is an object of its own, and so is what it keeps.
    person = User.objects.get(pk=user.pk)
    return searching.find(person, search_rules.parse(query.typed)).count


def _page_of(people: dict[str, User]) -> Callable[[Query], int]:
    """The box through the whole stack: what is typed posted, the answer followed to its page."""
    clients: dict[str, Client] = {}
    for name, user in people.items():
        clients[name] = Client()
        clients[name].force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # what style sheets are called costs nothing

    def open_page(query: Query) -> int:
        with override_settings(ALLOWED_HOSTS=["testserver"], STORAGES=settings.STORAGES | {"staticfiles": plain}):
            answer = clients[query.who].post("/cases/find/", {"q": query.typed}, follow=True)
        if answer.status_code != 200:
            raise RuntimeError(f"the page of a {query.kind} answered {answer.status_code}")
        return 0

    return open_page


def _measure(mix: list[Query], rounds: int, ask: Callable[[Query], int]) -> list[tuple[Query, float, int]]:
    """(query, milliseconds, found), in an order that mixes the classes; asked once before anything counts."""
    order = list(mix)
    Random(many.SEED).shuffle(order)  # noqa: S311
    for query in order[:20]:
        ask(query)
    told = []
    for _ in range(rounds):
        for query in order:
            began = time.perf_counter()
            found = ask(query)
            told.append((query, (time.perf_counter() - began) * 1000, found))
    return told


def _by_class(told: list[tuple[Query, float, int]]) -> dict[str, Any]:
    groups: dict[str, list[tuple[float, int]]] = {"all": [(ms, found) for _, ms, found in told]}
    for query, ms, found in told:
        groups.setdefault(query.kind, []).append((ms, found))
    for query, ms, found in told:
        groups.setdefault(query.who, []).append((ms, found))
    return {name: asdict(_figures(rows)) for name, rows in groups.items()}


def _figures(rows: list[tuple[float, int]]) -> Figures:
    times = sorted(ms for ms, _ in rows)
    return Figures(
        searches=len(rows),
        found_median=statistics.median(found for _, found in rows),
        p50=round(statistics.median(times), 2),
        p95=round(times[min(len(times) - 1, int(len(times) * 0.95))], 2),
        worst=round(times[-1], 2),
    )


def _floor() -> dict[str, Any]:
    """What the machine takes for next to nothing, in this very run."""
    keys = _some_keys(Random(many.SEED), Case.objects.count())  # noqa: S311

    def select_one(_: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    def by_key(key: int) -> None:
        Case.objects.filter(pk=key).first()

    told = {}
    for name, ask in (("SELECT 1", select_one), ("one case by its key", by_key)):
        times = []
        for key in keys:
            began = time.perf_counter()
            ask(key)
            times.append(((time.perf_counter() - began) * 1000, 1))
        told[name] = asdict(_figures(times))
    return told
