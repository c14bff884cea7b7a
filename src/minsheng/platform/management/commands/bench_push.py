"""`minsheng bench push`: how soon open screens show what others did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from minsheng.platform import bench_push


class Command(BaseCommand):
    """Makes a scratch installation in a folder that is deleted afterwards, and measures inside it."""

    help = "Measure commit → event → refreshed screen with many open browsers, on a scratch installation."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What is asked of it."""
        parser.add_argument("--browsers", type=int, default=300)
        parser.add_argument("--actions", type=int, default=60)
        parser.add_argument("--rate", type=float, default=1.0, help="actions a second; Fuzhou's year is one in ten seconds by day")
        parser.add_argument("--cases", type=int, default=150, help="made-up cases to begin with")
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--inside", action="store_true", help="measure here: this is the scratch installation already")

    def handle(self, *args: Any, inside: bool, **options: Any) -> None:
        """Exit 1 where the figures are not met."""
        asked = {name: options[name] for name in ("browsers", "actions", "rate", "cases")}
        if inside:
            found = bench_push.run(**asked)
            self.stdout.write(json.dumps(found) if options["json"] else bench_push.told(found))
            sys.exit(0 if found["met"] else 1)
        sys.exit(self._in_scratch(asked, as_json=options["json"]))

    def _in_scratch(self, asked: dict[str, Any], *, as_json: bool) -> int:
        with tempfile.TemporaryDirectory(prefix="minsheng-bench-", dir="/tmp") as folder:  # short: a socket lies in it
            Path(folder, "demo").touch()
            port, events_port = bench_push.free_port(), bench_push.free_port()
            settings = {
                "MINSHENG_HOME": folder,
                "MINSHENG_PORT": str(port),
                "MINSHENG_EVENTS_PORT": str(events_port),
                "MINSHENG_PASSWORD_DAYS": "0",
            }
            kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
            words = [f"--{name}={value}" for name, value in asked.items()] + ["--inside"] + ["--json"] * as_json
            command = [sys.executable, "-m", "minsheng.platform.cli", "bench", "push", *words]
            return subprocess.run(command, env=kept | settings, check=False).returncode
