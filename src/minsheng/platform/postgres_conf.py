"""The server's configuration, sized for the machine that it shares with the rest of the product."""

from __future__ import annotations

import os
from pathlib import Path

_MB = 1024 * 1024


def text_of(*, socket_folder: Path, durable: bool) -> str:
    """The lines of `minsheng.conf`, written anew at each start so that they fit the machine of today."""
    values = {**_place(socket_folder), **_sizes(_memory()), **_logging(), **({} if durable else _scratch())}
    lines = [f"{name} = {_quoted(value)}" for name, value in values.items()]
    return "\n".join(["# Written at each start; changes belong into postgresql.auto.conf (ALTER SYSTEM).", *lines, ""])


def _place(socket_folder: Path) -> dict[str, str]:
    return {
        "listen_addresses": "",
        "unix_socket_directories": str(socket_folder),
        "unix_socket_permissions": "0700",
        "max_connections": "120",  # 16 for pages, some for events, worker and people; tests on two processes
        "timezone": "Asia/Shanghai",
        "log_timezone": "Asia/Shanghai",
    }


def _sizes(memory: int) -> dict[str, str]:
    """The database is one tenant among several: an eighth of memory for its own cache."""
    return {
        "shared_buffers": f"{_between(memory // 8 // _MB, 64, 2048)}MB",
        "effective_cache_size": f"{_between(memory // 2 // _MB, 256, 65536)}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": f"{_between(memory // 32 // _MB, 64, 512)}MB",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        "wal_compression": "on",
        "random_page_cost": "1.1",  # solid state everywhere
        "jit": "off",  # it costs more than it gains on short queries
    }


def _logging() -> dict[str, str]:
    """A week of logs, and no personal data in them: neither the statement that failed nor the values that it had."""
    return {
        "logging_collector": "on",
        "log_directory": "log",
        "log_filename": "%a.log",
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
    }


def _scratch() -> dict[str, str]:
    """For tests: a crash may lose everything, so nothing waits for the disk."""
    return {
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "shared_buffers": "128MB",
        "logging_collector": "off",
        "autovacuum": "off",  # it would tell the planner of tables that were empty a test ago
    }


def _memory() -> int:
    """Bytes that we may use: the machine's, or the container's limit where that is less."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        return min(machine, int(limit))
    except (OSError, ValueError):
        return machine


def _between(value: int, low: int, high: int) -> int:
    return max(low, min(high, value))


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
