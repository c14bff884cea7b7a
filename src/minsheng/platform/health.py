"""`/health`: is everything up, and if not, what. Open to everybody, so it says nothing about anybody."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from minsheng.platform import status

HEARTBEAT_SECONDS = 60  # the worker writes one every ten
DISK_BYTES = 500 * 1024 * 1024

Answer = dict[str, Any]


@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """200 with every part well, else 503; each part says in words what is wrong with it."""
    parts = {name: _ask(question) for name, question in _QUESTIONS.items()}
    ok = all(part["ok"] for part in parts.values())
    return JsonResponse({"ok": ok, **parts}, status=200 if ok else 503)


def _ask(question: Callable[[], Answer]) -> Answer:
    try:
        return question()
    except (DatabaseError, OSError):
        # The exception's text may hold a host and a user's name; the log has it.
        return {"ok": False, "why": "the database or the disk does not answer"}


def _database() -> Answer:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
        return {"ok": True, "version": cursor.fetchone()[0]}


def _migrations() -> Answer:
    executor = MigrationExecutor(connection)
    waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    return {"ok": True} if not waiting else {"ok": False, "why": f"{waiting} migrations are not applied"}


def _worker() -> Answer:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM now() - max(last_heartbeat))::float FROM procrastinate_workers")
        seconds = cursor.fetchone()[0]
    if seconds is None:
        return {"ok": False, "why": "no worker is running"}
    if seconds > HEARTBEAT_SECONDS:
        return {"ok": False, "why": f"the worker was last heard {round(seconds)} seconds ago"}
    return {"ok": True, "heartbeat_seconds": round(seconds, 1)}


def _supervisor() -> Answer:
    """The children of `minsheng up`. Where something else supervises the processes, this has nothing to say."""
    found = status.read()
    if found is None:
        return {"ok": True, "running": False}
    down = [name for name, child in found["children"].items() if not child["running"]]
    children = {
        name: {key: child[key] for key in ("running", "restarts", "last_exit")}
        for name, child in found["children"].items()
    }
    answer: Answer = {"ok": not down, "running": True, "children": children}
    return {**answer, "why": f"not running: {', '.join(down)}"} if down else answer


def _disk() -> Answer:
    free = shutil.disk_usage(settings.HOME).free
    answer: Answer = {"ok": free >= DISK_BYTES, "free_mb": free // (1024 * 1024)}
    return answer if answer["ok"] else {**answer, "why": "the disk is nearly full"}


_QUESTIONS: dict[str, Callable[[], Answer]] = {
    "database": _database,
    "migrations": _migrations,
    "worker": _worker,
    "supervisor": _supervisor,
    "disk": _disk,
}
