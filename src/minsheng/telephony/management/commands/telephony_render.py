"""`minsheng telephony render`: the switch's files from our database, and word to the switch that they are new."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from minsheng.telephony import control
from minsheng.telephony.ami import AmiError
from minsheng.telephony.layout import VERSIONS, NotConfigured, layout
from minsheng.telephony.rendering import can_be_read, files_for, plan_at, write


class Command(BaseCommand):
    """All files or none; a switch that runs goes on with its calls."""

    help = "Write the switch's whole configuration; --reload: have it read it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to, for which version, and whether the switch is told."""
        parser.add_argument("--folder", type=Path, help="in place of the setting's")
        parser.add_argument("--for-version", type=int, choices=VERSIONS, help="Asterisk's, in place of the setting's")
        parser.add_argument("--reload", action="store_true")

    def handle(self, *args: Any, folder: Path | None, for_version: int | None, reload: bool, **options: Any) -> None:
        """Write, say what callers would miss, reload."""
        changes = {"folder": folder, "version": for_version}
        try:
            where = layout(**{name: value for name, value in changes.items() if value is not None})
        except NotConfigured as error:
            raise CommandError(str(error)) from error
        plan = plan_at(timezone.now())
        for warning in plan.warnings:
            self.stderr.write(self.style.WARNING(warning))
        try:
            changed = write(files_for(plan, where), where)
        except OSError as error:
            raise CommandError(f"配置未写入：{error}") from error
        self.stdout.write(f"{where.etc}：{'已更新' if changed else '没有变化'}")
        # A switch that cannot read its files starts all the same, with settings of its own, on all addresses.
        if not can_be_read(where):
            raise CommandError(f"交换机的用户 {where.user} 读不到 {where.etc}，请先不要启动它。请把 folder 设在它进得去的地方。")
        if reload:
            self._reload(where)

    def _reload(self, where: Any) -> None:
        try:
            asyncio.run(control.reload(where))
        except (OSError, TimeoutError, AmiError) as error:
            raise CommandError(f"文件已写好，但交换机没有应答（{error}）。请启动 Asterisk 后再运行一次。") from error
        self.stdout.write("交换机已重新读取配置，通话不受影响。")
