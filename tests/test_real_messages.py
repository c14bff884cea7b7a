"""Real citizens' messages come in once and are carried to their ends by the actions: on every path of the table, to every ending.

A path is a row of the table from one of its states to one that it can lead to.
A life is a line of words, each word one step below; several messages live each life. Where the real messages are not, made-up
ones live the same lives, so that every run covers them all. Nothing here writes a case but the actions.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path as Folder
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from minsheng.audit.queries import verify
from minsheng.cases import actions, workflow
from minsheng.cases.actors import CITIZEN
from minsheng.cases.choices import ACTIVE_TASK_STATES, AskState, CaseState, Channel, Ending, RequestKind, TaskState
from minsheng.cases.models import Ask, Case, Contact, Message, ReasonCode, RefusalGround, Reply, Task, TimelineEntry
from minsheng.cases.panels.intake import details_of
from minsheng.cases.tests.world import START, World, build, fresh
from minsheng.dispatching import actions as dispatching
from minsheng.followup import actions as followup
from minsheng.worktime import queries as worktime
from minsheng.worktime.moments import last_day_before

REAL = 4326  # messages in the file of real ones
FINISHED = {CaseState.CLOSED, CaseState.ARCHIVED}
Path = tuple[str, str, str]  # an act's code, a state before it and after it
# Paths that no message can live, and why.
NEVER_LIVED: dict[Path, str] = {
    ("discard", "draft", "draft"): "deletes an agent's unfinished form: it never had a number, and no timeline is left to tell of it",
}
# Rows whose act may leave the state as it was: a refused ask, a citizen not reached, a verdict that somebody must judge.
MAY_STAY = {"decide_pause", "decide_termination", "follow_up", "rate"}
# Entries that are not acts of the table: a part that was split off begins with one.
NOT_OF_THE_TABLE = {"split_off"}


@dataclass
class Walk:
    """One message's case on its way; `others` are cases that joined it or came of it, and go on by themselves."""

    world: World
    case: Case
    now: datetime
    others: list[Case] = field(default_factory=list)
    alongside: set[Path] = field(default_factory=set)

    def take(self, words: str) -> None:
        """One step after another, ten minutes apart. “read@水务”: the unit that does it, or gets it."""
        for word in words.split():
            name, _, unit = word.partition("@")
            self.now += timedelta(minutes=10)
            self.case = fresh(self.case)
            before = self.tasks()
            STEPS[name](self, unit or "城管")
            self.look_alongside(before)

    def tasks(self) -> dict[int, str]:
        return dict(Task.objects.filter(case=self.case).values_list("pk", "state"))

    def look_alongside(self, before: dict[int, str]) -> None:
        """What became of tasks that were not the act's own is what the table says of it: no timeline entry tells it of each."""
        entry = TimelineEntry.objects.filter(case=self.case).latest("seq")
        after = self.tasks()
        moved = {(entry.code, was, after[pk]) for pk, was in before.items() if after[pk] != was and pk != entry.task_id}
        assert moved <= set(alongside_of(workflow.BY_CODE[entry.code])), moved
        self.alongside |= moved

    def by(self, who: str) -> dict[str, Any]:
        """Whose act, when, on which case."""
        return {"actor": self.world[who], "at": self.now, "case": self.case}

    def of(self, unit: str, rank: str = "联络") -> dict[str, Any]:
        """Whose act, when, on which of the unit's tasks."""
        return {"actor": self.world[f"{unit}{rank}"], "at": self.now, "task": self.task(unit)}

    def judging(self, unit: str, who: str = "auditor") -> dict[str, Any]:
        """Somebody of the centre on a unit's task."""
        return {"actor": self.world[who], "at": self.now, "task": self.task(unit)}

    def task(self, unit: str) -> Task:
        return self.world.task_of(self.case, UNITS[unit])

    def unit(self, unit: str) -> Any:
        return self.world.units[UNITS[unit]]

    def officer(self) -> str:
        """Who follows up: never who gave the case its second handling."""
        return "follow_up2" if self.case.dispatched_by == self.world["follow_up"] else "follow_up"

    def corrected(self, topic: str, kind: RequestKind = RequestKind.COMPLAINT) -> Any:
        """The message's own words under a topic and a place, as a person of the centre understands them."""
        return details_of(self.case, kind=kind, topic=self.world.topics[topic], place=self.world.places["建新镇"])


UNITS = {"城管": "仓山城管", "区政府": "仓山区政府", "环境": "生态环境", "中队": "建新中队", "水务": "水务"}
REPLY: dict[str, Any] = {"text": "经现场核查，已处理并答复。", "finding": "true", "outcome": "supported", "solved": "yes", "basis": "管理条例第三条"}
HAPPY: dict[str, Any] = {"satisfaction": "satisfied", "solved": "yes"}
UNHAPPY: dict[str, Any] = {"satisfaction": "unsatisfied", "solved": "no"}
YES: dict[str, Any] = {"grant": True, "note": "理由成立，同意"}
NO: dict[str, Any] = {"grant": False, "note": "理由不足，请按时办结"}


def _dispatch(w: Walk, unit: str) -> None:
    """To this unit; to nobody else beside it."""
    words = "有群众反映一件事，请核查。" if w.case.confidential else ""
    dispatching.dispatch_case(**w.by("dispatcher"), lead=w.unit(unit), unit_text=words)


def _merge(w: Walk, unit: str) -> None:
    (survivor,) = w.others
    dispatching.merge_case(**w.by("dispatcher"), into=survivor)


def _split(w: Walk, unit: str) -> None:
    w.others += dispatching.split_case(**w.by("dispatcher"), parts=[w.corrected("道路塌陷"), w.corrected("夜间施工噪声")])


def _read_late(w: Walk, unit: str) -> None:
    task = w.task(unit)
    w.now = task.read_due_at
    actions.read_automatically(at=w.now, task=task)


def _ask_return(w: Walk, unit: str) -> None:
    grounds: dict[str, Any] = {"reason_code": "duty", "reason": "不是本局职责", "basis": "三定方案第四条", "proposed_unit": w.unit("水务")}
    actions.request_return(**w.of(unit), **grounds)


def _ask_extension(w: Walk, unit: str) -> None:
    until = worktime.calendar().add(last_day_before(w.task(unit).due_at), 1)
    actions.request_extension(**w.of(unit), until=until, reason_code="", reason="须等检测结果", citizen_told_at=w.now)


def _miss(w: Walk, unit: str, **more: Any) -> None:
    w.now += timedelta(hours=3)
    followup.record_follow_up(**w.by(w.officer()), reached=False, **more)


def _archive(w: Walk, unit: str) -> None:
    w.now += timedelta(days=31)
    actions.archive_case(at=w.now, case=w.case)


STEPS: dict[str, Callable[[Walk, str], Any]] = {
    # --- intake ---
    "correct": lambda w, u: actions.correct_case(**w.by("agent"), details=w.corrected("夜间施工噪声")),
    "correct_urgent": lambda w, u: actions.correct_case(**w.by("agent"), details=w.corrected("道路塌陷", RequestKind.HELP)),
    "accept": lambda w, u: actions.accept_case(**w.by("agent")),
    "answer": lambda w, u: actions.answer_case(**w.by("agent"), text="请带身份证到属地窗口办理。"),
    "reject": lambda w, u: actions.reject_case(**w.by("dispatcher"), ground=RefusalGround.objects.get(code="out_of_city")),
    "transfer": lambda w, u: actions.transfer_case(**w.by("agent"), target=ReasonCode.objects.get(list="transfer", code="110")),
    "mark_invalid": lambda w, u: actions.mark_invalid(**w.by("agent"), reason="没有可以办理的事项"),
    "withdraw": lambda w, u: actions.withdraw_case(actor=CITIZEN, at=w.now, case=w.case, reason="已经解决了"),
    "supplement": lambda w, u: actions.supplement_case(actor=CITIZEN, at=w.now, case=w.case, channel=Channel.WEB, text="今晚又来了"),
    "make_confidential": lambda w, u: actions.make_confidential(**w.by("dispatcher"), reason="诉求人怕被报复"),
    "lift_confidentiality": lambda w, u: actions.lift_confidentiality(**w.by("hotline_leader"), reason="诉求人同意"),
    # --- dispatch ---
    "dispatch": _dispatch,
    "merge": _merge,
    "split": _split,
    "send_to_study": lambda w, u: dispatching.send_to_study(**w.by("dispatcher"), reason="职责不清"),
    "conclude_study": lambda w, u: dispatching.conclude_study(**w.by("hotline_leader"), conclusion="会议纪要", ruled_unit=w.unit(u)),
    "recall": lambda w, u: dispatching.recall_case(**w.by("dispatcher"), reason="派错了"),
    "add_assisting": lambda w, u: dispatching.add_assisting(**w.by("dispatcher"), units=[w.unit(u)]),
    "urge": lambda w, u: actions.urge_case(**w.by("supervisor"), reason="已三次来电"),
    "reopen": lambda w, u: dispatching.reopen_case(**w.by("dispatcher"), reason="问题又出现"),
    # --- units ---
    "read": lambda w, u: actions.read_task(**w.of(u)),
    "read_late": _read_late,
    "reach_out": lambda w, u: actions.reach_out(**w.of(u), reached_at=w.now, method="phone", reached=True, summary="已联系"),
    "take_first_measures": lambda w, u: actions.take_first_measures(**w.of(u), text="已到场围挡"),
    "hand_down": lambda w, u: actions.sub_dispatch(**w.of("区政府"), unit=w.unit(u)),
    "sub_dispatch": lambda w, u: actions.sub_dispatch(**w.of("城管"), unit=w.unit(u)),
    "return_to_parent": lambda w, u: actions.return_to_parent(**w.of(u), reason="不在本中队辖区"),
    "report": lambda w, u: actions.report_result(**w.of(u), text="已处理，现报送。"),
    "send_report_back": lambda w, u: actions.send_report_back(**w.of("城管") | {"task": w.task(u)}, reason="没有写明时间"),
    "excuse_report": lambda w, u: actions.excuse_report(**w.of("城管") | {"task": w.task(u)}, reason="无需监测"),
    "draft": lambda w, u: actions.draft_reply(**w.of(u), **REPLY),
    "decline": lambda w, u: actions.decline_to_sign(**w.of(u, "领导"), reason="请写明处理经过"),
    "sign": lambda w, u: actions.sign_reply(**w.of(u, "领导")),
    # --- what a unit asks for, and the answer ---
    "ask_return": _ask_return,
    "grant_return": lambda w, u: actions.decide_return(**w.judging(u), **YES),
    "refuse_return": lambda w, u: actions.decide_return(**w.judging(u), **NO),
    "ask_extension": _ask_extension,
    "grant_extension": lambda w, u: actions.decide_extension(**w.judging(u), **YES),
    "refuse_extension": lambda w, u: actions.decide_extension(**w.judging(u), **NO),
    "ask_pause": lambda w, u: actions.request_pause(**w.of(u), reason_code="", reason="等候鉴定", basis="委托书"),
    "grant_pause": lambda w, u: actions.decide_pause(**w.judging(u), **YES),
    "refuse_pause": lambda w, u: actions.decide_pause(**w.judging(u), **NO),
    "resume": lambda w, u: actions.resume_task(**w.of(u)),
    "ask_termination": lambda w, u: actions.request_termination(**w.of(u), reason_code="", reason="诉求人拒不配合", basis="记录"),
    "grant_termination": lambda w, u: actions.decide_termination(**w.judging(u), **YES),
    "refuse_termination": lambda w, u: actions.decide_termination(**w.judging(u), **NO),
    "ask_set_aside": lambda w, u: actions.request_set_aside(**w.of(u), reason="要求超出法律规定", basis="民法典"),
    "grant_set_aside": lambda w, u: actions.decide_set_aside(**w.judging(u, "hotline_leader"), **YES),
    "refuse_set_aside": lambda w, u: actions.decide_set_aside(**w.judging(u), **NO),
    # --- audit, verdict, end ---
    "pass": lambda w, u: actions.pass_reply(**w.by("auditor")),
    "send_back": lambda w, u: actions.send_back(**w.by("auditor2"), reasons=["no_process"]),
    "hear": lambda w, u: followup.record_follow_up(**w.by(w.officer()), reached=True, **HAPPY),
    "hear_unhappy": lambda w, u: followup.record_follow_up(**w.by(w.officer()), reached=True, **UNHAPPY),
    "miss": _miss,
    "give_up": lambda w, u: _miss(w, u, give_up=True),
    "rate": lambda w, u: followup.rate_case(at=w.now, case=w.case, **HAPPY),
    "rate_unhappy": lambda w, u: followup.rate_case(at=w.now, case=w.case, **UNHAPPY),
    "second": lambda w, u: followup.start_second_handling(**w.by("follow_up"), unit=w.unit(u), reason="确未解决"),
    "close_rated": lambda w, u: followup.close_after_rating(**w.by(w.officer()), reason="已依法答复"),
    "keep_closed": lambda w, u: followup.keep_closed(**w.by(w.officer()), reason="已向其说明处理依据"),
    "archive": _archive,
}  # fmt: skip


@dataclass(frozen=True)
class Life:
    """How it ends, the steps to there, and what those live who joined it or came of it (`also` more messages join)."""

    ending: Ending
    steps: str
    others: str = ""
    also: int = 0


TAKEN = "correct accept"
AT_WORK = f"{TAKEN} dispatch read"
ANSWERED = "draft sign pass"
HEARD = f"{ANSWERED} hear"
BY_WATER = "dispatch@水务 read@水务 draft@水务 sign@水务 pass hear"
TALK = "supplement make_confidential lift_confidentiality"
SENT_BACK = f"{AT_WORK} draft sign send_back"
LIVES: dict[str, Life] = {
    "answered, and the answer rated": Life(Ending.ANSWERED, "answer rate"),
    "added to, then withdrawn": Life(Ending.WITHDRAWN, "supplement withdraw"),
    "withdrawn while a unit works": Life(Ending.WITHDRAWN, f"{AT_WORK} withdraw"),
    "several matters in one": Life(Ending.HANDLED, f"{TAKEN} split dispatch read {HEARD}", others=f"dispatch read {HEARD}"),
    "the usual way": Life(Ending.HANDLED, f"{AT_WORK} {HEARD}"),
    "everything a lead may do": Life(
        Ending.HANDLED,
        f"correct_urgent accept dispatch add_assisting@环境 read take_first_measures reach_out sub_dispatch@中队 read@中队 report@中队 "
        f"send_report_back@中队 report@中队 urge excuse_report@环境 draft decline draft sign send_back {ANSWERED} rate",
    ),
    "read by nobody in time": Life(Ending.HANDLED, f"{TAKEN} dispatch read_late add_assisting@环境 read@环境 report@环境 {HEARD}"),
    "given back by the lower unit": Life(Ending.HANDLED, f"{AT_WORK} sub_dispatch@中队 read@中队 return_to_parent@中队 {HEARD}"),
    "handed down twice and given back": Life(
        Ending.HANDLED,
        f"{TAKEN} dispatch@区政府 read@区政府 hand_down@城管 read@城管 sub_dispatch@中队 return_to_parent@城管 "
        f"draft@区政府 sign@区政府 pass hear",
    ),
    "rightly not mine": Life(Ending.HANDLED, f"{AT_WORK} add_assisting@环境 ask_return grant_return {BY_WATER}"),
    "mine after all": Life(Ending.HANDLED, f"{AT_WORK} ask_return refuse_return {HEARD}"),
    "more time": Life(Ending.HANDLED, f"{AT_WORK} ask_extension grant_extension {HEARD}"),
    "no more time": Life(Ending.HANDLED, f"{AT_WORK} ask_extension refuse_extension ask_pause refuse_pause {HEARD}"),
    "the clock stands still": Life(Ending.HANDLED, f"{AT_WORK} ask_pause grant_pause resume {HEARD}"),
    "ended by approval": Life(Ending.TERMINATED, f"{AT_WORK} add_assisting@环境 ask_termination grant_termination"),
    "not to be ended": Life(Ending.HANDLED, f"{AT_WORK} ask_termination refuse_termination {HEARD}"),
    "whose duty? a ruling": Life(Ending.HANDLED, f"{TAKEN} send_to_study conclude_study@水务 {BY_WATER}"),
    "dispatched wrongly, recalled": Life(Ending.HANDLED, f"{TAKEN} dispatch recall {BY_WATER}"),
    "in confidence": Life(Ending.HANDLED, f"{TAKEN} make_confidential dispatch read {HEARD} lift_confidentiality"),
    "unsatisfied, second handling": Life(
        Ending.HANDLED, f"{AT_WORK} {ANSWERED} hear_unhappy second@区政府 read@区政府 draft@区政府 sign@区政府 pass hear"
    ),
    "an unreasonable demand": Life(Ending.HANDLED, f"{AT_WORK} {ANSWERED} rate_unhappy ask_set_aside grant_set_aside close_rated"),
    "unsatisfied, with reason": Life(Ending.HANDLED, f"{AT_WORK} {ANSWERED} rate_unhappy ask_set_aside refuse_set_aside close_rated"),
    "a bad rating after closing, second handling": Life(
        Ending.HANDLED, f"{AT_WORK} {ANSWERED} miss miss give_up rate_unhappy second@区政府 read@区政府 draft@区政府 sign@区政府 pass hear"
    ),
    "a bad rating after closing, left with a reason": Life(Ending.HANDLED, f"{AT_WORK} {ANSWERED} miss miss give_up rate_unhappy keep_closed"),
    "reached by nobody": Life(Ending.HANDLED, f"{AT_WORK} {ANSWERED} miss miss give_up"),
    "taken up again, then archived": Life(Ending.HANDLED, f"{AT_WORK} {HEARD} reopen dispatch read {HEARD} archive"),
    "told more at every stage, in confidence and not": Life(
        Ending.HANDLED,
        f"{TALK} correct accept {TALK} correct send_to_study {TALK} correct conclude_study dispatch {TALK} read "
        f"draft sign {TALK} pass {TALK} hear make_confidential lift_confidentiality",
    ),
    "withdrawn before the audit": Life(Ending.WITHDRAWN, f"{AT_WORK} draft sign withdraw"),
    "excused whatever they were at": Life(
        Ending.HANDLED,
        f"{AT_WORK} add_assisting@环境 read@环境 excuse_report@环境 add_assisting@水务 read@水务 ask_pause@水务 grant_pause@水务 "
        f"reach_out@水务 excuse_report@水务 sub_dispatch@中队 read@中队 report@中队 send_report_back@中队 excuse_report@中队 {HEARD}",
    ),
    "sent back, and all that a lead may do then": Life(
        Ending.HANDLED,
        f"correct_urgent accept dispatch read draft sign send_back reach_out take_first_measures sub_dispatch@中队 read@中队 report@中队 "
        f"ask_extension grant_extension ask_pause refuse_pause ask_termination refuse_termination draft decline {HEARD}",
    ),
    "sent back, then the clock stands still": Life(Ending.HANDLED, f"{SENT_BACK} ask_pause grant_pause resume {HEARD}"),
    "sent back, then ended by approval": Life(Ending.TERMINATED, f"{SENT_BACK} ask_termination grant_termination"),
    "second handling of an unreasonable demand": Life(
        Ending.HANDLED,
        f"{AT_WORK} {ANSWERED} hear_unhappy second@区政府 read@区政府 ask_set_aside@区政府 refuse_set_aside@区政府 draft@区政府 "
        f"sign@区政府 send_back ask_set_aside@区政府 grant_set_aside@区政府 draft@区政府 sign@区政府 pass hear",
    ),
}  # fmt: skip
# What ends a case before any unit has it ends it on arrival, once accepted, and while its duty is studied.
ENDS_EARLY = {
    "answer": Ending.ANSWERED,
    "reject": Ending.REJECTED,
    "transfer": Ending.TRANSFERRED,
    "mark_invalid": Ending.INVALID,
    "withdraw": Ending.WITHDRAWN,
    "merge": Ending.MERGED,
}
for _word, _ending in ENDS_EARLY.items():
    for _when, _steps in {"on arrival": "", "once accepted": TAKEN, "while studied": f"{TAKEN} send_to_study"}.items():
        _joins: Any = {"others": f"{AT_WORK} {HEARD}", "also": 1} if _word == "merge" else {}
        LIVES[f"{_word} {_when}"] = Life(_ending, f"{_steps} {_word}", **_joins)


def messages_needed(times: int) -> int:
    """How many messages it takes for each life to be lived so often."""
    return times * sum(1 + life.also for life in LIVES.values())


@dataclass
class Lived:
    """All cases that have lived, parts split off among them, and what became of tasks alongside."""

    cases: list[Case] = field(default_factory=list)
    alongside: set[Path] = field(default_factory=set)


def live_all(world: World, cases: list[Case]) -> Lived:
    """Every life in turn until the messages are used up."""
    waiting = iter(cases)
    lived = Lived()
    index = 0
    while (first := next(waiting, None)) is not None:
        name = list(LIVES)[index % len(LIVES)]
        life = LIVES[name]
        others = [next(waiting) for _ in range(life.also)]
        index += 1
        walk = Walk(world, first, START + timedelta(minutes=index), others, lived.alongside)
        lived.cases += _live(walk, name, life)
    return lived


def _live(walk: Walk, name: str, life: Life) -> Iterator[Case]:
    walk.take(life.steps)
    assert_ended(walk.case, life.ending, name)
    yield walk.case
    for other in walk.others:
        beside = Walk(walk.world, other, walk.now, alongside=walk.alongside)
        beside.take(life.others)
        assert_ended(other, Ending.HANDLED, f"{name}: beside it")
        yield other


def assert_ended(case: Case, ending: Ending, name: str) -> None:
    """It ended so; nobody owes anything more, no clock of ours runs on, and the citizen was told."""
    case = fresh(case)
    assert (case.state in FINISHED, case.ending) == (True, ending), name
    assert case.stage_due_at is None and case.closed_at is not None, name
    assert not case.tasks.filter(state__in=ACTIVE_TASK_STATES).exists(), name
    assert not Ask.objects.filter(task__case=case, state=AskState.PENDING).exists(), name
    assert Message.objects.filter(case=case).count() >= 2, name


def assert_nothing_was_left_out(lived: Lived) -> None:
    """Every path of the table stands in a timeline, but those that cannot, and no other; every ending was reached."""
    seen = {path for case in lived.cases for path in paths_lived(case)}
    possible = {path for row in workflow.TRANSITIONS for path in paths_of(row)}
    assert possible - seen == set(NEVER_LIVED)
    assert seen <= possible, "a timeline tells what the table does not know"
    ways = {(code, after) for code, _, after in lived.alongside}
    assert ways == {(row.code, target) for row in workflow.TRANSITIONS for _, target in row.tasks_then}
    assert {fresh(case).ending for case in lived.cases} == set(Ending)
    assert {fresh(case).state for case in lived.cases} == FINISHED


def paths_of(row: workflow.Transition) -> Iterator[Path]:
    """(code, state before, state after) of the subject, for all that a row allows."""
    for source in row.sources:
        yield from ((row.code, source, target) for target in row.ends_in or (source,))
        if row.code in MAY_STAY:
            yield row.code, source, source


def alongside_of(row: workflow.Transition) -> Iterator[Path]:
    """(code, state before, state after) of tasks that are not the act's own."""
    for sources, target in row.tasks_then:
        yield from ((row.code, source, target) for source in sources)


def paths_lived(case: Case) -> Iterator[Path]:
    """The same as a timeline tells it. An entry tells the state of its own task only, so two acts on a case are followed to its tasks."""
    state: str = CaseState.DRAFT
    of_tasks: dict[int, str] = {}
    for entry in TimelineEntry.objects.filter(case=case).order_by("seq"):
        before, after, task = entry.payload["before"], entry.payload["after"], entry.task_id
        was, state = state, after.get("state", state)
        assert before.get("state", was) == was or entry.seq == 1
        if entry.code in NOT_OF_THE_TABLE:
            continue
        if workflow.BY_CODE[entry.code].subject is workflow.Subject.CASE:
            yield entry.code, was, state
        else:
            assert task is not None
            was = of_tasks.get(task, TaskState.TO_READ)
            assert before.get("task.state", was) == was
            of_tasks[task] = after.get("task.state", was)
            yield entry.code, was, of_tasks[task]
        if entry.code == "send_back":
            of_tasks[Reply.objects.get(pk=entry.payload["facts"]["reply"]).task_id] = TaskState.SENT_BACK
        elif entry.code == "pass_reply":
            of_tasks = {pk: TaskState.ACCEPTED if was == TaskState.REPLIED else was for pk, was in of_tasks.items()}


def audit_verify() -> tuple[int, str]:
    """`minsheng audit verify`: its exit status and its words."""
    out = StringIO()
    try:
        call_command("audit_verify", stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def assert_one_altered_row_is_named(lived: list[Case], by_hand: Callable[..., int]) -> None:
    """All is well; then a row is altered by somebody with power over the database, triggers off, and exactly it is named."""
    status, words = audit_verify()
    assert status == 0 and "核验通过" in words
    entry = TimelineEntry.objects.filter(case__in=lived, code="read_automatically").latest("pk")
    forged = "UPDATE cases_timelineentry SET payload = jsonb_set(payload, '{summary}', '\"按时查阅\"') WHERE id = %s"
    assert by_hand(forged, entry.pk) == 1
    findings = verify().findings
    assert [(found.kind, found.model, found.owner, found.seq) for found in findings] == [
        ("altered", "cases.timelineentry", entry.case_id, entry.seq)
    ]
    status, words = audit_verify()
    assert status == 1 and f"cases.timelineentry {entry.case_id} 第 {entry.seq} 条被改动" in words and "发现 1 处问题" in words


@pytest.fixture
def city(by_hand: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> World:
    """The small city, committed; what comes in comes in on an ordinary Tuesday."""
    monkeypatch.setattr(timezone, "now", lambda: START)
    return build()


def test_every_word_of_a_life_is_a_step_and_every_step_is_lived() -> None:
    words = " ".join(f"{life.steps} {life.others}" for life in LIVES.values()).split()
    assert {word.partition("@")[0] for word in words} == set(STEPS)


@pytest.mark.realdata
@pytest.mark.slow
def test_the_real_messages_come_in_once_and_a_hundred_reach_every_end(
    city: World, real_data: Folder, by_hand: Callable[..., int]
) -> None:
    file = str(real_data / "messages_unlabelled.csv.gz")
    call_command("import_messages", file, stdout=StringIO())
    assert Case.objects.count() == Contact.objects.count() == REAL
    call_command("import_messages", file, stdout=StringIO())
    assert Case.objects.count() == REAL, "run twice, the same cases"

    needed = messages_needed(2)
    assert needed >= 100
    spread = list(Case.objects.order_by("id"))[:: REAL // needed][:needed]
    lived = live_all(city, spread)
    assert {case.pk for case in spread} <= {case.pk for case in lived.cases}
    assert_nothing_was_left_out(lived)
    assert Case.objects.filter(state=CaseState.TO_ACCEPT).count() == REAL - needed, "the others still wait, untouched"
    assert_one_altered_row_is_named(lived.cases, by_hand)


def test_made_up_messages_live_the_same_lives(city: World, tmp_path: Folder, by_hand: Callable[..., int]) -> None:
    needed = messages_needed(1)
    file = tmp_path / "letters.csv"
    with file.open("w", encoding="utf-8", newline="") as letters:
        writer = csv.writer(letters)
        writer.writerow(["编号", "标题", "内容", "时间"])
        writer.writerows([n, f"第{n}封信", f"第{n}封信：门前的路不平，请派人看看。", "2026-11-20 08:30"] for n in range(1, needed + 1))
    call_command("import_messages", str(file), stdout=StringIO())
    lived = live_all(city, list(Case.objects.order_by("id")))
    assert len(lived.cases) >= needed
    assert_nothing_was_left_out(lived)
    assert_one_altered_row_is_named(lived.cases, by_hand)
