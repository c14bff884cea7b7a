"""What tests need of the machine, and how they say loudly that it is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

_PROJECT = Path(__file__).resolve().parents[3]
_UNTESTED = "NOT TESTED: "
_SYSTEM = "(make system installs it)"


@cache
def chromium_program() -> str | None:
    """Debian's Chromium, or any on the path."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def real_data_folder() -> Path | None:
    """The folder with the real messages: MINSHENG_REAL_DATA, or shared/data beside the clone."""
    given = os.environ.get("MINSHENG_REAL_DATA")
    folder = Path(given) if given else _PROJECT.parent / "shared" / "data"
    return folder if (folder / "messages_unlabelled.csv.gz").is_file() else None


@cache
def _browser() -> str | None:
    if chromium_program() is None:
        return f"there is no Chromium {_SYSTEM}"
    if not _has_chinese_font():
        return f"there is no Chinese font {_SYSTEM}"
    return None


def _has_chinese_font() -> bool:
    if shutil.which("fc-list") is None:
        return False
    return bool(subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, check=False).stdout.strip())


def _debian15() -> str | None:
    if Path("/usr/lib/postgresql/15/bin/postgres").is_file():
        return None
    return f"Debian's PostgreSQL 15 is not installed {_SYSTEM}"


def _realdata() -> str | None:
    if real_data_folder() is None:
        return "the real messages are not here (put them into ../shared/data, or set MINSHENG_REAL_DATA)"
    return None


@cache
def _telephony() -> str | None:
    missing = [name for name, program in (("Asterisk", "asterisk"), ("SIPp", "sipp")) if shutil.which(program) is None]
    if missing:
        return f"{' and '.join(missing)} are not installed (make telephony installs them)"
    return None


MARKERS: dict[str, tuple[str, Callable[[], str | None]]] = {
    "browser": ("drives a real Chromium; needs it and a Chinese font", _browser),
    "debian15": ("runs on Debian's PostgreSQL 15", _debian15),
    "realdata": ("reads the real messages", _realdata),
    "telephony": ("calls through a real Asterisk with SIPp", _telephony),
}


def register_markers(config: pytest.Config) -> None:
    for name, (meaning, _missing) in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    config.addinivalue_line("markers", "slow: takes more than ten seconds")


def skip_loudly(item: pytest.Item) -> None:
    """Skip a test whose marker asks for what this machine lacks, in words that the summary repeats."""
    for name, (_meaning, missing) in MARKERS.items():
        if item.get_closest_marker(name) is not None and (reason := missing()):
            pytest.skip(f"{_UNTESTED}{name} tests because {reason}")


def report_untested(reporter: pytest.TerminalReporter) -> None:
    """One line for each reason: a green run must not look as if it had tested what it skipped."""
    reasons = Counter(
        report.longrepr[2].split(_UNTESTED, 1)[1]
        for report in reporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple) and _UNTESTED in report.longrepr[2]
    )
    for reason, count in reasons.items():
        reporter.write_line(f"SKIPPED, NOT TESTED: {count} {reason}", yellow=True, bold=True)
