from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from minsheng.ui.alarms import Alarm


class ApiConfig(AppConfig):
    name = "minsheng.api"

    def ready(self) -> None:
        """Put the administrator's page of other systems on the rail, and keep webhooks within what a system may see."""
        from minsheng.accounts.choices import Role
        from minsheng.api import queries
        from minsheng.outbox import webhooks
        from minsheng.ui import alarms
        from minsheng.ui.desks import Desk, register

        register(
            Desk(
                code="systems",
                label="接口",
                icon="plug-connected",
                roles=frozenset({Role.SYSTEM_ADMIN}),
                url="api:systems",
            )
        )
        webhooks.narrowed_by.append(queries.source_of_account)
        alarms.watch("api", alarms=_alarms)


def _alarms(at: datetime) -> "Iterator[Alarm]":
    """Systems that will be refused when their token ends, or are by now."""
    from django.urls import reverse

    from minsheng.api import queries
    from minsheng.ui.alarms import Alarm
    from minsheng.ui.times import day
    from minsheng.worktime.moments import day_of

    for system in queries.about_to_fall_silent(at=at):
        ended = system.ends_at <= at  # type: ignore[attr-defined]
        when = day(day_of(system.ends_at), day_of(at))  # type: ignore[attr-defined]
        yield Alarm(
            light="orange" if ended else "yellow",
            title=f"接入系统“{system}”的令牌{'已于' if ended else '将于'} {when} 到期",
            todo="到期后对方的调用都会被拒绝。请轮换令牌，把新令牌交给对方；不再接入的，停用它的账号。",
            url=reverse("api:system", args=[system.code]),
            link="查看",
        )
