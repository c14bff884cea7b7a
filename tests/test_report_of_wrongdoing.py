"""Scenario 8: a report in confidence against an official. The accused and their kin never get it; who gets it learns of no person."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from minsheng.accounts.models import User
from minsheng.accounts.testing import sign_in
from minsheng.cases import actions, queries, scope
from minsheng.cases.choices import CaseState, Channel, RequestKind
from minsheng.cases.models import Case, Task
from minsheng.cases.tests.stories import by, case_screen, clock_at, refused, screen
from minsheng.cases.tests.world import World, fresh, moment
from minsheng.dispatching import actions as dispatching
from minsheng.organisations.models import Unit

# What would tell the chosen unit who reported: name, telephone (whole or masked), flat, and the words themselves.
WHO_IT_WAS = ("林小满", "林**", "13800138000", "138****8000", "302", "我是", "队长", "来电人很害怕")


def report_against_city_management(world: World) -> Case:
    """Taken in confidence by default, with the recording of the call; the caller adds a word."""
    world.now = moment("2026-11-24 09:00")
    case = world.submitted(
        kind=RequestKind.REPORT,
        text="我是林小满，13800138000，住 302 室，队长收了施工方的钱。",
        accused_unit=world.units["仓山城管"],
    )
    assert case.confidential, "by default"
    actions.accept_case(**by(world, "agent", "2026-11-24 09:10"), case=case, note="来电人很害怕")
    actions.supplement_case(
        **by(world, "agent", "2026-11-24 09:20"),
        case=case,
        channel=Channel.PHONE,
        text="我是林小满，队长昨晚又来了。",
        files=[SimpleUploadedFile("来电.wav", b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(64))],
    )
    return fresh(case)


def unit_person(unit: Unit, name: str) -> User:
    """Somebody at a unit that the small city has nobody at."""
    return User.objects.create(username=f"x{unit.pk}", display_name=name, roles=["unit_liaison"], unit=unit, password="!")


def dispatch_report(world: World, case: Case, lead: Unit, assisting: list[Unit], unit_text: str) -> Case:
    return dispatching.dispatch_case(
        **by(world, "dispatcher", "2026-11-24 10:00"), case=case, lead=lead, assisting=assisting, unit_text=unit_text
    )


def test_the_accused_unit_its_parent_and_its_children_cannot_be_chosen(world: World) -> None:
    """Neither as lead nor to assist, by proposal or by search; nor units whose text would name the person."""
    case, units = report_against_city_management(world), world.units
    path = f"/cases/{case.number}/dispatch/"
    form = screen(world["dispatcher"], path, at=world.now)
    assert "仓山区城市管理局 是被反映单位或其上下级，不能承办" in form
    for name in ("仓山城管", "仓山区政府", "建新中队"):
        with refused("accused_unit"):
            dispatch_report(world, case, units[name], [], "有人反映执法人员收钱。")
        with refused("accused_unit"):
            dispatch_report(world, case, units["仓山住建"], [units[name]], "有人反映执法人员收钱。")
    for words, code in (("", "unit_text_required"), ("林小满反映执法人员收钱。", "unit_text_names")):
        with refused(code):
            dispatch_report(world, case, units["仓山住建"], [], words)
    assert fresh(case).state == CaseState.TO_DISPATCH and not case.tasks.exists()


def test_report_of_wrongdoing(world: World) -> None:
    """The chosen unit reads what was written for it and no more, on every screen; the accused and their kin know of nothing."""
    case, units = report_against_city_management(world), world.units
    dispatch_report(world, case, units["仓山住建"], [], "有人反映某执法人员收钱。")
    # A neighbour of the accused under the same government: the government above both must not learn of it through the neighbour.
    liaison = unit_person(units["仓山住建"], "住建联络")
    actions.read_task(actor=liaison, at=world.now, task=world.lead(case))
    actions.urge_case(**by(world, "supervisor", "2026-11-24 11:00"), case=case, reason="来电人很害怕，请快")

    pages = {
        "case": case_screen(world, liaison, case),
        "case, the citizen's part of its timeline": screen(liaison, f"/cases/{case.number}/?history=citizen", at=world.now),
        "all cases": screen(liaison, "/cases/", at=world.now),
        "desk": screen(liaison, f"/cases/handling/?tab=work&open={case.number}", at=world.now),
        "found by number": screen(liaison, f"/cases/?q={case.number}", at=world.now),
    }
    for name, words in pages.items():
        assert "有人反映某执法人员收钱" in words, name
        assert [each for each in WHO_IT_WAS if each in words] == [], name
    assert "不提供诉求人信息、原话和附件" in pages["case"] and "来电.wav" not in pages["case"]
    assert "告知诉求人的话" not in pages["case"], "not what the citizen was told either"
    for words in ("林小满", "13800138000", "队长收了施工方的钱"):
        assert str(case.number) not in screen(liaison, "/cases/find/", at=world.now, q=words), words
    recording = f"/cases/{case.number}/files/{case.attachments.get().pk}/"
    with clock_at(world.now):
        for who, status in ((liaison, 404), (world["dispatcher"], 200)):
            assert sign_in(Client(), who).get(recording).status_code == status
    assert {"302", "队长", "138****8000", "来电人很害怕"} <= set(filter(case_screen(world, "dispatcher", case).count, WHO_IT_WAS))

    seen = queries.case_for(liaison, str(case.number))
    shown = scope.disclosure_for(liaison, seen, list(case.tasks.all()))
    assert not (shown.person or shown.uncover or shown.words or shown.files)
    with refused("forbidden"):
        actions.uncover_applicant(actor=liaison, at=world.now, case=seen, reason="想联系")
    for name in ("城管联络", "城管领导", "区政府联络", "区政府领导", "中队联络", "水务联络", "agent2", "analyst", "system_admin"):
        assert not Case.objects.visible_to(world[name]).exists(), name
        assert not Task.objects.filter(scope.visible_tasks(world[name])).exists(), name
        with clock_at(world.now):
            assert sign_in(Client(), world[name]).get(f"/cases/{case.number}/").status_code == 404, name
