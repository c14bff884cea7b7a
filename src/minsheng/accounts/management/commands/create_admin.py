"""minsheng manage create_admin ROLE USERNAME: production's first three administrators, one of each."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from minsheng.accounts import actions
from minsheng.accounts.choices import ADMIN_ROLES, Role
from minsheng.errors import Refused

_PASSWORD_VARIABLE = "MINSHENG_ADMIN_PASSWORD"  # noqa: S105 - the name of the variable


class Command(BaseCommand):
    """Refused for a role that already has an active holder. The password is changed and a device registered at first
    sign-in."""

    help = f"Create the first administrator of a role; the password is asked for, or taken from {_PASSWORD_VARIABLE}."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Role, username, name."""
        parser.add_argument("role", choices=sorted(role.value for role in Role if role in ADMIN_ROLES))
        parser.add_argument("username")
        parser.add_argument("--name", default="", help="display name; the username when not given")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create."""
        try:
            user = actions.create_first_administrator(
                at=timezone.now(),
                role=Role(options["role"]),
                username=options["username"],
                display_name=options["name"] or options["username"],
                password=os.environ.get(_PASSWORD_VARIABLE) or _ask(),
            )
        except Refused as refused:
            raise CommandError(refused.sentence) from refused
        self.stdout.write(f"已建立{user.role_names} {user.username}。首次登录时须更换密码，并启用两步验证。")


def _ask() -> str:
    first = getpass("密码：")
    if first != getpass("再输一次："):
        raise CommandError("两次输入不同。")
    return first
