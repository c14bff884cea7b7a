"""`minsheng load-demo`: the made-up cases of a demonstration. Run again, it makes only what is missing."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from minsheng.channels.demo.load import load
from minsheng.errors import Refused


class Command(BaseCommand):
    """Only in a demonstration; progress every hundred cases."""

    help = "Make the demonstration's cases, in every state, over the last sixty days."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many, and on how many cores."""
        parser.add_argument("--cases", type=int, default=2000)
        parser.add_argument("--processes", type=int, default=2)

    def handle(self, *args: Any, cases: int, processes: int, **options: Any) -> None:
        """Make logins first: they act in the cases."""
        began = time.monotonic()

        def say(count: int) -> None:
            print(f"        {count}/{cases} made-up cases · 演示诉求（{time.monotonic() - began:.0f} s）", flush=True)

        try:
            call_command("demo_logins")
            made = load(now=timezone.now(), cases=cases, processes=processes, say=say)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"        {made} made-up cases in {time.monotonic() - began:.0f} s · 生成演示诉求 {made} 件")
