"""What must be answered before production."""

import pytest

from minsheng.platform import checks

_KEYS = {f"MINSHENG_{key.upper()}_KEY": f"{key}-" + "x" * 40 for key in checks.KEYS}


def _ids(messages) -> list[str]:
    return [message.id for message in messages]


def test_every_key_must_be_given(monkeypatch):
    assert _ids(checks.check_keys(None)) == ["minsheng.E001"] * len(checks.KEYS)
    for name, value in _KEYS.items():
        monkeypatch.setenv(name, value)
    assert checks.check_keys(None) == []


def test_keys_are_long_and_different(monkeypatch):
    for name, value in _KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MINSHENG_DATA_KEY", "short")
    assert _ids(checks.check_keys(None)) == ["minsheng.E002"]
    monkeypatch.setenv("MINSHENG_DATA_KEY", _KEYS["MINSHENG_SEAL_KEY"])
    assert _ids(checks.check_keys(None)) == ["minsheng.E003"]


def test_mode_of_production(monkeypatch, settings):
    settings.TESTING, settings.SECURE, settings.ALLOWED_HOSTS = False, True, ["hotline.example.org"]
    assert checks.check_mode(None) == []
    settings.TESTING, settings.SECURE, settings.ALLOWED_HOSTS = True, False, ["localhost"]
    monkeypatch.delenv("DATABASE_URL")
    assert _ids(checks.check_mode(None)) == ["minsheng.E011", "minsheng.E012", "minsheng.W014", "minsheng.E015"]


@pytest.mark.django_db
def test_tests_run_on_a_database_fit_for_production():
    assert checks.check_database(None, databases=["default"]) == []
