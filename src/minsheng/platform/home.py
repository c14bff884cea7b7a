"""Where this installation keeps its state: MINSHENG_HOME, or .minsheng/ beside the code."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

_PROJECT = Path(__file__).resolve().parent.parent.parent.parent


def folder() -> Path:
    """The state folder, made readable by its owner only."""
    path = Path(os.environ.get("MINSHENG_HOME") or _PROJECT / ".minsheng").resolve()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def is_demo() -> bool:
    """True where `minsheng demo` has put its marker: demonstration logins exist only there."""
    return (folder() / "demo").exists()


def secret(name: str) -> str:
    """The named key: from MINSHENG_<NAME>_KEY, else from a file made once, never from the database."""
    given = os.environ.get(f"MINSHENG_{name.upper()}_KEY")
    if given:
        return given
    path = folder() / "keys" / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        key = secrets.token_urlsafe(48)
        file.write(key)
        return key


def database_url() -> str:
    """DATABASE_URL where one is given; else the embedded server's socket in the state folder."""
    given = os.environ.get("DATABASE_URL")
    if given:
        return given
    return f"host={socket_folder()} user=minsheng dbname=minsheng"


def socket_folder() -> Path:
    """A Unix socket path has at most 107 bytes, so a deep state folder gets a short one under /tmp."""
    path = folder() / "postgres"
    if len(str(path)) < 80:
        return path
    import hashlib

    return Path("/tmp") / f"minsheng-{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
