"""Tests that cross rooms: the whole matrix of rights, whole days, real messages, the browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import TransactionTestCase, modify_settings
from pytest_django.live_server_helper import LiveServer

from minsheng.audit.tests.conftest import by_hand
from minsheng.cases.tests.conftest import world

__all__ = ["by_hand", "world"]


@pytest.fixture(scope="module")
def kept_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A database that all tests of a file read: what is written into it stays until the last of them has run."""
    with django_db_blocker.unblock():
        case = TransactionTestCase("run")
        case._pre_setup()
        yield
        case._post_teardown()


@pytest.fixture(scope="module")
def served(kept_database: None) -> Iterator[str]:
    """Where that database is served, as `live_server` serves a test's own."""
    with modify_settings(ALLOWED_HOSTS={"append": "localhost"}):
        server = LiveServer("localhost")
        yield server.url
        server.stop()
