"""Keys derived from the secrets that the settings hold. A secret itself never encrypts or signs anything."""

from __future__ import annotations

from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


@lru_cache(maxsize=64)
def derive(secret: str, purpose: str, length: int = 32) -> bytes:
    """HKDF-SHA256 of a secret for one purpose, so that no two uses share a key."""
    return HKDF(SHA256(), length, salt=None, info=f"minsheng {purpose}".encode()).derive(secret.encode())


def secrets_of(setting: str) -> list[str]:
    """The secrets of a comma-separated setting: the first is in use, the others still open what they closed."""
    secrets = [part.strip() for part in setting.split(",") if part.strip()]
    if not secrets:
        raise ValueError("a secret of the settings is empty")
    return secrets
