"""The supervisor of the embedded server, on real servers of its own."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from minsheng.platform import postgres_binaries, postgres_user
from minsheng.platform.postgres import PostgresError, Server, find_binaries


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short folder: a socket's path is limited."""
    path = Path(tempfile.mkdtemp(prefix="mspg-", dir="/tmp"))
    yield path / "postgres"
    Server(path / "postgres").stop(immediately=True)
    shutil.rmtree(path, ignore_errors=True)


def _scratch(folder: Path, **options) -> Server:
    return Server(folder, durable=False, **options)


def _put(server: Server, word: str) -> None:
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS note (word text)")
        connection.execute("INSERT INTO note VALUES (%s)", [word])


def _words(server: Server) -> list[str]:
    with psycopg.connect(server.url()) as connection:
        return [row[0] for row in connection.execute("SELECT word FROM note ORDER BY word")]


def _wait_until(check, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    """True while the process runs; a zombie that nobody has collected yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_creates_serves_stops_and_keeps_its_data(folder):
    server = _scratch(folder)
    assert server.ensure_running() is False
    _put(server, "路灯不亮")
    with psycopg.connect(server.url()) as connection:
        settings = dict(
            connection.execute(
                "SELECT name, setting FROM pg_settings WHERE name IN"
                " ('listen_addresses', 'server_encoding', 'timezone', 'is_superuser')"
            ).fetchall()
        )
    assert settings["listen_addresses"] == ""
    assert settings["server_encoding"] == "UTF8"
    assert server.healthy()
    server.stop()
    assert server.running() is None
    assert not server.healthy()
    server.stop()  # twice is no error
    server.ensure_running()
    assert _words(server) == ["路灯不亮"]


def test_product_role_is_no_superuser(folder):
    server = _scratch(folder)
    server.ensure_running()
    with psycopg.connect(server.url()) as connection:
        assert connection.execute("SELECT current_setting('is_superuser')").fetchone() == ("off",)
        connection.execute("CREATE EXTENSION pg_trgm")
        connection.execute("CREATE EXTENSION btree_gin")


def test_nobody_else_may_enter_the_socket_folder(folder):
    _scratch(folder).ensure_running()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_running_server_is_attached_to(folder):
    _scratch(folder).ensure_running()
    pid = _scratch(folder).running().pid
    again = _scratch(folder)
    assert again.ensure_running() is True
    assert again.running().pid == pid


def test_server_outlives_its_starter_and_is_attached_to(folder):
    code = f"""
import os, signal
from pathlib import Path
from minsheng.platform.postgres import Server
Server(Path({str(folder)!r}), durable=False).ensure_running()
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert _scratch(folder).ensure_running() is True


def test_tethered_server_ends_with_its_starter(folder):
    code = f"""
import os, signal
from pathlib import Path
from minsheng.platform.postgres import Server
server = Server(Path({str(folder)!r}), durable=False, tethered=True)
server.ensure_running()
print(server.running().pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    pid = int(subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True).stdout)
    _wait_until(lambda: not _alive(pid))


def test_killed_server_starts_again_with_what_was_committed(folder):
    server = Server(folder)  # durable: this is about the log
    server.ensure_running()
    _put(server, "已受理")
    os.kill(server.running().pid, signal.SIGKILL)
    assert server.ensure_running() is False
    assert _words(server) == ["已受理"]


def test_pid_file_of_another_process_does_not_deceive(folder):
    server = _scratch(folder)
    server.ensure_running()
    server.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n1\n5432\n{folder}\n\n1 1\nready\n")
    assert server.running() is None
    assert server.ensure_running() is False


def test_starters_at_the_same_time_share_one_server(folder):
    with ThreadPoolExecutor(4) as pool:
        attached = list(pool.map(lambda _: _scratch(folder).ensure_running(), range(4)))
    assert sorted(attached) == [False, True, True, True]


def test_half_made_cluster_is_made_again(folder):
    server = _scratch(folder)
    server._prepare_folder()
    (folder / "data.new").mkdir()
    (folder / "data.new" / "rubbish").touch()
    server.ensure_running()
    assert server.healthy()


def test_data_of_another_version_is_a_clear_error(folder):
    server = _scratch(folder)
    server.ensure_running()
    server.stop()
    (server.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(PostgresError, match="need PostgreSQL 9, but this machine has only"):
        _scratch(folder).ensure_running()
    (server.data / "PG_VERSION").write_text(f"{find_binaries().major}\n")


def test_failed_start_says_what_postgres_said(folder, monkeypatch):
    monkeypatch.setattr("minsheng.platform.postgres.START_ATTEMPTS", 1)
    server = _scratch(folder)
    server.ensure_running()
    server.stop()
    with (server.data / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    with pytest.raises(PostgresError, match="no_such_setting"):
        server.ensure_running()


def test_no_binaries_is_a_clear_error(monkeypatch):
    monkeypatch.setattr(postgres_binaries, "available", lambda source="": [])
    with pytest.raises(PostgresError, match="or give DATABASE_URL"):
        find_binaries()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must step down")
def test_root_whose_folders_are_closed_gets_a_shelter(folder, monkeypatch, tmp_path_factory):
    closed = folder.parent / "closed"
    closed.mkdir(mode=0o700)
    shelter = Path(tempfile.mkdtemp(prefix="mspg-", dir="/tmp"))
    shelter.chmod(0o755)
    monkeypatch.setattr(postgres_user, "SHELTER", shelter)
    server = _scratch(closed / "home" / "postgres")
    try:
        server.ensure_running()
        assert server.healthy()
        assert (closed / "home" / "postgres").is_symlink()
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700, "root's own folders stay closed"
        server.stop()
        assert server.ensure_running() is False
    finally:
        server.stop(immediately=True)
        shutil.rmtree(shelter, ignore_errors=True)


@pytest.mark.debian15
def test_debian_15_serves_too(folder):
    server = _scratch(folder, binaries=find_binaries(15, source="system"))
    server.ensure_running()
    with psycopg.connect(server.url()) as connection:
        version = connection.execute("SELECT current_setting('server_version_num')::int / 10000").fetchone()
    assert version == (15,)
