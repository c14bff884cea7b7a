"""A case at every stage that a screen can show it at, made by the real actions: for what is measured, looked at and listed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile

from minsheng.cases import actions
from minsheng.cases.choices import Channel, RequestKind
from minsheng.cases.details import ApplicantDetails, CaseDetails
from minsheng.cases.models import Ask, Case, Task
from minsheng.cases.tests.test_asking import PROOF, ask_extension, ask_pause, ask_return, decide
from minsheng.cases.tests.test_handling import REPLY, sub
from minsheng.cases.tests.world import World
from minsheng.dispatching.actions import recall_case, send_to_study
from minsheng.followup.actions import rate_case, record_follow_up
from minsheng.publishing.tests.made import proposed, published
from minsheng.worktime import queries as worktime
from minsheng.worktime.moments import last_day_before


def to_accept(world: World) -> Case:
    return world.submitted()


def draft(world: World) -> Case:
    details = CaseDetails(kind=RequestKind.HELP, text="路灯不亮", topic=world.topics["夜间施工噪声"])
    return actions.save_draft(
        actor=world["agent"], at=world.now, channel=Channel.PHONE, details=details, applicant=ApplicantDetails(phone="13800138000")
    )


def in_study(world: World) -> Case:
    return send_to_study(actor=world["dispatcher"], at=world.now, case=world.accepted(), reason="职责不清")


def back(world: World) -> Case:
    return recall_case(actor=world["dispatcher"], at=world.later(minutes=5), case=world.dispatched(), reason="看错了")


def late(world: World) -> Case:
    case = world.handling()
    Case.objects.filter(pk=case.pk).update(citizen_due_at=world.now - timedelta(days=1))
    return case


def unreported(world: World) -> Case:
    return world.handling("生态环境")


def reported(world: World) -> Case:
    case = unreported(world)
    task = world.task_of(case, "生态环境")
    actions.read_task(actor=world["环境联络"], at=world.later(minutes=5), task=task)
    actions.report_result(actor=world["环境联络"], at=world.later(minutes=5), task=task, text="已检测。")
    return case


def below(world: World) -> Case:
    case = world.handling()
    team = sub(world, case, "建新中队")
    actions.read_task(actor=world["中队联络"], at=world.later(minutes=5), task=team)
    return case


def unsigned(world: World) -> Case:
    case = world.drafted()
    actions.decline_to_sign(actor=world["城管领导"], at=world.later(minutes=5), task=world.lead(case), reason="改")
    return case


def sent_back(world: World) -> Case:
    case = world.replied()
    return actions.send_back(actor=world["auditor"], at=world.later(minutes=5), case=case, reasons=["no_process"])


def to_judge(world: World) -> Case:
    return rate_case(at=world.later(minutes=5), case=world.audited(), satisfaction="unsatisfied", solved="no")


def closed(world: World) -> Case:
    return rate_case(at=world.later(minutes=5), case=world.audited(publishable=True), satisfaction="very", solved="yes")


def rated_since(world: World) -> Case:
    """Closed because nobody was reached, and rated badly since."""
    case = world.audited()
    for give_up in (False, False, True):
        record_follow_up(actor=world["follow_up"], at=world.later(hours=3), case=case, reached=False, give_up=give_up)
    return rate_case(at=world.later(minutes=5), case=case, satisfaction="unsatisfied", solved="no")


def asked(ask: Callable[[World, Task], Ask]) -> Callable[[World], Case]:
    def stage(world: World) -> Case:
        return ask(world, world.lead(world.handling())).task.case

    return stage


def extension(world: World, task: Task) -> Ask:
    return ask_extension(world, task, worktime.calendar().add(last_day_before(task.due_at), 1))


def termination(world: World, task: Task) -> Ask:
    return actions.request_termination(
        actor=world["城管联络"], at=world.now, task=task, reason_code="x", reason="拒不配合", basis="联系三次"
    )


def paused(world: World) -> Case:
    ask = ask_pause(world, world.lead(world.handling()))
    return decide(world, ask, grant=True).task.case


def set_aside(world: World) -> Case:
    case = to_judge(world)
    actions.request_set_aside(actor=world["城管联络"], at=world.now, task=world.lead(case), reason="索赔", basis="无依据")
    return case


def large(world: World) -> Case:
    """A case that has been through everything, with a file, a try to reach the citizen, a refused ask and a refused reply."""
    case = world.handling("生态环境", "水务", accused_unit=world.units["鼓楼城管"])
    team = sub(world, case, "建新中队")
    lead = world.lead(case)
    decide(world, ask_pause(world, lead, files=[SimpleUploadedFile("证明.png", PROOF)]), grant=False)
    actions.supplement_case(
        actor=world["agent"], at=world.now, case=case, channel="phone", text="又来", files=[SimpleUploadedFile("照片.png", PROOF)]
    )
    actions.reach_out(
        actor=world["城管联络"], at=world.now, task=lead, reached_at=world.now, method="phone", reached=True, summary="已约"
    )
    for task in (team, world.task_of(case, "生态环境"), world.task_of(case, "水务")):
        actions.excuse_report(actor=world["城管联络"], at=world.now, task=task, reason="已到场")
    actions.draft_reply(
        actor=world["城管联络"], at=world.now, task=lead, files=[SimpleUploadedFile("现场.png", PROOF)], **REPLY
    )
    actions.sign_reply(actor=world["城管领导"], at=world.now, task=lead)
    return actions.send_back(actor=world["auditor"], at=world.now, case=case, reasons=["no_process"])


STAGES: dict[str, Callable[[World], Case]] = {
    "proposed": lambda world: proposed(world).case,
    "published": lambda world: published(world).case,
    "draft": draft,
    "to_accept": to_accept,
    "secret": lambda world: world.submitted(confidential=True),
    "to_dispatch": lambda world: world.accepted(),
    "in_study": in_study,
    "back": back,
    "unread": lambda world: world.dispatched("生态环境"),
    "handling": lambda world: world.handling(),
    "urgent": lambda world: world.handling(urgency="urgent"),
    "late": late,
    "unreported": unreported,
    "reported": reported,
    "below": below,
    "to_sign": lambda world: world.drafted(),
    "unsigned": unsigned,
    "sent_back": sent_back,
    "paused": paused,
    "ask_return": asked(ask_return),
    "ask_extension": asked(extension),
    "ask_pause": asked(ask_pause),
    "ask_termination": asked(termination),
    "ask_set_aside": set_aside,
    "to_audit": lambda world: world.replied(),
    "to_follow_up": lambda world: world.audited(),
    "to_judge": to_judge,
    "rated_since": rated_since,
    "closed": closed,
    "large": large,
}
