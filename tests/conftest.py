"""Tests that cross rooms: the whole matrix of rights, whole days, real messages, the browser."""

from minsheng.cases.tests.conftest import world

__all__ = ["world"]
