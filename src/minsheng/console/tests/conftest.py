"""Hands that alter the database behind everybody's back, as in the audit room's tests."""

from minsheng.audit.tests.conftest import by_hand

__all__ = ["by_hand"]
