"""Keys and folders of an installation."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

from minsheng.platform import home

# Every process waits for the same moment, so that they meet in the middle of the first one's writing.
_FIRST_SECRET = """
import sys, time
from minsheng.platform import home
time.sleep(max(0.0, float(sys.argv[1]) - time.time()))
print(home.secret("race"))
"""


def test_processes_that_start_together_agree_on_a_key(tmp_path):
    environment = {**os.environ, "MINSHENG_HOME": str(tmp_path)}
    command = [sys.executable, "-c", _FIRST_SECRET, str(time.time() + 1)]
    processes = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    keys = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert len(keys) == 1
    assert len(keys.pop()) >= 48
    assert os.listdir(tmp_path / "keys") == ["race"], "no draft is left"


def test_key_and_folder_are_their_owners_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("MINSHENG_HOME", str(tmp_path / "state"))
    home.secret("data")
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "state" / "keys" / "data").stat().st_mode) == 0o600


def test_given_key_wins_and_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv("MINSHENG_HOME", str(tmp_path))
    monkeypatch.setenv("MINSHENG_DATA_KEY", "given")
    assert home.secret("data") == "given"
    assert not (tmp_path / "keys").exists()


def test_socket_of_a_deep_folder_is_short(tmp_path, monkeypatch):
    monkeypatch.setenv("MINSHENG_HOME", str(tmp_path / ("deep" * 30)))
    assert len(str(home.socket_folder() / ".s.PGSQL.5432")) < 107
    assert home.socket_folder().parent == Path("/tmp")
