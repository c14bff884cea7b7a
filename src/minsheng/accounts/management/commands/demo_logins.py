"""minsheng manage demo_logins [--print]: one demonstration login for each role."""

from __future__ import annotations

import unicodedata
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from minsheng.accounts import demo
from minsheng.errors import Refused

_HEAD = ("角色", "用户名", "密码", "单位", "两步验证密钥")


class Command(BaseCommand):
    """Makes them, or puts them right again; refused outside a demonstration."""

    help = "Make one demonstration login for each role (only in a demonstration)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--print."""
        parser.add_argument("--print", action="store_true", dest="show", help="print the table of logins")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make, then print."""
        try:
            users = demo.make(at=timezone.now())
        except Refused as refused:
            raise CommandError(refused.sentence) from refused
        if options["show"]:
            self.stdout.write(_table([_HEAD, *demo.rows(users)]))
            self.stdout.write("两步验证码：minsheng manage totp 用户名")


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
