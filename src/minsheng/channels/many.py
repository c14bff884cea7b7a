"""Hundreds of thousands of generated cases in minutes, by COPY: something to measure searches and lists against.

No life is lived: rows are written as the actions would have left them, closed or under way, with a task each, and without the
tables that a list does not read (timeline, contacts, messages). Words come from a seeded vocabulary whose frequencies follow
Zipf's law with the commonest word in four of ten texts, as in citizens' real messages.
Only ever into a database made for the purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.db import connection, models

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.cases.choices import CaseState, Ending, RequestKind, TaskRole, TaskState
from minsheng.cases.models import Applicant, Case, CaseWords, Task, Topic
from minsheng.cases.rules import format_number
from minsheng.cases.search_rules import fold, grams, lines, sign_of
from minsheng.channels.demo.words import sentences_said, surnames
from minsheng.organisations.models import Place, Unit
from minsheng.secrecy import search_hash
from minsheng.worktime.moments import day_of

SEED = 12345
DAYS = 365
VOCABULARY, SHIFT = 20_000, 20  # rank r is said in proportion to 1 / (r + SHIFT)
WORDS_SAID = 60  # by one case, on average
NAMES = 30_000
CONFIDENTIAL = 0.03
_MOMENTS = ("read_due_at", "read_yellow_at", "read_orange_at", "due_at", "yellow_at", "orange_at")
_PRESSING = ("pressing_due_at", "pressing_yellow_at", "pressing_orange_at")
_CLOSED, _HANDLING = 0.8, 0.95  # the rest waits for dispatch


@dataclass(frozen=True)
class Vocabulary:
    """What generated citizens say: whole sentences, and words by rank with their cumulated weights."""

    sentences: Sequence[str]
    words: Sequence[str]
    weights: Sequence[float]
    names: Sequence[str]


def vocabulary(random: Random) -> Vocabulary:
    """The same for the same seed: the demonstration's sentences, and words made of their characters."""
    sentences = sentences_said()
    characters = sorted({c for sentence in sentences for c in sentence if "\u4e00" <= c <= "\u9fff"})
    random.shuffle(characters)
    words: dict[str, None] = {}
    while len(words) < VOCABULARY:
        # Squaring prefers the front: a few characters are in very many words, as in the language.
        length = 2 if random.random() < 0.8 else 3
        words["".join(characters[int(random.random() ** 2 * len(characters))] for _ in range(length))] = None
    given = list(words)
    names = [random.choice(surnames()) + random.choice(given)[:2] for _ in range(NAMES)]
    weights = list(accumulate(1 / (rank + SHIFT) for rank in range(VOCABULARY)))
    return Vocabulary(sentences, given, weights, names)


def fill(*, cases: int, at: datetime, told: Callable[[int], None] = lambda done: None) -> None:
    """So many cases of the last year, into an empty database that has its reference data."""
    made = _Maker(cases, at)
    index = next(index for index in CaseWords._meta.indexes if isinstance(index, GinIndex))
    with connection.schema_editor() as editor:
        editor.remove_index(CaseWords, index)
    for first in range(0, cases, _BATCH):
        made.copy(range(first, min(first + _BATCH, cases)))
        told(min(first + _BATCH, cases))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # inside a transaction, checks that wait would forbid the index
        cursor.execute("SET maintenance_work_mem = '512MB'")
    with connection.schema_editor() as editor:
        editor.add_index(CaseWords, index)


def settle() -> None:
    """Leave the database as after a night: swept, with statistics. In no transaction."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


_BATCH = 10_000


class _Maker:
    """Writes cases by number, each from a random source of its own number."""

    def __init__(self, cases: int, at: datetime) -> None:
        self.cases, self.at = cases, at
        self.vocabulary = vocabulary(Random(SEED))  # noqa: S311 - chance, not secrecy
        self.agent = User.objects.filter(roles__contains=[Role.AGENT]).earliest("pk")
        self.topics = list(Topic.objects.filter(level=3).order_by("pk").values_list("pk", flat=True))
        self.places = list(Place.objects.filter(level="street").select_related("parent").order_by("pk"))
        units = list(Unit.objects.filter(dispatchable=True).order_by("pk").values_list("pk", flat=True))
        Random(SEED).shuffle(units)  # noqa: S311
        self.units, self.unit_weights = units, list(accumulate(1 / (rank + 3) for rank in range(len(units))))

    def copy(self, numbers: range) -> None:
        """COPY the rows of these numbers into the four tables."""
        rows = [self._case(number) for number in numbers]
        for model, at in ((Applicant, 0), (Case, 1), (Task, 2), (CaseWords, 3)):
            _copy(model, (values for row in rows if (values := row[at]) is not None))

    def _case(self, number: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any] | None, dict[str, Any]]:
        random = Random(f"{SEED}:{number}")  # noqa: S311
        key = number + 1
        received = self.at - timedelta(days=DAYS) * (1 - number / self.cases)
        place = random.choice(self.places)
        title, text, reply = self._words(random)
        confidential = random.random() < CONFIDENTIAL
        progress = random.random()
        state = (
            CaseState.CLOSED if progress < _CLOSED else CaseState.IN_HANDLING if progress < _HANDLING else CaseState.TO_DISPATCH
        )
        closed = state == CaseState.CLOSED
        person: dict[str, Any] = {
            "id": key,
            "name_hash": search_hash("name", random.choice(self.vocabulary.names)),
            "phone_hash": search_hash("phone", f"1380000{random.randrange(10_000):04d}"),
        }
        case = {
            "id": key,
            "number": format_number(day_of(received), "01", key),
            "state": state,
            "ending": Ending.HANDLED if closed else "",
            "channel": "phone",
            "kind": random.choice((RequestKind.HELP, RequestKind.COMPLAINT, RequestKind.CONSULTATION)),
            "topic_id": random.choice(self.topics),
            "place_id": place.pk,
            "title": title,
            "text": text,
            "applicant_id": key,
            "confidential": confidential,
            "unit_text": title if confidential else "",
            "received_at": received,
            "accepted_at": received,
            "accepted_by_id": self.agent.pk,
            "closed_at": received + timedelta(days=5) if closed else None,
            "state_since": received,
            "timeline_length": 1,
            **(dict.fromkeys(_PRESSING, received + timedelta(days=5)) if state == CaseState.IN_HANDLING else {}),
        }
        task: dict[str, Any] | None = None
        if state != CaseState.TO_DISPATCH:
            task = {
                "id": key,
                "case_id": key,
                "unit_id": random.choices(self.units, cum_weights=self.unit_weights)[0],
                "role": TaskRole.LEAD,
                "state": TaskState.ACCEPTED if closed else TaskState.HANDLING,
                "assigned_at": received,
                "assigned_by_id": self.agent.pk,
                **dict.fromkeys(_MOMENTS, received + timedelta(days=5)),
                "read_derivation": {},
                "derivation": {},
            }
        where = lines([fold(place.parent.name if place.parent else ""), fold(place.name)])
        open_words = lines([fold(text), fold(reply) if closed else "", where])
        whole = lines([open_words, sign_of(person["name_hash"]), sign_of(person["phone_hash"])])
        for_units = lines([fold(title), fold(reply) if closed else "", where]) if confidential else None
        words = {
            "case_id": key,
            "received_at": received,
            "text": whole,
            "redacted": open_words,
            "for_units": for_units,
            "grams": [*grams(whole), *(grams(for_units) if for_units else ()), *([task["unit_id"]] if task else [])],
        }
        return person, case, task, words

    def _words(self, random: Random) -> tuple[str, str, str]:
        """Title, request and reply."""
        said = random.choices(
            self.vocabulary.words, cum_weights=self.vocabulary.weights, k=max(6, int(random.lognormvariate(3.9, 0.6)))
        )
        title, text = "".join(said[:6]), []
        for at in range(0, len(said), 7):
            text.append("".join(said[at : at + 7]))
        return title, f"{random.choice(self.vocabulary.sentences)}{'，'.join(text)}。", random.choice(self.vocabulary.sentences)


# --- COPY --------------------------------------------------------------------------------------------------------


def _copy(model: type[models.Model], rows: Iterator[dict[str, Any]]) -> None:
    """COPY FROM STDIN; a column that a row does not give has the field's own default, else what stands for nothing."""
    fields = model._meta.concrete_fields
    kept = {field.attname: _text(_nothing(field)) for field in fields}
    columns = ", ".join(f'"{field.column}"' for field in fields)
    with connection.cursor() as cursor, cursor.copy(f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN') as copy:
        for row in rows:
            values = (_text(row[name]) if name in row else empty for name, empty in kept.items())
            copy.write("\t".join(values) + "\n")


def _nothing(field: Any) -> Any:
    if field.null:
        return None
    if field.has_default():
        return field.get_default()
    return "" if isinstance(field, models.CharField | models.TextField) else 0


def _text(value: Any) -> str:
    """One value in COPY's text format."""
    if value is None:
        return r"\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return rf"\\x{value.hex()}"
    if isinstance(value, list):
        return "{" + ",".join(map(str, value)) + "}"
    if isinstance(value, dict):
        return "{}"
    return str(value).replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")
