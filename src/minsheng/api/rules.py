"""Tokens and keys: how they look, how they are recognised, how often they may be used. Pure: no ORM, no clock."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from uuid import UUID, uuid5

_MARK = "ms_"  # so that a leaked token is recognised as one
_PREFIX_LENGTH = 9
_LONGEST = 200
# Submission keys of the API lie in a space of their own: no system can hit the key of a form on a screen.
_SUBMISSIONS = UUID("5a1f0c1e-6f0b-4a53-9d5e-3f2b1c0a7e11")


def new_token() -> str:
    """A clear token: 256 random bits. It is shown once; only its digest is kept."""
    return _MARK + secrets.token_urlsafe(32)


def shown_prefix(clear: str) -> str:
    """What stays readable of a token, to tell it from others."""
    return clear[:_PREFIX_LENGTH]


def digest_of(clear: str) -> str:
    """By which a token is looked up. Plain SHA-256 is enough for 256 random bits: there is nothing to guess."""
    return hashlib.sha256(clear[:_LONGEST].encode("utf-8", "replace")).hexdigest()


def submission_of(system: int, key: str) -> UUID:
    """The submission key that an Idempotency-Key of one system stands for: the same for ever, another for each system."""
    return uuid5(_SUBMISSIONS, f"{system}:{key}")


def fingerprint(method: str, path: str, body: bytes) -> str:
    """What was asked for. The same key with another fingerprint is a mistake of the caller's."""
    parts = hashlib.sha256()
    for part in (method.encode(), path.encode(), body):
        parts.update(len(part).to_bytes(8, "big") + part)
    return parts.hexdigest()


def address_hash(key: str, address: str) -> bytes:
    """An address to count by, which nobody can read back."""
    return hmac.new(key.encode(), f"open311:{address}".encode(), hashlib.sha256).digest()[:16]


def interval(calls_per_minute: int) -> timedelta:
    """How much of its minute one call takes."""
    return timedelta(seconds=60 / calls_per_minute)


def wait_seconds(turn: datetime, at: datetime, calls_per_minute: int) -> int:
    """Whole seconds until one more call fits into the minute that ends with `turn`; at least one."""
    free_at = turn + interval(calls_per_minute) - timedelta(minutes=1)
    return max(1, -int((at - free_at).total_seconds() // 1))
