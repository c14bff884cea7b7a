"""`run/status.json`: what the supervisor knows of its children, for `/health` and for people."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from minsheng.platform import home


def path() -> Path:
    return home.run_folder() / "status.json"


def write(content: dict[str, Any]) -> None:
    """Replace the file in one step: a reader sees the old or the new, never half of one."""
    draft = path().with_suffix(".new")
    draft.write_text(json.dumps(content, indent=1))
    draft.replace(path())


def read() -> dict[str, Any] | None:
    """What the running supervisor wrote; None where there is none, or where it was killed and left its file."""
    try:
        content = json.loads(path().read_text())
    except (OSError, ValueError):
        return None
    return content if is_alive(content["pid"]) else None


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
