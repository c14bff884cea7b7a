"""minsheng import-messages FILE: messages of another system become cases waiting for acceptance."""

from __future__ import annotations

import csv
import time
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from minsheng.cases.choices import Channel, RequestKind
from minsheng.cases.models import Topic
from minsheng.cases.reference_queries import leaf_topics
from minsheng.channels.actions import import_messages
from minsheng.channels.import_files import Unreadable, read_table
from minsheng.channels.importing import SOURCE_LENGTH, BadRow, Checked, Known, check, find_columns, harmless
from minsheng.errors import Refused
from minsheng.organisations.models import Place
from minsheng.organisations.queries import valid_at

_SHOWN = 20
_EVERY_SECONDS = 2.0


class Command(BaseCommand):
    """All or nothing; with --skip-bad the good rows, all of them or none. Run again, it adds what is not here yet."""

    help = "Import messages from a CSV, CSV.GZ or XLSX file as cases; all or nothing, or --skip-bad."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and what it does not say itself."""
        parser.add_argument("file", type=Path, help="CSV, CSV.GZ or XLSX")
        parser.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN", help="e.g. text=留言详情")
        parser.add_argument("--source", default="", help="name of the source; default: the file's name")
        parser.add_argument("--channel", default=Channel.IMPORT, choices=Channel.values)
        parser.add_argument("--kind", default=RequestKind.OTHER, choices=RequestKind.values, help="of rows without one")
        parser.add_argument("--encoding", default="", help="default: UTF-8 or GB18030, whichever fits")
        parser.add_argument("--sheet", default="", help="of a workbook; default: the first")
        parser.add_argument("--skip-bad", action="store_true", help="import the good rows, report the others")
        parser.add_argument("--report", type=Path, help="write refused rows to this CSV file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, judge every row, then write."""
        now = timezone.now()
        source = options["source"].strip() or _source_of(options["file"])
        if len(source) > SOURCE_LENGTH:
            raise CommandError(f"来源名称最多 {SOURCE_LENGTH} 字，请用 --source 写短一些。")
        topics, places = _topics(now), _places(now)
        known = Known(topics=topics.keys(), places=places.keys(), kind=options["kind"])
        try:
            sheet = read_table(options["file"], encoding=options["encoding"], sheet=options["sheet"])
            checked = check(sheet, find_columns(sheet.header, _mapping(options["map"])), known, now=now)
        except Unreadable as error:
            raise CommandError(str(error)) from error
        self._report(checked, options["report"])
        if checked.bad and not options["skip_bad"]:
            raise CommandError(f"有 {len(checked.bad)} 行不能导入，一行也没有写入。请改正后重试，或用 --skip-bad 跳过。")
        try:
            done = import_messages(
                at=now,
                messages=checked.messages,
                source=source,
                channel=options["channel"],
                topics=topics,
                places=places,
                progress=self._progress(len(checked.messages)),
            )
        except Refused as refused:
            raise CommandError(f"没有写入：{refused.sentence}") from refused
        parts = [f"新增 {done.new} 件", f"已有 {done.known} 件"]
        parts += [f"文件内重复 {checked.repeated} 行"] if checked.repeated else []
        parts += [f"跳过 {len(checked.bad)} 行"] if checked.bad else []
        self.stdout.write(f"来源“{source}”：{'，'.join(parts)}。")

    def _report(self, checked: Checked, path: Path | None) -> None:
        for bad in checked.bad[:_SHOWN]:
            self.stderr.write(f"第 {bad.line} 行{f'（{bad.source_id}）' if bad.source_id else ''}：{bad.reason}")
        if len(checked.bad) > _SHOWN:
            more = f"，全部见 {path}" if path else "，用 --report 文件 可全部写出"
            self.stderr.write(f"……另有 {len(checked.bad) - _SHOWN} 行{more}")
        if path is not None:
            _write_report(path, checked.bad)

    def _progress(self, total: int) -> Callable[[int], None]:
        start = last = time.monotonic()

        def show(done: int) -> None:
            nonlocal last
            if (now := time.monotonic()) - last >= _EVERY_SECONDS:
                last = now
                self.stdout.write(f"[{now - start:5.0f} s] {done:,} / {total:,}")

        return show


def _source_of(path: Path) -> str:
    name = path.name
    for suffix in (".gz", ".csv", ".xlsx", ".tsv", ".txt"):
        name = name.removesuffix(suffix)
    return name[:SOURCE_LENGTH]


def _mapping(words: list[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    if wrong := [word for word, (name, _, column) in zip(words, pairs, strict=True) if not name or not column]:
        raise Unreadable(f"--map 写作 项=列名，例如 text=留言详情；看不懂“{wrong[0]}”。")
    return {name.strip(): column.strip() for name, _, column in pairs}


def _topics(now: datetime) -> dict[str, Topic]:
    leaves = leaf_topics(at=now)
    return {topic.name: topic for topic in leaves} | {topic.code: topic for topic in leaves}


def _places(now: datetime) -> dict[str, Place]:
    """By code, by name where only one place has it, and by county and street together."""
    rows = list(Place.objects.filter(valid_at(now)).select_related("parent"))
    names = [place.name for place in rows]
    found = {place.name: place for place in rows if names.count(place.name) == 1}
    found |= {f"{place.parent.name}{place.name}": place for place in rows if place.parent}
    return found | {place.code: place for place in rows}


def _write_report(path: Path, bad: list[BadRow]) -> None:
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["行", "编号", "原因"])
            writer.writerows([row.line, harmless(row.source_id), row.reason] for row in bad)
    except OSError as error:
        raise CommandError(f"写不了报告 {path}：{error.strerror}。") from error
