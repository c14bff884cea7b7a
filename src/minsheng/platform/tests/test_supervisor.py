"""The supervisor over real processes: it restarts what dies, and leaves nothing behind."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from minsheng.platform import supervisor, up
from minsheng.platform.tests.test_postgres import _alive, _wait_until

# Two children: one only sleeps, one has a child of its own, as granian has workers.
_PROGRAM = textwrap.dedent(
    """
    import sys
    from minsheng.platform.supervisor import Program, Supervisor
    nested = (
        "import subprocess, sys, time;"
        "worker = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        "print(worker.pid, file=open(sys.argv[1], 'w'), flush=True); time.sleep(600)"
    )
    Supervisor([
        Program("plain", [sys.executable, "-c", "import time; time.sleep(600)"]),
        Program("nested", [sys.executable, "-c", nested, sys.argv[1]]),
    ]).run()
    """
)


class Running:
    def __init__(self, home: Path) -> None:
        self.home = home
        environment = {**os.environ, "MINSHENG_HOME": str(home)}
        command = [sys.executable, "-c", _PROGRAM, str(home / "grandchild")]
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        _wait_until(lambda: self.status() is not None and all(self.pids()) and self.grandchild())

    def status(self) -> dict | None:
        try:
            return json.loads((self.home / "run" / "status.json").read_text())
        except (OSError, ValueError):
            return None

    def pids(self) -> list[int]:
        status = self.status()
        return [child["pid"] for child in status["children"].values()] if status else []

    def grandchild(self) -> int:
        try:
            return int((self.home / "grandchild").read_text())
        except (OSError, ValueError):
            return 0


@pytest.fixture
def running(tmp_path) -> Iterator[Running]:
    found = Running(tmp_path)
    yield found
    found.process.kill()
    found.process.wait()
    with contextlib.suppress(ProcessLookupError):
        os.kill(found.grandchild(), signal.SIGKILL)


def test_killed_child_is_restarted_and_the_reason_noted(running):
    before = running.pids()
    os.kill(before[0], signal.SIGKILL)
    _wait_until(lambda: running.status()["children"]["plain"]["restarts"] == 1 and all(running.pids()))
    child = running.status()["children"]["plain"]
    assert child["pid"] != before[0]
    assert child["last_exit"].startswith("signal SIGKILL at ")
    assert running.pids()[1] == before[1], "the other child was left alone"


def test_what_a_dead_child_left_behind_is_ended(running):
    orphan = running.grandchild()
    os.kill(running.status()["children"]["nested"]["pid"], signal.SIGKILL)
    _wait_until(lambda: not _alive(orphan))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_all_cleanly(running, number):
    everybody = [*running.pids(), running.grandchild()]
    running.process.send_signal(number)
    assert running.process.wait(timeout=10) == 0
    assert not [pid for pid in everybody if _alive(pid)]
    assert running.status() is None


def test_killed_supervisor_takes_its_children_along(running):
    children = running.pids()
    running.process.kill()
    for pid in children:
        _wait_until(lambda pid=pid: not _alive(pid))


def test_pauses_grow_and_are_forgotten_after_a_steady_run(monkeypatch):
    child = supervisor.Child(supervisor.Program("brief", [sys.executable, "-c", "raise SystemExit(3)"]))
    pauses = []
    for _ in range(3):
        child.start()
        _wait_until(child.has_died)
        pauses.append(round(child.due - time.monotonic(), 1))
    assert pauses == [0.2, 0.4, 0.8]
    assert child.last_exit.startswith("exit 3 at ")
    monkeypatch.setattr(supervisor, "STEADY_SECONDS", 0.0)
    child.start()
    _wait_until(child.has_died)
    assert round(child.due - time.monotonic(), 1) == 0.2


def test_port_in_use_is_one_clear_sentence(settings):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        settings.PORT = other.getsockname()[1]
        with pytest.raises(up.NotReady, match=f"Port {settings.PORT} on 127.0.0.1 is in use .* MINSHENG_PORT"):
            up._check_ports()


def test_second_supervisor_on_one_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("MINSHENG_HOME", str(tmp_path))
    said = rf"Already running \(process {os.getpid()}\)"
    with up._only_one(), pytest.raises(up.NotReady, match=said), up._only_one():
        pass


def test_demonstration_refuses_a_given_database():
    assert os.environ["DATABASE_URL"]
    with pytest.raises(up.NotReady, match="DATABASE_URL"):
        up.demo()
