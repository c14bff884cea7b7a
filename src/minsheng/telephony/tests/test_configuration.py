"""What the switch is told: the data a centre starts with, what an administrator may write, and what never gets out."""

from __future__ import annotations

import io
import wave
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection
from django.urls import reverse

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.accounts.testing import sign_in
from minsheng.audit.models import AuditEntry
from minsheng.errors import Refused
from minsheng.organisations.actions import save_reference_row
from minsheng.telephony import actions, reference, sounds
from minsheng.telephony.models import PauseCode, Prompt, Seat, SkillQueue, Trunk

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 27, 1, 0, tzinfo=UTC)


@pytest.fixture
def administrator() -> User:
    return User.objects.create_user("admin.system", display_name="系统管理员", roles=[Role.SYSTEM_ADMIN])


@pytest.fixture
def loaded() -> None:
    reference.load_queues()
    reference.load_pause_codes()
    reference.load_prompts()


def test_a_centre_starts_with_seven_queues_and_an_administrators_change_stays(loaded, administrator):
    queues = {queue.code: queue for queue in SkillQueue.objects.select_related("overflow")}
    assert set(queues) == {"general", "enterprise", "dialect", "english", "windows", "risk", "leaders"}
    assert {queue.overflow.code for queue in queues.values() if queue.overflow} == {"general"}
    assert queues["general"].numbers == ["12345"] and queues["general"].service_level_seconds == 15
    queues["general"].wrap_up_seconds = 20
    save_reference_row(actor=administrator, at=AT, row=queues["general"])
    assert reference.load_queues().kept == 1
    assert SkillQueue.objects.get(code="general").wrap_up_seconds == 20
    assert PauseCode.objects.filter(code="rest").exists() and "录音" in Prompt.objects.get(code="greeting").text


def test_a_seats_secret_is_made_by_us_encrypted_and_in_no_log(administrator):
    seat = actions.save_seat(actor=administrator, at=AT, seat=Seat(extension="1001"))
    assert len(seat.secret) == 32
    again = actions.save_seat(actor=administrator, at=AT, seat=Seat.objects.get(pk=seat.pk))
    assert again.secret == seat.secret
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM telephony_seat")
        assert seat.secret.encode() not in bytes(cursor.fetchone()[0])
        cursor.execute("SELECT * FROM telephony_seatevent")
        assert "secret" not in [column.name for column in cursor.description]
    told = list(AuditEntry.objects.values_list("detail", flat=True))
    assert told and not any("secret" in detail for detail in told)


@pytest.mark.parametrize(
    "row",
    [
        Seat(extension="1001]"),
        Seat(extension="1001\n"),
        Seat(extension="99"),
        Seat(extension="1001", browser=False, phone_host="10.0.0.1\n[evil]"),
        Seat(extension="1001", browser=False, phone_host="10.0.0.1:0"),
        Seat(extension="1001", browser=True, phone_host="10.0.0.1"),
        Trunk(code="a b", name="x", addresses=["10.0.0.1"], host="10.0.0.1"),
        Trunk(code="a", name="x", addresses=["10.0.0.1\nendpoint=1001"], host="10.0.0.1"),
        Trunk(code="a", name="x", addresses=[], host="10.0.0.1"),
        Trunk(code="a", name="x", addresses=["10.0.0.1"], host="carrier"),
        SkillQueue(code="General", name="x"),
        SkillQueue(code="x", name="x", numbers=["12345,s,1"]),
    ],
    ids=lambda row: f"{row._meta.model_name}",
)
def test_what_could_be_another_setting_is_refused(row, administrator):
    row.secret = "x"
    with pytest.raises(Refused) as refused:
        save_reference_row(actor=administrator, at=AT, row=row)
    assert refused.value.code == "invalid"


def test_the_database_itself_holds_the_form_of_what_is_written_into_files():
    with pytest.raises(IntegrityError):
        Seat.objects.create(extension="10\n[x]", secret="x")


def test_overflow_that_leads_back_is_refused(loaded, administrator):
    general = SkillQueue.objects.get(code="general")
    general.overflow = SkillQueue.objects.get(code="risk")
    with pytest.raises(Refused, match="invalid"):
        save_reference_row(actor=administrator, at=AT, row=general)


def test_a_number_leads_to_one_queue(loaded, administrator):
    risk = SkillQueue.objects.get(code="risk")
    risk.numbers = ["12345"]
    with pytest.raises(Refused, match="invalid"):
        save_reference_row(actor=administrator, at=AT, row=risk)


def test_only_the_system_administrator_configures(loaded):
    agent = User.objects.create_user("agent", roles=[Role.AGENT])
    with pytest.raises(Refused) as refused:
        actions.save_seat(actor=agent, at=AT, seat=Seat(extension="1001"))
    assert refused.value.code == "forbidden"


def test_every_screen_opens_and_a_recording_is_kept_as_the_switch_plays_it(loaded, administrator, client):
    sign_in(client, administrator)
    for model in ("trunk", "skillqueue", "openinghours", "prompt", "pausecode", "seat", "skill"):
        assert client.get(reverse(f"admin:telephony_{model}_changelist")).status_code == 200
        assert client.get(reverse(f"admin:telephony_{model}_add")).status_code == 200
    greeting = Prompt.objects.get(code="greeting")
    page = reverse("admin:telephony_prompt_change", args=[greeting.pk])
    form = {"text": greeting.text, "source": "", "drawn_version": 1}
    for file, taken in ((b"no sound", False), (_wave(16000), False), (_wave(8000), True)):
        sent = client.post(page, {**form, "recording": io.BytesIO(file)})
        assert sent.status_code == (302 if taken else 200)
    greeting.refresh_from_db()
    assert bytes(greeting.audio) == sounds.alaw([0, 1000, -1000, 32767])


def _wave(rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, rate, 0, "NONE", ""))
        sound.writeframes(b"".join(s.to_bytes(2, "little", signed=True) for s in (0, 1000, -1000, 32767)))
    return file.getvalue()


@pytest.mark.parametrize(("sample", "code"), [(0, 0xD5), (-1, 0x55), (1000, 0xFA), (-1000, 0x7A), (32767, 0xAA), (-32768, 0x2A)])
def test_alaw_is_g711(sample, code):
    """Six values, as other makers of A-law have them; all 65,536 were compared with one once."""
    assert sounds.alaw([sample]) == bytes([code])


def test_up_keeps_a_follower_running_only_where_there_is_a_switch(settings):
    from minsheng.platform.up import programs

    def names() -> set[str]:
        return {program.name for program in programs(port=1, events_port=2)}

    settings.TELEPHONY = {}
    without = names()
    settings.TELEPHONY = {"version": 22}
    assert names() - without == {"telephony"} and "telephony" not in without
