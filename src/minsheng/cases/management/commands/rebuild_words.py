"""`minsheng rebuild-words`: the index of words anew, in batches, while the product goes on."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from minsheng.cases.indexing import rebuild


class Command(BaseCommand):
    """After places were renamed, after a restore without the table, and once after an upgrade to a version that finds words otherwise."""

    help = "Index the words of every case anew, from the cases themselves."

    def handle(self, *args: Any, **options: Any) -> None:
        """Progress every batch."""
        done = rebuild(told=lambda count: self.stderr.write(f"{count} cases"))
        self.stdout.write(f"{done} cases indexed · 已重建 {done} 件的检索")
