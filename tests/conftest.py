"""Tests that cross rooms: the whole matrix of rights, whole days, real messages, the browser."""

from minsheng.audit.tests.conftest import by_hand
from minsheng.cases.tests.conftest import world

__all__ = ["by_hand", "world"]
