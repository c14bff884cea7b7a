"""The small city, for this room."""

from minsheng.cases.tests.conftest import world

__all__ = ["world"]
