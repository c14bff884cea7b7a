"""`minsheng up` and `minsheng demo`: prepare, then supervise."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import django
import psycopg
from django.core.management import call_command

from minsheng.platform import home
from minsheng.platform.postgres import embedded_in_use
from minsheng.platform.supervisor import Program, Supervisor

THREADS = 8  # waiting for the database is most of a page's time
HOST = "127.0.0.1"


class NotReady(Exception):
    """Why this machine cannot serve now, in one sentence."""


class Progress:
    """Lines with the seconds since the start; `make` hands its own start on."""

    def __init__(self) -> None:
        self._start = float(os.environ.pop("MINSHENG_STARTED", "") or time.time())

    def __call__(self, english: str, chinese: str) -> None:
        print(f"[{time.time() - self._start:5.0f} s] {english} · {chinese}", flush=True)


def up() -> None:
    """Serve until asked to end."""
    say = Progress()
    with _only_one(), _database(say):
        _set_up_django()
        _check_ports()
        _migrate(say)
        _serve(say)


def demo(*, serve: bool = True) -> None:
    """Set everything up with demonstration data, print the logins, and serve."""
    if not home.is_embedded():
        raise NotReady("A demonstration runs on its own embedded database; DATABASE_URL must not be set.")
    say = Progress()
    with _only_one(), _database(say):
        _refuse_real_data()
        (home.folder() / "demo").touch()  # before the settings, which read it
        _set_up_django()
        if serve:
            _check_ports()
        _migrate(say)
        _load(say)
        call_command("demo_logins", "--print")
        if serve:
            _serve(say)


# --- steps ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    """One supervisor for one state folder."""
    with open(home.run_folder() / "up.lock", "a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            raise NotReady(f"Already running (process {handle.read().strip()}) on {home.folder()}.") from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


@contextlib.contextmanager
def _database(say: Progress) -> Iterator[None]:
    if not home.is_embedded():
        yield
        return
    say("starting the database", "启动数据库")
    with embedded_in_use():
        yield


def _set_up_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "minsheng.platform.settings")
    django.setup()


def _check_ports() -> None:
    """Two seconds' patience: what a killed supervisor left is about to end."""
    from django.conf import settings

    for port, name in [(settings.PORT, "MINSHENG_PORT"), (settings.EVENTS_PORT, "MINSHENG_EVENTS_PORT")]:
        deadline = time.monotonic() + 2
        while not _is_free(port):
            if time.monotonic() > deadline:
                raise NotReady(f"Port {port} on {HOST} is in use by another program; choose another with {name}=….")
            time.sleep(0.1)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _migrate(say: Progress) -> None:
    say("preparing tables", "准备数据表")
    call_command("migrate", verbosity=0, interactive=False)


def _load(say: Progress) -> None:
    """Reference data whenever their files changed; demonstration data once."""
    from django.conf import settings

    data = fingerprint(path for path in settings.PACKAGE.glob("*/data/**/*") if path.is_file())
    with _once("reference", data) as needed:
        if needed:
            say("loading reference data", "导入基础数据")
            call_command("load_reference")
    with _once("demonstration", "1") as needed:
        if needed:
            say("making up demonstration cases", "生成演示诉求件")
            call_command("load_demo")


def _collect_static(say: Progress) -> None:
    """Copy what browsers are served into the state folder, when anything of it changed."""
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders

    sources = (Path(store.path(name)) for finder in get_finders() for name, store in finder.list([".*"]))
    with _once("static", fingerprint(sources)) as needed:
        if needed or not (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
            say("collecting static files", "收集静态文件")
            call_command("collectstatic", verbosity=0, interactive=False)


@contextlib.contextmanager
def _once(name: str, mark: str) -> Iterator[bool]:
    """True where the step `name` was not yet done for this mark; noted when the step succeeds."""
    stamp = home.run_folder() / f"{name}.done"
    needed = not stamp.exists() or stamp.read_text() != mark
    yield needed
    if needed:
        stamp.write_text(mark)


def fingerprint(paths: Iterator[Path]) -> str:
    """A hash over names, sizes and times: reading thousands of files would cost seconds at every start."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        entry = path.stat()
        digest.update(f"{path}\0{entry.st_size}\0{entry.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _refuse_real_data() -> None:
    """Demonstration logins have known passwords: they must never reach a database with citizens in it."""
    if home.is_demo():
        return
    with psycopg.connect(home.database_url()) as connection:
        row = connection.execute("SELECT to_regclass('cases_case')").fetchone()
        if row and row[0] and connection.execute("SELECT 1 FROM cases_case LIMIT 1").fetchone():
            raise NotReady(f"{home.folder()} already holds cases; give the demonstration another MINSHENG_HOME.")


def _serve(say: Progress) -> None:
    from django.conf import settings
    from django.db import connections

    from minsheng.telephony.layout import is_configured

    _collect_static(say)
    connections.close_all()
    if not is_configured():
        say("telephones are off (no MINSHENG_TELEPHONY)", "电话未启用")
    say(f"serving on http://{HOST}:{settings.PORT}/ (Ctrl-C ends)", "服务已启动")
    Supervisor(programs(port=settings.PORT, events_port=settings.EVENTS_PORT)).run()
    say("ended", "已停止")


def programs(*, port: int, events_port: int) -> list[Program]:
    """What `minsheng up` keeps running."""
    from minsheng.telephony.layout import is_configured

    workers = str(min(4, os.cpu_count() or 1))
    # Its one warning at each start is about threads, which here wait for the database rather than compute.
    server = [sys.executable, "-m", "granian", "--host", HOST, "--no-ws", "--log-level", "error"]
    # Granian would otherwise run on with a worker less; its graceful end is bounded, so ours is too.
    server += ["--respawn-failed-workers", "--workers-kill-timeout", "10s"]
    pages = ["--interface", "wsgi", "--port", str(port), "--workers", workers, "--blocking-threads", str(THREADS)]
    events = ["--interface", "asgi", "--port", str(events_port), "--workers", "1"]
    found = [
        Program("web", [*server, *pages, "minsheng.platform.wsgi:application"], {"MINSHENG_DB_POOL": "1"}),
        Program("events", [*server, *events, "minsheng.platform.asgi:application"]),
        Program("worker", [sys.executable, "-m", "minsheng.platform.cli", "manage", "run_worker"]),
    ]
    if is_configured():
        found.append(Program("telephony", [sys.executable, "-m", "minsheng.platform.cli", "manage", "telephony_run"]))
    if home.is_embedded():
        found.insert(0, Program("database", [sys.executable, "-m", "minsheng.platform.postgres_guard"]))
    return found
