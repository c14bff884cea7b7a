"""A small city with other systems in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.api import actions
from minsheng.api.choices import SCOPES
from minsheng.api.models import System, Token
from minsheng.cases.tests.conftest import world  # noqa: F401
from minsheng.cases.tests.world import World

V1 = "/api/v1"


@dataclass
class Remote:
    """Another system with its token, calling."""

    system: System
    token: Token
    clear: str
    client: Client = field(default_factory=Client)

    @property
    def account(self) -> User:
        return self.system.account

    def headers(self, key: str | None = None) -> dict[str, str]:
        found = {"Authorization": f"Bearer {self.clear}"}
        return found | ({"Idempotency-Key": key} if key else {})

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(V1 + path, query, headers=self.headers())

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        return self.client.post(
            V1 + path, body or {}, content_type="application/json", headers=self.headers(key or str(uuid4()))
        )

    def put(self, path: str, body: Any) -> Any:
        return self.client.put(V1 + path, body, content_type="application/json", headers=self.headers())

    def upload(self, file: Any, *, key: str | None = None) -> Any:
        return self.client.post(V1 + "/uploads", {"file": file}, headers=self.headers(key or str(uuid4())))


def make_remote(
    world: World,  # noqa: F811
    code: str,
    *roles: str,
    unit: str = "",
    scopes: Any = tuple(SCOPES),
    at: datetime | None = None,
    **fields: Any,
) -> Remote:
    """Registered by the system administrator, granted by the security administrator."""
    at = at or timezone.now()
    system = actions.register_system(
        actor=world["system_admin"], at=at, code=code, name=f"系统 {code}", contact="张工", **{"channel": "app"} | fields
    )
    account = system.account
    account.roles, account.unit = list(roles), world.units[unit] if unit else None
    account.save(update_fields=["roles", "unit"])
    token, clear = actions.issue_token(
        actor=world["system_admin"], at=at, system=system, scopes=list(scopes), expires_at=at + timedelta(days=90)
    )
    return Remote(system, token, clear)


@pytest.fixture
def app(world: World) -> Remote:  # noqa: F811
    """The city's app: takes requests in, and sees what agents see."""
    return make_remote(world, "app", Role.AGENT)


@pytest.fixture
def unit(world: World) -> Remote:  # noqa: F811
    """The system of 仓山城管, which drafts and signs."""
    return make_remote(world, "cg", Role.UNIT_LIAISON, Role.UNIT_LEADER, unit="仓山城管")


@pytest.fixture
def other(world: World) -> Remote:  # noqa: F811
    """The system of another district's bureau."""
    return make_remote(world, "gulou-cg", Role.UNIT_LIAISON, Role.UNIT_LEADER, unit="鼓楼城管")


CASE = {"kind": "complaint", "text": "路灯不亮，晚上看不清路。", "topic": "010101", "place": "350104100"}
