"""`/health`: is everything up, and if not, what. Open to everybody, so it says nothing about anybody.

A part that works but wants a person soon carries a `warning`, and the same in Chinese as `word`; it does not fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from minsheng.cases import upkeep
from minsheng.console import condition
from minsheng.platform import status
from minsheng.ui.alarms import Alarm
from minsheng.worktime import queries as worktime

DISK_BYTES = condition.DISK_FULL

Answer = dict[str, Any]


@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """200 with every part well, else 503; each part says in words what is wrong with it."""
    parts = {name: _ask(question) for name, question in _QUESTIONS.items()}
    ok = all(part["ok"] for part in parts.values())
    return JsonResponse({"ok": ok, **parts}, status=200 if ok else 503, json_dumps_params={"ensure_ascii": False})


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
    heard = condition.last_heartbeat()
    if heard is None:
        return {"ok": False, "why": "no worker is running"}
    silent = timezone.now() - heard
    if silent > condition.HEARTBEAT:
        return {"ok": False, "why": f"the worker was last heard {round(silent.total_seconds())} seconds ago"}
    return {"ok": True, "heartbeat_seconds": round(silent.total_seconds(), 1)}


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
    free = condition.disk_free()
    answer: Answer = {"ok": free >= DISK_BYTES, "free_mb": free // (1024 * 1024)}
    return answer if answer["ok"] else {**answer, "why": "the disk is nearly full"}


def _calendar() -> Answer:
    """A year without a holiday notice (design §5, scenario 5): limits that reach it are provisional."""
    missing = worktime.years_missing(timezone.now())
    if not missing:
        return {"ok": True}
    years = [str(year) for year in missing]
    return {
        "ok": True,
        "years_missing": missing,
        "warning": f"no holiday notice is loaded for {', '.join(years)}",
        "word": f"缺 {'、'.join(years)} 年放假安排",
    }


def _limits() -> Answer:
    count = upkeep.provisional_limits(at=timezone.now())
    if not count:
        return {"ok": True, "provisional": 0}
    return {
        "ok": True,
        "provisional": count,
        "warning": f"{count} open limits are provisional",
        "word": f"{count} 个在办时限是暂定的",
    }


def supervisor_alarms(at: datetime) -> Iterator[Alarm]:
    """For the system administrator's desk: children of `minsheng up` that are down."""
    told = _supervisor()
    for name in [] if told["ok"] else [n for n, child in told["children"].items() if not child["running"]]:
        child = told["children"][name]
        yield Alarm(
            light="red",
            title=f"进程 {name} 没有运行，已重启 {child['restarts']} 次",
            todo=f"最近一次退出：{child['last_exit'] or '不明'}。请看 minsheng up 的输出里它退出前的最后几行，修好后它会自己重新启动。",
        )


_QUESTIONS: dict[str, Callable[[], Answer]] = {
    "database": _database,
    "migrations": _migrations,
    "worker": _worker,
    "supervisor": _supervisor,
    "disk": _disk,
    "calendar": _calendar,
    "limits": _limits,
}
