"""A real Asterisk of our own rendering, and SIPp on both sides of it: citizens at 127.0.0.2, seats at 127.0.0.3.

`MINSHENG_TEST_SWITCH` (JSON) names another Asterisk than Debian's 16: `program` (words of its command), and what of
`settings.TELEPHONY` it needs (`version`, `modules`, `data`).

Each has a scratch folder and ports of its own, so that two test workers have a switch each; all end with the test process.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from minsheng.platform.postgres_user import end_with_parent

SCENARIOS = Path(__file__).parent / "sipp"
CARRIER, TELEPHONES = "127.0.0.2", "127.0.0.3"


def until(what: Callable[[], Any], patience: float = 60) -> Any:
    """The first true answer. Fails where there is none: the patience only bounds a test that has failed already."""
    deadline = time.monotonic() + patience
    while not (found := what()):
        assert time.monotonic() < deadline, f"never came: {what.__doc__ or what}"
        time.sleep(0.05)
    return found


def free_ports(count: int) -> list[int]:
    """Ports free for TCP and UDP on every loopback address that the tests use, and never given out twice at once."""
    found: list[int] = []
    with contextlib.ExitStack() as stack:
        while len(found) < count:
            tcp = stack.enter_context(socket.socket())
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            try:
                for address in ("127.0.0.1", CARRIER, TELEPHONES):
                    stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind((address, port))
            except OSError:
                continue
            found.append(port)
    return found


class Switch:
    """Start, stop, ask."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="minsheng-switch-", dir="/tmp"))
        self.folder.chmod(0o711)
        sip, http, ami, self.carrier_port, self.seats_port, self.silent_port = free_ports(6)
        # Media ports by the SIP port: two switches on one machine never share one.
        low = 20000 + sip % 200 * 100
        self.settings = {
            "folder": str(self.folder / "switch"), "version": 16, "sip_port": sip, "http_port": http, "ami_port": ami,
            "rtp_ports": [low, low + 98],
        }  # fmt: skip
        other = json.loads(os.environ.get("MINSHENG_TEST_SWITCH", "{}"))
        self._program: list[str] = other.pop("program", ["asterisk"])
        self.settings.update(other)
        self.sip_port = sip
        self.calls: list[subprocess.Popen[bytes]] = []
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("asterisk")
            options = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        log = open(self.folder / "start.log", "ab")  # noqa: SIM115 - the child's
        self._process = subprocess.Popen(
            [*self._program, "-C", self._conf, "-f", "-n", "-q"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
            env={**os.environ, "MALLOC_ARENA_MAX": "2"}, start_new_session=True, preexec_fn=end_with_parent, **options,
        )  # fmt: skip
        until(lambda: "booted" in self.ask("core waitfullybooted"))

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=20)
            self._process = None

    def end_calls(self) -> None:
        """Every SIPp of ours, whatever it was in the middle of."""
        for call in self.calls:
            call.kill()
            call.wait()
        self.calls.clear()

    def forget(self) -> None:
        """What the switch itself keeps: its members, its journal."""
        shutil.rmtree(self.folder / "switch", ignore_errors=True)

    def remove(self) -> None:
        self.end_calls()
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, command: str) -> str:
        """One command on its own console."""
        return subprocess.run([*self._program, "-C", self._conf, "-rx", command], capture_output=True, text=True, check=False).stdout

    @property
    def _conf(self) -> str:
        return str(self.folder / "switch" / "etc" / "asterisk.conf")

    def journal(self) -> list[list[str]]:
        path = self.folder / "switch" / "log" / "queue_log"
        return [line.split("|") for line in path.read_text().splitlines()]

    # --- people -------------------------------------------------------------------------------------------------------

    def telephones(self, *, port: int, talk: int, answer: bool = True) -> subprocess.Popen[bytes]:
        """All seats at one port: ring, answer, hang up after `talk` milliseconds; or ring for ever."""
        scenario = "seat_answers.xml" if answer else "seat_rings.xml"
        media = str(30000 + port % 100 * 50)
        return self._sipp(scenario, {"talk": talk}, "-i", TELEPHONES, "-mi", TELEPHONES, "-p", str(port), "-mp", media)

    def citizen(self, number: str, *, dial: str = "12345", leaves: int = 60_000) -> subprocess.Popen[bytes]:
        """One citizen who calls, and hangs up `leaves` milliseconds after being answered by the greeting, if the other did not."""
        port = free_ports(1)[0]
        return self._sipp(
            "citizen.xml", {"number": number, "leaves": leaves}, f"127.0.0.1:{self.sip_port}", "-i", CARRIER, "-mi", CARRIER,
            "-p", str(port), "-m", "1", "-s", dial, "-mp", str(30000 + port % 300 * 100),
        )  # fmt: skip

    def _sipp(self, scenario: str, words: dict[str, Any], *arguments: str) -> subprocess.Popen[bytes]:
        """SIPp takes words of ours in messages only, not in its clocks: the scenario is written out for each."""
        text = (SCENARIOS / scenario).read_text()
        for word, value in words.items():
            text = text.replace(f"[{word}]", str(value))
        path = self.folder / f"{len(self.calls)}-{scenario}"
        path.write_text(text)
        log = open(self.folder / "sipp.log", "ab")  # noqa: SIM115 - the child's
        call = subprocess.Popen(
            ["sipp", "-sf", str(path), *arguments, "-nostdin"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, start_new_session=True, preexec_fn=end_with_parent,
        )  # fmt: skip
        self.calls.append(call)
        return call


@contextlib.contextmanager
def scratch_switch() -> Iterator[Switch]:
    """A folder, and all that was started in it, gone at the end."""
    switch = Switch()
    try:
        yield switch
    finally:
        switch.remove()
