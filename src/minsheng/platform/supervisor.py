"""Keeps a handful of processes running, and ends them all cleanly.

A child that dies is started again, after a pause that grows from 0.2 to 10 seconds while it keeps dying. Each child
leads a process group of its own, so that Ctrl-C reaches only the supervisor, and what a dead child leaves behind is
found and ended. A supervisor that is killed takes its children with it: the kernel tells them.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import FrameType
from typing import Any

from minsheng.platform import status
from minsheng.platform.postgres_user import end_with_parent

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
STEADY_SECONDS = 10.0  # a child that ran so long is well again: its next pause is the first one
GRACE_SECONDS = 15.0
STATUS_SECONDS = 5.0


@dataclass(frozen=True)
class Program:
    """One child to keep running."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)


class Child:
    """A program, and the process that runs it now."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.restarts = 0
        self.last_exit: str | None = None
        self.due = 0.0
        self._pause = FIRST_PAUSE
        self._started = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            self.program.command,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **self.program.environment},
            start_new_session=True,
            preexec_fn=end_with_parent,
        )

    def has_died(self) -> bool:
        """Notice a death: end what is left of the group, and set the time of the next start."""
        if self._process is None or self._process.poll() is None:
            return False
        self.last_exit = f"{_how(self._process.returncode)} at {_now()}"
        self._kill_group(self._process.pid)
        self._process = None
        if time.monotonic() - self._started >= STEADY_SECONDS:
            self._pause = FIRST_PAUSE
        self.due = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        return True

    def ask_to_end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def make_end(self, deadline: float) -> None:
        """Wait until the deadline for a clean end, then kill."""
        if self._process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=max(0.0, deadline - time.monotonic()))
        self._kill_group(self._process.pid)
        self._process.wait()
        self._process = None

    def report(self) -> dict[str, Any]:
        running = self._process is not None
        return {"pid": self.pid, "running": running, "restarts": self.restarts, "last_exit": self.last_exit}

    @staticmethod
    def _kill_group(leader: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


class Supervisor:
    """Runs programs until it is asked to end."""

    def __init__(self, programs: list[Program]) -> None:
        self.children = [Child(program) for program in programs]
        self._ending = False
        self._since = _now()

    def run(self) -> None:
        """Start all, keep all running; return when SIGTERM, SIGINT or SIGHUP has ended all."""
        with self._signals() as wakeup:
            try:
                while not self._ending:
                    self._tend()
                    self._write_status()
                    self._wait(wakeup)
            finally:
                self._end()

    def _tend(self) -> None:
        now = time.monotonic()
        for child in self.children:
            if child.has_died():
                _say(f"{child.program.name} ended ({child.last_exit}); starting it again")
                child.restarts += 1
            if child.pid is None and child.due <= now:
                child.start()

    def _wait(self, wakeup: int) -> None:
        """Sleep until a signal (also a child's death) or the next thing that is due."""
        due = [child.due - time.monotonic() for child in self.children if child.pid is None]
        if select.select([wakeup], [], [], max(0.0, min([STATUS_SECONDS, *due])))[0]:
            with contextlib.suppress(BlockingIOError):
                os.read(wakeup, 4096)

    def _end(self) -> None:
        for child in self.children:
            child.ask_to_end()
        deadline = time.monotonic() + GRACE_SECONDS
        for child in self.children:
            child.make_end(deadline)
        status.path().unlink(missing_ok=True)

    def _write_status(self) -> None:
        status.write(
            {
                "pid": os.getpid(),
                "since": self._since,
                "at": _now(),
                "children": {child.program.name: child.report() for child in self.children},
            }
        )

    @contextlib.contextmanager
    def _signals(self) -> Iterator[int]:
        """Signals write a byte into a pipe that the loop waits on, so that none is lost between look and sleep."""
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        ends = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        before: dict[signal.Signals, Any] = {number: signal.signal(number, self._ask) for number in ends}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        earlier = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(earlier)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(reader)
            os.close(writer)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._ending = True


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit {code}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
