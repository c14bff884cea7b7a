"""The three administrators' desks: who sees them, what stands first, what a press does, and what each screen costs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django import app

from minsheng.accounts import actions as accounts
from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.accounts.testing import sign_in
from minsheng.audit.actions import record, record_verification, seal
from minsheng.audit.findings import Finding, Report
from minsheng.audit.models import AuditEntry
from minsheng.cases.tests.world import World, build
from minsheng.console import actions, condition, tasks, words
from minsheng.dispatching.proposals import propose
from minsheng.errors import Refused
from minsheng.ui import alarms
from minsheng.worktime.actions import load_year
from minsheng.worktime.reference import load_reference

pytestmark = pytest.mark.django_db
SCREENS = {
    "/desk/system/": Role.SYSTEM_ADMIN,
    "/desk/security/": Role.SECURITY_ADMIN,
    "/desk/security/?tab=unused": Role.SECURITY_ADMIN,
    "/desk/security/?tab=changes": Role.SECURITY_ADMIN,
    "/desk/audit/": Role.AUDIT_ADMIN,
    "/desk/audit/seals/": Role.AUDIT_ADMIN,
    "/desk/audit/verification/": Role.AUDIT_ADMIN,
}
PRESSES = {
    "/desk/system/retry/1/": Role.SYSTEM_ADMIN,
    "/desk/security/unlock/1/": Role.SECURITY_ADMIN,
    "/desk/security/withdraw/1/": Role.SECURITY_ADMIN,
    "/desk/audit/verify/": Role.AUDIT_ADMIN,
}


@pytest.fixture(autouse=True)
def fresh_counts() -> None:
    cache.clear()


def person(role: str, name: str = "") -> User:
    name = name or f"{role.replace('_', '.')}.person"
    return User.objects.filter(username=name).first() or User.objects.create_user(
        name, display_name=f"某{Role(role).label}", roles=[role], password_changed_at=timezone.now()
    )


def client(role: str) -> Client:
    return sign_in(Client(), person(role))


# --- rights --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "owner"), SCREENS.items())
def test_each_screen_is_its_administrators_only(path: str, owner: Role) -> None:
    world = build()
    for role in Role:
        user = person(role) if role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN) else None
        user = user or next((p for p in world.people.values() if p.roles == [role]), None) or person(role)
        assert sign_in(Client(), user).get(path).status_code == (200 if role == owner else 403), role
    assert Client().get(path).status_code == 302


@pytest.mark.parametrize(("path", "owner"), PRESSES.items())
def test_each_press_is_its_administrators_only_and_needs_a_post(path: str, owner: Role) -> None:
    for role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.HOTLINE_LEADER):
        if role != owner:
            assert client(role).post(path).status_code in (403, 404), role
    assert AuditEntry.objects.filter(code__in=["accounts.unlocked", "accounts.roles_granted", "console.job_retried"]).count() == 0
    assert client(owner).get(path).status_code == 405
    unchecked = Client(enforce_csrf_checks=True)
    sign_in(unchecked, person(owner))
    assert unchecked.post(path).status_code == 403


@pytest.mark.parametrize("role", [Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN])
def test_an_administrator_lands_on_the_desk(role: Role) -> None:
    landed = client(role).get("/desk/", follow=True)
    assert landed.redirect_chain[-1][0] in SCREENS and landed.status_code == 200


# --- 系统 ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def healthy(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker is heard, the disk is empty, and the years ahead have their notices."""
    load_reference(actor=None, at=timezone.now())
    beat(0)
    monkeypatch.setattr(condition, "disk_free", lambda: 50 * 2**30)
    monkeypatch.setattr("minsheng.worktime.queries.years_missing", lambda at: [])


def beat(seconds_ago: float) -> int:
    with connection.cursor() as cursor:
        moment = timezone.now() - timedelta(seconds=seconds_ago)
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s) RETURNING id", [moment])
        return int(cursor.fetchone()[0])


def job(task: str, status: str, worker: int | None = None) -> int:
    with connection.cursor() as cursor:
        sql = "INSERT INTO procrastinate_jobs (queue_name, task_name, status, worker_id) VALUES ('default', %s, %s, %s) RETURNING id"
        cursor.execute(sql, [task, status, worker])
        return int(cursor.fetchone()[0])


def test_all_is_well_and_says_when_it_looked(healthy: None) -> None:
    page = client(Role.SYSTEM_ADMIN).get("/desk/system/").content.decode()
    assert "一切正常" in page and "检查" in page and "alarm-list" not in page
    assert "运行中" in page and "PostgreSQL" in page and "0.1.0" in page
    assert "/admin/worktime/calendaryear/" in page and ">配置<" in page.replace("</i>", ">")


def test_a_unit_with_work_and_nobody_to_read_it_is_told(healthy: None) -> None:
    world = build()
    world.dispatched()
    assert not [alarm for alarm in alarms.sounding(timezone.now()) if "人员账号" in alarm.title]
    User.objects.filter(unit=world.units["仓山城管"]).update(is_active=False, deactivated_at=timezone.now())
    (alarm,) = [alarm for alarm in alarms.sounding(timezone.now()) if "人员账号" in alarm.title]
    assert alarm.title.startswith("仓山区城市管理局有在办的诉求件") and alarm.light == "orange"
    assert "没有能查阅的人员账号" in propose(world.accepted(), at=world.now)[0].caution


def test_no_worker_is_the_first_thing_said(healthy: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_workers")
    assert alarms.sounding(timezone.now())[0].title == "后台进程没有运行"
    beat(600)
    job("portal.purge", "failed")
    first, second = alarms.sounding(timezone.now())
    assert (first.light, first.title) == ("red", "后台进程已 10 分钟没有心跳")
    assert second.light == "orange"


def test_a_year_without_a_calendar(healthy: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenario 5: which year, how many limits hang on it, and where it is loaded; loaded, the alarm is over."""
    monkeypatch.undo()
    monkeypatch.setattr(condition, "disk_free", lambda: 50 * 2**30)
    world = build()
    at = world.now.replace(month=12, day=29)  # three working days from here reach the next year
    world.now = at
    world.dispatched()
    [alarm] = list(condition._calendar_alarms(at))
    assert alarm.title.startswith(f"缺 {at.year + 1} 年放假安排，") and "个在办时限是暂定的" in alarm.title
    assert alarm.light == "orange" and alarm.url == "/admin/worktime/calendaryear/add/"
    after = at.replace(year=at.year + 1, month=1, day=2)
    assert next(iter(condition._calendar_alarms(after))).light == "red"
    load_year(actor=None, at=at, year=at.year + 1, days=notice(at.year + 1), notice="国办发明电〔测试〕1 号")
    left = list(condition._calendar_alarms(at))
    assert [one.light for one in left] == ["yellow"]  # until the recount has run
    from minsheng.cases.upkeep import recount_provisional

    recount_provisional(at=at)
    assert list(condition._calendar_alarms(at)) == []


def notice(year: int) -> list[Any]:
    """A notice with days off enough to be believed."""
    from datetime import date

    from minsheng.worktime.actions import NamedDay

    holidays = [(1, 1, 3, "元旦"), (2, 6, 14, "春节"), (4, 4, 6, "清明节"), (5, 1, 5, "劳动节"), (6, 9, 11, "端午节"), (9, 15, 17, "中秋节"), (10, 1, 7, "国庆节")]
    return [NamedDay(date(year, month, day), False, name) for month, first, last, name in holidays for day in range(first, last + 1)]


def test_a_failed_job_is_named_until_one_of_its_kind_succeeds(healthy: None) -> None:
    job("audit.seal", "succeeded")
    broken = job("audit.seal", "failed")
    job("cases.archive_quiet", "failed")
    job("cases.archive_quiet", "succeeded")
    [alarm] = alarms.sounding(timezone.now())
    assert "封存记录" in alarm.title and alarm.press and alarm.url == f"/desk/system/retry/{broken}/"
    job("audit.seal", "succeeded")
    assert alarms.sounding(timezone.now()) == []


def test_a_job_whose_worker_died_is_bad_and_one_under_way_is_not(healthy: None) -> None:
    job("cases.read_overdue", "doing", beat(1))
    assert condition.bad_jobs(timezone.now()) == []
    lost = job("cases.archive_quiet", "doing", beat(700))
    [bad] = condition.bad_jobs(timezone.now())
    assert (bad.task, bad.last) == ("cases.archive_quiet", lost)


def test_running_it_again_is_one_press_and_on_the_record(healthy: None) -> None:
    broken = job("portal.purge", "failed")
    admin = client(Role.SYSTEM_ADMIN)
    for _ in range(2):  # the second press finds it queued
        page = admin.post(f"/desk/system/retry/{broken}/", follow=True).content.decode()
        assert "“清理网站临时数据”已重新排队" in page
    with connection.cursor() as cursor:
        cursor.execute("SELECT status FROM procrastinate_jobs WHERE id = %s", [broken])
        assert cursor.fetchone() == ("todo",)
    [entry] = AuditEntry.objects.filter(code="console.job_retried")
    assert (entry.actor_label, entry.subject_label, entry.detail["job"]) == ("某系统管理员", "清理网站临时数据", broken)
    assert admin.post("/desk/system/retry/999999/").status_code == 404


@pytest.mark.parametrize(("free", "light"), [(6 * 2**30, None), (4 * 2**30, "yellow"), (100 * 2**20, "red")])
def test_the_disk_warns_before_it_is_full(healthy: None, monkeypatch: pytest.MonkeyPatch, free: int, light: str | None) -> None:
    monkeypatch.setattr(condition, "disk_free", lambda: free)
    assert [alarm.light for alarm in alarms.sounding(timezone.now())] == ([light] if light else [])


def test_every_task_of_ours_has_words() -> None:
    ours = {name for name in app.tasks if not name.startswith(("builtin", "procrastinate")) and name.split(".")[0] in SPOKEN_FOR}
    assert ours <= words.TASKS.keys()


# Rooms whose tasks and acts this desk speaks for; a room above or beside them may bring its own words later.
SPOKEN_FOR = {
    "accounts", "api", "audit", "case", "cases", "channels", "console", "organisations", "outbox", "portal", "reference", "worktime"
}  # fmt: skip
RECORDERS = {"record", "_record", "_issue", "_record_change", "_record_own", "_record_attempt"}


def test_every_audited_act_has_words() -> None:
    """Whatever a room records shows in Chinese: found in the code, as a constant handed to `record`."""
    import ast
    from pathlib import Path

    root = Path(words.__file__).parent.parent
    said: set[str] = set()
    for path in root.rglob("*.py"):
        if "tests" in path.parts or path.parts[len(root.parts)] not in SPOKEN_FOR:
            continue
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in RECORDERS:
                handed = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "code")]
                constants = [c for each in handed for c in ast.walk(each)]  # also of “this if so else that”
                found = {c.value for c in constants if isinstance(c, ast.Constant) and isinstance(c.value, str)}
                said |= {code for code in found if "." in code}
    assert len(said) > 15 and said <= words.ACTS.keys(), said - words.ACTS.keys()


# --- 安全 ----------------------------------------------------------------------------------------------------------


def lock(username: str, *, minutes_ago: float = 0, failures: int = 5, address: str = "10.3.2.18", agent: str = "x") -> None:
    made = AccessAttempt.objects.create(
        username=username, ip_address=address, user_agent=agent, failures_since_start=failures, path_info="/", http_accept="", get_data="", post_data=""
    )
    AccessAttempt.objects.filter(pk=made.pk).update(attempt_time=timezone.now() - timedelta(minutes=minutes_ago))


def test_who_is_locked_and_letting_them_in_again() -> None:
    locked = person(Role.AGENT, "wangfang")
    lock("wangfang")
    lock("hunter2-my-password", address="10.9.9.9")
    lock("linxm", failures=4)
    lock("chenxiao", minutes_ago=31)
    for name in ("linxm", "chenxiao"):
        person(Role.AGENT, name)
    admin = client(Role.SECURITY_ADMIN)
    page = admin.get("/desk/security/").content.decode()
    assert "wangfang" in page and "10.3.2.18" in page and "确认解除" in page
    assert "linxm" not in page and "chenxiao" not in page
    assert "hunter2" not in page and "另有 1 个不存在的用户名" in page  # people type passwords into the wrong field
    done = admin.post(f"/desk/security/unlock/{locked.pk}/", follow=True).content.decode()
    assert "锁定已解除" in done and "wangfang" not in done
    [entry] = AuditEntry.objects.filter(code="accounts.unlocked")
    assert (entry.actor_label, entry.subject_id) == ("某安全管理员", str(locked.pk))


def test_failures_from_two_browsers_of_one_address_count_together() -> None:
    person(Role.AGENT, "wangfang")
    lock("wangfang", failures=3, agent="one")
    lock("wangfang", failures=2, agent="two")
    assert "5 次" in client(Role.SECURITY_ADMIN).get("/desk/security/").content.decode()


def test_administrators_without_a_second_factor() -> None:
    person(Role.AUDIT_ADMIN)
    page = client(Role.SECURITY_ADMIN).get("/desk/security/").content.decode()
    assert "某审计管理员" in page and "没有两步验证" in page
    person(Role.AGENT)
    assert "某话务员" not in client(Role.SECURITY_ADMIN).get("/desk/security/").content.decode()


def test_roles_of_who_no_longer_comes_are_withdrawn_with_a_trace() -> None:
    gone, here = person(Role.AGENT, "wangfang"), person(Role.AGENT, "linxm")
    User.objects.filter(pk=gone.pk).update(last_login=timezone.now() - timedelta(days=91))
    User.objects.filter(pk=here.pk).update(last_login=timezone.now() - timedelta(days=89))
    admin = client(Role.SECURITY_ADMIN)
    page = admin.get("/desk/security/?tab=unused").content.decode()
    assert "wangfang" in page and "linxm" not in page
    assert admin.post(f"/desk/security/withdraw/{here.pk}/").status_code == 422
    assert admin.post("/desk/security/withdraw/999999/").status_code == 404
    assert "已收回" in admin.post(f"/desk/security/withdraw/{gone.pk}/", follow=True).content.decode()
    gone.refresh_from_db()
    here.refresh_from_db()
    assert (gone.roles, here.roles) == ([], ["agent"])
    changes = admin.get("/desk/security/?tab=changes").content.decode()
    assert "话务员" in changes and "90 天未登录" in changes and "某安全管理员" in changes


def test_what_changed_is_told_in_words() -> None:
    world = build()
    admin, liaison = person(Role.SECURITY_ADMIN), world["城管联络"]
    accounts.move_to_unit(actor=admin, at=timezone.now(), user=liaison, unit=world.units["水务"], why="轮岗")
    page = client(Role.SECURITY_ADMIN).get("/desk/security/?tab=changes").content.decode()
    assert "轮岗" in page and world.units["水务"].short_name in page


# --- 审计 ----------------------------------------------------------------------------------------------------------


def note(code: str, actor: User | None = None, days_ago: float = 0, **more: Any) -> AuditEntry:
    return record(actor=actor, at=timezone.now() - timedelta(days=days_ago), code=code, **more)


def test_the_log_is_found_by_who_what_on_what_and_when() -> None:
    world = build()
    case = world.submitted()
    agent = world["agent"]
    note("case.uncover_applicant", agent, subject=case, subject_label=str(case), why="回拨核实，她说电话 13812345678")
    note("case.set_aside", world["dispatcher"], days_ago=3, subject_label="另一件")
    admin = client(Role.AUDIT_ADMIN)

    def shown(**query: str) -> str:
        return str(admin.get("/desk/audit/", query).content.decode().split("<table", 1)[-1])

    assert "查看诉求人信息" in shown() and "认定不合理诉求" in shown()
    assert "13812345678" not in shown() and "回拨核实" in shown()
    for query in ({"who": agent.username}, {"who": str(agent)}, {"subject": str(case)}, {"subject": str(case).lower()}, {"uncovered": "on"}, {"what": "case.uncover_applicant"}):
        assert "查看诉求人信息" in shown(**query) and "认定不合理诉求" not in shown(**query), query
    day = (timezone.localtime() - timedelta(days=3)).date().isoformat()
    assert "认定不合理诉求" in shown(since=day, until=day) and "查看诉求人信息" not in shown(since=day, until=day)
    assert "没有找到" in admin.get("/desk/audit/", {"who": "没有这个人"}).content.decode()
    assert "认定不合理诉求" in shown(what="case.", since="不是日期")


@pytest.mark.parametrize("query", [{"subject": "13812345678"}, {"who": "350102199001011234"}])
def test_a_persons_number_is_not_searched_for_in_an_address(query: dict[str, str]) -> None:
    answer = client(Role.AUDIT_ADMIN).get("/desk/audit/", query)
    assert answer.status_code == 422 and "网址" in answer.content.decode()


@pytest.mark.parametrize("query", [{"page": "%%%"}, {"what": "nonsense"}, {"who": "\x00"}, {"since": "9999-99-99"}, {"who": "字" * 500}, {"until": "9999-12-31"}, {"since": "0001-01-01"}])
def test_what_is_malformed_is_no_fault_of_ours(query: dict[str, str]) -> None:
    assert client(Role.AUDIT_ADMIN).get("/desk/audit/", query).status_code == 200


def test_the_log_is_paged_by_key() -> None:
    for number in range(60):
        note("case.set_aside", subject_label=f"第{number}条", days_ago=number)
    admin = client(Role.AUDIT_ADMIN)
    first = admin.get("/desk/audit/", {"what": "case."})
    page = first.context["page"]
    assert len(page.rows) == 50 and page.rows[0]["subject"] == "第0条" and not page.previous
    second = admin.get("/desk/audit/", {"what": "case.", "page": page.next}).context["page"]
    assert [row["subject"] for row in second.rows] == [f"第{n}条" for n in range(50, 60)]


def test_asking_for_a_verification_queues_it_once() -> None:
    beat(0)
    admin = client(Role.AUDIT_ADMIN)
    assert "已开始校验" in admin.post("/desk/audit/verify/", follow=True).content.decode()
    again = admin.post("/desk/audit/verify/", follow=True).content.decode()
    assert "已经在校验" in again and "正在后台校验" in again
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), min(args->>'asked_by') FROM procrastinate_jobs WHERE task_name = 'audit.verify'")
        assert cursor.fetchone() == (1, str(person(Role.AUDIT_ADMIN).pk))


def test_a_verification_whose_worker_died_does_not_block_the_next() -> None:
    job("audit.verify", "doing", beat(600))
    assert not actions.verifying(timezone.now())
    assert actions.request_verification(actor=person(Role.AUDIT_ADMIN), at=timezone.now())
    with pytest.raises(Refused):
        actions.request_verification(actor=person(Role.SYSTEM_ADMIN), at=timezone.now())


def test_the_result_names_the_first_broken_row_and_lights_the_rail() -> None:
    world = build()
    case = world.submitted()
    report = Report(findings=[Finding("altered", model="cases.timelineentry", owner=case.pk, seq=2)], entries=7, chains=1, seals=3)
    admin = client(Role.AUDIT_ADMIN)
    assert "还没有校验过" in admin.get("/desk/audit/verification/").content.decode()
    record_verification(actor=person(Role.AUDIT_ADMIN), at=timezone.now(), report=report)
    page = admin.get("/desk/audit/verification/").content.decode()
    assert "发现 1 处改动" in page and f"诉求件 {case.number} 的办理历程 第 2 条被改动" in page and "由某审计管理员校验" in page
    cache.clear()
    assert 'class="light light-red"' in admin.get("/desk/audit/").content.decode()
    record_verification(actor=None, at=timezone.now() + timedelta(seconds=1), report=Report())
    assert "没有发现改动" in admin.get("/desk/audit/verification/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_from_the_press_to_the_altered_row(by_hand: Callable[..., int], no_jobs_left: None) -> None:
    """Scenario 18 at the desk: a row is altered by hand, a worker runs what the press queued, and the page names the row."""
    world = build()
    case = world.accepted()
    while seal(at=timezone.now()):
        pass
    admin = client(Role.AUDIT_ADMIN)
    admin.post("/desk/audit/verify/")
    work()
    assert "没有发现改动" in admin.get("/desk/audit/verification/").content.decode()
    by_hand("UPDATE cases_timelineentry SET payload = '{}' WHERE case_id = %s AND seq = 2", case.pk)
    admin.post("/desk/audit/verify/")
    work()
    page = admin.get("/desk/audit/verification/").content.decode()
    assert f"诉求件 {case.number} 的办理历程 第 2 条被改动" in page


@pytest.fixture
def no_jobs_left(transactional_db: None) -> Iterator[None]:
    """The library's tables are not Django's to empty after a test that commits; what stays there meets the next worker."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_periodic_defers; DELETE FROM procrastinate_jobs; DELETE FROM procrastinate_workers")


def work() -> None:
    """A worker, until nothing is left to do."""

    async def run() -> None:
        with app.replace_connector(app.connector.get_worker_connector()):  # type: ignore[attr-defined]
            async with app.open_async():
                await app.run_worker_async(wait=False, install_signal_handlers=False)

    asyncio.run(run())


@pytest.mark.django_db(transaction=True)
def test_jobs_done_are_forgotten_after_a_week_and_failures_are_not(no_jobs_left: None) -> None:
    old, fresh, broken = job("audit.seal", "succeeded"), job("audit.seal", "succeeded"), job("portal.purge", "failed")
    with connection.cursor() as cursor:
        for number, kind, days in ((old, "succeeded", 8), (fresh, "succeeded", 6), (broken, "failed", 30)):
            at = timezone.now() - timedelta(days=days)
            cursor.execute("INSERT INTO procrastinate_events (job_id, type, at) VALUES (%s, %s, %s)", [number, kind, at])
            cursor.execute("UPDATE procrastinate_events SET at = %s WHERE job_id = %s", [at, number])
    tasks.forget_jobs.configure().defer(timestamp=0)  # as the schedule calls it
    work()
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM procrastinate_jobs WHERE id = ANY (%s) ORDER BY id", [[old, fresh, broken]])
        assert [row[0] for row in cursor.fetchall()] == [fresh, broken]


# --- what it costs -------------------------------------------------------------------------------------------------

BASELINES = {
    "/desk/system/": 21,
    "/desk/security/": 7,
    "/desk/security/?tab=unused": 5,
    "/desk/security/?tab=changes": 6,
    "/desk/audit/": 4,
    "/desk/audit/seals/": 4,
    "/desk/audit/verification/": 6,
}


def burden(world: World, times: int) -> None:
    """So much more of everything."""
    admin = person(Role.SECURITY_ADMIN)
    for number in range(times):
        name = f"burden{User.objects.count()}"
        user = person(Role.AGENT, name)
        lock(name)
        User.objects.filter(pk=user.pk).update(last_login=timezone.now() - timedelta(days=100))
        accounts.move_to_unit(actor=admin, at=timezone.now(), user=world["城管联络"], unit=world.units[("水务", "仓山城管")[number % 2]])
        job(f"task{number}", "failed")
    seal(at=timezone.now())


@pytest.mark.parametrize("path", SCREENS)
def test_fifty_rows_cost_no_more_than_five(path: str) -> None:
    world = build()
    case = world.submitted()
    beat(0)
    record_verification(
        actor=None, at=timezone.now(), report=Report(findings=[Finding("altered", model="cases.timelineentry", owner=case.pk, seq=1)])
    )
    browser = client(SCREENS[path])
    browser.get(path)
    counts = []
    for more in (5, 15):
        burden(world, more)
        cache.clear()
        with CaptureQueriesContext(connection) as counted:
            assert browser.get(path).status_code == 200
        counts.append(len(counted))
    assert counts == [BASELINES[path]] * 2, [query["sql"][:150] for query in counted.captured_queries]
