"""Every file of the switch but the dialplan. One data, two versions: what differs between 16 and 22 is asked of the layout."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from minsheng.telephony import sounds
from minsheng.telephony.choices import PromptUse
from minsheng.telephony.layout import Layout, ami_secret
from minsheng.telephony.models import Seat, SkillQueue, Trunk
from minsheng.telephony.names import queue_name
from minsheng.telephony.rendering.dialplan import dialplan
from minsheng.telephony.rendering.modules import modules
from minsheng.telephony.rendering.plan import Plan

FOLLOWER, RELOADER = "minsheng", "minsheng-reload"
_HEAD = "; Written by `minsheng telephony render`; what is changed here is lost at the next.\n"
# A seat without these is nobody to wait for.
_NOBODY = "unavailable,invalid,unknown"


def files_for(plan: Plan, where: Layout) -> dict[str, bytes]:
    """Name → content; names with a folder lie in it."""
    prompts = where.etc / "prompts"
    texts = {
        "asterisk.conf": _asterisk(where),
        "modules.conf": modules(),
        "logger.conf": _section("general", queue_log="yes", queue_log_to_file="yes") + "[logfiles]\nmessages.log => notice,warning,error\n",
        "cdr.conf": _section("general", enable="no"),
        "cel.conf": _section("general", enable="no"),
        "features.conf": _section("general"),
        "indications.conf": _INDICATIONS,
        "http.conf": _section("general", enabled="yes", bindaddr=where.address, bindport=where.http_port, sessionlimit=1000),
        "rtp.conf": _section(
            "general", rtpstart=where.rtp_ports[0], rtpend=where.rtp_ports[1], strictrtp="yes", icesupport="yes"
        ),
        "musiconhold.conf": _section("default", mode="files", directory=where.etc / "music"),
        "manager.conf": _manager(where),
        "pjsip.conf": _pjsip(plan, where),
        "queues.conf": _queues(plan),
        "extensions.conf": dialplan(plan, prompts),
    }
    # Modules that we need look for files of which we say nothing.
    texts |= dict.fromkeys(("acl.conf", "udptl.conf", "pjproject.conf", "codecs.conf", "sorcery.conf", "stasis.conf", "ccss.conf"), "")
    files = {name: (_HEAD + text).encode() for name, text in texts.items()}
    files["music/hold.alaw"] = sounds.hold_music()
    for use in PromptUse:
        files[f"prompts/{use}.alaw"] = plan.recordings.get(use) or sounds.stand_in()
    return files


def _section(name: str, **values: object) -> str:
    lines = [f"[{name}]", *(f"{key}={value}" for key, value in values.items()), "", ""]
    return "\n".join(lines)


def _asterisk(where: Layout) -> str:
    folders: dict[str, Path | str] = {
        "astetcdir": where.etc,
        "astmoddir": where.modules_folder,
        "astvarlibdir": where.folder / "lib",
        "astdbdir": where.folder / "db",
        "astkeydir": where.folder / "lib",
        "astdatadir": where.data,
        "astagidir": where.folder / "lib" / "agi-bin",
        "astspooldir": where.folder / "spool",
        "astrundir": where.folder / "run",
        "astlogdir": where.folder / "log",
    }
    options = {
        "systemname": where.name,
        "maxfiles": 65536,  # five for each channel
        "documentation_language": "en_US",
        "live_dangerously": "no",
        "hideconnect": "yes",
        "transmit_silence": "yes",
    }
    lines = ["[directories]", *(f"{key} => {value}" for key, value in folders.items()), "", "[options]"]
    return "\n".join([*lines, *(f"{key} = {value}" for key, value in options.items()), ""])


_INDICATIONS = """[general]
country=cn
[cn]
description = China
ringcadence = 1000,4000
dial = 450
busy = 450/350,0/350
ring = 450/1000,0/4000
congestion = 450/700,0/700
"""


def _manager(where: Layout) -> str:
    """Two users on loopback, each with no more than its work: the follower cannot configure, the reloader hears nothing."""
    general = _section(
        "general", enabled="yes", bindaddr="127.0.0.1", port=where.ami_port, displayconnects="no", timestampevents="yes", webenabled="no"
    )
    here = {"deny": "0.0.0.0/0.0.0.0", "permit": "127.0.0.1/255.255.255.255", "writetimeout": 5000}
    follower = {"secret": ami_secret(FOLLOWER), **here, "read": "system,call,agent", "write": "agent,call,reporting"}
    reloader = {"secret": ami_secret(RELOADER), **here, "write": "system"}
    return general + _section(FOLLOWER, **follower) + _section(RELOADER, **reloader)


# --- SIP -------------------------------------------------------------------------------------------------------------


def _pjsip(plan: Plan, where: Layout) -> str:
    head = [
        _section("global", type="global", user_agent="minsheng", endpoint_identifier_order="ip,username", keep_alive_interval=30),
        _section("transport-udp", type="transport", protocol="udp", bind=f"{where.address}:{where.sip_port}"),
        _section("transport-ws", type="transport", protocol="ws", bind=f"{where.address}:{where.http_port}"),
    ]
    media = {"media_address": where.address, "bind_rtp_to_media_address": "yes"}
    return "".join([*head, *_trunks(plan.trunks, media), *_seats(plan.seats, media)])


def _trunks(trunks: list[Trunk], media: dict[str, str]) -> Iterable[str]:
    """A carrier is known by its address alone, and speaks A-law."""
    for trunk in trunks:
        name = f"trunk-{trunk.code}"
        lines = [
            f"[{name}]\ntype=endpoint\ntransport=transport-udp\ncontext=from-trunk\ndisallow=all\nallow=alaw\ndirect_media=no",
            f"aors={name}\nset_var=TRUNK={trunk.code}\nset_var=LINES={trunk.lines}",
            *(f"{key}={value}" for key, value in media.items()),
        ]
        yield "\n".join([*lines, "", ""])
        yield _section(name, type="aor", contact=f"sip:{trunk.host}", qualify_frequency=60)
        yield "\n".join([f"[{name}]\ntype=identify\nendpoint={name}", *(f"match={address}" for address in trunk.addresses), "", ""])


def _seats(seats: list[Seat], media: dict[str, str]) -> Iterable[str]:
    """A browser over WebSocket, or a telephone. One contact each: a page opened anew takes the place of the old one."""
    for seat in seats:
        own: dict[str, object] = {"type": "endpoint", "context": "from-seat", "disallow": "all", "allow": "alaw"}
        own |= {"aors": seat.extension, "auth": seat.extension, "callerid": f"<{seat.extension}>", "direct_media": "no"}
        own |= media  # and no device_state_busy_at: with it, 22 tells a ringing seat as busy
        if seat.browser:
            own |= {"webrtc": "yes", "dtls_auto_generate_cert": "yes"}
        else:
            own |= {"transport": "transport-udp", "rtp_symmetric": "yes"}
        yield _section(seat.extension, **own)
        yield _section(seat.extension, type="auth", auth_type="userpass", username=seat.extension, password=seat.secret)
        if seat.phone_host:
            yield _section(seat.extension, type="aor", contact=f"sip:{seat.extension}@{seat.phone_host}")
        else:
            yield _section(seat.extension, type="aor", max_contacts=1, remove_existing="yes", minimum_expiration=30)


# --- queues ----------------------------------------------------------------------------------------------------------


def _queues(plan: Plan) -> str:
    """Members sign in over AMI and are kept by the switch through its own restart."""
    parts = [_section("general", persistentmembers="yes", shared_lastcall="yes", log_membername_as_agent="no", autofill="yes")]
    return "".join([*parts, *(_one_queue(plan, queue) for queue in plan.queues)])


def _one_queue(plan: Plan, queue: SkillQueue) -> str:
    """A queue that overflows lets nobody in while it has nobody; the last one takes all, as no caller is turned away."""
    return _section(
        queue_name(queue.code),
        strategy=queue.strategy,
        timeout=queue.ring_seconds,
        retry=1,
        wrapuptime=queue.wrap_up_seconds,
        weight=queue.weight,
        servicelevel=queue.service_level_seconds,
        ringinuse="no",
        joinempty=_NOBODY if plan.overflow_of(queue) else "yes",
        leavewhenempty="no",
        musicclass="default",
        **{"announce-frequency": 0, "announce-holdtime": "no", "announce-position": "no"},
        # The same agent would be rung again and again: one missed ringing makes it paused, which the leader sees.
        autopause="all",
    )
