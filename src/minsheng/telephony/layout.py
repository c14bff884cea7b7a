"""Where the switch lives: addresses, ports and folders of `settings.TELEPHONY`, each with its default."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from minsheng.secrecy import derive

# What Debian's packages of each version bring; a switch built otherwise says so in the setting.
_MODULES = {16: "/usr/lib/asterisk/modules", 22: "/usr/lib/x86_64-linux-gnu/asterisk/modules"}
VERSIONS = tuple(_MODULES)


class NotConfigured(Exception):
    """There is no switch, or its settings do not fit; in one sentence."""


@dataclass(frozen=True)
class Layout:
    """One switch."""

    folder: Path
    version: int
    name: str = "minsheng1"
    address: str = "127.0.0.1"
    sip_port: int = 5060
    http_port: int = 8088
    ami_port: int = 5038
    rtp_ports: tuple[int, int] = (20000, 29998)
    modules: str = ""
    data: str = "/usr/share/asterisk"
    # As whom the switch runs, where it is not ourselves.
    user: str = "asterisk"

    @property
    def etc(self) -> Path:
        """What the switch reads: a link, moved to each new rendering at once."""
        return self.folder / "etc"

    @property
    def journal(self) -> Path:
        """The switch's own record of its queues, to which our dialplan adds arrival and end of each call."""
        return self.folder / "log" / "queue_log"

    @property
    def modules_folder(self) -> str:
        """Where its modules lie."""
        return self.modules or _MODULES[self.version]


def is_configured() -> bool:
    """Whether this installation has a switch."""
    return bool(settings.TELEPHONY)


def layout(**changes: Any) -> Layout:
    """The switch of this installation. NotConfigured where there is none."""
    given = {**(settings.TELEPHONY or {}), **changes}
    if not given:
        raise NotConfigured("电话未启用：请先设置 MINSHENG_TELEPHONY（见 docs/telephony.md）。")
    given.setdefault("version", VERSIONS[-1])
    given["folder"] = Path(given.get("folder") or settings.HOME / "telephony").resolve()
    if "rtp_ports" in given:
        given["rtp_ports"] = tuple(given["rtp_ports"])
    try:
        made = Layout(**given)
    except TypeError as error:
        raise NotConfigured(f"MINSHENG_TELEPHONY: {error}") from error
    if made.version not in VERSIONS:
        raise NotConfigured(f"MINSHENG_TELEPHONY: Asterisk {made.version} 未经测试，可用 {VERSIONS}。")
    return made


def ami_secret(user: str) -> str:
    """What this user of the switch's management signs in with; derived, so that nobody types or keeps it."""
    return derive(settings.AMI_KEY, f"ami {user}").hex()
