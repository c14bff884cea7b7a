"""Pure functions of the seals: digests of audit entries, what is signed, how seals leave the database."""

from __future__ import annotations

import base64
import hmac
import json
import struct
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

from minsheng.audit.chain import canonical
from minsheng.audit.models import AuditEntry, Seal
from minsheng.secrecy import derive, secrets_of

_ROW = struct.Struct(">q16s")  # id, first half of the entry's digest


def audit_digest(entry: AuditEntry) -> bytes:
    """What a seal remembers of an audit entry: 128 bits of the SHA-256 of all its columns."""
    columns = {field.attname: getattr(entry, field.attname) for field in AuditEntry._meta.concrete_fields}
    return sha256(canonical(columns)).digest()[:16]


def pack_rows(rows: Iterable[tuple[int, bytes]]) -> bytes:
    """Ids and digests as one byte string."""
    return b"".join(_ROW.pack(key, digest) for key, digest in rows)


def unpack_rows(packed: bytes) -> Iterator[tuple[int, bytes]]:
    """The reverse of `pack_rows`; a length that it cannot have written gives nothing of the odd end."""
    return _ROW.iter_unpack(packed[: len(packed) // _ROW.size * _ROW.size])


def seal_digest(seal: Seal) -> bytes:
    """SHA-256 of everything that a seal states; the next seal follows it."""
    stated = {
        "number": seal.number,
        "at": seal.at,
        "previous": bytes(seal.previous).hex(),
        "from": seal.from_xid,
        "to": seal.to_xid,
        "audit_count": seal.audit_count,
        "audit_rows": sha256(bytes(seal.audit_rows)).hexdigest(),
        "timeline_count": seal.timeline_count,
        "heads": seal.heads,
    }
    return sha256(canonical(stated)).digest()


def sign(digest: bytes, setting: str) -> bytes:
    """HMAC-SHA256 with the first secret of SEAL_KEY."""
    return hmac.digest(derive(secrets_of(setting)[0], "audit seal"), digest, sha256)


def is_signed(digest: bytes, signature: bytes | memoryview, setting: str) -> bool:
    """True when any secret of SEAL_KEY made the signature; the earlier ones stay listed after a change of key."""
    return any(
        hmac.compare_digest(hmac.digest(derive(secret, "audit seal"), digest, sha256), bytes(signature))
        for secret in secrets_of(setting)
    )


def to_line(seal: Seal) -> str:
    """A seal as one line of an export file, without its end of line."""
    line: dict[str, Any] = {
        "number": seal.number,
        "at": seal.at.isoformat(),
        "previous": bytes(seal.previous).hex(),
        "from_xid": seal.from_xid,
        "to_xid": seal.to_xid,
        "audit_count": seal.audit_count,
        "audit_rows": base64.b64encode(bytes(seal.audit_rows)).decode(),
        "timeline_count": seal.timeline_count,
        "heads": seal.heads,
        "digest": bytes(seal.digest).hex(),
        "signature": bytes(seal.signature).hex(),
    }
    return json.dumps(line, separators=(",", ":"), sort_keys=True)
