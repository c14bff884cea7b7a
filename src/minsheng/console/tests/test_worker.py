"""The worker as the supervisor starts it: a process of its own, which must find every room's jobs without our help."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from minsheng.cases.choices import TaskState
from minsheng.cases.models import Task
from minsheng.cases.tests.world import build
from minsheng.platform import up

# Without these the product breaks a promise silently, so their names stand here too.
PROMISED = {
    "cases.read_overdue",
    "cases.archive_quiet",
    "cases.recount_nightly",
    "audit.seal",
    "audit.export_seals",
    "portal.purge",
}
# A task decorated with a schedule, wherever in a room it stands.
_PERIODIC = re.compile(r"@app\.periodic\([^\n]*\)\n(?:@[^\n]*\n)*?@app\.task\(\s*name=\"([\w.]+)\"")
_ASK = (
    "import json; from procrastinate.contrib.django import app;"
    "print(json.dumps(sorted(name for name, _ in app.periodic_registry.periodic_tasks)))"
)
PATIENCE_SECONDS = 40


def command() -> list[str]:
    """The supervisor's own."""
    return next(program.command for program in up.programs(port=1, events_port=2) if program.name == "worker")


def written() -> set[str]:
    """Every periodic task that stands in the source."""
    sources = (path for path in Path(settings.PACKAGE).rglob("*.py") if "tests" not in path.parts)
    return {name for path in sources for name in _PERIODIC.findall(path.read_text())}


def environment() -> dict[str, str]:
    """The test's database, as the process would be told of any."""
    at = connection.settings_dict
    where = f"host={at['HOST']} user={at['USER']} dbname={at['NAME']}" + (f" port={at['PORT']}" if at["PORT"] else "")
    return os.environ | {"DATABASE_URL": where}


def test_a_worker_process_knows_every_rooms_periodic_tasks() -> None:
    """Asked in the worker's place: the same program, with a question instead of its work."""
    asked = [*command()[:-1], "shell", "--no-imports", "-c", _ASK]
    answer = subprocess.run(asked, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, answer.stderr
    known = json.loads(answer.stdout.splitlines()[-1])
    assert len(known) == len(set(known))
    assert set(known) == written() >= PROMISED


def test_the_supervisors_worker_reads_what_is_overdue_and_seals(transactional_db: None) -> None:
    """The real process, on its schedule: it was down when the limit passed, and reads late; that is still not timely."""
    world = build()
    world.now = timezone.now() - timedelta(days=30)
    task = world.lead(world.dispatched())
    with running():
        _wait_for(lambda: Task.objects.get(pk=task.pk).state == TaskState.HANDLING)
        _wait_for(lambda: ProcrastinateJob.objects.filter(task_name="audit.seal", status="succeeded").exists())
    read = Task.objects.get(pk=task.pk)
    assert read.read_automatically and read.read_by is None
    assert read.read_at is not None and read.read_at > read.read_due_at
    assert not ProcrastinateJob.objects.filter(status="failed").exists()


@contextmanager
def running() -> Iterator[None]:
    """The worker until the block ends; it leaves when it is asked to."""
    worker = subprocess.Popen(command(), env=environment(), stderr=subprocess.PIPE, text=True)
    try:
        yield
    finally:
        worker.terminate()
        _, said = worker.communicate(timeout=30)
    assert worker.returncode == 0, said


def _wait_for(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, "the worker did not do it in time"
        time.sleep(0.2)
