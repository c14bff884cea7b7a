"""Where this installation keeps its state: MINSHENG_HOME, or .minsheng/ beside the code."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import tempfile
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
    if not path.exists():
        _make_once(path, secrets.token_urlsafe(48))
    return path.read_text().strip()


def _make_once(path: Path, text: str) -> None:
    """Create a private file whole or not at all: of several processes one wins, and nobody reads it half written."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)


def run_folder() -> Path:
    """What the running processes tell each other: locks, and the supervisor's status."""
    path = folder() / "run"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def is_embedded() -> bool:
    """True where no DATABASE_URL is given: the database is then ours to start and stop."""
    return not os.environ.get("DATABASE_URL")


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
    return Path("/tmp") / f"minsheng-{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"  # noqa: S108 - postgres_user refuses one that is not ours
