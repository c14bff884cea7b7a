"""`minsheng bench search`: each class is asked by everybody who may, and finds what was put there. How fast it is, no test says."""

from __future__ import annotations

from django.utils import timezone

from minsheng.cases.models import Case, CaseWords
from minsheng.cases.reference import load_reference
from minsheng.console.bench.search import as_table, measure, prepare

CASES = 300


def test_it_asks_the_whole_mix_and_finds(db: None) -> None:
    load_reference(actor=None, at=timezone.now())
    prepare(CASES)
    assert Case.objects.count() == CaseWords.objects.count() == CASES
    told = measure(rounds=1, words=1)
    assert told["cases"] == CASES and isinstance(told["met"], bool)
    classes = [kind for kind in told["mix"] if not kind.startswith("by ")]
    assert len(classes) == 11 and told["mix"]["telephone"] == told["mix"]["case number"] - 1  # an analyst sees no persons
    function, page = told["function"], told["page"]
    assert function["all"]["searches"] == page["all"]["searches"] == sum(told["mix"][kind] for kind in classes)
    assert function["bench-dispatcher"]["found_median"] >= 1
    assert function["two characters, common"]["found_median"] > function["nothing has it"]["found_median"] == 0
    assert all(floor["p50"] > 0 for floor in told["floor"].values())
    assert "bar: p95 50.0 ms" in as_table(told)
