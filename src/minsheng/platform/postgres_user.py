"""As whom the server runs. PostgreSQL refuses root, so root runs it as `postgres`, or as `nobody` where there is none.

Everybody else runs it as themselves, and most of this module does nothing for them.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

SHELTER = Path("/var/lib/minsheng")  # for what the server's user cannot reach in root's own folders
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)  # loaded here, as a child between fork and exec had better load nothing


def account() -> pwd.struct_passwd | None:
    """The account for the server where we are root; None where we run it ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as.")


def process_options() -> dict[str, Any]:
    """Arguments for subprocess: the server's user, a folder it can stand in, and an environment without surprises."""
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    options: dict[str, Any] = {"cwd": "/", "env": environment, "umask": 0o077}
    if (user := account()) is not None:
        options |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return options


def can_reach(path: Path) -> bool:
    """True where the server's user can open this path: each folder above it must let it through."""
    if account() is None:
        return os.access(path, os.R_OK)
    return subprocess.run(["/usr/bin/test", "-r", str(path)], check=False, **process_options()).returncode == 0


def give(path: Path) -> None:
    """Make the server's user the owner."""
    if (user := account()) is not None:
        os.chown(path, user.pw_uid, user.pw_gid)


def give_home(folder: Path) -> None:
    """The server's folder, with all that is in it, in the hands of the server's user.

    The folder above it (the state folder, 0700) lets the server's group pass. Where a folder still further up does
    not (a clone in /root), the server's folder becomes a link to one in /var/lib/minsheng: root's folders stay shut.
    """
    user = account()
    if user is None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return
    if not folder.exists():
        _make_home(folder, user)
    real = folder.resolve()
    data = real / "data"
    if any(path.stat().st_uid != user.pw_uid for path in (real, data) if path.exists()):
        for path in [real, *real.rglob("*")]:
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    real.chmod(0o700)


def _make_home(folder: Path, user: pwd.struct_passwd) -> None:
    above = folder.parent
    above.mkdir(mode=0o700, parents=True, exist_ok=True)
    if above.stat().st_uid == 0 and above.stat().st_mode & 0o777 == 0o700:
        os.chown(above, -1, user.pw_gid)
        above.chmod(0o710)
    if can_reach(above.parent) and _can_pass(above):
        folder.mkdir(mode=0o700)
        return
    SHELTER.mkdir(mode=0o755, parents=True, exist_ok=True)
    folder.unlink(missing_ok=True)  # a link to a shelter that is gone
    folder.symlink_to(tempfile.mkdtemp(prefix="server-", dir=SHELTER))


def _can_pass(folder: Path) -> bool:
    """True where the server's user can go through this folder, even if it may not list it."""
    return subprocess.run(["/usr/bin/test", "-x", str(folder)], check=False, **process_options()).returncode == 0


def give_socket_folder(folder: Path) -> None:
    """The short folder for the socket under /tmp: refused where somebody else made it first."""
    user = account()
    owner = user.pw_uid if user else os.geteuid()
    try:
        folder.mkdir(mode=0o700)
        give(folder)
    except FileExistsError:
        status = folder.lstat()
        if status.st_uid != owner or status.st_mode & 0o077 or folder.is_symlink():
            problem = f"{folder} exists, but is not ours alone. Remove it, or set a shorter MINSHENG_HOME."
            raise RuntimeError(problem) from None


def end_with_parent() -> None:
    """In a new child: end, in good order, when the parent does, even when the parent is killed."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)  # PostgreSQL's fast shutdown; Python's KeyboardInterrupt
