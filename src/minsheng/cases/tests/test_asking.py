"""What units ask the centre for: return, extension, pause, termination, setting aside; within which limits."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from minsheng.cases import actions, clocks
from minsheng.cases.choices import AskKind, AskState, RequestKind, TaskState
from minsheng.cases.models import Ask, Attachment, Case, Task
from minsheng.cases.tests.test_handling import refused, reload, sub
from minsheng.cases.tests.world import World, moment
from minsheng.dispatching.actions import conclude_study, dispatch_case, recall_case, send_to_study
from minsheng.followup.actions import rate_case
from minsheng.worktime import actions as worktime
from minsheng.worktime.actions import publish_policy
from minsheng.worktime.choices import Clock, LimitUnit

PROOF = b"\x89PNG\r\n\x1a\n" + b"0" * 64


def ask_return(world: World, task: Task, by: str = "城管联络", **changes: Any) -> Ask:
    values: dict[str, Any] = {
        "reason_code": "duty",
        "reason": "属住建职责",
        "basis": "《福建省城市管理职责清单》",
        "proposed_unit": world.units["仓山住建"],
    } | changes
    return actions.request_return(actor=world[by], at=world.now, task=task, **values)


def ask_extension(world: World, task: Task, until: date, *, told: Any = None, by: str = "城管联络") -> Ask:
    return actions.request_extension(
        actor=world[by],
        at=world.now,
        task=task,
        until=until,
        reason_code="works",
        reason="需要采购材料",
        citizen_told_at=told,
    )


def ask_pause(world: World, task: Task, by: str = "城管联络", **changes: Any) -> Ask:
    values: dict[str, Any] = {
        "reason_code": "statutory_procedure",
        "reason": "等待噪声鉴定",
        "basis": "鉴定委托书",
    } | changes
    return actions.request_pause(actor=world[by], at=world.now, task=task, **values)


def decide(world: World, ask: Ask, *, grant: bool, by: str = "auditor", **stamp: Any) -> Ask:
    action = getattr(actions, f"decide_{ask.kind}")
    answer: Ask = action(actor=world[by], at=world.now, task=reload(ask.task), grant=grant, note="已核实", **stamp)
    return answer


# --- return ------------------------------------------------------------------------------------------------------


def test_a_return_is_asked_with_ground_basis_and_another_unit(world: World) -> None:
    task = world.lead(world.handling())
    refused("reason_required", lambda: ask_return(world, task, basis=" "))
    refused("invalid", lambda: ask_return(world, task, proposed_unit=world.units["仓山城管"]))
    ask = ask_return(world, task)
    assert reload(task).state == TaskState.RETURN_REQUESTED
    assert task.case.timeline.get(code="request_return").payload["facts"]["proposed_unit"] == "350104-zj"
    assert (ask.kind, ask.state, ask.reason_code) == (AskKind.RETURN, AskState.PENDING, "duty")


def test_the_centres_answer_has_a_limit_that_is_kept_with_its_reason(world: World) -> None:
    asks = [ask_return(world, world.lead(world.handling())), ask_pause(world, world.lead(world.handling()))]
    told = []
    for ask in asks:
        ask.refresh_from_db()
        derivation = clocks.of(ask.derivation)
        assert derivation is not None and ask.due_at == derivation.due_at == moment("2026-11-26 00:00")
        told.append((derivation.policy, derivation.sentence()))
    assert told == [
        ("return_decision", "11月25日（周三）24:00 前 · 退件裁定 1 个工作日，自 11月24日 申请次日起算"),
        ("audit", "11月25日（周三）24:00 前 · 挂起审核 1 个工作日，自 11月24日 申请次日起算"),
    ]
    worktime.set_day(actor=None, at=world.now, day=date(2026, 11, 25), working=False, name="台风停工")
    asks[0].refresh_from_db()
    assert asks[0].due_at == moment("2026-11-26 00:00"), "it is not counted again at each look"


def test_the_limit_of_a_return_runs_from_reading(world: World) -> None:
    task = world.lead(world.handling())  # read on Tuesday: until Wednesday 24:00
    world.now = moment("2026-11-26 00:00")
    refused("return_too_late", lambda: ask_return(world, task))
    world.now = moment("2026-11-25 23:59")
    ask_return(world, task)


def test_an_unread_task_is_not_returned(world: World) -> None:
    task = world.lead(world.dispatched())
    refused("wrong_task_state", lambda: ask_return(world, task))


def test_once_per_unit_and_case_even_after_it_came_back(world: World) -> None:
    case = world.handling()
    task = world.lead(case)
    decide(world, ask_return(world, task), grant=False)
    assert reload(task).state == TaskState.HANDLING
    refused("returned_before", lambda: ask_return(world, task))
    # Recalled and dispatched to the same unit again: still once.
    recall_case(actor=world["dispatcher"], at=world.later(minutes=5), case=case, reason="再核")
    dispatch_case(actor=world["dispatcher"], at=world.later(minutes=5), case=case, lead=world.units["仓山城管"])
    again = world.lead(case)
    actions.read_task(actor=world["城管联络"], at=world.later(minutes=5), task=again)
    refused("returned_before", lambda: ask_return(world, again))


def test_never_after_a_ruling(world: World) -> None:
    case = world.accepted()
    send_to_study(actor=world["dispatcher"], at=world.later(minutes=5), case=case, reason="职责不清")
    conclude_study(
        actor=world["hotline_leader"],
        at=world.later(hours=1),
        case=case,
        ruled_unit=world.units["仓山城管"],
        conclusion="由城管承办",
    )
    dispatch_case(actor=world["dispatcher"], at=world.later(minutes=5), case=case, lead=world.units["仓山城管"])
    task = world.lead(case)
    assert task.by_ruling
    actions.read_task(actor=world["城管联络"], at=world.later(minutes=5), task=task)
    refused("assigned_by_ruling", lambda: ask_return(world, task))


def test_a_lower_unit_asks_the_one_above_not_the_centre(world: World) -> None:
    case = world.handling()
    team = sub(world, case, "建新中队")
    actions.read_task(actor=world["中队联络"], at=world.later(minutes=5), task=team)
    refused("ask_parent", lambda: ask_return(world, team, by="中队联络"))
    refused("ask_parent", lambda: ask_extension(world, team, date(2026, 12, 1), by="中队联络"))


# --- extension ---------------------------------------------------------------------------------------------------


def test_an_extension_ends_on_a_working_day_after_the_limit_and_not_beyond_the_original(world: World) -> None:
    task = world.lead(world.handling())  # until Friday 27; three working days more end on Wednesday 2
    for day in (date(2026, 11, 27), date(2026, 11, 28), date(2026, 11, 29), date(2026, 11, 20)):
        refused("extension_date", lambda day=day: ask_extension(world, task, day))  # type: ignore[misc]
    told = refused("extension_too_long", lambda: ask_extension(world, task, date(2026, 12, 3)))
    assert told.details["days"] == 3
    assert ask_extension(world, task, date(2026, 12, 2)).until == date(2026, 12, 2)


def test_it_is_asked_at_least_a_working_day_before(world: World) -> None:
    task = world.lead(world.handling())
    world.now = moment("2026-11-27 00:00")  # Friday itself
    refused("extension_too_late", lambda: ask_extension(world, task, date(2026, 12, 1)))
    world.now = moment("2026-11-26 23:59")
    ask_extension(world, task, date(2026, 12, 1))


def test_what_is_overdue_is_neither_extended_nor_paused(world: World) -> None:
    task = world.lead(world.handling())
    world.now = moment("2026-11-28 00:00")
    refused("already_overdue", lambda: ask_extension(world, task, date(2026, 12, 1)))
    refused("already_overdue", lambda: ask_pause(world, task))


def test_two_extensions_and_no_third(world: World) -> None:
    task = world.lead(world.handling())
    for day in (date(2026, 12, 2), date(2026, 12, 7)):
        decide(world, ask_extension(world, reload(task), day), grant=True)
    refused("extension_too_often", lambda: ask_extension(world, reload(task), date(2026, 12, 10)))


def test_a_refused_extension_does_not_count(world: World) -> None:
    task = world.lead(world.handling())
    decide(world, ask_extension(world, task, date(2026, 12, 1)), grant=False)
    assert reload(task).due_at == moment("2026-11-28 00:00")
    ask_extension(world, task, date(2026, 12, 1))


def test_at_most_what_the_policy_of_extensions_says_however_long_the_limit(world: World) -> None:
    publish_policy(
        actor=None, at=world.now, code="extension.help", name="求助延期上限", clock=Clock.EXTENSION, kind=RequestKind.HELP,
        amount=2, unit=LimitUnit.WORKING_DAYS, effective_from=date(2026, 11, 24),
    )  # fmt: skip
    other = world.lead(world.handling())
    assert ask_extension(world, other, date(2026, 12, 2)).until == date(2026, 12, 2), "a complaint keeps the shipped fifteen"
    task = world.lead(world.handling(kind=RequestKind.HELP))
    assert refused("extension_too_long", lambda: ask_extension(world, task, date(2026, 12, 2))).details["days"] == 2


def test_the_citizen_was_told_after_dispatch_and_not_in_the_future(world: World) -> None:
    task = world.lead(world.handling())
    for told in (moment("2026-11-30 09:00"), moment("2026-11-23 09:00")):
        refused("invalid", lambda told=told: ask_extension(world, task, date(2026, 12, 1), told=told))  # type: ignore[misc]


# --- pause, termination, setting aside ---------------------------------------------------------------------------


def test_a_pause_needs_proof(world: World) -> None:
    task = world.lead(world.handling())
    refused("proof_required", lambda: ask_pause(world, task, basis=""))
    ask = ask_pause(world, task, basis="", files=[SimpleUploadedFile("鉴定委托.png", PROOF)])
    assert Attachment.objects.get(ask=ask).name == "鉴定委托.png"


def test_a_wrong_file_undoes_the_ask(world: World) -> None:
    task = world.lead(world.handling())
    refused(
        "file_type", lambda: ask_pause(world, task, files=[SimpleUploadedFile("x.exe", b"MZ\x90\x00" + b"\x00" * 60)])
    )
    assert not Ask.objects.exists()


def test_one_ask_at_a_time(world: World) -> None:
    task = world.lead(world.handling())
    ask_pause(world, task)
    refused("ask_pending", lambda: ask_extension(world, task, date(2026, 12, 1)))
    refused("ask_pending", lambda: ask_return(world, task))
    refused("ask_pending", lambda: world.draft(task.case))


def test_only_the_lead_asks_for_termination(world: World) -> None:
    case = world.handling("水务")
    task = world.task_of(case, "水务")
    actions.read_task(actor=world["水务联络"], at=world.later(minutes=5), task=task)

    def ask(by: str, on: Task) -> Ask:
        return actions.request_termination(
            actor=world[by], at=world.now, task=on, reason_code="x", reason="拒不配合", basis="联系三次"
        )

    refused("only_lead", lambda: ask("水务联络", task))
    assert ask("城管联络", world.lead(case)).kind == AskKind.TERMINATION


def test_only_a_bad_rating_is_argued_with(world: World) -> None:
    case = world.audited()

    def ask(on: Case) -> Ask:
        return actions.request_set_aside(
            actor=world["城管联络"], at=world.now, task=world.lead(on), reason="要求赔偿百万", basis="无法律依据"
        )

    refused("not_rated_unsatisfied", lambda: ask(case))
    rate_case(at=world.later(hours=1), case=case, satisfaction="unsatisfied", solved="no")
    assert ask(case).kind == AskKind.SET_ASIDE
    refused("ask_pending", lambda: ask(case))
