"""docs/api.md and docs/notices.md, held to the product: their lines are run, their lists are whole."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as product
from django.test import Client
from django.utils import timezone

from minsheng.accounts.choices import Role
from minsheng.api import problems
from minsheng.api.choices import SCOPES
from minsheng.api.models import Upload
from minsheng.cases.models import Case, ReasonCode, Task
from minsheng.cases.tests.world import World, build
from minsheng.outbox import sending, webhooks
from minsheng.outbox.choices import Way
from minsheng.outbox.models import Endpoint
from minsheng.outbox.tests.conftest import Receiver, own_horizon, receive, says  # noqa: F401
from minsheng.outbox.tests.test_sending import queue
from minsheng.worktime import queries as worktime
from minsheng.worktime.moments import last_day_before

from .conftest import make_remote
from .test_operations import TOLD

DOCS = Path(__file__).parents[4] / "docs"
API, NOTICES = ((DOCS / name).read_text() for name in ("api.md", "notices.md"))


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("curl"), reason="the walk is in curl")
def test_the_walk_can_be_walked(transactional_db: None, live_server: Any, settings: Any, tmp_path: Path) -> None:
    world = build()
    settings.MEDIA_ROOT = tmp_path / "media"
    world.now = timezone.now() - timedelta(hours=12)
    ReasonCode.objects.create(list="extension", code="complex", label="情况复杂")
    app = make_remote(world, "app", Role.AGENT)
    unit = make_remote(world, "cg", Role.UNIT_LIAISON, Role.UNIT_LEADER, unit="仓山城管")
    first, second = world.lead(world.dispatched()), world.lead(world.handling())
    (tmp_path / "scene.jpg").write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x00" * 64)
    walk, follow, called, _ = blocks(API, "sh")
    told = (timezone.now() - timedelta(minutes=1)).isoformat(timespec="seconds")
    until = worktime.calendar().add(last_day_before(second.due_at), 1).isoformat()
    lines = "\n".join([walk, follow, called]).replace("http://127.0.0.1:8000", live_server.url)
    lines = lines.replace("/17/", f"/{first.pk}/").replace("/18/", f"/{second.pk}/").replace("2026-11-24T10:05:00+08:00", told)
    lines = lines.replace("2026-12-02", until).replace("oa.example.gov.cn", "93.184.215.14")  # a documented name resolves nowhere
    script = "set -eo pipefail\ncurl() { command curl --fail-with-body --noproxy '*' \"$@\"; }\n" + lines
    environment = {"PATH": "/usr/bin:/bin", "APP_TOKEN": app.clear, "UNIT_TOKEN": unit.clear}
    ran = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout[-600:] + ran.stderr[-600:]
    filed = Case.objects.get(contacts__source="app")
    assert (filed.state, filed.applicant.name, Upload.objects.get().used_at is None) == ("to_accept", "林小满", False)
    assert Task.objects.get(pk=first.pk).state == "replied" and Task.objects.filter(parent=second).exists()
    assert Endpoint.objects.get().kinds == ["dispatch", "send_back", "task_overdue"]


@pytest.mark.django_db
def test_the_check_of_a_signature_checks(world: World, receive: Any, settings: Any) -> None:  # noqa: F811
    settings.OUTBOX = settings.OUTBOX | {"webhook_networks": ["127.0.0.0/8"], "webhook_seconds": 2}
    room: dict[str, Any] = {}
    exec(blocks(NOTICES, "python")[0], room)
    verified = room["verified"]
    receiver: Receiver = receive(says(200))
    old, new = webhooks.new_secret(), webhooks.new_secret()
    listening = Endpoint.objects.create(
        name="市局", url=receiver.url, user=world["team_leader"], secret=new, made_at=timezone.now(),
        old_secret=old, old_secret_until=timezone.now() + timedelta(hours=1),
    )  # fmt: skip
    queue(listening)
    sending.send_one(Way.WEBHOOK)
    ((headers, body),) = receiver.calls
    assert verified(new, headers, body) and verified(old, headers, body), "both while it is being changed"
    assert not verified(webhooks.new_secret(), headers, body)
    assert not verified(new, headers, body.replace(b"test", b"tost"))
    assert not verified(new, headers | {"webhook-id": "another"}, body)
    for late in (-301, 301):
        assert not verified(new, headers, body, now=time.time() + late), "a replay"
    assert not verified(new, headers | {"webhook-timestamp": "soon"}, body)


@pytest.mark.django_db
def test_a_call_looks_as_described(world: World) -> None:
    (example,) = (block for block in blocks(NOTICES, "json") if '"event"' in block)
    case = world.dispatched()
    body = {"id": "x", **webhooks.payload("dispatch", case, version=case.version, state=case.state, at=world.now)}
    assert list(body) == re.findall(r'"(\w+)": ', example)


def test_the_lists_are_whole(client: Client) -> None:
    for scope in SCOPES:
        assert f"`{scope}`" in API, scope
    for code in problems.SENTENCES:
        assert f"`{code}`" in API, code
    for name in product.OUTBOX:
        assert f"`{name}`" in NOTICES, name
    for name in product.API:
        assert f"`{name}`" in API, name
    acts = {path.split("{task}/")[1] for path in (p for p in _paths() if "{task}/" in p)}
    assert all(f"`{act}`" in API for act in acts), acts
    assert TOLD


def _paths() -> list[str]:
    from .test_operations import DOCUMENT

    return list(DOCUMENT["paths"])
