"""The small city, at the present moment: the citizen's screens tell the time themselves."""

from datetime import timedelta

import pytest
from django.utils import timezone

from minsheng.cases.tests.world import World, build


@pytest.fixture
def world(db: None) -> World:
    """A fresh small city whose cases began yesterday, rolled back after the test."""
    world = build()
    world.now = timezone.now() - timedelta(days=1)
    return world
