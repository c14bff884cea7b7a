"""The transition table is sound, and the document drawn from it is the present one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import product

import pytest
from django.conf import settings

from minsheng.accounts.choices import Role
from minsheng.cases import panels
from minsheng.cases.actors import CITIZEN_ROLE, SYSTEM_ROLE, Outsider
from minsheng.cases.choices import CaseState, TaskState
from minsheng.cases.diagram import document
from minsheng.cases.guards import Situation
from minsheng.cases.models import Case, Task
from minsheng.cases.workflow import TRANSITIONS, Subject, Transition, allows


def test_the_document_is_the_tables() -> None:
    page = settings.PROJECT / "docs/workflow.md"
    assert page.read_text(encoding="utf-8") == document(), "run: minsheng workflow-diagram > docs/workflow.md"


def test_codes_are_unique_and_states_and_roles_exist() -> None:
    codes = [row.code for row in TRANSITIONS]
    assert len(codes) == len(set(codes))
    for row in TRANSITIONS:
        states = set(CaseState.values) if row.subject is Subject.CASE else set(TaskState.values)
        assert row.sources <= states and set(row.ends_in) <= states
        assert row.case_states <= set(CaseState.values)
        assert row.roles <= {*Role.values, CITIZEN_ROLE, SYSTEM_ROLE}


def test_every_case_state_can_be_left_and_reached() -> None:
    left = {source for row in TRANSITIONS if row.subject is Subject.CASE for source in row.sources}
    assert set(CaseState.values) - left == {CaseState.ARCHIVED}


def test_whatever_staff_may_do_has_a_form() -> None:
    """Drafts have their own page; the system and the citizen press no staff buttons."""
    for row in TRANSITIONS:
        if row.roles & set(Role.values) and row.code not in {"submit", "discard"}:
            assert panels.panel_for(row.code) is not None, row.code


@pytest.mark.parametrize("row", TRANSITIONS, ids=lambda row: row.code)
def test_a_row_holds_for_its_roles_from_each_of_its_states_and_from_no_other(row: Transition) -> None:
    """Who may does not depend on the state: what tests/test_matrix.py shows from one of a row's states holds from all."""
    bare = replace(row, guards=())
    tasks = [None] if row.subject is Subject.CASE else [Task(state=state) for state in TaskState]
    for case, task in product([Case(state=state) for state in CaseState], tasks):
        fits = case.state in row.sources if task is None else case.state in row.case_states and task.state in row.sources
        for role in [*Role.values, CITIZEN_ROLE, SYSTEM_ROLE]:
            situation = Situation(Outsider(role, ""), datetime.min, case, task)
            assert allows(bare, situation) == (fits and role in row.roles), (role, case.state, task and task.state)


def test_every_guard_says_its_rule() -> None:
    for row in TRANSITIONS:
        for guard in row.guards:
            assert guard.__doc__, guard.__name__
