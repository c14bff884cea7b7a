"""
What an operator must hear of, and what one may want to know. A room registers its own in `AppConfig.ready`:

    alarms.watch("outbox", alarms=undelivered, facts=waiting)

The registry stands on the lowest floor, as that of the desks does: the system administrator's desk shows all and knows none by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

# Most pressing first; the names are those of the lights.
LIGHTS = ("red", "orange", "yellow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One thing that is wrong: what it is, and the next step in one sentence. `url` leads there, or is posted to by a press."""

    light: str
    title: str
    todo: str
    url: str = ""
    link: str = ""
    press: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing worth knowing while all is well."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Watch:
    alarms: Callable[[datetime], Iterable[Alarm]]
    facts: Callable[[datetime], Iterable[Fact]]


def _nothing(at: datetime) -> tuple[()]:
    return ()


_watches: dict[str, _Watch] = {}


def watch(
    code: str,
    *,
    alarms: Callable[[datetime], Iterable[Alarm]] = _nothing,
    facts: Callable[[datetime], Iterable[Fact]] = _nothing,
) -> None:
    """Registers what is asked of a room: `alarms(at)` cheaply, as the rail asks too; `facts(at)` by the desk only."""
    _watches[code] = _Watch(alarms, facts)


def sounding(at: datetime) -> list[Alarm]:
    """All that is wrong now, most pressing first."""
    heard = [alarm for watched in _watches.values() for alarm in watched.alarms(at)]
    return sorted(heard, key=lambda alarm: LIGHTS.index(alarm.light))


def facts(at: datetime) -> list[Fact]:
    """All that is worth knowing, as registered."""
    return [fact for watched in _watches.values() for fact in watched.facts(at)]
