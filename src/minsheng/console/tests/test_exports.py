"""Spreadsheets of lists: what they hold for whom, what stands on record, and what a crash, a cancel or a change of rights leaves."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from minsheng.accounts.models import User
from minsheng.accounts.testing import sign_in
from minsheng.audit.models import AuditEntry
from minsheng.cases import columns as cols
from minsheng.cases import lists
from minsheng.cases.details import ApplicantDetails
from minsheng.cases.models import Case
from minsheng.cases.tests.crowd import multiply
from minsheng.cases.tests.world import World, build, moment
from minsheng.console import export_actions, exporting, workbooks
from minsheng.console.models import Export, ExportState
from minsheng.console.workbooks import Heading
from minsheng.errors import Refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None, settings: Any, tmp_path: Path) -> World:
    cache.clear()
    settings.LISTS = settings.LISTS | {"export_folder": str(tmp_path / "exports")}
    return build()


def asked(user: User, code: str = "all", query: str = "", *, whole: bool = False, columns: tuple[str, ...] = ()) -> Export:
    at = timezone.now()
    shown = exporting.asked_again(user, code, query, columns, at)
    assert shown is not None
    return export_actions.ask_export(actor=user, at=at, shown=shown, reason="周例会", whole=whole, submission=uuid4())


def made(user: User, code: str = "all", query: str = "", **more: Any) -> tuple[Export, list[dict[str, Any]]]:
    export = asked(user, code, query, **more)
    export_actions.run_export(export.pk, at=timezone.now())
    export.refresh_from_db()
    assert export.state == ExportState.DONE, export.problem
    return export, sheet(export.path)


def sheet(path: Path) -> list[dict[str, Any]]:
    rows = CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes())).get_sheet_by_index(0).to_python()
    return [dict(zip(map(str, rows[0]), row, strict=False)) for row in rows[1:]]


def test_the_sheet_is_the_list(world: World) -> None:
    noise, question = world.handling(), world.accepted(kind="consultation")
    export, rows = made(world["dispatcher"], query="sort=received")
    assert [row["编号"] for row in rows] == [noise.number, question.number]
    assert rows[0]["标题"] == noise.title and rows[0]["状态"] == "办理中" and rows[0]["主办单位"] == "仓山区城市管理局"
    assert isinstance(rows[0]["收件时间"], datetime)
    assert rows[0]["收件时间"] == datetime(2026, 11, 24, 9, 5)
    assert (rows[0]["诉求人"], rows[0]["联系电话"]) == ("林**", "138****8000")
    assert export.rows == 2
    _, rows = made(world["dispatcher"], query="kind=consultation", columns=("round", "agent"))
    assert [row["编号"] for row in rows] == [question.number]
    assert rows[0]["轮次"] == 1 and rows[0]["受理人"] == world["agent"].display_name


def test_a_deadline_at_midnight_is_of_the_day_before(world: World) -> None:
    """As every screen says it: 12-02 24:00, and never 12-03 00:00, by which somebody would come a day late."""
    case = world.accepted()
    Case.objects.filter(pk=case.pk).update(citizen_due_at=moment("2026-12-03 00:00"))
    _, [row] = made(world["auditor"])
    assert row["群众时限"] == datetime(2026, 12, 2, 23, 59)
    case.refresh_from_db()
    shown = cols.shown(cols.COLUMNS["citizen_due"], cols.Line(user=world["auditor"], at=world.now, case=case))
    assert shown == "12-02 周三 24:00 前"


def test_only_what_the_asker_may_see_when_it_runs(world: World) -> None:
    open_case, secret = world.handling(), world.handling(confidential=True)
    numbers = [row["编号"] for row in made(world["auditor"])[1]]
    assert set(numbers) == {open_case.number, secret.number}
    Case.objects.filter(pk=open_case.pk).update(accepted_by=None)
    Case.objects.filter(pk=secret.pk).update(accepted_by=None)
    assert [row["编号"] for row in made(world["agent"])[1]] == [open_case.number]
    rows = {row["编号"]: row for row in made(world["城管联络"])[1]}
    assert rows[secret.number]["诉求人"] == rows[secret.number]["联系电话"] == "不显示"
    assert "打桩" not in rows[secret.number]["标题"]
    assert rows[open_case.number]["诉求人"] == "林**"
    assert made(world["环境联络"])[1] == []


def test_those_who_read_without_persons_get_none(world: World) -> None:
    world.submitted(title="林小满 13800138000 家的路灯不亮", text="林小满 13800138000 家的路灯不亮")
    _, rows = made(world["analyst"], whole=True)
    assert "诉求人" not in rows[0] and "联系电话" not in rows[0]
    assert "13800138000" not in str(rows)


def test_whole_telephones_only_where_the_page_would_uncover_them(world: World) -> None:
    running, closed = world.handling(), world.audited()
    Case.objects.filter(pk=closed.pk).update(state="closed", ending="handled", closed_at=world.now)
    export, rows = made(world["dispatcher"], whole=True)
    phones = {row["编号"]: (row["诉求人"], row["联系电话"]) for row in rows}
    assert phones == {running.number: ("林小满", "13800138000"), closed.number: ("林**", "138****8000")}
    entry = AuditEntry.objects.get(code="console.exported", subject_id=str(export.pk))
    assert entry.detail["whole"] is True
    assert {row["联系电话"] for row in made(world["quality"], whole=True)[1]} == {"138****8000"}


def test_it_is_on_record_with_reason_filters_and_rows(world: World) -> None:
    world.handling()
    export, _ = made(world["dispatcher"], query="kind=complaint")
    entries = {e.code: e for e in AuditEntry.objects.filter(subject_id=str(export.pk))}
    assert set(entries) == {"console.export_asked", "console.exported"}
    assert all(entry.why == "周例会" and entry.actor_id == world["dispatcher"].pk for entry in entries.values())
    assert entries["console.exported"].detail == {"list": "全部诉求件", "rows": 1, "whole": False, "filters": "类型：投诉"}


@pytest.mark.parametrize("code", [spec.code for spec in lists.all_lists()])
def test_every_list_can_be_exported(world: World, code: str) -> None:
    from minsheng.cases.tests.test_lists import WHO

    world.submitted(), world.accepted(), world.handling(), world.replied(), world.audited()
    who, own = WHO[code]
    if code in ("to_publish", "publications"):
        from minsheng.publishing.tests.made import closed, published

        closed(world), published(world)
    if code in ("asks", "unit_asks"):
        from minsheng.cases.tests.test_asking import ask_return

        ask_return(world, world.lead(world.handling()))
    _, rows = made(world[who], code, own)
    assert rows and all(row["编号"] for row in rows)
    assert ("承办单位" in rows[0]) is (code in ("handling", "asks", "unit_asks"))


@pytest.mark.parametrize("text", ["=1+1", "+8613800138000", "-2", "@SUM(A1)", "\tx", "\r=x"])
def test_nothing_becomes_a_formula(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.xlsx"
    workbooks.write(path, "标题", [Heading("甲")], [[text]])
    cell = sheet(path)[0]["甲"]
    assert str(cell).lstrip() and str(cell)[0] == "'" and text.strip() in str(cell)


@given(st.text(max_size=200))
def test_harmless_text_never_begins_a_formula(text: str) -> None:
    safe = workbooks.harmless(text)
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert text.replace("\0", "") in safe


def test_the_sheet_has_fixed_headings_and_dates(tmp_path: Path) -> None:
    import zipfile

    path = tmp_path / "x.xlsx"
    assert workbooks.write(path, "标题", [Heading("甲", 30), Heading("乙")], [["a", timezone.now()], [None, 3]]) == 2
    xml = zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml").decode()
    assert 'ySplit="1"' in xml and 'state="frozen"' in xml and 'width="30' in xml
    rows = sheet(path)
    assert isinstance(rows[0]["乙"], datetime) and rows[1]["乙"] == 3


def test_it_stops_at_the_set_number_of_rows_and_says_so(world: World, settings: Any) -> None:
    settings.LISTS = settings.LISTS | {"export_rows": 3}
    multiply(world.handling(), 4)
    export, rows = made(world["dispatcher"])
    assert (len(rows), export.rows, export.cut) == (3, 3, True)


def test_chunks_hold_every_row_once_at_a_cost_that_rows_do_not_change(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "CHUNK", 4)
    multiply(world.handling(), 9)
    _, rows = made(world["城管联络"], "handling", "tab=work", columns=("reads", "applicant"))
    assert len({row["编号"] for row in rows}) == len(rows) == 10
    monkeypatch.setattr(exporting, "CHUNK", 500)
    costs = []
    for more in (0, 20):
        multiply(world.handling(), more)
        export = asked(world["dispatcher"], columns=("reads", "applicant"))
        with CaptureQueriesContext(connection) as counted:
            export_actions.run_export(export.pk, at=timezone.now())
        costs.append(len(counted))
        Export.objects.all().update(state="done")
    assert costs[0] == costs[1]


# --- what goes wrong -------------------------------------------------------------------------------------------------


def files(world: World) -> list[str]:
    from django.conf import settings

    return sorted(path.name for path in Path(settings.LISTS["export_folder"]).glob("*"))


def test_a_crash_halfway_offers_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    multiply(world.handling(), 3)
    export = asked(world["dispatcher"])

    def breaks(*args: Any) -> Iterator[Any]:
        yield ["一行"]
        raise RuntimeError("power")

    monkeypatch.setattr(exporting, "rows_of", breaks)
    with pytest.raises(RuntimeError):
        export_actions.run_export(export.pk, at=timezone.now())
    export.refresh_from_db()
    assert export.state == ExportState.FAILED and export.problem
    assert files(world) == []
    with pytest.raises(Refused):
        export_actions.open_export(actor=world["dispatcher"], at=timezone.now(), key=export.pk)


def test_a_job_that_died_is_said_to_have_failed_and_its_rest_is_swept(world: World) -> None:
    export = asked(world["dispatcher"])
    at = timezone.now()
    Export.objects.filter(pk=export.pk).update(state="running", touched_at=at - timedelta(minutes=11))
    export_actions.folder(export.path.parent)
    part = export.path.with_suffix(".part")
    export_actions.folder(part)
    (part / "sheet.xlsx").write_bytes(b"half")
    old = (at - timedelta(minutes=30)).timestamp()
    os.utime(part, (old, old))
    export_actions.forget_exports(at=at)
    export.refresh_from_db()
    assert export.state == ExportState.FAILED and files(world) == []


def test_a_cancelled_one_stops_and_is_not_offered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    multiply(world.handling(), 7)
    monkeypatch.setattr(exporting, "CHUNK", 2)
    export = asked(world["dispatcher"])
    real = export_actions._progress

    def cancelled_meanwhile(current: Export, rows: int) -> None:
        if rows == 4:
            export_actions.cancel_export(actor=world["dispatcher"], at=timezone.now(), key=current.pk)
        real(current, rows)

    monkeypatch.setattr(export_actions, "_progress", cancelled_meanwhile)
    export_actions.run_export(export.pk, at=timezone.now())
    export.refresh_from_db()
    assert (export.state, export.rows, files(world)) == (ExportState.CANCELLED, 2, [])
    assert not AuditEntry.objects.filter(code="console.exported").exists()
    export_actions.run_export(export.pk, at=timezone.now())
    export.refresh_from_db()
    assert export.state == ExportState.CANCELLED, "run again by the queue, it stays cancelled"


def test_other_rights_since_make_it_nobodys(world: World) -> None:
    world.handling()
    user = world["dispatcher"]
    waiting, (done, _) = asked(user), made(user)
    User.objects.filter(pk=user.pk).update(roles=["agent"])
    export_actions.run_export(waiting.pk, at=timezone.now())
    waiting.refresh_from_db()
    assert waiting.state == ExportState.FAILED and "角色或单位已有变化" in waiting.problem
    with pytest.raises(Refused) as refused:
        export_actions.open_export(actor=User.objects.get(pk=user.pk), at=timezone.now(), key=done.pk)
    assert refused.value.code == "forbidden"


def test_files_are_gone_after_the_set_hours(world: World) -> None:
    export, _ = made(world["dispatcher"])
    assert oct(export.path.stat().st_mode)[-3:] == "600" and oct(export.path.parent.stat().st_mode)[-3:] == "700"
    after = timezone.now() + timedelta(hours=24)
    with pytest.raises(Refused):
        export_actions.open_export(actor=world["dispatcher"], at=after, key=export.pk)
    export_actions.forget_exports(at=after)
    export.refresh_from_db()
    assert export.state == ExportState.GONE and files(world) == []


# --- in the browser --------------------------------------------------------------------------------------------------


def press(client: Client, submission: UUID | None = None, **more: Any) -> Any:
    data = {"reason": "周例会", "submission": str(submission or uuid4()), **more}
    return client.post("/desk/exports/new/all/?kind=complaint", data)


def test_asking_waiting_and_fetching(client: Client, world: World) -> None:
    case = world.handling()
    sign_in(client, world["dispatcher"])
    form = client.get("/desk/exports/new/all/?kind=complaint").content.decode()
    assert "类型：投诉" in form and "诉求人" in form
    key = uuid4()
    assert press(client, key).status_code == press(client, key).status_code == 302
    export = Export.objects.get()
    assert 'hx-trigger="every 1s"' in client.get("/desk/exports/").content.decode()
    assert client.get(f"/desk/exports/{export.pk}/file/").status_code == 422
    export_actions.run_export(export.pk, at=timezone.now())
    cache.clear()
    with CaptureQueriesContext(connection) as counted:
        line = client.get(f"/desk/exports/{export.pk}/").content.decode()
    assert len(counted) == 3
    assert "下载" in line and "hx-trigger" not in line
    with CaptureQueriesContext(connection) as counted:
        answer: Any = client.get(f"/desk/exports/{export.pk}/file/")
    assert len(counted) == 4
    assert "no-store" in answer["Cache-Control"] and "attachment" in answer["Content-Disposition"]
    rows = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(answer.streaming_content))).get_sheet_by_index(0).to_python()
    assert rows[1][0] == case.number
    assert AuditEntry.objects.filter(code="console.export_opened", actor_id=world["dispatcher"].pk).count() == 1


def test_a_file_is_its_askers_only(client: Client, world: World) -> None:
    export, _ = made(world["dispatcher"])
    sign_in(client, world["dispatcher2"])
    for url in (f"/desk/exports/{export.pk}/", f"/desk/exports/{export.pk}/file/"):
        assert client.get(url).status_code == 404
    assert client.post(f"/desk/exports/{export.pk}/cancel/").status_code == 404
    assert str(export.pk) not in client.get("/desk/exports/").content.decode()
    assert Client().get(f"/desk/exports/{export.pk}/file/").status_code == 302


@pytest.mark.parametrize("reason", ["", "   ", "长" * 101])
def test_a_reason_is_needed(client: Client, world: World, reason: str) -> None:
    sign_in(client, world["dispatcher"])
    assert press(client, reason=reason).status_code == 422
    assert not Export.objects.exists()


def test_so_many_at_once(client: Client, world: World) -> None:
    sign_in(client, world["dispatcher"])
    assert [press(client).status_code for _ in range(4)] == [302, 302, 302, 422]


@pytest.mark.parametrize(("code", "who"), [("dispatch", "agent"), ("handling", "dispatcher"), ("supervision", "城管联络"), ("all", "system_admin")])
def test_whose_desk_it_is_not_exports_nothing(client: Client, world: World, code: str, who: str) -> None:
    sign_in(client, world[who])
    url = f"/desk/exports/new/{code}/"
    assert client.get(url).status_code in (403, 404)
    assert client.post(url, {"reason": "看看", "submission": str(uuid4())}).status_code in (403, 404)
    assert not Export.objects.exists()


def test_the_address_of_a_list_that_was_damaged_exports_what_is_left(world: World) -> None:
    world.handling()
    query = QueryDict("kind=nonsense&received_from=x").urlencode()
    assert len(made(world["dispatcher"], query=query)[1]) == 1


def test_an_applicant_without_name_or_phone_is_empty(world: World) -> None:
    world.submitted(applicant=ApplicantDetails())
    _, rows = made(world["dispatcher"])
    assert not rows[0].get("诉求人") and not rows[0].get("联系电话")
