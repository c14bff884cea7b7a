"""The switch's files: whole or not at all, nothing of a caller's in them, and a real Asterisk that runs on them."""

from __future__ import annotations

import os
import re
import stat
from datetime import UTC, datetime, time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from minsheng.telephony.ami import AmiError
from minsheng.telephony.layout import NotConfigured, layout
from minsheng.telephony.models import OpeningHours, Seat, SkillQueue
from minsheng.telephony.rendering import files_for, plan_at, write
from minsheng.telephony.tests.conftest import ask_switch, found_centre
from minsheng.telephony.tests.switch import until

AT = datetime(2026, 11, 27, 1, 0, tzinfo=UTC)


@pytest.fixture
def rendered(db, scratch, tmp_path, settings):
    found_centre(scratch)
    settings.TELEPHONY = {**scratch.settings, "folder": str(tmp_path / "switch")}
    return lambda **changes: files_for(plan_at(AT), layout(**changes))


def test_without_a_setting_there_is_no_switch(settings):
    settings.TELEPHONY = {}
    with pytest.raises(NotConfigured):
        layout()
    with pytest.raises(CommandError, match="电话未启用"):
        call_command("telephony_render")


def test_both_versions_are_written_from_the_same_rows_and_differ_where_they_must(rendered):
    old, new = rendered(version=16), rendered(version=22)
    assert [name for name in old if old[name] != new[name]] == ["asterisk.conf"]
    assert b"/usr/lib/x86_64-linux-gnu/asterisk/modules" in new["asterisk.conf"]


def test_every_file_is_put_in_place_at_once_and_read_by_few(rendered, settings):
    where, files = layout(), rendered()
    assert write(files, where) is True
    assert write(files, where) is False, "the same again changes nothing"
    first = where.etc.resolve()
    for path in first.rglob("*"):
        assert not path.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP)
    assert write({**files, "cdr.conf": b"; other\n"}, where) is True
    assert where.etc.resolve() != first and first.exists(), "whoever was reading the last one reads on"
    assert not [path for path in where.folder.iterdir() if path.name.endswith(".draft")]


def test_a_rendering_that_fails_half_way_leaves_the_last_one(rendered, monkeypatch):
    where, files = layout(), rendered()
    write(files, where)
    with pytest.raises(TypeError):
        write({**files, "cdr.conf": b"; x\n", "zz.conf": None}, where)
    assert (where.etc / "queues.conf").read_bytes() == files["queues.conf"]
    assert not (where.etc / "zz.conf").exists()


def test_nothing_that_a_caller_sends_reaches_more_than_a_filter(rendered):
    text = rendered()["extensions.conf"].decode()
    assert not re.search(r"System|TrySystem|SHELL|AGI|MixMonitor|Monitor\(|CURL|ODBC|FILE\(|ENV\(", text)
    raw = [line for line in text.splitlines() if "${CALLERID" in line or "${EXTEN}" in line]
    first_use = [line for line in raw if "FILTER(0-9+," in line]
    assert [line for line in raw if line not in first_use] == [
        " same => n,QueueLog(NONE,${UNIQUEID},NONE,ARRIVED,${CALLERID(num)}|${DIALLED}|${TRUNK})"
    ]
    assert text.index("FILTER(0-9+,${CALLERID(num)})") < text.index("ARRIVED")


def test_queues_announce_nothing_and_specialists_overflow_where_nobody_sits(rendered):
    queues = rendered()["queues.conf"].decode()
    assert queues.count("announce-position=no") == queues.count("strategy=") == 7
    general = queues.partition("[skill-general]")[2].partition("[skill-enterprise]")[0]
    assert "joinempty=yes" in general and "strategy=leastrecent" in general
    assert "joinempty=unavailable" in queues[queues.index("[skill-enterprise]") :]


def test_a_row_that_has_ended_is_rendered_no_more(rendered):
    Seat.objects.filter(extension="1002").update(valid_to=AT.date())
    SkillQueue.objects.filter(code="general").update(valid_to=AT.date())
    files = rendered()
    assert b"[1002]" not in files["pjsip.conf"] and b"[1001]" in files["pjsip.conf"]
    assert b"queue-general" not in files["extensions.conf"], "nor does anything still lead there"


def test_hours_end_before_their_last_minute(rendered):
    queue = SkillQueue.objects.get(code="enterprise")
    OpeningHours.objects.create(queue=queue, first_day=1, last_day=5, opens=time(8, 30), closes=time(18, 0))
    text = rendered()["extensions.conf"].decode().partition("[queue-enterprise]")[2].partition("[queue-")[0]
    assert "GotoIfTime(08:30-17:59,mon-fri,*,*,Asia/Shanghai?open)" in text
    assert text.index("Goto(queue-general,s,1)") < text.index("(open)")


@pytest.mark.telephony
@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives the files to another user")
def test_a_switch_that_could_not_read_its_files_is_not_to_be_started(rendered, tmp_path):
    tmp_path.chmod(0o700)
    with pytest.raises(CommandError, match="读不到"):
        call_command("telephony_render")


@pytest.mark.telephony
def test_a_real_asterisk_runs_on_it_and_reads_it_anew_under_the_hands_of_a_restricted_user(centre, settings):
    log = Path(centre.settings["folder"]) / "log" / "messages.log"
    wrong = [line for line in log.read_text().splitlines() if " ERROR[" in line or " WARNING[" in line]
    assert not wrong, wrong
    assert "1003" in centre.ask("pjsip show endpoints") and "skill-general" in centre.ask("queue show")
    Seat.objects.create(extension="1009", browser=True, secret="s")
    SkillQueue.objects.filter(code="english").update(valid_to=AT.date())
    call_command("telephony_render", reload=True)
    until(lambda: "1009" in centre.ask("pjsip show endpoints"))
    until(lambda: "skill-english" not in centre.ask("queue show"))
    for action in ({"name": "Command", "Command": "core show version"}, {"name": "ModuleLoad", "LoadType": "reload"}):
        with pytest.raises(AmiError, match="ermission"):
            ask_switch(lambda ami, action=action: ami.action(**action))
    with pytest.raises(ValueError, match="one line"):
        ask_switch(lambda ami: ami.action("QueuePause", Interface="PJSIP/1001\r\nAction: Command", Paused="true"))
