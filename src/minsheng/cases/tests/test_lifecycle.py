"""The usual way of a case, from a citizen's words to its rating, and the trace it leaves."""

from __future__ import annotations

from minsheng.audit.queries import verify
from minsheng.cases.choices import CaseState, Ending, TaskState
from minsheng.cases.tests.world import World, fresh, moment
from minsheng.followup.actions import rate_case


def test_a_case_goes_its_usual_way(world: World) -> None:
    case = world.audited()
    rate_case(at=world.later(hours=3), case=case, satisfaction="very", solved="yes", comment="谢谢")
    case = fresh(case)
    assert (case.state, case.ending) == (CaseState.CLOSED, Ending.HANDLED)
    assert (case.first_satisfaction, case.final_satisfaction, case.final_solved) == ("very", "very", "yes")
    codes = list(case.timeline.order_by("seq").values_list("code", flat=True))
    assert codes == ["submit", "accept", "dispatch", "read", "draft_reply", "sign_reply", "pass_reply", "rate"]
    assert case.timeline_length == len(codes)
    assert world.lead(case).state == TaskState.ACCEPTED
    assert [m.template for m in case.messages.all()] == ["received", "accepted", "dispatched", "replied", "closed"]
    assert not verify().findings


def test_the_lead_has_three_working_days_for_a_matter_on_the_convenience_list(world: World) -> None:
    task = world.lead(world.dispatched())
    assert task.due_at == moment("2026-11-28 00:00")  # Tuesday's dispatch, Friday 24:00
    assert task.read_due_at == moment("2026-11-26 00:00")
