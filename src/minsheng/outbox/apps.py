from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from minsheng.ui.alarms import Alarm


class OutboxConfig(AppConfig):
    name = "minsheng.outbox"

    def ready(self) -> None:
        """Put the record on the administrator's rail, and what needs a person among the alarms."""
        from minsheng.accounts.choices import Role
        from minsheng.outbox import queries
        from minsheng.ui import alarms
        from minsheng.ui.desks import Desk, register

        register(
            Desk(
                code="outbox",
                label="发送",
                icon="send",
                roles=frozenset({Role.SYSTEM_ADMIN}),
                url="outbox:log",
                count=queries.dead_count,
            )
        )
        alarms.watch("outbox", alarms=_alarms)


def _alarms(at: datetime) -> "Iterator[Alarm]":
    """What stopped being tried, and what waits though it was due long ago: then nobody is sending."""
    from django.urls import reverse

    from minsheng.outbox import queries
    from minsheng.ui.alarms import Alarm

    stuck = queries.stuck(at=at)
    if stuck.late:
        yield Alarm(
            light="red",
            title=f"有 {stuck.late} 条消息该发未发",
            todo="发送程序可能没有运行。请看“运行情况”里的后台进程，必要时重新启动；发出前一条也不会丢。",
            url=f"{reverse('outbox:log')}?state=waiting",
            link="查看",
        )
    for endpoint in stuck.given_up:
        yield Alarm(
            light="orange",
            title=f"接收系统“{endpoint.name}”已自动停用",
            todo=f"{endpoint.gave_up}。请联系对方，恢复后重新启用，再重发停下的消息。",
            url=reverse("outbox:endpoint", args=[endpoint.pk]),
            link="查看",
        )
    if stuck.dead:
        yield Alarm(
            light="yellow",
            title=f"有 {stuck.dead} 条消息停止重试",
            todo="多次没有发出。请看原因，改正地址或联系对方后重发。",
            url=f"{reverse('outbox:log')}?state=dead",
            link="查看",
        )
