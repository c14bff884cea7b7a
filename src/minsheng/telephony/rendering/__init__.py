"""The switch's whole configuration, written from our database."""

from minsheng.telephony.rendering.files import files_for
from minsheng.telephony.rendering.plan import Plan, plan_at
from minsheng.telephony.rendering.writing import can_be_read, write

__all__ = ["Plan", "can_be_read", "files_for", "plan_at", "write"]
