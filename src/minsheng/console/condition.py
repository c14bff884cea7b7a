"""The state of this installation: the worker, its jobs, disk and database, the calendar; what is wrong with each, and what to do.

`/health` asks here too. What other rooms and the platform know they tell the system administrator's desk through `ui.alarms`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version

from django.conf import settings
from django.db import connection
from django.urls import reverse

from minsheng.cases import upkeep
from minsheng.console.words import task_words
from minsheng.ui import alarms, times
from minsheng.ui.alarms import Alarm, Fact
from minsheng.worktime import queries as worktime
from minsheng.worktime.moments import day_of

HEARTBEAT = timedelta(seconds=60)  # the worker writes one every ten
DISK_FULL = 500 * 1024 * 1024
DISK_LOW = 5 * 1024 * 1024 * 1024

# A job is bad when it failed, or when its worker is gone in the middle of it, and no later one of its task has succeeded.
_JOBS = """
    WITH bad AS (
        SELECT job.id, job.task_name, job.status
        FROM procrastinate_jobs job LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
        WHERE (job.status = 'failed' OR (job.status = 'doing' AND coalesce(worker.last_heartbeat, '-infinity') < %s))
          AND NOT EXISTS (
              SELECT FROM procrastinate_jobs later
              WHERE later.task_name = job.task_name AND later.status = 'succeeded' AND later.id > job.id)
    )
    SELECT task_name, count(*), max(id), (SELECT max(at) FROM procrastinate_events WHERE job_id = max(bad.id)) FROM bad
    GROUP BY task_name ORDER BY task_name
"""

_RUNS = """
    SELECT task_name,
           (SELECT max(at) FROM procrastinate_events WHERE job_id = max(job.id) FILTER (WHERE status = 'succeeded')),
           count(*) FILTER (WHERE status IN ('todo', 'doing'))
    FROM procrastinate_jobs job GROUP BY task_name
"""


@dataclass(frozen=True, slots=True)
class BadJob:
    """The failures of one task that nothing has made good since; `last` is the newest of them."""

    task: str
    count: int
    last: int
    at: datetime | None


def bad_jobs(at: datetime) -> list[BadJob]:
    """One query."""
    with connection.cursor() as cursor:
        cursor.execute(_JOBS, [at - HEARTBEAT])
        return [BadJob(*row) for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class TaskRun:
    """One background task: when it last came to a good end, and how many of its jobs wait or run."""

    words: str
    at: datetime | None
    waiting: int


def task_runs() -> list[TaskRun]:
    """Every task that ran within the days kept, by what it does. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_RUNS)
        return sorted((TaskRun(task_words(name), at, waiting) for name, at, waiting in cursor.fetchall()), key=lambda run: run.words)


def last_heartbeat() -> datetime | None:
    """When a worker was last heard; None when there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(last_heartbeat) FROM procrastinate_workers")
        row = cursor.fetchone()
    return row[0] if row else None


def disk_free() -> int:
    """Bytes left where this installation keeps its state."""
    return shutil.disk_usage(settings.HOME).free


def watch() -> None:
    """Called once, when the applications are ready."""
    alarms.watch("worker", alarms=_worker_alarms, facts=_worker_facts)
    alarms.watch("jobs", alarms=_job_alarms)
    alarms.watch("disk", alarms=_disk_alarms, facts=_disk_facts)
    alarms.watch("calendar", alarms=_calendar_alarms, facts=_calendar_facts)
    alarms.watch("version", facts=lambda at: [Fact(label="版本", value=version("minsheng"))])


# --- the worker and its jobs -------------------------------------------------------------------------------------


def _worker_alarms(at: datetime) -> Iterator[Alarm]:
    heard = last_heartbeat()
    if heard is None or at - heard > HEARTBEAT:
        since = "没有运行" if heard is None else f"已 {times.span(at - heard)}没有心跳"
        yield Alarm(
            light="red",
            title=f"后台进程{since}",
            todo="请在服务器上查看 minsheng up 的输出并重新启动；在此之前，自动查阅、归档、封存和时限重算都停着，补跑不会漏。",
        )


def _worker_facts(at: datetime) -> Iterator[Fact]:
    heard = last_heartbeat()
    if heard is not None and at - heard <= HEARTBEAT:
        seconds = max(0, round((at - heard).total_seconds()))
        yield Fact(label="后台进程", value="运行中", note=f"{seconds} 秒前有应答")
    else:
        yield Fact(label="后台进程", value="没有运行")


def _job_alarms(at: datetime) -> Iterator[Alarm]:
    for job in bad_jobs(at):
        when = f"，最近 {times.moment(job.at, at)}" if job.at else ""
        yield Alarm(
            light="orange",
            title=f"后台任务“{task_words(job.task)}”没有完成（{job.count} 次{when}）",
            todo=f"原因在后台进程的日志里，任务号 {job.last}；修好后重新运行，成功一次即解除。",
            url=reverse("console:retry", args=[job.last]),
            link="重新运行",
            press=True,
        )


# --- disk and database -------------------------------------------------------------------------------------------


def _disk_alarms(at: datetime) -> Iterator[Alarm]:
    free = disk_free()
    if free < DISK_LOW:
        yield Alarm(
            light="red" if free < DISK_FULL else "yellow",
            title=f"磁盘只剩 {size(free)}",
            todo="请扩容，或把数据目录里的旧备份和日志移走；低于 500 MB 时健康检查报错，写满后任何人都不能保存。",
        )


def _disk_facts(at: datetime) -> Iterator[Fact]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database()), current_setting('server_version')")
        used, server = cursor.fetchone() or (0, "")
    yield Fact(label="数据库", value=size(used), note=f"PostgreSQL {server.split()[0]}")
    yield Fact(label="磁盘可用", value=size(disk_free()))


def size(amount: int) -> str:
    """“3.2 GB”, “640 MB”."""
    return f"{amount / 2**30:.1f} GB" if amount >= 2**30 else f"{amount // 2**20} MB"


# --- the calendar ------------------------------------------------------------------------------------------------


def _calendar_alarms(at: datetime) -> Iterator[Alarm]:
    """A year without a notice (design §5, scenario 5): how much hangs on it, and where it is loaded."""
    missing = worktime.years_missing(at)
    provisional = upkeep.provisional_limits(at=at)
    for year in missing:
        yield Alarm(
            light="red" if year <= day_of(at).year else "orange",
            title=f"缺 {year} 年放假安排" + (f"，{provisional} 个在办时限是暂定的" if provisional else ""),
            todo=f"国务院办公厅的通知公布后录入 {year} 年放假安排；在此之前按周末计算并标“暂定”，录入后自动重算。",
            url=reverse("admin:worktime_calendaryear_add"),
            link="录入放假安排",
        )
    if provisional and not missing:
        yield Alarm(
            light="yellow",
            title=f"还有 {provisional} 个在办时限是暂定的",
            todo="放假安排已录入，正在重算；每晚 2:40 还会再算一遍，明天仍在请查看后台任务。",
        )


def _calendar_facts(at: datetime) -> Iterator[Fact]:
    years = sorted(worktime.calendar().years)
    yield Fact(label="放假安排", value=f"至 {years[-1]} 年" if years else "没有录入")
    provisional = upkeep.provisional_limits(at=at)
    yield Fact(label="暂定时限", value=f"{provisional} 个")
