"""The tables of the telephony room: what the switch is told, and the books of what happened on it."""

from minsheng.telephony.models.books import AgentState, Call, CallLeg, FollowedTo, MissedCall, QueueVisit
from minsheng.telephony.models.switch import OpeningHours, PauseCode, Prompt, Seat, Skill, SkillQueue, Trunk

__all__ = [
    "AgentState",
    "Call",
    "CallLeg",
    "FollowedTo",
    "MissedCall",
    "OpeningHours",
    "PauseCode",
    "Prompt",
    "QueueVisit",
    "Seat",
    "Skill",
    "SkillQueue",
    "Trunk",
]
