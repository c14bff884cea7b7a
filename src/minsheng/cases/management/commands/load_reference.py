"""`load_reference`: calendar, limits, places, units, topics, grounds and reasons; all or nothing, repeatable."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from minsheng.cases.reference import load_reference


class Command(BaseCommand):
    """What an administrator has changed stays; see `minsheng.organisations.loading`."""

    help = "装入基础数据（日历与时限、地点、承办单位、主题、不予受理情形、原因代码）；可重复运行，不覆盖管理员的修改"

    def handle(self, *args: Any, **options: Any) -> None:
        """Load and say what was done."""
        for name, count in load_reference(actor=None, at=timezone.now()).items():
            self.stdout.write(f"{name}：{count}")
