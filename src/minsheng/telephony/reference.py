"""Loads what every centre starts with: skill queues, pause codes, the words of prompts. An administrator's changes stay."""

from __future__ import annotations

from pathlib import Path

from minsheng.organisations.loading import Count, Row, cells, read_csv, upsert
from minsheng.telephony.models import PauseCode, Prompt, SkillQueue

DATA = Path(__file__).parent / "data"
_NUMBERS = ("order", "weight", "ring_seconds", "wrap_up_seconds", "service_level_seconds", "longest_wait_seconds")


def load_queues() -> Count:
    """The queues of `skill_queues.csv`, those first into which others overflow. Within the caller's transaction.

    ValueError where a queue overflows into one that the file does not have, or round in a circle.
    """
    waiting = [*read_csv(DATA / "skill_queues.csv")]
    count = Count()
    keys: dict[str, int | None] = {"": None}
    while waiting:
        ready = [row for row in waiting if row["overflow"] in keys]
        if not ready:
            raise ValueError(f"skill_queues.csv: {waiting[0]['code']} overflows nowhere, or in a circle")
        count += upsert(SkillQueue, [_queue(row, keys[row["overflow"]]) for row in ready])
        keys |= dict(SkillQueue.objects.values_list("code", "pk"))
        waiting = [row for row in waiting if row not in ready]
    return count


def _queue(row: dict[str, str], overflow: int | None) -> Row:
    numbers = {name: int(row[name]) for name in _NUMBERS}
    plain = {name: row[name] for name in ("code", "name", "source")}
    return {**plain, **numbers, "numbers": cells(row["numbers"]), "overflow_id": overflow}


def load_pause_codes() -> Count:
    """The reasons of `pause_codes.csv`. Within the caller's transaction."""
    rows = [
        {
            **row,
            "order": int(row["order"]),
            "productive": row["productive"] == "1",
            "longest_minutes": int(row["longest_minutes"]) if row["longest_minutes"] else None,
        }
        for row in read_csv(DATA / "pause_codes.csv")
    ]
    return upsert(PauseCode, rows)


def load_prompts() -> Count:
    """The words of `prompts.csv`; their recordings are the centre's own. Within the caller's transaction."""
    return upsert(Prompt, [dict(row) for row in read_csv(DATA / "prompts.csv")])
