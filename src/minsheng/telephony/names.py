"""How our rows are called on the switch, and back."""

from __future__ import annotations

# A queue called `general` would be the section of settings for all queues: on the switch each has a word before its code.
_QUEUE = "skill-"
_TECHNOLOGY = "PJSIP"


def queue_name(code: str) -> str:
    """A queue on the switch."""
    return f"{_QUEUE}{code}"


def queue_code(name: str) -> str:
    """The code of a queue of the switch; "" where it is none of ours."""
    return name.removeprefix(_QUEUE) if name.startswith(_QUEUE) else ""


def device(extension: str) -> str:
    """A seat as a queue's member."""
    return f"{_TECHNOLOGY}/{extension}"


def extension_of(name: str) -> str:
    """The seat of a device or channel (PJSIP/1001, PJSIP/1001-0000001a); "" where it is none."""
    technology, slash, rest = name.partition("/")
    extension = rest.partition("-")[0]
    return extension if slash and technology == _TECHNOLOGY and extension.isdigit() else ""
