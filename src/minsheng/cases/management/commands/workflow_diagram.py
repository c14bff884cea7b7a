"""`minsheng workflow-diagram > docs/workflow.md`."""

from typing import Any

from django.core.management.base import BaseCommand

from minsheng.cases.diagram import document


class Command(BaseCommand):
    """Prints the page; nothing is written."""

    help = "Print docs/workflow.md, drawn from the transition table."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the page."""
        self.stdout.write(document(), ending="")
