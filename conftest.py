"""Every test run: a scratch PostgreSQL outside the project, settings for tests, and loud skips.

The environment is set when this file is imported, before Django's settings are. Each worker of pytest-xdist has a server of its
own: readers that follow transaction ids wait for the oldest one of the whole server, so one worker's open transaction would
hold another's seals and ticks back. A server ends with its process, killed or not.
`MINSHENG_TEST_POSTGRES=system` runs on Debian's PostgreSQL instead of the wheel's.
"""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Short, as a Unix socket's path has at most 107 bytes; and never the developer's own state.
_scratch = Path(tempfile.mkdtemp(prefix="minsheng-test-", dir="/tmp"))
atexit.register(shutil.rmtree, _scratch, ignore_errors=True)
(_scratch / "static").mkdir()  # whitenoise warns of a folder that is not there, once for each client
os.environ["MINSHENG_HOME"] = str(_scratch)
os.environ["DATABASE_URL"] = f"host={_scratch / 'postgres'} user=minsheng dbname=minsheng"
os.environ["MINSHENG_TESTING"] = "1"
for _name in [name for name in os.environ if name.startswith("MINSHENG_") and name.endswith("_KEY")]:
    del os.environ[_name]
for _name in ("MINSHENG_SECURE", "MINSHENG_HOSTS", "MINSHENG_ORIGINS", "MINSHENG_DB_POOL", "MINSHENG_DEBUG", "MINSHENG_TELEPHONY"):
    os.environ.pop(_name, None)
os.environ["DJANGO_SETTINGS_MODULE"] = "minsheng.platform.settings"
# Playwright's synchronous driver keeps an event loop in the thread that also prepares the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

import django  # noqa: E402 - the environment above must come first

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402

from minsheng.platform import emptying, testing  # noqa: E402
from minsheng.platform.postgres import Server, find_binaries  # noqa: E402


def pytest_configure(config: pytest.Config) -> None:
    testing.register_markers(config)
    emptying.empty_patiently()
    is_controller = bool(getattr(config.option, "numprocesses", None)) and "PYTEST_XDIST_WORKER" not in os.environ
    if config.option.help or config.option.collectonly or is_controller:
        return  # nothing runs here: with -n, the workers have servers of their own
    binaries = find_binaries(source=os.environ.get("MINSHENG_TEST_POSTGRES", ""))
    server = Server(_scratch / "postgres", binaries=binaries, durable=False, tethered=True)
    server.ensure_running()
    # A worker inherits the controller's environment, and pytest-django may have read the settings before this file was.
    connections["default"].settings_dict["HOST"] = settings.DATABASES["default"]["HOST"] = str(_scratch / "postgres")
    config.add_cleanup(lambda: server.stop(immediately=True))


def pytest_collection_finish() -> None:
    """All that is loaded by now stays to the end: the collector need not look through it again and again (a twentieth of the run)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_runtest_setup(item: pytest.Item) -> None:
    testing.skip_loudly(item)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    testing.report_untested(terminalreporter)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real messages; tests that use it carry the marker `realdata`."""
    folder = testing.real_data_folder()
    assert folder is not None, "mark this test with @pytest.mark.realdata"
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser; tests that use it carry the marker `browser`."""
    program = testing.chromium_program()
    assert program is not None, "mark this test with @pytest.mark.browser"
    return program


@pytest.fixture(scope="module")
def kept_transaction(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """What is written in it stays for all tests of a file, each of which is rolled back for itself, and goes with the last."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A real Chromium for this file's walks; people in it are minsheng.platform.browsing.Person."""
    from minsheng.platform.browsing import chromium_browser

    with chromium_browser() as browser:
        yield browser
