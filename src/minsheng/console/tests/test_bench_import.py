"""`minsheng bench import`: it counts what it says, and leaves nothing of its floor behind. How fast it is, no test says."""

from __future__ import annotations

from pathlib import Path

from django.db import connection

from minsheng.cases.models import Case
from minsheng.cases.tests.world import build
from minsheng.console.bench.importing import WRITTEN, as_table, measure


def test_it_counts_the_imported_rows_and_copies_all_of_them(db: None, tmp_path: Path) -> None:
    build()
    file = tmp_path / "letters.csv"
    file.write_text("编号,内容\n1,路灯三天不亮。\n2,夜里打桩。\n", encoding="utf-8")
    told = measure(file)
    assert told["rows"] == Case.objects.count() == 2
    assert all(model._default_manager.count() >= 2 for model in WRITTEN)
    assert told["floor"]["rows_of_all_tables"] == sum(model._default_manager.count() for model in WRITTEN)
    assert told["seconds"] > 0 and told["floor"]["seconds"] > 0
    assert "2 rows in" in as_table(told)
    assert not [table for table in connection.introspection.table_names() if table.startswith("bare_")]
