"""`minsheng bench search`: a scratch database of generated cases, and how long finding takes in it."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from minsheng.console.bench.search import CASES, ROUNDS, as_json, as_table, bench


class Command(BaseCommand):
    """Prints a table, or JSON; ends with 1 where the bar is missed."""

    help = "Measure the search box at 300,000 generated cases, in a scratch database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many cases, and what to print."""
        parser.add_argument("--cases", type=int, default=CASES)
        parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each search of the mix is asked")
        parser.add_argument("--keep", action="store_true", help="keep the scratch database, and use one kept before")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, cases: int, rounds: int, keep: bool, json: bool, **options: Any) -> None:
        """Make, measure, drop."""
        told = bench(cases=cases, rounds=rounds, keep=keep, say=lambda line: self.stderr.write(line))
        self.stdout.write(as_json(told) if json else as_table(told))
        sys.exit(0 if told["met"] else 1)
