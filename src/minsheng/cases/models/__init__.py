"""The tables of the cases room."""

from minsheng.cases.models.case import Applicant, Attachment, Case, Contact
from minsheng.cases.models.reference import ReasonCode, RefusalGround, Topic
from minsheng.cases.models.task import Ask, Outreach, Reply, Task
from minsheng.cases.models.timeline import Message, TimelineEntry

__all__ = [
    "Applicant",
    "Ask",
    "Attachment",
    "Case",
    "Contact",
    "Message",
    "Outreach",
    "ReasonCode",
    "RefusalGround",
    "Reply",
    "Task",
    "TimelineEntry",
    "Topic",
]
