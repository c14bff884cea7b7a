"""Fuzhou as shipped."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from minsheng.organisations import reference

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture
def at() -> datetime:
    """A Monday morning in Fuzhou."""
    return AT


@pytest.fixture
def fuzhou(db: None) -> None:
    """All places and units, rolled back after the test."""
    reference.load_places(actor=None, at=AT)
    reference.load_units(actor=None, at=AT)
