"""Calendar and policies in the database: how they change, who sees it when, and which limit applies."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from minsheng.errors import Refused
from minsheng.worktime import actions, queries, reference
from minsheng.worktime.actions import NamedDay, end_policy, load_year, publish_policy, set_day
from minsheng.worktime.choices import Clock, DayKind, LimitUnit
from minsheng.worktime.models import CalendarDay, CalendarYear, LimitPolicy
from minsheng.worktime.rules import Limit
from minsheng.worktime.tests.test_rules import SHIPPED, at

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
NOTICE = "国务院办公厅关于2027年部分节假日安排的通知"
NEW_YEAR = [NamedDay(date(2027, 1, day), False, "元旦") for day in (1, 2, 3)]


class Person:
    """Somebody with or without the configuration permissions; never stored."""

    def __init__(self, *, may: bool) -> None:
        self.may = may

    def has_perm(self, permission: str) -> bool:
        assert permission.startswith("worktime.")
        return self.may


@pytest.fixture
def loaded(db: None) -> None:
    reference.load_reference(actor=None, at=NOW)


@pytest.fixture(autouse=True)
def _fresh_process() -> Any:
    queries._shared.snapshot = None
    yield
    queries._shared.snapshot = None


def publish(**changes: Any) -> LimitPolicy:
    fields = {
        "actor": None, "at": NOW, "code": "x", "name": "试", "clock": Clock.HANDLING, "amount": 3,
        "effective_from": date(2026, 11, 24), **changes,
    }  # fmt: skip
    return publish_policy(**fields)


# --- what is shipped ------------------------------------------------------------------------------


def test_reference_is_the_state_councils_list(loaded: None) -> None:
    calendar = queries.calendar()
    assert calendar == SHIPPED
    assert calendar.years == {2025, 2026}
    assert not calendar.known(2027)


def test_reference_loads_once_and_leaves_an_administrators_changes(loaded: None) -> None:
    set_day(actor=None, at=NOW, day=date(2026, 12, 1), working=False, name="台风停工")
    publish(code="read", name="查阅", clock=Clock.READ, amount=2)
    before = list(LimitPolicy.objects.values_list("id", flat=True))
    reference.load_reference(actor=None, at=NOW + timedelta(days=1))
    assert not queries.calendar().is_working(date(2026, 12, 1))
    assert list(LimitPolicy.objects.values_list("id", flat=True)) == before


def test_a_year_that_the_package_does_not_know_is_an_error() -> None:
    with pytest.raises(Refused) as refused:
        reference.package_days(2093)
    assert refused.value.code == "calendar_unknown"


def test_two_sources_that_differ_are_an_error_naming_the_days() -> None:
    _, listed = reference._listed()
    wrong = [day for day in listed if day.date.year == 2026 and day.date != date(2026, 2, 14)]
    with pytest.raises(Refused, match="2026-02-14") as refused:
        reference.check_against_package(2026, wrong)
    assert refused.value.code == "calendar_mismatch"


@pytest.mark.parametrize(
    ("case", "limit"),
    [
        ({"kind": "consultation"}, "2 个工作日"),
        ({"kind": "help"}, "3 个工作日"),
        ({"kind": "help", "on_list": True, "urgency": "urgent"}, "3 个工作日"),
        ({"kind": "complaint"}, "10 个工作日"),
        ({"kind": "complaint", "on_list": True}, "3 个工作日"),
        ({"kind": "report"}, "10 个工作日"),
        ({"kind": "report", "on_list": True}, "3 个工作日"),
        ({"kind": "suggestion"}, "5 个工作日"),
        ({"kind": "praise"}, "5 个工作日"),
        ({"kind": "other"}, "5 个工作日"),
        ({"kind": "complaint", "topic_code": "080103"}, "7 个工作日"),
        ({"kind": "consultation", "topic_code": "080103"}, "2 个工作日"),
        ({"kind": "complaint", "topic_code": "180201", "on_list": True}, "5 个工作日"),
        ({"kind": "consultation", "topic_code": "180201"}, "2 个工作日"),
        ({"kind": "complaint", "topic_code": "180105"}, "10 个工作日"),
        ({"clock": "acceptance"}, "1 个工作日"),
        ({"clock": "dispatch", "kind": "help", "urgency": "normal"}, "1 个工作日"),
        ({"clock": "dispatch", "kind": "help", "urgency": "urgent"}, "2 小时"),
        ({"clock": "read", "kind": "help", "urgency": "normal"}, "1 个工作日"),
        ({"clock": "first_measures", "urgency": "urgent"}, "24 小时"),
        ({"clock": "first_measures", "urgency": "critical"}, "24 小时"),
        ({"clock": "return_request"}, "1 个工作日"),
        ({"clock": "audit"}, "1 个工作日"),
        ({"clock": "follow_up"}, "3 个工作日"),
        ({"clock": "second_handling"}, "5 个工作日"),
        ({"clock": "extension"}, "15 个工作日"),
    ],
)
def test_shipped_limits(loaded: None, case: dict[str, Any], limit: str) -> None:
    found, policy = queries.limit_for(**{"clock": "handling", "at": NOW, **case})
    assert str(found) == limit
    assert policy.is_sourced == bool(policy.legal_basis)


def test_without_a_policy_the_step_is_refused(loaded: None) -> None:
    with pytest.raises(Refused) as refused:
        queries.policy_for(clock=Clock.FIRST_MEASURES, at=NOW, urgency="normal")
    assert refused.value.code == "no_policy"
    assert "先行处置" in refused.value.sentence


def test_a_deadline_from_a_policy_carries_its_basis(loaded: None) -> None:
    policy = queries.policy_for(clock=Clock.HANDLING, at=NOW, kind="help")
    made = queries.deadline(policy, at("2026-11-25T14:05"))
    assert (made.policy, made.version, made.name) == ("handling.help", 1, "求助")
    assert made.sentence() == "11月30日（周一）24:00 前 · 求助 3 个工作日，自 11月25日 批转次日起算，跳过周六、周日"
    citizen = queries.deadline(policy, at("2026-11-25T14:05"), lead_in=Limit(1), event="受理")
    assert "加批转 1 个工作日，自 11月25日 受理次日起算" in citizen.sentence()


# --- policies -------------------------------------------------------------------------------------


def test_the_more_important_thing_named_wins(loaded: None) -> None:
    def found(**case: Any) -> str:
        return queries.policy_for(clock=Clock.HANDLING, at=NOW, kind="complaint", **case).code

    publish(code="urgent", urgency="urgent")
    publish(code="topic", topic_code="0102")
    publish(code="subtopic", topic_code="010203")
    assert found() == "handling.complaint"
    assert found(on_list=True) == "handling.complaint.listed"
    assert found(on_list=True, urgency="urgent") == "urgent"
    assert found(on_list=True, urgency="urgent", topic_code="010299") == "topic"
    assert found(topic_code="010203") == "subtopic"
    assert found(topic_code="0199") == "handling.complaint"


@pytest.mark.parametrize(
    ("prefix", "topic", "covered"),
    [
        ("", "", True), ("", "0102", True), ("0102", "010203", True), ("010203", "0102", False),
        ("a.b", "a.b.c", True), ("a.b", "a.b", True), ("a.b", "a.bc", False), ("a.", "a.bc", True),
    ],
)  # fmt: skip
def test_a_topic_covers_what_is_below_it(prefix: str, topic: str, covered: bool) -> None:
    assert queries.covers_topic(prefix, topic) is covered


def test_the_version_is_that_of_the_moment_in_shanghai(loaded: None) -> None:
    publish(code="handling.help", name="求助", kind="help", amount=5, effective_from=date(2026, 12, 1))

    def amount(moment: datetime) -> int:
        return queries.limit_for(clock=Clock.HANDLING, at=moment, kind="help")[0].amount

    assert amount(at("2026-11-30T23:59:59")) == 3
    assert amount(datetime(2026, 11, 30, 16, tzinfo=UTC)) == 5
    versions = LimitPolicy.objects.filter(code="handling.help").order_by("version")
    assert [policy.effective_to for policy in versions] == [date(2026, 12, 1), None]


def test_a_version_never_reaches_back(loaded: None) -> None:
    for day in (date(2026, 11, 23), date(2017, 12, 1)):
        with pytest.raises(Refused) as refused:
            publish(code="handling.help", kind="help", effective_from=day)
        assert refused.value.code == "policy_dates"


def test_two_codes_never_ask_for_the_same_cases(loaded: None) -> None:
    with pytest.raises(Refused, match=r"handling\.help") as refused:
        publish(code="other", kind="help")
    assert refused.value.code == "policy_twin"
    end_policy(actor=None, at=NOW, code="handling.help", effective_to=date(2026, 11, 25))
    publish(code="other", kind="help", effective_from=date(2026, 11, 25))
    assert queries.policy_for(clock=Clock.HANDLING, at=NOW, kind="help").code == "handling.help"
    assert queries.policy_for(clock=Clock.HANDLING, at=at("2026-11-25T00:00"), kind="help").code == "other"


@pytest.mark.parametrize(
    "changes",
    [{"amount": 0}, {"amount": -1}, {"amount": 1001}, {"clock": "x"}, {"unit": "weeks"}, {"code": " "}, {"name": ""}],
)
def test_a_policy_that_makes_no_sense_is_refused(db: None, changes: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        publish(**changes)
    assert refused.value.code == "invalid"


@pytest.mark.parametrize(
    "changes",
    [{"amount": 0}, {"unit": "weeks"}, {"effective_to": date(2026, 11, 24)}, {"version": 1}, {"version": 2}],
)
def test_the_database_holds_it_too(db: None, changes: dict[str, Any]) -> None:
    publish()
    fields = {
        "code": "x", "version": 9, "name": "试", "clock": Clock.READ, "amount": 1, "unit": LimitUnit.HOURS,
        "is_sourced": False, "effective_from": date(2026, 11, 24), "published_at": NOW, **changes,
    }  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        LimitPolicy.objects.create(**fields)


def test_only_who_may_changes_anything(db: None) -> None:
    nobody: Any = Person(may=False)
    for change in (
        lambda: load_year(actor=nobody, at=NOW, year=2027, days=NEW_YEAR, notice=NOTICE),
        lambda: set_day(actor=nobody, at=NOW, day=date(2026, 12, 1), working=False, name="台风停工"),
        lambda: publish(actor=nobody),
        lambda: end_policy(actor=nobody, at=NOW, code="x", effective_to=date(2026, 12, 1)),
    ):
        with pytest.raises(Refused) as refused:
            change()
        assert refused.value.code == "forbidden"


# --- the calendar ---------------------------------------------------------------------------------


def test_a_notice_replaces_what_was_known_of_its_year(loaded: None) -> None:
    set_day(actor=None, at=NOW, day=date(2027, 1, 4), working=False, name="猜的")
    load_year(actor=None, at=NOW, year=2027, days=NEW_YEAR, notice=NOTICE)
    eve = NamedDay(date(2026, 12, 31), False, "元旦")
    load_year(actor=None, at=NOW, year=2027, days=[eve, *NEW_YEAR[:2]], notice=NOTICE)
    calendar = queries.calendar()
    assert [calendar.is_working(day) for day in (eve.date, date(2027, 1, 1), date(2027, 1, 4))] == [False, False, True]
    assert date(2027, 1, 3) not in calendar.days
    load_year(actor=None, at=NOW, year=2027, days=NEW_YEAR, notice=NOTICE)
    assert queries.calendar().is_working(eve.date)
    assert CalendarDay.objects.get(date=date(2026, 2, 14)).kind == DayKind.MAKE_UP


@pytest.mark.parametrize(
    ("days", "says"),
    [
        ([], "没有 2027 年的放假日期"),
        ([NamedDay(date(2026, 11, 30), False, "元旦"), *NEW_YEAR], "不属于 2027 年"),
        ([*NEW_YEAR, NEW_YEAR[0]], "写了两次"),
        ([*NEW_YEAR, NamedDay(date(2027, 1, 5), True, "元旦调休")], "不是周末"),
        ([*NEW_YEAR, NamedDay(date(2027, 1, 5), False, " ")], "没有写名称"),
    ],
)
def test_a_slip_in_a_notice_is_refused(db: None, days: list[NamedDay], says: str) -> None:
    with pytest.raises(Refused, match=says):
        load_year(actor=None, at=NOW, year=2027, days=days, notice=NOTICE)
    assert not CalendarYear.objects.exists()


def test_years_that_deadlines_may_reach_are_missed(loaded: None) -> None:
    assert queries.years_missing(at("2026-10-01T09:00")) == []
    assert queries.years_missing(at("2026-11-24T09:00")) == [2027]
    assert queries.years_missing(at("2027-03-01T09:00")) == [2027]
    load_year(actor=None, at=NOW, year=2027, days=NEW_YEAR, notice=NOTICE)
    assert queries.years_missing(at("2026-11-24T09:00")) == []


def test_hooks_hear_of_a_change_with_the_calendar_as_it_is_now(loaded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []
    monkeypatch.setattr(actions, "on_calendar_changed", [lambda **told: heard.append(told)])
    load_year(actor=None, at=NOW, year=2027, days=NEW_YEAR, notice=NOTICE)
    set_day(actor=None, at=NOW, day=date(2027, 1, 4), working=False, name="台风停工")
    assert [told["at"] for told in heard] == [NOW, NOW]
    assert heard[0]["calendar"].known(2027)
    assert not heard[1]["calendar"].is_working(date(2027, 1, 4))


def test_a_hook_that_fails_undoes_the_change(loaded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**told: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(actions, "on_calendar_changed", [fail])
    with pytest.raises(RuntimeError):
        load_year(actor=None, at=NOW, year=2027, days=NEW_YEAR, notice=NOTICE)
    assert queries.years_missing(NOW) == [2027]


def test_every_change_is_in_the_history(loaded: None) -> None:
    set_day(actor=None, at=NOW, day=date(2026, 12, 1), working=False, name="台风停工")
    set_day(actor=None, at=NOW, day=date(2026, 12, 1), working=True, name="台风转向")
    events = apps.get_model("worktime", "CalendarDayEvent").objects.filter(date=date(2026, 12, 1)).order_by("pgh_id")
    assert [(event.pgh_label, event.name) for event in events] == [("insert", "台风停工"), ("update", "台风转向")]


# --- what a process remembers ---------------------------------------------------------------------


def test_reading_again_costs_nothing(loaded: None) -> None:
    queries.calendar()
    with CaptureQueriesContext(
        connection,
    ) as captured:
        for _ in range(1000):
            queries.calendar()
            queries.policy_for(clock=Clock.READ, at=NOW)
    assert len(captured) == 0


def test_a_change_is_seen_at_once_and_a_rollback_too(loaded: None) -> None:
    class Undo(Exception):
        pass

    assert queries.calendar().is_working(date(2026, 12, 1))
    with pytest.raises(Undo), transaction.atomic():
        set_day(actor=None, at=NOW, day=date(2026, 12, 1), working=False, name="台风停工")
        assert not queries.calendar().is_working(date(2026, 12, 1))
        raise Undo
    assert queries.calendar().is_working(date(2026, 12, 1))


def _elsewhere(work: Any) -> Any:
    """Run on a connection of its own, as another process would."""
    result: list[Any] = []

    def run() -> None:
        try:
            result.append(work())
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(timeout=20)
    return result[0]


def _by_hand(day: date) -> None:
    """As another process writes it: nothing here is told."""
    CalendarDay.objects.create(date=day, working=False, name="台风停工", kind=DayKind.ADJUSTED, edited_at=NOW)


@pytest.mark.django_db(transaction=True)
def test_a_change_by_another_process_is_seen_at_the_next_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(queries, "monotonic", lambda: clock[0])
    assert queries.calendar().is_working(date(2026, 12, 1))
    _elsewhere(lambda: _by_hand(date(2026, 12, 1)))
    assert queries.calendar().is_working(date(2026, 12, 1))
    clock[0] += queries.PROBE_SECONDS
    assert not queries.calendar().is_working(date(2026, 12, 1))
    clock[0] += queries.PROBE_SECONDS
    with CaptureQueriesContext(connection) as captured:
        queries.calendar()
        queries.calendar()
    assert len(captured) == 1


@pytest.mark.django_db(transaction=True)
def test_a_commit_that_comes_late_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its history has a lower number than what was seen already."""
    monkeypatch.setattr(queries, "PROBE_SECONDS", 0.0)
    with transaction.atomic():
        _by_hand(date(2026, 12, 1))
        _elsewhere(lambda: _by_hand(date(2026, 12, 2)))
        seen = _elsewhere(queries.calendar)
        assert (seen.is_working(date(2026, 12, 1)), seen.is_working(date(2026, 12, 2))) == (True, False)
    assert not _elsewhere(queries.calendar).is_working(date(2026, 12, 1))


@pytest.mark.django_db(transaction=True)
def test_what_is_not_committed_is_seen_by_its_own_transaction_only() -> None:
    assert queries.calendar().is_working(date(2026, 12, 1))
    with transaction.atomic():
        set_day(actor=None, at=NOW, day=date(2026, 12, 1), working=False, name="台风停工")
        assert not queries.calendar().is_working(date(2026, 12, 1))
        assert _elsewhere(queries.calendar).is_working(date(2026, 12, 1))
    assert not _elsewhere(queries.calendar).is_working(date(2026, 12, 1))


@pytest.mark.django_db(transaction=True)
def test_two_versions_published_at_once_follow_one_another() -> None:
    publish()
    dates = [date(2026, 12, 1), date(2026, 12, 2)]
    results: list[str] = []

    def work(day: date) -> None:
        try:
            publish(effective_from=day)
            results.append("published")
        except Refused as refused:
            results.append(refused.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(day,)) for day in dates]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    versions = list(LimitPolicy.objects.order_by("version").values_list("effective_from", "effective_to"))
    assert all(before[1] == after[0] for before, after in pairwise(versions))
    assert versions[-1][1] is None
    assert sorted(results) in (["published", "published"], ["policy_dates", "published"])
