"""`minsheng bench import FILE`: a scratch database, and how long the file's messages take to become cases in it."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from minsheng.console.bench.importing import as_json, as_table, bench


class Command(BaseCommand):
    """Prints a table, or JSON; asserts nothing."""

    help = "Measure how fast a file's messages become cases, in a scratch database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, as import-messages reads it, and what to print."""
        parser.add_argument("file", type=Path, help="CSV, CSV.GZ or XLSX, without bad rows")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, file: Path, json: bool, **options: Any) -> None:
        """Make, measure, drop."""
        told = bench(file, say=lambda line: self.stderr.write(line))
        self.stdout.write(as_json(told) if json else as_table(told))
