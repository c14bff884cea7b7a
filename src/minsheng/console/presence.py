"""Who has which case open: pure book-keeping, without clock, socket or database.

Nothing of it is ever stored. A browser that is open says where it is; when its stream ends, it is nowhere. What the browsers of
other processes say comes by NOTIFY and is forgotten with the process that said it (console/hub.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# A browser says every half minute that it still stands where it stood; a dead one is forgotten after this.
FORGOTTEN_SECONDS = 100
MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at a browser, as others read of them, and what decides which of it they may hear themselves."""

    pk: int
    name: str
    role: str
    unit: int | None = None
    is_centre: bool = False
    reach: frozenset[int] = frozenset()  # of a unit: itself and those below it
    kin: frozenset[int] = frozenset()  # of a unit: who may not hear of what it is accused of

    def may_know_of(self, other: Person) -> bool:
        """The centre knows who of all works on a case; a unit, who of its own and of those below it."""
        return self.is_centre or (other.unit is not None and other.unit in self.reach)


@dataclass(frozen=True, slots=True)
class Place:
    """One browser with a case open. `doing`: the label of the action whose form is open."""

    person: Person
    case: str
    doing: str
    at: float


class Book:
    """Places by stream, of one process or of another."""

    def __init__(self) -> None:
        self.places: dict[str, Place] = {}

    def put(self, stream: str, place: Place | None) -> set[str]:
        """The stream is there now, or nowhere; answers the cases for which that changed anything."""
        before = self.places.pop(stream, None)
        if place is not None and place.case:
            self.places[stream] = place
        if before and place and (before.case, before.doing) == (place.case, place.doing):
            return set()
        return {each.case for each in (before, place) if each and each.case}

    def forget(self, before: float) -> set[str]:
        """Drop what nobody has confirmed since; answers the cases concerned."""
        old = {stream: place for stream, place in self.places.items() if place.at < before}
        for stream in old:
            del self.places[stream]
        return {place.case for place in old.values()}

    def at(self, case: str) -> Iterator[Place]:
        """Who is there."""
        return (place for place in self.places.values() if place.case == case)


def others(reader: Person, places: Iterable[Place]) -> list[dict[str, str]]:
    """What one person is told of who else is there: each once, who is writing first."""
    found: dict[int, Place] = {}
    for place in places:
        if place.person.pk != reader.pk and reader.may_know_of(place.person):
            known = found.get(place.person.pk)
            found[place.person.pk] = place if known is None or place.doing else known
    shown = sorted(found.values(), key=lambda place: (not place.doing, place.person.name))
    return [{"name": p.person.name, "role": p.person.role, "doing": p.doing} for p in shown[:MOST_SHOWN]]
