"""What may be asked of the switch while it runs: reading its files anew, and a seat's signing in, pausing and signing out."""

from __future__ import annotations

from collections.abc import Mapping

from minsheng.telephony.ami import Ami, AmiError
from minsheng.telephony.layout import Layout, ami_secret
from minsheng.telephony.names import device, queue_name
from minsheng.telephony.rendering.files import FOLLOWER, RELOADER


async def connect(where: Layout) -> Ami:
    """As the follower. Errors as `Ami.connect`."""
    return await Ami.connect(port=where.ami_port, user=FOLLOWER, secret=ami_secret(FOLLOWER))


async def reload(where: Layout) -> None:
    """Have the switch read its files; calls go on. Errors as `Ami.connect`."""
    ami = await Ami.connect(port=where.ami_port, user=RELOADER, secret=ami_secret(RELOADER), events=False)
    try:
        await ami.action("Reload")
    finally:
        await ami.close()


async def sign_in(ami: Ami, extension: str, levels: Mapping[str, int]) -> None:
    """Have a seat rung from these queues (code → skill level, 1 first). A queue that it is in already is left as it is."""
    for queue, level in levels.items():
        try:
            await ami.action(
                "QueueAdd",
                Queue=queue_name(queue),
                Interface=device(extension),
                StateInterface=device(extension),
                MemberName=extension,
                Penalty=level - 1,
            )
        except AmiError as error:
            if "already" not in str(error).lower():
                raise


async def sign_out(ami: Ami, extension: str) -> None:
    """Out of every queue that it is in; a call that it talks on goes on."""
    for row in await ami.listing("QueueStatus", Member=device(extension)):
        if row.get("Event") == "QueueMember":
            await ami.action("QueueRemove", Queue=row["Queue"], Interface=device(extension))


async def pause(ami: Ami, extension: str, reason: str) -> None:
    """Not rung any more, in any queue; `reason` is the code of a PauseCode. AmiError where it is signed in nowhere."""
    await ami.action("QueuePause", Interface=device(extension), Paused="true", Reason=reason)


async def unpause(ami: Ami, extension: str) -> None:
    """Ready again."""
    await ami.action("QueuePause", Interface=device(extension), Paused="false")
