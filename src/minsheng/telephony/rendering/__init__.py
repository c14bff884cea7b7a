"""The switch's whole configuration, written from our database."""

from minsheng.telephony.rendering.files import files_for
from minsheng.telephony.rendering.plan import Plan, plan_at
from minsheng.telephony.rendering.writing import write

__all__ = ["Plan", "files_for", "plan_at", "write"]
