"""`/health` on a real database."""

import os
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from minsheng.platform import health, status


@pytest.fixture
def home_of_its_own(tmp_path, monkeypatch, settings):
    monkeypatch.setenv("MINSHENG_HOME", str(tmp_path))
    settings.HOME = tmp_path


def _heartbeat(seconds_ago: float) -> None:
    with connection.cursor() as cursor:
        moment = timezone.now() - timedelta(seconds=seconds_ago)
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s)", [moment])


def _children(**running: bool) -> None:
    children = {
        name: {"pid": 4242, "running": up, "restarts": 0 if up else 3, "last_exit": None if up else "signal SIGKILL"}
        for name, up in running.items()
    }
    status.write({"pid": os.getpid(), "since": "", "at": "", "children": children})


@pytest.mark.django_db
@pytest.mark.usefixtures("home_of_its_own")
class TestHealth:
    def test_all_well(self, client):
        _heartbeat(3)
        _children(web=True, worker=True)
        response = client.get("/health")
        answer = response.json()
        assert response.status_code == 200, answer
        assert answer["ok"]
        assert answer["database"]["version"] >= 15
        assert answer["supervisor"]["children"]["web"] == {"running": True, "restarts": 0, "last_exit": None}
        assert "no-store" in response["Cache-Control"]

    def test_no_worker(self, client):
        response = client.get("/health")
        assert response.status_code == 503
        assert response.json()["worker"] == {"ok": False, "why": "no worker is running"}
        assert response.json()["database"]["ok"]

    def test_silent_worker(self, client):
        _heartbeat(100)
        assert client.get("/health").json()["worker"]["why"].startswith("the worker was last heard 100 ")

    def test_child_that_keeps_dying(self, client):
        _heartbeat(1)
        _children(web=True, events=False)
        response = client.get("/health")
        assert response.status_code == 503
        assert response.json()["supervisor"]["why"] == "not running: events"

    def test_file_of_a_killed_supervisor_counts_for_nothing(self, client):
        _heartbeat(1)
        _children(web=False)
        content = status.path().read_text().replace(str(os.getpid()), str(2**22 + 1))
        status.path().write_text(content)
        assert client.get("/health").json()["supervisor"] == {"ok": True, "running": False}

    def test_migrations_that_wait(self, client, monkeypatch):
        monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda self, targets: [1, 2])
        assert client.get("/health").json()["migrations"]["why"] == "2 migrations are not applied"

    def test_full_disk(self, client, monkeypatch):
        monkeypatch.setattr(health, "DISK_BYTES", 2**60)
        assert client.get("/health").json()["disk"]["why"] == "the disk is nearly full"

    def test_a_year_without_a_calendar_is_a_warning_in_chinese_too(self, client, monkeypatch):
        _heartbeat(1)
        monkeypatch.setattr("minsheng.worktime.queries.years_missing", lambda at: [2027, 2028])
        monkeypatch.setattr("minsheng.cases.upkeep.provisional_limits", lambda at: 14)
        response = client.get("/health")
        answer = response.json()
        assert response.status_code == 200 and answer["ok"]
        assert answer["calendar"] == {
            "ok": True,
            "years_missing": [2027, 2028],
            "warning": "no holiday notice is loaded for 2027, 2028",
            "word": "缺 2027、2028 年放假安排",
        }
        assert answer["limits"]["provisional"] == 14
        assert answer["limits"]["word"] == "14 个在办时限是暂定的"
        assert "放假安排" in response.content.decode()  # to be read as it is, without unescaping

    def test_with_every_notice_loaded_there_is_no_warning(self, client, monkeypatch):
        monkeypatch.setattr("minsheng.worktime.queries.years_missing", lambda at: [])
        answer = client.get("/health").json()
        assert answer["calendar"] == {"ok": True}
        assert answer["limits"] == {"ok": True, "provisional": 0}

    def test_the_desk_hears_of_a_child_that_is_down(self, client):
        _children(web=True, events=False)
        [alarm] = health.supervisor_alarms(timezone.now())
        assert alarm.light == "red" and "events" in alarm.title and "3 次" in alarm.title and "SIGKILL" in alarm.todo
        _children(web=True, events=True)
        assert list(health.supervisor_alarms(timezone.now())) == []

    def test_dead_database_says_no_more_than_that(self, client, monkeypatch):
        def die() -> None:
            raise OperationalError('connection failed for user "minsheng" at 10.0.0.1')

        monkeypatch.setitem(health._QUESTIONS, "database", die)
        response = client.get("/health")
        assert response.status_code == 503
        assert b"10.0.0.1" not in response.content


def test_only_reading(client):
    assert client.post("/health").status_code == 405
