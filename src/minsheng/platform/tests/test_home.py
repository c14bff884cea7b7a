"""Keys and folders of an installation."""

import multiprocessing
import os
import stat
from pathlib import Path

from minsheng.platform import home


def _first_secret(folder: str, gate, found) -> None:
    os.environ["MINSHENG_HOME"] = folder
    os.environ.pop("MINSHENG_RACE_KEY", None)
    gate.wait()
    found.put(home.secret("race"))


def test_processes_that_start_together_agree_on_a_key(tmp_path):
    context = multiprocessing.get_context("spawn")
    gate, found = context.Barrier(6), context.Queue()
    processes = [context.Process(target=_first_secret, args=(str(tmp_path), gate, found)) for _ in range(6)]
    for process in processes:
        process.start()
    keys = {found.get(timeout=60) for _ in processes}
    for process in processes:
        process.join()
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
