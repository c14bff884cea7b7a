"""Demonstration logins: one for each role and a few more, so that a case can be walked through by its own people.

They exist only where `minsheng demo` has put its marker (settings.DEMO); `check --deploy` complains of any elsewhere.
"""

from __future__ import annotations

import base64
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt, encrypt
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from minsheng.accounts import actions
from minsheng.accounts.choices import ADMIN_ROLES
from minsheng.accounts.models import User
from minsheng.errors import Refused
from minsheng.organisations.models import Unit

PASSWORD = "Minsheng-2026!"  # noqa: S105 - shown to everyone, and refused outside a demonstration
# The same hash each time, so that a demonstration started again leaves people signed in.
_SALT = "minshengdemonstration2026"
TABLE = Path(__file__).parent / "data" / "demo_people.csv"


@dataclass(frozen=True)
class Person:
    """One line of the table; `unit` is a unit's code or empty."""

    username: str
    display_name: str
    staff_number: str
    roles: list[str]
    unit: str


def people() -> Iterator[Person]:
    """The table, in its order."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, strict=True):
            yield Person(
                row["username"], row["display_name"], row["staff_number"], row["roles"].split(";"), row["unit"]
            )


def secret_of(username: str) -> str:
    """The TOTP secret of a demonstration administrator: always the same, so that a registered telephone goes on
    working."""
    return base64.b32encode(sha256(f"minsheng demo {username}".encode()).digest()[:20]).decode()


@transaction.atomic
def make(*, at: datetime) -> list[User]:
    """Make all demonstration logins, or put them right again. Refused outside a demonstration, and when a unit is
    missing."""
    if not settings.DEMO:
        raise Refused("invalid", message="这里不是演示环境，不能建立演示账号。")
    table = list(people())
    codes = {person.unit for person in table if person.unit}
    units = {unit.code: unit for unit in Unit.objects.filter(code__in=codes)}
    if missing := sorted(codes - units.keys()):
        raise Refused("invalid", message=f"没有这些承办单位：{'、'.join(missing)}。请先载入参考数据。")
    encoded = make_password(PASSWORD, salt=_SALT)
    return [_make(person, units.get(person.unit), encoded, at) for person in table]


def _make(person: Person, unit: Unit | None, encoded: str, at: datetime) -> User:
    user = actions.ensure_demo_user(
        at=at,
        username=person.username,
        display_name=person.display_name,
        staff_number=person.staff_number,
        encoded=encoded,
        roles=person.roles,
        unit=unit,
    )
    if ADMIN_ROLES & set(person.roles):
        secret = {"secret": encrypt(secret_of(user.username))}
        Authenticator.objects.update_or_create(user=user, type=Authenticator.Type.TOTP, defaults={"data": secret})
    return user


def present_code(user: User) -> str:
    """The code that the person's telephone shows now; of demonstration logins only."""
    if not settings.DEMO or not user.is_demo:
        raise Refused("invalid", message="只显示演示账号的验证码。")
    device = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    if device is None:
        raise Refused("not_found")
    counter = list(yield_hotp_counters_from_time())[settings.MFA_TOTP_TOLERANCE]
    return format_hotp_value(hotp_value(decrypt(device.data["secret"]), counter))


def rows(users: list[User]) -> list[tuple[str, str, str, str, str]]:
    """The table to print: 角色, 用户名, 密码, 单位, 两步验证."""
    return [
        (
            user.role_names,
            user.username,
            PASSWORD,
            str(user.unit or "热线中心"),
            secret_of(user.username) if user.is_administrator else "",
        )
        for user in users
    ]
