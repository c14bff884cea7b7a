"""minsheng manage totp USERNAME: the present code of a demonstration administrator."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from minsheng.accounts import demo
from minsheng.accounts.models import User
from minsheng.errors import Refused


class Command(BaseCommand):
    """So that a demonstration needs no telephone."""

    help = "Print the present two-factor code of a demonstration administrator."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The username."""
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the code."""
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError("没有这个用户名。")
        try:
            self.stdout.write(demo.present_code(user))
        except Refused as refused:
            raise CommandError(refused.sentence) from refused
