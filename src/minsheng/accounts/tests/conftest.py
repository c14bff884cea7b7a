"""This floor alone: the desks above it, with their middleware and context, are not needed to test sign-in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from minsheng.accounts.choices import UNIT_ROLES, Role
from minsheng.accounts.models import User
from minsheng.organisations.choices import UnitKind
from minsheng.organisations.models import Unit

PASSWORD = "Rongcheng-0591"
_numbers = count(1)


@pytest.fixture(autouse=True)
def this_floor_alone(settings: Any) -> Iterator[None]:
    settings.ROOT_URLCONF = "minsheng.accounts.tests.urls"
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.startswith("minsheng.console")]
    templates = deepcopy(settings.TEMPLATES)
    options = templates[0]["OPTIONS"]
    options["context_processors"] = [p for p in options["context_processors"] if not p.startswith("minsheng.console")]
    settings.TEMPLATES = templates
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def unit(db: None) -> Unit:
    return Unit.objects.create(code="T-1", name="仓山区城市管理局", short_name="仓山区城管局", kind=UnitKind.BUREAU)


@pytest.fixture
def person(db: None) -> Callable[..., User]:
    """`person(Role.AGENT, ...)`: someone with these roles, a password, and a unit where the roles need one."""

    def make(*roles: Role, username: str = "", unit: Unit | None = None, **fields: Any) -> User:
        if unit is None and UNIT_ROLES & set(roles):
            unit, _ = Unit.objects.get_or_create(
                code="T-1", defaults={"name": "仓山区城市管理局", "short_name": "仓山区城管局", "kind": UnitKind.BUREAU}
            )
        name = username or f"{roles[0] if roles else 'nobody'}.{next(_numbers)}"
        fields.setdefault("password_changed_at", timezone.now())
        return User.objects.create_user(
            name, PASSWORD, display_name=name, roles=[str(role) for role in roles], unit=unit, **fields
        )

    return make


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`clock(minutes=16)`: for the middleware it is so much later than when the test began."""
    began = timezone.now()

    def move(**later: float) -> None:
        moment: datetime = began + timedelta(**later)
        monkeypatch.setattr("minsheng.accounts.middleware.timezone", SimpleNamespace(now=lambda: moment))

    return move
