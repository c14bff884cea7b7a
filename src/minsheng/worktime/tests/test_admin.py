"""The administrator's screens: what is typed goes through the actions, and slips are told beside the field."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from minsheng.worktime import queries, reference
from minsheng.worktime.forms import format_notice, parse_notice
from minsheng.worktime.models import CalendarDay, CalendarYear, LimitPolicy

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
LINES = "2027-01-01 至 2027-01-03 休 元旦\n2027-01-09 班 元旦调休"


@pytest.fixture
def administrator(db: None, settings: Any, client: Client) -> Client:
    settings.SECOND_FACTOR_REQUIRED = False
    reference.load_reference(actor=None, at=NOW)
    user = get_user_model().objects.create_user(username="xitong", display_name="系统管理员", roles=["system_admin"])
    client.force_login(user, backend="minsheng.accounts.backends.RoleBackend")
    return client


def page(model: str, view: str, *args: Any) -> str:
    return reverse(f"admin:worktime_{model}_{view}", args=args)


@pytest.mark.parametrize("model", ["calendaryear", "calendarday", "limitpolicy"])
def test_lists_open_and_nothing_can_be_deleted(administrator: Client, model: str) -> None:
    assert administrator.get(page(model, "changelist")).status_code == 200
    assert administrator.get(page(model, "add")).status_code == 200
    first = apps.get_model("worktime", model)._default_manager.values_list("pk", flat=True)[0]
    assert administrator.get(page(model, "change", first)).status_code == 200
    assert administrator.post(page(model, "delete", first), {"post": "yes"}).status_code == 403


def test_a_notice_typed_in_is_loaded(administrator: Client) -> None:
    typed = {"year": 2027, "notice": "国务院办公厅通知", "lines": LINES}
    assert administrator.post(page("calendaryear", "add"), typed).status_code == 302
    assert queries.calendar().is_working(date(2027, 1, 9))
    loaded = CalendarYear.objects.get(year=2027)
    assert loaded.loaded_by is not None
    assert LINES in administrator.get(page("calendaryear", "change", loaded.pk)).content.decode()
    again = {"notice": "更正", "lines": LINES.splitlines()[0]}
    assert administrator.post(page("calendaryear", "change", loaded.pk), again).status_code == 302
    assert not queries.calendar().is_working(date(2027, 1, 9))


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("元旦放假", "第 1 行看不懂"),
        ("2027-02-30 休 春节", "没有这一天"),
        ("2027-01-03 至 2027-01-01 休 元旦", "起止日期不对"),
        ("2027-01-05 班 调休\n2027-01-01 休 元旦", "不是周末"),
        ("2026-05-01 休 劳动节\n2027-01-01 休 元旦", "不属于 2027 年"),
    ],
)
def test_a_slip_in_a_notice_is_told_beside_the_field(administrator: Client, lines: str, says: str) -> None:
    answer = administrator.post(page("calendaryear", "add"), {"year": 2027, "notice": "通知", "lines": lines})
    assert answer.status_code == 200
    assert says in answer.content.decode()
    assert not CalendarYear.objects.filter(year=2027).exists()


def test_a_notice_reads_back_as_it_was_typed() -> None:
    days = [CalendarDay(date=day.date, working=day.working, name=day.name) for day in parse_notice(LINES)]
    assert format_notice(days) == LINES


def test_a_day_set_by_hand(administrator: Client) -> None:
    typed = {"date": "2026-12-01", "name": "台风停工"}
    assert administrator.post(page("calendarday", "add"), typed).status_code == 302
    assert not queries.calendar().is_working(date(2026, 12, 1))


def test_the_next_version_starts_from_the_one_before(administrator: Client) -> None:
    answer = administrator.get(page("limitpolicy", "changelist"), {"q": "handling.help"})
    assert "发布新版" in answer.content.decode()
    before = LimitPolicy.objects.get(code="handling.help")
    assert administrator.post(page("limitpolicy", "change", before.pk), {"amount": 9}).status_code == 403
    typed = {
        "code": "handling.help", "name": "求助", "clock": "handling", "kind": "help", "on_convenience_list": "unknown",
        "amount": 4, "unit": "working_days", "effective_from": "2099-01-01",
        "legal_basis": "新办法", "is_sourced": "on",
    }  # fmt: skip
    assert administrator.post(page("limitpolicy", "add"), typed).status_code == 302
    after = LimitPolicy.objects.get(code="handling.help", version=2)
    before.refresh_from_db()
    assert (after.amount, before.effective_to) == (4, date(2099, 1, 1))


def test_who_may_not_configure_sees_nothing(db: None, settings: Any, client: Client) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    user = get_user_model().objects.create_user(username="anquan", display_name="安全管理员", roles=["security_admin"])
    client.force_login(user, backend="minsheng.accounts.backends.RoleBackend")
    for model in ("calendaryear", "calendarday", "limitpolicy"):
        assert client.get(page(model, "changelist")).status_code == 403
        assert client.get(page(model, "add")).status_code == 403
