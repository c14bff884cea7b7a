"""Working days, deadlines, their reasons and their lights: pure functions of a calendar (design §5; domain.md §2.13).

A day is a day in Asia/Shanghai, whatever zone a moment is given in. Moments must be aware. A limit in working days
starts on the day after its start and ends at 24:00 of its last working day; `due_at` is exclusive: the next 00:00.
"""

from minsheng.worktime.rules.calendar import Calendar, Limit
from minsheng.worktime.rules.changes import (
    moved_as,
    recompute,
    with_cap,
    with_extension,
    with_pause,
    with_rework,
)
from minsheng.worktime.rules.derivation import (
    Adjustment,
    Cap,
    Derivation,
    Extension,
    Pause,
    Recount,
    Rework,
    Skip,
    derive,
)
from minsheng.worktime.rules.lights import light, light_moments, remaining

__all__ = [
    "Adjustment",
    "Calendar",
    "Cap",
    "Derivation",
    "Extension",
    "Limit",
    "Pause",
    "Recount",
    "Rework",
    "Skip",
    "derive",
    "light",
    "light_moments",
    "moved_as",
    "recompute",
    "remaining",
    "with_cap",
    "with_extension",
    "with_pause",
    "with_rework",
]
