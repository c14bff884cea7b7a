"""The small city, for this room's tests and for those of higher rooms."""

import pytest

from minsheng.cases.tests.world import World, build


@pytest.fixture
def world(db: None) -> World:
    """A fresh small city, rolled back after the test."""
    return build()
