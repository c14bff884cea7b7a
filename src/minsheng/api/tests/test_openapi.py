"""schemathesis calls every operation by its own description: no 5xx, no undocumented status, no answer beside its schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from django.conf import settings as django
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import override_settings
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig

from minsheng.accounts.choices import Role
from minsheng.api.v1 import api
from minsheng.cases.tests.world import build
from minsheng.outbox import webhooks
from minsheng.outbox.models import Endpoint
from minsheng.platform.wsgi import application

from .conftest import Remote, make_remote

pytestmark = pytest.mark.django_db
EXAMPLES = 6
SEED = 20261124
# A domain rule may refuse what the schema allows: that is 409 or 422, both documented.
_CONFIG = SchemathesisConfig.from_dict(
    {
        "checks": {
            "positive_data_acceptance": {"expected-statuses": ["2xx", "403", "404", "409", "422"]},
            "missing_required_header": {"expected-statuses": ["422"]},
        },
        "generation": {"max-examples": EXAMPLES, "deterministic": True},
        "seed": SEED,
    }
)
schema = schemathesis.openapi.from_dict(dict(api.get_openapi_schema()), config=_CONFIG)
schema.app = application


@dataclass
class Targets:
    """Who calls, and real keys, so that examples come past 404."""

    app: Remote
    unit: Remote
    number: str
    task: int
    webhook: int


@pytest.fixture(scope="module")
def targets(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[Targets]:
    """A city that all examples read and write; rolled back at the end."""
    changed = {
        "MEDIA_ROOT": tmp_path_factory.mktemp("media"),
        "API": django.API | {"calls_per_minute": 1_000_000},
        "ALLOWED_HOSTS": ["*"],
    }
    with django_db_blocker.unblock(), override_settings(**changed), transaction.atomic():
        for signal in (request_started, request_finished):  # they would close the connection that holds our transaction
            signal.disconnect(close_old_connections)
        world = build()
        case = world.handling()
        unit = make_remote(world, "cg", Role.UNIT_LIAISON, Role.UNIT_LEADER, unit="仓山城管")
        app = make_remote(world, "app", Role.AGENT)
        secret = webhooks.new_secret()
        hook = Endpoint.objects.create(name="甲", url="https://a.invalid/", user=app.account, secret=secret, made_at=world.now)
        yield Targets(app, unit, case.number or "", world.lead(case).pk, hook.pk)
        transaction.set_rollback(True)
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


@schema.parametrize()
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_keeps_its_word(case: schemathesis.Case, targets: Targets) -> None:
    remote = targets.unit if "/tasks" in case.operation.path else targets.app
    mode = case.meta.generation.mode if case.meta else None
    if mode is schemathesis.GenerationMode.POSITIVE:
        real = {"number": targets.number, "task": targets.task, "webhook": targets.webhook}
        for name, value in real.items():
            if name in case.path_parameters:
                case.path_parameters[name] = value
    case.call_and_validate(headers={"Authorization": f"Bearer {remote.clear}"})
