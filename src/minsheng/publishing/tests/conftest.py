"""The small city of the cases room."""

from minsheng.cases.tests.conftest import world

__all__ = ["world"]
