"""A rendering lies in a folder of its own; one link says which the switch reads, and is moved at once."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from minsheng.telephony.layout import Layout

_KEPT = 2  # the one in use, and the one before it: a switch may be in the middle of reading that
_STATE = ("lib", "lib/keys", "db", "spool", "run", "log")


def write(files: Mapping[str, bytes], where: Layout) -> bool:
    """Put these files in place of the last ones, all or none; True where they differ.

    They hold secrets: only we and the switch's group may read them, and the switch may write none of them. Only root can give
    them to another user; otherwise the switch runs as ourselves. OSError where the folder cannot be written.
    """
    owner = _owner(where)
    where.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    if owner:
        os.chown(where.folder, -1, owner.pw_gid)
    for name in _STATE:
        folder = where.folder / name
        folder.mkdir(mode=0o750, exist_ok=True)
        if owner:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
    mark = hashlib.sha256(b"".join(f"{name}\0".encode() + files[name] + b"\0" for name in sorted(files))).hexdigest()[:16]
    target = where.folder / f"etc-{mark}"
    if where.etc.is_symlink() and where.etc.resolve() == target:
        return False
    _write_folder(files, target, owner)
    link = where.folder / ".etc-next"
    link.unlink(missing_ok=True)
    link.symlink_to(target.name)
    link.replace(where.etc)
    _forget_older(where)
    return True


def can_be_read(where: Layout) -> bool:
    """Whether the switch's user gets to its files: a folder above them may be closed to it. Where only it could tell, True."""
    owner = _owner(where)
    if owner is None:
        return True
    command = ["/usr/bin/test", "-r", str(where.etc / "asterisk.conf")]
    tried = subprocess.run(command, check=False, cwd="/", user=owner.pw_uid, group=owner.pw_gid, extra_groups=[])
    return tried.returncode == 0


def _write_folder(files: Mapping[str, bytes], target: Path, owner: pwd.struct_passwd | None) -> None:
    draft = target.with_name(f".{target.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o750)
    for name, content in files.items():
        path = draft / name
        path.parent.mkdir(mode=0o750, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o640), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    if owner:
        for path in (draft, *draft.rglob("*")):
            os.chown(path, -1, owner.pw_gid)
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)
    os.utime(target)


def _forget_older(where: Layout) -> None:
    made = sorted(where.folder.glob("etc-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in made[_KEPT:]:
        if old != where.etc.resolve():
            shutil.rmtree(old, ignore_errors=True)


def _owner(where: Layout) -> pwd.struct_passwd | None:
    """Whom the switch runs as, where we may give it files."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(where.user)
    except KeyError:
        return None
