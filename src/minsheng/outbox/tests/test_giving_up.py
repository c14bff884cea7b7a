"""A system that fails for days, or says that it wants no more: stopped by itself, heard of, started and sent again by a person."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from minsheng.accounts.testing import sign_in
from minsheng.audit.models import AuditEntry
from minsheng.cases.tests.world import World
from minsheng.outbox import actions, queries, sending
from minsheng.outbox.choices import State, Way
from minsheng.outbox.models import Delivery
from minsheng.outbox.tests.conftest import says
from minsheng.outbox.tests.test_sending import Receive, again, endpoint, queue, send_after
from minsheng.ui import alarms

pytestmark = pytest.mark.django_db
HOURS = timedelta(hours=1)


def send_all(at: datetime) -> None:
    while sending.send_one(Way.WEBHOOK, now=lambda: at):
        pass


def test_three_days_without_one_success_stop_it(world: World, receive: Receive) -> None:
    listening = endpoint(world, receive(says(503)).url)
    queue(listening, 3)
    begun = timezone.now()
    for hours in (0, 30, 60):
        send_all(begun + hours * HOURS)
    listening.refresh_from_db()
    assert listening.is_active and listening.failing_since == begun
    send_all(begun + 72 * HOURS)
    listening.refresh_from_db()
    assert not listening.is_active and listening.gave_up == "连续 72 小时没有一次成功"
    entry = AuditEntry.objects.get(code="outbox.endpoint_gave_up")
    assert (entry.actor, entry.subject_label, entry.why) == (None, "市局办公系统", listening.gave_up)


def test_one_success_ends_the_run_of_failures(world: World, receive: Receive) -> None:
    receiver = receive(lambda handler, nth: says(200 if nth == 2 else 503)(handler, nth))
    listening = endpoint(world, receiver.url)
    queue(listening, 2)
    begun = timezone.now()
    for hours in (0, 70, 74):
        send_all(begun + hours * HOURS)
    listening.refresh_from_db()
    assert listening.is_active and listening.failing_since == begun + 70 * HOURS


def test_what_waited_when_it_stopped_is_left_to_a_person_and_goes_out_in_order(world: World, receive: Receive) -> None:
    receiver = receive(says(410, b""))
    listening = endpoint(world, receiver.url)
    first, second, third = queue(listening, 3)
    while send_after(timedelta(0)):
        pass
    assert len(receiver.calls) == 1, "who wants no more is asked no more"
    assert {again(d).state for d in (first, second, third)} == {State.DEAD}
    assert again(second).reason == "已自动停用：对方不再接收（410）"
    receiver.answer = says(200)
    client = sign_in(Client(), world["system_admin"])
    page = client.get(reverse("outbox:endpoint", args=[listening.pk])).content.decode()
    assert "重新启用" in page and "对方不再接收（410）" in page
    assert "自动停用" in client.get(reverse("outbox:endpoints")).content.decode()
    client.post(reverse("outbox:switch", args=[listening.pk]), {"active": "1"})
    answer = client.post(reverse("outbox:resend_all"), {"endpoint": listening.pk}, follow=True)
    assert "已把 3 条排入重发" in answer.content.decode()
    while send_after(timedelta(minutes=1)):
        pass
    assert receiver.ids[1:] == [first.key, second.key, third.key]
    listening.refresh_from_db()
    assert (listening.is_active, listening.gave_up, listening.failing_since) == (True, "", None)


def test_the_operator_hears_until_it_is_started_or_given_up_for_good(world: World, receive: Receive) -> None:
    listening = endpoint(world, receive(says(410, b"")).url)
    queue(listening)
    send_after(timedelta(0))

    def heard() -> list[str]:
        return [alarm.title for alarm in alarms.sounding(timezone.now()) if "接收系统" in alarm.title]

    assert heard() == ["接收系统“市局办公系统”已自动停用"]
    listening.refresh_from_db()
    actions.switch_endpoint(actor=world["system_admin"], at=timezone.now(), endpoint=listening, active=False)
    assert heard() == []
    listening.refresh_from_db()
    assert (listening.is_active, listening.gave_up) == (False, "")


def test_what_waits_behind_a_failing_system_is_not_taken_for_a_dead_sender(world: World, receive: Receive) -> None:
    queue(endpoint(world, receive(says(503)).url), 2)
    begun = timezone.now()
    send_after(timedelta(0))
    assert queries.stuck(at=begun + HOURS).late == 0
    up = endpoint(world, "http://127.0.0.1:9/", "乙")
    queue(up)
    assert queries.stuck(at=begun + HOURS).late == 1


# --- sending many again ------------------------------------------------------------------------------------------


def dead(world: World, name: str, count: int, who: str = "城管联络") -> list[Delivery]:
    made = queue(endpoint(world, "http://127.0.0.1:9/", name, who), count)
    Delivery.objects.filter(pk__in=[d.pk for d in made]).update(state=State.DEAD, reason="对方没有在接收", next_at=None)
    return made


def test_all_that_a_person_sees_is_sent_again_and_nothing_else(world: World) -> None:
    ours, theirs = dead(world, "甲", 2), dead(world, "乙", 2, "鼓楼城管联络")
    page = sign_in(Client(), world["城管联络"]).get(reverse("outbox:log"), {"state": "dead"})
    assert "全部重发" in page.content.decode()
    for _ in range(2):
        sign_in(Client(), world["城管联络"]).post(reverse("outbox:resend_all"))
    assert {again(d).state for d in ours} == {State.WAITING} and {again(d).state for d in theirs} == {State.DEAD}
    entry = AuditEntry.objects.get(code="outbox.resent_many")
    assert (entry.actor, entry.detail) == (world["城管联络"], {"count": 2})


@pytest.mark.parametrize(("chosen", "count"), [({"channel": "sms"}, 0), ({"channel": "webhook"}, 4), ({"day": "2020-01-01"}, 0)])
def test_only_what_the_filters_show(world: World, chosen: dict[str, str], count: int) -> None:
    dead(world, "甲", 2), dead(world, "乙", 2)
    sign_in(Client(), world["system_admin"]).post(reverse("outbox:resend_all"), chosen)
    assert Delivery.objects.filter(state=State.WAITING).count() == count


def test_a_filter_that_is_not_understood_sends_nothing(world: World) -> None:
    dead(world, "甲", 2)
    answer = sign_in(Client(), world["system_admin"]).post(reverse("outbox:resend_all"), {"endpoint": "999999"})
    assert answer.status_code == 422 and not Delivery.objects.filter(state=State.WAITING).exists()


def test_the_record_by_system_and_its_tab_of_what_waits(world: World) -> None:
    one, _ = dead(world, "甲", 1), dead(world, "乙", 1)
    Delivery.objects.filter(pk=one[0].pk).update(state=State.FAILED, next_at=timezone.now())
    client = sign_in(Client(), world["system_admin"])

    def found(**query: Any) -> list[int]:
        return [row.delivery.pk for row in client.get(reverse("outbox:log"), query).context["page"]]

    assert found(endpoint=one[0].endpoint_id) == [one[0].pk] == found(state="waiting")
    unit = sign_in(Client(), world["城管联络"]).get(reverse("outbox:log"), {"endpoint": one[0].endpoint_id})
    assert "接收系统</label>" not in unit.content.decode() and "<select name=\"endpoint\"" not in unit.content.decode()
