"""Seal now what is not sealed yet; `--export` writes the seals out as well."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from minsheng.audit.actions import export_seals, seal


class Command(BaseCommand):
    """For an operator; the worker does the same every minute."""

    help = "立即封存办理历程和审计记录 (seal timelines and the audit log now)"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--export", type=Path, metavar="FOLDER", help="并导出到文件夹 (export the seals as well)")

    def handle(self, *args: Any, **options: Any) -> None:
        made = 0
        while sealed := seal(at=timezone.now()):
            made += 1
            self.stdout.write(
                f"封存 {sealed.number}：办理历程 {sealed.timeline_count} 条，审计记录 {sealed.audit_count} 条"
            )
        if not made:
            self.stdout.write("没有新的记录需要封存。")
        if options["export"]:
            self.stdout.write(f"导出 {export_seals(folder=options['export'])} 次封存。")
