"""`minsheng audit verify`: is every row of the timelines, the audit log and the seals as it was written?"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from minsheng.audit.findings import Report
from minsheng.audit.queries import verify


class Command(BaseCommand):
    """Prints a summary and each finding; ends with 1 when there is one."""

    help = "核验办理历程、审计记录和封存是否被改动 (verify chains, audit log and seals)"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="以 JSON 输出 (print JSON)")
        parser.add_argument(
            "--export", type=Path, metavar="FOLDER", help="同时与导出的封存核对 (compare with the export)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path | None = options["export"]
        if folder is not None and not folder.is_dir():
            self.stderr.write(f"没有这个文件夹 (no such folder): {folder}")
            sys.exit(2)
        report = verify(export=folder)
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict(), ensure_ascii=False, indent=2))
        else:
            self._tell(report)
        if not report.ok:
            sys.exit(1)

    def _tell(self, report: Report) -> None:
        for finding in report.findings:
            self.stdout.write(f"✗ {finding.sentence} | {finding.english}")
        self.stdout.write(
            f"办理历程 {report.entries} 条（{report.chains} 件，未封存 {report.entries_not_yet_sealed} 条，"
            f"依法清除文字 {report.notes_erased} 条）；"
            f"审计记录 {report.audit_entries} 条（未封存 {report.audit_entries_not_yet_sealed} 条）；"
            f"封存 {report.seals} 次"
        )
        self.stdout.write(
            f"{report.entries} timeline entries in {report.chains} chains "
            f"({report.entries_not_yet_sealed} not yet sealed, {report.notes_erased} notes erased), "
            f"{report.audit_entries} audit entries "
            f"({report.audit_entries_not_yet_sealed} not yet sealed), {report.seals} seals"
        )
        if report.exported_seals is not None:
            self.stdout.write(
                f"导出文件中有 {report.exported_seals} 次封存 | {report.exported_seals} seals in the export"
            )
        if report.ok:
            self.stdout.write("核验通过，没有发现改动。 | Verified: nothing was altered.")
        else:
            self.stdout.write(f"发现 {len(report.findings)} 处问题。 | {len(report.findings)} findings.")
