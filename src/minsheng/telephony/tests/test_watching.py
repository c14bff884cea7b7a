"""What the system administrator is told of the telephones."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from minsheng.telephony import reference
from minsheng.telephony.choices import PromptUse
from minsheng.telephony.following import HEARD, Batch, write_batch
from minsheng.telephony.layout import layout
from minsheng.telephony.models import FollowedTo, Prompt, Trunk
from minsheng.telephony.watching import SILENT, watched_alarms, watched_facts

pytestmark = pytest.mark.django_db


@pytest.fixture
def switch(settings: Any, tmp_path: Path) -> None:
    """Telephones are on; the switch has written nothing yet."""
    settings.TELEPHONY = {"version": 16, "folder": str(tmp_path)}


def test_without_telephones_nothing_is_wrong_and_the_desk_says_that_they_are_off() -> None:
    at = timezone.now()
    assert not list(watched_alarms(at))
    assert [fact.value for fact in watched_facts(at)] == ["未启用"]


def test_a_switch_that_nobody_follows_is_the_reddest_alarm(switch: None) -> None:
    at = timezone.now()
    [never] = watched_alarms(at)
    assert (never.light, never.title) == ("red", "电话交换机从未接通")
    write_batch(layout(), Batch(), now=at)  # a quiet night: nothing happened, and that is known
    assert not list(watched_alarms(at + SILENT))
    assert [fact.value for fact in watched_facts(at)] == ["已接通"]
    [lost] = watched_alarms(at + timedelta(minutes=10))
    assert lost.title == "电话交换机已 10 分钟没有消息"
    assert [fact.value for fact in watched_facts(at + timedelta(minutes=10))] == ["未接通"]


def test_a_quiet_switch_is_written_down_seldom(switch: None) -> None:
    at = timezone.now()
    for beat in range(4):
        write_batch(layout(), Batch(), now=at + timedelta(seconds=beat))
    assert FollowedTo.objects.get().heard_at == at
    write_batch(layout(), Batch(), now=at + HEARD)
    assert FollowedTo.objects.get().heard_at == at + HEARD


def test_words_that_nobody_has_recorded_are_named_once_there_are_callers(switch: None) -> None:
    at = timezone.now()
    write_batch(layout(), Batch(), now=at)
    reference.load_prompts()
    assert not list(watched_alarms(at))
    Trunk.objects.create(code="carrier", name="运营商", addresses=["127.0.0.2"], host="127.0.0.2")
    [alarm] = watched_alarms(at)
    assert alarm.light == "yellow" and all(use.label in alarm.todo for use in PromptUse)
    Prompt.objects.update(audio=b"x")
    assert not list(watched_alarms(at))
