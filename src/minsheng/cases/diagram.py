"""docs/workflow.md, drawn from the transition table, so that the document cannot say otherwise than the code."""

from __future__ import annotations

from collections.abc import Iterable

from minsheng.accounts.choices import Role
from minsheng.cases.actors import CITIZEN_ROLE, SYSTEM_ROLE
from minsheng.cases.choices import UNFINISHED_TASK_STATES, CaseState, TaskState
from minsheng.cases.workflow import BY_CODE, TRANSITIONS, Subject, Transition

_GIVING = ("dispatch", "add_assisting", "sub_dispatch", "second_handling")  # through cases/assigning.py, where tasks begin
_OUTSIDERS = {CITIZEN_ROLE: "诉求人", SYSTEM_ROLE: "系统"}

HEAD = """# The workflow

Made by `minsheng workflow-diagram > docs/workflow.md` from `minsheng/cases/workflow.py`; a test holds the two together.
Guards are functions of `minsheng/cases/guards.py`; the sentence behind each is its docstring. *Alongside* is what an act can do to
the case of its task and to the case's other tasks (of 退回上级, those below it); unfinished are tasks active or replied. Conditions
may narrow it.
"""


def document() -> str:
    """The whole page, in Markdown with Mermaid diagrams."""
    parts = [
        HEAD,
        "## A case\n\n" + _diagram(_case_edges(), CaseState),
        "## A task\n\n" + _diagram(_task_edges(), TaskState),
        "## The table\n\n" + _table(),
    ]
    return "\n".join(parts)


def _case_edges() -> Iterable[tuple[str, str, str]]:
    yield "[*]", CaseState.DRAFT, "暂存"
    yield "[*]", CaseState.TO_ACCEPT, "提交"
    yield "[*]", CaseState.TO_DISPATCH, BY_CODE["split"].label
    for row in TRANSITIONS:
        if row.subject is Subject.CASE:
            yield from ((source, target, row.label) for source in _ordered(row.sources) for target in row.ends_in)
        elif row.case_target:
            yield from ((source, row.case_target, row.label) for source in _ordered(row.case_states))


def _task_edges() -> Iterable[tuple[str, str, str]]:
    for code in _GIVING:
        yield "[*]", TaskState.TO_READ, BY_CODE[code].label
    for row in TRANSITIONS:
        if row.subject is Subject.TASK:
            yield from ((s, t, row.label) for s in _ordered(row.sources) for t in row.ends_in if s != t)
        for sources, target in row.tasks_then:
            yield from ((source, target, row.label) for source in _ordered(sources))


def _ordered(states: Iterable[str]) -> list[str]:
    order = [*CaseState.values, *TaskState.values]
    return sorted(states, key=order.index)


def _diagram(edges: Iterable[tuple[str, str, str]], states: type[CaseState] | type[TaskState]) -> str:
    """One arrow for each pair of states, labelled with all that leads along it."""
    labels: dict[tuple[str, str], list[str]] = {}
    for source, target, label in edges:
        here = labels.setdefault((str(source), str(target)), [])
        if label not in here:
            here.append(label)
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    {state.value}: {state.label}" for state in states]
    lines += [f"    {source} --> {target}: {'、'.join(names)}" for (source, target), names in labels.items()]
    return "\n".join([*lines, "```", ""])


def _table() -> str:
    lines = ["| code | action | on | from | to | alongside | who | conditions |", "|---|---|---|---|---|---|---|---|"]
    return "\n".join([*lines, *(_line(row) for row in TRANSITIONS), ""])


def _line(row: Transition) -> str:
    names = CaseState if row.subject is Subject.CASE else TaskState
    sources = "、".join(str(names(s).label) for s in _ordered(row.sources))
    targets = "、".join(str(names(t).label) for t in row.ends_in) or "（不变）"
    guards = ", ".join(f"`{guard.__name__}`" for guard in row.guards)
    cells = [f"`{row.code}`", row.label, row.subject.value, sources, targets, _alongside(row), _who(row.roles), guards]
    return "| " + " | ".join(cells) + " |"


def _alongside(row: Transition) -> str:
    """What else can change: the case of a task's row, and the other tasks."""
    parts = [f"case → {CaseState(row.case_target).label}"] if row.case_target else []
    for sources, target in row.tasks_then:
        which = "unfinished" if sources == UNFINISHED_TASK_STATES else "、".join(str(TaskState(s).label) for s in _ordered(sources))
        parts.append(f"tasks: {which} → {TaskState(target).label}")
    return "; ".join(parts)


def _who(roles: Iterable[str]) -> str:
    order = [*_OUTSIDERS, *Role.values]
    return "、".join(_OUTSIDERS.get(role) or str(Role(role).label) for role in sorted(roles, key=order.index))
