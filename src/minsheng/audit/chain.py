"""Pure functions of the hash chains: canonical forms, digests, and the next entry of an owner's chain."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID

from django.apps import apps

from minsheng.audit.models import ChainedEntry
from minsheng.secrecy import commitment, new_salt

START = bytes(32)  # what the first entry of a chain and the first seal follow

E = TypeVar("E", bound=ChainedEntry)


def plain(value: Any) -> Any:
    """A value as JSON keeps it for ever: strings, integers, booleans, nulls, lists and mappings.

    Moments become UTC text, decimals and ids text. A float is refused: PostgreSQL may give it back written differently.
    """
    if isinstance(value, float):
        raise TypeError("a float cannot be a fact of a chain or of the audit log; write it as text")
    return _plain(value, plain)


def _plain(value: Any, inner: Callable[[Any], Any]) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return inner(value.value)
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        return value.replace("\0", "")  # which PostgreSQL cannot keep
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date | time | Decimal | UUID):
        return value.isoformat() if isinstance(value, date | time) else str(value)
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    if isinstance(value, Mapping):
        return {str(key): inner(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [inner(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(inner(item) for item in value)
    raise TypeError(f"{type(value).__name__} cannot be a fact of a chain or of the audit log")


def instant(at: datetime) -> str:
    """A moment in UTC with its microseconds, as PostgreSQL keeps it."""
    if at.tzinfo is None:
        raise ValueError("a naive time is no moment")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def canonical(value: Any) -> bytes:
    """One byte string for one value: keys sorted, nothing between, UTF-8. What somebody put in by hand has one, too."""
    return json.dumps(_as_found(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _as_found(value: Any) -> Any:
    return value if isinstance(value, float) else _plain(value, _as_found)


def digest(
    prev: bytes,
    *,
    owner: str,
    seq: int,
    at: datetime,
    code: str,
    actor: int | None,
    actor_label: str = "",
    payload: Mapping[str, Any],
    note_commitment: str = "",
    more: Mapping[str, Any] | None = None,
) -> bytes:
    """SHA-256 of an entry and of the hash before it. `owner` is "app.model:id", `more` the model's own columns."""
    facts = {
        "prev": bytes(prev).hex(),
        "owner": owner,
        "seq": seq,
        "at": at,
        "code": code,
        "actor": actor,
        "actor_label": actor_label,
        "payload": payload,
        "note": note_commitment,
        "more": more or {},
    }
    return sha256(canonical(facts)).digest()


def digest_of(entry: ChainedEntry, *, prev: bytes | None = None, seq: int | None = None) -> bytes:
    """The hash that an entry's columns give; `prev` and `seq` ask what it would be elsewhere in the chain."""
    return digest(
        bytes(entry.prev_hash) if prev is None else prev,
        owner=f"{type(entry)._meta.label_lower}:{entry.owner_pk}",
        seq=entry.seq if seq is None else seq,
        at=entry.at,
        code=entry.code,
        actor=entry.actor_id,
        actor_label=entry.actor_label,
        payload=entry.payload,
        note_commitment=entry.note_commitment,
        more={name: value for name in entry.own_columns() if (value := getattr(entry, name)) is not None},
    )


def append(
    model: type[E],
    *,
    owner: Any,
    at: datetime,
    code: str,
    actor: Any = None,
    actor_label: str = "",
    payload: Mapping[str, Any] | None = None,
    note: str = "",
    **more: Any,
) -> E:
    """The next entry of the owner's chain, not yet saved; the owner's `timeline_head` and `timeline_length` move on.

    The caller holds the lock of the owner's row, and saves entry and owner in the same transaction. `more`: the model's
    own columns, as they will be read back (a date as a date, not as text).
    """
    note = note.replace("\0", "")
    salt = new_salt() if note else ""
    entry = model(
        seq=owner.timeline_length + 1,
        at=at,
        code=code,
        actor_id=getattr(actor, "pk", None),
        actor_label=actor_label or label_of(actor),
        payload=plain(payload or {}),
        note=note,
        note_salt=salt,
        note_commitment=commitment(salt, note) if note else "",
        prev_hash=bytes(owner.timeline_head) or START,
        **{model.OWNER: owner},
        **more,
    )
    entry.hash = digest_of(entry)
    owner.timeline_head, owner.timeline_length = entry.hash, entry.seq
    return entry


def chained_models() -> list[type[ChainedEntry]]:
    """The concrete chains of the installed rooms, by name."""
    chained = [model for model in apps.get_models() if issubclass(model, ChainedEntry)]
    return sorted(chained, key=lambda model: model._meta.label_lower)


def label_of(actor: Any) -> str:
    """An actor as they were called at the time: a person, or an outsider with a `label` (citizen, channel, system)."""
    if actor is None or getattr(actor, "is_anonymous", False):
        return ""
    return str(getattr(actor, "label", "") or actor)[:100]
