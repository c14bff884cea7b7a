"""The city served by real processes, as `minsheng up` does: pages, events, and the relay; each can be killed and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection

from minsheng.console import relay

HOST = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Server:
    """One granian on the test's own database."""

    def __init__(self, interface: str, target: str, port: int, environment: dict[str, str]) -> None:
        self.port = port
        self._command = [sys.executable, "-m", "granian", "--host", HOST, "--no-ws", "--log-level", "error"]
        self._command += ["--interface", interface, "--port", str(port), "--workers", "1", target]
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """And wait until it listens; one that runs goes on."""
        self.begin()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex((HOST, self.port)) == 0:
                    return
            assert self._process and self._process.poll() is None, "the server did not start"
            time.sleep(0.1)
        raise AssertionError("the server did not listen")

    def begin(self) -> None:
        """Without waiting."""
        if self._process is None:
            self._process = subprocess.Popen(self._command, env=os.environ | self._environment, start_new_session=True)

    def kill(self) -> None:
        """As a power cut would: no goodbye to anybody."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


class Served:
    """Everything that runs."""

    def __init__(self) -> None:
        port, events_port = free_port(), free_port()
        database: Any = connection.settings_dict
        self.url = f"http://{HOST}:{port}"
        environment = {
            "DATABASE_URL": f"host={database['HOST']} user={database['USER']} dbname={database['NAME']}",
            "MINSHENG_PORT": str(port),
            "MINSHENG_EVENTS_PORT": str(events_port),
            "MINSHENG_DEBUG": "1",  # static files as they lie
            "MINSHENG_HOME": str(settings.HOME),
        }
        self.web = Server("wsgi", "minsheng.platform.wsgi:application", port, environment)
        self.events = Server("asgi", "minsheng.platform.asgi:application", events_port, environment)

    def start(self) -> None:
        """Both, at the same time; what runs goes on."""
        for server in (self.events, self.web):
            server.begin()
        for server in (self.events, self.web):
            server.start()


@contextmanager
def served() -> Iterator[Served]:
    """Start all, end all."""
    city, stop = Served(), threading.Event()
    follower = threading.Thread(target=_relay, args=(stop,))
    follower.start()
    try:
        city.start()
        yield city
    finally:
        city.web.kill()
        city.events.kill()
        stop.set()
        follower.join()


def _relay(stop: threading.Event) -> None:
    relay.relay(stop)
    connection.close()
